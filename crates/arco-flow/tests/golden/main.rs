//! Arco's decisions beside those of Dagster 1.13.27 (`golden/oracle/README.md`).

#![expect(clippy::unwrap_used, reason = "tests")]

use arco_flow::{Rejection, command, decide, planner, state};

#[path = "../../../arco-core/tests/golden/oracle/corpus.rs"]
mod corpus;
mod oracle;
#[path = "../../../arco-core/tests/golden/oracle/tally.rs"]
mod tally;
#[allow(dead_code, reason = "shared with the crate's own tests")]
#[path = "../../src/testing.rs"]
mod testing;
