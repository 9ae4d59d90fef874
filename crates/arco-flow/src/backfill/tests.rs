use std::collections::BTreeSet;
use std::num::NonZeroU32;

use arco_core::AssetKey;
use arco_core::definitions::BackfillPolicy;
use arco_core::partition::Ordinals;
use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::Rejection;
use crate::testing::{NOW, World, manifest};

fn outline(world: &World, assets: &str, selector: &Selector) -> Result<Outline, Rejection> {
    outline_with(world, assets, selector, None)
}

fn outline_with(
    world: &World,
    assets: &str,
    selector: &Selector,
    policy: Option<u32>,
) -> Result<Outline, Rejection> {
    let ask = TargetAsk {
        assets: assets
            .split_whitespace()
            .map(|key| AssetKey::parse(key).expect("a key"))
            .collect(),
        selector: selector.clone(),
        policy: policy.map(|n| BackfillPolicy {
            max_partitions_per_run: NonZeroU32::new(n),
        }),
        refuse_left_out: false,
    };
    Outline::of(resolve(&world.state, &ask, NOW)?.target)
}

fn keys(texts: &[&str]) -> Selector {
    Selector::keys(texts.iter().map(|text| (*text).to_owned()).collect())
}

/// `a+b[01 02] | c[*]`: rounds apart by bars, the day of each key, `*` for an asset without partitions.
fn told(world: &World, outline: &Outline) -> String {
    let rounds: Vec<String> = outline
        .rounds
        .iter()
        .map(|round| {
            let units = round.members.iter().map(|(at, ordinals)| {
                let unit = &outline.target.units[*at];
                let assets: Vec<&str> = unit.assets.iter().map(AssetKey::as_str).collect();
                let found = world.state.catalog.asset(&unit.assets[0]).expect("defined");
                let days = match &found.asset.partitions {
                    None => "*".to_owned(),
                    Some(def) => days(
                        def.keys_of(ordinals.clone())
                            .map(|key| key.display().into_owned()),
                    ),
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

/// The rows of 7.3 about policies: chunks are fixed, so that a preview counts the runs there will be.
#[test]
fn a_policy_says_how_many_partitions_a_run_makes() {
    let rows = [
        // definitions, selected, partitions a run, days, runs, rounds
        (
            "a daily; b daily <- a",
            "a b",
            Some(3),
            3,
            1,
            "a+b[01-01 01-02 01-03]",
        ),
        ("a daily", "a", Some(2), 3, 2, "a[01-01 01-02 01-03]"),
        (
            "a daily <- yesterday(a)",
            "a",
            Some(31),
            3,
            1,
            "a[01-01 01-02 01-03]",
        ),
        (
            "a daily <- yesterday(a)",
            "a",
            Some(2),
            3,
            2,
            "a[01-01 01-02] | a[01-03]",
        ),
        (
            "a daily; b daily <- yesterday(a)",
            "a b",
            Some(2),
            2,
            2,
            "a[01-01 01-02] | b[01-02 01-03]",
        ),
        ("a daily; b daily", "a b", None, 2, 2, "a+b[01-01 01-02]"),
    ];
    for (definitions, selected, policy, days, runs, rounds) in rows {
        let world = World::new(definitions);
        let asked = keys(&[&format!("2026-01-01...2026-01-{days:02}")]);
        let outline = outline_with(&world, selected, &asked, policy).expect("a target");
        assert_eq!(told(&world, &outline), rounds, "{definitions}, {policy:?}");
        assert_eq!(outline.runs(), runs, "{definitions}, {policy:?}");
    }
}

#[test]
fn assets_of_different_policies_are_made_apart() {
    let mut definitions = manifest("a daily; b daily <- a");
    definitions["assets"][0]["backfill_policy"] = json!({});
    let mut world = World::new("z");
    world.deploy(&definitions).expect("they hold together");
    let outline = outline(&world, "a b", &keys(&["2026-01-01...2026-01-02"])).expect("a target");
    assert_eq!(told(&world, &outline), "a[01-01 01-02] | b[01-01 01-02]");
    let runs: Vec<u32> = outline.rounds.iter().map(|r| r.units[0].1).collect();
    assert_eq!(runs, [1, 2], "one run of a, one run per partition of b");
}

#[test]
fn what_cannot_be_a_run_is_refused_before_anything_is() {
    let world = World::new("a daily by=s; b daily by=s");
    let refused = outline(&world, "a", &Selector::all()).expect_err("refused");
    assert_eq!(refused.code(), "partial_step");
    let refused = outline(&world, "a b", &keys(&[])).expect_err("refused");
    assert_eq!(refused.code(), "empty_backfill");
}

#[test]
fn what_was_made_already_may_be_passed_by() {
    let world = World::new("a daily; b daily <- a");
    let made = |key: &str, range: std::ops::Range<u64>| {
        (AssetKey::parse(key).expect("a key"), Ordinals::from(range))
    };
    let selector = Selector {
        only: Some([made("a", 0..2), made("b", 0..1)].into()),
        ..Selector::all()
    };
    let outline = outline(&world, "a b", &selector).expect("a target");
    assert_eq!(told(&world, &outline), "a[01-01 01-02] | b[01-01]");
}

#[test]
fn what_needs_a_parent_that_cannot_exist_is_left_out_with_the_reason() {
    let mut world = World::new("a");
    let mut definitions = manifest("x daily; a daily; b daily <- x, a; c daily <- b; d <- b");
    definitions["assets"][1]["partitions"]["start"] = json!("2026-01-03T00:00:00");
    world.deploy(&definitions).expect("they hold together");
    let outline = outline(&world, "a b c d x", &Selector::all()).expect("a target");
    let left_out: Vec<String> = outline
        .target
        .left_out
        .iter()
        .map(|out| {
            let key = out
                .lacks
                .as_ref()
                .map_or_else(String::new, |key| key.display().into_owned());
            format!("{}:{} of {} {key}", out.asset, out.partitions, out.parent)
        })
        .collect();
    assert_eq!(
        left_out,
        [
            "b:2 of a 2026-01-01",
            "c:2 of b 2026-01-01",
            "d:1 of b 2026-01-01"
        ]
    );
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
        prop_assume!(!selected.is_empty());
        let outline = outline(&world, &selected.join(" "), &Selector::all()).expect("a target");
        let mut begun: std::collections::BTreeMap<(AssetKey, Option<u64>), usize> = Default::default();
        for (number, round) in outline.rounds.iter().enumerate() {
            for (at, ordinals) in &round.members {
                let unit = &outline.target.units[*at];
                let slots: Vec<Option<u64>> = match &unit.partitions {
                    None => vec![None],
                    Some(_) => ordinals.iter().map(Some).collect(),
                };
                for key in &unit.assets {
                    for slot in &slots {
                        prop_assert!(begun.insert((key.clone(), *slot), number).is_none(), "begins once");
                    }
                }
            }
        }
        prop_assert_eq!(begun.len() as u64, outline.materializations());
        let all = |unit: &arco_core::backfill::TargetUnit| match unit.partitions {
            None => Wanted::Whole,
            Some(_) => Wanted::Partitions(unit.members.clone()),
        };
        let wanted = outline
            .target
            .units
            .iter()
            .flat_map(|unit| unit.assets.iter().map(|key| (key.clone(), all(unit))))
            .collect();
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

/// B-12: what is made in one run waits for nothing that it does not read. An asset that reads its own past,
/// and one that reads more than another, have runs of their own.
#[test]
fn assets_go_together_only_when_none_waits_for_what_it_does_not_read() {
    let rows = [
        // definitions, units
        ("a daily; b daily <- a; c daily <- yesterday(a)", "a+b c"),
        ("a daily; b daily <- all(a); c daily <- all(a)", "a b+c"),
        (
            "a daily; b daily <- all(a); c daily <- yesterday(a)",
            "a b c",
        ),
        ("a daily; b daily <- all(a); c daily <- b, all(a)", "a b+c"),
        (
            "a daily; b daily <- all(a); c daily <- b, yesterday(a)",
            "a b c",
        ),
        ("a daily; b daily <- a, yesterday(b); c daily <- a", "a+c b"),
        ("a daily <- yesterday(a); b daily <- a", "a b"),
        ("a daily by=s <- yesterday(a); b daily by=s <- a", "a+b"),
        ("x daily; a daily by=s <- all(x); b daily by=s", "x a+b"),
        (
            "x daily; y daily <- x; a daily by=s <- x; b daily by=s <- all(x)",
            "x+y a+b",
        ),
        (
            "a daily by=s; y daily <- a; z daily; b daily by=s <- all(z)",
            "z a+b+y",
        ),
    ];
    for (definitions, units) in rows {
        let world = World::new(definitions);
        let names = definitions
            .split(';')
            .filter_map(|line| line.split_whitespace().next());
        let all: Vec<&str> = names.collect();
        let outline = outline(&world, &all.join(" "), &Selector::all())
            .unwrap_or_else(|why| panic!("{definitions}: {why}"));
        let told: Vec<String> = outline
            .target
            .units
            .iter()
            .map(|unit| {
                let assets: Vec<&str> = unit.assets.iter().map(AssetKey::as_str).collect();
                assets.join("+")
            })
            .collect();
        assert_eq!(told.join(" "), units, "{definitions}");
    }
}

/// P-24: a million partitions are some numbers, however they are asked for: the target that the event has is
/// no longer than that of a day.
#[test]
fn a_million_partitions_are_a_range() {
    let mut definitions = manifest("a daily; b daily <- a");
    for at in 0..2 {
        let partitions = &mut definitions["assets"][at]["partitions"];
        partitions["cadence"] = json!("hourly");
        partitions["fmt"] = json!("%Y-%m-%d-%H:%M");
        partitions["start"] = json!("1911-01-01T00:00:00");
    }
    let mut world = World::new("z");
    world.deploy(&definitions).expect("they hold together");
    let of = |selector: &Selector| {
        let outline = outline(&world, "a b", selector).expect("a target");
        let text = serde_json::to_string(&outline.target).expect("JSON");
        (outline.runs(), text.len())
    };
    let (runs, length) = of(&Selector::all());
    assert!(runs > 1_000_000, "{runs}");
    let (one, short) = of(&keys(&["1911-01-01-00:00"]));
    assert_eq!(one, 1);
    assert!(length < short + 100, "{length} bytes, {short} for one");
}
