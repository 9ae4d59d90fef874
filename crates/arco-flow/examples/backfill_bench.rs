//! What a backfill of a million partitions costs: one JSON line a figure. `cargo xtask bench backfill` runs it
//! in release.
//!
//! Two assets, hours and the days of them; days of the first 3 % have no hours. What the loop has to do
//! (create, pause, cancel) is measured apart from what is worked out off the loop (the plan).

#![expect(
    clippy::disallowed_methods,
    reason = "a benchmark reads a clock; nothing of the crate does"
)]

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant};

use arco_core::backfill::{BackfillSelector, BackfillSettings};
use arco_core::definitions::Definitions;
use arco_core::event::{Cause, Position};
use arco_core::{AssetKey, BackfillId, Digest, RunId, Timestamp, canonical};
use arco_flow::backfill::{self, Outline, Selector, TargetAsk};
use arco_flow::command::{
    BackfillAdvance, BackfillRequest, BackfillSteer, Command, Context, Steer,
};
use arco_flow::{State, decide};
use serde_json::{Value, json};

const HOUR_MS: i64 = 3_600_000;
const NOW: Timestamp = Timestamp(1_769_904_000_000);
const ROUNDS: usize = 5;

fn main() {
    check_against_reference(10_000);
    let bench = Bench::new(1_000_000);
    let before = rss_mb();
    let mut plans = Vec::new();
    let mut outline = None;
    for _ in 0..ROUNDS {
        drop(outline.take());
        let began = Instant::now();
        outline = Some(bench.outline());
        plans.push(began.elapsed());
    }
    let outline = outline.expect("planned");
    say("backfill/plan/1M/total", ms(median(plans)));
    say("backfill/plan/1M/rss_delta", peak_mb() - before);
    assert!(
        outline.target.left_out[0].partitions > 1_000,
        "days without hours"
    );
    drop(outline);

    let (mut create, mut advance, mut pause, mut cancel) = (vec![], vec![], vec![], vec![]);
    for _ in 0..ROUNDS {
        let mut bench = bench.clone();
        let began = Instant::now();
        let request = bench.request();
        let resolved = began.elapsed();
        say("backfill/resolve/1M", ms(resolved));
        let id = request.backfill;
        create.push(bench.decide(Command::CreateBackfill(Box::new(request))));
        advance.push(bench.advance(id));
        pause.push(bench.steer(id, Steer::Pause));
        bench.steer(id, Steer::Resume);
        cancel.push(bench.steer(id, Steer::Cancel { drain: false }));
    }
    // What the loop stands still for.
    say("backfill/create/1M", ms(median(create)));
    say("backfill/advance/1M", ms(median(advance)));
    say("backfill/pause/1M", ms(median(pause)));
    say("backfill/cancel/1M", ms(median(cancel)));
}

fn say(case: &str, value: f64) {
    println!("{}", json!({"case": case, "value": value}));
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1_000.0
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

/// The digest of the keys of each chunk, beside one that was made key by key.
fn check_against_reference(hours: i64) {
    let bench = Bench::new(hours);
    let outline = bench.outline();
    let shape = &outline.shape;
    let keys = |unit: usize, chunk: u32| -> Vec<String> {
        let members = shape.units[unit].members_of(chunk);
        members
            .filter_map(|n| Some(shape.units[unit].key(n)?.display().into_owned()))
            .collect()
    };
    let mut planned = Vec::new();
    for unit in 0..shape.units.len() {
        for chunk in 0..shape.units[unit].chunks() {
            planned.push(Digest::of(keys(unit, chunk).join("\n").as_bytes()));
        }
    }
    let mut reference = Vec::new();
    let first = NOW.0 - hours * HOUR_MS;
    for n in 0..hours {
        let key = Timestamp(first + n * HOUR_MS).to_rfc3339();
        let key = format!("{}-{}", &key[..10], &key[11..16]);
        reference.push(Digest::of(key.as_bytes()));
    }
    // Days whose hours all exist: from the first whole day on.
    let mut day = first + (24 * HOUR_MS - first.rem_euclid(24 * HOUR_MS)) % (24 * HOUR_MS);
    while day + 24 * HOUR_MS <= NOW.0 {
        let key = Timestamp(day).to_rfc3339();
        reference.push(Digest::of(&key.as_bytes()[..10]));
        day += 24 * HOUR_MS;
    }
    assert!(
        planned == reference,
        "the plan is not what a slow look says"
    );
}

fn status_kb(field: &str) -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with(field));
    let number = line.and_then(|line| line.split_whitespace().nth(1)?.parse::<f64>().ok());
    number.unwrap_or_default()
}

