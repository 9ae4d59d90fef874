//! Runs: asked for, and asked to stop.

use std::collections::BTreeMap;
use std::sync::Arc;

use arco_core::RunId;
use arco_core::event::{RunCancelRequested, RunRequested, Stored};
use arco_core::limits::TimeLimits;
use arco_core::run_retries::RunRetries;
use arco_core::run_tag;

use super::{Deciding, finish, limits};
use crate::command::{Answer, Identity, RunRequest};
use crate::state::{Run, State};
use crate::{Rejection, rerun};

/// Prefixes of run keys that Arco makes itself.
const RESERVED: [&str; 2] = ["backfill:", "rerun:"];

pub(super) fn request(d: &mut Deciding<'_>, r: &RunRequest) -> Result<Answer, Rejection> {
    check_words(r)?;
    let identity = r.identity();
    let fingerprint = identity.fingerprint();
    let run_key = match (&r.run_key, &r.rerun) {
        (None, Some(rerun)) => Some(rerun::own_key(&d.state, &r.scope, rerun)),
        (given, _) => given.clone(),
    };
    let keys = Keys {
        scope: &r.scope,
        run_key: run_key.as_deref(),
        idempotency_key: r.idempotency_key.as_deref(),
    };
    if !r.frees_key
        && let Some(known) = keys.known(&d.state, &identity)?
    {
        return Ok(Answer::Run {
            run: known,
            created: false,
        });
    }
    if let Some(rerun) = r.rerun.as_ref().filter(|rerun| rerun.retry.is_some())
        && !d.state.retries_owed.contains_key(&rerun.parent)
    {
        return Err(Rejection::NoRetryOwed(rerun.parent));
    }
    let moved = r.definitions.iter().any(|(location, version)| {
        d.state.locations.get(location).and_then(|l| l.version) != Some(*version)
    });
    if moved {
        return Err(Rejection::Replan);
    }
    let time_limits = r.time_limits.with_tags(&r.tags)?;
    let mut tags = r.tags.clone();
    tags.extend(r.rerun.iter().flat_map(rerun::tags));
    let requested = RunRequested {
        run: r.run,
        scope: r.scope.clone(),
        run_key,
        fingerprint,
        selection: r.selection.clone(),
        assets: r.assets.clone(),
        asset_checks: r.asset_checks.clone(),
        partitions: r.partitions.clone(),
        config: r.config.clone(),
        tags,
        definitions: r.definitions.clone(),
        priority: limits::priority_of(r),
        time_limits,
        idempotency: r.idempotency_key.clone().map(|key| (key, fingerprint)),
        job: r.job.clone(),
        backfill: r.backfill,
        rerun: r.rerun.clone(),
        tick: r.tick.clone(),
        evaluation: r.evaluation.clone(),
        plan: match r.plan_blob {
            Some(digest) => Stored::Blob(digest),
            None => Stored::Inline((*r.plan).clone()),
        },
    };
    if r.tick.is_some() || r.evaluation.is_some() {
        d.emit_as_leader(requested);
    } else {
        d.emit(requested);
    }
    // A selection whose partitions do not exist yet has nothing to do, and says so at once.
    finish::finish_run(d, r.run);
    Ok(Answer::Run {
        run: r.run,
        created: true,
    })
}

fn check_words(r: &RunRequest) -> Result<(), Rejection> {
    let reserved = |word: &str| RESERVED.iter().any(|prefix| word.starts_with(prefix));
    match &r.run_key {
        Some(key) if r.scope == "workspace" && reserved(key) => {
            return Err(Rejection::Reserved {
                what: "run key",
                word: key.clone(),
            });
        }
        _ => {}
    }
    if r.backfill.is_none() {
        check_chunk_tags(&r.tags)?;
    }
    // A rerun carries the tags of its parent, which may be of an older log.
    match r.rerun {
        None => check_tags(&r.tags),
        Some(_) => check_meant_tags(&r.tags),
    }
}

