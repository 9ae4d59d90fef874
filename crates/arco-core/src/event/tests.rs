use std::collections::BTreeMap;

use serde_json::json;

use super::*;
use crate::backfill::{
    BackfillOrder, BackfillSelector, BackfillSettings, BackfillStatus, BackfillTarget, ChunkOf,
    LeftOut, PartitionFilter, PartitionWanted, TargetNeed, TargetUnit,
};
use crate::definitions::BackfillPolicy;
use crate::limits::{Granularity, Limits, PoolLimit, TagLimit, TimeLimits};
use crate::partition::{
    CustomMapping, DynamicKeys, MappingAnswers, Ordinals, PartitionMapping, PartitionsDef,
};
use crate::plan::{OutputValues, Plan, PlannedTask};
use crate::run_retries::{RetryStrategy, RunRetries};
use crate::{AssetKey, AttemptId, BackfillId, Digest, HostId, PartitionKey, RunId, Timestamp};

mod sensors;

fn attempt() -> AttemptId {
    AttemptId {
        run: RunId::from_parts(1_700_000_000_000, 1),
        task: 3,
        number: 2,
    }
}

fn tick() -> TickId {
    TickId {
        schedule: "nightly".into(),
        instant: Timestamp(1_700_000_000_000),
    }
}

fn error() -> ErrorInfo {
    ErrorInfo {
        kind: "ValueError".into(),
        message: "no".into(),
        traceback: "line 1".into(),
    }
}

fn backfill() -> BackfillId {
    BackfillId::from_parts(1_700_000_000_000, 5)
}

fn backfill_created() -> BackfillCreated {
    let (raw, daily) = ("raw/flights", "daily");
    let unit = |key: &str, needs: Vec<TargetNeed>| TargetUnit {
        assets: vec![AssetKey::parse(key).unwrap()],
        partitions: Some(PartitionsDef::dynamic("airlines").unwrap()),
        members: [0, 1, 3].into_iter().collect(),
        chunk_size: 2,
        ready: if needs.is_empty() {
            Ordinals::from(0..3)
        } else {
            Ordinals::default()
        },
        needs,
    };
    let needs = vec![TargetNeed {
        unit: 0,
        mapping: Some(PartitionMapping::Identity),
        answers: MappingAnswers::default(),
        assets: Vec::new(),
    }];
    let mut keys = DynamicKeys::default();
    for key in ["AA", "BB", "CC", "DD"] {
        keys.add(PartitionKey::text(key));
    }
    BackfillCreated {
        backfill: backfill(),
        selection: Some("raw/flights+".into()),
        assets: [raw, daily]
            .map(|key| AssetKey::parse(key).unwrap())
            .to_vec(),
        selector: BackfillSelector::Filter(PartitionFilter {
            keys: vec!["AA...DD".into()],
            dimensions: BTreeMap::from([("region".into(), vec!["eu".into()])]),
            statuses: [PartitionWanted::Missing, PartitionWanted::Failed].into(),
        }),
        target: Stored::Inline(BackfillTarget {
            now: Timestamp(1_700_000_000_000),
            sets: BTreeMap::from([("airlines".into(), keys)]),
            units: vec![unit(raw, Vec::new()), unit(daily, needs)],
            left_out: vec![LeftOut {
                asset: AssetKey::parse(daily).unwrap(),
                partitions: 1,
                first: Some(PartitionKey::text("CC")),
                parent: AssetKey::parse(raw).unwrap(),
                lacks: Some(PartitionKey::text("CC")),
            }],
        }),
        title: Some("the year".into()),
        description: Some("all of it again".into()),
        tags: BTreeMap::from([("team".into(), "core".into())]),
        config: json!({"ops": {}}),
        settings: BackfillSettings::default(),
        policy: Some(BackfillPolicy {
            max_partitions_per_run: std::num::NonZeroU32::new(2),
        }),
        parent: Some(BackfillId::from_parts(1_700_000_000_000, 4)),
        idempotency: Some(("key".into(), Digest::of(b"f"))),
    }
}

