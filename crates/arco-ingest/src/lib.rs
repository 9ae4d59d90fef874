//! Messages on their way to a sensor: how they are read, whom they are from, and which queues they
//! are taken from.
//!
//! Problem: senders speak several dialects (CloudEvents, Standard Webhooks, Pub/Sub, plain JSON, NATS), each
//! delivers at least once, and each message must count once. Approach: whatever the dialect, a message
//! becomes one [`Message`] with an id of its sender, and what is accepted under that id once is the same
//! message ever after. Reading and checking ([`read()`], [`signature`]) are pure; a queue is a
//! `Source`, and `consume` acknowledges to it only what is committed.
//!
//! What this crate will never do: decide whether a message counts, or write a secret anywhere.
//!
//! ```text
//! HTTP request ─► signature ─► read ─┐
//!                                    ├─► Message ─► Sink (the log) ─► acknowledgement
//! queue ─► Source ──────────► read ──┘
//! ```

#[cfg(feature = "nats")]
mod consume;
#[cfg(feature = "nats")]
mod consumers;
mod message;
mod read;
mod secrets;
pub mod signature;
#[cfg(feature = "nats")]
mod source;

#[cfg(feature = "nats")]
pub mod nats;

#[cfg(feature = "nats")]
pub use consume::{Accepted, NotAccepted, Sink, consume};
#[cfg(feature = "nats")]
pub use consumers::{ConsumerSetting, Consumers, ConsumersError};
pub use message::{
    ATTRIBUTES_BYTES_MAX, BadMessage, DATA_BYTES_MAX, Form, Headers, ID_CHARS_MAX, Message,
};
pub use read::{Asked, read};
pub use secrets::{SecretsError, SensorSecrets};
#[cfg(feature = "nats")]
pub use source::{Delivery, Receipt, Source, SourceError};
