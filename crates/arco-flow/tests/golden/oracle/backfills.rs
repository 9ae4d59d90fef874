//! What of a backfill can be made, what becomes a run when, and what of it is made in the end.

use std::collections::{BTreeMap, BTreeSet};

use arco_core::backfill::BackfillStatus;
use arco_core::event::FailureClass;
use arco_core::partition::{Ordinals, PartitionsDef};
use arco_core::{AssetKey, AttemptId, BackfillId, PartitionKey};
use arco_flow::backfill::{Selector, TargetAsk};
use serde_json::{Value, json};

use crate::command::{Command, Reported};
use crate::compare::{Case, Exception, compare_all};
use crate::corpus::Line;
use crate::life_of_backfills::{self as backfills, advance, of};
use crate::specs::{definition, mapping, now, strings};
use crate::state::Backfill;
use crate::testing::{World, failed, made};

#[test]
fn backfills_go_as_in_dagster() {
    compare_all("backfills", EXCEPTIONS, |line| {
        Some((answer(line), theirs(line)))
    });
}

/// What is made and what is not is the same in those of what goes together and when.
const EXCEPTIONS: &[Exception] = &[
    Exception {
        card: "EX-112",
        name: "keys are for every asset that no other selected one feeds",
        explains: |case| has_more(case) && assets(&case.ours) != assets(&case.theirs),
    },
    Exception {
        card: "EX-125",
        name: "what is fed on several ways is all that any of them feeds",
        explains: has_more,
    },
    Exception {
        card: "EX-126",
        name: "what is not selected is not looked at",
        explains: |case| {
            let is_refused = case.line.error == "DagsterInvariantViolationError";
            is_refused && is_part(&case.line.args)
        },
    },
    Exception {
        card: "EX-110",
        name: "D-15: a partition begins when what it reads is done, and no later than in Dagster",
        explains: |case| {
            let (ours, theirs) = (rounds(&case.ours), rounds(&case.theirs));
            let no_later =
                |(run, round): (&String, &usize)| ours.get(run).is_some_and(|our| our <= round);
            is_same_outcome(case) && ours.len() == theirs.len() && theirs.iter().all(no_later)
        },
    },
    Exception {
        card: "EX-37",
        name: "D-12: in one run what is reached through an asset that is not asked for comes first",
        explains: |case| {
            let fewer = slots(&case.ours).is_subset(&slots(&case.theirs));
            let fails = !list(&case.line.args["fail"]).is_empty();
            fewer && fails && is_part(&case.line.args)
        },
    },
    Exception {
        card: "EX-107",
        name: "B-9, D-16: gaps, rows of dimensions and what failed make no other chunks",
        explains: |case| {
            let assets = list(&case.line.args["graph"]["assets"]);
            let has_policy = assets
                .iter()
                .any(|spec| spec["backfill_policy"].is_object());
            is_same_outcome(case) && has_policy
        },
    },
    Exception {
        card: "EX-111",
        name: "B-12: what goes into one run is known from the definitions",
        explains: |case| is_same_outcome(case) && rounds(&case.ours) != rounds(&case.theirs),
    },
];

fn is_same_outcome(case: &Case<'_>) -> bool {
    let same = |name: &str| case.ours[name] == case.theirs[name];
    case.line.op == "backfill" && case.theirs.is_object() && same("made") && same("failed")
}

/// In which round each run begins.
fn rounds(answer: &Value) -> BTreeMap<String, usize> {
    let rounds = list(&answer["rounds"]).iter().enumerate();
    let runs =
        rounds.flat_map(|(at, round)| list(round).iter().map(move |run| (run.to_string(), at)));
    runs.collect()
}

/// Whether some assets are not asked for.
fn is_part(args: &Value) -> bool {
    let asked = match args["target"].as_object() {
        Some(target) => target.len(),
        None => list(&args["assets"]).len(),
    };
    asked < list(&args["graph"]["assets"]).len()
}

/// Whether keys were given, and Arco makes more of them, or refuses what Dagster leaves out unsaid.
fn has_more(case: &Case<'_>) -> bool {
    // Of what was carried out, with what came to nothing.
    let all = |answer: &Value| -> BTreeSet<String> {
        let failed = list(&answer["failed"]).iter().map(Value::to_string);
        slots(answer).into_iter().chain(failed).collect()
    };
    let (ours, theirs) = (all(&case.ours), all(&case.theirs));
    let is_more = case.ours.is_null() || theirs.is_subset(&ours) && theirs.len() < ours.len();
    case.line.args["keys"].is_array() && !case.theirs.is_null() && is_more
}