fn answers() -> MappingAnswers {
    let mut answers = MappingAnswers::default();
    let texts = |texts: &[&str]| {
        texts
            .iter()
            .map(|text| PartitionKey::text(text))
            .collect::<Vec<_>>()
    };
    answers.set(PartitionKey::text("bob"), texts(&["z", "x"]));
    answers.set(PartitionKey::text("ann"), texts(&[]));
    answers
}

/// What code of mappings answered, big and in a backfill.
#[test]
fn answers_of_mappings_read_and_write_their_golden_files() {
    let mapped = PartitionsMapped {
        location: "loc".into(),
        version: Digest::of(b"d"),
        child: AssetKey::parse("daily").unwrap(),
        parent: AssetKey::parse("raw/flights").unwrap(),
        keys: 1000,
        answers: Stored::Blob(Digest::of(b"answers")),
    };
    let fact = Fact::from(mapped.clone());
    assert_eq!(fact.blobs(), [Digest::of(b"answers")]);
    check_learned(mapped, "big");
    let mut created = backfill_created();
    let Stored::Inline(target) = &mut created.target else {
        unreachable!("it stands in the event");
    };
    let custom = CustomMapping::new("Airline", Some(Digest::of(b"code")));
    target.units[1].needs[0].mapping = Some(PartitionMapping::Custom(custom));
    target.units[1].needs[0].answers = answers();
    check_learned(created, "mapped");
}

/// A unit of several assets, of which one is read.
#[test]
fn what_is_read_of_a_unit_reads_and_writes_its_golden_file() {
    let mut created = backfill_created();
    let Stored::Inline(target) = &mut created.target else {
        panic!("it stands in the event");
    };
    let airports = AssetKey::parse("raw/airports").unwrap();
    target.units[0].assets.push(airports);
    target.units[1].needs[0].assets = vec![0];
    check_learned(created, "assets");
}

#[test]
fn the_selectors_of_backfills_read_and_write_their_golden_files() {
    let undone = BackfillSelector::Undone(backfill());
    let selectors = [
        ("all", BackfillSelector::All),
        (
            "range",
            BackfillSelector::Range {
                from: "2013-01-01".into(),
                to: "2013-12-31".into(),
            },
        ),
        (
            "explicit",
            BackfillSelector::Explicit(Stored::Blob(Digest::of(b"keys"))),
        ),
        ("undone", undone),
    ];
    for (name, selector) in selectors {
        let created = BackfillCreated {
            selector,
            target: Stored::Blob(Digest::of(b"target")),
            ..backfill_created()
        };
        check_learned(created, name);
    }
}

#[test]
fn a_run_of_a_chunk_reads_and_writes_its_golden_file() {
    for fact in examples() {
        if let Fact::RunRequested(mut requested) = fact {
            requested.backfill = Some(ChunkOf {
                backfill: backfill(),
                chunk: 7,
            });
            check_learned(requested, "backfill");
        }
    }
}

