//! Sensors that poll: cursors, failures, idleness, and answers that come late.

use arco_core::event::EvaluationOf;
use arco_core::{Digest, PartitionKey};
use proptest::prelude::*;

use super::super::{Idle, is_idle};
use super::*;
use crate::evaluation::DynamicPartitionsAsked;

fn cursor(to: &str) -> Wanted {
    Wanted {
        cursor: Some(to.into()),
        ..Wanted::default()
    }
}

#[test]
fn an_evaluation_its_runs_and_its_cursor_are_one_decision() {
    let mut world = world("a", &[sensor(&json!({}))]);
    assert!(is_due(&world), "one that runs looks at once");
    let from = world.log.len();
    let wanted = Wanted {
        cursor: Some("1".into()),
        ..runs(&["k"])
    };
    look(&mut world, wanted);
    assert_eq!(world.kinds(from), "run.requested evaluation.finished");
    let segments: Vec<u64> = world.log[from..].iter().map(|(at, _)| at.segment).collect();
    assert_eq!(segments[0], segments[1]);
    let run = world.state.runs.values().next().expect("a run");
    assert_eq!(
        run.evaluation.as_ref().expect("it asked").to_string(),
        "s:1"
    );
    assert_eq!(
        (run.scope.as_str(), run.run_key.as_deref()),
        ("sensor:s", Some("k"))
    );
    assert_eq!(run.tags["dagster/sensor_name"], "s");
    assert_eq!(run.tags["dagster/run_key"], "k");
    let evaluation = world.state.evaluations_of("s").next().expect("a row");
    assert_eq!(evaluation.runs(), [run.id]);
    assert_eq!(evaluation.cursor.as_deref(), Some("1"));
    assert_eq!(
        evaluation.of,
        Some(EvaluationOf::Look {
            cursor: Digest::of(b"")
        })
    );
    assert_eq!(row(&world).cursor.as_deref(), Some("1"));
    assert_eq!(row(&world).last_run_key.as_deref(), Some("k"));
    assert!(!is_due(&world));
    world.now = after(29);
    assert!(!is_due(&world));
    world.now = after(30);
    assert!(is_due(&world), "an interval after its last look began");
    assert_kept(&world);
}

#[test]
fn the_empty_cursor_clears_none_keeps_and_a_failure_keeps() {
    let mut world = world("a", &[sensor(&json!({}))]);
    look(&mut world, cursor("1"));
    look(&mut world, Wanted::default());
    assert_eq!(row(&world).cursor.as_deref(), Some("1"));
    let question = ask(&world);
    say(&mut world, &question, &raised(None)).expect("it counts");
    assert_eq!(row(&world).cursor.as_deref(), Some("1"));
    look(&mut world, cursor(""));
    assert_eq!(row(&world).cursor, None);
    assert_eq!(
        evaluations(&world.state),
        [
            "1 skipped: the function asked for nothing",
            "2 skipped: the function asked for nothing",
            "3 failed 1: no",
            "4 skipped: the function asked for nothing",
        ]
    );
}

#[test]
fn an_answer_counts_once_and_not_when_anything_came_in_between() {
    type Between = fn(&mut World);
    let cases: [(&str, Between); 6] = [
        ("the same answer", |world| {
            let question = ask(world);
            say(world, &question, &Said::Returned(runs(&["k"]))).expect("it is the first");
        }),
        ("a cursor from outside", |world| {
            let set = Command::SetCursor {
                sensor: "s".into(),
                cursor: Some("9".into()),
                state_version: None,
            };
            world.run_command(&set).expect("it is there");
        }),
        ("it was stopped", |world| {
            world
                .run_command(&Command::StopSensor("s".into()))
                .expect("it is there");
        }),
        ("it was stopped and started", |world| {
            for command in [
                Command::StopSensor("s".into()),
                Command::StartSensor("s".into()),
            ] {
                world.run_command(&command).expect("it is there");
            }
        }),
        ("it is declared otherwise", |world| {
            let other = sensor(&json!({"timeout_seconds": 5}));
            world.deploy(&with("a", &[other])).expect("it stands");
        }),
        ("it left the code", |world| {
            world.deploy(&with("a", &[])).expect("it stands");
        }),
    ];
    for (what, between) in cases {
        let mut world = world("a", &[sensor(&json!({}))]);
        let question = ask(&world);
        between(&mut world);
        let (hash, log) = (world.state.hash(), world.log.len());
        let wanted = Wanted {
            cursor: Some("2".into()),
            ..runs(&["other"])
        };
        let late = say(&mut world, &question, &Said::Returned(wanted));
        assert!(is_superseded(&late), "{what}: {late:?}");
        assert_eq!((world.state.hash(), world.log.len()), (hash, log), "{what}");
        assert_kept(&world);
    }
}

