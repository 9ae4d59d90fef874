//! Starting again: from the log, from snapshots, and from what is broken.

use arco_core::Digest;
use arco_engine::Engine;
use arco_log::{ObjectPath, SnapshotAt};
use arco_testkit::World;
use arco_testkit::host::succeeds;
use arco_testkit::replay::replay;
use arco_testkit::world::deploy;
use bytes::Bytes;

use crate::support::*;

async fn some_runs(world: &World) -> Engine {
    let (engine, mut host) = ready(world, &chain()).await;
    for _ in 0..6 {
        // Time passes, so that the hint is written now and then.
        world.clock.advance(std::time::Duration::from_secs(11));
        run(&engine, "*").await;
        host.work(&engine, succeeds)
            .await
            .expect("the host is heard");
    }
    engine
}

async fn start_again(world: &World) -> Result<Engine, EngineError> {
    Engine::start(world.options("again")).await
}

/// Why an engine does not start.
async fn refusal(world: &World) -> String {
    match start_again(world).await {
        Ok(_) => panic!("it starts"),
        Err(error) => error.to_string(),
    }
}

async fn objects(world: &World, word: &str) -> Vec<ObjectPath> {
    let all = world
        .store
        .list(&ObjectPath::from("default/default"))
        .await
        .expect("memory lists");
    all.into_iter()
        .filter(|path| path.as_ref().contains(word))
        .collect()
}

async fn damage(world: &World, path: &ObjectPath) {
    let mut bytes = world
        .store
        .get(path)
        .await
        .expect("it reads")
        .expect("it is there")
        .to_vec();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0xff;
    world
        .store
        .overwrite(path, Bytes::from(bytes))
        .await
        .expect("memory takes it");
}

/// The state without who leads: starting again may be a new leadership.
fn apart_from_the_lead(state: &arco_flow::State) -> Digest {
    let mut state = state.clone();
    state.leadership = Default::default();
    state.position = Default::default();
    state.time = Default::default();
    state.hash()
}

#[tokio::test(start_paused = true)]
async fn a_process_that_starts_again_knows_what_was_known() {
    let world = World::new();
    let engine = some_runs(&world).await;
    let before = apart_from_the_lead(&engine.view().state);
    engine.shutdown().await;
    let again = start_again(&world).await.expect("it starts");
    assert!(again.is_leader(), "the lead was released");
    assert_eq!(apart_from_the_lead(&again.view().state), before);
    assert_eq!(again.view().state.hash(), replay(&world.store).await.hash());
}

#[tokio::test(start_paused = true)]
async fn recovery_reads_the_snapshot_and_the_tail() {
    let world = World::new().with(|s| s.snapshot_segments = 5);
    let engine = some_runs(&world).await;
    engine.shutdown().await;
    assert!(
        !objects(&world, "snap").await.is_empty(),
        "snapshots were written"
    );
    let again = start_again(&world).await.expect("it starts");
    assert_eq!(again.view().state.hash(), replay(&world.store).await.hash());
    // The first segment is under the snapshot: it may be gone without anyone noticing.
    again.shutdown().await;
    let first = again.log().paths().segment(2);
    world.store.delete(&first).await.expect("memory deletes");
    let third = start_again(&world)
        .await
        .expect("it starts from the snapshot");
    assert_eq!(
        apart_from_the_lead(&third.view().state),
        apart_from_the_lead(&again.view().state)
    );
}

#[tokio::test(start_paused = true)]
async fn broken_snapshots_are_ignored() {
    let world = World::new().with(|s| s.snapshot_segments = 5);
    let engine = some_runs(&world).await;
    engine.shutdown().await;
    let snapshots = objects(&world, "snap").await;
    assert!(!snapshots.is_empty());
    for snapshot in &snapshots {
        damage(&world, snapshot).await;
    }
    let again = start_again(&world).await.expect("the log is enough");
    assert_eq!(again.view().state.hash(), replay(&world.store).await.hash());
}

