//! The parity matrix and its proof: no claim about parity without something a machine checked.
//!
//! `docs/parity/matrix.toml` holds the claims, one testable statement a row. The rules
//! ([`rules::check`]) judge the rows against the files of the working tree alone: a path, a symbol, a
//! test, a job, a card that a row names is there. Then the tests a row names must have passed on
//! this very tree: either a stage of `cargo xtask test` has kept a report that carries the hash of
//! the tree, or the named tests are run now ([`results`], [`run`]).
//!
//! ```text
//! matrix.toml ─┐                      ┌─ dagster-parity-matrix.md, .csv   (render)
//! statements ──┼─ rules ─ results ────┼─ proven / carded / open           (coverage)
//! cards, tree ─┘     └─ junit reports └─ each mutation turns a test red   (bite)
//! ```
//!
//! Nothing here is trusted to be honest by being written down: a report without a tree hash, a test
//! that is skipped, a patch that does not apply are faults, not gaps.

pub(crate) mod bite;
pub(crate) mod cards;
pub(crate) mod coverage;
pub(crate) mod fault;
pub(crate) mod junit;
pub(crate) mod links;
pub(crate) mod matrix;
pub(crate) mod python_source;
pub(crate) mod render;
pub(crate) mod reports;
pub(crate) mod results;
pub(crate) mod rules;
pub(crate) mod run;
pub(crate) mod rust_source;
pub(crate) mod statements;
pub(crate) mod test_name;
pub(crate) mod tree;
pub(crate) mod workflow;

#[cfg(test)]
mod fixture;