#[test]
fn a_cursor_is_set_only_on_what_the_caller_has_seen() {
    let mut world = world("a", &[sensor(&json!({}))]);
    look(&mut world, cursor("1"));
    let seen = row(&world).state_version;
    let set = |cursor: Option<&str>, state_version| Command::SetCursor {
        sensor: "s".into(),
        cursor: cursor.map(ToOwned::to_owned),
        state_version,
    };
    look(&mut world, cursor("2"));
    let refused = world.run_command(&set(Some("0"), Some(seen)));
    assert!(
        matches!(refused, Err(Rejection::SensorMoved { .. })),
        "{refused:?}"
    );
    let log = world.log.len();
    let seen = row(&world).state_version;
    world
        .run_command(&set(Some("0"), Some(seen)))
        .expect("it is what was seen");
    world
        .run_command(&set(Some("0"), None))
        .expect("it is so already");
    assert_eq!(world.kinds(log), "sensor.cursor_set");
    world.run_command(&set(None, None)).expect("it is there");
    assert_eq!(row(&world).cursor, None);
    let unknown = world.run_command(&Command::StartSensor("S".into()));
    let text = unknown.expect_err("nobody has it").to_string();
    assert!(text.contains("did you mean `s`?"), "{text}");
}

#[test]
fn failures_in_a_row_lengthen_the_pause_up_to_ten_minutes_and_success_ends_it() {
    let mut world = world("a", &[sensor(&json!({}))]);
    for (failures, pause) in [
        (1, 30),
        (2, 60),
        (3, 120),
        (4, 240),
        (5, 480),
        (6, 600),
        (7, 600),
    ] {
        let question = ask(&world);
        say(&mut world, &question, &raised(None)).expect("it counts");
        assert_eq!(row(&world).failures, failures);
        assert_eq!(row(&world).due, Some(world.now.plus_ms(pause * 1000)));
        world.now = world.now.plus_ms(pause * 1000);
    }
    look(&mut world, Wanted::default());
    assert_eq!((row(&world).failures, row(&world).pause_ms()), (0, 30_000));
    assert_kept(&world);
}

#[test]
fn dynamic_partitions_come_before_the_runs_and_nothing_is_done_when_one_cannot_be() {
    let mut manifest = with("a; b", &[sensor(&json!({}))]);
    manifest["assets"][0]["partitions"] = json!({"kind": "dynamic", "name": "files"});
    let mut world = World::new("a; b");
    world.deploy(&manifest).expect("it stands");
    let wanted = |key: &str| Wanted {
        dynamic_partitions: vec![DynamicPartitionsAsked {
            name: "files".into(),
            add: vec!["x".into(), "y".into()],
            remove: vec!["z".into()],
            answers: None,
        }],
        runs: vec![RunAsked {
            partition: Some(key.into()),
            ..run(None)
        }],
        cursor: Some("1".into()),
        ..Wanted::default()
    };
    let from = world.log.len();
    look(&mut world, wanted("y"));
    assert_eq!(
        world.kinds(from),
        "partitions.added run.requested evaluation.finished"
    );
    let evaluation = world.state.evaluations_of("s").next().expect("a row");
    let change = &evaluation.dynamic_partitions[0];
    assert_eq!(
        (change.added, change.removed, change.passed_over),
        (2, 0, 1)
    );
    let run = world.state.runs.values().next().expect("a run");
    assert_eq!(run.partitions.as_deref(), Some("y"));
    assert_eq!(run.tags["dagster/partition"], "y");
    // A partition that nobody has: the whole evaluation fails (S-43), and the cursor stays.
    let mut none = wanted("q");
    none.dynamic_partitions[0].add = vec!["w".into()];
    none.cursor = Some("2".into());
    look(&mut world, none);
    assert_eq!(row(&world).cursor.as_deref(), Some("1"));
    assert_eq!(world.state.runs.len(), 1);
    assert!(!world.state.partition_sets["files"].contains(&PartitionKey::text("w")));
    let told = evaluations(&world.state);
    assert!(told[1].starts_with("2 failed 1: "), "{told:?}");
}

