//! A worker host whose bodies are closures. It makes the calls a real one makes, one at a time and
//! only when told to, so that a test decides what is lost, late or said twice.

use std::time::Duration;

use arco_core::asset_fact::{AssetCheckResult, AssetFact, AssetMaterialization};
use arco_core::event::{ErrorInfo, FailureClass};
use arco_core::{AttemptId, HostId};
use arco_engine::{Engine, EngineError, HeartbeatWork, HostWork, LeasePlan};
use arco_flow::command::{Answer, HostExchange, HostHello, Reported};
use serde_json::json;

/// A host on a test's string.
#[derive(Debug, Clone)]
pub struct ScriptedHost {
    /// Its id.
    pub id: HostId,
    /// Its code location.
    pub location: String,
    /// Attempts it believes to hold.
    pub live: Vec<AttemptId>,
    calls: u64,
}

impl ScriptedHost {
    /// A host of a location; the engine has not heard of it yet.
    #[must_use]
    pub fn new(id: HostId, location: &str) -> Self {
        Self {
            id,
            location: location.into(),
            live: Vec::new(),
            calls: 0,
        }
    }

    fn principal(&self) -> String {
        format!("worker:{}", self.location)
    }

    fn call(&mut self) -> String {
        self.calls += 1;
        format!("{}-{}", self.id, self.calls)
    }

    /// Registers, or re-attaches with what it holds; says which attempts it may keep and kills the
    /// rest.
    ///
    /// # Errors
    /// The engine's.
    pub async fn register(&mut self, engine: &Engine) -> Result<Vec<AttemptId>, EngineError> {
        let hello = HostHello {
            host: self.id,
            location: self.location.clone(),
            hostname: "testhost".into(),
            pid: 1,
            slots: 4,
            live: self.live.clone(),
        };
        let call = self.call();
        let committed = engine
            .register_host(&self.principal(), &call, hello)
            .await?;
        let Answer::Attached { kept, .. } = committed.answer else {
            panic!(
                "registration is answered by what is attached, not {:?}",
                committed.answer
            );
        };
        self.live.retain(|attempt| kept.contains(attempt));
        Ok(kept)
    }

    /// One exchange, without waiting. Leases are held from now on, ended attempts are not.
    ///
    /// # Errors
    /// The engine's.
    pub async fn exchange(
        &mut self,
        engine: &Engine,
        reports: Vec<(AttemptId, Reported)>,
        want: u32,
    ) -> Result<HostWork, EngineError> {
        self.exchange_waiting(engine, reports, want, Duration::ZERO)
            .await
    }

    /// One exchange that waits for work for up to `wait`.
    ///
    /// # Errors
    /// The engine's.
    pub async fn exchange_waiting(
        &mut self,
        engine: &Engine,
        reports: Vec<(AttemptId, Reported)>,
        want: u32,
        wait: Duration,
    ) -> Result<HostWork, EngineError> {
        let over = |id: &AttemptId| reports.iter().any(|(of, said)| of == id && is_end(said));
        let live: Vec<AttemptId> = self.live.iter().filter(|id| !over(id)).copied().collect();
        let exchange = HostExchange {
            host: self.id,
            reports,
            want,
            live: live.clone(),
        };
        let call = self.call();
        let work = engine
            .exchange(&self.principal(), &call, exchange, wait)
            .await?;
        self.live = live;
        self.live
            .extend(work.leases.iter().map(|lease| lease.attempt));
        Ok(work)
    }

    /// Asks for up to `want` leases.
    ///
    /// # Errors
    /// The engine's.
    pub async fn ask(&mut self, engine: &Engine, want: u32) -> Result<Vec<LeasePlan>, EngineError> {
        Ok(self.exchange(engine, Vec::new(), want).await?.leases)
    }

    /// Says one thing about one attempt, and asks for nothing.
    ///
    /// # Errors
    /// The engine's.
    pub async fn say(
        &mut self,
        engine: &Engine,
        attempt: AttemptId,
        said: Reported,
    ) -> Result<HostWork, EngineError> {
        self.exchange(engine, vec![(attempt, said)], 0).await
    }

    /// A sign of life.
    ///
    /// # Errors
    /// The engine's.
    pub async fn heartbeat(&self, engine: &Engine) -> Result<HeartbeatWork, EngineError> {
        engine.heartbeat(self.id, &self.live).await
    }

    /// Works until nothing can be leased: each body says what it reports. Gives the attempts in the
    /// order they were carried out.
    ///
    /// # Errors
    /// The engine's.
    pub async fn work(
        &mut self,
        engine: &Engine,
        mut body: impl FnMut(&LeasePlan) -> Vec<Reported>,
    ) -> Result<Vec<AttemptId>, EngineError> {
        let mut done = Vec::new();
        let mut next = self.ask(engine, 1).await?;
        while let Some(lease) = next.pop() {
            done.push(lease.attempt);
            let said = body(&lease)
                .into_iter()
                .map(|said| (lease.attempt, said))
                .collect();
            next = self.exchange(engine, said, 1).await?.leases;
        }
        Ok(done)
    }
}

/// Whether a report ends its attempt.
#[must_use]
pub fn is_end(said: &Reported) -> bool {
    matches!(
        said,
        Reported::Succeeded | Reported::Failed { .. } | Reported::Cancelled | Reported::Released
    )
}

/// What a good body says: it began, made its outputs (and judged its checks well), and returned.
#[must_use]
pub fn succeeds(lease: &LeasePlan) -> Vec<Reported> {
    let mut said = vec![Reported::Started];
    said.extend(makes(lease));
    said.extend(lease.step.checks.iter().map(|(asset, name)| {
        Reported::Asset(AssetFact::Checked(AssetCheckResult::new(
            asset.clone(),
            name.clone(),
            true,
        )))
    }));
    said.push(Reported::Succeeded);
    said
}

/// A materialization of every output and partition of a lease.
#[must_use]
pub fn makes(lease: &LeasePlan) -> Vec<Reported> {
    let slots: Vec<Option<String>> = match &lease.partitions {
        None => vec![None],
        Some(keys) => keys.iter().cloned().map(Some).collect(),
    };
    let outputs = lease.step.outputs.iter();
    let made = outputs.flat_map(|asset| slots.iter().map(move |slot| (asset, slot)));
    made.map(|(asset, slot)| {
        Reported::Asset(AssetFact::Materialized(AssetMaterialization {
            partition: slot.clone(),
            metadata: [("rows".to_owned(), json!({"type": "int", "value": 1}))].into(),
            ..AssetMaterialization::new(asset.clone())
        }))
    })
    .collect()
}

/// What a body that raises says.
#[must_use]
pub fn raises(class: FailureClass) -> Vec<Reported> {
    vec![Reported::Started, failed(class)]
}

/// A failure that allows another try.
#[must_use]
pub fn failed(class: FailureClass) -> Reported {
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
