use std::sync::Arc;

use arco_core::partition::DynamicKeys;
use arco_core::{AssetKey, PartitionKey};
use serde_json::json;

use crate::Rejection;
use crate::command::{Answer, Command, Reported};
use crate::planner::PartitionsAsked;
use crate::state::{AssetState, State};
use crate::testing::{World, made, manifest};

fn keys(texts: &[&str]) -> Vec<PartitionKey> {
    let read = |text: &&str| DynamicKeys::read(text).expect("a key");
    texts.iter().map(read).collect()
}

fn add(world: &mut World, texts: &[&str]) -> Answer {
    let command = Command::AddPartitions {
        name: "people".into(),
        keys: keys(texts),
    };
    world.run_command(&command).expect("they fit")
}

fn remove(world: &mut World, texts: &[&str]) -> Answer {
    let command = Command::RemovePartitions {
        name: "people".into(),
        keys: keys(texts),
    };
    world
        .run_command(&command)
        .expect("nothing stands against it")
}

fn changed(changed: u64, keys: u64) -> Answer {
    Answer::Partitions { changed, keys }
}

/// `a` and `b <- a` over one set; `last <- a` has no partitions.
fn world() -> World {
    let mut world = World::new("a");
    let mut manifest = manifest("a; b <- a; last <- a");
    for asset in 0..2 {
        manifest["assets"][asset]["partitions"] = json!({"kind": "dynamic", "name": "people"});
    }
    world.deploy(&manifest).expect("they hold together");
    world
}

fn existing(world: &World) -> Vec<String> {
    let key = AssetKey::parse("a").expect("a key");
    let found = world.state.catalog.asset(&key).expect("defined");
    let def = found.asset.partitions.as_ref().expect("partitioned");
    def.keys(world.now)
        .map(|key| key.display().into_owned())
        .collect()
}

fn facts<'a>(world: &'a World, asset: &str) -> &'a Arc<AssetState> {
    let key = AssetKey::parse(asset).expect("a key");
    &world.state.assets[&key]
}

fn asked(texts: &[&str]) -> PartitionsAsked {
    PartitionsAsked::Keys(texts.iter().map(|text| (*text).to_owned()).collect())
}

#[test]
fn keys_come_and_go_and_repeats_change_nothing() {
    let mut world = world();
    assert_eq!(existing(&world), [""; 0]);
    let from = world.log.len();
    assert_eq!(add(&mut world, &["bob", "ann", "bob"]), changed(2, 2));
    assert_eq!(add(&mut world, &["ann", "cid"]), changed(1, 3));
    assert_eq!(add(&mut world, &["ann"]), changed(0, 3));
    assert_eq!(
        existing(&world),
        ["bob", "ann", "cid"],
        "P-23: in the order of addition"
    );
    assert_eq!(remove(&mut world, &["bob", "dot"]), changed(1, 2));
    assert_eq!(remove(&mut world, &["bob"]), changed(0, 2));
    assert_eq!(existing(&world), ["ann", "cid"]);
    assert_eq!(
        world.kinds(from),
        "partitions.added partitions.added partitions.removed",
        "what changes nothing is not written"
    );
}

#[test]
fn replays_snapshots_and_deploys_keep_the_keys() {
    let mut world = world();
    add(&mut world, &["ann", "bob"]);
    let replayed = world.replayed();
    assert_eq!(replayed.hash(), world.state.hash());
    let mut restored = State::from_bytes(&world.state.to_bytes()).expect("our own bytes");
    assert_eq!(restored.hash(), world.state.hash());
    std::mem::swap(&mut world.state, &mut restored);
    assert_eq!(
        existing(&world),
        ["ann", "bob"],
        "the catalog of a snapshot has them"
    );
    let mut manifest = manifest("a");
    manifest["assets"][0]["partitions"] = json!({"kind": "dynamic", "name": "people"});
    world.deploy(&manifest).expect("it holds together");
    assert_eq!(
        existing(&world),
        ["ann", "bob"],
        "and so has that of new definitions"
    );
}

#[test]
fn a_run_takes_the_keys_there_are() {
    let mut world = world();
    let refused = world
        .request("a b", &asked(&["ann"]))
        .expect_err("not there");
    assert!(
        matches!(refused, Rejection::BadPartition { .. }),
        "{refused}"
    );
    assert_eq!(
        refused.to_string(),
        "partition `ann` of `a` is not in the dynamic partitions `people`; `arco partitions add people KEY` adds one"
    );
    add(&mut world, &["ann", "bob"]);
    let request = world
        .request("a b last", &PartitionsAsked::All)
        .expect("a plan");
    let Ok(Answer::Run { run, .. }) = world.ask(request) else {
        panic!("a run");
    };
    assert_eq!(
        world.tasks(run),
        "a[ann]:ready a[bob]:ready b[ann]:waiting b[bob]:waiting last:waiting"
    );
}

#[test]
fn what_was_recorded_of_a_key_stays_on_it() {
    let mut world = world();
    add(&mut world, &["ann", "bob"]);
    let request = world.request("a", &asked(&["bob"])).expect("a plan");
    world.ask(request).expect("a run");
    let id = world.lease(1)[0];
    world.report(id, vec![Reported::Started, made("a"), Reported::Succeeded]);
    let slot = Some(PartitionKey::text("bob"));
    let before = facts(&world, "a").latest_of(&slot);
    assert!(before.is_some());
    remove(&mut world, &["bob"]);
    add(&mut world, &["cid", "bob"]);
    assert_eq!(
        existing(&world),
        ["ann", "cid", "bob"],
        "it comes back at the end"
    );
    assert_eq!(facts(&world, "a").latest_of(&slot), before);
    assert!(
        facts(&world, "a")
            .latest_of(&Some(PartitionKey::text("cid")))
            .is_none()
    );
}