#[test]
fn what_a_request_may_say_is_what_the_sensor_may_run() {
    let cases: [(Value, RunAsked, &str); 7] = [
        (
            json!({"selection": []}),
            run(None),
            "is given nothing to run",
        ),
        (
            json!({"selection": [], "jobs": ["one", "two"]}),
            run(None),
            "may run `one`, `two`, and the request names none",
        ),
        (
            json!({"selection": [], "jobs": ["one"]}),
            RunAsked {
                job: Some("two".into()),
                ..run(None)
            },
            "asked for a run of job `two`, and may run `one`",
        ),
        (
            json!({}),
            RunAsked {
                assets: Some(vec![arco_core::AssetKey::parse("b").unwrap()]),
                ..run(None)
            },
            "`b`, which is not among what `s` may run",
        ),
        (
            json!({}),
            RunAsked {
                assets: Some(Vec::new()),
                ..run(None)
            },
            "a run of no asset",
        ),
        (
            json!({}),
            RunAsked {
                partition: Some("2026-01-01".into()),
                ..run(None)
            },
            "none of the selected assets is partitioned",
        ),
        (json!({"selection": ["nope"]}), run(None), "nope"),
    ];
    for (extra, asked, mend) in cases {
        let mut manifest = with("a; b", &[sensor(&extra)]);
        manifest["jobs"] = json!([{"name": "one", "selection": ["a"]},
            {"name": "two", "selection": ["b"]}]);
        let mut world = World::new("a; b");
        world.deploy(&manifest).expect("it stands");
        let wanted = Wanted {
            runs: vec![asked],
            ..Wanted::default()
        };
        look(&mut world, wanted);
        let told = evaluations(&world.state);
        assert!(
            told[0].starts_with("1 failed") && told[0].contains(mend),
            "{told:?}"
        );
        assert!(world.state.runs.is_empty());
    }
}

#[test]
fn looks_that_find_nothing_are_one_row_and_are_not_counted_twice() {
    let mut world = world("a", &[sensor(&json!({}))]);
    look(&mut world, Wanted::default());
    let question = ask(&world);
    let reason = Wanted {
        skip_reason: Some("no file".into()),
        cursor: Some(String::new()),
        ..Wanted::default()
    };
    let proposal = |world: &World, wanted: &Wanted| {
        let said = Said::Returned(wanted.clone());
        propose(
            &world.state,
            &question,
            &said,
            &asked(world),
            world.now,
            &|_| Ok(()),
        )
    };
    assert!(is_idle(&world.state, &proposal(&world, &reason)));
    assert!(!is_idle(&world.state, &proposal(&world, &cursor("1"))));
    assert!(!is_idle(&world.state, &proposal(&world, &runs(&["k"]))));
    let first = Idle::and(None, after(30), None);
    let idle = Idle::and(Some(first), after(60), Some("no file".into()));
    world.now = after(600);
    let record = Command::RecordIdle {
        sensor: "s".into(),
        state_version: row(&world).state_version,
        idle: idle.clone(),
    };
    world.run_command(&record).expect("it is so");
    let log = world.log.len();
    world.run_command(&record).expect("it is known");
    assert_eq!(world.log.len(), log);
    // With the next evaluation: the same looks are no new row either, others come before it.
    for (last, rows) in [(60, 3), (90, 5)] {
        let question = ask(&world);
        let said = Said::Returned(runs(&[&last.to_string()]));
        let mut proposal = propose(
            &world.state,
            &question,
            &said,
            &asked(&world),
            world.now,
            &|_| Ok(()),
        );
        proposal.idle = Some(Idle {
            last: after(last),
            ..idle.clone()
        });
        if last == 90 {
            proposal.idle.as_mut().expect("some").last = after(700);
        }
        world.now = world.now.plus_ms(200_000);
        world
            .run_command(&Command::Evaluate(Box::new(proposal)))
            .expect("it counts");
        assert_eq!(world.state.evaluations.len(), rows);
    }
    assert_eq!(evaluations(&world.state)[1], "2 idle 2");
    assert_kept(&world);
}