/// One example of every kind, all optional fields filled.
fn examples() -> Vec<Fact> {
    let run = attempt().run;
    let host = HostId::from_parts(1_700_000_000_000, 2);
    let asset = AssetKey::parse("raw/flights").unwrap();
    let partition = Some(PartitionKey::time("2013-01-01"));
    let plan = Plan {
        tasks: vec![PlannedTask {
            location: "loc".into(),
            step: "flights".into(),
            partitions: partition.clone().into_iter().collect(),
            needs: vec![0],
            outputs: Vec::new(),
            mapping_key: None,
        }],
        ..Plan::default()
    };
    let pool = PoolLimit {
        limit: 3,
        granularity: Granularity::Run,
    };
    let metadata = BTreeMap::from([("rows".to_owned(), json!({"type": "int", "value": 842}))]);
    let mut facts = sensors::examples();
    facts.extend([
        DefinitionsDeployed {
            location: "loc".into(),
            version: Digest::of(b"m"),
        }
        .into(),
        DefinitionsLoadFailed {
            location: "loc".into(),
            error: error(),
        }
        .into(),
        HostRegistered {
            host,
            location: "loc".into(),
            hostname: "box".into(),
            pid: 7,
            slots: 4,
        }
        .into(),
        HostLeft { host }.into(),
        HostLost { host }.into(),
        RunRequested {
            run,
            scope: "workspace".into(),
            run_key: Some("nightly".into()),
            fingerprint: Digest::of(b"f"),
            selection: Some("group:raw".into()),
            assets: vec![asset.clone()],
            asset_checks: None,
            partitions: Some("2013-01-01".into()),
            config: json!({"ops": {}}),
            tags: BTreeMap::from([("team".into(), "core".into())]),
            definitions: BTreeMap::from([("loc".into(), Digest::of(b"m"))]),
            priority: 5,
            idempotency: Some(("key".into(), Digest::of(b"f"))),
            job: None,
            backfill: None,
            rerun: None,
            time_limits: TimeLimits::default(),
            tick: None,
            evaluation: None,
            plan: Stored::Inline(plan),
        }
        .into(),
        RunCancelRequested { run }.into(),
        RunTimedOut {
            run,
            limit: RunTimeLimit::Queue,
            limit_ms: 600_000,
        }
        .into(),
        RunFinished {
            run,
            outcome: RunOutcome::Failed,
            retry: None,
        }
        .into(),
        TasksSkipped {
            run,
            tasks: vec![4, 5],
            because: SkipReason::UpstreamFailed(3),
        }
        .into(),
        backfill_created().into(),
        BackfillMoved {
            backfill: backfill(),
            state_version: 3,
            to: BackfillStatus::Failed,
            reason: Some("1 partition failed".into()),
        }
        .into(),
        BackfillEdited {
            backfill: backfill(),
            settings: BackfillSettings {
                concurrency: 10,
                priority: -1,
                order: BackfillOrder::Newest,
                runs_per_minute: Some(60),
            },
        }
        .into(),
        BackfillChunkDropped {
            backfill: backfill(),
            chunk: 7,
            reason: "partition `2013-01-01` of `raw/flights` does not exist".into(),
        }
        .into(),
        AttemptLeased {
            attempt: attempt(),
            host,
        }
        .into(),
        AttemptStarted { attempt: attempt() }.into(),
        ReportRefused {
            attempt: attempt(),
            host,
            said: vec!["materialized raw/flights".into(), "succeeded".into()],
        }
        .into(),
        AttemptStartTimedOut {
            attempt: attempt(),
            limit_ms: 180_000,
        }
        .into(),
        AttemptValues {
            attempt: attempt(),
            outputs: vec![
                OutputValues {
                    name: "count".into(),
                    keys: None,
                },
                OutputValues {
                    name: "result".into(),
                    keys: Some(vec!["a".into(), "b".into()]),
                },
            ],
        }
        .into(),
        TasksMapped { run, task: 3 }.into(),
        AttemptFinished {
            attempt: attempt(),
            outcome: AttemptOutcome::Failed {
                class: FailureClass::UserCode,
                error: error(),
            },
            retry_at: Some(Timestamp(1_700_000_001_000)),
        }
        .into(),
        AssetMaterialized {
            asset: asset.clone(),
            partition: partition.clone(),
            attempt: Some(attempt()),
            data_version: "v".into(),
            code_version: Some("1".into()),
            inputs: vec![InputVersion {
                asset: asset.clone(),
                partition: partition.clone(),
                data_version: "u".into(),
                position: Position {
                    segment: 9,
                    index: 1,
                },
            }],
            metadata: metadata.clone(),
            tags: BTreeMap::from([("t".into(), "1".into())]),
            idempotency: None,
        }
        .into(),
        AssetObserved {
            asset: asset.clone(),
            partition: partition.clone(),
            attempt: Some(attempt()),
            data_version: Some("v".into()),
            description: Some("as seen".into()),
            metadata: metadata.clone(),
            tags: BTreeMap::from([("t".into(), "1".into())]),
            idempotency: None,
        }
        .into(),
        CheckEvaluated {
            asset,
            check: "not_empty".into(),
            partition,
            attempt: Some(attempt()),
            passed: false,
            severity: Severity::Error,
            blocking: true,
            description: Some("no rows".into()),
            metadata,
            idempotency: None,
        }
        .into(),
        LimitsSet {
            limits: Limits {
                runs: Some(10),
                tags: vec![TagLimit {
                    key: "team".into(),
                    value: Some("core".into()),
                    per_value: false,
                    limit: 2,
                }],
                pools: BTreeMap::from([("db".into(), pool)]),
                pool_default: Some(pool),
                times: TimeLimits::default(),
            },
        }
        .into(),
        RunRetryDropped {
            run,
            reason: "step `a` is gone".into(),
        }
        .into(),
        RunRetriesSet {
            retries: RunRetries {
                max_retries: 3,
                strategy: RetryStrategy::AllSteps,
                on_task_failure: false,
            },
        }
        .into(),
        PartitionsAdded {
            name: "customers".into(),
            keys: vec![PartitionKey::text("ann"), PartitionKey::text("bob")],
        }
        .into(),
        PartitionsRemoved {
            name: "customers".into(),
            keys: vec![PartitionKey::text("bob")],
        }
        .into(),
        PartitionsMapped {
            location: "loc".into(),
            version: Digest::of(b"d"),
            child: AssetKey::parse("daily").unwrap(),
            parent: AssetKey::parse("raw/flights").unwrap(),
            keys: 2,
            answers: Stored::Inline(answers()),
        }
        .into(),
        PartitionsUnmapped {
            location: "loc".into(),
            version: Digest::of(b"d"),
            child: AssetKey::parse("daily").unwrap(),
            parent: AssetKey::parse("raw/flights").unwrap(),
            first: PartitionKey::text("ann"),
            error: error(),
        }
        .into(),
        LeaseTaken {
            epoch: 2,
            holder: "w".into(),
            url: "http://localhost:3000".into(),
            ttl_ms: 30_000,
        }
        .into(),
        LeaseKept { epoch: 2 }.into(),
        LeaseReleased { epoch: 2 }.into(),
        FoldActivated { version: 1 }.into(),
        ScheduleStarted {
            schedule: "nightly".into(),
        }
        .into(),
        ScheduleStopped {
            schedule: "nightly".into(),
        }
        .into(),
        ScheduleReset {
            schedule: "nightly".into(),
        }
        .into(),
        TickFinished {
            tick: tick(),
            version: Digest::of(b"s"),
            outcome: TickOutcome::Succeeded {
                runs: vec![run],
                backfills: Vec::new(),
            },
            attempt: None,
            dynamic_partitions: Vec::new(),
            asked: None,
        }
        .into(),
        TicksMissed {
            schedule: "nightly".into(),
            first: Timestamp(1_699_900_000_000),
            last: Timestamp(1_699_986_400_000),
            count: 2,
            version: Digest::of(b"s"),
            reason: MissedReason::NotLatest,
        }
        .into(),
        TicksPacked {
            object: json!({"name": "ticks/1"}),
            through: [("nightly".to_owned(), Timestamp(1_700_000_000_000))].into(),
        }
        .into(),
        HistoryPacked {
            object: json!({"name": "runs/1"}),
            runs: vec![run],
        }
        .into(),
    ]);
    facts
}

