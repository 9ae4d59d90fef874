//! Admission over random lives: no prefix of a log exceeds a limit, no slot leaks, and no run is
//! passed for ever (D-21, R-10, R-19; `docs/adr/0012-admission.md`).

#![expect(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeMap;

use arco_core::RunId;
use arco_flow::{Rejection, command, decide, planner, state};
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};

use crate::command::Reported;
use crate::gates::cases;
use crate::gates::graph::assets;
use crate::gates::life::{Life, moves, output};
use crate::planner::PartitionsAsked;
use crate::slots::Slots;
use crate::state::{RunStatus, State};
use crate::testing::World;

#[allow(dead_code, reason = "shared with the parity gates")]
#[path = "../gates/mod.rs"]
mod gates;
mod slots;
#[allow(dead_code, reason = "shared with the crate's own tests")]
#[path = "../../src/testing.rs"]
mod testing;

/// Limits of every sort, of 0 to 3 slots.
fn some_limits() -> impl Strategy<Value = Value> {
    let slots = || prop_oneof![4 => (1_u32..4).prop_map(Some), 1 => Just(None), 1 => Just(Some(0))];
    let rule = (0_usize..2, 0_usize..4, 0_u32..4);
    (
        slots(),
        prop::collection::vec(rule, 0..3),
        slots(),
        slots(),
        any::<[bool; 2]>(),
        some_times(),
    )
        .prop_map(|(runs, rules, p, q, whole, times)| {
            let mut tags: BTreeMap<(usize, usize), Value> = BTreeMap::new();
            for (key, kind, limit) in rules {
                let name = ["team", "store"][key];
                let mut rule = json!({"key": name, "limit": limit});
                match kind {
                    0 => rule["value"] = json!("x"),
                    1 => rule["value"] = json!("y"),
                    2 => rule["per_value"] = json!(true),
                    _ => {}
                }
                tags.insert((key, kind), rule);
            }
            let mut limits = json!({"tags": tags.into_values().collect::<Vec<_>>(), "pools": {}, "times": times});
            if let Some(runs) = runs {
                limits["runs"] = json!(runs);
            }
            for (name, slots, whole) in [("p", p, whole[0]), ("q", q, whole[1])] {
                if let Some(slots) = slots {
                    let granularity = if whole { "run" } else { "task" };
                    limits["pools"][name] = json!({"limit": slots, "granularity": granularity});
                }
            }
            limits
        })
}

/// Time limits that these lives reach now and then.
fn some_times() -> impl Strategy<Value = Value> {
    let ms = |most: u64| prop_oneof![2 => Just(None), 1 => (0..most).prop_map(Some)];
    (ms(60_000), ms(4_000), ms(60_000)).prop_map(|(queue, start, run)| {
        let mut times = json!({});
        for (name, ms) in [("queue_ms", queue), ("start_ms", start), ("run_ms", run)] {
            if let Some(ms) = ms {
                times[name] = json!(ms);
            }
        }
        times
    })
}

/// As `tests/gates/graph.rs` gives pools to assets.
fn pool_of(step: &str) -> Option<String> {
    let place = step.bytes().next().unwrap() - b'a';
    let pool = ["", "p", "q"][usize::from(place) % 3];
    (!step.contains("__") && !pool.is_empty()).then(|| pool.to_owned())
}

fn heard(life: &Life) -> (Vec<String>, usize) {
    let mut slots = Slots::default();
    let beyond = life
        .world
        .log
        .iter()
        .flat_map(|(_, event)| slots.hear(event, pool_of))
        .collect();
    (beyond, slots.filled)
}

