//! Arco's decisions beside those of Dagster 1.13.27 (`golden/oracle/README.md`).

#![expect(clippy::unwrap_used, reason = "tests")]

use arco_flow::{Rejection, command, decide, planner, state};

#[path = "../../../arco-core/tests/golden/oracle/compare.rs"]
mod compare;
#[path = "../../../arco-core/tests/golden/oracle/corpus.rs"]
mod corpus;
#[allow(dead_code, reason = "shared with the gates")]
#[path = "../gates/backfills.rs"]
mod life_of_backfills;
mod oracle;
#[path = "../../../arco-core/tests/golden/oracle/specs.rs"]
mod specs;
#[path = "../../../arco-core/tests/golden/oracle/tally.rs"]
mod tally;
#[allow(dead_code, reason = "shared with the crate's own tests")]
#[path = "../../src/testing.rs"]
mod testing;