fn rss_mb() -> f64 {
    status_kb("VmRSS:") / 1_024.0
}

fn peak_mb() -> f64 {
    status_kb("VmHWM:") / 1_024.0
}

#[derive(Clone)]
struct Bench {
    state: State,
    blobs: HashMap<Digest, Vec<u8>>,
}

impl Bench {
    fn new(hours: i64) -> Self {
        let mut bench = Self {
            state: State::default(),
            blobs: HashMap::new(),
        };
        let manifest = manifest(hours);
        let definitions = Definitions::read("loc", &manifest).expect("definitions");
        bench
            .blobs
            .insert(definitions.version(), canonical::to_vec(&manifest));
        bench.decide(Command::Deploy(Arc::new(definitions)));
        bench
    }

    fn ask() -> TargetAsk {
        TargetAsk {
            assets: ["hours", "days"]
                .map(|key| AssetKey::parse(key).expect("a key"))
                .into(),
            selector: Selector::all(),
            policy: None,
            refuse_left_out: false,
        }
    }

    fn outline(&self) -> Outline {
        let resolved = backfill::resolve(&self.state, &Self::ask(), NOW).expect("a target");
        Outline::of(resolved.target).expect("its mappings hold")
    }

    fn request(&mut self) -> BackfillRequest {
        let resolved = backfill::resolve(&self.state, &Self::ask(), NOW).expect("a target");
        let target = serde_json::to_vec(&resolved.target).expect("a target is JSON");
        let digest = Digest::of(&target);
        self.blobs.insert(digest, target);
        BackfillRequest {
            backfill: BackfillId::from_parts(1, 1),
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
            target_blob: Some(digest),
            definitions: resolved.definitions,
            fingerprint: Digest::of(b"bench"),
        }
    }

    fn decide(&mut self, command: Command) -> Duration {
        let context = Context {
            now: NOW,
            principal: "client:bench".into(),
            cause: Cause::Command("bench".into()),
        };
        let segment = self.state.position.segment + 1;
        let next = Position { segment, index: 0 };
        let began = Instant::now();
        let decided = decide::decide(&self.state, &command, &context, next, &self.blobs);
        let took = began.elapsed();
        self.state = decided
            .expect("the benchmark asks for what can be done")
            .state;
        took
    }

    /// The first fifty runs, as the leader plans them.
    fn advance(&mut self, id: BackfillId) -> Duration {
        let began = Instant::now();
        let of = Arc::clone(&self.state.backfills[&id]);
        let chunks = backfill::next(&self.state, id, NOW, 50);
        let runs = (0_u64..).map(|n| RunId::from_parts(n, 7));
        let chunks = chunks
            .iter()
            .zip(runs)
            .map(|(chunk, run)| backfill::plan(&self.state.catalog, &of, chunk, run, NOW))
            .collect::<Result<_, _>>()
            .expect("the definitions stand");
        let planned = began.elapsed();
        let advance = BackfillAdvance {
            backfill: id,
            chunks,
        };
        planned + self.decide(Command::AdvanceBackfill(Box::new(advance)))
    }

    fn steer(&mut self, backfill: BackfillId, to: Steer) -> Duration {
        self.decide(Command::SteerBackfill(BackfillSteer {
            backfill,
            state_version: None,
            to,
        }))
    }
}

fn manifest(hours: i64) -> Value {
    let start = |at: i64| Timestamp(at).to_rfc3339()[..19].to_owned();
    let window = |cadence: &str, start: String, fmt: &str| {
        json!({"kind": "time_window", "cadence": cadence, "start": start, "timezone": "UTC", "fmt": fmt,
            "end_offset": 0, "minute_offset": 0, "hour_offset": 0, "day_offset": 0})
    };
    let first = NOW.0 - hours * HOUR_MS;
    let earlier = first - hours * HOUR_MS * 3 / 100;
    let days = earlier - earlier.rem_euclid(24 * HOUR_MS);
    let hourly = window("hourly", start(first), "%Y-%m-%d-%H:%M");
    let daily = window("daily", start(days), "%Y-%m-%d");
    let step = |name: &str| json!({"name": name, "kind": "asset", "outputs": [name]});
    json!({"format": 1, "location": "loc", "checks": [], "steps": [step("hours"), step("days")], "assets": [
        {"key": "hours", "step": "hours", "partitions": hourly, "deps": []},
        {"key": "days", "step": "days", "partitions": daily, "deps": [{"asset": "hours", "param": "hours"}]},
    ]})
}
