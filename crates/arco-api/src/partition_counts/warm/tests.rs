use std::time::Duration;

use arco_core::AssetKey;
use arco_core::asset_fact::{AssetFact, AssetMaterialization};
use arco_testkit::world::deploy;
use arco_testkit::{ManifestBuilder, World, asset};

use super::*;
use crate::partition_counts::{Looked, locked};

/// Version, slots looked at, and how many of them the definition does not have.
fn looked(counts: &CountsCache, key: &AssetKey) -> Option<(Option<Digest>, u32, u64)> {
    let of_asset = Arc::clone(locked(&counts.looked).get(key)?);
    let Looked {
        version,
        until,
        foreign,
    } = &*locked(&of_asset);
    Some((*version, *until, foreign.len()))
}

#[tokio::test(start_paused = true)]
async fn keys_are_looked_at_when_definitions_change_and_before_anyone_asks() {
    let world = World::new();
    let engine = world.engine().await;
    let manifest = |keys: &[&str]| ManifestBuilder::new("main").asset(asset("s").partitions(keys));
    deploy(&engine, &manifest(&["x", "y", "z"])).await;
    let key = AssetKey::parse("s").expect("a key");
    for partition in ["x", "y", "z"] {
        let fact = AssetFact::Materialized(AssetMaterialization {
            partition: Some(partition.into()),
            ..AssetMaterialization::new(key.clone())
        });
        let made = engine.report("client:test", "report", fact, None).await;
        made.expect("a report that stands");
    }
    let counts = Arc::<CountsCache>::default();
    let stop = CancellationToken::new();
    let watch = tokio::spawn(watch(engine.clone(), Arc::clone(&counts), stop.clone()));
    for (keys, foreign) in [(&["x", "y", "z"][..], 0), (&["z", "new"], 2)] {
        deploy(&engine, &manifest(keys)).await;
        let version = engine.view().state.catalog.locations()["main"].version();
        let expected = Some((Some(version), 3, foreign));
        for _ in 0..1_000 {
            if looked(&counts, &key) == expected {
                break;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
            std::thread::sleep(Duration::from_millis(1));
        }
        assert_eq!(looked(&counts, &key), expected);
    }
    stop.cancel();
    watch.await.expect("it ends when it is told");
    engine.shutdown().await;
}
