//! What the parity gates of this crate share: random asset graphs, random lives of a workspace, and
//! what a log says by itself, without the fold.

pub(crate) mod chosen;
pub(crate) mod delivery;
pub(crate) mod graph;
pub(crate) mod keys;
pub(crate) mod life;
pub(crate) mod model;
pub(crate) mod schedules;
pub(crate) mod sensors;

use proptest::test_runner::Config;

/// So many random cases, or `ARCO_GATE_DEPTH` times as many; a failing one prints itself, small, and
/// is kept in no file.
pub(crate) fn cases(cases: u32) -> Config {
    let depth = std::env::var("ARCO_GATE_DEPTH").ok();
    let depth: u32 = depth.map_or(1, |depth| {
        depth.parse().expect("ARCO_GATE_DEPTH is a number")
    });
    Config {
        cases: cases * depth,
        failure_persistence: None,
        ..Config::default()
    }
}
