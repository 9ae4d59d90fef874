use arco_core::asset_fact::{AssetFact, AssetMaterialization};
use arco_core::event::{FailureClass, RerunKind, RerunOf};
use arco_core::plan::OutputValues;
use arco_core::{AssetKey, AttemptId, RunId};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::inputs;
use crate::command::{Answer, Command, Reported, RunRequest};
use crate::planner::{self, PartitionsAsked};
use crate::rerun;
use crate::state::{OutputStatus, RunStatus, State};
use crate::testing::{World, failed, manifest};

/// `u`, `g` of a graph that reads it, and `after`, which reads `g`. Ops are given as JSON beside their
/// names; `g.total` makes `g`.
fn graph(assets: &str, ops: &[(&str, Value)]) -> Value {
    let mut document = manifest(assets);
    let steps = document["steps"].as_array_mut().unwrap();
    steps.retain(|step| step["name"] != "g");
    for (name, op) in ops {
        let mut step = json!({"name": name, "kind": "op", "graph": "g",
            "values": [{"name": "result"}]});
        step.as_object_mut()
            .unwrap()
            .extend(op.as_object().unwrap().clone());
        steps.push(step);
    }
    for asset in document["assets"].as_array_mut().unwrap() {
        if asset["key"] == "g" {
            asset["step"] = json!("g.total");
        }
    }
    document
}

fn from(step: &str) -> Value {
    json!({"step": step, "output": "result"})
}

fn all(step: &str) -> Value {
    json!({"step": step, "output": "result", "all": true})
}

fn takes(param: &str, sources: &[Value]) -> Value {
    json!([{"param": param, "sources": sources}])
}

fn split() -> (&'static str, Value) {
    let dynamic = json!([{"name": "result", "dynamic": true}]);
    (
        "g.split",
        json!({"deps": [{"asset": "u", "param": "n"}], "values": dynamic}),
    )
}

fn total(sources: &[Value]) -> (&'static str, Value) {
    (
        "g.total",
        json!({"outputs": ["g"], "inputs": takes("ns", sources),
            "values": [{"name": "result", "asset": "g"}]}),
    )
}

fn mapped(name: &'static str, source: Value) -> (&'static str, Value) {
    (
        name,
        json!({"inputs": takes("n", &[source]), "over": from("g.split")}),
    )
}

/// split → one → two, collected by total.
fn fan_out() -> Value {
    graph(
        "u; g <- u; after <- g",
        &[
            total(&[all("g.two")]),
            mapped("g.two", from("g.one")),
            mapped("g.one", from("g.split")),
            split(),
        ],
    )
}

fn world(document: &Value) -> World {
    let mut world = World::new("u");
    world.deploy(document).unwrap();
    world
}

fn gives(keys: Option<&[&str]>) -> Reported {
    Reported::Values {
        outputs: vec![OutputValues {
            name: "result".into(),
            keys: keys.map(|keys| keys.iter().map(|key| (*key).to_owned()).collect()),
        }],
    }
}

/// What a body says: an asset made, keys of `split`, a value; `bad` names tasks that raise, `lacking`
/// those that give nothing.
fn said(
    world: &World,
    attempt: AttemptId,
    keys: &[&str],
    bad: &[&str],
    lacking: &[&str],
) -> Vec<Reported> {
    let planned = world.state_of(attempt.run).planned(attempt.task).unwrap();
    let name = planned.step_key();
    if bad.contains(&name.as_str()) {
        return vec![failed(FailureClass::UserCode)];
    }
    let partition = planned
        .partitions
        .first()
        .map(|key| key.display().into_owned());
    let of = |asset: &str| {
        Reported::Asset(AssetFact::Materialized(AssetMaterialization {
            partition: partition.clone(),
            ..AssetMaterialization::new(AssetKey::parse(asset).unwrap())
        }))
    };
    let mut said = match name.as_str() {
        _ if lacking.contains(&name.as_str()) => vec![Reported::Values { outputs: vec![] }],
        "g.split" => vec![gives(Some(keys))],
        "g.total" => vec![of("g"), gives(None)],
        op if op.starts_with("g.") => vec![gives(None)],
        asset => vec![of(asset)],
    };
    said.push(Reported::Succeeded);
    said
}

