//! From what user code wants to what is to be decided.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arco_core::asset_fact::AssetFact;
use arco_core::backfill::{BackfillSelector, BackfillSettings};
use arco_core::event::{ErrorInfo, Stored, TickId};
use arco_core::limits::TimeLimits;
use arco_core::partition::{DynamicKeys, DynamicSets};
use arco_core::selection::{Selection, SelectionError};
use arco_core::{AssetKey, BackfillId, Digest, PartitionKey, RunId, Timestamp};
use serde_json::{Value, json};

use super::{
    AssetEventAsked, BackfillAsked, DynamicChange, DynamicPartitionsAsked, Resolved, RunAsked,
    Wanted,
};
use crate::backfill::{self, Selector, TargetAsk};
use crate::command::{BackfillRequest, RunRequest};
use crate::jobs::{self, JobAsk, JobError, JobRun};
use crate::planner::{self, PartitionsAsked, PlanRequest};
use crate::state::State;
use crate::{Rejection, decide, schedule, selection_graph, sensor};

/// Changes of dynamic partitions that one evaluation may ask for: Dagster's advice is the same (N-16).
const KEYS_MAX: usize = 25_000;
/// Facts about assets that one evaluation may record: as many as runs, each of them an event of its own.
const ASSET_EVENTS_MAX: usize = schedule::RUNS_MAX;
/// Codes of what several calls together may be too much of.
pub(crate) const TOO_MANY_RUNS: &str = "too_many_runs";
pub(crate) const TOO_MANY_PARTITIONS: &str = "too_many_partitions";
pub(crate) const TOO_MANY_ASSET_EVENTS: &str = "too_many_asset_events";
const PARTITION_TAG: &str = "dagster/partition";

/// Who asks, and what it may run.
#[derive(Debug, Clone)]
pub struct Asker {
    /// The schedule or sensor.
    pub name: String,
    /// The tick; `None` for a sensor.
    pub tick: Option<TickId>,
    /// Its code location.
    pub location: String,
    /// Jobs it may run.
    pub jobs: Vec<String>,
    /// Assets it may run, in the selection language.
    pub selection: Vec<String>,
    /// Run configuration when neither request nor job has one.
    pub config: Value,
    /// Tags of all its runs.
    pub tags: BTreeMap<String, String>,
    /// What the ids of runs and backfills follow from; per queued thing when there is a queue.
    pub seeds: Vec<String>,
}

/// What cannot be, and which queued thing it answers.
#[derive(Debug, Clone, PartialEq)]
pub struct Refused {
    /// The queued thing, counted from 0.
    pub item: usize,
    /// Why.
    pub error: ErrorInfo,
}

/// Judges a run configuration beyond what this crate knows of it.
pub type CheckConfig<'a> = &'a dyn Fn(&Value) -> Result<(), ErrorInfo>;

/// Works out what is wanted of what is there at `now`.
///
/// # Errors
/// [`Refused`] for the first thing that cannot be; nothing of it is done then.
pub fn resolve(
    state: &State,
    asker: &Asker,
    wanted: &Wanted,
    now: Timestamp,
    check_config: CheckConfig<'_>,
) -> Result<Resolved, Refused> {
    let at = |item: usize| move |error: ErrorInfo| Refused { item, error };
    if wanted.skip_reason.is_some() && !(wanted.runs.is_empty() && wanted.backfills.is_empty()) {
        return Err(at(0)(invalid(
            "bad_result",
            "it gave a skip reason together with runs or backfills; give one of the two".into(),
        )));
    }
    let changes = dynamic(&wanted.dynamic_partitions)?;
    let changed = with_changes(state, &changes);
    let resolving = Resolving {
        state: changed.as_ref().unwrap_or(state),
        asker,
        now,
        check_config,
    };
    resolving.check_keys(&wanted.runs).map_err(at(0))?;
    let mut resolved = Resolved {
        dynamic_partitions: changes,
        skip_reason: wanted.skip_reason.clone(),
        ..Resolved::default()
    };
    let mut per_item: BTreeMap<usize, u64> = BTreeMap::new();
    let mut keys: BTreeSet<&str> = BTreeSet::new();
    for asked in &wanted.runs {
        let item = asked.answers.unwrap_or(0);
        // Two equal keys of one evaluation are one run (N-13); of a sensor the decision says which.
        if let Some(key) = &asked.run_key
            && !keys.insert(key)
            && asker.tick.is_some()
        {
            continue;
        }
        if resolved.runs.len() == schedule::RUNS_MAX {
            let many = wanted.runs.len();
            return Err(at(item)(invalid(
                TOO_MANY_RUNS,
                format!(
                    "it asked for {many} runs, and one evaluation may ask for {}; ask for a backfill, or for fewer at a time",
                    schedule::RUNS_MAX
                ),
            )));
        }
        let number = per_item.entry(item).or_default();
        let run = resolving.run(asked, item, *number).map_err(at(item))?;
        *number += 1;
        resolved.runs.push(run);
    }
    let mut per_item: BTreeMap<usize, u64> = BTreeMap::new();
    for asked in &wanted.backfills {
        let item = asked.answers.unwrap_or(0);
        let number = per_item.entry(item).or_default();
        let backfill = resolving.backfill(asked, item, *number).map_err(at(item))?;
        *number += 1;
        resolved.backfills.push(backfill);
    }
    for asked in &wanted.asset_events {
        let fact = resolving.asset_event(asked, resolved.asset_events.len());
        let fact = fact.map_err(at(asked.answers.unwrap_or(0)))?;
        resolved.asset_events.push(fact);
    }
    Ok(resolved)
}

