//! What the answer of user code comes to.

use std::collections::BTreeMap;

use arco_core::event::{Asked, ErrorInfo, EvaluationOf};
use arco_core::{Digest, Timestamp};
use serde_json::Value;

use super::{EvaluationProposal, Found, Part, SensorQuestion};
use crate::evaluation::{
    Asker, CheckConfig, Refused, Resolved, Said, TOO_MANY_ASSET_EVENTS, TOO_MANY_PARTITIONS,
    TOO_MANY_RUNS, Wanted, another_question, resolve,
};
use crate::state::{Queued, QueuedWhat, State};

/// Makes a proposal of an answer to `question`, worked out of `state` at `now`. Of a queue, what comes before
/// the first thing that fails counts, and what comes after is asked again.
#[must_use]
pub fn propose(
    state: &State,
    question: &SensorQuestion,
    said: &Said,
    asked: &Asked,
    now: Timestamp,
    check_config: CheckConfig<'_>,
) -> EvaluationProposal {
    let asker = asker(state, question);
    let work_out = |wanted: &Wanted| resolve(state, &asker, wanted, now, check_config);
    let parts = match (question.items.is_empty(), said) {
        (_, Said::Mapped(_)) => vec![failed(question, 0, asked, another_question())],
        (true, Said::Returned(wanted)) => vec![match work_out(wanted) {
            Ok(resolved) => wants(question, 0, asked, wanted.cursor.clone(), resolved),
            Err(refused) => failed(question, 0, asked, refused.error),
        }],
        (true, Said::Raised { error, .. }) => vec![failed(question, 0, asked, error.clone())],
        (false, Said::Returned(wanted)) if wanted.taken == 0 => {
            let error = ErrorInfo {
                kind: "nothing_taken".into(),
                message: "the worker host answered without taking anything of what it was given; look at its log".into(),
                traceback: String::new(),
            };
            vec![failed(question, 0, asked, error)]
        }
        (false, Said::Returned(wanted)) => of_queue(question, wanted, asked, &work_out).0,
        (false, Said::Raised { error, before }) => {
            let nothing = Wanted::default();
            let before = before.as_ref().unwrap_or(&nothing);
            let taken = before.taken.min(question.items.len() - 1);
            let (mut parts, all) = match taken {
                0 => (Vec::new(), true),
                _ => of_queue(question, before, asked, &work_out),
            };
            if all {
                parts.push(failed(question, taken, asked, error.clone()));
            }
            parts
        }
    };
    EvaluationProposal {
        sensor: question.sensor.clone(),
        version: question.version,
        state_version: question.state_version,
        idle: None,
        parts,
    }
}

/// The part of a queue that was taken, as far as it can be done; says whether that is all of it.
fn of_queue(
    question: &SensorQuestion,
    wanted: &Wanted,
    asked: &Asked,
    work_out: &dyn Fn(&Wanted) -> Result<Resolved, Refused>,
) -> (Vec<Part>, bool) {
    let mut good = wanted.taken.min(question.items.len());
    let mut refused: Option<Refused> = None;
    loop {
        let counted = match &refused {
            None => wanted,
            // A failure is that of the first call, whatever else of it is fine.
            Some(Refused { error, .. }) if good == 0 => {
                return (vec![failed(question, 0, asked, error.clone())], false);
            }
            Some(_) => &of_first(wanted, good),
        };
        match work_out(counted) {
            Ok(resolved) => {
                let part = wants(question, good, asked, counted.cursor.clone(), resolved);
                let rest = refused.as_ref().filter(|refused| !is_too_much(refused));
                let rest = rest.map(|refused| failed(question, good, asked, refused.error.clone()));
                let parts = std::iter::once(part).chain(rest).collect();
                return (parts, refused.is_none());
            }
            // What comes before it may hold another: kinds of requests are worked out one after the other.
            Err(again) => {
                good = again.item.min(good.saturating_sub(1));
                refused = Some(again);
            }
        }
    }
}

/// What the first `good` calls asked for.
fn of_first(wanted: &Wanted, good: usize) -> Wanted {
    let counts = |item: Option<usize>| item.unwrap_or(0) < good;
    let mut first = wanted.clone();
    first.runs.retain(|asked| counts(asked.answers));
    first.backfills.retain(|asked| counts(asked.answers));
    let changes = &mut first.dynamic_partitions;
    changes.retain(|asked| counts(asked.answers));
    first.asset_events.retain(|asked| counts(asked.answers));
    // The cursor is that after all calls, of which some do not count.
    first.cursor = None;
    first
}

/// Too much of several calls together is no fault of the last.
fn is_too_much(refused: &Refused) -> bool {
    let together = [TOO_MANY_RUNS, TOO_MANY_PARTITIONS, TOO_MANY_ASSET_EVENTS];
    together.contains(&refused.error.kind.as_str())
}

fn wants(
    question: &SensorQuestion,
    taken: usize,
    asked: &Asked,
    cursor: Option<String>,
    resolved: Resolved,
) -> Part {
    Part {
        of: of(question, &question.items[..taken]),
        asked: asked.clone(),
        cursor,
        found: Found::Wants(Box::new(resolved)),
    }
}

/// A failure is that of one call: of a queue, about the first thing after those that went well.
fn failed(question: &SensorQuestion, after: usize, asked: &Asked, error: ErrorInfo) -> Part {
    let about = question.items.get(after..=after).unwrap_or_default();
    Part {
        of: of(question, about),
        asked: asked.clone(),
        cursor: None,
        found: Found::Failed(error),
    }
}

fn of(question: &SensorQuestion, items: &[std::sync::Arc<Queued>]) -> EvaluationOf {
    let Some(first) = question.items.first() else {
        let cursor = question.cursor.as_deref().unwrap_or_default();
        return EvaluationOf::Look {
            cursor: Digest::of(cursor.as_bytes()),
        };
    };
    match first.what {
        QueuedWhat::Message { .. } => EvaluationOf::Messages {
            ids: items
                .iter()
                .filter_map(|item| match &item.what {
                    QueuedWhat::Message { id, .. } => Some(id.clone()),
                    _ => None,
                })
                .collect(),
        },
        _ => EvaluationOf::Events {
            positions: items.iter().map(|item| item.at).collect(),
        },
    }
}

fn asker(state: &State, question: &SensorQuestion) -> Asker {
    let name = &question.sensor;
    let def = state.catalog.sensor(name).map(|found| found.sensor.def());
    let seeds = if question.items.is_empty() {
        let cursor = question.cursor.as_deref().unwrap_or_default();
        let digest = Digest::of(cursor.as_bytes());
        vec![format!("{name}:{}:{digest}", question.state_version)]
    } else {
        let items = question.items.iter();
        items
            .map(|item| format!("{name}:{}", item.name()))
            .collect()
    };
    Asker {
        name: name.clone(),
        tick: None,
        location: question.location.clone(),
        jobs: def.map(|def| def.jobs.clone()).unwrap_or_default(),
        selection: def.map(|def| def.selection.clone()).unwrap_or_default(),
        config: Value::Null,
        tags: BTreeMap::new(),
        seeds,
    }
}