proptest! {
    #![proptest_config(cases(128))]

    /// Whatever is asked, cancelled, failed, lost and tried again, and however limits change: no lease
    /// takes a slot that is not there, and the holders of a state are those that a full scan finds.
    #[test]
    fn no_prefix_of_the_log_exceeds_a_limit(assets in assets(6, true), moves in moves(120), limits in prop::collection::vec(some_limits(), 1..4)) {
        let life = Life::live_within(&assets, &moves, &limits);
        prop_assert_eq!(heard(&life).0, Vec::<String>::new());
        for (state, _) in &life.states {
            let built = State::from_bytes(&state.to_bytes()).expect("a snapshot reads back");
            prop_assert_eq!(&built.admission, &state.admission);
            prop_assert_eq!(&built.ready, &state.ready);
            prop_assert_eq!(&built.deadlines, &state.deadlines);
        }
        prop_assert_eq!(life.world.replayed().hash(), life.world.state.hash());
    }

    /// What asks for the first time finds what was left: a decision leases all it can.
    #[test]
    fn a_host_that_asks_twice_gets_nothing_more(assets in assets(6, true), moves in moves(60), limits in prop::collection::vec(some_limits(), 1..3)) {
        let mut life = Life::live_within(&assets, &moves, &limits);
        let alive = life.world.state.hosts.iter().find(|(_, host)| host.status == state::HostStatus::Alive);
        life.world.host = *alive.expect("one is always alive").0;
        while !life.world.lease(64).is_empty() {}
        prop_assert!(!arco_flow::pending::has_work(&life.world.state, "loc", life.world.now));
    }

    /// Runs with random tags come faster than they go. Each of the first begins, although those that
    /// come later pass it for a while.
    #[test]
    fn no_run_is_passed_for_ever(draws in prop::collection::vec(any::<u8>(), 400), first in prop::collection::vec(any::<u8>(), 1..5)) {
        let mut world = World::new("a");
        world.limit(&json!({"runs": 3, "tags": [{"key": "x", "limit": 1}, {"key": "y", "limit": 1}, {"key": "z", "limit": 2}]}));
        let mut under_way: Vec<RunId> = vec![ask(&mut world, 1), ask(&mut world, 2)];
        world.lease(9);
        let first: Vec<RunId> = first.iter().map(|draw| ask(&mut world, draw | 3)).collect();
        for (at, draw) in draws.iter().enumerate() {
            let first_goes_on = first.iter().any(|run| world.state_of(*run).status == RunStatus::Queued);
            if !first_goes_on {
                return Ok(());
            }
            ask(&mut world, 1 << (draw % 3));
            let held: Vec<_> = world.state.hosts[&world.host].attempts.iter().copied().collect();
            under_way.retain(|run| held.iter().any(|id| id.run == *run));
            if let Some(attempt) = held.get(usize::from(*draw) % held.len().max(1)).copied() {
                let said = vec![output(&world, attempt, 1), Reported::Succeeded];
                world.report(attempt, said);
            }
            world.now = world.now.plus_ms(60_000);
            world.lease(9);
            prop_assert!(at < 120, "a run of the first waits after {at} others");
        }
    }
}

/// A run with the tags of these bits.
fn ask(world: &mut World, bits: u8) -> RunId {
    let mut request = world.request("a", &PartitionsAsked::None).expect("a plan");
    for (bit, key) in ["x", "y", "z"].into_iter().enumerate() {
        if bits >> bit & 1 == 1 {
            request.tags.insert(key.into(), String::new());
        }
    }
    let run = request.run;
    world.ask(request).expect("a run without a key");
    run
}

/// Lives in which nothing is ever full would prove nothing.
#[test]
fn limits_are_met_in_these_lives() {
    let mut runner = TestRunner::deterministic();
    let (mut filled, mut queued) = (0, 0);
    let mut timeouts: BTreeMap<String, usize> = BTreeMap::new();
    for _ in 0..64 {
        let drawn = (
            assets(6, true),
            moves(120),
            prop::collection::vec(some_limits(), 1..4),
        );
        let (assets, moves, limits) = drawn.new_tree(&mut runner).expect("a life").current();
        let life = Life::live_within(&assets, &moves, &limits);
        filled += heard(&life).1;
        for (_, event) in &life.world.log {
            *timeouts.entry(event.fact.kind().to_owned()).or_default() += 1;
        }
        queued += life
            .states
            .iter()
            .filter(|(state, _)| !state.admission.queue.is_empty())
            .count();
    }
    assert!(filled >= 100, "{filled} leases took a last slot");
    assert!(queued >= 500, "{queued} states had a queue");
    for kind in ["run.timed_out", "attempt.start_timed_out"] {
        let count = timeouts.get(kind).copied().unwrap_or_default();
        assert!(count >= 10, "{kind} happened {count} times");
    }
}
