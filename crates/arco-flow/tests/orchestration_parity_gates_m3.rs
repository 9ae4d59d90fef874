//! Gate M3 on the decisions: what staleness, reconciliation and the advanced views of runs stand on.
//! Today these are the versions and inputs each materialization records, the plan shown before a run
//! and kept to by it, and the reason for everything that did not run.
//!
//! `cargo test -p arco-flow --test orchestration_parity_gates_m3`

#![expect(clippy::unwrap_used, reason = "tests")]

use std::collections::{BTreeMap, BTreeSet};

use arco_core::asset_fact::AssetFact;
use arco_core::event::{AssetMaterialized, Fact, Position, SkipReason};
use arco_core::selection::Selection;
use arco_core::{AssetKey, AttemptId};
use arco_flow::{Rejection, command, decide, planner, selection_graph, state};
use proptest::prelude::*;

use crate::command::{Command, Reported};
use crate::gates::cases;
use crate::gates::graph::{self, assets, name, names};
use crate::gates::life::{Life, moves, step_of, work_off};
use crate::planner::{PartitionsAsked, PlanRequest};
use crate::state::TaskStatus;
use crate::testing::{World, made, manifest};

#[allow(dead_code, reason = "the three gates share it")]
mod gates;
#[allow(dead_code, reason = "shared with the crate's own tests")]
#[path = "../src/testing.rs"]
mod testing;

/// The last materialization of an unpartitioned asset.
fn last(world: &World, asset: &str) -> (Position, AssetMaterialized) {
    let facts = &world.state.assets[&AssetKey::parse(asset).expect("a key")];
    let (at, _, made) = &**facts.recent.back().expect("it was made");
    (*at, made.clone())
}

fn version(world: &World, asset: &str) -> String {
    last(world, asset).1.data_version
}

fn make(world: &mut World, assets: &str) {
    world.run(assets);
    work_off(world);
}

#[test]
fn equal_code_on_equal_inputs_is_the_same_data() {
    let mut world = World::new("a v=1; b v=1 <- a; c <- b; d v=1 <- c");
    make(&mut world, "a b c d");
    let before = ["a", "b", "c", "d"].map(|asset| version(&world, asset));
    make(&mut world, "a b c d");
    let after = ["a", "b", "c", "d"].map(|asset| version(&world, asset));
    let same: Vec<bool> = before.iter().zip(&after).map(|(a, b)| a == b).collect();
    // `c` says no code version, so nobody knows that the same code ran (F-15), and `d` reads it.
    assert_eq!(same, [true, true, false, false]);
}

#[test]
fn new_code_is_new_data_here_and_in_all_that_reads_it() {
    let definitions = |v: u32| format!("a v=1; b v={v} <- a; c v=1 <- b; d v=1 <- a");
    let mut world = World::new(&definitions(1));
    make(&mut world, "a b c d");
    let before = ["a", "b", "c", "d"].map(|asset| version(&world, asset));
    world.deploy(&manifest(&definitions(2))).expect("good");
    assert_eq!(version(&world, "b"), before[1], "a deploy makes nothing");
    make(&mut world, "a b c d");
    let after = ["a", "b", "c", "d"].map(|asset| version(&world, asset));
    let same: Vec<bool> = before.iter().zip(&after).map(|(a, b)| a == b).collect();
    assert_eq!(same, [true, false, false, true]);
}

#[test]
fn a_version_given_by_the_body_stands_and_what_reads_it_follows_it() {
    let mut world = World::new("a; b v=1 <- a");
    let mut seen = Vec::new();
    for given in ["rows-10", "rows-10", "rows-11"] {
        world.run("a b");
        let attempt = world.lease(1)[0];
        let mut said = made("a");
        let Reported::Asset(AssetFact::Materialized(made)) = &mut said else {
            panic!("an output")
        };
        made.data_version = Some(given.into());
        world.report(attempt, vec![said, Reported::Succeeded]);
        work_off(&mut world);
        assert_eq!(version(&world, "a"), given);
        seen.push(version(&world, "b"));
    }
    assert_eq!(seen[0], seen[1], "the content was the same");
    assert_ne!(seen[1], seen[2]);
}

#[test]
fn versions_are_no_concatenation() {
    // Code "1" on data "23" and code "12" on data "3" are different data (F-14, D-9).
    let mut versions = BTreeSet::new();
    for (code, data) in [("1", "23"), ("12", "3"), ("123", "")] {
        let mut world = World::new(&format!("a; b v={code} <- a"));
        world.run("a b");
        let attempt = world.lease(1)[0];
        let mut said = made("a");
        if let Reported::Asset(AssetFact::Materialized(made)) = &mut said {
            made.data_version = Some(data.into());
        }
        world.report(attempt, vec![said, Reported::Succeeded]);
        work_off(&mut world);
        versions.insert(version(&world, "b"));
    }
    assert_eq!(versions.len(), 3);
}

