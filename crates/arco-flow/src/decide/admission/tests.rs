use arco_core::HostId;
use arco_core::event::FailureClass;
use serde_json::{Value, json};

use super::*;
use crate::command::{Command, HostHello, Reported};
use crate::planner::PartitionsAsked;
use crate::queue::{self, Wait};
use crate::state::RunStatus;
use crate::testing::{World, failed, made, manifest};

/// Asks for a run of assets with tags (`team=x store=y`).
fn ask(world: &mut World, assets: &str, tags: &str) -> RunId {
    let mut request = world
        .request(assets, &PartitionsAsked::None)
        .expect("a plan");
    for (key, value) in tags
        .split_whitespace()
        .filter_map(|tag| tag.split_once('='))
    {
        request.tags.insert(key.to_owned(), value.to_owned());
    }
    let run = request.run;
    world.ask(request).expect("a run without a key");
    run
}

/// The runs of which something is leased when a host asks for everything, in order.
fn begun(world: &mut World) -> Vec<RunId> {
    let mut runs: Vec<RunId> = world
        .lease(64)
        .into_iter()
        .map(|attempt| attempt.run)
        .collect();
    runs.dedup();
    runs
}

fn succeed(world: &mut World, run: RunId) {
    let held: Vec<_> = world
        .state
        .hosts
        .values()
        .flat_map(|host| host.attempts.iter().copied())
        .collect();
    for attempt in held.into_iter().filter(|attempt| attempt.run == run) {
        let asset = world.state_of(run).plan.tasks[attempt.task as usize]
            .step
            .clone();
        world.report(attempt, vec![made(&asset), Reported::Succeeded]);
    }
}

#[test]
fn a_run_begins_only_when_all_its_limits_have_room() {
    let one = json!({"key": "team", "value": "x", "limit": 1});
    for (limits, first, second, goes) in [
        (json!({}), "", "", true),
        (json!({"runs": 1}), "", "", false),
        (json!({"runs": 2}), "", "", true),
        (
            json!({"tags": [{"key": "team", "limit": 1}]}),
            "team=x",
            "team=y",
            false,
        ),
        (
            json!({"tags": [{"key": "team", "limit": 1}]}),
            "team=x",
            "store=x",
            true,
        ),
        (json!({"tags": [one]}), "team=x", "team=x", false),
        (json!({"tags": [one]}), "team=x", "team=y", true),
        (json!({"tags": [one]}), "team=y", "team=y", true),
        (
            json!({"tags": [{"key": "team", "per_value": true, "limit": 1}]}),
            "team=x",
            "team=x",
            false,
        ),
        (
            json!({"tags": [{"key": "team", "per_value": true, "limit": 1}]}),
            "team=x",
            "team=y",
            true,
        ),
        (
            json!({"tags": [{"key": "team", "limit": 0}]}),
            "",
            "team=y",
            false,
        ),
        (json!({"pools": {"db": {"limit": 1}}}), "", "", false),
        (
            json!({"pools": {"db": {"limit": 1, "granularity": "run"}}}),
            "",
            "",
            false,
        ),
        (json!({"pools": {"db": {"limit": 2}}}), "", "", true),
        (json!({"pool_default": {"limit": 1}}), "", "", false),
        (json!({"pools": {"other": {"limit": 1}}}), "", "", true),
    ] {
        let mut world = World::new("a pool=db");
        world.limit(&limits);
        let first = ask(&mut world, "a", first);
        let second = ask(&mut world, "a", second);
        let expected = if goes {
            vec![first, second]
        } else {
            vec![first]
        };
        assert_eq!(begun(&mut world), expected, "{limits}");
        let status = if goes {
            RunStatus::Started
        } else {
            RunStatus::Queued
        };
        assert_eq!(world.state_of(second).status, status);
        succeed(&mut world, first);
        let never = limits["tags"][0]["limit"] == 0;
        let then = if goes || never { vec![] } else { vec![second] };
        assert_eq!(begun(&mut world), then, "after the first: {limits}");
    }
}

#[test]
fn higher_priority_goes_first_then_the_first_asked() {
    let mut world = World::new("a");
    world.limit(&json!({"runs": 0}));
    let tags = [
        "",
        "dagster/priority=2",
        "dagster/priority=-1",
        "dagster/priority=high",
        "dagster/priority=2",
    ];
    let runs: Vec<RunId> = tags.iter().map(|tag| ask(&mut world, "a", tag)).collect();
    assert!(begun(&mut world).is_empty());
    world.limit(&json!({}));
    let order: Vec<usize> = begun(&mut world)
        .iter()
        .map(|run| runs.iter().position(|r| r == run).unwrap())
        .collect();
    assert_eq!(order, [1, 4, 0, 3, 2]);
}