fn carry_out(world: &mut World, keys: &[&str], bad: &[&str], lacking: &[&str]) {
    while let Some(attempt) = world.lease(1).pop() {
        let said = said(world, attempt, keys, bad, lacking);
        assert!(world.report(attempt, said).is_empty());
    }
}

/// Carries out one task.
fn one(world: &mut World, keys: &[&str]) {
    let attempt = world.lease(1)[0];
    let said = said(world, attempt, keys, &[], &[]);
    assert!(world.report(attempt, said).is_empty());
}

/// `param=run:step#key,…` of the values a task takes; the run is `.` when it is the task's own.
fn values(world: &World, run: RunId, step_key: &str) -> String {
    let found = world.state_of(run);
    let task = found
        .plan
        .tasks
        .iter()
        .position(|t| t.step_key() == step_key);
    let task = u32::try_from(task.unwrap()).unwrap();
    let of = inputs(&world.state, found, task).into_iter().map(|input| {
        let values = input.values.iter().map(|value| {
            let from = if value.run == run { "." } else { "parent" };
            let key = value.mapping_key.as_ref().map(|key| format!("#{key}"));
            format!("{from}:{}{}", value.step, key.unwrap_or_default())
        });
        format!("{}={}", input.param, values.collect::<Vec<_>>().join(","))
    });
    of.collect::<Vec<_>>().join(" ")
}

#[test]
fn a_plan_grows_by_the_keys_of_a_dynamic_output() {
    let mut world = world(&fan_out());
    let run = world.run("u g after");
    assert_eq!(
        world.tasks(run),
        "u:ready g.split:waiting g.total:waiting after:waiting"
    );
    one(&mut world, &[]);
    one(&mut world, &["b", "a"]);
    assert_eq!(
        world.tasks(run),
        "u:succeeded g.split:succeeded g.total:waiting after:waiting \
         g.one[b]:ready g.one[a]:ready g.two[b]:waiting g.two[a]:waiting"
    );
    assert_eq!(values(&world, run, "g.one[a]"), "n=.:g.split#a");
    // Where it will be is known before it is there.
    assert_eq!(values(&world, run, "g.two[a]"), "n=.:g.one[a]");
    carry_out(&mut world, &[], &[], &[]);
    assert_eq!(world.state_of(run).status, RunStatus::Success);
    assert_eq!(values(&world, run, "g.two[a]"), "n=.:g.one[a]");
    // In the order of the keys as they were yielded.
    assert_eq!(values(&world, run, "g.total"), "ns=.:g.two[b],.:g.two[a]");
    assert_eq!(world.replayed().hash(), world.state.hash());
    // The asset stands on what the first op read.
    let made = &world.state.assets[&arco_core::AssetKey::parse("g").unwrap()].recent[0].2;
    assert_eq!(made.inputs.len(), 1);
    assert_eq!(made.inputs[0].asset.as_str(), "u");
}

