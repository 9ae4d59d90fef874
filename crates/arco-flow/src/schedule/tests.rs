use arco_core::Timestamp;
use arco_core::definitions::{Schedule, ScheduleDef};
use arco_core::event::{Fact, MissedReason};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{Evaluated, MISSED_MAX, Overdue, due, next_due, next_step, overdue};
use crate::Rejection;
use crate::command::Command;
use crate::state::{State, TickRow, TickStatus};
use crate::testing::{NOW, World, manifest};

/// 2026-02-01T00:00:00Z plus days, hours and minutes.
fn at(days: i64, hours: i64, minutes: i64) -> Timestamp {
    Timestamp(NOW.0 + ((days * 24 + hours) * 60 + minutes) * 60_000)
}

fn schedule(extra: Value) -> Value {
    let mut value = json!({"name": "s", "cron": ["0 * * * *"], "selection": ["a"],
        "default_status": "running"});
    for (key, given) in extra.as_object().expect("a mapping") {
        value[key] = given.clone();
    }
    value
}

fn read(extra: Value) -> Schedule {
    let def: ScheduleDef = serde_json::from_value(schedule(extra)).expect("a schedule");
    Schedule::read(&def).expect("it stands")
}

fn with(definitions: &str, schedules: &[Value]) -> Value {
    let mut manifest = manifest(definitions);
    manifest["schedules"] = json!(schedules);
    manifest
}

/// A workspace whose one location has these schedules from [`NOW`] on.
fn world(definitions: &str, schedules: &[Value]) -> World {
    let mut world = World::new(definitions);
    world
        .deploy(&with(definitions, schedules))
        .expect("the test's definitions hold together");
    world
}

/// Has everything done that is due, as the engine does; says how many steps that took.
fn fire(world: &mut World) -> usize {
    let mut steps = 0;
    loop {
        let first = due(&world.state, world.now).next().map(str::to_owned);
        let Some(name) = first else { return steps };
        let proposal = next_step(&world.state, &name, world.now).expect("it is due");
        world
            .run_command(&Command::FireSchedule(Box::new(proposal)))
            .expect("nothing came in between");
        steps += 1;
    }
}

/// Two states mean the same, and so do their indexes.
fn assert_same(a: &State, b: &State) {
    assert_eq!(a.hash(), b.hash());
    assert_eq!(a.timers, b.timers);
}

/// `instant status what` per tick, oldest first.
fn ticks(state: &State) -> Vec<String> {
    let row = |tick: &std::sync::Arc<crate::state::Tick>| {
        let instant = tick.id.instant.to_rfc3339_seconds();
        let instant = instant.trim_start_matches("2026-").trim_end_matches(":00Z");
        match &tick.outcome {
            TickRow::Success { runs, .. } => {
                let keys = runs.iter().map(|run| {
                    let run = state.run(*run).expect("it is in memory");
                    run.partitions.clone().unwrap_or_else(|| "run".into())
                });
                format!("{instant} {}", keys.collect::<Vec<_>>().join(" "))
            }
            TickRow::Skipped { reason } => format!("{instant} skipped: {reason}"),
            TickRow::Failure { error } => format!("{instant} failed: {}", error.message),
            TickRow::Missed { count, reason, .. } => format!("{instant} {count} {reason:?}"),
        }
    };
    state.ticks.values().map(row).collect()
}