#[test]
fn a_run_records_the_code_it_was_planned_with() {
    let mut world = World::new("a v=1; b v=1 <- a");
    let old = world.state.locations["loc"].version;
    world.run("a b");
    let attempt = world.lease(1)[0];
    world.deploy(&manifest("a v=2; b v=2 <- a")).expect("good");
    world.report(attempt, vec![made("a"), Reported::Succeeded]);
    work_off(&mut world);
    for asset in ["a", "b"] {
        let recorded = last(&world, asset).1.code_version;
        assert_eq!(recorded.as_deref(), Some("1"), "{asset} began before");
    }
    let about = world.log.iter().filter_map(|(_, event)| {
        let made = matches!(event.fact, Fact::AssetMaterialized(_));
        event.definitions.as_ref().filter(|_| made)
    });
    let about: BTreeSet<_> = about.map(|(_, version)| Some(*version)).collect();
    assert_eq!(about, [old].into());
    make(&mut world, "a");
    assert_eq!(last(&world, "a").1.code_version.as_deref(), Some("2"));
}

proptest! {
    #![proptest_config(cases(96))]

    /// Each materialization says what it read: the last good materialization of each parent as it
    /// stood when the attempt was leased, with its version; a parent never made is not there.
    #[test]
    fn inputs_are_what_stood_when_the_attempt_began(assets in assets(6, false), moves in moves(90)) {
        let life = Life::live(&assets, &moves);
        let mut good: BTreeMap<String, (Position, String)> = BTreeMap::new();
        let mut at_lease: BTreeMap<AttemptId, BTreeMap<String, (Position, String)>> = BTreeMap::new();
        for (at, event) in &life.world.log {
            match &event.fact {
                Fact::AttemptLeased(e) => drop(at_lease.insert(e.attempt, good.clone())),
                Fact::AssetMaterialized(e) => {
                    let asset = (0..assets.len()).find(|n| name(*n) == e.asset.as_str());
                    let parents = assets.parents(asset.expect("one of ours"));
                    let then = &at_lease[&e.attempt.expect("an attempt made it")];
                    let expected: BTreeMap<_, _> = parents
                        .into_iter()
                        .filter_map(|up| then.get_key_value(&name(up)))
                        .map(|(asset, made)| (asset.clone(), made.clone()))
                        .collect();
                    let read: BTreeMap<_, _> = e.inputs.iter().map(|input| {
                        (input.asset.to_string(), (input.position, input.data_version.clone()))
                    }).collect();
                    prop_assert_eq!(read, expected, "{} at {:?}", e.asset, at);
                    good.insert(e.asset.to_string(), (*at, e.data_version.clone()));
                }
                _ => {}
            }
        }
    }

    /// The plan that is shown is the plan that is carried out, task for task.
    #[test]
    fn a_run_does_what_its_plan_showed(assets in assets(7, true), bits in any::<u16>()) {
        let chosen = assets.some(bits);
        let partitions = if chosen.iter().any(|asset| assets.is_daily(*asset)) {
            PartitionsAsked::Keys(vec!["2026-01-09...2026-01-11".into()])
        } else {
            PartitionsAsked::None
        };
        let mut world = World::new(&assets.text());
        let request = PlanRequest {
            assets: chosen.iter().filter_map(|n| AssetKey::parse(&name(*n))).collect(),
            checks: None,
            partitions: partitions.clone(),
        };
        let shown = planner::plan(&world.state.catalog, &request, world.now).expect("a plan");
        let from = world.log.len();
        let asked = world.request(&names(&chosen), &partitions).expect("a plan");
        let run = asked.run;
        world.ask(asked).expect("a run");
        prop_assert_eq!(&*world.state_of(run).plan, &shown.plan);
        work_off(&mut world);
        let done: BTreeSet<u32> = world.log[from..].iter().filter_map(|(_, event)| match &event.fact {
            Fact::AttemptLeased(e) if e.attempt.run == run => Some(e.attempt.task),
            _ => None,
        }).collect();
        prop_assert_eq!(done.len(), shown.plan.tasks.len());
        for (at, planned) in (0..).zip(&shown.plan.tasks) {
            prop_assert!(planned.needs.iter().all(|need| *need < at), "needs come first");
        }
    }

    /// Every planned task has one outcome in the end, and one that was not tried says why: a task it
    /// stands on that failed, was cancelled, or was judged bad.
    #[test]
    fn what_did_not_run_says_why(assets in assets(6, true), moves in moves(90)) {
        let life = Life::live(&assets, &moves);
        for run in life.world.state.runs.values() {
            for (planned, task) in run.plan.tasks.iter().zip(&run.tasks) {
                prop_assert_eq!(task.status == TaskStatus::Skipped, task.skipped.is_some());
                let Some(because) = &task.skipped else { continue };
                prop_assert!(task.attempts.is_empty(), "{} was tried", planned.step);
                let (cause, holds): (u32, fn(&crate::state::Task) -> bool) = match because {
                    SkipReason::UpstreamFailed(cause) => (*cause, |t| t.status == TaskStatus::Failed),
                    SkipReason::UpstreamCancelled(cause) => (*cause, |t| t.status == TaskStatus::Cancelled),
                    SkipReason::CheckFailed(cause) => (*cause, |t| t.blocked),
                    SkipReason::OutputNotMade { task, .. } => (*task, |t| !t.left_out.is_empty()),
                    SkipReason::ValueNotMade { task, .. } => (*task, |t| t.status == TaskStatus::Succeeded),
                };
                prop_assert!(holds(run.task(cause).expect("a task of the run")), "{because:?}");
                prop_assert!(stands_on(&run.plan.tasks, planned, cause), "{because:?}");
            }
            if run.status.is_terminal() {
                prop_assert_eq!(run.counts.open(), 0);
            }
        }
    }

    /// Selecting by words plans the assets the words mean, in an order that keeps the graph.
    #[test]
    fn a_selection_is_planned_as_it_reads(assets in assets(8, false), which in any::<u16>()) {
        let asset = usize::from(which) % assets.len();
        let world = World::new(&assets.text());
        for (text, expected) in [
            (format!("+key:{}", name(asset)), with(assets.ancestors(asset), asset)),
            (format!("key:{}+", name(asset)), with(assets.descendants(asset), asset)),
            ("*".to_owned(), assets.all()),
        ] {
            let steps = planned(&world, &[&text]).expect("it selects something");
            let found: BTreeSet<String> = steps.iter().cloned().collect();
            prop_assert_eq!(found, expected.iter().map(|n| name(*n)).collect(), "{}", text);
            let place = |n: usize| steps.iter().position(|step| *step == name(n));
            for one in &expected {
                for up in assets.parents(*one).intersection(&expected) {
                    prop_assert!(place(*up) < place(*one), "{steps:?}");
                }
            }
        }
    }
}

