//! Sensors with a queue: messages, materializations and runs, each acknowledged once and in order.

use arco_core::event::EvaluationOf;

use super::super::MESSAGES_MAX;
use super::*;
use crate::command::Reported;
use crate::evaluation::{BackfillAsked, DynamicPartitionsAsked};
use crate::state::{QueuedWhat, RunStatus};
use crate::testing::made;

fn push() -> Value {
    sensor(&json!({"kind": "push", "max_attempts": 2}))
}

/// What each of the first `taken` asks for one run of.
fn taken(taken: usize) -> Wanted {
    let runs = (0..taken).map(|item| RunAsked {
        answers: Some(item),
        ..run(None)
    });
    Wanted {
        runs: runs.collect(),
        taken,
        ..Wanted::default()
    }
}

fn ids(of: &EvaluationOf) -> Vec<String> {
    match of {
        EvaluationOf::Messages { ids } => ids.clone(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_message_is_accepted_once_and_waits_in_order() {
    let mut world = world("a", &[push()]);
    assert!(
        question(&world.state, "s").is_none(),
        "there is nothing to ask"
    );
    let first = send(&mut world, "1").expect("it runs");
    send(&mut world, "2").expect("it runs");
    let log = world.log.len();
    let again = send(&mut world, "1").expect("it is known");
    let (Answer::Accepted { position, created }, Answer::Accepted { position: at, .. }) =
        (again, first)
    else {
        panic!("accepted")
    };
    assert_eq!((position, created, world.log.len()), (at, false, log));
    assert!(is_due(&world));
    let question = ask(&world);
    assert_eq!(question.items.len(), 2);
    say(&mut world, &question, &Said::Returned(taken(2))).expect("it counts");
    assert!(row(&world).queue.is_empty());
    assert_eq!(world.state.runs.len(), 2);
    // Also after it was evaluated, the same id is the same message.
    send(&mut world, "1").expect("it is known");
    assert!(row(&world).queue.is_empty() && !is_due(&world));
    let late = say(&mut world, &question, &Said::Returned(taken(2)));
    assert!(is_superseded(&late));
    assert_kept(&world);
    // A day later nobody sends it again.
    world.now = after(24 * 3_600 + 1);
    send(&mut world, "3").expect("it runs");
    send(&mut world, "1").expect("it runs");
    assert_eq!(row(&world).queue.len(), 2);
}

#[test]
fn messages_are_for_running_sensors_that_are_pushed_to_and_so_many_wait() {
    let mut world = world("a", &[push()]);
    for n in 0..MESSAGES_MAX {
        send(&mut world, &n.to_string()).expect("there is room");
    }
    let full = send(&mut world, "more");
    assert!(matches!(full, Err(Rejection::QueueFull { .. })), "{full:?}");
    assert_eq!(row(&world).messages.len(), MESSAGES_MAX);
    world
        .run_command(&Command::StopSensor("s".into()))
        .expect("it is there");
    assert_eq!(
        send(&mut world, "more"),
        Err(Rejection::SensorStopped("s".into()))
    );
    assert!(send(&mut world, "1").is_ok(), "it is known");
    world
        .deploy(&with("a", &[sensor(&json!({}))]))
        .expect("it stands");
    assert!(
        row(&world).queue.is_empty(),
        "another sensor has other things before it"
    );
    assert!(matches!(
        send(&mut world, "x"),
        Err(Rejection::NotPush { .. })
    ));
}

#[test]
fn what_came_before_a_failure_counts_and_one_bad_message_does_not_stop_the_rest() {
    let mut world = world("a", &[push()]);
    for id in ["1", "2", "3"] {
        send(&mut world, id).expect("it runs");
    }
    let question = ask(&world);
    say(&mut world, &question, &raised(Some(taken(1)))).expect("it counts");
    assert_eq!(row(&world).queue.len(), 2);
    assert_eq!(row(&world).due, Some(world.now.plus_ms(2_000)));
    let question = ask(&world);
    say(&mut world, &question, &raised(None)).expect("it counts");
    assert_eq!(
        evaluations(&world.state),
        ["1 runs 1 kept 0", "2 failed 1: no", "3 failed 2 over: no"]
    );
    let about = world.state.evaluations_of("s").next_back().expect("a row");
    assert_eq!(ids(about.of.as_ref().expect("messages")), ["2"]);
    let question = ask(&world);
    assert_eq!(question.items.len(), 1, "the bad one was passed over");
    say(&mut world, &question, &Said::Returned(taken(1))).expect("it counts");
    assert_eq!(world.state.runs.len(), 2);
    assert_kept(&world);
}

#[test]
fn a_request_that_cannot_be_fails_its_message_alone() {
    let mut world = world("a", &[push()]);
    for id in ["1", "2", "3"] {
        send(&mut world, id).expect("it runs");
    }
    let mut wanted = taken(3);
    wanted.runs[1].partition = Some("x".into());
    for rest in [2, 1] {
        let question = ask(&world);
        say(&mut world, &question, &Said::Returned(wanted.clone())).expect("it counts");
        assert_eq!(row(&world).queue.len(), rest);
        wanted.runs.remove(0);
        for run in &mut wanted.runs {
            run.answers = run.answers.map(|n| n - 1);
        }
        wanted.taken = 2;
    }
    let told = evaluations(&world.state);
    assert_eq!(told.len(), 3, "{told:?}");
    assert!(
        told[1].starts_with("2 failed 1: none of the selected assets"),
        "{told:?}"
    );
    assert!(told[2].starts_with("3 failed 2 over"), "{told:?}");
    assert_eq!(world.state.runs.len(), 1);
    assert_kept(&world);
}

/// A backfill that a message asks for.
fn backfill(item: usize, partitions: &str) -> BackfillAsked {
    BackfillAsked {
        selection: vec!["a".into()],
        partitions: vec![partitions.into()],
        answers: Some(item),
        ..BackfillAsked::default()
    }
}

#[test]
fn what_messages_before_a_bad_one_ask_for_is_made_whole() {
    let mut manifest = with("a daily; b", &[push()]);
    manifest["assets"][1]["partitions"] = json!({"kind": "dynamic", "name": "customers"});
    let mut world = World::new("a daily; b");
    world.deploy(&manifest).expect("it stands");
    for id in ["1", "2", "3", "4"] {
        send(&mut world, id).expect("it runs");
    }
    let add = |item: usize| DynamicPartitionsAsked {
        name: "customers".into(),
        add: vec![format!("of {item}")],
        remove: Vec::new(),
        answers: Some(item),
    };
    let mut wanted = Wanted {
        backfills: vec![
            backfill(0, "2026-01-01...2026-01-05"),
            backfill(1, "2026-01-06"),
            backfill(2, "no day"),
        ],
        dynamic_partitions: (0..4).map(add).collect(),
        taken: 4,
        ..Wanted::default()
    };
    // The last is refused first, and the third is refused nevertheless.
    wanted.runs.push(RunAsked {
        job: Some("none".into()),
        answers: Some(3),
        ..RunAsked::default()
    });
    let question = ask(&world);
    say(&mut world, &question, &Said::Returned(wanted)).expect("it counts");
    let ranges: Vec<_> = world.state.backfills.values().map(|b| b.count()).collect();
    assert_eq!(ranges.iter().sum::<u64>(), 6, "{ranges:?}");
    assert_eq!(ranges.len(), 2);
    let keys = world.state.partition_sets["customers"].iter();
    let keys: Vec<_> = keys.map(|key| key.display().into_owned()).collect();
    assert_eq!(keys, ["of 0", "of 1"]);
    assert_eq!(row(&world).queue.len(), 2, "the bad one is first now");
    let told = evaluations(&world.state);
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(told[1].contains("no day"), "{told:?}");
    let about = world.state.evaluations_of("s").next_back().expect("a row");
    assert_eq!(ids(about.of.as_ref().expect("messages")), ["3"]);
    assert_kept(&world);
}

#[test]
fn too_many_runs_of_many_messages_are_asked_for_in_several_evaluations() {
    let mut world = world("a", &[push()]);
    for n in 0..3 {
        send(&mut world, &n.to_string()).expect("it runs");
    }
    let mut wanted = taken(0);
    wanted.taken = 3;
    for n in 0..1_200 {
        wanted.runs.push(RunAsked {
            answers: Some(n / 400),
            ..run(None)
        });
    }
    let question = ask(&world);
    say(&mut world, &question, &Said::Returned(wanted)).expect("it counts");
    assert_eq!(row(&world).queue.len(), 1);
    assert_eq!(evaluations(&world.state), ["1 runs 800 kept 0"]);
}

#[test]
fn an_asset_sensor_has_every_materialization_since_it_runs() {
    let watches = json!({"kind": "asset", "assets": ["a", "b"], "selection": ["c"]});
    let mut world = world("a; b; c", &[sensor(&watches)]);
    let make = |world: &mut World, asset: &str| {
        let run = world.run(asset);
        let attempt = world.lease(1).pop().expect("there is work");
        world.report(attempt, vec![made(asset), Reported::Succeeded]);
        run
    };
    let runs = [
        make(&mut world, "a"),
        make(&mut world, "a"),
        make(&mut world, "b"),
    ];
    make(&mut world, "c");
    world
        .run_command(&Command::StopSensor("s".into()))
        .expect("it is there");
    make(&mut world, "a");
    world
        .run_command(&Command::StartSensor("s".into()))
        .expect("it is there");
    let last = make(&mut world, "b");
    let question = ask(&world);
    let of: Vec<_> = question
        .items
        .iter()
        .map(|item| match &item.what {
            QueuedWhat::Materialization { asset, run, .. } => (asset.to_string(), *run),
            other => panic!("{other:?}"),
        })
        .collect();
    let expected = [("a", runs[0]), ("a", runs[1]), ("b", runs[2]), ("b", last)];
    assert_eq!(
        of,
        expected.map(|(asset, run)| (asset.to_owned(), Some(run)))
    );
    assert_kept(&world);
    say(&mut world, &question, &Said::Returned(taken(3))).expect("it counts");
    assert_eq!(row(&world).queue.len(), 1, "what was not taken waits");
    let row = world.state.evaluations_of("s").next().expect("a row");
    assert!(matches!(&row.of, Some(EvaluationOf::Events { positions }) if positions.len() == 3));
    assert_kept(&world);
}

#[test]
fn a_run_status_sensor_has_every_run_of_its_scope_that_enters_a_status() {
    let waits = json!({"kind": "run_status", "statuses": ["started", "failed"], "selection": []});
    let mut world = world("a", &[sensor(&waits)]);
    let run = world.run("a");
    let attempt = world.lease(1).pop().expect("there is work");
    world.report(
        attempt,
        vec![crate::testing::failed(
            arco_core::event::FailureClass::UserCode,
        )],
    );
    assert_eq!(world.state_of(run).status, RunStatus::Failure);
    let question = ask(&world);
    let told: Vec<String> = question
        .items
        .iter()
        .map(|item| match &item.what {
            QueuedWhat::Run {
                run: of,
                status,
                message,
                ..
            } if *of == run => format!(
                "{} {}",
                status.as_str(),
                message.clone().unwrap_or_default()
            ),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(told, ["started ", "failed a: ValueError: no"]);
    // Nothing is to be run, and each is acknowledged (unlike N-24, a failure delivers it again).
    say(
        &mut world,
        &question,
        &raised(Some(Wanted {
            taken: 1,
            ..Wanted::default()
        })),
    )
    .expect("it counts");
    assert_eq!(row(&world).queue.len(), 1);
    assert_kept(&world);
}

#[test]
fn monitored_jobs_narrow_and_all_locations_widen() {
    let cases = [
        (json!({"monitored_jobs": ["one"]}), 1),
        (json!({"monitored_jobs": ["two"]}), 0),
        (json!({"monitor_all_code_locations": true}), 1),
        (json!({}), 1),
    ];
    for (extra, expected) in cases {
        let mut waits = sensor(&json!({"kind": "run_status", "statuses": ["succeeded"]}));
        for (key, value) in extra.as_object().expect("a mapping") {
            waits[key] = value.clone();
        }
        let mut manifest = with("a", &[waits]);
        manifest["jobs"] =
            json!([{"name": "one", "selection": ["a"]}, {"name": "two", "selection": ["a"]}]);
        let mut world = World::new("a");
        world.deploy(&manifest).expect("it stands");
        let mut request = world
            .request("a", &crate::planner::PartitionsAsked::None)
            .expect("a good request");
        request.job = Some(arco_core::event::JobRef {
            location: "loc".into(),
            name: "one".into(),
        });
        world.ask(request).expect("it is a run");
        let attempt = world.lease(1).pop().expect("there is work");
        world.report(attempt, vec![made("a"), Reported::Succeeded]);
        assert_eq!(row(&world).queue.len(), expected, "{extra}");
    }
}