#[test]
fn old_evaluations_leave_memory_and_the_last_of_each_stays() {
    let mut world = world("a", &[sensor(&json!({}))]);
    for n in 0..5 {
        look(&mut world, cursor(&n.to_string()));
    }
    let (rows, through) = world.state.oldest_evaluations(3);
    assert_eq!(rows.len(), 3);
    assert_eq!(through, [("s".to_owned(), 3)].into());
    let pack = Command::PackEvaluations {
        reference: json!({"name": "evaluations/1"}),
        through,
    };
    world.run_command(&pack).expect("the leader asks for it");
    assert_eq!(world.state.evaluations.len(), 2);
    assert_eq!(world.state.oldest_evaluations(10).0.len(), 1);
    assert_eq!(world.state.evaluation_history.len(), 1);
    assert_kept(&world);
}

#[derive(Debug, Clone)]
enum Happens {
    /// A question is asked and remembered.
    Ask,
    /// One of the remembered is answered, perhaps again, perhaps out of order.
    Answer {
        which: usize,
        key: u8,
        fails: bool,
    },
    SetCursor,
    Restart,
    Wait,
}

fn happens() -> impl Strategy<Value = Happens> {
    prop_oneof![
        3 => Just(Happens::Ask),
        6 => (0_usize..8, 0_u8..3, any::<bool>())
            .prop_map(|(which, key, fails)| Happens::Answer { which, key, fails }),
        1 => Just(Happens::SetCursor),
        1 => Just(Happens::Restart),
        1 => Just(Happens::Wait),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever is asked twice, answered twice, late or out of order: each evaluation begins with the cursor
    /// that the one before it left, a key is one run, and replay and snapshot agree.
    #[test]
    fn an_evaluation_counts_once_whatever_is_repeated(story in prop::collection::vec(happens(), 1..40)) {
        let mut world = world("a", &[sensor(&json!({}))]);
        let mut questions: Vec<SensorQuestion> = Vec::new();
        let mut counted = 0_u64;
        for what in story {
            match what {
                Happens::Ask => questions.extend(question(&world.state, "s")),
                Happens::Answer { which, key, fails } => {
                    let Some(question) = questions.get(which % questions.len().max(1)).cloned() else {
                        continue;
                    };
                    let before = row(&world).clone();
                    let wanted = Wanted {
                        cursor: Some(format!("{}+", before.cursor.clone().unwrap_or_default())),
                        ..runs(&[&key.to_string()])
                    };
                    let said = if fails { raised(None) } else { Said::Returned(wanted) };
                    let answer = say(&mut world, &question, &said);
                    let fresh = question.state_version == before.state_version;
                    prop_assert_eq!(answer.is_ok(), fresh);
                    prop_assert!(fresh || is_superseded(&answer));
                    counted += u64::from(fresh);
                    let grown = row(&world).cursor.as_ref().map_or(0, String::len);
                    let was = before.cursor.as_ref().map_or(0, String::len);
                    prop_assert_eq!(grown, was + usize::from(fresh && !fails));
                }
                Happens::SetCursor => {
                    let set = Command::SetCursor {
                        sensor: "s".into(),
                        cursor: Some(format!("{}!", row(&world).cursor.clone().unwrap_or_default())),
                        state_version: None,
                    };
                    world.run_command(&set).expect("it is there");
                }
                Happens::Restart => {
                    for command in [Command::StopSensor("s".into()), Command::StartSensor("s".into())] {
                        world.run_command(&command).expect("it is there");
                    }
                }
                Happens::Wait => world.now = world.now.plus_ms(10_000),
            }
        }
        prop_assert_eq!(row(&world).number, counted);
        prop_assert_eq!(world.state.evaluations.len() as u64, counted);
        let mut keys: Vec<_> = world.state.runs.values().filter_map(|run| run.run_key.clone()).collect();
        let all = keys.len();
        keys.sort();
        keys.dedup();
        prop_assert_eq!(all, keys.len(), "a key is one run");
        assert_kept(&world);
    }
}

#[test]
fn operators_start_stop_and_reset_and_the_cursor_stays() {
    let mut world = world("a", &[sensor(&json!({"default_status": "stopped"}))]);
    assert!(!is_due(&world) && question(&world.state, "s").is_none());
    world.now = after(100);
    let start = Command::StartSensor("s".into());
    world.run_command(&start).expect("it is there");
    let log = world.log.len();
    world.run_command(&start).expect("it runs already");
    assert_eq!(world.log.len(), log);
    assert_eq!(row(&world).since, after(100));
    assert!(is_due(&world));
    look(&mut world, cursor("1"));
    for command in [
        Command::StopSensor("s".into()),
        Command::ResetSensor("s".into()),
    ] {
        world.run_command(&command).expect("it is there");
        assert!(!row(&world).is_running() && !is_due(&world));
        assert_eq!(row(&world).cursor.as_deref(), Some("1"));
    }
    assert_eq!(row(&world).said, None, "it is left to the code");
    // Code that runs it by itself, and code that does not have it for a while.
    let running = with("a", &[sensor(&json!({}))]);
    world.deploy(&running).expect("it stands");
    assert!(row(&world).is_running());
    world.deploy(&with("a", &[])).expect("it stands");
    assert!(!row(&world).is_running());
    world.deploy(&running).expect("it stands");
    assert_eq!(row(&world).cursor.as_deref(), Some("1"));
    assert_kept(&world);
}

#[test]
fn a_result_that_contradicts_itself_or_is_too_big_is_a_failure() {
    let mut world = world("a", &[sensor(&json!({}))]);
    let both = Wanted {
        skip_reason: Some("none".into()),
        ..runs(&["k"])
    };
    let many: Vec<String> = (0..1_001).map(|n| n.to_string()).collect();
    let keys = |many: usize| Wanted {
        dynamic_partitions: vec![DynamicPartitionsAsked {
            name: "files".into(),
            add: (0..many).map(|n| n.to_string()).collect(),
            remove: Vec::new(),
            answers: None,
        }],
        ..Wanted::default()
    };
    let mut bad_key = keys(1);
    bad_key.dynamic_partitions[0].add = vec!["a...b".into()];
    let cases = [
        (both, "a skip reason together with runs"),
        (
            Wanted {
                runs: many.iter().map(|key| run(Some(key))).collect(),
                ..Wanted::default()
            },
            "one evaluation may ask for 1000",
        ),
        (keys(25_001), "one evaluation may change 25000"),
        (bad_key, "dynamic partitions `files`"),
    ];
    for (wanted, mend) in cases {
        look(&mut world, wanted);
        let told = evaluations(&world.state).pop().expect("a row");
        assert!(told.contains("failed") && told.contains(mend), "{told}");
    }
    assert!(world.state.runs.is_empty() && world.state.partition_sets.is_empty());
    look(&mut world, keys(25_000));
    assert_eq!(world.state.partition_sets["files"].len(), 25_000);
}