fn with(mut set: BTreeSet<usize>, asset: usize) -> BTreeSet<usize> {
    set.insert(asset);
    set
}

/// Whether a task needs another, directly or not.
fn stands_on(
    tasks: &[arco_core::plan::PlannedTask],
    task: &arco_core::plan::PlannedTask,
    on: u32,
) -> bool {
    task.needs
        .iter()
        .any(|need| *need == on || stands_on(tasks, &tasks[*need as usize], on))
}

/// The asset steps that selections plan.
fn planned(world: &World, texts: &[&str]) -> Result<Vec<String>, String> {
    let texts: Vec<String> = texts.iter().map(|&text| text.to_owned()).collect();
    let selections = Selection::parse_all(&texts).map_err(|error| error.to_string())?;
    let catalog = &world.state.catalog;
    let chosen = selection_graph::select(catalog, &world.state.assets, &selections)
        .map_err(|e| e.to_string())?;
    let request = PlanRequest {
        assets: chosen.into_iter().collect(),
        checks: None,
        partitions: PartitionsAsked::None,
    };
    let planned = planner::plan(catalog, &request, world.now).map_err(|e| e.to_string())?;
    let steps = planned.plan.tasks.into_iter().map(|task| task.step);
    Ok(steps.filter(|step| !step.contains("__")).collect())
}

#[test]
fn what_cannot_be_run_says_why_and_the_mend() {
    let world = World::new("flights; sales <- flights; ext external");
    for (texts, says) in [
        (vec!["flihgts"], "did you mean `flights`"),
        (vec!["key:ext"], "asset `ext` is external"),
        (vec!["flights and sales"], "key:flights"),
        (vec!["group:"], "column"),
        (vec!["kind:table or kund:view"], "did you mean `kind:`"),
    ] {
        let refused = planned(&world, &texts).expect_err("it is no good");
        assert!(refused.contains(says), "{texts:?}: {refused}");
    }
    let several = planned(&world, &["flights", "sales"]).expect("both");
    assert_eq!(several, ["flights", "sales"]);
}

#[test]
fn a_plan_of_code_that_moved_is_made_again() {
    let mut world = World::new("a v=1");
    let stale = world.request("a", &PartitionsAsked::None).expect("a plan");
    world.deploy(&manifest("a v=2")).expect("good definitions");
    let from = world.log.len();
    let asked = Command::RequestRun(Box::new(stale));
    assert_eq!(world.run_command(&asked), Err(Rejection::Replan));
    assert_eq!(world.kinds(from), "");
}

#[test]
fn a_task_under_way_shows_what_it_reads() {
    let mut world = World::new("a v=1; b <- a");
    make(&mut world, "a");
    let run = world.run("b");
    let attempt = world.lease(1)[0];
    assert_eq!(step_of(&world, attempt), "b");
    let task = world.state_of(run).task(0).expect("one task");
    let inputs = task.inputs.clone().expect("it is held");
    assert_eq!(inputs.len(), 1);
    assert_eq!(inputs[0].asset.as_str(), graph::name(0));
    assert_eq!(inputs[0].position, last(&world, "a").0);
    assert_eq!(inputs[0].data_version, version(&world, "a"));
}
