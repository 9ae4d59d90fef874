//! Which queued runs one pass launches, in order; how backfills go.

mod backfills;

use std::collections::BTreeMap;

use arco_core::RunId;
use serde_json::{Value, json};

use crate::corpus::{Line, corpus, is_fresh};
use crate::planner::PartitionsAsked;
use crate::tally::Tally;
use crate::testing::World;

/// The card of R-11: in Dagster a run that a pool holds back uses up the slots of its tags.
const CARD: &str = "EX-70";

/// Three assets of each pool, and one of none.
const ASSETS: &str = "p0 pool=p; p1 pool=p; p2 pool=p; q0 pool=q; q1 pool=q; q2 pool=q; \
                      r0 pool=r; r1 pool=r; r2 pool=r; free; db0 pool=db";

#[test]
fn queued_runs_are_launched_in_dagsters_order() {
    let corpus = corpus("queue");
    let mut tally = Tally::default();
    let mut faults = Vec::new();
    for (index, line) in corpus.lines.iter().enumerate() {
        assert!(line.ok, "{}", line.error);
        let ours = launched(&line.args);
        if ours == names(&line.result) {
            tally.equal(&line.op);
        } else if has_both(line) {
            tally.deviation(&line.op, CARD);
        } else {
            tally.unexplained(&line.op);
            // After the header, which is the first line of the file.
            let number = index + 2;
            faults.push(format!(
                "queue:{number} {}\n  dagster {}\n  arco    {ours:?}",
                line.args, line.result
            ));
        }
    }
    tally.report("queue");
    let (count, seed) = (faults.len(), &corpus.seed);
    faults.truncate(5);
    assert!(
        count == 0,
        "{count} differences, seed `{seed}`\n{}",
        faults.join("\n")
    );
    let too_different = tally.too_different(is_fresh());
    assert!(too_different.is_empty(), "{too_different:?}");
    assert!(is_fresh() || corpus.lines.len() >= 2_000);
}

/// Whether a queued run has limited tags and a limited pool: then Dagster may count what does not run.
fn has_both(line: &Line) -> bool {
    let limited = |key: &String| {
        list(&line.args["tag_limits"])
            .iter()
            .any(|rule| rule["key"] == **key)
    };
    let both = |run: &Value| {
        let tags = run["tags"].as_object();
        let pools = run["pools"].as_object();
        tags.is_some_and(|tags| tags.keys().any(limited))
            && pools.is_some_and(|pools| {
                pools
                    .keys()
                    .any(|pool| line.args["pools"][pool].is_number())
            })
    };
    list(&line.args["queued"]).iter().any(both)
}

/// The queued runs that begin when a host with room for everything asks.
fn launched(args: &Value) -> Vec<String> {
    let mut world = World::new(ASSETS);
    for run in list(&args["in_progress"]) {
        ask(&mut world, run);
    }
    while !world.lease(256).is_empty() {}
    world.limit(&limits(args));
    let queued: BTreeMap<RunId, &str> = list(&args["queued"])
        .iter()
        .map(|run| (ask(&mut world, run), run["id"].as_str().unwrap()))
        .collect();
    let mut begun: Vec<String> = Vec::new();
    loop {
        let leased = world.lease(256);
        if leased.is_empty() {
            return begun;
        }
        for attempt in leased {
            let name = queued[&attempt.run].to_owned();
            if !begun.contains(&name) {
                begun.push(name);
            }
        }
    }
}

fn ask(world: &mut World, run: &Value) -> RunId {
    let mut assets = Vec::new();
    for (pool, roots) in run["pools"].as_object().into_iter().flatten() {
        assets.extend((0..roots.as_u64().unwrap()).map(|n| format!("{pool}{n}")));
    }
    if assets.is_empty() || run["unconstrained_root"] == json!(true) {
        assets.push("free".into());
    }
    let request = world.request(&assets.join(" "), &PartitionsAsked::None);
    let mut request = request.expect("the assets are defined");
    for (key, value) in run["tags"].as_object().into_iter().flatten() {
        request
            .tags
            .insert(key.clone(), value.as_str().unwrap().into());
    }
    let id = request.run;
    world.ask(request).expect("a run without a key");
    id
}

fn limits(args: &Value) -> Value {
    let granularity = if args["granularity"] == "op" {
        "task"
    } else {
        "run"
    };
    let rules = list(&args["tag_limits"]).iter().map(|rule| {
        let mut ours = json!({"key": rule["key"], "limit": rule["limit"]});
        match &rule["value"] {
            Value::String(value) => ours["value"] = json!(value),
            Value::Object(_) => ours["per_value"] = json!(true),
            _ => {}
        }
        ours
    });
    let pools = args["pools"].as_object().unwrap().iter();
    let pools: BTreeMap<&String, Value> = pools
        .map(|(name, limit)| (name, json!({"limit": limit, "granularity": granularity})))
        .collect();
    let mut limits = json!({"tags": rules.collect::<Vec<_>>(), "pools": pools});
    // -1 is no limit.
    if let Some(runs) = args["max_concurrent_runs"].as_u64() {
        limits["runs"] = json!(runs);
    }
    limits
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn names(value: &Value) -> Vec<String> {
    list(value)
        .iter()
        .map(|name| name.as_str().unwrap().to_owned())
        .collect()
}