#[test]
fn an_overdue_schedule_is_judged_by_its_policy() {
    use MissedReason::{Late, NotLatest, OutsideWindow, OverMaxTicks};
    let hour = |n| at(0, n, 0);
    // Hourly; settled at 00:00; judged at 10:00:30 unless it says otherwise.
    // First and last missed, how many, and why.
    type Missed = Vec<(i64, i64, u64, MissedReason)>;
    let rows: Vec<(Value, Missed, Option<i64>)> = vec![
        (
            json!({"policy": "latest"}),
            vec![(1, 9, 9, NotLatest)],
            Some(10),
        ),
        (json!({"policy": "skip"}), vec![(1, 9, 9, Late)], Some(10)),
        (json!({"policy": "all"}), vec![], Some(1)),
        (
            json!({"policy": "all", "max_ticks": 3}),
            vec![(1, 7, 7, OverMaxTicks)],
            Some(8),
        ),
        (
            json!({"policy": "all", "window_seconds": 7200}),
            vec![(1, 8, 8, OutsideWindow)],
            Some(9),
        ),
        (
            json!({"policy": "all", "window_seconds": 14_400, "max_ticks": 2}),
            vec![(1, 6, 6, OutsideWindow), (7, 8, 2, OverMaxTicks)],
            Some(9),
        ),
        (
            json!({"policy": "latest", "window_seconds": 10}),
            vec![(1, 10, 10, OutsideWindow)],
            None,
        ),
    ];
    for (catch_up, missed, fire) in rows {
        let schedule = read(json!({"catch_up": catch_up}));
        let now = Timestamp(hour(10).0 + 30_000);
        let judged = overdue(&schedule, NOW, now);
        let found: Vec<_> = judged
            .missed
            .iter()
            .map(|m| (m.first, m.last, m.count, m.reason))
            .collect();
        let expected: Vec<_> = missed
            .into_iter()
            .map(|(first, last, count, reason)| (hour(first), hour(last), count, reason))
            .collect();
        assert_eq!(found, expected, "{catch_up}");
        assert_eq!(judged.fire, fire.map(hour), "{catch_up}");
    }
}

#[test]
fn late_by_a_minute_is_missed_under_skip_and_less_is_not() {
    let schedule = read(json!({"catch_up": {"policy": "skip"}}));
    let just = overdue(&schedule, NOW, Timestamp(at(0, 1, 0).0 + 59_999));
    assert_eq!(just.fire, Some(at(0, 1, 0)));
    let late = overdue(&schedule, NOW, at(0, 1, 1));
    assert_eq!(late.fire, None);
    assert_eq!(late.missed.len(), 1);
}

#[test]
fn a_year_of_minutes_is_recorded_in_bounded_steps() {
    let mut world = world("a", &[schedule(json!({"cron": ["* * * * *"]}))]);
    world.now = at(365, 0, 0);
    let steps = fire(&mut world);
    let minutes = 365 * 24 * 60_u64;
    assert_eq!(steps as u64, (minutes - 1).div_ceil(MISSED_MAX as u64));
    let missed = world.state.ticks.values().map(|tick| match tick.outcome {
        TickRow::Missed { count, .. } => count,
        _ => 1,
    });
    assert_eq!(missed.sum::<u64>(), minutes, "each instant has one row");
    assert_same(&world.state, &world.replayed());
}

proptest! {
    /// Whatever the crons, the policy and the outage: the instants are settled once each, in order,
    /// none of the future is touched, and nothing is left over.
    #[test]
    fn every_instant_is_settled_once_and_none_of_the_future(
        cron in prop::sample::select(vec!["* * * * *", "*/7 3-5 * * *", "0 * * * *", "30 2 * * 1", "0 0 1 * *"]),
        policy in prop::sample::select(vec!["skip", "latest", "all"]),
        window in prop::option::of(60_u64..200_000),
        max_ticks in 1_u32..20,
        jumps in prop::collection::vec(-90_000_000_i64..200_000_000, 1..8),
    ) {
        let mut catch_up = json!({"policy": policy, "max_ticks": max_ticks});
        if let Some(window) = window {
            catch_up["window_seconds"] = json!(window);
        }
        let schedule = read(json!({"cron": [cron], "timezone": "Europe/Berlin", "catch_up": catch_up}));
        let (mut settled, mut now, mut latest) = (NOW, NOW, NOW);
        let mut found: Vec<(Timestamp, u64)> = Vec::new();
        for jump in jumps {
            now = Timestamp(now.0 + jump);
            latest = latest.max(now);
            loop {
                let Overdue { missed, fire } = overdue(&schedule, settled, now);
                for m in &missed {
                    prop_assert!(m.first > settled && m.last >= m.first && m.last <= now);
                    settled = m.last;
                    found.push((m.last, m.count));
                }
                if let Some(instant) = fire {
                    prop_assert!(instant > settled && instant <= now);
                    settled = instant;
                    found.push((instant, 1));
                }
                if missed.is_empty() && fire.is_none() {
                    break;
                }
            }
        }
        let all = schedule.cron().instants_from(NOW.plus_ms(1)).take_while(|i| *i <= latest).count();
        prop_assert_eq!(found.iter().map(|(_, n)| *n).sum::<u64>(), all as u64);
        prop_assert!(found.windows(2).all(|pair| pair[0].0 < pair[1].0));
    }
}

