//! What a declared schedule runs at an instant: selection, partitions, configuration and tags come
//! from the declaration, so no code of users is asked.

use std::collections::BTreeMap;
use std::sync::Arc;

use arco_core::definitions::{Catalog, PartitionRule, Schedule, ScheduleRef};
use arco_core::event::{ErrorInfo, TickId};
use arco_core::limits::TimeLimits;
use arco_core::partition::PartitionsDef;
use arco_core::selection::{Selection, SelectionError};
use arco_core::{AssetKey, Digest, RunId, Timestamp};
use serde_json::Value;

use super::Evaluated;
use crate::command::RunRequest;
use crate::jobs::{self, JobAsk, JobError, JobRun};
use crate::planner::{self, PartitionsAsked, PlanRequest};
use crate::state::State;
use crate::{Rejection, selection_graph};

/// Runs one tick may ask for: they are one decision, and a decision is one segment.
pub const RUNS_MAX: usize = 1_000;

/// Tags of the runs of a tick, as scripts written for Dagster know them (S-27, S-42).
const SCHEDULE_TAG: &str = "dagster/schedule_name";
const INSTANT_TAG: &str = ".dagster/scheduled_execution_time";
const RUN_KEY_TAG: &str = "dagster/run_key";
const PARTITION_TAG: &str = "dagster/partition";

/// Scope of the run keys of a schedule.
#[must_use]
pub fn scope(schedule: &str) -> String {
    format!("schedule:{schedule}")
}

/// The tags that say which tick asked for a run.
#[must_use]
pub fn tick_tags(tick: &TickId, run_key: Option<&str>) -> BTreeMap<String, String> {
    // Dagster writes `+00:00`, and scripts compare texts (S-16).
    let instant = tick.instant.to_rfc3339_seconds().replace('Z', "+00:00");
    let mut tags = BTreeMap::from([
        (SCHEDULE_TAG.to_owned(), tick.schedule.clone()),
        (INSTANT_TAG.to_owned(), instant),
    ]);
    if let Some(key) = run_key {
        tags.insert(RUN_KEY_TAG.into(), key.to_owned());
    }
    tags
}

/// What a schedule runs at `instant`. `now` says which partitions exist when the runs are planned; the
/// partition of the tick is that of the instant (S-44).
#[must_use]
pub fn evaluate(
    state: &State,
    found: ScheduleRef<'_>,
    instant: Timestamp,
    now: Timestamp,
) -> Evaluated {
    let schedule = found.schedule;
    let catalog = &state.catalog;
    let wanted = target(state, found)
        .and_then(|target| Ok((partitions(catalog, schedule, &target, instant)?, target)));
    let (keys, target) = match wanted {
        Ok((Wanted::Runs(keys), target)) => (keys, target),
        Ok((Wanted::Nothing(reason), _)) => return Evaluated::Skipped(reason),
        Err(Refused::Rejected(rejection)) => return rejected(&rejection),
        Err(Refused::Because(reason)) => return failed("bad_schedule", reason),
    };
    let many = keys.len();
    if many > RUNS_MAX {
        return failed(
            "too_many_runs",
            format!(
                "the tick would ask for {many} runs, and one tick may ask for {RUNS_MAX}; schedule fewer partitions at a time"
            ),
        );
    }
    let requests = (0_u64..).zip(keys).map(|(number, key)| {
        let tick = TickId {
            schedule: schedule.def().name.clone(),
            instant,
        };
        let of_tick = OfTick { tick, key, number };
        request(catalog, schedule, &target, of_tick, now)
    });
    match requests.collect() {
        Ok(runs) => Evaluated::Runs(runs),
        Err(rejection) => rejected(&rejection),
    }
}

enum Refused {
    Rejected(Rejection),
    Because(String),
}

impl From<Rejection> for Refused {
    fn from(rejection: Rejection) -> Self {
        Self::Rejected(rejection)
    }
}

/// The assets of the schedule's job or selection, with what a run of them carries.
fn target(state: &State, found: ScheduleRef<'_>) -> Result<JobRun, Refused> {
    let def = found.schedule.def();
    if let Some(name) = &def.job {
        let ask = JobAsk {
            name: name.clone(),
            location: Some(found.definitions.location().to_owned()),
        };
        return jobs::resolve(state, &ask, &[]).map_err(|error| match error {
            JobError::Rejected(rejection) => rejection.into(),
            JobError::Selection(error) => Refused::Because(error.to_string()),
        });
    }
    let because = |error: SelectionError| Refused::Because(error.to_string());
    let selections = Selection::parse_all(&def.selection).map_err(because)?;
    let assets = selection_graph::select(&state.catalog, &state.assets, &selections);
    let assets = assets.map_err(because)?;
    if assets.is_empty() {
        return Err(Rejection::EmptySelection(def.selection.join(", ")).into());
    }
    Ok(JobRun {
        job: None,
        assets,
        checks: None,
        tags: BTreeMap::new(),
        config: Value::Null,
    })
}

/// The runs that a tick is to ask for.
enum Wanted {
    /// One for each, of this partition; `None` is a run without partitions.
    Runs(Vec<Option<String>>),
    /// None, for this reason.
    Nothing(String),
}