struct Resolving<'a> {
    state: &'a State,
    asker: &'a Asker,
    now: Timestamp,
    check_config: CheckConfig<'a>,
}

impl Resolving<'_> {
    /// Several runs of one tick need keys by which they are told apart (S-39).
    fn check_keys(&self, runs: &[RunAsked]) -> Result<(), ErrorInfo> {
        let without = runs.iter().filter(|run| run.run_key.is_none()).count();
        if self.asker.tick.is_some() && runs.len() > 1 && without > 0 {
            return Err(invalid(
                "run_key_missing",
                format!(
                    "it asked for {} runs, and {without} of them have no `run_key`; give each a key of its own",
                    runs.len()
                ),
            ));
        }
        Ok(())
    }

    fn run(&self, asked: &RunAsked, item: usize, number: u64) -> Result<RunRequest, ErrorInfo> {
        let asker = self.asker;
        let target = narrowed(asker, self.target(asked)?, asked)?;
        let partitions = match &asked.partition {
            None => PartitionsAsked::None,
            Some(key) => PartitionsAsked::Keys(vec![key.clone()]),
        };
        let plan = PlanRequest {
            assets: target.assets.iter().cloned().collect(),
            checks: target
                .checks
                .as_ref()
                .map(|checks| checks.iter().cloned().collect()),
            partitions: partitions.clone(),
        };
        let planned = planner::plan(&self.state.catalog, &plan, self.now).map_err(rejected)?;
        let config = [&asked.config, &asker.config, &target.config]
            .into_iter()
            .find(|config| !config.is_null())
            .cloned()
            .unwrap_or(Value::Null);
        (self.check_config)(&config)?;
        let mut tags = target.tags.clone();
        tags.extend(asker.tags.clone());
        tags.extend(asked.tags.clone());
        tags.extend(self.tags(asked.run_key.as_deref()));
        if let Some(key) = &asked.partition {
            tags.insert(PARTITION_TAG.into(), key.clone());
        }
        Ok(RunRequest {
            run: RunId::from_parts(self.time_ms(), self.bits(item, number)),
            scope: self.scope(),
            run_key: self.run_key(asked.run_key.as_deref()),
            idempotency_key: None,
            selection: (!asker.selection.is_empty()).then(|| asker.selection.join(", ")),
            assets: target.assets,
            asset_checks: target.checks,
            partitions: partitions.display(),
            config,
            tags,
            priority: 0,
            time_limits: TimeLimits::default(),
            job: target.job,
            backfill: None,
            rerun: None,
            tick: asker.tick.clone(),
            evaluation: None,
            frees_key: false,
            plan: Arc::new(planned.plan),
            plan_blob: None,
            definitions: planned.definitions,
        })
    }

    /// The job or the assets that a request is about.
    fn target(&self, asked: &RunAsked) -> Result<JobRun, ErrorInfo> {
        let asker = self.asker;
        let job = match (&asked.job, asker.jobs.as_slice()) {
            (Some(name), jobs) if jobs.contains(name) => Some(name),
            (Some(name), jobs) => {
                return Err(invalid(
                    "unknown_job",
                    format!(
                        "it asked for a run of job `{name}`, and may run {}; name that job in its `jobs`",
                        in_words(jobs)
                    ),
                ));
            }
            (None, [one]) => Some(one),
            (None, []) => None,
            (None, several) => {
                return Err(invalid(
                    "ambiguous_job",
                    format!(
                        "it may run {}, and the request names none of them; give it a `job_name`",
                        in_words(several)
                    ),
                ));
            }
        };
        if let Some(name) = job {
            let ask = JobAsk {
                name: name.clone(),
                location: Some(asker.location.clone()),
            };
            return jobs::resolve(self.state, &ask, &[]).map_err(|error| match error {
                JobError::Rejected(rejection) => rejected(rejection),
                JobError::Selection(error) => selected(&error),
            });
        }
        if asker.selection.is_empty() {
            return Err(invalid(
                "no_target",
                "it asked for a run, and is given nothing to run; give it a job or a target".into(),
            ));
        }
        Ok(JobRun {
            job: None,
            assets: self.select(&asker.selection)?,
            checks: None,
            tags: BTreeMap::new(),
            config: Value::Null,
        })
    }

    fn select(&self, selection: &[String]) -> Result<Vec<AssetKey>, ErrorInfo> {
        let parsed = Selection::parse_all(selection).map_err(|error| selected(&error))?;
        let state = self.state;
        let assets = selection_graph::select(&state.catalog, &state.assets, &parsed)
            .map_err(|error| selected(&error))?;
        if assets.is_empty() {
            return Err(rejected(Rejection::EmptySelection(selection.join(", "))));
        }
        Ok(assets)
    }

    fn backfill(
        &self,
        asked: &BackfillAsked,
        item: usize,
        number: u64,
    ) -> Result<BackfillRequest, ErrorInfo> {
        let assets: BTreeSet<AssetKey> = self.select(&asked.selection)?.into_iter().collect();
        let partitioned = |key: &AssetKey| {
            let found = self.state.catalog.asset(key);
            found.is_some_and(|found| found.asset.partitions.is_some())
        };
        if let Some(key) = asked.partitions.first()
            && !assets.iter().any(partitioned)
        {
            return Err(rejected(Rejection::PartitionUnused(key.clone())));
        }
        let ask = TargetAsk {
            assets,
            selector: match asked.partitions.is_empty() {
                true => Selector::all(),
                false => Selector::keys(asked.partitions.clone()),
            },
            policy: None,
            refuse_left_out: false,
        };
        let resolved = backfill::resolve(self.state, &ask, self.now).map_err(rejected)?;
        let mut tags = self.asker.tags.clone();
        tags.extend(asked.tags.clone());
        tags.extend(self.tags(asked.run_key.as_deref()));
        let key = self.run_key(asked.run_key.as_deref());
        let fingerprint = Digest::of_json(&json!({"selection": asked.selection,
            "partitions": asked.partitions, "tags": asked.tags}));
        Ok(BackfillRequest {
            backfill: BackfillId::from_parts(self.time_ms(), self.bits(item, number)),
            idempotency_key: asked
                .run_key
                .as_ref()
                .and(key)
                .map(|key| format!("{}:{key}", self.scope())),
            selection: Some(asked.selection.join(", ")),
            assets: resolved.assets,
            selector: selector(&asked.partitions),
            title: None,
            description: None,
            tags,
            config: Value::Null,
            settings: BackfillSettings::default(),
            policy: None,
            parent: None,
            frees_key: false,
            target: Arc::new(resolved.target),
            target_blob: None,
            definitions: resolved.definitions,
            fingerprint,
        })
    }

    /// A fact about an asset is of what is defined, and of a partition that is there (N-17).
    fn asset_event(&self, asked: &AssetEventAsked, before: usize) -> Result<AssetFact, ErrorInfo> {
        if self.asker.tick.is_some() {
            return Err(invalid(
                "bad_result",
                "it gave asset events, which only sensors do; report them with `ArcoClient`".into(),
            ));
        }
        if before == ASSET_EVENTS_MAX {
            return Err(invalid(
                TOO_MANY_ASSET_EVENTS,
                format!(
                    "it gave more than {ASSET_EVENTS_MAX} asset events, which is all that one evaluation records; give fewer at a time"
                ),
            ));
        }
        decide::report::check(&self.state.catalog, self.now, &asked.fact).map_err(rejected)?;
        Ok(asked.fact.clone())
    }

    fn scope(&self) -> String {
        match &self.asker.tick {
            Some(tick) => schedule::scope(&tick.schedule),
            None => sensor::scope(&self.asker.name),
        }
    }

    /// A key of a schedule counts within its tick, one of a sensor for ever (S-39, N-12).
    fn run_key(&self, key: Option<&str>) -> Option<String> {
        match &self.asker.tick {
            Some(tick) => Some(schedule::run_key(tick, key)),
            None => key.map(ToOwned::to_owned),
        }
    }

    fn tags(&self, run_key: Option<&str>) -> BTreeMap<String, String> {
        match &self.asker.tick {
            Some(tick) => schedule::tick_tags(tick, run_key),
            None => sensor::tags(&self.asker.name, run_key),
        }
    }

    /// Ids follow from what asked, so that what is worked out twice is the same.
    fn bits(&self, item: usize, number: u64) -> u128 {
        let seed = self.asker.seeds.get(item).map_or("", String::as_str);
        Digest::of(seed.as_bytes()).first_bits() >> 64 << 16 | u128::from(number)
    }

    fn time_ms(&self) -> u64 {
        u64::try_from(self.now.0).unwrap_or(0)
    }
}

