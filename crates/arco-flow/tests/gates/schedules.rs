//! Schedules under everything that happens to them, and what must hold afterwards.

use arco_core::Timestamp;
use arco_core::event::{Event, Fact, Position, TickId};
use arco_flow::schedule::{TickProposal, due, next_step};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::command::Command;
use crate::state::State;
use crate::testing::{World, manifest};

/// What happens, in minutes and seconds where time passes.
#[derive(Debug, Clone)]
pub(crate) enum Happens {
    /// Time passes; seconds.
    Passes(u32),
    /// The clock goes back; seconds.
    GoesBack(u32),
    /// Proposals are made and decided, this many times over.
    Fires(u8),
    /// A proposal is made and decided later, if ever.
    Delays,
    /// What was delayed arrives, twice.
    Arrives,
    Starts,
    Stops,
    Resets,
    /// A deploy with another of the crons.
    Deploys(usize),
    /// The process dies and comes back from its snapshot.
    Restarts,
}

pub(crate) fn story() -> impl Strategy<Value = Vec<Happens>> {
    use Happens::{
        Arrives, Delays, Deploys, Fires, GoesBack, Passes, Resets, Restarts, Starts, Stops,
    };
    let one = prop_oneof![
        4 => (1_u32..20_000).prop_map(Passes),
        1 => (1_u32..10_000).prop_map(GoesBack),
        4 => (1_u8..3).prop_map(Fires),
        2 => Just(Delays),
        2 => Just(Arrives),
        1 => Just(Starts),
        1 => Just(Stops),
        1 => Just(Resets),
        1 => (0_usize..3).prop_map(Deploys),
        1 => Just(Restarts),
    ];
    prop::collection::vec(one, 1..60)
}

fn definitions(cron: usize) -> Value {
    let cron = ["*/10 * * * *", "0 * * * *", "30 1-22 * * *"][cron];
    let mut manifest = manifest("a daily; b");
    let schedule = |name: &str, selection: &str, partitions: Option<&str>| {
        let mut schedule = json!({"name": name, "cron": [cron], "selection": [selection],
            "default_status": "running", "catch_up": {"policy": "all", "max_ticks": 1_000_000}});
        if let Some(rule) = partitions {
            schedule["partitions"] = json!(rule);
        }
        schedule
    };
    manifest["schedules"] = json!([
        schedule("s", "a", Some("last")),
        schedule("other", "b", None)
    ]);
    manifest
}

/// Lives through a story and looks at every step.
pub(crate) fn live(story: &[Happens]) -> World {
    let mut world = World::new("b");
    world.deploy(&definitions(0)).expect("they stand");
    let mut delayed: Vec<TickProposal> = Vec::new();
    for happens in story {
        let settled = world.state.schedules["s"].settled;
        step(&mut world, happens, &mut delayed);
        let row = &world.state.schedules["s"];
        assert!(row.settled >= settled, "what is settled stays settled");
    }
    fire(&mut world, 1);
    world
}

fn step(world: &mut World, happens: &Happens, delayed: &mut Vec<TickProposal>) {
    let tell = |world: &mut World, make: fn(String) -> Command| {
        world.run_command(&make("s".into())).expect("it is known");
    };
    match happens {
        Happens::Passes(seconds) => world.now = world.now.plus_ms(u64::from(*seconds) * 1000),
        Happens::GoesBack(seconds) => world.now.0 -= i64::from(*seconds) * 1000,
        Happens::Fires(times) => fire(world, *times),
        // Judged by a clock that is ten minutes ahead.
        Happens::Delays => {
            let ahead = world.now.plus_ms(600_000);
            delayed.extend(next_step(&world.state, "s", world.now));
            delayed.extend(next_step(&world.state, "s", ahead));
        }
        Happens::Arrives => {
            for proposal in delayed.drain(..) {
                propose(world, &proposal, 2);
            }
        }
        Happens::Starts => tell(world, Command::StartSchedule),
        Happens::Stops => tell(world, Command::StopSchedule),
        Happens::Resets => tell(world, Command::ResetSchedule),
        Happens::Deploys(cron) => drop(world.deploy(&definitions(*cron)).expect("they stand")),
        Happens::Restarts => {
            let bytes = world.state.to_bytes();
            world.state = State::from_bytes(&bytes).expect("our own snapshot");
        }
    }
}

/// Has a proposal decided, so many times over; no tick is of the future.
fn propose(world: &mut World, proposal: &TickProposal, times: u8) {
    let from = world.log.len();
    for _ in 0..times {
        let _ = world.run_command(&Command::FireSchedule(Box::new(proposal.clone())));
    }
    for (_, event) in &world.log[from..] {
        if let Fact::TickFinished(e) = &event.fact {
            assert!(e.tick.instant <= world.now, "{} at {:?}", e.tick, world.now);
        }
    }
}

/// Has all that is due decided, each proposal so many times; none of it is left out.
fn fire(world: &mut World, times: u8) {
    let row = &world.state.schedules["s"];
    let owed: Vec<Timestamp> = if row.is_running() {
        let found = world.state.catalog.schedule("s").expect("it is defined");
        let from = row.settled.plus_ms(1);
        let instants = found.schedule.cron().instants_from(from);
        instants
            .take_while(|instant| *instant <= world.now)
            .collect()
    } else {
        Vec::new()
    };
    let from = world.log.len();
    loop {
        let names: Vec<String> = due(&world.state, world.now).map(str::to_owned).collect();
        if names.is_empty() {
            break;
        }
        for name in names {
            let proposal = next_step(&world.state, &name, world.now).expect("it is due");
            propose(world, &proposal, times);
        }
    }
    let fired: Vec<Timestamp> = ticks(&world.log[from..])
        .filter(|tick| tick.schedule == "s")
        .map(|tick| tick.instant)
        .collect();
    assert_eq!(fired, owed, "all of them, once each, in order");
}

/// The ticks of a log, in its order.
pub(crate) fn ticks(log: &[(Position, Event)]) -> impl Iterator<Item = &TickId> {
    log.iter().filter_map(|(_, event)| match &event.fact {
        Fact::TickFinished(e) => Some(&e.tick),
        _ => None,
    })
}
