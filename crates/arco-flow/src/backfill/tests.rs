use std::collections::BTreeSet;

use arco_core::AssetKey;
use arco_core::partition::Ordinals;
use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::Rejection;
use crate::testing::{NOW, World, manifest};

fn outline(world: &World, assets: &str, selector: &Selector) -> Result<Outline, Rejection> {
    let selected: BTreeSet<AssetKey> = assets
        .split_whitespace()
        .map(|key| AssetKey::parse(key).expect("a key"))
        .collect();
    let catalog = &world.state.catalog;
    let target = Target::resolve(catalog, &selected, selector, NOW)?;
    Outline::of(catalog, target, NOW)
}

fn keys(texts: &[&str]) -> Selector {
    Selector::Keys(texts.iter().map(|text| (*text).to_owned()).collect())
}

/// `a+b[01 02] | c[*]`: rounds apart by bars, the day of each key, `*` for an asset without partitions.
fn told(world: &World, outline: &Outline) -> String {
    let rounds: Vec<String> = (0..outline.rounds())
        .map(|round| {
            let units = outline
                .round(round)
                .units
                .into_iter()
                .map(|(at, ordinals)| {
                    let unit = &outline.units[at];
                    let assets: Vec<&str> = unit.assets.iter().map(AssetKey::as_str).collect();
                    let found = world.state.catalog.asset(&unit.assets[0]).expect("defined");
                    let days = match &found.asset.partitions {
                        None => "*".to_owned(),
                        Some(def) => {
                            days(def.keys_of(ordinals).map(|key| key.display().into_owned()))
                        }
                    };
                    format!("{}[{days}]", assets.join("+"))
                });
            units.collect::<Vec<_>>().join(" ")
        })
        .collect();
    rounds.join(" | ")
}

/// `01...31` for many in a row, each by name for a few.
fn days(keys: impl Iterator<Item = String>) -> String {
    let short: Vec<String> = keys
        .map(|key| key.trim_start_matches("2026-").to_owned())
        .collect();
    match short.as_slice() {
        [first, .., last] if short.len() > 4 => format!("{first}...{last}"),
        few => few.join(" "),
    }
}

/// The table of 7.3 in the order in which partitions can begin (D-15), where Dagster waits for whole rounds.
#[test]
fn partitions_begin_when_what_they_read_is_done() {
    let rows = [
        // definitions, selected, keys, rounds
        (
            "a daily; b daily <- a",
            "a b",
            "2026-01-01...2026-01-02",
            "a+b[01-01 01-02]",
        ),
        (
            "a daily; b daily <- a",
            "b",
            "2026-01-01...2026-01-02",
            "b[01-01 01-02]",
        ),
        (
            "a daily; b daily <- a; c daily <- b",
            "a c",
            "2026-01-01",
            "a+c[01-01]",
        ),
        (
            "a daily; b monthly <- a",
            "a b",
            "2026-01-01...2026-01-31",
            "a[01-01...01-31] | b[01-01]",
        ),
        (
            "a monthly; b daily <- a",
            "a b",
            "2026-01-01",
            "a[01-01] | b[01-01...01-31]",
        ),
        (
            "a daily <- yesterday(a)",
            "a",
            "2026-01-01...2026-01-03",
            "a[01-01] | a[01-02] | a[01-03]",
        ),
        (
            "a daily; b daily <- yesterday(a)",
            "a b",
            "2026-01-01...2026-01-02",
            "a[01-01 01-02] | b[01-02 01-03]",
        ),
        (
            "a daily; b <- a",
            "a b",
            "2026-01-01...2026-01-02",
            "a[01-01 01-02] | b[*]",
        ),
        (
            "a; b daily <- a",
            "a b",
            "2026-01-01...2026-01-02",
            "a[*] | b[01-01 01-02]",
        ),
        (
            "a daily; b static <- all(a)",
            "a b",
            "2026-01-01",
            "a[01-01] | b[x y z]",
        ),
        (
            "a daily; b daily <- a; c daily <- a; d daily <- b, c",
            "a b c d",
            "2026-01-05",
            "a+b+c+d[01-05]",
        ),
        ("a; b <- a; c <- b", "a b c", "", "a+b+c[*]"),
    ];
    for (definitions, selected, asked, rounds) in rows {
        let world = World::new(definitions);
        let asked: Vec<&str> = asked.split(' ').filter(|text| !text.is_empty()).collect();
        let outline = outline(&world, selected, &keys(&asked)).expect("a target");
        assert_eq!(told(&world, &outline), rounds, "{definitions}, {selected}");
        assert!(outline.target.left_out.is_empty());
    }
}

