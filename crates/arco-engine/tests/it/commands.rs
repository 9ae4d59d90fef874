//! A thousand commands at random, on a store where a quarter of the puts go wrong.

use std::time::Duration;

use arco_core::asset_fact::{AssetCheckResult, AssetFact};
use arco_core::{AttemptId, RunId};
use arco_engine::{Engine, RunAsk};
use arco_flow::State;
use arco_flow::command::{Command, Reported};
use arco_testkit::host::{failed, succeeds};
use arco_testkit::random::Random;
use arco_testkit::replay::{fold, segments};
use arco_testkit::store::FaultRates;
use arco_testkit::world::{ask, deploy};
use arco_testkit::{ManifestBuilder, ScriptedHost, World, asset, check};

use crate::support::*;

/// Two versions of one location, so that runs pin the one they began with.
fn manifest(version: u64) -> ManifestBuilder {
    ManifestBuilder::new("main")
        .asset(
            asset("a")
                .retries(2, 5_000)
                .code_version(&version.to_string()),
        )
        .asset(asset("b").needs("a").partitions(&["x", "y", "z"]))
        .asset(asset("c").needs("b"))
        .check(check("a", "good").blocking().inside())
        .check(check("b", "fair"))
}

struct Players {
    random: Random,
    hosts: Vec<(ScriptedHost, Vec<arco_engine::LeasePlan>)>,
    runs: Vec<RunId>,
    asked: u64,
}

impl Players {
    async fn act(&mut self, world: &World, engines: &[Engine]) {
        let engine = self.random.pick(engines).clone();
        match self.random.below(100) {
            0..20 => self.request(&engine).await,
            20..24 => self.cancel(&engine).await,
            24..27 => {
                let manifest = manifest(self.random.below(2)).json();
                let _ = engine
                    .deploy("client:test", "deploy", "main", &manifest)
                    .await;
            }
            27..32 => {
                let host = ScriptedHost::new(world.new_host(), "main");
                self.hosts.push((host, Vec::new()));
                if self.hosts.len() > 4 {
                    let gone = usize::try_from(self.random.below(5)).expect("small");
                    self.hosts.remove(gone);
                }
                if let Some((host, _)) = self.hosts.last_mut() {
                    let _ = host.register(&engine).await;
                }
            }
            32..40 => world
                .clock
                .advance(Duration::from_millis(self.random.below(9_000))),
            _ => self.exchange(&engine).await,
        }
    }

    async fn request(&mut self, engine: &Engine) {
        self.asked += 1;
        let selections = ["*", "a", "key:a or key:c", "b", "c"];
        let key = self
            .random
            .chance(600)
            .then(|| format!("key {}", self.random.below(40)));
        let repeated = self
            .random
            .chance(300)
            .then(|| format!("idem {}", self.random.below(40)));
        let ask = RunAsk {
            run_key: key,
            idempotency_key: repeated,
            partitions: arco_flow::planner::PartitionsAsked::All,
            priority: i32::try_from(self.random.below(3)).expect("small"),
            ..ask(self.random.pick::<&str>(&selections))
        };
        if let Ok(made) = engine.request_run("client:test", "run", ask).await {
            self.runs.push(made.run);
        }
    }

    async fn cancel(&mut self, engine: &Engine) {
        if self.runs.is_empty() {
            return;
        }
        let run = *self.random.pick(&self.runs);
        let _ = engine
            .submit("client:test", "cancel", Command::CancelRun(run))
            .await;
    }

    /// One host says what it has to say, and sometimes what it has not.
    async fn exchange(&mut self, engine: &Engine) {
        if self.hosts.is_empty() {
            return;
        }
        let at = usize::try_from(self.random.below(self.hosts.len() as u64)).expect("small");
        let (host, held) = &mut self.hosts[at];
        let mut said: Vec<(AttemptId, Reported)> = Vec::new();
        let mut kept = Vec::new();
        for lease in held.drain(..) {
            match self.random.below(10) {
                0..5 => said.extend(succeeds(&lease).into_iter().map(|s| (lease.attempt, s))),
                5 => said.push((lease.attempt, failed(UserCode))),
                6 => said.push((lease.attempt, Reported::Released)),
                7 => {
                    said.push((lease.attempt, bad_check(&lease)));
                    said.push((lease.attempt, Reported::Succeeded));
                }
                8 => said.push((lease.attempt, Reported::Cancelled)),
                _ => kept.push(lease),
            }
        }
        if self.random.chance(100)
            && let Some(run) = self.runs.last()
        {
            let foreign = AttemptId {
                run: *run,
                task: 0,
                number: 1,
            };
            said.push((foreign, Reported::Succeeded));
        }
        let want = u32::try_from(self.random.below(4)).expect("small");
        match host.exchange(engine, said, want).await {
            Ok(work) => {
                kept.extend(work.leases);
                *held = kept;
            }
            Err(error) => {
                if error.code() == "unknown_host" {
                    let _ = host.register(engine).await;
                }
                if error.code() == "fenced" {
                    *host = ScriptedHost::new(
                        arco_core::HostId::from_parts(1, u128::from(self.random.number())),
                        "main",
                    );
                }
                *held = kept;
                let live: Vec<AttemptId> = held.iter().map(|lease| lease.attempt).collect();
                host.live = live;
            }
        }
    }
}

