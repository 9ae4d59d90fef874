//! CloudEvents 1.0: the JSON format, and the HTTP binding in its structured and its binary mode.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::percent_decode_str;
use serde_json::Value;

use super::payload;
use crate::message::{BadMessage, Form, Headers, Message};

/// Attributes that every event has.
const REQUIRED: [&str; 4] = ["id", "source", "specversion", "type"];

/// An event whose body is the whole of it.
pub(super) fn structured(media: &str, body: &[u8]) -> Result<Message, BadMessage> {
    match media {
        "application/cloudevents+json" | "application/cloudevents" => {}
        "application/cloudevents-batch+json" => {
            return Err(bad("a batch is not taken; send its events one by one"));
        }
        other => return Err(BadMessage::MediaType(other.to_owned())),
    }
    let Value::Object(mut event) = super::json(body)? else {
        return Err(bad("it is not a JSON object"));
    };
    let data = event.remove("data");
    let base64 = event.remove("data_base64");
    let mut attributes = BTreeMap::new();
    for (name, value) in event {
        if let Some(text) = text(&name, value)? {
            attributes.insert(name, text);
        }
    }
    let data = match (data, base64) {
        (Some(_), Some(_)) => return Err(bad("it has both `data` and `data_base64`")),
        (Some(data), None) => data,
        (None, Some(Value::String(text))) => {
            let bytes = STANDARD
                .decode(text)
                .map_err(|error| bad(format!("`data_base64` is not base64: {error}")))?;
            let content_type = attributes.get("datacontenttype").cloned();
            payload(&bytes, content_type.as_deref(), &mut attributes)?
        }
        (None, Some(Value::Null) | None) => Value::Null,
        (None, Some(_)) => return Err(bad("`data_base64` is not a text")),
    };
    message(attributes, data, Form::CloudEventsStructured)
}

/// An event whose attributes are headers and whose body is its data.
pub(super) fn binary(headers: &Headers, body: &[u8]) -> Result<Message, BadMessage> {
    let mut attributes = BTreeMap::new();
    for (name, value) in headers.iter() {
        if let Some(name) = name.strip_prefix("ce-") {
            attributes.insert(name.to_owned(), decoded(name, value)?);
        }
    }
    let content_type = headers.get("content-type").map(str::to_owned);
    let data = payload(body, content_type.as_deref(), &mut attributes)?;
    if let Some(content_type) = content_type {
        attributes.insert("datacontenttype".into(), content_type);
    }
    message(attributes, data, Form::CloudEventsBinary)
}

fn message(
    attributes: BTreeMap<String, String>,
    data: Value,
    form: Form,
) -> Result<Message, BadMessage> {
    for name in REQUIRED {
        if attributes.get(name).is_none_or(String::is_empty) {
            return Err(bad(format!("its attribute `{name}` is missing")));
        }
    }
    let version = &attributes["specversion"];
    if version != "1.0" {
        return Err(bad(format!(
            "its `specversion` is `{version}`, and 1.0 is read"
        )));
    }
    let source = &attributes["source"];
    // No URI has either, so that an id is of one source and one id only.
    if source.contains(|c: char| c == '|' || c.is_whitespace()) {
        return Err(bad(format!("its `source` is `{source}`, which is no URI")));
    }
    Ok(Message {
        id: Some(format!("{source}|{}", attributes["id"])),
        data,
        attributes,
        form,
    })
}

/// The canonical text of an attribute; `None` when it is not set.
fn text(name: &str, value: Value) -> Result<Option<String>, BadMessage> {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    if !name.chars().all(plain) {
        return Err(bad(format!(
            "`{name}` is no attribute: names are lower case letters and digits"
        )));
    }
    match value {
        Value::Null => Ok(None),
        Value::String(text) => Ok(Some(text)),
        Value::Bool(yes) => Ok(Some(yes.to_string())),
        Value::Number(number) if number.is_i64() => Ok(Some(number.to_string())),
        _ => Err(bad(format!(
            "its attribute `{name}` is neither a text, a whole number nor a truth value"
        ))),
    }
}

/// The text of a header's value: what is quoted is unquoted, then percent escapes are undone once.
fn decoded(name: &str, value: &str) -> Result<String, BadMessage> {
    let inner = value.strip_prefix('"').and_then(|v| v.strip_suffix('"'));
    let unquoted = match inner {
        None => value.to_owned(),
        Some(inner) => {
            let mut out = String::with_capacity(inner.len());
            let mut rest = inner.chars();
            while let Some(c) = rest.next() {
                let c = if c == '\\' {
                    rest.next().unwrap_or(c)
                } else {
                    c
                };
                out.push(c);
            }
            out
        }
    };
    percent_decode_str(&unquoted)
        .decode_utf8()
        .map(|text| text.into_owned())
        .map_err(|_| bad(format!("the header `ce-{name}` is not UTF-8")))
}

fn bad(reason: impl Into<String>) -> BadMessage {
    BadMessage::Shape {
        what: "CloudEvent",
        reason: reason.into(),
    }
}
