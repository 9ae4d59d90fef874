//! Examples of the facts about sensors, evaluations and the functions of schedules.

use serde_json::json;

use super::*;

pub(super) fn asked() -> Asked {
    Asked {
        started: Timestamp(1_699_999_999_000),
        took_ms: 12,
        log: vec!["looked".into()],
    }
}

fn evaluation() -> EvaluationId {
    EvaluationId {
        sensor: "drop".into(),
        number: 17,
    }
}

fn finished(of: EvaluationOf, outcome: EvaluationOutcome) -> EvaluationFinished {
    EvaluationFinished {
        id: evaluation(),
        version: Digest::of(b"s"),
        of,
        outcome,
        cursor: Some("b.csv".into()),
        last_run_key: Some("b.csv".into()),
        dynamic_partitions: vec![PartitionsChange {
            name: "files".into(),
            added: 1,
            removed: 0,
            passed_over: 2,
        }],
        asset_events: Vec::new(),
        asked: asked(),
    }
}

fn look() -> EvaluationOf {
    EvaluationOf::Look {
        cursor: Digest::of(b"a.csv"),
    }
}

pub(super) fn examples() -> Vec<Fact> {
    let run = attempt().run;
    let sensor = || "drop".to_owned();
    vec![
        TickTried {
            tick: tick(),
            version: Digest::of(b"s"),
            judged: Timestamp(1_700_000_000_500),
            attempt: 1,
            error: error(),
            next: Timestamp(1_700_000_005_000),
            asked: asked(),
        }
        .into(),
        SensorStarted { sensor: sensor() }.into(),
        SensorStopped { sensor: sensor() }.into(),
        SensorReset { sensor: sensor() }.into(),
        CursorSet {
            sensor: sensor(),
            cursor: Some("a.csv".into()),
        }
        .into(),
        SensorIdled {
            id: evaluation(),
            version: Digest::of(b"s"),
            count: 20,
            first: Timestamp(1_699_999_000_000),
            last: Timestamp(1_699_999_990_000),
            reason: Some("no new file".into()),
        }
        .into(),
        MessageAccepted {
            sensor: sensor(),
            id: "m-1".into(),
            data: Stored::Inline(json!({"file": "a.csv"})),
            attributes: BTreeMap::from([("source".into(), "bucket".into())]),
        }
        .into(),
        finished(
            look(),
            EvaluationOutcome::Succeeded {
                runs: vec![run],
                backfills: vec![backfill()],
                kept: vec![KeptBack {
                    run_key: "a.csv".into(),
                    run: Some(run),
                    backfill: None,
                }],
            },
        )
        .into(),
        EvaluationsPacked {
            object: json!({"name": "evaluations/1"}),
            through: BTreeMap::from([("drop".into(), 16)]),
        }
        .into(),
    ]
}

#[test]
fn evaluations_of_queues_and_their_outcomes_read_and_write_their_golden_files() {
    let messages = EvaluationOf::Messages {
        ids: vec!["m-1".into(), "m-2".into()],
    };
    let events = EvaluationOf::Events {
        positions: vec![Position {
            segment: 9,
            index: 1,
        }],
    };
    let skipped = EvaluationOutcome::Skipped {
        reason: "no new file".into(),
    };
    let failed = EvaluationOutcome::Failed {
        error: error(),
        attempt: 5,
        passed_over: true,
    };
    let recorded = EvaluationFinished {
        asset_events: vec![
            Position {
                segment: 9,
                index: 2,
            },
            Position {
                segment: 9,
                index: 3,
            },
        ],
        ..finished(look(), skipped.clone())
    };
    check_learned(finished(messages, skipped), "messages");
    check_learned(recorded, "asset_events");
    check_learned(finished(events, failed), "events");
}

#[test]
fn a_big_message_reads_and_writes_its_golden_file() {
    let big = MessageAccepted {
        sensor: "drop".into(),
        id: "m-1".into(),
        data: Stored::Blob(Digest::of(b"data")),
        attributes: BTreeMap::new(),
    };
    check_learned(big, "big");
}

#[test]
fn a_tick_of_a_function_and_a_run_of_an_evaluation_read_and_write_their_golden_files() {
    check_learned(
        TickFinished {
            tick: tick(),
            version: Digest::of(b"s"),
            outcome: TickOutcome::Succeeded {
                runs: vec![attempt().run],
                backfills: vec![backfill()],
            },
            attempt: Some(2),
            dynamic_partitions: Vec::new(),
            asked: Some(asked()),
        },
        "function",
    );
    for fact in super::examples() {
        if let Fact::RunRequested(mut requested) = fact {
            requested.evaluation = Some(evaluation());
            check_learned(requested, "evaluation");
        }
    }
}

#[test]
fn an_evaluation_has_one_text() {
    assert_eq!(evaluation().to_string(), "drop:17");
    assert_eq!(evaluation().to_string().parse(), Ok(evaluation()));
    for wrong in ["drop", "drop:x", ""] {
        let refused = wrong.parse::<EvaluationId>().unwrap_err().to_string();
        assert!(refused.contains("is not an evaluation"), "{refused}");
    }
}
