//! Runs: asked for, and asked to stop.

use arco_core::RunId;
use arco_core::event::{RunCancelRequested, RunRequested, Stored};

use super::{Deciding, finish};
use crate::Rejection;
use crate::command::{Answer, RunRequest};
use crate::state::State;

/// Prefixes of scopes and run keys that Arco makes itself.
const RESERVED: [&str; 2] = ["backfill:", "rerun:"];

pub(super) fn request(d: &mut Deciding<'_>, r: &RunRequest) -> Result<Answer, Rejection> {
    check_reserved(r)?;
    let fingerprint = r.fingerprint();
    if let Some(known) = known_run(&d.state, r, fingerprint)? {
        return Ok(Answer::Run {
            run: known,
            created: false,
        });
    }
    let moved = r.definitions.iter().any(|(location, version)| {
        d.state.locations.get(location).and_then(|l| l.version) != Some(*version)
    });
    if moved {
        return Err(Rejection::Replan);
    }
    d.emit(RunRequested {
        run: r.run,
        scope: r.scope.clone(),
        run_key: r.run_key.clone(),
        fingerprint,
        selection: r.selection.clone(),
        assets: r.assets.clone(),
        partitions: r.partitions.clone(),
        config: r.config.clone(),
        tags: r.tags.clone(),
        definitions: r.definitions.clone(),
        priority: r.priority,
        idempotency: r.idempotency_key.clone().map(|key| (key, fingerprint)),
        plan: match r.plan_blob {
            Some(digest) => Stored::Blob(digest),
            None => Stored::Inline((*r.plan).clone()),
        },
    });
    // A selection whose partitions do not exist yet has nothing to do, and says so at once.
    finish::finish_run(d, r.run);
    Ok(Answer::Run {
        run: r.run,
        created: true,
    })
}

fn check_reserved(r: &RunRequest) -> Result<(), Rejection> {
    let reserved = |word: &str| RESERVED.iter().any(|prefix| word.starts_with(prefix));
    match &r.run_key {
        Some(key) if r.scope == "workspace" && reserved(key) => Err(Rejection::Reserved {
            what: "run key",
            word: key.clone(),
        }),
        _ => Ok(()),
    }
}

/// The run that already stands for this request, by its idempotency key or its run key.
fn known_run(
    state: &State,
    r: &RunRequest,
    asked: arco_core::Digest,
) -> Result<Option<RunId>, Rejection> {
    if let Some(key) = &r.idempotency_key
        && let Some((known, run, _)) = state.idempotency.get(key)
    {
        if *known == asked {
            return Ok(Some(*run));
        }
        return Err(Rejection::IdempotencyConflict {
            key: key.clone(),
            known: *known,
            asked,
        });
    }
    let Some(key) = &r.run_key else {
        return Ok(None);
    };
    match state.run_keys.get(&State::run_key_index(&r.scope, key)) {
        None => Ok(None),
        Some(known) if known.fingerprint == asked => Ok(Some(known.run)),
        Some(known) => Err(Rejection::RunKeyConflict {
            scope: r.scope.clone(),
            key: key.clone(),
            run: known.run,
            known: known.fingerprint,
            asked,
        }),
    }
}

/// Stopping a run that is over, or being stopped, changes nothing and is no error.
pub(super) fn cancel(d: &mut Deciding<'_>, id: RunId) -> Result<Answer, Rejection> {
    let run = d.state.run(id).ok_or(Rejection::UnknownRun(id))?;
    if !run.status.is_terminal() && !run.is_canceling() {
        d.emit(RunCancelRequested { run: id });
        finish::finish_run(d, id);
    }
    Ok(Answer::Run {
        run: id,
        created: false,
    })
}