fn event(fact: Fact) -> Event {
    Event {
        time: Timestamp(1_700_000_000_000),
        principal: "client:anna".into(),
        cause: Cause::Command("req_1".into()),
        epoch: Some(2),
        definitions: Some(("loc".into(), Digest::of(b"m"))),
        fact,
    }
}

/// Events are for ever: every kind and version reads its golden file, and writes it. A new version
/// adds a file; no file is ever changed.
#[test]
fn every_kind_reads_and_writes_its_golden_file() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../golden/events");
    let mut kinds = std::collections::BTreeSet::new();
    for fact in examples() {
        let event = event(fact);
        let raw = event.to_raw();
        kinds.insert((raw.kind.clone(), raw.version));
        let path = folder.join(format!("{}.v{}.json", raw.kind, raw.version));
        let text = serde_json::to_string(&raw).unwrap();
        if !path.exists() && std::env::var_os("ARCO_UPDATE").is_some() {
            std::fs::write(&path, format!("{text}\n")).unwrap();
        }
        let golden = std::fs::read_to_string(&path)
            .unwrap_or_else(|_| panic!("{} is missing; ARCO_UPDATE=1 writes it", path.display()));
        assert_eq!(text, golden.trim_end(), "{}", raw.kind);
        let read: RawEvent = serde_json::from_str(&golden).unwrap();
        assert_eq!(Event::from_raw(&read).unwrap(), event);
    }
    let declared: std::collections::BTreeSet<(String, u32)> = Fact::KINDS
        .iter()
        .map(|(kind, version)| ((*kind).to_owned(), *version))
        .collect();
    assert_eq!(kinds, declared, "every kind has an example");
}