/// What a request leaves of what may be run.
fn narrowed(asker: &Asker, mut target: JobRun, asked: &RunAsked) -> Result<JobRun, ErrorInfo> {
    if let Some(chosen) = &asked.assets {
        if let Some(other) = chosen.iter().find(|key| !target.assets.contains(key)) {
            return Err(invalid(
                "not_of_target",
                format!(
                    "it asked for asset `{other}`, which is not among what `{}` may run; add it to its target",
                    asker.name
                ),
            ));
        }
        target.assets.retain(|key| chosen.contains(key));
        let kept = |(asset, _): &(AssetKey, String)| chosen.contains(asset);
        target.checks = target
            .checks
            .map(|checks| checks.into_iter().filter(kept).collect());
    }
    if let Some(checks) = &asked.checks {
        target.checks = Some(checks.clone());
    }
    if target.assets.is_empty() && target.checks.as_ref().is_none_or(Vec::is_empty) {
        return Err(invalid(
            "empty_selection",
            "it asked for a run of no asset and no check; leave `asset_selection` out to run all"
                .into(),
        ));
    }
    Ok(target)
}

fn dynamic(asked: &[DynamicPartitionsAsked]) -> Result<Vec<DynamicChange>, Refused> {
    let count = |asked: &DynamicPartitionsAsked| asked.add.len() + asked.remove.len();
    let keys: usize = asked.iter().map(count).sum();
    let mut before = 0;
    let mut read = |asked: &DynamicPartitionsAsked| {
        before += count(asked);
        if before > KEYS_MAX {
            return Err(invalid(
                TOO_MANY_PARTITIONS,
                format!(
                    "it asked to change {keys} dynamic partitions, and one evaluation may change {KEYS_MAX}; change fewer at a time"
                ),
            ));
        }
        let keys = |texts: &[String]| {
            let read = texts.iter().map(|key| dynamic_key(&asked.name, key));
            read.collect::<Result<Vec<PartitionKey>, ErrorInfo>>()
        };
        Ok(DynamicChange {
            name: asked.name.clone(),
            add: keys(&asked.add)?,
            remove: keys(&asked.remove)?,
        })
    };
    let changes = asked.iter().map(|asked| {
        let item = asked.answers.unwrap_or(0);
        read(asked).map_err(|error| Refused { item, error })
    });
    changes.collect()
}