#[test]
fn what_was_made_already_may_be_passed_by() {
    let world = World::new("a daily; b daily <- a");
    let made = |key: &str, range: std::ops::Range<u64>| {
        (AssetKey::parse(key).expect("a key"), Ordinals::from(range))
    };
    let selector = Selector::Except([made("a", 2..31), made("b", 1..31)].into());
    let outline = outline(&world, "a b", &selector).expect("a target");
    assert_eq!(told(&world, &outline), "a[01-01 01-02] | b[01-01]");
}

#[test]
fn what_needs_a_parent_that_cannot_exist_is_left_out_with_the_reason() {
    let mut world = World::new("a");
    let mut definitions = manifest("x daily; a daily; b daily <- x, a; c daily <- b; d <- b");
    definitions["assets"][1]["partitions"]["start"] = json!("2026-01-03T00:00:00");
    world.deploy(&definitions).expect("they hold together");
    let outline = outline(&world, "a b c d x", &Selector::All).expect("a target");
    let left_out: Vec<String> = outline
        .target
        .left_out
        .iter()
        .map(|out| {
            let key = out
                .key
                .as_ref()
                .map_or_else(String::new, |key| key.display().into_owned());
            format!(
                "{}:{} of {} {key}",
                out.asset,
                out.ordinals.len(),
                out.parent
            )
        })
        .collect();
    assert_eq!(left_out, ["b:2 of a 2026-01-01", "d:0 of b 2026-01-01"]);
    assert_eq!(
        told(&world, &outline),
        "a[01-03...01-31] x[01-01...01-31] | b+c[01-03...01-31]"
    );
}

#[test]
fn a_key_that_does_not_exist_is_refused_by_name() {
    let world = World::new("a daily");
    let refused = outline(&world, "a", &keys(&["2026-01-30...2026-02-02"])).expect_err("refused");
    assert_eq!(
        refused.to_string(),
        "partition `2026-02-01` of `a` does not exist yet; its window ends at 2026-02-02T00:00:00.000Z"
    );
}

proptest! {
    /// Every partition of the target begins once, after all targeted partitions that it reads.
    #[test]
    fn rounds_follow_every_edge(
        kinds in prop::collection::vec(prop::sample::select(vec!["daily", "monthly", "static", ""]), 2..7),
        links in prop::collection::vec((0..6_usize, 0..6_usize, any::<bool>()), 0..10),
        picked in prop::collection::vec(any::<bool>(), 7),
    ) {
        let names = ["a", "b", "c", "d", "e", "f", "g"];
        let mut lines: Vec<String> = Vec::new();
        for (child, kind) in kinds.iter().enumerate() {
            let deps: BTreeSet<String> = links
                .iter()
                .filter(|(up, down, _)| *down == child && *up < child)
                .map(|(up, _, yesterday)| match (*yesterday, kinds[*up], *kind) {
                    (true, "daily", "daily") => format!("yesterday({})", names[*up]),
                    (_, up_kind, _) if up_kind == *kind || up_kind.is_empty() => names[*up].into(),
                    _ => format!("all({})", names[*up]),
                })
                .collect();
            let mut seen = BTreeSet::new();
            let deps: Vec<String> = deps
                .into_iter()
                .filter(|dep| seen.insert(dep.trim_end_matches(')').rsplit('(').next().map(str::to_owned)))
                .collect();
            let arrow = if deps.is_empty() { "" } else { " <- " };
            lines.push(format!("{} {kind}{arrow}{}", names[child], deps.join(", ")));
        }
        let world = World::new(&lines.join("; "));
        let selected: Vec<&str> = (0..kinds.len()).filter(|n| picked[*n]).map(|n| names[n]).collect();
        let outline = outline(&world, &selected.join(" "), &Selector::All).expect("a target");
        let mut begun: std::collections::BTreeMap<(AssetKey, Option<u64>), usize> = Default::default();
        for round in 0..outline.rounds() {
            for (at, ordinals) in outline.round(round).units {
                let unit = &outline.units[at];
                let slots: Vec<Option<u64>> = match &unit.wanted {
                    Wanted::Whole => vec![None],
                    Wanted::Partitions(_) => ordinals.iter().map(Some).collect(),
                };
                for key in &unit.assets {
                    for slot in &slots {
                        prop_assert!(begun.insert((key.clone(), *slot), round).is_none(), "begins once");
                    }
                }
            }
        }
        prop_assert_eq!(begun.len() as u64, outline.target.count());
        let wanted = outline.target.assets.iter().cloned().collect();
        for ((key, slot), round) in &begun {
            for edge in super::target::edges(&world.state.catalog, key, &wanted).expect("they fit") {
                for needed in edge.edge.upstream(*slot, NOW).ordinals.iter() {
                    if let Some(before) = begun.get(&(edge.dep.asset.clone(), Some(needed))) {
                        // The same partition of one unit is the same run, in which order is the plan's.
                        let same = *slot == Some(needed) && before == round;
                        prop_assert!(before < round || same, "{} {:?} reads {}", key, slot, edge.dep.asset);
                    }
                }
            }
        }
    }
}