#[test]
fn a_schedule_on_by_default_fires_from_its_deploy_on_and_not_before() {
    let mut world = world("a", &[schedule(json!({"catch_up": {"policy": "all"}}))]);
    assert_eq!(
        fire(&mut world),
        0,
        "the instant of the deploy is not after it"
    );
    assert_eq!(next_due(&world.state), Some(at(0, 1, 0)));
    world.now = at(0, 2, 30);
    fire(&mut world);
    assert_eq!(ticks(&world.state), ["02-01T01:00 run", "02-01T02:00 run"]);
    assert_same(&world.state, &world.replayed());
}

#[test]
fn instants_that_pass_while_a_schedule_is_stopped_never_run() {
    let off = schedule(json!({"default_status": "stopped", "catch_up": {"policy": "all"}}));
    let mut world = world("a", &[off]);
    world.now = at(0, 5, 30);
    assert_eq!(fire(&mut world), 0);
    let named = |make: fn(String) -> Command| make("s".into());
    world
        .run_command(&named(Command::StartSchedule))
        .expect("it is known");
    assert_eq!(fire(&mut world), 0);
    world.now = at(0, 6, 0);
    fire(&mut world);
    world
        .run_command(&named(Command::StopSchedule))
        .expect("it is known");
    world.now = at(0, 8, 30);
    assert_eq!(fire(&mut world), 0);
    world
        .run_command(&named(Command::StartSchedule))
        .expect("it is known");
    world.now = at(0, 9, 0);
    fire(&mut world);
    world
        .run_command(&named(Command::ResetSchedule))
        .expect("it is known");
    world.now = at(0, 10, 0);
    assert_eq!(fire(&mut world), 0, "the code says stopped");
    assert_eq!(ticks(&world.state), ["02-01T06:00 run", "02-01T09:00 run"]);
    assert_same(&world.state, &world.replayed());
}

#[test]
fn saying_it_again_writes_nothing_and_resetting_what_was_never_said_neither() {
    let mut world = world("a", &[schedule(json!({}))]);
    let before = world.log.len();
    for (command, events) in [
        (Command::ResetSchedule("s".into()), ""),
        (Command::StartSchedule("s".into()), "schedule.started"),
        (Command::StartSchedule("s".into()), ""),
        (Command::StopSchedule("s".into()), "schedule.stopped"),
        (Command::StopSchedule("s".into()), ""),
        (Command::ResetSchedule("s".into()), "schedule.reset"),
    ] {
        let from = world.log.len();
        world.run_command(&command).expect("it is known");
        assert_eq!(world.kinds(from), events, "{command:?}");
    }
    assert_eq!(world.log.len(), before + 3);
    let refused = world.run_command(&Command::StartSchedule("S".into()));
    let message = refused.expect_err("no such schedule").to_string();
    assert!(message.contains("did you mean `s`?"), "{message}");
}

