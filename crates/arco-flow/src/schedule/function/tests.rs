use arco_core::Timestamp;
use arco_core::event::{Asked, ErrorInfo};
use serde_json::{Value, json};

use super::super::{due, next_due, next_step};
use super::{TickQuestion, answered, next_question};
use crate::Rejection;
use crate::command::{Answer, Command};
use crate::evaluation::{RunAsked, Said, Wanted};
use crate::state::{State, TickRow};
use crate::testing::{NOW, World, manifest};

fn at(hours: i64, minutes: i64) -> Timestamp {
    Timestamp(NOW.0 + (hours * 60 + minutes) * 60_000)
}

fn world(extra: &Value) -> World {
    let mut value = json!({"name": "s", "cron": ["0 * * * *"], "selection": ["*"],
        "default_status": "running", "function": true});
    for (key, given) in extra.as_object().expect("a mapping") {
        value[key] = given.clone();
    }
    let mut manifest = manifest("a; b static");
    manifest["schedules"] = json!([value]);
    let mut world = World::new("a; b static");
    world
        .deploy(&manifest)
        .expect("the test's definitions hold together");
    world
}

fn say(world: &mut World, question: &TickQuestion, said: &Said) -> Result<Answer, Rejection> {
    let asked = Asked {
        started: world.now,
        took_ms: 3,
        log: Vec::new(),
    };
    let proposal = answered(&world.state, question, said, &asked, world.now, &|_| Ok(()));
    world.run_command(&Command::FireSchedule(Box::new(
        proposal.expect("it is there"),
    )))
}

fn run(key: Option<&str>, partition: Option<&str>) -> RunAsked {
    RunAsked {
        run_key: key.map(ToOwned::to_owned),
        partition: partition.map(ToOwned::to_owned),
        assets: Some(vec![
            arco_core::AssetKey::parse(if partition.is_some() { "b" } else { "a" }).unwrap(),
        ]),
        ..RunAsked::default()
    }
}

fn wants(runs: Vec<RunAsked>) -> Said {
    Said::Returned(Wanted {
        runs,
        ..Wanted::default()
    })
}

fn raised() -> Said {
    Said::Raised {
        error: ErrorInfo {
            kind: "ValueError".into(),
            message: "no".into(),
            traceback: String::new(),
        },
        before: None,
    }
}

fn ticks(state: &State) -> Vec<String> {
    let row = |tick: &crate::state::Tick| {
        let hour = tick.id.instant.ms_since(NOW) / 3_600_000;
        match &tick.outcome {
            TickRow::Success { runs, .. } => format!("{hour} runs {}", runs.len()),
            TickRow::Skipped { reason } => format!("{hour} skipped: {reason}"),
            TickRow::Failure { error } => {
                format!(
                    "{hour} failed {}: {}",
                    tick.attempt.unwrap_or(1),
                    error.message
                )
            }
            TickRow::Missed { count, .. } => format!("{hour} missed {count}"),
        }
    };
    state.ticks_of("s").map(row).collect()
}

fn assert_kept(world: &World) {
    let replayed = world.replayed();
    assert_eq!(world.state.hash(), replayed.hash());
    assert_eq!(world.state.timers, replayed.timers);
    let read = State::from_bytes(&world.state.to_bytes()).expect("our own snapshot");
    assert_eq!(read.timers, world.state.timers);
    assert_eq!(read.hash(), world.state.hash());
}

#[test]
fn a_function_is_asked_for_its_instant_and_its_answer_counts_once() {
    let mut world = world(&json!({}));
    assert_eq!(next_question(&world.state, "s", world.now), None);
    world.now = at(3, 5);
    assert!(
        next_step(&world.state, "s", world.now).is_none(),
        "it has to be asked"
    );
    let question = next_question(&world.state, "s", world.now).expect("it is due");
    assert_eq!(question.tick.to_string(), "s:2026-02-01T03:00:00Z");
    assert_eq!((question.attempt, question.timeout_ms), (1, 60_000));
    world.now = at(3, 6);
    let from = world.log.len();
    say(&mut world, &question, &wants(vec![run(None, None)])).expect("it counts");
    assert_eq!(
        world.kinds(from),
        "ticks.missed run.requested tick.finished"
    );
    let again = say(&mut world, &question, &wants(vec![run(None, None)]));
    assert!(
        matches!(again, Err(Rejection::TickSuperseded(_))),
        "{again:?}"
    );
    assert_eq!(ticks(&world.state), ["2 missed 2", "3 runs 1"]);
    let made = world.state.runs.values().next().expect("a run");
    assert_eq!(made.tick.as_ref(), Some(&question.tick));
    assert_eq!(made.tags["dagster/schedule_name"], "s");
    // The text that scripts written for Dagster look for, in UTC (S-16).
    assert_eq!(
        made.tags[".dagster/scheduled_execution_time"],
        "2026-02-01T03:00:00+00:00"
    );
    let tick = world.state.ticks.values().next_back().expect("a tick");
    assert_eq!(tick.asked.as_ref().expect("it was asked").took_ms, 3);
    assert_eq!(next_due(&world.state), Some(at(4, 0)));
    assert_kept(&world);
}

