//! One message out of headers and a body, whatever the dialect.

mod cloud_events;
mod payload;
mod pubsub;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use serde_json::Value;

use crate::message::{BadMessage, DATA_BYTES_MAX, Form, Headers, Message};

use payload::payload;

/// Headers that say what kind of message it is where the body does not, and no secret. They become
/// attributes; no other header does, for headers carry secrets and addresses.
const KEPT: [&str; 5] = [
    "webhook-id",
    "webhook-timestamp",
    "x-github-delivery",
    "x-github-event",
    "x-gitlab-event",
];

/// Headers of this kind become attributes under the rest of their name.
const ATTRIBUTE_PREFIX: &str = "arco-attribute-";

/// Where the id of a plain message is, besides its headers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Asked {
    /// The id itself.
    pub id: Option<String>,
    /// Where in the body it is: a JSON pointer (RFC 6901) to a text or a number, `/order/id`.
    pub id_at: Option<String>,
}

/// Reads a message. A CloudEvent is known by its headers, a Pub/Sub envelope by its body; all else
/// is JSON.
///
/// The id of a CloudEvent is `source|id`, for only both together are unique; that of a Pub/Sub message
/// its `messageId`; of JSON what was asked for, else the header `idempotency-key`, else `webhook-id`.
///
/// # Errors
/// [`BadMessage`]; nothing was done.
pub fn read(headers: &Headers, body: &[u8], asked: &Asked) -> Result<Message, BadMessage> {
    check_size(body)?;
    let media = headers.media_type();
    let media = media.as_deref().unwrap_or_default();
    let message = if media.starts_with("application/cloudevents") {
        cloud_events::structured(media, body)
    } else if headers.get("ce-specversion").is_some() {
        cloud_events::binary(headers, body)
    } else if media.is_empty() || is_json(media) {
        let value = json(body)?;
        match pubsub::envelope(&value) {
            Some(message) => message,
            None => plain(headers, value, asked),
        }
    } else {
        Err(BadMessage::MediaType(media.to_owned()))
    };
    message?.bounded()
}

/// Reads what a queue carries: JSON, text or bytes, whichever it is.
#[cfg(feature = "nats")]
pub(crate) fn carried(headers: &Headers, body: &[u8]) -> Result<Message, BadMessage> {
    check_size(body)?;
    let mut attributes = attributes(headers);
    let data = payload(body, headers.get("content-type"), &mut attributes)?;
    Ok(Message {
        id: None,
        data,
        attributes,
        form: Form::Json,
    })
}

fn check_size(body: &[u8]) -> Result<(), BadMessage> {
    if body.len() <= DATA_BYTES_MAX {
        return Ok(());
    }
    Err(BadMessage::Bounds(format!(
        "the message is {} bytes, at most {DATA_BYTES_MAX} are taken; keep what is bigger in a store and send its address",
        body.len()
    )))
}

fn plain(headers: &Headers, data: Value, asked: &Asked) -> Result<Message, BadMessage> {
    let id = match (&asked.id, &asked.id_at) {
        (Some(id), _) => Some(id.clone()),
        (None, Some(pointer)) => Some(at(&data, pointer)?),
        (None, None) => {
            let given = headers.get("idempotency-key");
            given.or(headers.get("webhook-id")).map(str::to_owned)
        }
    };
    Ok(Message {
        id,
        data,
        attributes: attributes(headers),
        form: Form::Json,
    })
}

/// The attributes that headers carry.
fn attributes(headers: &Headers) -> BTreeMap<String, String> {
    let kept = |(name, value): (&str, &str)| {
        let name = match name.strip_prefix(ATTRIBUTE_PREFIX) {
            Some(rest) if !rest.is_empty() => rest,
            _ if KEPT.contains(&name) => name,
            _ => return None,
        };
        Some((name.to_owned(), value.to_owned()))
    };
    headers.iter().filter_map(kept).collect()
}

fn at(data: &Value, pointer: &str) -> Result<String, BadMessage> {
    let missing = |reason: &str| BadMessage::Shape {
        what: "id of the message",
        reason: format!("`{pointer}` {reason}; name a text or a number as `/order/id` does"),
    };
    match data.pointer(pointer) {
        Some(Value::String(text)) => Ok(text.clone()),
        Some(Value::Number(number)) => Ok(number.to_string()),
        Some(_) => Err(missing("is neither a text nor a number")),
        None => Err(missing("is not in the body")),
    }
}

fn is_json(media: &str) -> bool {
    media == "application/json"
        || media == "text/json"
        || (media.contains('/') && media.ends_with("+json"))
}

fn json(body: &[u8]) -> Result<Value, BadMessage> {
    serde_json::from_slice(body).map_err(|error| BadMessage::NotJson(error.to_string()))
}
