//! One store, one clock, one seed, and any number of engines.

use std::sync::Arc;

use arco_core::HostId;
use arco_core::event::Position;
use arco_core::limits::TimeLimits;
use arco_engine::clock::Clock;
use arco_engine::{Engine, EngineOptions, EngineSettings, RunAsk, RunMade};
use arco_flow::planner::PartitionsAsked;
use arco_log::LogStore;
use serde_json::Value;

use crate::store::FaultStore;
use crate::{ManifestBuilder, ManualClock, ScriptedHost, SeededIds};

/// What the engines of a test share.
#[derive(Debug, Clone)]
pub struct World {
    /// The store, for engines and for looking.
    pub store: LogStore,
    /// The clock of all engines.
    pub clock: ManualClock,
    /// Where ids come from.
    pub ids: SeededIds,
    /// Settings of engines started from here.
    pub settings: EngineSettings,
}

impl World {
    /// On a store in memory.
    #[must_use]
    pub fn new() -> Self {
        Self::on(LogStore::memory())
    }

    /// On a store that misbehaves as the test tells it to.
    #[must_use]
    pub fn faulty() -> (Self, Arc<FaultStore>) {
        let store = FaultStore::memory();
        (Self::on(LogStore::new(Arc::clone(&store) as _)), store)
    }

    /// On a store.
    #[must_use]
    pub fn on(store: LogStore) -> Self {
        Self {
            store,
            clock: ManualClock::default(),
            ids: SeededIds::new(7),
            settings: EngineSettings {
                offload: false,
                ..EngineSettings::default()
            },
        }
    }

    /// The same world with other settings.
    #[must_use]
    pub fn with(mut self, change: impl FnOnce(&mut EngineSettings)) -> Self {
        change(&mut self.settings);
        self
    }

    /// The parts of an engine of this world, reached at `http://NAME`.
    #[must_use]
    pub fn options(&self, name: &str) -> EngineOptions {
        EngineOptions {
            store: self.store.clone(),
            tenant: "default".into(),
            workspace: "default".into(),
            url: format!("http://{name}"),
            clock: Arc::new(self.clock.clone()) as Arc<dyn Clock>,
            ids: Arc::new(self.ids.split()),
            settings: self.settings.clone(),
        }
    }

    /// Starts an engine. Panics when it does not start.
    pub async fn engine(&self) -> Engine {
        self.engine_named("one").await
    }

    /// Starts an engine reached at `http://NAME`. Panics when it does not start.
    pub async fn engine_named(&self, name: &str) -> Engine {
        let started = Engine::start(self.options(name)).await;
        started.unwrap_or_else(|error| panic!("engine `{name}` does not start: {error}"))
    }

    /// A host that is registered. Panics when it is not.
    pub async fn host(&self, engine: &Engine, location: &str) -> ScriptedHost {
        let mut host = ScriptedHost::new(self.new_host(), location);
        let registered = host.register(engine).await;
        registered.unwrap_or_else(|error| panic!("the host does not register: {error}"));
        host
    }

    /// A host id nobody has.
    #[must_use]
    pub fn new_host(&self) -> HostId {
        self.ids.host()
    }
}

impl Default for World {
    fn default() -> Self {
        Self::new()
    }
}

/// Deploys a manifest. Panics when it is refused.
pub async fn deploy(engine: &Engine, manifest: &ManifestBuilder) {
    let manifest = manifest.json();
    let location = manifest["location"]
        .as_str()
        .expect("a manifest names its location");
    let deployed = engine
        .deploy("client:test", "deploy", location, &manifest)
        .await;
    deployed.unwrap_or_else(|error| panic!("the manifest is not deployed: {error}"));
}

/// Asks for a run and expects to get it.
pub async fn run(engine: &Engine, ask: RunAsk) -> RunMade {
    let made = engine.request_run("client:test", "run", ask).await;
    made.unwrap_or_else(|error| panic!("the run is not made: {error}"))
}

/// The plainest ask for a selection.
#[must_use]
pub fn ask(selection: &str) -> RunAsk {
    RunAsk {
        job: None,
        checks: None,
        selection: vec![selection.into()],
        partitions: PartitionsAsked::None,
        run_key: None,
        scope: "workspace".into(),
        idempotency_key: None,
        config: Value::Null,
        tags: [].into(),
        priority: 0,
        time_limits: TimeLimits::default(),
    }
}

/// All events of the log so far, as (position, kind).
pub async fn kinds(engine: &Engine) -> Vec<(Position, String)> {
    let all = engine.read_events(Position::default(), usize::MAX).await;
    let all = all.unwrap_or_else(|error| panic!("the log cannot be read: {error}"));
    all.into_iter()
        .map(|(at, event)| (at, event.kind))
        .collect()
}
