//! The envelope in which a Pub/Sub push subscription wraps what was published.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::Value;

use super::payload;
use crate::message::{BadMessage, Form, Message};

#[derive(Deserialize)]
struct Inner {
    #[serde(default)]
    data: Option<String>,
    #[serde(default)]
    attributes: Option<BTreeMap<String, String>>,
    #[serde(rename = "publishTime", default)]
    publish_time: Option<String>,
    #[serde(rename = "orderingKey", default)]
    ordering_key: Option<String>,
}

/// The message in an envelope; `None` when it is none: an object with `subscription` and a `message`
/// that has a `messageId`.
pub(super) fn envelope(body: &Value) -> Option<Result<Message, BadMessage>> {
    let subscription = body.get("subscription")?.as_str()?;
    let inner = body.get("message")?;
    let id = inner.get("messageId")?.as_str()?;
    Some(message(subscription, id, inner))
}

fn message(subscription: &str, id: &str, inner: &Value) -> Result<Message, BadMessage> {
    let bad = |reason: String| BadMessage::Shape {
        what: "Pub/Sub message",
        reason,
    };
    let inner = Inner::deserialize(inner).map_err(|error| bad(error.to_string()))?;
    let mut attributes = inner.attributes.unwrap_or_default();
    let content_type = attributes.get("content-type").cloned();
    // Names that begin with `goog` are not the publisher's to give.
    let about = [
        ("goog-pubsub-subscription", Some(subscription.to_owned())),
        ("goog-pubsub-publish-time", inner.publish_time),
        ("goog-pubsub-ordering-key", inner.ordering_key),
    ];
    for (name, value) in about {
        if let Some(value) = value {
            attributes.insert(name.into(), value);
        }
    }
    let bytes = STANDARD
        .decode(inner.data.unwrap_or_default())
        .map_err(|error| bad(format!("`data` is not base64: {error}")))?;
    let data = payload(&bytes, content_type.as_deref(), &mut attributes)?;
    Ok(Message {
        id: Some(id.to_owned()),
        data,
        attributes,
        form: Form::PubSub,
    })
}
