//! Choosing assets by a text, in Dagster's selection language.
pub mod suggest;