/// What a kind learned to say later: a golden file of its own, beside the one without it.
#[test]
fn a_rerun_reads_and_writes_its_golden_file() {
    let requested = examples().into_iter().find_map(|fact| match fact {
        Fact::RunRequested(requested) => Some(requested),
        _ => None,
    });
    let mut requested = requested.unwrap();
    requested.rerun = Some(RerunOf {
        parent: RunId::from_parts(1_600_000_000_000, 2),
        root: RunId::from_parts(1_600_000_000_000, 1),
        kind: RerunKind::Subset,
        selection: Some("raw/flights".into()),
        with_upstream: true,
        with_downstream: true,
        retry: None,
    });
    check_learned(requested.clone(), "rerun");
    let rerun = requested.rerun.as_mut().unwrap();
    (rerun.kind, rerun.retry) = (RerunKind::FromFailure, Some(2));
    check_learned(requested, "retry");
    let finished = RunFinished {
        run: attempt().run,
        outcome: RunOutcome::Failed,
        retry: Some(RetryOwed {
            number: 1,
            kind: RerunKind::FromFailure,
        }),
    };
    check_learned(finished, "retry");
}

#[test]
fn what_is_reported_from_outside_reads_and_writes_its_golden_file() {
    let asked = Some(("key".to_owned(), Digest::of(b"f")));
    for fact in examples() {
        match fact {
            Fact::AssetMaterialized(mut e) => {
                (e.attempt, e.idempotency, e.inputs) = (None, asked.clone(), Vec::new());
                check_learned(e, "reported");
            }
            Fact::AssetObserved(mut e) => {
                (e.attempt, e.idempotency) = (None, asked.clone());
                check_learned(e, "reported");
            }
            Fact::CheckEvaluated(mut e) => {
                (e.attempt, e.idempotency) = (None, asked.clone());
                check_learned(e, "reported");
            }
            _ => {}
        }
    }
}

#[test]
fn a_run_of_chosen_checks_reads_and_writes_its_golden_file() {
    for fact in examples() {
        if let Fact::RunRequested(mut requested) = fact {
            let asset = requested.assets.remove(0);
            requested.asset_checks = Some(vec![(asset, "not_empty".into())]);
            check_learned(requested, "checks");
        }
    }
}

#[test]
fn a_run_of_a_job_reads_and_writes_its_golden_file() {
    for fact in examples() {
        if let Fact::RunRequested(mut requested) = fact {
            requested.job = Some(JobRef {
                location: "loc".into(),
                name: "nightly".into(),
            });
            check_learned(requested, "job");
        }
    }
}

#[test]
fn time_limits_read_and_write_their_golden_files() {
    let times = TimeLimits {
        queue_ms: Some(600_000),
        start_ms: Some(0),
        run_ms: Some(3_600_000),
    };
    for fact in examples() {
        match fact {
            Fact::RunRequested(mut requested) => {
                requested.time_limits = times;
                check_learned(requested, "time_limits");
            }
            Fact::LimitsSet(mut set) => {
                set.limits.times = times;
                check_learned(set, "times");
            }
            _ => {}
        }
    }
}

