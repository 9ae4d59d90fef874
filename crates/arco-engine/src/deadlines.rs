//! The leader stops what waited or went on for too long.
//!
//! What is due is in the state; a pass that finds nothing due writes nothing. A clock that jumps ahead
//! makes limits end early: they are of wall time, as schedules are.

use arco_flow::command::Command;
use arco_flow::pending;

use crate::{Engine, EngineError, View};

/// Decisions of one round: each has a bound, and the rest is for the next round.
const DECISIONS_MAX: usize = 20;

/// Enforces every time limit that is reached.
pub(crate) async fn enforce(engine: &Engine, view: &View) -> Result<(), EngineError> {
    let epoch = view.state.leadership.epoch;
    for _ in 0..DECISIONS_MAX {
        let view = engine.view();
        let now = engine.now().max(view.state.time);
        let Some(due) = pending::overdue(&view.state, now).next() else {
            return Ok(());
        };
        tracing::info!(?due, "a time limit is reached");
        engine
            .submit_as_leader(
                "controller:limits",
                "time_limit",
                epoch,
                Command::EnforceTimeLimits,
            )
            .await?;
    }
    Ok(())
}
