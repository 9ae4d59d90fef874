//! Random lives of a workspace: runs are asked for, hosts work, fail, are lost and come, people
//! cancel, time passes. Every state on the way is kept.

use std::collections::{BTreeMap, BTreeSet};

use arco_core::asset_fact::{AssetCheckResult, AssetFact, AssetMaterialization};
use arco_core::event::FailureClass;
use arco_core::{AssetKey, AttemptId, HostId, RunId, Timestamp};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::graph::{self, Assets};
use crate::command::{Command, Reported};
use crate::planner::PartitionsAsked;
use crate::state::{HostStatus, State};
use crate::testing::{World, failed};

/// What happens, to which, and how: three draws.
pub(crate) type Move = (u8, u8, u16);

pub(crate) fn moves(most: usize) -> impl Strategy<Value = Vec<Move>> {
    prop::collection::vec(any::<Move>(), 1..most)
}

/// One delivery of a host's reports.
#[derive(Debug, Clone)]
pub(crate) struct Said {
    pub(crate) host: HostId,
    pub(crate) reports: Vec<(AttemptId, Reported)>,
    /// The first of [`Life::states`] after it.
    pub(crate) at: usize,
}

pub(crate) struct Life {
    pub(crate) world: World,
    /// The state and the time after each move; the first is before any.
    pub(crate) states: Vec<(State, Timestamp)>,
    /// Everything hosts said.
    pub(crate) said: Vec<Said>,
    runs: Vec<RunId>,
    /// Outputs and verdicts that attempts have reported: a body says each once.
    told: BTreeSet<AttemptId>,
    hosts: u128,
}

const DAYS: [&str; 3] = ["2026-01-05", "2026-01-06", "2026-01-07"];

impl Life {
    pub(crate) fn live(assets: &Assets, moves: &[Move]) -> Self {
        Self::live_within(assets, moves, &[])
    }

    /// A life in which these limits are set, one or the other, every now and then.
    pub(crate) fn live_within(assets: &Assets, moves: &[Move], limits: &[Value]) -> Self {
        let world = World::new(&assets.text());
        let mut life = Self {
            states: vec![(world.state.clone(), world.now)],
            world,
            said: Vec::new(),
            runs: Vec::new(),
            told: BTreeSet::new(),
            hosts: 1,
        };
        for (at, chosen) in moves.iter().enumerate() {
            if at % 16 == 0 && !limits.is_empty() {
                let which = usize::from(chosen.2) % limits.len();
                life.world.limit(&limits[which]);
            }
            life.step(assets, *chosen);
            if !limits.is_empty() {
                // The leader's watch.
                let watch = Command::EnforceTimeLimits;
                life.world.run_command(&watch).expect("it has the lead");
            }
            life.states.push((life.world.state.clone(), life.world.now));
        }
        life
    }

    fn step(&mut self, assets: &Assets, (what, which, how): Move) {
        self.world.now = self.world.now.plus_ms(400);
        match what % 16 {
            0 | 1 => self.ask(assets, how),
            2..=4 => self.lease(which),
            5 => self.cancel(which),
            6 if which % 4 == 0 => self.lose(which),
            7 => self.world.now = self.world.now.plus_ms(u64::from(how)),
            _ => self.say(which, how),
        }
    }

    fn ask(&mut self, assets: &Assets, bits: u16) {
        let chosen = assets.some(bits);
        let partitions = if chosen.iter().any(|asset| assets.is_daily(*asset)) {
            let days = &DAYS[..1 + usize::from(bits >> 10) % DAYS.len()];
            PartitionsAsked::Keys(days.iter().map(|day| (*day).to_owned()).collect())
        } else {
            PartitionsAsked::None
        };
        let request = self.world.request(&graph::names(&chosen), &partitions);
        let mut request = request.expect("the selection can be planned");
        for (shift, key) in [(4, "team"), (6, "store")] {
            if let Some(value) =
                [None, Some("x"), Some("y"), Some("z")][usize::from(bits >> shift) % 4]
            {
                request.tags.insert(key.into(), value.into());
            }
        }
        request.priority = i32::from(bits >> 12) % 3;
        self.runs.push(request.run);
        self.world.ask(request).expect("a run without a key");
    }

    fn alive(&self) -> Vec<HostId> {
        let hosts = self.world.state.hosts.iter();
        hosts
            .filter(|(_, host)| host.status == HostStatus::Alive)
            .map(|(id, _)| *id)
            .collect()
    }

    fn lease(&mut self, which: u8) {
        let alive = self.alive();
        let host = alive[usize::from(which) % alive.len()];
        let held = held(&self.world.state, host);
        let leased = self
            .world
            .exchange(host, Vec::new(), u32::from(which % 3) + 1, &held);
        leased.expect("the host is alive");
    }