/// in Dagster nothing starts.
#[test]
fn a_run_that_a_pool_holds_back_uses_up_no_slot_of_its_tags() {
    let mut world = World::new("a pool=db; b");
    world.limit(&json!({"tags": [{"key": "team", "limit": 1}], "pools": {"db": {"limit": 1}}}));
    let holder = ask(&mut world, "a", "");
    assert_eq!(begun(&mut world), [holder]);
    let _blocked = ask(&mut world, "a", "team=x");
    let passes = ask(&mut world, "b", "team=x");
    assert_eq!(begun(&mut world), [passes]);
}

#[test]
fn a_task_waits_for_its_pool_and_its_run_goes_on() {
    let mut world = World::new("a pool=db; b pool=db; c");
    world.limit(&json!({"pools": {"db": {"limit": 1}}}));
    let run = world.run("a b c");
    assert_eq!(world.lease(9).len(), 2);
    assert_eq!(world.tasks(run), "a:leased b:ready c:leased");
    let (task, wait) = queue::tasks(&world.state, None).next().expect("b waits");
    assert_eq!(task.task, 1);
    let holders = queue::tasks(&world.state, None).count();
    assert_eq!(holders, 1);
    assert!(
        matches!(&wait, Wait::Pool { pool, slots: 1, held: 1, holders } if pool == "db" && holders[0].task == 0)
    );
}

#[test]
fn slots_come_back_however_an_attempt_ends() {
    let limits = json!({"runs": 1, "pools": {"db": {"limit": 1}}});
    for end in ["success", "failure", "lost", "left", "cancel", "released"] {
        let mut world = World::new("a pool=db");
        world.limit(&limits);
        let (first, second) = (ask(&mut world, "a", ""), ask(&mut world, "a", ""));
        let attempt = world.lease(1)[0];
        match end {
            "success" => succeed(&mut world, first),
            "failure" => drop(world.report(attempt, vec![failed(FailureClass::UserCode)])),
            "released" => {
                world.report(attempt, vec![Reported::Released]);
                world.run_command(&Command::CancelRun(first)).unwrap();
            }
            "cancel" => {
                world.run_command(&Command::CancelRun(first)).unwrap();
                assert!(
                    begun(&mut world).is_empty(),
                    "it is alive until its host says otherwise"
                );
                world.report(attempt, vec![Reported::Cancelled]);
            }
            gone => {
                let host = world.host;
                let gone = if gone == "lost" {
                    Command::HostLost(host)
                } else {
                    Command::HostLeft(host)
                };
                world.run_command(&gone).unwrap();
                world.host = HostId::from_parts(0, 9);
                world.register(world.host).unwrap();
                // The first run is tried again, within its own slots.
                assert_eq!(begun(&mut world), [first]);
                succeed(&mut world, first);
            }
        }
        assert_eq!(begun(&mut world), [second], "{end}");
        succeed(&mut world, second);
        assert!(
            world.state.admission.runs.is_empty() && world.state.admission.attempts.is_empty(),
            "{end}"
        );
    }
}

#[test]
fn a_try_that_is_due_waits_for_its_pool_and_wakes_nobody() {
    let mut world = World::new("a pool=db retry=1; b pool=db");
    world.limit(&json!({"pools": {"db": {"limit": 1}}}));
    let (first, second) = (ask(&mut world, "a", ""), ask(&mut world, "b", ""));
    let attempt = world.lease(1)[0];
    world.report(attempt, vec![failed(FailureClass::UserCode)]);
    assert_eq!(begun(&mut world), [second]);
    world.now = world.now.plus_ms(5_000);
    assert!(begun(&mut world).is_empty());
    assert!(!crate::pending::has_work(&world.state, "loc", world.now));
    assert_eq!(crate::pending::next_due(&world.state, world.now), None);
    succeed(&mut world, second);
    assert_eq!(begun(&mut world), [first]);
}

#[test]
fn limits_that_are_so_already_write_nothing_and_lower_ones_stop_nobody() {
    let mut world = World::new("a");
    let runs: Vec<RunId> = (0..3).map(|_| ask(&mut world, "a", "")).collect();
    assert_eq!(begun(&mut world).len(), 3);
    let waits = ask(&mut world, "a", "");
    world.limit(&json!({"runs": 2}));
    let from = world.log.len();
    world.limit(&json!({"runs": 2}));
    assert_eq!(world.kinds(from), "");
    for (run, free) in runs.into_iter().zip([false, true, false]) {
        assert_eq!(world.state_of(run).status, RunStatus::Started);
        succeed(&mut world, run);
        assert_eq!(begun(&mut world) == [waits], free);
    }
    let bad = serde_json::from_value(json!({"tags": [{"key": "", "limit": 1}]})).unwrap();
    let refused = world
        .run_command(&Command::SetLimits(bad))
        .expect_err("no name");
    assert_eq!(refused.code(), "bad_limits");
}

