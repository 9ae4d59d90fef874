//! From a queue into the log: what is committed is acknowledged, and nothing else.

use std::time::Duration;

use async_trait::async_trait;
use thiserror::Error;
use tokio_util::sync::CancellationToken;

use crate::consumers::ConsumerSetting;
use crate::message::Message;
use crate::source::{Delivery, Receipt, SourceError};

/// Pauses before a queue that failed is opened again, seconds.
const PAUSES_S: [u64; 5] = [1, 2, 5, 10, 30];

/// Where messages go: the log.
#[async_trait]
pub trait Sink: Send + Sync {
    /// Accepts messages for a sensor, in order, and answers for each when it is committed, or why it is
    /// not. A message under an id that is known is a duplicate and changes nothing.
    async fn accept(
        &self,
        sensor: &str,
        messages: Vec<Message>,
    ) -> Vec<Result<Accepted, NotAccepted>>;
}

/// A message that is committed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Accepted {
    /// It was before.
    pub duplicate: bool,
}

/// A message that is not committed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum NotAccepted {
    /// It may be later: the store does not answer, the sensor is not deployed yet, its queue is full.
    #[error("{0}")]
    Later(String),
    /// It never will be.
    #[error("{0}")]
    Never(String),
}

/// Takes messages from a queue until `stop`. A queue that fails is opened again, for ever.
pub async fn consume(setting: &ConsumerSetting, sink: &dyn Sink, stop: &CancellationToken) {
    let mut failures = 0;
    loop {
        let working = async {
            let mut source = setting.open().await?;
            tracing::info!(target: "arco", queue = %setting, sensor = setting.sensor(), "consuming");
            loop {
                let deliveries = source.next().await?;
                failures = 0;
                take(deliveries, setting, sink).await?;
            }
        };
        let failed: Result<(), SourceError> = tokio::select! {
            failed = working => failed,
            () = stop.cancelled() => return,
        };
        let pause = Duration::from_secs(PAUSES_S[failures.min(PAUSES_S.len() - 1)]);
        failures += 1;
        if let Err(error) = failed {
            tracing::warn!(target: "arco", queue = %setting, %error, pause_s = pause.as_secs(), "the queue failed; it is opened again after a pause");
        }
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = stop.cancelled() => return,
        }
    }
}

/// Commits what was delivered and says so to the queue.
async fn take(
    deliveries: Vec<Delivery>,
    setting: &ConsumerSetting,
    sink: &dyn Sink,
) -> Result<(), SourceError> {
    let sensor = setting.sensor();
    let mut messages = Vec::new();
    let mut waiting: Vec<(String, Box<dyn Receipt>)> = Vec::new();
    for delivery in deliveries {
        match delivery.message {
            Ok(message) => {
                messages.push(message);
                waiting.push((delivery.name, delivery.receipt));
            }
            Err(error) => {
                tracing::error!(target: "arco", queue = %setting, message = delivery.name, %error, "a message cannot be read and is given up");
                delivery.receipt.never().await?;
            }
        }
    }
    if messages.is_empty() {
        return Ok(());
    }
    let outcomes = sink.accept(sensor, messages).await;
    for ((name, receipt), outcome) in waiting.into_iter().zip(outcomes) {
        match outcome {
            Ok(Accepted { duplicate }) => {
                tracing::debug!(target: "arco", queue = %setting, message = name, duplicate, "message accepted");
                receipt.done().await?;
            }
            Err(NotAccepted::Later(reason)) => {
                tracing::warn!(target: "arco", queue = %setting, sensor, message = name, reason, "a message could not be taken now; it is delivered again");
                receipt.again().await?;
            }
            Err(NotAccepted::Never(reason)) => {
                tracing::error!(target: "arco", queue = %setting, sensor, message = name, reason, "a message cannot be taken and is given up");
                receipt.never().await?;
            }
        }
    }
    Ok(())
}