/// as the oracle has it.
#[test]
fn failures_and_left_out_values_go_as_in_dagster() {
    let optional = json!([{"name": "result", "optional": true}]);
    let mut maybe = mapped("g.one", from("g.split"));
    maybe.1["values"] = optional;
    let left_out = graph(
        "u; g <- u; after <- g",
        &[
            total(&[all("g.two")]),
            mapped("g.two", from("g.one")),
            maybe,
            split(),
        ],
    );
    type Row<'a> = (
        &'a [&'a str],
        &'a [&'a str],
        &'a [&'a str],
        &'a str,
        RunStatus,
    );
    let rows: [Row<'_>; 6] = [
        (
            &[],
            &[],
            &[],
            "g.total:succeeded after:succeeded",
            RunStatus::Success,
        ),
        (
            &["a", "b"],
            &["g.one[b]"],
            &[],
            "g.total:skipped after:skipped g.one[a]:succeeded g.one[b]:failed g.two[a]:succeeded g.two[b]:skipped",
            RunStatus::Failure,
        ),
        (
            &["a", "b"],
            &[],
            &["g.one[b]"],
            "g.total:succeeded after:succeeded g.one[a]:succeeded g.one[b]:succeeded g.two[a]:succeeded g.two[b]:skipped",
            RunStatus::Success,
        ),
        (
            &["a", "b"],
            &[],
            &["g.one[b]", "g.one[a]"],
            "g.total:skipped after:skipped g.one[a]:succeeded g.one[b]:succeeded g.two[a]:skipped g.two[b]:skipped",
            RunStatus::Success,
        ),
        (
            &["a"],
            &["g.split"],
            &[],
            "g.total:skipped after:skipped",
            RunStatus::Failure,
        ),
        (
            &["a"],
            &["g.two[a]"],
            &[],
            "g.total:skipped after:skipped g.one[a]:succeeded g.two[a]:failed",
            RunStatus::Failure,
        ),
    ];
    for (keys, bad, lacking, then, status) in rows {
        let mut world = world(&left_out);
        let run = world.run("u g after");
        carry_out(&mut world, keys, bad, lacking);
        let tasks = world.tasks(run);
        let rest = tasks.split_once("g.split:").unwrap().1;
        assert_eq!(
            rest.split_once(' ').unwrap().1,
            then,
            "{keys:?} {bad:?} {lacking:?}"
        );
        assert_eq!(world.state_of(run).status, status, "{bad:?} {lacking:?}");
        assert_eq!(world.replayed().hash(), world.state.hash());
    }
}

/// A list takes what is there, and what an op reads beside its key may be over before the keys
/// are known.
#[test]
fn what_a_mapped_op_needs_beside_its_key_may_have_failed_before() {
    let outer = json!({"deps": [{"asset": "u", "param": "n"}]});
    let mut pair = mapped("g.one", from("g.split"));
    pair.1["inputs"] = json!([{"param": "n", "sources": [from("g.split")]},
        {"param": "w", "sources": [from("g.outer")]}]);
    let document = graph(
        "u; g <- u; after <- g",
        &[total(&[all("g.one")]), pair, ("g.outer", outer), split()],
    );
    for bad in ["g.outer", ""] {
        let mut world = world(&document);
        let run = world.run("u g after");
        one(&mut world, &[]);
        let both = world.lease(2);
        let name = |world: &World, id: AttemptId| {
            world.state_of(run).planned(id.task).unwrap().step.clone()
        };
        let (outer, split) = match name(&world, both[0]).as_str() {
            "g.outer" => (both[0], both[1]),
            _ => (both[1], both[0]),
        };
        let text = said(&world, outer, &[], &[bad], &[]);
        world.report(outer, text);
        let text = said(&world, split, &["a"], &[], &[]);
        world.report(split, text);
        let then = if bad.is_empty() { "ready" } else { "skipped" };
        assert!(
            world.tasks(run).ends_with(&format!("g.one[a]:{then}")),
            "{}",
            world.tasks(run)
        );
        carry_out(&mut world, &[], &[], &[]);
        assert!(world.state_of(run).status.is_terminal());
        assert_eq!(world.replayed().hash(), world.state.hash());
    }
}

