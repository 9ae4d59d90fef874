//! Leadership entries.

use arco_core::event::{FoldActivated, LeaseKept, LeaseReleased, LeaseTaken};

use super::Deciding;
use crate::Rejection;
use crate::command::Answer;
use crate::state::FOLD_VERSION;

/// Whether it is time to take over is the observer's judgement; that only one takes epoch n+1 is
/// the log's: the second one's put loses, and its decision falls.
pub(super) fn take(
    d: &mut Deciding<'_>,
    after: u64,
    holder: &str,
    url: &str,
    ttl_ms: u64,
) -> Result<Answer, Rejection> {
    let known = &d.state.leadership;
    if known.epoch != after {
        return Err(Rejection::Led {
            epoch: known.epoch,
            holder: known.holder.clone().unwrap_or_default(),
        });
    }
    let epoch = after + 1;
    d.emit(LeaseTaken {
        epoch,
        holder: holder.to_owned(),
        url: url.to_owned(),
        ttl_ms,
    });
    if d.state.fold_version < FOLD_VERSION {
        d.emit_as_leader(FoldActivated {
            version: FOLD_VERSION,
        });
    }
    Ok(Answer::Leads(epoch))
}

/// Refuses what was judged by a leader that leads no longer.
pub(super) fn require(d: &Deciding<'_>, epoch: u64) -> Result<(), Rejection> {
    let known = &d.state.leadership;
    if known.epoch == epoch && known.holder.is_some() {
        return Ok(());
    }
    Err(Rejection::Led {
        epoch: known.epoch,
        holder: known.holder.clone().unwrap_or_default(),
    })
}

pub(super) fn keep(d: &mut Deciding<'_>) -> Answer {
    let epoch = d.state.leadership.epoch;
    d.emit_as_leader(LeaseKept { epoch });
    Answer::Done
}

pub(super) fn release(d: &mut Deciding<'_>) -> Answer {
    let epoch = d.state.leadership.epoch;
    d.emit_as_leader(LeaseReleased { epoch });
    Answer::Done
}