#[test]
fn a_part_of_a_step_reads_and_writes_its_golden_file() {
    let requested = examples().into_iter().find_map(|fact| match fact {
        Fact::RunRequested(requested) => Some(requested),
        _ => None,
    });
    let mut requested = requested.unwrap();
    let Stored::Inline(plan) = &mut requested.plan else {
        panic!("the example's plan stands in the event")
    };
    plan.tasks[0].outputs = requested.assets.clone();
    check_learned(requested, "part");
}

#[test]
fn an_output_left_unmade_reads_and_writes_its_golden_file() {
    let skipped = TasksSkipped {
        run: RunId::from_parts(1_700_000_000_000, 1),
        tasks: vec![4, 5],
        because: SkipReason::OutputNotMade {
            task: 3,
            asset: AssetKey::parse("raw/flights").unwrap(),
        },
    };
    check_learned(skipped, "output_not_made");
}

fn check_learned(fact: impl Into<Fact>, what: &str) {
    let event = event(fact.into());
    let kind = event.fact.kind().to_owned();
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
        .join(format!("../../golden/events/{kind}.v1.{what}.json"));
    let text = serde_json::to_string(&event.to_raw()).unwrap();
    if !path.exists() && std::env::var_os("ARCO_UPDATE").is_some() {
        std::fs::write(&path, format!("{text}\n")).unwrap();
    }
    let golden = std::fs::read_to_string(&path).unwrap();
    assert_eq!(text, golden.trim_end());
    let read: RawEvent = serde_json::from_str(&golden).unwrap();
    assert_eq!(Event::from_raw(&read).unwrap(), event);
}

#[test]
fn a_run_of_a_tick_reads_and_writes_its_golden_file() {
    for fact in examples() {
        if let Fact::RunRequested(mut requested) = fact {
            requested.tick = Some(tick());
            check_learned(requested, "tick");
        }
    }
}

/// One golden file holds one outcome; the others must not change either.
#[test]
fn outcomes_of_ticks_have_one_text() {
    let skipped = TickOutcome::Skipped {
        reason: "no partition".into(),
    };
    let failed = TickOutcome::Failed { error: error() };
    assert_eq!(
        json!([skipped, failed]).to_string(),
        r#"[{"skipped":{"reason":"no partition"}},{"failed":{"error":{"message":"no","traceback":"line 1","type":"ValueError"}}}]"#
    );
    assert_eq!(
        json!([
            MissedReason::Late,
            MissedReason::NotLatest,
            MissedReason::OutsideWindow,
            MissedReason::OverMaxTicks
        ])
        .to_string(),
        r#"["late","not_latest","outside_window","over_max_ticks"]"#
    );
}

#[test]
fn a_tick_has_one_text() {
    assert_eq!(tick().to_string(), "nightly:2023-11-14T22:13:20Z");
    assert_eq!(tick().to_string().parse(), Ok(tick()));
    for wrong in ["nightly", "nightly:noon", ""] {
        let refused = wrong.parse::<TickId>().unwrap_err().to_string();
        assert!(
            refused.contains("is not a tick; ticks look like"),
            "{refused}"
        );
    }
}

#[test]
fn an_unknown_kind_is_critical_unless_it_says_otherwise() {
    let mut raw = event(LeaseKept { epoch: 1 }.into()).to_raw();
    raw.kind = "moon.rose".into();
    let refused = Event::from_raw(&raw).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "event kind `moon.rose` version 1 is newer than this program; upgrade it"
    );
    raw.ignorable = true;
    assert_eq!(
        Event::from_raw(&raw).unwrap().fact,
        Fact::Unknown("moon.rose".into())
    );
}

#[test]
fn a_payload_that_is_not_its_kinds_is_named() {
    let mut raw = event(LeaseKept { epoch: 1 }.into()).to_raw();
    raw.payload = serde_json::value::RawValue::from_string("{}".into()).unwrap();
    let text = Event::from_raw(&raw).unwrap_err().to_string();
    assert!(
        text.starts_with(
            "event of kind `lease.kept` version 1 cannot be read: missing field `epoch`"
        ),
        "{text}"
    );
}
