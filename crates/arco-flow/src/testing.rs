//! A workspace in a few words, for the tests of this crate: definitions from one line of text,
//! commands decided and applied as the committer would, and a replay to compare with.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use arco_core::asset_fact::{AssetCheckResult, AssetFact, AssetMaterialization};
use arco_core::definitions::Definitions;
use arco_core::event::{Cause, ErrorInfo, Event, FailureClass, Position, Severity};
use arco_core::plan::PlannedTask;
use arco_core::{AssetKey, AttemptId, Digest, HostId, RunId, Timestamp, canonical};
use serde_json::{Value, json};

use crate::command::{Answer, Command, Context, HostExchange, HostHello, Reported, RunRequest};
use crate::planner::{self, PartitionsAsked, PlanRequest};
use crate::state::{Run, State};
use crate::{Rejection, decide};

/// 2026-02-01T00:00:00Z: daily partitions of January exist.
pub(crate) const NOW: Timestamp = Timestamp(1_769_904_000_000);

/// Definitions from lines such as `b daily <- a, c last(d)`, `check b.ok blocking <- b`; separated
/// by `;`. Words after the name: `daily`, `monthly`, `static`, `retry=N`, `external`, `v=CODE`, `pool=NAME`,
/// `chunks=N` for a backfill policy;
/// `by=STEP` for one of several assets of a step, `subset` for such a step, `optional` for what may be left
/// unmade.
pub(crate) fn manifest(text: &str) -> Value {
    let (mut assets, mut checks, mut steps) = (Vec::new(), Vec::new(), Vec::new());
    for line in text
        .split(';')
        .map(str::trim)
        .filter(|line| !line.is_empty())
    {
        let (head, deps) = line.split_once("<-").unwrap_or((line, ""));
        let deps: Vec<Value> = deps
            .split(',')
            .map(str::trim)
            .filter(|d| !d.is_empty())
            .map(dep)
            .collect();
        let words: Vec<&str> = head.split_whitespace().collect();
        if words[0] == "check" {
            let (asset, name) = words[1]
                .split_once('.')
                .expect("checks look like asset.name");
            let step = format!("{asset}__{name}");
            let mut check = json!({"asset": asset, "name": name, "step": step,
                "blocking": words.contains(&"blocking"), "deps": deps});
            partitions(&words, &mut check);
            checks.push(check);
            steps.push(json!({"name": step, "kind": "check", "checks": [[asset, name]]}));
        } else {
            let mut asset = json!({"key": words[0], "deps": deps});
            partitions(&words, &mut asset);
            let by = words.iter().find_map(|word| word.strip_prefix("by="));
            let name = by.unwrap_or(words[0]);
            let mut step = json!({"name": name, "kind": "asset", "outputs": [words[0]]});
            if words.contains(&"optional") {
                asset["skippable"] = json!(true);
            }
            if words.contains(&"subset") {
                step["can_subset"] = json!(true);
            }
            for word in &words {
                if let Some(n) = word.strip_prefix("retry=") {
                    step["retry"] =
                        json!({"max_retries": n.parse::<u32>().unwrap(), "delay_ms": 1000});
                }
                if let Some(pool) = word.strip_prefix("pool=") {
                    step["pool"] = json!(pool);
                }
                if let Some(n) = word.strip_prefix("chunks=") {
                    let n: u32 = n.parse().expect("partitions of a run");
                    asset["backfill_policy"] = json!({"max_partitions_per_run": n});
                }
                if let Some(code) = word.strip_prefix("v=") {
                    asset["code_version"] = json!(code);
                }
            }
            if !words.contains(&"external") {
                asset["step"] = json!(name);
                match steps.iter_mut().find(|step| step["name"] == name) {
                    Some(known) => {
                        let outputs = known["outputs"].as_array_mut().expect("a list");
                        outputs.push(json!(words[0]));
                    }
                    None => steps.push(step),
                }
            }
            assets.push(asset);
        }
    }
    json!({"format": 1, "location": "loc", "assets": assets, "checks": checks, "steps": steps})
}

fn dep(text: &str) -> Value {
    match text.split_once('(') {
        None => json!({"asset": text, "param": text}),
        Some((mapping, asset)) => {
            let asset = asset.trim_end_matches(')');
            let mapping = match mapping {
                "yesterday" => json!({"kind": "time_window", "start_offset": -1, "end_offset": -1}),
                "code" => json!({"kind": "custom", "name": "Code"}),
                other => json!({"kind": other}),
            };
            json!({"asset": asset, "param": asset, "mapping": mapping})
        }
    }
}