fn dynamic_key(set: &str, text: &str) -> Result<PartitionKey, ErrorInfo> {
    DynamicKeys::read(text).map_err(|error| {
        invalid(
            "bad_partition",
            format!("dynamic partitions `{set}`: {error}"),
        )
    })
}

/// The state as it will be when the changes are made; `None` when there are none.
fn with_changes(state: &State, changes: &[DynamicChange]) -> Option<State> {
    if changes.is_empty() {
        return None;
    }
    let mut sets: DynamicSets = (*state.partition_sets).clone();
    for change in changes {
        let set = sets.entry(change.name.clone()).or_default();
        for key in &change.add {
            set.add(key.clone());
        }
        set.remove(&change.remove);
    }
    let mut changed = state.clone();
    changed.catalog = Arc::new(state.catalog.resolved(&sets));
    changed.partition_sets = Arc::new(sets);
    Some(changed)
}

fn selector(partitions: &[String]) -> BackfillSelector {
    match partitions {
        [] => BackfillSelector::All,
        [one] if let Some((from, to)) = one.split_once("...") => BackfillSelector::Range {
            from: from.to_owned(),
            to: to.to_owned(),
        },
        keys => BackfillSelector::Explicit(Stored::Inline(keys.to_vec())),
    }
}

fn in_words(jobs: &[String]) -> String {
    match jobs {
        [] => "no job".into(),
        jobs => format!("`{}`", jobs.join("`, `")),
    }
}

fn rejected(rejection: Rejection) -> ErrorInfo {
    invalid(rejection.code(), rejection.to_string())
}

fn selected(error: &SelectionError) -> ErrorInfo {
    invalid("bad_selection", error.to_string())
}

fn invalid(kind: &str, message: String) -> ErrorInfo {
    ErrorInfo {
        kind: kind.into(),
        message,
        traceback: String::new(),
    }
}