#[tokio::test(start_paused = true)]
async fn a_snapshot_of_another_fold_or_without_a_state_is_ignored() {
    for (fold, state) in [(99, None), (1, Some(&b"{\"position\": \"?\"}"[..]))] {
        let world = World::new();
        let engine = some_runs(&world).await;
        let view = engine.view();
        let at = SnapshotAt {
            head: view.head,
            fold,
        };
        let bytes = view.state.to_bytes();
        let text = state.unwrap_or(&bytes);
        let encoded = engine.log().encode_snapshot(at, |out| out.write_all(text));
        let put = engine
            .log()
            .put_snapshot(encoded.expect("it encodes"))
            .await;
        put.expect("memory takes it");
        run(&engine, "a").await;
        engine.shutdown().await;
        let again = start_again(&world).await.expect("the log is enough");
        assert_eq!(again.view().state.hash(), replay(&world.store).await.hash());
    }
}

#[tokio::test(start_paused = true)]
async fn a_missing_blob_is_named_with_the_way_back() {
    let world = World::new();
    let engine = some_runs(&world).await;
    let version = engine.view().state.locations["main"]
        .version
        .expect("it is deployed");
    engine.shutdown().await;
    let blob = engine.log().paths().blob(&version);
    world.store.delete(&blob).await.expect("memory deletes");
    let error = refusal(&world).await;
    assert!(error.contains(blob.as_ref()), "{error}");
    assert!(error.contains("backup"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_corrupt_segment_is_named_with_the_way_back() {
    let world = World::new();
    let engine = some_runs(&world).await;
    engine.shutdown().await;
    let segment = engine.log().paths().segment(4);
    damage(&world, &segment).await;
    let error = refusal(&world).await;
    assert!(error.contains(segment.as_ref()), "{error}");
    assert!(error.contains("backup"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_missing_segment_is_named() {
    let world = World::new();
    let engine = some_runs(&world).await;
    engine.shutdown().await;
    let segment = engine.log().paths().segment(4);
    world.store.delete(&segment).await.expect("memory deletes");
    let error = refusal(&world).await;
    assert!(error.contains(segment.as_ref()), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_replica_that_meets_what_it_cannot_fold_reads_only() {
    let world = World::new().with(|s| s.follow_ms = 1 << 40);
    let (one, _) = ready(&world, &chain()).await;
    let two = world.engine_named("two").await;
    deploy(&one, &chain().asset(arco_testkit::asset("d"))).await;
    damage(&world, &one.log().paths().segment(one.view().head.segment)).await;
    let before = two.view().position();
    two.catch_up().await.expect("it looks");
    assert!(
        two.view()
            .read_only
            .as_ref()
            .is_some_and(|why| why.contains("backup"))
    );
    assert_eq!(
        two.view().position(),
        before,
        "reads answer from what was good"
    );
    let asked = two
        .request_run("client:test", "r", arco_testkit::ask("*"))
        .await;
    assert_eq!(code(asked), "read_only");
    two.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn a_replica_goes_read_only_at_an_event_kind_it_does_not_know() {
    let world = World::new();
    let engine = some_runs(&world).await;
    let view = engine.view();
    let line =
        r#"{"k":"moon.landed","v":1,"t":9999999999999,"w":"client:x","c":{"command":"x"},"d":{}}"#;
    let unknown: arco_core::event::RawEvent = serde_json::from_str(line).expect("an envelope");
    let draft = arco_log::Draft {
        after: view.head,
        time: view.state.time,
        epoch: None,
        fold: 1,
        events: std::slice::from_ref(&unknown),
    };
    engine.log().append(draft).await.expect("memory takes it");
    engine.catch_up().await.expect("it looks");
    let why = engine
        .view()
        .read_only
        .clone()
        .expect("it no longer decides");
    assert!(
        why.contains("moon.landed") && why.contains("upgrade"),
        "{why}"
    );
    let ignorable = engine.view().state.hash();
    assert_eq!(ignorable, view.state.hash());
}

#[tokio::test(start_paused = true)]
async fn an_event_that_may_be_ignored_is_carried() {
    let world = World::new();
    let engine = some_runs(&world).await;
    let view = engine.view();
    let line =
        r#"{"k":"moon.seen","v":1,"t":1,"w":"client:x","c":{"command":"x"},"i":true,"d":{}}"#;
    let unknown: arco_core::event::RawEvent = serde_json::from_str(line).expect("an envelope");
    let draft = arco_log::Draft {
        after: view.head,
        time: view.state.time,
        epoch: None,
        fold: 1,
        events: std::slice::from_ref(&unknown),
    };
    engine.log().append(draft).await.expect("memory takes it");
    run(&engine, "*").await;
    assert_eq!(engine.view().read_only, None);
    assert_eq!(
        engine.view().state.hash(),
        replay(&world.store).await.hash()
    );
}
