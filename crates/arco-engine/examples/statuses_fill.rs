//! Fills a store with materializations of every hour of every asset of a manifest, through the engine, as
//! reports from outside of runs. `cargo xtask bench statuses` runs it in release and starts a server on what
//! it leaves.
//!
//! `statuses_fill URL MANIFEST HOURS`; prints one JSON line a figure.

#![expect(
    clippy::disallowed_methods,
    clippy::expect_used,
    reason = "a benchmark reads a clock and has nobody to tell of failures"
)]

use std::sync::Arc;
use std::time::Instant;

use arco_core::asset_fact::{AssetFact, AssetMaterialization};
use arco_core::definitions::Definitions;
use arco_core::{AssetKey, Digest, Timestamp};
use arco_engine::clock::SystemClock;
use arco_engine::ids::RandomIds;
use arco_engine::{Engine, EngineOptions, EngineSettings};
use arco_log::LogStore;
use futures::future::join_all;
use serde_json::json;

const HOUR_MS: i64 = 3_600_000;
/// The hours end here.
const END: Timestamp = Timestamp(1_769_904_000_000);
const BATCH: usize = 20_000;

#[tokio::main]
async fn main() {
    let mut arguments = std::env::args().skip(1);
    let mut argument = || arguments.next().expect("URL MANIFEST HOURS");
    let (url, manifest, hours) = (argument(), argument(), argument());
    let manifest = std::fs::read(&manifest).expect("a file");
    let manifest = serde_json::from_slice(&manifest).expect("a manifest");
    let hours: i64 = hours.parse().expect("a number");
    let definitions = Definitions::read("bench", &manifest).expect("definitions");
    let assets: Vec<AssetKey> = definitions
        .manifest()
        .assets
        .iter()
        .map(|asset| asset.key.clone())
        .collect();
    let engine = start(&url).await;
    engine
        .deploy("client:bench", "fill", "bench", &manifest)
        .await
        .expect("deployed");
    let began = Instant::now();
    for asset in &assets {
        fill(&engine, asset, hours).await;
    }
    #[expect(clippy::cast_precision_loss, reason = "millions")]
    let made = (assets.len() as i64 * hours) as f64;
    say("statuses/fill_rate", made / began.elapsed().as_secs_f64());
    let began = Instant::now();
    engine.shutdown().await;
    say(
        "statuses/snapshot/write",
        began.elapsed().as_secs_f64() * 1e3,
    );
}

fn say(case: &str, value: f64) {
    println!("{}", json!({"case": case, "value": value}));
}

async fn start(url: &str) -> Engine {
    let settings = EngineSettings {
        sole: true,
        batch_max: BATCH,
        queue_max: 2 * BATCH,
        // One, at the end: it is measured apart.
        snapshot_segments: u64::MAX,
        snapshot_events: u64::MAX,
        ..EngineSettings::default()
    };
    let options = EngineOptions {
        store: LogStore::open(url).expect("a store"),
        tenant: "default".into(),
        workspace: "default".into(),
        url: "http://127.0.0.1".into(),
        clock: Arc::new(SystemClock::default()),
        ids: Arc::new(RandomIds),
        settings,
    };
    Engine::start(options).await.expect("an engine")
}

/// Reports every hour of one asset, each with a data version of its own, as runs derive them.
async fn fill(engine: &Engine, asset: &AssetKey, hours: i64) {
    let all: Vec<i64> = (0..hours).collect();
    for batch in all.chunks(BATCH) {
        let reports = batch.iter().map(|hour| {
            let at = Timestamp(END.0 - (hours - hour) * HOUR_MS).to_rfc3339();
            let fact = AssetFact::Materialized(AssetMaterialization {
                partition: Some(format!("{}-{}", &at[..10], &at[11..16])),
                data_version: Some(Digest::of_json(&(asset, hour)).to_string()),
                ..AssetMaterialization::new(asset.clone())
            });
            engine.report("client:bench", "fill", fact, None)
        });
        for made in join_all(reports).await {
            made.expect("a report that stands");
        }
    }
}