#[test]
fn starting_what_runs_keeps_its_place() {
    let mut world = world("a", &[schedule(json!({"catch_up": {"policy": "all"}}))]);
    world.now = at(0, 1, 30);
    world
        .run_command(&Command::StartSchedule("s".into()))
        .expect("it is known");
    fire(&mut world);
    assert_eq!(ticks(&world.state), ["02-01T01:00 run"]);
}

#[test]
fn a_changed_cron_counts_from_its_deploy_and_a_changed_target_keeps_its_place() {
    let every = |cron: &str, selection: &str| {
        let extra =
            json!({"cron": [cron], "selection": [selection], "catch_up": {"policy": "all"}});
        with("a; b", &[schedule(extra)])
    };
    let mut world = World::new("a; b");
    world.deploy(&every("0 * * * *", "a")).expect("it stands");
    world.now = at(0, 1, 30);
    world.deploy(&every("0 * * * *", "b")).expect("it stands");
    fire(&mut world);
    assert_eq!(ticks(&world.state), ["02-01T01:00 run"]);
    let run = world.state.runs.values().next().expect("a run");
    assert_eq!(run.selection.as_deref(), Some("b"));
    world.now = at(0, 2, 45);
    world
        .deploy(&every("*/10 * * * *", "b"))
        .expect("it stands");
    fire(&mut world);
    assert_eq!(ticks(&world.state).len(), 1, "nothing of before the change");
    world.now = at(0, 2, 50);
    fire(&mut world);
    assert_eq!(ticks(&world.state)[1..], ["02-01T02:50 run"]);
}

#[test]
fn a_schedule_that_comes_back_within_half_a_day_knows_what_operators_said() {
    let there = with("a", &[schedule(json!({}))]);
    let gone = with("a", &[]);
    for (hours, runs) in [(11, false), (13, true)] {
        let mut world = World::new("a");
        world.deploy(&there).expect("it stands");
        world
            .run_command(&Command::StopSchedule("s".into()))
            .expect("it is known");
        world.deploy(&gone).expect("it stands");
        assert_eq!(next_due(&world.state), None);
        let unknown = world.run_command(&Command::StartSchedule("s".into()));
        assert!(matches!(unknown, Err(Rejection::UnknownSchedule { .. })));
        world.now = at(0, hours, 0);
        world.deploy(&with("a; b", &[])).expect("it stands");
        world.deploy(&there).expect("it stands");
        assert_eq!(
            world.state.schedules["s"].is_running(),
            runs,
            "after {hours} h"
        );
        assert_same(&world.state, &world.replayed());
    }
}

#[test]
fn a_tick_its_runs_and_its_place_are_one_decision_and_are_decided_once() {
    let mut world = world("a", &[schedule(json!({}))]);
    world.now = at(0, 3, 0);
    let proposals: Vec<_> = (0..3)
        .map(|_| next_step(&world.state, "s", world.now).expect("it is due"))
        .collect();
    let from = world.log.len();
    let mut answers = proposals
        .into_iter()
        .map(|proposal| world.run_command(&Command::FireSchedule(Box::new(proposal))));
    assert!(answers.next().expect("three").is_ok());
    assert!(answers.all(|answer| matches!(answer, Err(Rejection::TickSuperseded(_)))));
    assert_eq!(
        world.kinds(from),
        "ticks.missed run.requested tick.finished"
    );
    let segments: Vec<u64> = world.log[from..].iter().map(|(at, _)| at.segment).collect();
    assert!(segments.windows(2).all(|pair| pair[0] == pair[1]));
    let run = world.state.runs.values().next().expect("a run");
    assert_eq!(
        run.tick.as_ref().expect("of a tick").to_string(),
        "s:2026-02-01T03:00:00Z"
    );
    assert_eq!(
        (run.scope.as_str(), run.run_key.as_deref()),
        ("schedule:s", Some("2026-02-01T03:00:00Z"))
    );
    assert_eq!(run.tags["dagster/schedule_name"], "s");
    assert_eq!(
        run.tags[".dagster/scheduled_execution_time"],
        "2026-02-01T03:00:00+00:00"
    );
}