fn partitions(words: &[&str], target: &mut Value) {
    for cadence in ["daily", "monthly"] {
        if words.contains(&cadence) {
            let day_offset = i32::from(cadence == "monthly");
            target["partitions"] = json!({"kind": "time_window", "cadence": cadence,
                "start": "2026-01-01T00:00:00", "timezone": "UTC", "fmt": "%Y-%m-%d",
                "end_offset": 0, "minute_offset": 0, "hour_offset": 0, "day_offset": day_offset});
        }
    }
    if words.contains(&"static") {
        target["partitions"] = json!({"kind": "static", "keys": ["x", "y", "z"]});
    }
}

/// A workspace on which commands are decided one after the other.
pub(crate) struct World {
    pub(crate) state: State,
    pub(crate) now: Timestamp,
    pub(crate) log: Vec<(Position, Event)>,
    pub(crate) blobs: HashMap<Digest, Vec<u8>>,
    pub(crate) host: HostId,
    pub(crate) runs: u64,
}

impl World {
    /// With these definitions deployed and one host registered.
    pub(crate) fn new(definitions: &str) -> Self {
        let mut world = Self {
            state: State::default(),
            now: NOW,
            log: Vec::new(),
            blobs: HashMap::new(),
            host: HostId::from_parts(0, 1),
            runs: 0,
        };
        let lead = Command::TakeLead {
            after: 0,
            holder: "writer".into(),
            url: "http://localhost".into(),
            ttl_ms: 30_000,
        };
        world.run_command(&lead).expect("nobody leads yet");
        world
            .deploy(&manifest(definitions))
            .expect("the test's definitions hold together");
        world.register(world.host).expect("a fresh host");
        world
    }

    pub(crate) fn deploy(&mut self, manifest: &Value) -> Result<Answer, Rejection> {
        let definitions = Definitions::read("loc", manifest)?;
        self.blobs
            .insert(definitions.version(), canonical::to_vec(manifest));
        self.run_command(&Command::Deploy(Arc::new(definitions)))
    }

    /// Sets the limits that this JSON says.
    pub(crate) fn limit(&mut self, limits: &Value) {
        let limits = serde_json::from_value(limits.clone()).expect("the test's limits read");
        self.run_command(&Command::SetLimits(limits))
            .expect("the test's limits hold together");
    }

    pub(crate) fn register(&mut self, host: HostId) -> Result<Answer, Rejection> {
        self.run_command(&Command::RegisterHost(HostHello {
            host,
            location: "loc".into(),
            hostname: "machine".into(),
            pid: 1,
            slots: 4,
            live: Vec::new(),
        }))
    }

    /// Decides and appends, as the committer does.
    pub(crate) fn run_command(&mut self, command: &Command) -> Result<Answer, Rejection> {
        let context = Context {
            now: self.now,
            principal: "client:test".into(),
            cause: Cause::Command("test".into()),
        };
        let next = Position {
            segment: self.state.position.segment + 1,
            index: 0,
        };
        let decided = decide(&self.state, command, &context, next, &self.blobs)?;
        for (index, event) in (0..).zip(decided.events) {
            self.log.push((Position { index, ..next }, event));
        }
        self.state = decided.state;
        Ok(decided.answer)
    }

    /// A run request as the engine would make it.
    pub(crate) fn request(
        &mut self,
        assets: &str,
        partitions: &PartitionsAsked,
    ) -> Result<RunRequest, Rejection> {
        let assets: Vec<AssetKey> = assets
            .split_whitespace()
            .map(|a| AssetKey::parse(a).unwrap())
            .collect();
        let request = PlanRequest {
            assets: assets.iter().cloned().collect(),
            checks: None,
            partitions: partitions.clone(),
        };
        let planned = planner::plan(&self.state.catalog, &request, self.now)?;
        self.runs += 1;
        Ok(RunRequest {
            run: RunId::from_parts(self.runs, 7),
            scope: "workspace".into(),
            run_key: None,
            idempotency_key: None,
            selection: None,
            assets,
            asset_checks: None,
            partitions: partitions.display(),
            config: Value::Null,
            tags: BTreeMap::new(),
            priority: 0,
            time_limits: arco_core::limits::TimeLimits::default(),
            job: None,
            backfill: None,
            rerun: None,
            tick: None,
            evaluation: None,
            frees_key: false,
            plan: Arc::new(planned.plan),
            plan_blob: None,
            definitions: planned.definitions,
        })
    }

    pub(crate) fn ask(&mut self, request: RunRequest) -> Result<Answer, Rejection> {
        self.run_command(&Command::RequestRun(Box::new(request)))
    }

