//! Choosing assets by a text, in Dagster's selection language (statements L-1 to L-15).
//!
//! ```
//! use arco_core::selection::Selection;
//! let chosen = Selection::parse("kind:dbt and not +group:sales")?;
//! assert_eq!(chosen.to_string(), r#"kind:"dbt" and (not +group:"sales")"#);
//! # Ok::<(), arco_core::selection::SelectionError>(())
//! ```
//!
//! A text is read to a [`Selection`], which prints itself in canonical form and is evaluated on a
//! [`SelectionGraph`]. Reading the canonical form gives the same selection again.
//!
//! # Bare keys
//!
//! The grammar asks for `key:name`, but a text that is nothing but a name, with `+` and `*` around it,
//! is read as Dagster's older language reads it: `+d` is `d` and its direct parents, `++d` two levels,
//! `*d` all ancestors. So **`+d` means one level while `+key:d` means all**. That is an accident of
//! Dagster's history (L-11, D-33), and kept, because scripts and habits depend on it and a change
//! would silently select more or less than the same text does there. A bare key that is not defined is
//! an error with a suggestion; `key:name` selects nothing then (L-12). Inside of a larger expression
//! bare keys are refused, as in Dagster, with the text to write instead.
//!
//! # Where this differs from Dagster
//!
//! * `not` keeps its parentheses when printed, and `0+x` its depth (L-15, L-5).
//! * `key:*` is read: every asset, external ones too (L-8).
//! * `owner:<null>` and `tag:<null>` select assets without owners and without tags (L-7).
//! * `partitions:` with an unknown word is an error (L-14).
//! * `code_location:`, `status:`, `column:`, `table_name:` and `column_tag:` are answered where what
//!   happened to assets is kept ([`SelectionFacts`], L-3).
//! * Any word may stand after the colon, also one the grammar uses: `key:job` (L-2).
//! * In quotes, a backslash makes the next character plain, so every name can be written.

mod ast;
mod bare;
mod error;
mod evaluate;
mod facts;
mod graph;
mod parse;
mod print;
mod set;
pub mod suggest;
mod token;

#[cfg(test)]
mod tests;

pub use ast::{Attribute, Bare, Depth, NotEvaluable, PartitionsFilter, Selection, Selections};
pub use error::SelectionError;
pub use facts::{AssetStatus, Column, SelectionFacts};
pub use graph::SelectionGraph;