#[test]
fn the_keys_of_the_last_try_count_and_repeats_change_nothing() {
    let mut document = fan_out();
    for step in document["steps"].as_array_mut().unwrap() {
        if step["name"] == "g.split" {
            step["retry"] = json!({"max_retries": 1});
        }
    }
    let mut world = world(&document);
    let run = world.run("u g");
    one(&mut world, &[]);
    let first = world.lease(1)[0];
    world.report(
        first,
        vec![gives(Some(&["a", "b"])), failed(FailureClass::UserCode)],
    );
    let second = world.lease(1)[0];
    assert_eq!(second.number, 2);
    world.report(second, vec![gives(Some(&["a"]))]);
    let before = world.state.hash();
    world.report(second, vec![gives(Some(&["a"]))]);
    assert_eq!(world.state.hash(), before);
    world.report(second, vec![gives(Some(&["c"])), Reported::Succeeded]);
    assert_eq!(
        world.tasks(run),
        "u:succeeded g.split:succeeded g.total:waiting g.one[c]:ready g.two[c]:waiting"
    );
    let before = world.state.hash();
    world.report(second, vec![gives(Some(&["d"])), Reported::Succeeded]);
    assert_eq!(world.state.hash(), before, "the attempt is over");
}

#[test]
fn what_an_op_does_not_have_ends_its_attempt() {
    let output = |name: &str, keys: Option<Vec<String>>| OutputValues {
        name: name.into(),
        keys,
    };
    let many = (0..=super::KEYS_MAX).map(|n| format!("k{n}")).collect();
    let rows: [(Vec<OutputValues>, &str); 6] = [
        (
            vec![output("nope", None)],
            "it gave output `nope`, which its step `g.split` does not have",
        ),
        (
            vec![output("result", None)],
            "it gave output `result` without mapping keys",
        ),
        (
            vec![
                output("result", Some(vec![])),
                output("result", Some(vec![])),
            ],
            "it gave output `result` twice",
        ),
        (
            vec![output("result", Some(vec!["a".into(), "a".into()]))],
            "a mapping key of output `result` comes twice",
        ),
        (
            vec![output("result", Some(vec!["a-b".into()]))],
            "mapping key `a-b` of output `result` is not letters, digits and underscores",
        ),
        (
            vec![output("result", Some(many))],
            "output `result` has 10001 mapping keys",
        ),
    ];
    for (outputs, told) in rows {
        let mut world = world(&fan_out());
        let run = world.run("u g");
        one(&mut world, &[]);
        let attempt = world.lease(1)[0];
        world.report(
            attempt,
            vec![Reported::Values { outputs }, Reported::Succeeded],
        );
        let split = world.state_of(run).task(attempt.task).unwrap();
        let (_, error) = split.failure().expect("it failed");
        assert!(error.message.starts_with(told), "{}", error.message);
        assert_eq!(
            world.tasks(run),
            "u:succeeded g.split:failed g.total:skipped"
        );
    }
}

#[test]
fn a_run_that_is_being_cancelled_grows_no_more() {
    let mut world = world(&fan_out());
    let run = world.run("u g");
    one(&mut world, &[]);
    let attempt = world.lease(1)[0];
    world.run_command(&Command::CancelRun(run)).unwrap();
    world.report(attempt, vec![gives(Some(&["a"])), Reported::Succeeded]);
    assert_eq!(
        world.tasks(run),
        "u:succeeded g.split:succeeded g.total:cancelled"
    );
    assert_eq!(world.state_of(run).status, RunStatus::Canceled);
}

#[test]
fn partitions_of_a_graph_are_apart() {
    let mut document = fan_out();
    let static_def = json!({"kind": "static", "keys": ["x", "y"]});
    for asset in document["assets"].as_array_mut().unwrap() {
        asset["partitions"] = static_def.clone();
    }
    let mut world = world(&document);
    let asked = world.request("u g", &PartitionsAsked::All).unwrap();
    let run = asked.run;
    world.ask(asked).unwrap();
    let mut next = 0;
    while let Some(attempt) = world.lease(1).pop() {
        let keys: &[&str] = if next == 0 { &["a"] } else { &["a", "b"] };
        let planned = world.state_of(run).planned(attempt.task).unwrap();
        next += usize::from(planned.step == "g.split");
        let said = said(&world, attempt, keys, &[], &[]);
        world.report(attempt, said);
    }
    let tasks = world.tasks(run);
    assert_eq!(world.state_of(run).status, RunStatus::Success);
    for (task, count) in [("g.one[a][", 2), ("g.one[b][", 1), ("g.total[", 2)] {
        assert_eq!(tasks.matches(task).count(), count, "{tasks}");
    }
}

