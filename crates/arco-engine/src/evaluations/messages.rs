//! Messages that are pushed to sensors.

use std::collections::{BTreeMap, HashMap};

use arco_core::event::{Position, Stored};
use arco_flow::command::{Answer, Command, Message};
use bytes::Bytes;
use serde_json::Value;

use crate::{Engine, EngineError};

/// Data of a message up to this many bytes of JSON stands in its event, bigger data in a blob.
const INLINE_MAX: usize = 16 * 1024;

/// A message for a sensor.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct MessageAsk {
    /// The sensor.
    pub sensor: String,
    /// Its id; the same id within a day is the same message.
    pub id: String,
    /// What it says.
    pub data: Value,
    /// CloudEvents attributes, headers, attributes of the envelope.
    pub attributes: BTreeMap<String, String>,
}

/// A message that was accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MessageMade {
    /// Where it stands in the log.
    pub at: Position,
    /// False when it was accepted before.
    pub created: bool,
    /// Reads at this position see it.
    pub position: Position,
}

impl Engine {
    /// Accepts a message for a sensor: once this returns, it will be evaluated.
    ///
    /// # Errors
    /// `unknown_sensor`, `not_push`, `sensor_stopped`; `queue_full`, when too many wait. Nothing was kept then.
    pub async fn accept_message(
        &self,
        principal: &str,
        request_id: &str,
        ask: MessageAsk,
    ) -> Result<MessageMade, EngineError> {
        let bytes = serde_json::to_vec(&ask.data).expect("JSON values serialise");
        let mut blobs = HashMap::new();
        let data = if bytes.len() > INLINE_MAX {
            let bytes = Bytes::from(bytes);
            let digest = self.inner.log.put_blob(bytes.clone()).await?;
            blobs.insert(digest, bytes);
            Stored::Blob(digest)
        } else {
            Stored::Inline(ask.data)
        };
        let command = Command::AcceptMessage(Box::new(Message {
            sensor: ask.sensor,
            id: ask.id,
            data,
            attributes: ask.attributes,
        }));
        let committed = self
            .submit_with(principal, request_id, command, blobs)
            .await?;
        let Answer::Accepted { position, created } = committed.answer else {
            unreachable!("a message is answered by where it stands");
        };
        Ok(MessageMade {
            at: position,
            created,
            position: committed.position,
        })
    }
}