fn bad_check(lease: &arco_engine::LeasePlan) -> Reported {
    let a = || arco_core::AssetKey::parse("a").expect("a key");
    let first = lease.step.checks.first().cloned();
    let (asset, check) = first.unwrap_or_else(|| (a(), "good".into()));
    Reported::Asset(AssetFact::Checked(AssetCheckResult {
        description: Some("bad".into()),
        metadata: [(
            "ratio".into(),
            serde_json::json!({"type": "float", "value": 0.1 + 0.2}),
        )]
        .into(),
        ..AssetCheckResult::new(asset, check, false)
    }))
}

/// Plays `count` commands on two engines and compares everything with the log.
async fn play(seed: u64, count: usize, rates: FaultRates) -> (u64, usize) {
    let (world, store) = World::faulty();
    let world = world.with(|s| {
        s.snapshot_segments = 100;
        s.ended_runs_max = 20;
        s.inline_plan_max = 400;
    });
    let engines = [
        world.engine_named("one").await,
        world.engine_named("two").await,
    ];
    deploy(&engines[0], &manifest(0)).await;
    store.set_rates(rates);
    let mut players = Players {
        random: Random::new(seed),
        hosts: Vec::new(),
        runs: Vec::new(),
        asked: 0,
    };
    for _ in 0..count {
        players.act(&world, &engines).await;
    }
    store.set_rates(FaultRates::default());
    store.settle().await;
    let all = loop {
        for engine in &engines {
            engine.catch_up().await.expect("it follows");
        }
        let all = segments(&world.store).await.expect("the log reads");
        let head = all.last().expect("much was written").number();
        if engines
            .iter()
            .all(|engine| engine.view().head.segment == head)
        {
            break all;
        }
    };
    let whole = fold(State::default(), &all);
    for engine in &engines {
        let view = engine.view();
        assert_eq!(view.read_only, None, "seed {seed}");
        assert_eq!(
            view.state.hash(),
            whole.hash(),
            "seed {seed}: an engine and its log"
        );
    }
    let mut random = Random::new(seed);
    for _ in 0..20 {
        let split = usize::try_from(random.below(all.len() as u64)).expect("small");
        let first = fold(State::default(), &all[..split]);
        let read = State::from_bytes(&first.to_bytes()).expect("a state is read as it is written");
        assert_eq!(
            read.hash(),
            first.hash(),
            "seed {seed}: written and read at {split}"
        );
        assert_eq!(
            fold(read, &all[split..]).hash(),
            whole.hash(),
            "seed {seed}: split at {split}"
        );
    }
    indexes_are_derived(&whole);
    for engine in &engines {
        engine.shutdown().await;
    }
    let restarted = world.engine_named("three").await;
    let report = restarted.log().verify().await.expect("the log is read");
    assert!(report.is_sound(), "seed {seed}: {:?}", report.findings);
    let long = all.len() > 250;
    assert!(
        report.snapshots > 0 || !long,
        "seed {seed}: snapshots were written"
    );
    let log = segments(&world.store).await.expect("the log reads");
    let upto = restarted.view().position();
    let known: Vec<_> = log
        .into_iter()
        .filter(|s| s.number() <= upto.segment)
        .collect();
    let again = fold(State::default(), &known);
    assert_eq!(
        restarted.view().state.hash(),
        again.hash(),
        "seed {seed}: snapshot and tail"
    );
    (store.faults(), all.len())
}

/// The indexes of a folded state are those that a snapshot's reader builds from scratch.
fn indexes_are_derived(state: &State) {
    let built = State::from_bytes(&state.to_bytes()).expect("a state is read as it is written");
    assert_eq!(state.ready, built.ready);
    assert_eq!(state.retrying, built.retrying);
    assert_eq!(state.admission, built.admission);
    assert_eq!(state.active_runs, built.active_runs);
    assert_eq!(state.ended_runs, built.ended_runs);
    assert!(state.versions.keys().eq(built.versions.keys()));
}

#[tokio::test(start_paused = true)]
async fn a_thousand_commands_with_faults_leave_what_the_log_says() {
    let rates = FaultRates {
        later_max: Duration::from_secs(20),
        ..FaultRates::rough()
    };
    let (faults, segments) = play(1, 1_000, rates).await;
    assert!(faults > 100, "only {faults} faults: nothing was tested");
    assert!(segments > 200, "only {segments} segments");
}

#[tokio::test(start_paused = true)]
async fn other_seeds_too() {
    for seed in 2..8 {
        play(seed, 150, FaultRates::rough()).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_thousand_commands_without_faults_leave_what_the_log_says() {
    let (faults, _) = play(99, 1_000, FaultRates::default()).await;
    assert_eq!(faults, 0);
}