    /// Requests a run of these unpartitioned assets.
    pub(crate) fn run(&mut self, assets: &str) -> RunId {
        let request = self
            .request(assets, &PartitionsAsked::None)
            .expect("a good request");
        match self.ask(request) {
            Ok(Answer::Run { run, .. }) => run,
            other => panic!("expected a run, got {other:?}"),
        }
    }

    pub(crate) fn state_of(&self, run: RunId) -> &Run {
        self.state.run(run).expect("the run is in memory")
    }

    pub(crate) fn exchange(
        &mut self,
        host: HostId,
        reports: Vec<(AttemptId, Reported)>,
        want: u32,
        live: &[AttemptId],
    ) -> Result<(Vec<AttemptId>, Vec<AttemptId>), Rejection> {
        let answer = self.run_command(&Command::Exchange(HostExchange {
            host,
            reports,
            want,
            live: live.to_vec(),
        }))?;
        match answer {
            Answer::Exchanged { leases, refused } => {
                Ok((leases, refused.into_iter().map(|(id, _)| id).collect()))
            }
            Answer::Fenced(host) => Err(Rejection::Fenced(host)),
            other => panic!("expected an exchange, got {other:?}"),
        }
    }

    /// The host takes up to `n` tasks.
    pub(crate) fn lease(&mut self, n: u32) -> Vec<AttemptId> {
        let held: Vec<AttemptId> = self.state.hosts[&self.host]
            .attempts
            .iter()
            .copied()
            .collect();
        self.exchange(self.host, Vec::new(), n, &held)
            .expect("the host is alive")
            .0
    }

    /// The host reports; nothing is leased.
    pub(crate) fn report(&mut self, attempt: AttemptId, reported: Vec<Reported>) -> Vec<AttemptId> {
        let held: Vec<AttemptId> = self.state.hosts[&self.host]
            .attempts
            .iter()
            .copied()
            .collect();
        let reports = reported.into_iter().map(|r| (attempt, r)).collect();
        self.exchange(self.host, reports, 0, &held)
            .expect("the host is alive")
            .1
    }

    /// `a:succeeded b:waiting …` in the order of the plan; partitions in brackets.
    pub(crate) fn tasks(&self, run: RunId) -> String {
        let run = self.state_of(run);
        let rows = run
            .plan
            .tasks
            .iter()
            .zip(&run.tasks)
            .map(|(planned, task)| {
                let keys: Vec<_> = planned
                    .partitions
                    .iter()
                    .map(|k| k.display().into_owned())
                    .collect();
                let keys = if keys.is_empty() {
                    String::new()
                } else {
                    format!("[{}]", keys.join(","))
                };
                format!(
                    "{}{}{keys}:{}",
                    planned.step_key(),
                    part(planned),
                    task.status.as_str()
                )
            });
        rows.collect::<Vec<_>>().join(" ")
    }

    /// The state that a replay of the whole log gives, through the log's own text.
    pub(crate) fn replayed(&self) -> State {
        let mut state = State::default();
        for (at, event) in &self.log {
            let event = Event::from_raw(&event.to_raw()).expect("our own events decode");
            state
                .apply(*at, &event, &self.blobs)
                .expect("our own log applies");
        }
        state
    }

    pub(crate) fn kinds(&self, from: usize) -> String {
        let kinds = self.log[from..].iter().map(|(_, event)| event.fact.kind());
        kinds.collect::<Vec<_>>().join(" ")
    }
}

/// `{a,b}`: the assets of a task that makes some of its step's only.
pub(crate) fn part(planned: &PlannedTask) -> String {
    let keys: Vec<&str> = planned.outputs.iter().map(AssetKey::as_str).collect();
    if keys.is_empty() {
        String::new()
    } else {
        format!("{{{}}}", keys.join(","))
    }
}

pub(crate) fn made(asset: &str) -> Reported {
    Reported::Asset(AssetFact::Materialized(AssetMaterialization::new(
        AssetKey::parse(asset).unwrap(),
    )))
}

pub(crate) fn judged(asset: &str, check: &str, passed: bool, severity: Severity) -> Reported {
    Reported::Asset(AssetFact::Checked(AssetCheckResult {
        severity,
        ..AssetCheckResult::new(AssetKey::parse(asset).unwrap(), check, passed)
    }))
}

pub(crate) fn failed(class: FailureClass) -> Reported {
    Reported::Failed {
        class,
        error: ErrorInfo {
            kind: "ValueError".into(),
            message: "no".into(),
            traceback: String::new(),
        },
        allow_retries: true,
        retry_after_ms: None,
        max_retries: None,
    }
}