#[test]
fn a_clock_that_goes_back_repeats_nothing_and_one_that_jumped_is_not_believed_by_the_log() {
    let mut world = world("a", &[schedule(json!({}))]);
    world.now = at(0, 1, 0);
    fire(&mut world);
    world.now = at(0, 0, 0);
    assert_eq!(fire(&mut world), 0);
    world.now = at(0, 1, 30);
    assert_eq!(fire(&mut world), 0);
    // Someone's wrong clock wrote an event of tomorrow: event times stay there, and instants do not.
    world.now = at(1, 0, 0);
    world.run("a");
    world.now = at(0, 1, 45);
    assert_eq!(fire(&mut world), 0);
    assert!(world.state.time > at(0, 23, 0));
    // What was judged by the wrong clock is refused by a right one.
    let future = next_step(&world.state, "s", at(1, 0, 0)).expect("due by the wrong clock");
    let refused = world.run_command(&Command::FireSchedule(Box::new(future)));
    assert!(matches!(refused, Err(Rejection::TickSuperseded(_))));
    world.now = at(0, 2, 0);
    fire(&mut world);
    assert_eq!(ticks(&world.state), ["02-01T01:00 run", "02-01T02:00 run"]);
}

#[test]
fn a_partitioned_schedule_runs_the_last_partition_of_the_instant() {
    let extra = json!({"cron": ["0 5 * * *"], "selection": ["*"], "partitions": "last",
        "catch_up": {"policy": "all"}});
    let definitions = "a daily; b daily <- a; c";
    let mut world = world(definitions, &[schedule(extra)]);
    world.now = at(2, 6, 0);
    fire(&mut world);
    assert_eq!(
        ticks(&world.state),
        [
            "02-01T05:00 2026-01-31",
            "02-02T05:00 2026-02-01",
            "02-03T05:00 2026-02-02"
        ],
        "late or not, it is the partition of its instant"
    );
    let first = world.state.ticks.values().next().expect("a tick");
    let run = world.state_of(first.runs()[0]);
    assert_eq!(run.tags["dagster/partition"], "2026-01-31");
    assert_eq!(run.tags["dagster/run_key"], "2026-01-31");
    assert_eq!(
        run.run_key.as_deref(),
        Some("2026-02-01T05:00:00Z/2026-01-31")
    );
    assert_same(&world.state, &world.replayed());
}

#[test]
fn of_several_dimensions_the_last_window_is_run_for_every_fixed_key() {
    let extra = json!({"cron": ["0 5 * * *"], "partitions": "last"});
    let mut manifest = with("a daily", &[schedule(extra)]);
    let days = manifest["assets"][0]["partitions"].clone();
    manifest["assets"][0]["partitions"] = json!({"kind": "multi", "dimensions":
        {"day": days, "region": {"kind": "static", "keys": ["eu", "us"]}}});
    let mut world = World::new("a");
    world.deploy(&manifest).expect("it stands");
    world.now = at(0, 5, 0);
    fire(&mut world);
    assert_eq!(
        ticks(&world.state),
        ["02-01T05:00 2026-01-31|eu 2026-01-31|us"]
    );
}

#[test]
fn a_window_that_is_left_out_is_a_skipped_tick() {
    let extra = json!({"cron": ["0 5 * * *"], "partitions": "last", "catch_up": {"policy": "all"}});
    let mut manifest = with("a daily", &[schedule(extra)]);
    // 2026-01-31 is a Saturday.
    manifest["assets"][0]["partitions"]["exclusions"] = json!(["0 0 * * 0,6"]);
    let mut world = World::new("a");
    world.deploy(&manifest).expect("it stands");
    world.now = at(2, 5, 0);
    fire(&mut world);
    let out = "skipped: the last window at 2026-02";
    assert_eq!(
        ticks(&world.state),
        [
            format!("02-01T05:00 {out}-01T05:00:00Z is left out of the partitions"),
            format!("02-02T05:00 {out}-02T05:00:00Z is left out of the partitions"),
            "02-03T05:00 2026-02-02".to_owned(),
        ]
    );
}