/// What is made, or in the answer about a target can be made.
fn slots(answer: &Value) -> BTreeSet<String> {
    if let Value::Array(made) = &answer["made"] {
        return made.iter().map(Value::to_string).collect();
    }
    let keys = answer.as_object().into_iter().flatten();
    keys.flat_map(|(asset, keys)| match keys {
        Value::Array(keys) => keys
            .iter()
            .map(|key| json!([asset, key]).to_string())
            .collect(),
        _ => vec![json!([asset, null]).to_string()],
    })
    .collect()
}

fn assets(answer: &Value) -> BTreeSet<String> {
    let of = |slot: String| serde_json::from_str::<Value>(&slot).unwrap()[0].to_string();
    slots(answer).into_iter().map(of).collect()
}

fn theirs(line: &Line) -> Value {
    match line.ok {
        true if line.op == "backfill" => json!({
            "failed": line.result["failed"],
            "made": line.result["made"],
            "rounds": line.result["rounds"],
        }),
        // Nothing of an asset is as if it were not asked for; nothing at all is refused.
        true => {
            let mut makeable = line.result["makeable"].as_object().unwrap().clone();
            makeable.retain(|_, keys| *keys != json!([]));
            json!(makeable)
        }
        false => Value::Null,
    }
}

fn answer(line: &Line) -> Value {
    let args = &line.args;
    let mut world = world(args);
    match line.op.as_str() {
        "backfill_target" => targeted(&mut world, args),
        "backfill" => carried_out(&mut world, args),
        other => panic!("no answer to {other}"),
    }
}

/// A workspace with the assets of a question, at its time.
fn world(args: &Value) -> World {
    let mut world = World::new("none");
    world.now = now(args);
    let (mut assets, mut steps) = (Vec::new(), Vec::new());
    for spec in list(&args["graph"]["assets"]) {
        let key = &spec["key"];
        let deps = list(&spec["deps"]).iter().map(|dep| {
            let mut ours = json!({"asset": dep["key"], "param": dep["key"]});
            if !dep["mapping"].is_null() {
                ours["mapping"] = serde_json::to_value(mapping(&dep["mapping"])).unwrap();
            }
            ours
        });
        let mut asset = json!({"key": key, "deps": deps.collect::<Vec<_>>(), "step": key});
        if let Some(def) = definition(&spec["partitions"]) {
            let def = def.expect("a definition");
            add_keys(&mut world, &spec["partitions"]);
            asset["partitions"] = serde_json::to_value(&def).unwrap();
        }
        if let Some(policy) = spec["backfill_policy"].as_object() {
            asset["backfill_policy"] = match policy["max"].as_u64() {
                None => json!({}),
                Some(most) => json!({"max_partitions_per_run": most}),
            };
        }
        steps.push(json!({"name": key, "kind": "asset", "outputs": [key]}));
        assets.push(asset);
    }
    let manifest =
        json!({"format": 1, "location": "loc", "assets": assets, "checks": [], "steps": steps});
    world.deploy(&manifest).expect("Dagster took them");
    world
}

fn add_keys(world: &mut World, spec: &Value) {
    if spec["type"] != "dynamic" {
        return;
    }
    let keys = strings(&spec["keys"]);
    let keys = keys.iter().map(|key| PartitionKey::text(key));
    let add = Command::AddPartitions {
        name: spec["name"].as_str().unwrap().to_owned(),
        keys: keys.collect(),
    };
    world.run_command(&add).expect("good keys");
}

fn ask(world: &World, args: &Value) -> TargetAsk {
    let keys = &args["keys"];
    let mut selector = match keys.is_array() {
        true => Selector::keys(strings(keys)),
        false => Selector::all(),
    };
    let mut assets: BTreeSet<AssetKey> = strings(&args["assets"])
        .iter()
        .map(|key| asset(key))
        .collect();
    if let Some(target) = args["target"].as_object() {
        assets = target.keys().map(|key| asset(key)).collect();
        let only = target.iter().filter(|(_, keys)| keys.is_array());
        let only = only.map(|(key, keys)| (asset(key), ordinals(world, key, &strings(keys))));
        selector.only = Some(only.collect());
    }
    TargetAsk {
        assets,
        selector,
        policy: None,
        refuse_left_out: false,
    }
}

fn ordinals(world: &World, key: &str, keys: &[String]) -> Ordinals {
    let def = partitions(world, key).expect("partitioned");
    let ordinal = |key: &String| def.ordinal_of(&def.parse_key(key).unwrap()).unwrap();
    keys.iter().map(ordinal).collect()
}

fn partitions<'a>(world: &'a World, key: &str) -> Option<&'a PartitionsDef> {
    let found = world.state.catalog.asset(&asset(key)).expect("defined");
    found.asset.partitions.as_ref()
}