#[test]
fn a_part_of_a_graph_is_refused() {
    let mut document = fan_out();
    document["assets"]
        .as_array_mut()
        .unwrap()
        .push(json!({"key": "h", "step": "g.split"}));
    for step in document["steps"].as_array_mut().unwrap() {
        if step["name"] == "g.split" {
            step["outputs"] = json!(["h"]);
        }
    }
    let mut world = world(&document);
    let refused = world.request("g", &PartitionsAsked::None).unwrap_err();
    assert_eq!(refused.code(), "partial_step");
    assert!(
        refused
            .to_string()
            .starts_with("step `g` makes all its assets at once"),
        "{refused}"
    );
    world.run("g h");
}

fn rerun_of(world: &mut World, parent: RunId, kind: RerunKind, fresh: u64) -> RunId {
    let found = world.state_of(parent).clone();
    let rerun = RerunOf {
        parent,
        root: rerun::root_of(&found),
        kind,
        selection: (kind == RerunKind::Subset).then(|| "g".into()),
        with_upstream: false,
        with_downstream: false,
        retry: None,
    };
    let selected = [arco_core::AssetKey::parse("g").unwrap()].into();
    let catalog = world.state.catalog.clone();
    let tasks = rerun::tasks(&found, &catalog, &rerun, &selected).unwrap();
    let mut planned = planner::again(&catalog, parent, &tasks, world.now).unwrap();
    planned.plan.stored = rerun::stored(&found, &tasks);
    let request = RunRequest {
        run: RunId::from_parts(1_000 + fresh, 7),
        assets: rerun::assets_of(&found, &catalog, &tasks),
        backfill: None,
        rerun: Some(rerun),
        plan: planned.plan.into(),
        definitions: planned.definitions,
        ..world.request("u", &PartitionsAsked::None).unwrap()
    };
    match world.ask(request).unwrap() {
        Answer::Run { run, .. } => run,
        other => panic!("expected a run, got {other:?}"),
    }
}

#[test]
fn a_rerun_from_failure_keeps_the_keys_and_the_values() {
    let mut world = world(&fan_out());
    let first = world.run("u g after");
    carry_out(&mut world, &["a", "b", "c"], &["g.one[b]", "g.two[c]"], &[]);
    let second = rerun_of(&mut world, first, RerunKind::FromFailure, 1);
    assert_eq!(
        world.tasks(second),
        "g.one[b]:ready g.two[b]:waiting g.two[c]:ready g.total:waiting after:waiting"
    );
    assert_eq!(values(&world, second, "g.one[b]"), "n=parent:g.split#b");
    assert_eq!(values(&world, second, "g.two[c]"), "n=parent:g.one[c]");
    carry_out(&mut world, &[], &["g.two[b]"], &[]);
    // A rerun of the rerun takes values of both.
    let third = rerun_of(&mut world, second, RerunKind::FromFailure, 2);
    assert_eq!(
        world.tasks(third),
        "g.two[b]:ready g.total:waiting after:waiting"
    );
    carry_out(&mut world, &[], &[], &[]);
    assert_eq!(world.state_of(third).status, RunStatus::Success);
    assert_eq!(
        values(&world, third, "g.total"),
        "ns=parent:g.two[a],.:g.two[b],parent:g.two[c]"
    );
    let stored = &world.state_of(third).plan.stored;
    let of = |key: &str| stored.iter().find(|one| one.step_key() == key).unwrap().run;
    assert_eq!([of("g.two[a]"), of("g.two[c]")], [first, second]);
    assert_eq!(world.replayed().hash(), world.state.hash());
}