#[test]
fn dynamic_partitions_have_no_last_one() {
    let mut manifest = with("a daily", &[schedule(json!({"partitions": "last"}))]);
    manifest["assets"][0]["partitions"] = json!({"kind": "dynamic", "name": "customers"});
    let mut world = World::new("a");
    world.deploy(&manifest).expect("it stands");
    world.now = at(0, 1, 0);
    fire(&mut world);
    let found = ticks(&world.state);
    let expected = "02-01T01:00 failed: the partitions of `a` are the dynamic set `customers`";
    assert!(found[0].starts_with(expected), "{found:?}");
}

#[test]
fn a_schedule_over_fixed_keys_runs_each_of_them_at_every_tick() {
    let extra = json!({"partitions": "last"});
    let mut world = world("a static", &[schedule(extra)]);
    for hour in 1..=2 {
        world.now = at(0, hour, 0);
        fire(&mut world);
    }
    assert_eq!(
        ticks(&world.state),
        ["02-01T01:00 x y z", "02-01T02:00 x y z"]
    );
    assert_eq!(
        world.state.runs.len(),
        6,
        "a run key counts within its tick"
    );
}

#[test]
fn nothing_to_run_is_skipped_and_what_cannot_be_said_is_failed_with_a_mend() {
    let future = {
        let mut manifest = with("a daily; m monthly; b; x external", &[]);
        manifest["assets"][0]["partitions"]["start"] = json!("2027-01-01T00:00:00");
        manifest
    };
    let rows = [
        (
            json!({"selection": ["a"], "partitions": "last"}),
            "skipped: no partition exists at 2026-02-01T01:00:00Z",
        ),
        (
            json!({"selection": ["b"], "partitions": "last"}),
            "failed: it runs the last partition, and none",
        ),
        (
            json!({"selection": ["m"]}),
            "failed: asset `m` is partitioned, and no partition was given",
        ),
        (
            json!({"selection": ["key:a or key:m"], "partitions": "last"}),
            "failed: `a` and `m` have different partitions",
        ),
        (
            json!({"selection": ["tag:none"]}),
            "failed: the selection `tag:none` selects no asset",
        ),
        (json!({"selection": ["nobody"]}), "failed: "),
        (json!({"selection": ["x"]}), "failed: asset `x` is external"),
    ];
    for (extra, expected) in rows {
        let mut manifest = future.clone();
        manifest["schedules"] = json!([schedule(extra.clone())]);
        let mut world = World::new("a");
        world.deploy(&manifest).expect("it stands");
        world.now = at(0, 1, 0);
        fire(&mut world);
        let found = ticks(&world.state);
        let expected = format!("02-01T01:00 {expected}");
        assert!(
            found.len() == 1 && found[0].starts_with(&expected),
            "{extra}: {found:?}"
        );
        assert!(world.state.runs.is_empty());
        assert_ne!(
            world.state.ticks.values().next().map(|t| t.status()),
            Some(TickStatus::Success)
        );
    }
}

#[test]
fn a_proposal_of_former_definitions_is_refused() {
    let mut world = world("a; b", &[schedule(json!({}))]);
    world.now = at(0, 1, 0);
    let proposal = next_step(&world.state, "s", world.now).expect("it is due");
    assert!(matches!(&proposal.tick, Some((_, Evaluated::Runs(runs))) if runs.len() == 1));
    let target = schedule(json!({"selection": ["b"]}));
    world.deploy(&with("a; b", &[target])).expect("it stands");
    let refused = world.run_command(&Command::FireSchedule(Box::new(proposal)));
    assert!(matches!(refused, Err(Rejection::TickSuperseded(_))));
    // The schedule is as it was, and its assets are not.
    let proposal = next_step(&world.state, "s", world.now).expect("it is due");
    world
        .deploy(&with("a; b v=2", &[schedule(json!({"selection": ["b"]}))]))
        .expect("it stands");
    let refused = world.run_command(&Command::FireSchedule(Box::new(proposal)));
    assert_eq!(refused, Err(Rejection::Replan));
    assert!(world.state.ticks.is_empty() && world.state.runs.is_empty());
}