/// What of each asset is made.
fn targeted(world: &mut World, args: &Value) -> Value {
    let ask = ask(world, args);
    let Ok(request) = backfills::ask_for(world, &ask) else {
        return Value::Null;
    };
    let mut makeable: BTreeMap<String, Value> = BTreeMap::new();
    for unit in &request.target.units {
        let keys = unit.partitions.as_ref().map(|def| {
            let def = def.resolved(&request.target.sets);
            let keys = unit.members.iter().filter_map(|at| def.key_at(at));
            let keys: BTreeSet<String> = keys.map(|key| key.display().into_owned()).collect();
            keys
        });
        for key in &unit.assets {
            makeable.insert(key.as_str().to_owned(), json!(keys));
        }
    }
    json!(makeable)
}

/// Looks, lets every run that was asked for end, and looks again.
fn carried_out(world: &mut World, args: &Value) -> Value {
    let mut ask = ask(world, args);
    ask.refuse_left_out = true;
    let Ok(mut request) = backfills::ask_for(world, &ask) else {
        return Value::Null;
    };
    request.settings.concurrency = 1_000;
    let (id, _) = backfills::send(world, &request).expect("it can be made");
    let fails: BTreeSet<(String, Option<String>)> = list(&args["fail"])
        .iter()
        .map(|slot| {
            (
                slot[0].as_str().unwrap().to_owned(),
                slot[1].as_str().map(str::to_owned),
            )
        })
        .collect();
    let mut rounds = Vec::new();
    while !of(world, id).status.is_terminal() {
        let before = world.state.position;
        advance(world, id);
        assert_ne!(before, world.state.position, "it goes on: {args}");
        let round = begun(world, id);
        if !round.is_empty() {
            rounds.push(round);
        }
        work(world, &fails);
    }
    let backfill = of(world, id);
    let (made, failed) = outcome(backfill);
    assert_eq!(
        backfill.status == BackfillStatus::Failed,
        !failed.is_empty(),
        "{args}"
    );
    json!({"failed": failed, "made": made, "rounds": rounds})
}

/// Each (asset, key) that was made, and each that was not.
fn outcome(backfill: &Backfill) -> (Vec<Value>, Vec<Value>) {
    let (mut made, mut failed) = (BTreeSet::new(), BTreeSet::new());
    for (at, unit) in backfill.target.units.iter().enumerate() {
        let (shape, progress) = (&backfill.shape.units[at], &backfill.progress.units[at]);
        for member in 0..shape.count() {
            let key = shape.key(member);
            let key = key.map(|key| key.display().into_owned());
            for (number, asset) in (0..).zip(&unit.assets) {
                let is_made =
                    progress.done.contains(member) || progress.made_partly(number, member);
                let all = if is_made { &mut made } else { &mut failed };
                all.insert((asset.as_str().to_owned(), key.clone()));
            }
        }
    }
    let told = |slots: BTreeSet<(String, Option<String>)>| {
        let slots = slots.into_iter();
        slots.map(|(asset, key)| json!([asset, key])).collect()
    };
    (told(made), told(failed))
}

/// The runs that go on, as Dagster's are told.
fn begun(world: &World, id: BackfillId) -> Vec<Value> {
    let active = of(world, id).active.keys();
    let mut runs: Vec<(Vec<String>, Vec<Option<String>>)> = Vec::new();
    for run in active {
        let (mut assets, mut keys) = (BTreeSet::new(), Vec::new());
        for task in &world.state_of(*run).plan.tasks {
            assets.insert(task.step.clone());
            let key = task
                .partitions
                .first()
                .map(|key| key.display().into_owned());
            if !keys.contains(&key) {
                keys.push(key);
            }
        }
        runs.push((assets.into_iter().collect(), keys));
    }
    runs.sort();
    runs.into_iter()
        .map(|(assets, keys)| json!({"assets": assets, "keys": keys}))
        .collect()
}

fn slot_of(world: &World, attempt: AttemptId) -> (String, Option<String>) {
    let task = &world.state_of(attempt.run).plan.tasks[attempt.task as usize];
    let key = task
        .partitions
        .first()
        .map(|key| key.display().into_owned());
    (task.step.clone(), key)
}

fn work(world: &mut World, fails: &BTreeSet<(String, Option<String>)>) {
    loop {
        let leased = world.lease(64);
        if leased.is_empty() {
            return;
        }
        for attempt in leased {
            let slot = slot_of(world, attempt);
            let said = match fails.contains(&slot) {
                true => vec![Reported::Started, failed(FailureClass::UserCode)],
                false => vec![made(&slot.0), Reported::Succeeded],
            };
            assert!(world.report(attempt, said).is_empty(), "it is held");
        }
    }
}

fn asset(key: &str) -> AssetKey {
    AssetKey::parse(key).unwrap()
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}
