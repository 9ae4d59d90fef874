//! Queues that deliver at least once.

use async_trait::async_trait;
use thiserror::Error;

use crate::message::{BadMessage, Message};

/// A queue, opened. What another queue needs is this trait and a variant of
/// [`crate::ConsumerSetting`].
#[async_trait]
pub trait Source: Send {
    /// Waits for messages and answers those that are there, in their order; at least one.
    ///
    /// # Errors
    /// [`SourceError`]: the queue is opened anew after a pause.
    async fn next(&mut self) -> Result<Vec<Delivery>, SourceError>;
}

/// A message of a queue, delivered once or again.
pub struct Delivery {
    /// The message, with an id that is the same at every delivery; or why it cannot be read.
    pub message: Result<Message, BadMessage>,
    /// What the queue calls it, for the log.
    pub name: String,
    /// Says to the queue what became of it. One that is dropped unsaid is delivered again.
    pub receipt: Box<dyn Receipt>,
}

/// The way back to the queue for one delivery.
#[async_trait]
pub trait Receipt: Send {
    /// It is committed: it need not be delivered again.
    async fn done(self: Box<Self>) -> Result<(), SourceError>;
    /// It could not be taken now: it is to be delivered again, not at once.
    async fn again(self: Box<Self>) -> Result<(), SourceError>;
    /// It can never be taken: it is not to be delivered again.
    async fn never(self: Box<Self>) -> Result<(), SourceError>;
}

/// A queue that does not answer as it should.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{0}")]
pub struct SourceError(pub String);
