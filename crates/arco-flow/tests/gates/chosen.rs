//! Runs of chosen assets of a random graph, and what they are to carry out.

use std::collections::BTreeSet;

use arco_core::RunId;
use arco_core::event::FailureClass;

use super::graph::{self, name, names};
use super::life::{output, step_of};
use super::model::{self, Place};
use crate::command::Reported;
use crate::planner::PartitionsAsked;
use crate::testing::{World, failed};

const DAYS: [&str; 2] = ["2026-01-05", "2026-01-06"];

pub(crate) fn days(assets: &graph::Assets, chosen: &BTreeSet<usize>) -> PartitionsAsked {
    if chosen.iter().any(|asset| assets.is_daily(*asset)) {
        PartitionsAsked::Keys(DAYS.map(str::to_owned).to_vec())
    } else {
        PartitionsAsked::None
    }
}

/// The steps that selecting these assets is to carry out, each once per partition.
pub(crate) fn due(assets: &graph::Assets, chosen: &BTreeSet<usize>) -> Vec<String> {
    let mut steps = Vec::new();
    for asset in chosen {
        let times = if assets.is_daily(*asset) {
            DAYS.len()
        } else {
            1
        };
        steps.extend(vec![name(*asset); times]);
        if assets.has_check(*asset) {
            steps.extend(vec![format!("{}__ok", name(*asset)); times]);
        }
    }
    steps.sort();
    steps
}

pub(crate) fn run_of(world: &mut World, assets: &graph::Assets, chosen: &BTreeSet<usize>) -> RunId {
    let partitions = days(assets, chosen);
    let request = world.request(&names(chosen), &partitions).expect("a plan");
    let run = request.run;
    world.ask(request).expect("a run without a key");
    run
}

/// How a run of everything ends (its tasks, the places made, the places that failed) when the assets
/// of `bad` always fail and the tasks under way together report in the order of `keys`.
pub(crate) fn worked_in_order(
    assets: &graph::Assets,
    bad: u16,
    keys: &[u16],
) -> (String, BTreeSet<Place>, BTreeSet<Place>) {
    let mut world = World::new(&assets.text());
    let run = run_of(&mut world, assets, &assets.all());
    let mut key = keys.iter().cycle();
    loop {
        let mut round: Vec<_> = world
            .lease(64)
            .into_iter()
            .map(|attempt| (*key.next().expect("one at least"), attempt))
            .collect();
        if round.is_empty() {
            break;
        }
        round.sort_by_key(|(key, _)| *key);
        for (_, attempt) in round {
            let step = step_of(&world, attempt);
            let fails = (0..assets.len()).any(|n| name(n) == step && bad >> n & 1 == 1);
            let said = if fails {
                vec![failed(FailureClass::UserCode)]
            } else {
                vec![output(&world, attempt, 1), Reported::Succeeded]
            };
            assert!(world.report(attempt, said).is_empty(), "it is held");
        }
        world.now = world.now.plus_ms(60_000);
    }
    let state = &world.state;
    (
        world.tasks(run),
        model::made(state),
        model::marked_failed(state),
    )
}