#[test]
fn what_a_function_gives_is_what_dagster_takes() {
    let text = |text: &str| text.to_owned();
    let rows: Vec<(Said, String)> = vec![
        (
            wants(vec![]),
            text("1 skipped: the function asked for nothing"),
        ),
        (
            Said::Returned(Wanted {
                skip_reason: Some("holiday".into()),
                ..Wanted::default()
            }),
            text("1 skipped: holiday"),
        ),
        (
            wants(vec![run(Some("x"), Some("x")), run(Some("y"), Some("y"))]),
            text("1 runs 2"),
        ),
        // Two equal keys are one run.
        (
            wants(vec![run(Some("x"), Some("x")), run(Some("x"), Some("y"))]),
            text("1 runs 1"),
        ),
        (
            wants(vec![run(None, Some("x")), run(Some("y"), Some("y"))]),
            text(
                "1 failed 1: it asked for 2 runs, and 1 of them have no `run_key`; give each a key of its own",
            ),
        ),
        (
            wants(vec![run(None, Some("q"))]),
            text("1 failed 1: partition `q` of `b`"),
        ),
        (raised(), text("1 failed 1: no")),
    ];
    for (said, expected) in rows {
        let mut world = world(&json!({}));
        world.now = at(1, 0);
        let question = next_question(&world.state, "s", world.now).expect("it is due");
        say(&mut world, &question, &said).expect("it counts");
        let told = ticks(&world.state);
        assert!(
            told.len() == 1 && told[0].starts_with(&expected),
            "{told:?}"
        );
        let runs =
            usize::from(told[0].ends_with("runs 1")) + 2 * usize::from(told[0].ends_with("runs 2"));
        assert_eq!(world.state.runs.len(), runs, "nothing is half done");
        assert_kept(&world);
    }
}

#[test]
fn the_instant_is_told_in_utc_whatever_the_zone_of_the_schedule() {
    let mut world = world(&json!({"timezone": "Asia/Tokyo", "cron": ["30 12 * * *"]}));
    world.now = at(3, 31);
    let question = next_question(&world.state, "s", world.now).expect("it is noon there");
    assert_eq!(question.tick.to_string(), "s:2026-02-01T03:30:00Z");
    say(&mut world, &question, &wants(vec![run(None, None)])).expect("it counts");
    let made = world.state.runs.values().next().expect("a run");
    assert_eq!(
        made.tags[".dagster/scheduled_execution_time"],
        "2026-02-01T03:30:00+00:00"
    );
}

#[test]
fn a_key_is_one_run_within_its_tick_and_another_in_the_next() {
    let mut world = world(&json!({}));
    for hour in 1..=2 {
        world.now = at(hour, 0);
        let question = next_question(&world.state, "s", world.now).expect("it is due");
        let same = vec![run(Some("k"), Some("x")), run(Some("k"), Some("y"))];
        say(&mut world, &question, &wants(same)).expect("it counts");
    }
    assert_eq!(ticks(&world.state), ["1 runs 1", "2 runs 1"]);
    let keys: Vec<&str> = world
        .state
        .runs
        .values()
        .map(|run| run.tags["dagster/run_key"].as_str())
        .collect();
    assert_eq!(keys, ["k", "k"], "as it was given");
    assert_kept(&world);
}

#[test]
fn a_request_of_a_tick_carries_all_that_a_run_may_be_told() {
    let mut world = world(
        &json!({"selection": ["a", "b"], "config": {"ops": {"a": {"n": 1}}},
        "tags": {"team": "core", "of": "schedule"}}),
    );
    world.now = at(1, 0);
    let question = next_question(&world.state, "s", world.now).expect("it is due");
    let asked = RunAsked {
        config: json!({"ops": {"b": {"n": 2}}}),
        tags: [("of".to_owned(), "request".to_owned())].into(),
        ..run(Some("k"), Some("y"))
    };
    say(&mut world, &question, &wants(vec![asked])).expect("it counts");
    let made = world.state.runs.values().next().expect("a run");
    assert_eq!(made.partitions.as_deref(), Some("y"));
    assert_eq!(*made.assets, [arco_core::AssetKey::parse("b").unwrap()]);
    assert_eq!(*made.config, json!({"ops": {"b": {"n": 2}}}));
    assert_eq!(
        (&*made.tags["team"], &*made.tags["of"]),
        ("core", "request")
    );
    assert_eq!(made.tags["dagster/partition"], "y");
}

