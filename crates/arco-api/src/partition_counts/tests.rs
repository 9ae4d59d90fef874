use std::collections::BTreeMap;

use arco_core::PartitionKey;
use arco_core::partition::{DynamicKeys, TimeWindowSpec};
use arco_flow::state::{PagedBitmap, State};
use serde_json::json;

use super::*;

const NOW: Timestamp = Timestamp(1_704_067_200_000);

fn hourly(start: &str) -> PartitionsDef {
    PartitionsDef::time_window(TimeWindowSpec::hourly(start)).expect("valid")
}

/// How many partitions are defined anew: `ARCO_REDEFINED_PARTITIONS`, a million in the nightly job.
fn many(usually: usize) -> usize {
    let asked = std::env::var("ARCO_REDEFINED_PARTITIONS").ok();
    asked.map_or(usually, |text| {
        text.parse().expect("a number of partitions")
    })
}

/// The start of so many hours, and of others before (negative: after) them.
fn hours_ago(hours: usize, before: i64) -> String {
    let hours = i64::try_from(hours).expect("a small number") + before;
    Timestamp(NOW.0 - hours * 3_600_000).to_rfc3339()[..19].to_owned()
}

fn fixed(keys: &[&str]) -> PartitionsDef {
    PartitionsDef::fixed(keys.iter().copied()).expect("valid")
}

/// Facts on these slots: of five in a row two were made, one was made and failed then, one only failed.
fn facts(keys: impl Iterator<Item = PartitionKey>) -> AssetState {
    let (mut made, mut failed) = (PagedBitmap::default(), PagedBitmap::default());
    let mut slots: Vec<Slot> = Vec::new();
    for (n, key) in (0_u32..).zip(keys) {
        slots.push(Some(key));
        if matches!(n % 5, 0..=2) {
            made.insert(n);
        }
        if matches!(n % 5, 2 | 3) {
            failed.insert(n);
        }
    }
    let mut asset = serde_json::to_value(AssetState::default()).expect("JSON");
    asset["slots"] = json!(slots);
    asset["materialized"] = serde_json::to_value(made).expect("JSON");
    asset["failed"] = serde_json::to_value(failed).expect("JSON");
    let mut state: serde_json::Value =
        serde_json::from_slice(&State::default().to_bytes()).expect("JSON");
    state["assets"] = json!([["a", asset]]);
    let state = State::from_bytes(state.to_string().as_bytes()).expect("our own form");
    let found = state.assets.values().next().expect("one asset");
    (**found).clone()
}

/// Counts by looking at each partition.
fn walked(def: &PartitionsDef, state: &AssetState) -> PartitionCounts {
    let mut counts = PartitionCounts::default();
    for key in def.keys(NOW) {
        counts.total += 1;
        *match status_of(Some(state), &Some(key)) {
            PartitionStatus::NeverMaterialized => &mut counts.never_materialized,
            PartitionStatus::Materialized => &mut counts.materialized,
            PartitionStatus::Failed => &mut counts.failed,
            PartitionStatus::InProgress => &mut counts.in_progress,
        } += 1;
    }
    counts
}

/// One after the other, each under a version of its own, with one cache.
fn redefine(state: &AssetState, definitions: &[PartitionsDef]) {
    let cache = CountsCache::default();
    let asset = AssetKey::parse("a").expect("a key");
    let mut seen: BTreeMap<PartitionKey, PartitionStatus> = BTreeMap::new();
    for (n, def) in definitions.iter().enumerate() {
        let version = Digest::of(n.to_string().as_bytes());
        let counts = cache.counts(&asset, version, def, Some(state), NOW);
        assert_eq!(counts, walked(def, state), "definition {n}");
        for key in def.keys(NOW) {
            let status = status_of(Some(state), &Some(key.clone()));
            let before = *seen.entry(key.clone()).or_insert(status);
            assert_eq!(status, before, "{key:?} under definition {n}");
        }
    }
}

#[test]
fn every_status_stays_on_its_key_when_windows_are_defined_anew() {
    let hours = many(17_000);
    let start = hours_ago(hours, 0);
    let first = hourly(&start);
    let state = facts(first.keys(NOW).take(hours - 500));
    let of_berlin = PartitionsDef::time_window(TimeWindowSpec {
        timezone: "Europe/Berlin".into(),
        ..TimeWindowSpec::hourly(&start)
    });
    let without_sundays = PartitionsDef::time_window(TimeWindowSpec {
        exclusions: vec!["0 * * * 0".into()],
        ..TimeWindowSpec::hourly(&start)
    });
    redefine(
        &state,
        &[
            first.clone(),
            hourly(&hours_ago(hours, 5_000)),
            hourly(&hours_ago(hours, -6_000)),
            of_berlin.expect("valid"),
            without_sundays.expect("valid"),
            PartitionsDef::time_window(TimeWindowSpec::daily(&start[..10])).expect("valid"),
            first,
        ],
    );
}

#[test]
fn every_status_stays_on_its_key_when_keys_are_reordered_removed_and_added_again() {
    let first = fixed(&["a", "b", "c", "d", "e", "f", "g"]);
    let state = facts(first.keys(NOW));
    redefine(
        &state,
        &[
            first.clone(),
            fixed(&["g", "a", "c", "b", "f", "e", "d"]),
            fixed(&["a", "c", "new", "g"]),
            fixed(&["b", "a", "new"]),
            first,
        ],
    );
}

#[test]
fn every_status_stays_on_its_key_when_many_keys_are_reordered_removed_and_added_again() {
    let keys: Vec<String> = (0..many(50_000)).map(|n| format!("store {n}")).collect();
    let of = |keys: &mut dyn Iterator<Item = &String>| {
        PartitionsDef::fixed(keys.map(String::as_str)).expect("valid")
    };
    let first = of(&mut keys.iter());
    let state = facts(first.keys(NOW));
    redefine(
        &state,
        &[
            of(&mut keys.iter().rev()),
            of(&mut keys.iter().skip(keys.len() / 3)),
            of(&mut keys.iter().step_by(7)),
            first,
        ],
    );
}

#[test]
fn keys_of_a_set_come_and_go_under_one_version() {
    let named = PartitionsDef::dynamic("people").expect("valid");
    let texts = ["ann", "bob", "cid", "dot", "eve", "fay"];
    let keys = texts.map(|text| DynamicKeys::read(text).expect("a key"));
    let state = facts(keys.iter().cloned());
    let cache = CountsCache::default();
    let asset = AssetKey::parse("a").expect("a key");
    let mut set = DynamicKeys::default();
    let look = |set: &DynamicKeys| {
        let sets = [("people".to_owned(), set.clone())].into();
        let def = named.resolved(&sets);
        let counts = cache.counts(&asset, Digest::of(b"v"), &def, Some(&state), NOW);
        assert_eq!(counts, walked(&def, &state));
    };
    for key in &keys {
        set.add(key.clone());
        look(&set);
    }
    set.remove(&keys[1..3]);
    look(&set);
    set.add(keys[2].clone());
    look(&set);
}