fn partitions(
    catalog: &Catalog,
    schedule: &Schedule,
    target: &JobRun,
    instant: Timestamp,
) -> Result<Wanted, Refused> {
    let Some(PartitionRule::Last) = schedule.def().partitions else {
        return Ok(Wanted::Runs(vec![None]));
    };
    let (asset, def) = shared_partitions(catalog, &target.assets)?;
    if let PartitionsDef::Dynamic(set) = def {
        return Err(Refused::Because(format!(
            "the partitions of `{asset}` are the dynamic set `{}`, which has no last one; select assets whose partitions are windows of time or fixed keys",
            set.name()
        )));
    }
    let latest = def.latest(instant);
    if !latest.is_empty() {
        let keys = def.keys_of(latest);
        let texts = keys.map(|key| Some(key.display().into_owned()));
        return Ok(Wanted::Runs(texts.collect()));
    }
    let at = instant.to_rfc3339_seconds();
    Ok(Wanted::Nothing(match def.count(instant) {
        0 => format!("no partition exists at {at}"),
        _ => format!("the last window at {at} is left out of the partitions"),
    }))
}

/// The partitions that all partitioned assets of the target share, and the first asset that has them.
fn shared_partitions<'a>(
    catalog: &'a Catalog,
    assets: &'a [AssetKey],
) -> Result<(&'a AssetKey, &'a PartitionsDef), Refused> {
    let mut found: Option<(&AssetKey, &PartitionsDef)> = None;
    for key in assets {
        let def = catalog
            .asset(key)
            .and_then(|asset| asset.asset.partitions.as_ref());
        match (found, def) {
            (_, None) => {}
            (None, Some(def)) => found = Some((key, def)),
            (Some((first, known)), Some(def)) if known != def => {
                return Err(Refused::Because(format!(
                    "`{first}` and `{key}` have different partitions, and a tick runs one partition of all; select assets of one partitions definition"
                )));
            }
            _ => {}
        }
    }
    found.ok_or_else(|| {
        Refused::Because(
            "it runs the last partition, and none of its assets is partitioned; leave the partitions out, or select partitioned assets".into(),
        )
    })
}

/// Which of its tick's runs a run is.
struct OfTick {
    tick: TickId,
    key: Option<String>,
    number: u64,
}

fn request(
    catalog: &Catalog,
    schedule: &Schedule,
    target: &JobRun,
    of_tick: OfTick,
    now: Timestamp,
) -> Result<RunRequest, Rejection> {
    let def = schedule.def();
    let OfTick { tick, key, number } = of_tick;
    let partitions = match &key {
        None => PartitionsAsked::None,
        Some(key) => PartitionsAsked::Keys(vec![key.clone()]),
    };
    let asked = PlanRequest {
        assets: target.assets.iter().cloned().collect(),
        checks: target
            .checks
            .as_ref()
            .map(|checks| checks.iter().cloned().collect()),
        partitions: partitions.clone(),
    };
    let planned = planner::plan(catalog, &asked, now)?;
    let mut tags = target.tags.clone();
    tags.extend(def.tags.clone());
    tags.extend(tick_tags(&tick, key.as_deref()));
    if let Some(key) = &key {
        tags.insert(PARTITION_TAG.into(), key.clone());
    }
    let config = match &def.config {
        Value::Null => &target.config,
        own => own,
    };
    Ok(RunRequest {
        run: run_id(&tick, number, now),
        scope: scope(&def.name),
        run_key: Some(run_key(&tick, key.as_deref())),
        idempotency_key: None,
        selection: (!def.selection.is_empty()).then(|| def.selection.join(", ")),
        assets: target.assets.clone(),
        asset_checks: target.checks.clone(),
        partitions: partitions.display(),
        config: config.clone(),
        tags,
        priority: 0,
        time_limits: TimeLimits::default(),
        job: target.job.clone(),
        backfill: None,
        rerun: None,
        tick: Some(tick),
        evaluation: None,
        frees_key: false,
        plan: Arc::new(planned.plan),
        plan_blob: None,
        definitions: planned.definitions,
    })
}

/// A key counts within its tick, as in Dagster (S-39): the instant is part of it.
pub(crate) fn run_key(tick: &TickId, key: Option<&str>) -> String {
    let instant = tick.instant.to_rfc3339_seconds();
    match key {
        None => instant,
        Some(key) => format!("{instant}/{key}"),
    }
}

/// The id follows from the tick, so that the same tick proposed twice is the same run, and the runs of
/// one tick sort as its partitions do.
fn run_id(tick: &TickId, number: u64, now: Timestamp) -> RunId {
    let time_ms = u64::try_from(now.0).unwrap_or(0);
    let of_tick = Digest::of_json(tick).first_bits() >> 64;
    RunId::from_parts(time_ms, of_tick << 16 | u128::from(number))
}

fn rejected(rejection: &Rejection) -> Evaluated {
    failed(rejection.code(), rejection.to_string())
}

fn failed(kind: &str, message: String) -> Evaluated {
    Evaluated::Failed(ErrorInfo {
        kind: kind.into(),
        message,
        traceback: String::new(),
    })
}