#[test]
fn a_tick_that_failed_is_tried_again_as_often_as_the_schedule_says_with_a_growing_pause() {
    let mut world = world(&json!({"max_retries": 2, "catch_up": {"policy": "all"}}));
    world.now = at(1, 0);
    let mut stale = Vec::new();
    for (attempt, pause_ms) in [(1, 10_000), (2, 20_000)] {
        let question = next_question(&world.state, "s", world.now).expect("it is due");
        assert_eq!(question.attempt, attempt);
        say(&mut world, &question, &raised()).expect("it counts");
        stale.push(question);
        assert!(world.state.ticks.is_empty(), "it is not over");
        assert_eq!(next_due(&world.state), Some(world.now.plus_ms(pause_ms)));
        assert_eq!(
            next_question(&world.state, "s", world.now),
            None,
            "it pauses"
        );
        assert_eq!(due(&world.state, world.now).count(), 0);
        for late in &stale {
            let late = say(&mut world, late, &wants(vec![run(None, None)]));
            assert!(
                matches!(late, Err(Rejection::TickSuperseded(_))),
                "{late:?}"
            );
        }
        assert_kept(&world);
        world.now = world.now.plus_ms(pause_ms);
    }
    // The next instant waits for the one before it.
    world.now = at(2, 0);
    let question = next_question(&world.state, "s", world.now).expect("it is due");
    assert_eq!((question.tick.instant, question.attempt), (at(1, 0), 3));
    say(&mut world, &question, &raised()).expect("it counts");
    assert_eq!(ticks(&world.state), ["1 failed 3: no"]);
    let question = next_question(&world.state, "s", world.now).expect("it is due");
    assert_eq!((question.tick.instant, question.attempt), (at(2, 0), 1));
    say(&mut world, &question, &wants(vec![run(None, None)])).expect("it counts");
    assert_eq!(ticks(&world.state)[1], "2 runs 1");
    assert_kept(&world);
}

#[test]
fn without_retries_a_failed_tick_is_over() {
    let mut world = world(&json!({}));
    world.now = at(1, 0);
    let question = next_question(&world.state, "s", world.now).expect("it is due");
    say(&mut world, &question, &raised()).expect("it counts");
    assert_eq!(ticks(&world.state), ["1 failed 1: no"]);
    assert_eq!(next_question(&world.state, "s", world.now), None);
}

#[test]
fn a_function_may_run_one_of_several_jobs_and_says_which() {
    let mut manifest = manifest("a; b static");
    manifest["jobs"] =
        json!([{"name": "one", "selection": ["a"]}, {"name": "two", "selection": ["b"]}]);
    manifest["schedules"] = json!([{"name": "s", "cron": ["0 * * * *"], "jobs": ["one", "two"],
        "default_status": "running", "function": true}]);
    let mut world = World::new("a; b static");
    world.deploy(&manifest).expect("it stands");
    world.now = at(1, 0);
    let asked = |job: Option<&str>| {
        wants(vec![RunAsked {
            job: job.map(ToOwned::to_owned),
            ..RunAsked::default()
        }])
    };
    for (job, expected) in [(None, "names none of them"), (Some("one"), "runs 1")] {
        let question = next_question(&world.state, "s", world.now).expect("it is due");
        say(&mut world, &question, &asked(job)).expect("it counts");
        let told = ticks(&world.state).pop().expect("a tick");
        assert!(told.contains(expected), "{told}");
        world.now = world.now.plus_ms(3_600_000);
    }
    let made = world.state.runs.values().next().expect("a run");
    assert_eq!(made.job.as_ref().expect("of a job").name, "one");
}

/// S-33, EX-127: ticks of every status are kept in history, and the state does not grow by them.
#[test]
fn ticks_of_every_status_leave_the_state_which_does_not_grow() {
    const KEEP: usize = 50;
    let mut world = world(&json!({}));
    let mut sizes = Vec::new();
    for hour in 1..=900 {
        world.now = at(hour, 0);
        let question = next_question(&world.state, "s", world.now).expect("it is due");
        let said = match hour % 2 {
            0 => raised(),
            _ => wants(Vec::new()),
        };
        say(&mut world, &question, &said).expect("it counts");
        let surplus = world.state.ticks.len().saturating_sub(KEEP);
        if surplus > KEEP / 10 {
            let (ticks, through) = world.state.oldest_ticks(surplus);
            let reference = json!({"kind": "ticks", "name": format!("ticks/{hour:020}"), "size": 65_536,
                "index": 60_000, "rows": ticks.len(), "first": "czoyMDI2LTAy", "last": "czoyMDI2LTAz"});
            let pack = Command::PackTicks { reference, through };
            world.run_command(&pack).expect("the leader asks for it");
        }
        assert!(world.state.ticks.len() <= KEEP + KEEP / 10);
        if [300, 900].contains(&hour) {
            sizes.push((world.state.to_bytes().len(), world.state.tick_history.len()));
        }
    }
    let [(early, few), (late, many)] = sizes[..] else {
        panic!("{sizes:?}")
    };
    assert!(
        many > few && late <= early + (many - few) * 300,
        "{sizes:?}"
    );
    assert_kept(&world);
}