#[test]
fn a_rerun_of_the_op_that_gives_the_keys_maps_anew() {
    let mut world = world(&fan_out());
    let first = world.run("u g after");
    carry_out(&mut world, &["a", "b"], &[], &[]);
    let again = rerun_of(&mut world, first, RerunKind::Subset, 1);
    assert_eq!(world.tasks(again), "g.split:ready g.total:waiting");
    carry_out(&mut world, &["c"], &[], &[]);
    assert_eq!(
        world.tasks(again),
        "g.split:succeeded g.total:succeeded g.one[c]:succeeded g.two[c]:succeeded"
    );
    assert_eq!(values(&world, again, "g.total"), "ns=.:g.two[c]");
}

#[test]
fn a_snapshot_keeps_what_a_plan_grew_by() {
    let mut world = world(&fan_out());
    let run = world.run("u g after");
    one(&mut world, &[]);
    one(&mut world, &["a", "b"]);
    let bytes = world.state.to_bytes();
    let mut read = State::from_bytes(&bytes).unwrap();
    assert_eq!(read.hash(), world.state.hash());
    std::mem::swap(&mut world.state, &mut read);
    carry_out(&mut world, &[], &[], &[]);
    assert_eq!(world.state_of(run).status, RunStatus::Success);
    assert_eq!(values(&world, run, "g.total"), "ns=.:g.two[a],.:g.two[b]");
}

proptest! {
    /// Whatever the keys, whatever fails and whatever is left out: the run ends, `g` is made exactly when
    /// no branch failed and a branch gave something (or there is none), and a replay is the same.
    #[test]
    fn every_fan_out_ends_as_its_branches_do(
        count in 0_usize..5,
        bad in any::<u16>(),
        lacking in any::<u8>(),
        order in any::<u8>(),
    ) {
        let mut maybe = mapped("g.one", from("g.split"));
        maybe.1["values"] = json!([{"name": "result", "optional": true}]);
        let document = graph("u; g <- u; after <- g", &[
            total(&[all("g.two")]), mapped("g.two", from("g.one")), maybe, split(),
        ]);
        let mut world = world(&document);
        let run = world.run("u g after");
        let keys: Vec<String> = (0..count).map(|n| format!("k{n}")).collect();
        let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
        let mut bads: Vec<String> = Vec::new();
        let mut lacks: Vec<String> = Vec::new();
        for n in 0..count {
            if bad >> n & 1 == 1 { bads.push(format!("g.one[k{n}]")) }
            if bad >> (n + 8) & 1 == 1 { bads.push(format!("g.two[k{n}]")) }
            if lacking >> n & 1 == 1 { lacks.push(format!("g.one[k{n}]")) }
        }
        let bads: Vec<&str> = bads.iter().map(String::as_str).collect();
        let lacks: Vec<&str> = lacks.iter().map(String::as_str).collect();
        loop {
            let mut leased = world.lease(3);
            if leased.is_empty() { break }
            let turn = usize::from(order) % leased.len();
            leased.rotate_left(turn);
            for attempt in leased {
                let said = said(&world, attempt, &keys, &bads, &lacks);
                world.report(attempt, said);
            }
        }
        let found = world.state_of(run);
        prop_assert!(found.status.is_terminal());
        let mut fails = false;
        let mut there = 0;
        for n in 0..count {
            if bad >> n & 1 == 1 { fails = true }
            else if lacking >> n & 1 == 1 {}
            else if bad >> (n + 8) & 1 == 1 { fails = true }
            else { there += 1 }
        }
        let at = found.plan.tasks.iter().position(|task| task.step == "g.total").unwrap();
        let key = arco_core::AssetKey::parse("g").unwrap();
        let made = found.tasks[at].output(&key) == OutputStatus::Materialized;
        prop_assert_eq!(made, !fails && (there > 0 || count == 0), "{}", world.tasks(run));
        prop_assert_eq!(found.status == RunStatus::Failure, fails, "{}", world.tasks(run));
        prop_assert_eq!(world.replayed().hash(), world.state.hash());
    }
}
