//! What the parity gates of this crate share: random definitions, deliveries that can be repeated,
//! and what a workspace means, apart from where it stands in the log.

pub(crate) mod delivery;
pub(crate) mod graph;

use serde_json::Value;

use crate::server::Server;

/// So many seeds, or `ARCO_GATE_DEPTH` times as many.
pub(crate) fn seeds(seeds: u64) -> std::ops::Range<u64> {
    let depth = std::env::var("ARCO_GATE_DEPTH").ok();
    let depth: u64 = depth.map_or(1, |depth| {
        depth.parse().expect("ARCO_GATE_DEPTH is a number")
    });
    0..seeds * depth
}

/// Everything the committed state says but where and when it stands, and who leads: the leader may
/// say that it is still there at any time.
pub(crate) fn meaning(server: &Server) -> Value {
    let bytes = server.engine.view().state.to_bytes();
    let lines: Result<Vec<Value>, _> = serde_json::Deserializer::from_slice(&bytes)
        .into_iter()
        .collect();
    let mut lines = lines.expect("a state is JSON lines").into_iter();
    let mut state = lines.next().expect("the first line is all but the assets");
    state["assets"] = lines.collect();
    for apart in ["position", "time", "leadership"] {
        let gone = state.as_object_mut().and_then(|all| all.remove(apart));
        assert!(gone.is_some(), "a state has a `{apart}`");
    }
    state
}

/// The same without what was heard of attempts after their end: it is refused, and noted for people.
pub(crate) fn without_late_words(mut state: Value) -> Value {
    let runs = state["runs"].as_array_mut().expect("a state has runs");
    for task in runs.iter_mut().flat_map(|run| rows(run, "tasks")) {
        for attempt in rows(task, "attempts") {
            if let Some(attempt) = attempt.as_object_mut() {
                attempt.remove("late");
            }
        }
    }
    state
}

fn rows<'a>(of: &'a mut Value, name: &str) -> impl Iterator<Item = &'a mut Value> {
    let rows = of.get_mut(name).and_then(Value::as_array_mut);
    rows.into_iter().flatten()
}

/// One row of an asset's partitions.
pub(crate) async fn partition(server: &Server, asset: &str, key: &str) -> Value {
    let rows = server
        .all(&format!("assets/{asset}/partitions"), 1000)
        .await;
    let row = rows.into_iter().find(|row| row["key"] == key);
    row.unwrap_or_else(|| panic!("`{asset}` has no partition `{key}`"))
}
