//! What the queue costs: one JSON line a figure. `cargo xtask bench queue` runs it in release.
//!
//! Decided and applied as the committer does, without a store: what is measured is the decision.

#![expect(
    clippy::disallowed_methods,
    reason = "a benchmark reads a clock; nothing of the crate does"
)]

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant};

use arco_core::definitions::Definitions;
use arco_core::event::{Cause, Position};
use arco_core::{AssetKey, AttemptId, Digest, HostId, RunId, Timestamp, canonical};
use arco_flow::command::{Answer, Command, Context, HostExchange, HostHello, Reported, RunRequest};
use arco_flow::planner::{self, PartitionsAsked, PlanRequest, Planned};
use arco_flow::{State, decide};
use serde_json::{Value, json};

const RUNS: u32 = 10_000;
const LAYERS: usize = 100;
const WIDTH: usize = 100;
const ROUNDS: usize = 5;
const NOW: Timestamp = Timestamp(1_769_904_000_000);

fn main() {
    let admit = ms(admit()) / f64::from(RUNS);
    println!(
        "{}",
        json!({"case": "queue/admit/10k_runs/per_run", "value": admit})
    );
    println!(
        "{}",
        json!({"case": "queue/plan/10k_assets", "value": ms(plan())})
    );
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1_000.0
}

/// Ten thousand runs of a hundred customers are queued, at most one of a customer and fifty in all go
/// at once, their tasks share a pool; a host works them off. Time in decisions on its exchanges.
fn admit() -> Duration {
    let step = json!({"name": "a", "kind": "asset", "outputs": ["a"], "pool": "db"});
    let asset = json!({"key": "a", "deps": [], "step": "a"});
    let mut bench = Bench::new(
        &json!({"format": 1, "location": "loc", "assets": [asset], "checks": [], "steps": [step]}),
    );
    let limits = json!({"runs": 50, "tags": [{"key": "customer", "per_value": true, "limit": 1}],
                        "pools": {"db": {"limit": 40}}});
    bench.decide(Command::SetLimits(
        serde_json::from_value(limits).expect("limits"),
    ));
    let planned = bench.plan(&["a".to_owned()]);
    for n in 0..RUNS {
        bench.request(n, &planned);
    }
    let host = HostId::from_parts(0, 1);
    let slots = 64;
    bench.decide(Command::RegisterHost(HostHello {
        host,
        location: "loc".into(),
        hostname: "machine".into(),
        pid: 1,
        slots,
        live: Vec::new(),
    }));
    let mut held: Vec<AttemptId> = Vec::new();
    let began = Instant::now();
    let mut ended = 0;
    while ended < RUNS {
        let reports = held.iter().map(|id| (*id, Reported::Succeeded)).collect();
        ended += u32::try_from(held.len()).expect("few");
        let live = std::mem::take(&mut held);
        let exchange = HostExchange {
            host,
            reports,
            want: slots,
            live,
        };
        let Answer::Exchanged { leases, .. } = bench.decide(Command::Exchange(exchange)) else {
            panic!("an exchange is answered by one");
        };
        assert!(ended == RUNS || !leases.is_empty(), "the queue moves");
        held = leases;
    }
    began.elapsed()
}

/// The plan of a run of ten thousand assets, a hundred layers deep.
fn plan() -> Duration {
    let name = |layer: usize, at: usize| format!("l{layer}/a{at}");
    let (mut assets, mut steps, mut keys) = (Vec::new(), Vec::new(), Vec::new());
    for layer in 0..LAYERS {
        for at in 0..WIDTH {
            let key = name(layer, at);
            let reads = (0..3).filter(|_| layer > 0).map(|n| (at + n * 7) % WIDTH);
            let deps: Vec<Value> = reads
                .map(|up| json!({"asset": name(layer - 1, up)}))
                .collect();
            assets.push(json!({"key": key, "deps": deps, "step": key}));
            steps.push(json!({"name": key, "kind": "asset", "outputs": [key], "pool": format!("p{}", at % 10)}));
            keys.push(key);
        }
    }
    let bench = Bench::new(
        &json!({"format": 1, "location": "loc", "assets": assets, "checks": [], "steps": steps}),
    );
    let mut rounds: Vec<Duration> = (0..ROUNDS)
        .map(|_| {
            let began = Instant::now();
            let planned = bench.plan(&keys);
            assert_eq!(planned.plan.tasks.len(), LAYERS * WIDTH);
            began.elapsed()
        })
        .collect();
    rounds.sort();
    rounds[ROUNDS / 2]
}

struct Bench {
    state: State,
    blobs: HashMap<Digest, Vec<u8>>,
}

impl Bench {
    fn new(manifest: &Value) -> Self {
        let mut bench = Self {
            state: State::default(),
            blobs: HashMap::new(),
        };
        let definitions = Definitions::read("loc", manifest).expect("definitions");
        bench
            .blobs
            .insert(definitions.version(), canonical::to_vec(manifest));
        bench.decide(Command::Deploy(Arc::new(definitions)));
        bench
    }

    fn decide(&mut self, command: Command) -> Answer {
        let context = Context {
            now: NOW,
            principal: "client:bench".into(),
            cause: Cause::Command("bench".into()),
        };
        let segment = self.state.position.segment + 1;
        let next = Position { segment, index: 0 };
        let decided = decide::decide(&self.state, &command, &context, next, &self.blobs);
        let decided = decided.expect("the benchmark asks for what can be done");
        self.state = decided.state;
        decided.answer
    }

    fn plan(&self, keys: &[String]) -> Planned {
        let assets = keys.iter().map(|key| AssetKey::parse(key).expect("a key"));
        let request = PlanRequest {
            checks: None,
            assets: assets.collect(),
            partitions: PartitionsAsked::None,
        };
        planner::plan(&self.state.catalog, &request, NOW).expect("a plan")
    }

    fn request(&mut self, n: u32, planned: &Planned) {
        let tags = [
            ("customer", (n % 100).to_string()),
            ("dagster/priority", (n % 7).to_string()),
        ];
        let tags: BTreeMap<String, String> =
            tags.into_iter().map(|(k, v)| (k.to_owned(), v)).collect();
        self.decide(Command::RequestRun(Box::new(RunRequest {
            run: RunId::from_parts(u64::from(n), 7),
            scope: "workspace".into(),
            run_key: None,
            idempotency_key: None,
            selection: None,
            assets: vec![AssetKey::parse("a").expect("a key")],
            asset_checks: None,
            partitions: None,
            config: Value::Null,
            tags,
            priority: 0,
            time_limits: arco_core::limits::TimeLimits::default(),
            job: None,
            backfill: None,
            rerun: None,
            tick: None,
            evaluation: None,
            frees_key: false,
            plan: Arc::new(planned.plan.clone()),
            plan_blob: None,
            definitions: planned.definitions.clone(),
        })));
    }
}
