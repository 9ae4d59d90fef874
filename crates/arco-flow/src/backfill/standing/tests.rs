use std::sync::Arc;

use arco_core::backfill::{BackfillSelector, BackfillSettings};
use arco_core::event::FailureClass;
use arco_core::{BackfillId, Digest, PartitionKey};
use serde_json::{Value, json};

use super::*;
use crate::Rejection;
use crate::backfill::{Selector, TargetAsk, resolve, undone};
use crate::command::{BackfillRequest, BackfillSteer, Command, Reported, Steer};
use crate::testing::{NOW, World, failed, made, manifest};

fn keys(text: &str) -> BTreeSet<AssetKey> {
    let words = text.split_whitespace();
    words
        .map(|key| AssetKey::parse(key).expect("a key"))
        .collect()
}

fn ask(assets: &str, selector: Selector) -> TargetAsk {
    TargetAsk {
        assets: keys(assets),
        selector,
        policy: None,
        refuse_left_out: false,
    }
}

fn chosen(world: &World, assets: &str, status: PartitionWanted) -> BTreeSet<AssetKey> {
    let filter = PartitionFilter {
        statuses: [status].into(),
        ..PartitionFilter::default()
    };
    let found = by_status(&world.state, &keys(assets), &filter, NOW);
    found.expect("a status is asked for").0
}

#[test]
fn an_asset_without_partitions_is_chosen_by_its_own_status() {
    use PartitionWanted::{Failed, Materialized, Missing};
    let mut world = World::new("good; bad; never; p by=both; q by=both; days daily");
    for asset in ["good", "bad"] {
        world.run(asset);
        let attempt = world.lease(1)[0];
        let end = match asset {
            "good" => vec![made("good"), Reported::Succeeded],
            _ => vec![failed(FailureClass::UserCode)],
        };
        world.report(attempt, end);
    }
    let all = "good bad never days";
    assert_eq!(chosen(&world, all, Missing), keys("bad never days"));
    assert_eq!(chosen(&world, all, Failed), keys("bad days"));
    assert_eq!(chosen(&world, all, Materialized), keys("good days"));
    let nothing = PartitionFilter::default();
    assert_eq!(by_status(&world.state, &keys(all), &nothing, NOW), None);
    // What a step makes at once is not torn apart.
    assert_eq!(chosen(&world, "p q", Missing), keys("p q"));
    assert_eq!(chosen(&world, "p q", Failed), keys(""));
}

#[test]
fn an_empty_set_is_named_when_there_is_nothing_to_make() {
    let mut world = World::new("a; d daily");
    let mut definitions = manifest("a; d daily; orders");
    definitions["assets"][2]["partitions"] = json!({"kind": "dynamic", "name": "customers"});
    world.deploy(&definitions).expect("they hold together");
    let refused = |world: &World, assets: &str, only| {
        let selector = Selector {
            only,
            ..Selector::all()
        };
        resolve(&world.state, &ask(assets, selector), world.now)
            .expect_err("there is nothing")
            .to_string()
    };
    assert_eq!(
        refused(&world, "orders", None),
        "nothing is left to make of what was asked: `orders` has no partitions yet, for the dynamic partitions \
         `customers` have no key; `arco partitions add customers KEY` adds one"
    );
    // Of assets with partitions none is like that, and that is all.
    let said = refused(&world, "d orders", Some(BTreeMap::new()));
    assert!(said.ends_with(": no partition is like that"), "{said}");
    let said = refused(&world, "", None);
    assert!(said.ends_with(": no asset is like that"), "{said}");
    let add = Command::AddPartitions {
        name: "customers".into(),
        keys: vec![PartitionKey::text("ann")],
    };
    world.run_command(&add).expect("a good key");
    let made = resolve(&world.state, &ask("orders", Selector::all()), NOW);
    assert_eq!(made.expect("a target").assets.len(), 1);
}

#[test]
fn a_key_that_a_dimension_has_not_is_refused_with_the_name_of_the_dimension() {
    let mut world = World::new("a");
    let mut definitions = manifest("both");
    definitions["assets"][0]["partitions"] = json!({"kind": "multi", "dimensions": {
        "city": {"kind": "static", "keys": ["bern", "paris"]},
        "region": {"kind": "static", "keys": ["asia", "europe"]}}});
    world.deploy(&definitions).expect("they hold together");
    let selector = Selector {
        dimensions: [("region".to_owned(), vec!["europa".to_owned()])].into(),
        ..Selector::all()
    };
    let refused = resolve(&world.state, &ask("both", selector), NOW);
    assert_eq!(
        refused.expect_err("no such region").to_string(),
        "partition `europa` of `both` cannot be: in dimension `region`, partition `europa` is not one of its 2 \
         keys; did you mean `europe`?"
    );
}

/// A backfill of all of these assets, canceled before it began.
fn canceled(world: &mut World, assets: &str) -> BackfillId {
    let resolved = resolve(&world.state, &ask(assets, Selector::all()), world.now);
    let resolved = resolved.expect("a target");
    let backfill = BackfillId::from_parts(1, 3);
    let request = BackfillRequest {
        backfill,
        idempotency_key: None,
        selection: None,
        assets: resolved.assets,
        selector: BackfillSelector::All,
        title: None,
        description: None,
        tags: BTreeMap::new(),
        config: Value::Null,
        settings: BackfillSettings::default(),
        policy: None,
        parent: None,
        frees_key: false,
        target: Arc::new(resolved.target),
        target_blob: None,
        definitions: resolved.definitions,
        fingerprint: Digest::of(b"none"),
    };
    world
        .run_command(&Command::CreateBackfill(Box::new(request)))
        .expect("it can be made");
    let cancel = BackfillSteer {
        backfill,
        state_version: None,
        to: Steer::Cancel { drain: false },
    };
    world
        .run_command(&Command::SteerBackfill(cancel))
        .expect("it goes on");
    backfill
}

#[test]
fn what_was_left_undone_and_is_defined_no_more_is_named() {
    let mut world = World::new("s static; other; last");
    let id = canceled(&mut world, "s other last");
    let gone_now = |world: &World| gone(&world.state, &world.state.backfills[&id]);
    assert_eq!(gone_now(&world), None);
    let mut definitions = manifest("s static; last");
    definitions["assets"][0]["partitions"]["keys"] = json!(["x", "z"]);
    world.deploy(&definitions).expect("they hold together");
    assert_eq!(
        gone_now(&world).expect("two are"),
        "asset `other`, partition `y` of `s` are not defined any more"
    );
    // What is defined still is left to make.
    let (assets, only) = undone(&world.state, &world.state.backfills[&id]);
    assert_eq!(assets, keys("s last"));
    assert_eq!(only[&AssetKey::parse("s").unwrap()].len(), 2);
    let mut definitions = manifest("s static");
    definitions["assets"][0]["partitions"]["keys"] = json!(["w"]);
    world.deploy(&definitions).expect("they hold together");
    assert_eq!(
        gone_now(&world).expect("all are"),
        "asset `last`, asset `other`, partition `x` of `s` and 2 more are not defined any more"
    );
    assert!(
        undone(&world.state, &world.state.backfills[&id])
            .0
            .is_empty()
    );
    assert!(matches!(
        Rejection::EmptyBackfill(gone_now(&world).expect("all are")).code(),
        "empty_backfill"
    ));
}