/// What may be said in the tags of runs, before the first of them is made.
pub(super) fn check_tags(tags: &BTreeMap<String, String>) -> Result<(), Rejection> {
    run_tag::check_keys(tags)?;
    check_meant_tags(tags)
}

/// Tags by which the runs of a backfill are found are on no other run.
pub(super) fn check_chunk_tags(tags: &BTreeMap<String, String>) -> Result<(), Rejection> {
    match tags.keys().find(|tag| rerun::is_chunk_tag(tag)) {
        Some(tag) => Err(Rejection::ChunkTag(tag.clone())),
        None => Ok(()),
    }
}

/// Tags that mean something say it right, and those that are given to runs are not given by hand.
fn check_meant_tags(tags: &BTreeMap<String, String>) -> Result<(), Rejection> {
    if let Some(tag) = tags.keys().find(|tag| rerun::is_lineage_tag(tag)) {
        return Err(Rejection::ReservedTag(tag.clone()));
    }
    RunRetries::of(tags, RunRetries::default())?;
    TimeLimits::default().with_tags(tags)?;
    Ok(())
}

/// The keys a request comes under.
#[derive(Debug, Clone, Copy)]
pub struct Keys<'a> {
    /// Scope of the run key.
    pub scope: &'a str,
    /// At most one run per scope and key.
    pub run_key: Option<&'a str>,
    /// The client's idempotency key.
    pub idempotency_key: Option<&'a str>,
}

impl Keys<'_> {
    /// The run that already stands for this request, by its idempotency key or its run key.
    ///
    /// # Errors
    /// [`Rejection`] when a key stands for another request.
    pub fn known(self, state: &State, identity: &Identity) -> Result<Option<RunId>, Rejection> {
        let asked = identity.fingerprint();
        let differs = |run: RunId| {
            let known = state.run(run).map(|run| Identity::of(run));
            known.map_or_else(Vec::new, |known| identity.differs_from(&known))
        };
        if let Some(key) = self.idempotency_key
            && let Some((known, run, _)) = state.idempotency.get(key)
        {
            if *known == asked {
                return Ok(Some(*run));
            }
            return Err(Rejection::IdempotencyConflict {
                key: key.to_owned(),
                run: *run,
                known: *known,
                asked,
                differs: differs(*run),
            });
        }
        let Some(key) = self.run_key else {
            return Ok(None);
        };
        match state.run_keys.get(&State::run_key_index(self.scope, key)) {
            None => Ok(None),
            Some(known) if known.fingerprint == asked => Ok(Some(known.run)),
            Some(known) => Err(Rejection::RunKeyConflict {
                scope: self.scope.to_owned(),
                key: key.to_owned(),
                run: known.run,
                known: known.fingerprint,
                asked,
                differs: differs(known.run),
            }),
        }
    }
}

/// Stopping a run that is over, or being stopped, changes nothing and is no error.
pub(super) fn cancel(d: &mut Deciding<'_>, id: RunId) -> Result<Answer, Rejection> {
    d.state.run(id).ok_or(Rejection::UnknownRun(id))?;
    stop(d, id);
    Ok(Answer::Run {
        run: id,
        created: false,
    })
}

/// Stops each of these runs that is neither over nor being stopped, in one decision.
pub(super) fn cancel_all(d: &mut Deciding<'_>, runs: &[RunId]) -> Answer {
    let stopped = runs.iter().copied().filter(|run| stop(d, *run));
    Answer::Stopping(stopped.collect())
}

/// Says whether it was asked to stop just now.
pub(super) fn stop(d: &mut Deciding<'_>, id: RunId) -> bool {
    let goes_on = |run: &Arc<Run>| !run.status.is_terminal() && !run.is_canceling();
    let stops = d.state.run(id).is_some_and(goes_on);
    if stops {
        d.emit(RunCancelRequested { run: id });
        finish::finish_run(d, id);
    }
    stops
}

#[cfg(test)]
mod tests;