#[test]
fn a_snapshot_knows_schedules_ticks_and_what_is_due() {
    let mut world = world("a daily", &[schedule(json!({"partitions": "last"}))]);
    world.now = at(0, 1, 0);
    fire(&mut world);
    let bytes = world.state.to_bytes();
    let read = State::from_bytes(&bytes).expect("our own snapshot");
    assert_same(&read, &world.state);
    assert_eq!(read.timers, world.state.timers);
    assert_eq!(next_due(&read), Some(at(0, 2, 0)));
}

#[test]
fn old_ticks_leave_memory_with_their_run_keys_and_the_last_of_each_stays() {
    let every = json!({"catch_up": {"policy": "all"}, "partitions": "last"});
    let mut rarely = every.clone();
    rarely["cron"] = json!(["0 0 2 2 *"]);
    rarely["name"] = json!("rarely");
    let mut world = world("a static", &[schedule(every), schedule(rarely)]);
    world.now = at(2, 0, 0);
    fire(&mut world);
    assert_eq!(world.state.ticks.len(), 49);
    let (ticks, through) = world.state.oldest_ticks(40);
    assert_eq!(ticks.len(), 40);
    let fortieth = ticks.last().expect("forty").id.instant;
    assert!(ticks.iter().all(|tick| tick.id.schedule == "s"));
    assert_eq!(through, [("s".to_owned(), fortieth)].into());
    let keys = world.state.run_keys.len();
    let pack = Command::PackTicks {
        reference: json!({"name": "ticks/1"}),
        through,
    };
    world.run_command(&pack).expect("the leader asks for it");
    assert_eq!(world.state.ticks.len(), 9);
    assert_eq!(world.state.run_keys.len(), keys - 40 * 3);
    assert_eq!(world.state.tick_history.len(), 1);
    let first = world.state.ticks_of("s").next().expect("some stay");
    assert!(first.id.instant > fortieth);
    assert_same(&world.state, &world.replayed());
    assert_eq!(world.state.decided_ticks, world.replayed().decided_ticks);
    let read = State::from_bytes(&world.state.to_bytes()).expect("our own snapshot");
    assert_eq!(read.decided_ticks, world.state.decided_ticks);
    assert_same(&read, &world.state);
    // All but the last of each may go, however many are asked for; of what left the code, all.
    assert_eq!(world.state.oldest_ticks(1_000).0.len(), 7);
    world.deploy(&with("a static", &[])).expect("it stands");
    world.now = at(3, 0, 0);
    world.deploy(&with("a static; b", &[])).expect("it stands");
    assert_eq!(world.state.oldest_ticks(1_000).0.len(), 9);
}

#[test]
fn schedules_of_an_older_log_count_from_the_fold_that_learned_them() {
    let world = world("a", &[schedule(json!({"catch_up": {"policy": "all"}}))]);
    // The log as it would be, had this fold been activated only now.
    let learned = at(0, 5, 30);
    let mut activation = None;
    let mut state = State::default();
    for (at, event) in &world.log {
        match &event.fact {
            Fact::FoldActivated(_) => activation = Some(event.clone()),
            _ => state.apply(*at, event, &world.blobs).expect("it applies"),
        }
    }
    assert!(state.schedules.is_empty());
    let mut activation = activation.expect("the first leader activates it");
    activation.time = learned;
    let next = world.log.last().expect("a log").0;
    state
        .apply(next, &activation, &world.blobs)
        .expect("it applies");
    assert_eq!(state.schedules["s"].since, learned);
    assert_eq!(next_due(&state), Some(at(0, 6, 0)));
}
