//! What the parity gates of this crate share: random asset graphs, random lives of a workspace, and
//! what a log says by itself, without the fold.

pub(crate) mod chosen;
pub(crate) mod delivery;
pub(crate) mod graph;
pub(crate) mod keys;
pub(crate) mod life;
pub(crate) mod model;

use proptest::test_runner::Config;

/// So many random cases; a failing one prints itself, small, and is kept in no file.
pub(crate) fn cases(cases: u32) -> Config {
    Config {
        cases,
        failure_persistence: None,
        ..Config::default()
    }
}
