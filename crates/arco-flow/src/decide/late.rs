//! Reports that come too late: of attempts that were over before their host spoke of them.
//!
//! A host that was given up kills what it holds, and a body may have been faster. Its report changes
//! nothing (D-19), and the log says that it came: what the body wrote is in storage. What a host said
//! before and says again is no such report.

use std::collections::BTreeSet;

use arco_core::asset_fact::AssetFact;
use arco_core::event::{AttemptOutcome, ReportRefused};
use arco_core::{AttemptId, HostId};

use super::Deciding;
use crate::command::{HostExchange, Reported};
use crate::state::{AttemptRow, State};

/// Words of one attempt that are kept: how it ended is the last.
const SAID_MAX: usize = 20;

/// Records what a host that was given up says of bodies that succeeded; false when there are none.
pub(super) fn of_a_lost_host(d: &mut Deciding<'_>, e: &HostExchange) -> bool {
    let late = |(id, said): &&(AttemptId, Reported)| contradicts(&d.state, e.host, *id, said);
    let late: BTreeSet<AttemptId> = e.reports.iter().filter(late).map(|(id, _)| *id).collect();
    for attempt in &late {
        let said = e.reports.iter().filter(|(of, _)| of == attempt);
        let said = said.map(|(_, said)| word(said)).collect();
        record(d, e.host, *attempt, said);
    }
    !late.is_empty()
}

/// Whether a body is said to have succeeded whose attempt ended otherwise before: that is no
/// repetition of a call whose answer was lost.
pub(super) fn contradicts(state: &State, host: HostId, id: AttemptId, reported: &Reported) -> bool {
    let outcome = row(state, host, id).and_then(|row| row.outcome.as_ref());
    matches!(reported, Reported::Succeeded)
        && outcome.is_some_and(|outcome| *outcome != AttemptOutcome::Succeeded)
}

/// Records one such report.
pub(super) fn one(d: &mut Deciding<'_>, host: HostId, id: AttemptId, reported: &Reported) {
    record(d, host, id, vec![word(reported)]);
}

fn record(d: &mut Deciding<'_>, host: HostId, attempt: AttemptId, mut said: Vec<String>) {
    let is_known = row(&d.state, host, attempt).is_some_and(|row| !row.late.is_empty());
    if !is_known {
        let first = said.len().saturating_sub(SAID_MAX);
        let said = said.split_off(first);
        d.emit(ReportRefused {
            attempt,
            host,
            said,
        });
    }
}

/// An attempt of this host that is over.
fn row(state: &State, host: HostId, id: AttemptId) -> Option<&AttemptRow> {
    let task = state.run(id.run)?.task(id.task)?;
    let mut rows = task.attempts.iter();
    rows.find(|row| row.number == id.number && row.host == host && row.outcome.is_some())
}

fn word(reported: &Reported) -> String {
    match reported {
        Reported::Started => "started".into(),
        Reported::Asset(AssetFact::Materialized(made)) => format!("materialized {}", made.asset),
        Reported::Asset(AssetFact::Observed(seen)) => format!("observed {}", seen.asset),
        Reported::Values { outputs } => {
            let names: Vec<&str> = outputs.iter().map(|value| value.name.as_str()).collect();
            format!("gave {}", names.join(", "))
        }
        Reported::Asset(AssetFact::Checked(judged)) => {
            format!("checked {} of {}", judged.check, judged.asset)
        }
        Reported::Succeeded => "succeeded".into(),
        Reported::Failed { class, .. } => format!("failed: {}", class.as_str()),
        Reported::Cancelled => "cancelled".into(),
        Reported::Released => "released".into(),
    }
}
