//! Between hosts, clients and replicas: slow, lossy, cut in places.

use std::collections::BTreeSet;
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use arco_engine::{Engine, EngineError};
use arco_testkit::random::Random;

use crate::replica::Replica;

/// Why a call brought nothing.
#[derive(Debug)]
pub(crate) enum CallError {
    /// Nobody answered; the call may have had its effect.
    NoAnswer,
    /// The engine's refusal.
    Refused(EngineError),
}

impl CallError {
    pub(crate) fn code(&self) -> &'static str {
        match self {
            Self::NoAnswer => "no_answer",
            Self::Refused(error) => error.code(),
        }
    }

    /// Whether a client asks again.
    pub(crate) fn again(&self) -> bool {
        match self {
            Self::NoAnswer => true,
            Self::Refused(error) => error.retryable(),
        }
    }
}

/// The replicas and the ways to them. Clones share them.
#[derive(Debug, Clone)]
pub(crate) struct Network(Arc<Mutex<Inner>>);

#[derive(Debug)]
pub(crate) struct Inner {
    pub(crate) replicas: Vec<Replica>,
    /// (who, url) pairs that hear nothing of each other.
    pub(crate) cuts: BTreeSet<(String, String)>,
    /// Requests lost, and answers lost, in thousandths.
    pub(crate) loss: u64,
    /// Counts outages: nobody asks on after one where they left off before it.
    pub(crate) era: u64,
    /// Messages that were sent in this era.
    pub(crate) sent: Vec<String>,
    random: Random,
}

/// Callers give up after this long.
const PATIENCE: Duration = Duration::from_secs(8);

impl Network {
    pub(crate) fn new(replicas: Vec<Replica>, random: Random) -> Self {
        Self(Arc::new(Mutex::new(Inner {
            replicas,
            cuts: BTreeSet::new(),
            loss: 0,
            era: 0,
            sent: Vec::new(),
            random,
        })))
    }

    pub(crate) fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn urls(&self) -> Vec<String> {
        self.inner()
            .replicas
            .iter()
            .map(|replica| replica.url.clone())
            .collect()
    }

    /// Starts the replica of this index if it is down.
    pub(crate) async fn start(&self, index: usize) -> Result<(), EngineError> {
        if self.inner().replicas[index].is_up() {
            return Ok(());
        }
        let (options, way) = self.inner().replicas[index].begin();
        let engine = Engine::start(options).await?;
        let mut inner = self.inner();
        if !inner.replicas[index].is_up() {
            inner.replicas[index].began(engine, way);
        }
        Ok(())
    }

    /// One call of `who` to whoever answers at `url`. The call goes on when the caller has given up.
    pub(crate) async fn call<T, F>(
        &self,
        who: &str,
        url: &str,
        call: impl FnOnce(Engine) -> F,
    ) -> Result<T, CallError>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, EngineError>> + Send + 'static,
    {
        let made = tokio::time::timeout(PATIENCE, self.carry(who, url, call)).await;
        made.unwrap_or(Err(CallError::NoAnswer))
    }

    async fn carry<T, F>(
        &self,
        who: &str,
        url: &str,
        call: impl FnOnce(Engine) -> F,
    ) -> Result<T, CallError>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, EngineError>> + Send + 'static,
    {
        self.travel(who, url).await?;
        let (engine, process) = self.at(url).ok_or(CallError::NoAnswer)?;
        let answer = tokio::spawn(call(engine))
            .await
            .map_err(|_| CallError::NoAnswer)?;
        // A process that was killed meanwhile sends nothing.
        if self.at(url).is_none_or(|(_, now)| now != process) {
            return Err(CallError::NoAnswer);
        }
        self.travel(who, url).await?;
        answer.map_err(CallError::Refused)
    }

    fn at(&self, url: &str) -> Option<(Engine, u64)> {
        let inner = self.inner();
        inner
            .replicas
            .iter()
            .find(|replica| replica.url == url)?
            .answering()
    }

    /// One way, there or back.
    async fn travel(&self, who: &str, url: &str) -> Result<(), CallError> {
        let (time, lost) = {
            let mut inner = self.inner();
            let slow = inner.random.chance(20);
            let time = inner.random.between(1, if slow { 2_500 } else { 30 });
            let loss = inner.loss;
            (Duration::from_millis(time), inner.random.chance(loss))
        };
        tokio::time::sleep(time).await;
        let cut = self
            .inner()
            .cuts
            .contains(&(who.to_owned(), url.to_owned()));
        if lost || cut {
            // Nobody says that something was lost: the caller waits until it has had enough.
            std::future::pending::<()>().await;
        }
        Ok(())
    }
}