/// Runs of the one and of the other tag overlap for ever, so that the two slots are never free at
/// once: whoever needs both is passed until it has waited long enough.
#[test]
fn a_run_that_needs_two_limits_is_not_passed_for_ever() {
    let mut world = World::new("a");
    world.limit(&json!({"tags": [{"key": "x", "limit": 1}, {"key": "y", "limit": 1}]}));
    let mut under_way = vec![ask(&mut world, "a", "x=1"), ask(&mut world, "a", "y=1")];
    assert_eq!(begun(&mut world), under_way);
    let victim = ask(&mut world, "a", "x=1 y=1");
    for minute in 0..15 {
        let tag = ["x=1", "y=1"][minute % 2];
        under_way.push(ask(&mut world, "a", tag));
        let run = under_way.remove(0);
        succeed(&mut world, run);
        world.now = world.now.plus_ms(60_000);
        if begun(&mut world).contains(&victim) {
            assert!(minute >= 9, "it was passed in minute {minute}");
            return;
        }
    }
    panic!("starved");
}

/// What reserves is not what can never begin.
#[test]
fn a_run_behind_a_limit_of_zero_keeps_nothing_idle() {
    let mut world = World::new("a");
    world.limit(&json!({"runs": 1, "tags": [{"key": "x", "limit": 0}]}));
    ask(&mut world, "a", "x=1");
    world.now = world.now.plus_ms(2 * RESERVE_AFTER_MS);
    let next = ask(&mut world, "a", "");
    assert_eq!(begun(&mut world), [next]);
}

fn other_location(world: &mut World, definitions: &str) -> HostId {
    let mut manifest: Value = manifest(definitions);
    manifest["location"] = json!("other");
    let definitions = arco_core::definitions::Definitions::read("other", &manifest).unwrap();
    world.blobs.insert(
        definitions.version(),
        arco_core::canonical::to_vec(&manifest),
    );
    world
        .run_command(&Command::Deploy(definitions.into()))
        .unwrap();
    let host = HostId::from_parts(0, 77);
    let hello = HostHello {
        host,
        location: "other".into(),
        hostname: "machine".into(),
        pid: 2,
        slots: 1,
        live: Vec::new(),
    };
    world.run_command(&Command::RegisterHost(hello)).unwrap();
    host
}

#[test]
fn a_slot_is_left_for_the_first_in_order_at_another_location() {
    for limits in [json!({"runs": 1}), json!({"pools": {"db": {"limit": 1}}})] {
        let mut world = World::new("a pool=db");
        let other = other_location(&mut world, "b pool=db");
        world.limit(&limits);
        let first = ask(&mut world, "a", "");
        assert_eq!(begun(&mut world), [first]);
        let theirs = ask(&mut world, "b", "");
        let ours = ask(&mut world, "a", "");
        succeed(&mut world, first);
        assert!(begun(&mut world).is_empty(), "{limits}");
        let leased = world.exchange(other, Vec::new(), 4, &[]).unwrap().0;
        assert_eq!(leased.len(), 1);
        assert_eq!(leased[0].run, theirs);
        world.run_command(&Command::HostLost(other)).unwrap();
        assert_eq!(world.state_of(theirs).status, RunStatus::Started);
        world.run_command(&Command::CancelRun(theirs)).unwrap();
        assert_eq!(begun(&mut world), [ours], "{limits}");
    }
}

#[test]
fn a_location_without_a_host_keeps_nothing_back() {
    let mut world = World::new("a");
    let other = other_location(&mut world, "b");
    world.run_command(&Command::HostLeft(other)).unwrap();
    world.limit(&json!({"runs": 1}));
    let theirs = ask(&mut world, "b", "");
    world.now = world.now.plus_ms(2 * RESERVE_AFTER_MS);
    let ours = ask(&mut world, "a", "");
    assert_eq!(
        queue::runs(&world.state, None).next().unwrap().1,
        [Wait::Host("other".into())]
    );
    assert_eq!(begun(&mut world), [ours]);
    let (place, waits) = queue::runs(&world.state, None).next().unwrap();
    assert_eq!(place.run, theirs);
    assert_eq!(
        waits,
        [Wait::Limit {
            limit: RunLimit::Runs,
            slots: 1,
            held: 1,
            holders: vec![ours]
        }]
    );
}