    fn cancel(&mut self, which: u8) {
        if !self.runs.is_empty() {
            let run = self.runs[usize::from(which) % self.runs.len()];
            let cancelled = self.world.run_command(&Command::CancelRun(run));
            cancelled.expect("the run is known");
        }
    }

    /// A host is given up, or leaves, and another comes.
    fn lose(&mut self, which: u8) {
        let alive = self.alive();
        let host = alive[usize::from(which) % alive.len()];
        let gone = if which & 8 == 0 {
            Command::HostLost(host)
        } else {
            Command::HostLeft(host)
        };
        self.world.run_command(&gone).expect("the host was alive");
        for _ in 0..=usize::from(alive.len() == 1) {
            self.hosts += 1;
            let next = HostId::from_parts(0, self.hosts);
            self.world.register(next).expect("a fresh host");
        }
    }

    /// A host says something of an attempt it holds.
    fn say(&mut self, which: u8, how: u16) {
        let all: Vec<(HostId, AttemptId)> = self
            .alive()
            .into_iter()
            .flat_map(|host| {
                held(&self.world.state, host)
                    .into_iter()
                    .map(move |id| (host, id))
            })
            .collect();
        if all.is_empty() {
            return;
        }
        let (host, attempt) = all[usize::from(which) % all.len()];
        let reports: Vec<(AttemptId, Reported)> = self
            .words(attempt, how)
            .into_iter()
            .map(|said| (attempt, said))
            .collect();
        if !reports.is_empty() {
            self.deliver(host, reports);
        }
    }

    fn deliver(&mut self, host: HostId, reports: Vec<(AttemptId, Reported)>) {
        let held = held(&self.world.state, host);
        let heard = self.world.exchange(host, reports.clone(), 0, &held);
        let (_, refused) = heard.expect("the host is alive");
        assert!(
            refused.is_empty(),
            "what is held may be spoken of: {refused:?}"
        );
        let at = self.states.len();
        self.said.push(Said { host, reports, at });
    }

    fn words(&mut self, attempt: AttemptId, how: u16) -> Vec<Reported> {
        let mut said = Vec::new();
        let kind = how % 12;
        if how & 0x100 == 0 {
            said.push(Reported::Started);
        }
        if (kind < 7 || how & 0x200 == 0) && self.told.insert(attempt) {
            said.push(output(&self.world, attempt, how));
        }
        match kind {
            0..=3 => said.push(Reported::Succeeded),
            4..=6 => {}
            7 | 8 => said.push(failed(FailureClass::UserCode)),
            9 => said.push(failed(FailureClass::WorkerLost)),
            10 => said.push(Reported::Cancelled),
            _ => said.push(Reported::Released),
        }
        said
    }
}

/// The attempts a host holds.
pub(crate) fn held(state: &State, host: HostId) -> Vec<AttemptId> {
    let host = state.hosts.get(&host);
    host.into_iter()
        .flat_map(|host| host.attempts.iter().copied())
        .collect()
}

/// The step of an attempt.
pub(crate) fn step_of(world: &World, attempt: AttemptId) -> String {
    let run = world.state_of(attempt.run);
    run.plan.tasks[attempt.task as usize].step.clone()
}

/// What the body of an attempt makes, or its verdict; no two are alike.
pub(crate) fn output(world: &World, attempt: AttemptId, how: u16) -> Reported {
    let step = step_of(world, attempt);
    let metadata = BTreeMap::from([("said".to_owned(), json!([attempt.to_string(), how]))]);
    match step.strip_suffix("__ok") {
        Some(asset) => Reported::Asset(AssetFact::Checked(AssetCheckResult {
            metadata,
            ..AssetCheckResult::new(
                AssetKey::parse(asset).expect("a key"),
                "ok",
                how & 0x400 == 0,
            )
        })),
        None => Reported::Asset(AssetFact::Materialized(AssetMaterialization {
            metadata,
            ..AssetMaterialization::new(AssetKey::parse(&step).expect("a key"))
        })),
    }
}

/// Works everything off on the world's own host, well; the steps in the order they were carried out.
pub(crate) fn work_off(world: &mut World) -> Vec<String> {
    let mut done = Vec::new();
    loop {
        let leased = world.lease(3);
        if leased.is_empty() {
            return done;
        }
        for attempt in leased {
            done.push(step_of(world, attempt));
            // An odd number: the verdict is good.
            let said = vec![output(world, attempt, 1), Reported::Succeeded];
            assert!(world.report(attempt, said).is_empty(), "it is held");
        }
    }
}
