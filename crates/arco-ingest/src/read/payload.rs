//! Bytes that are carried inside of something: JSON, else text, else base64 of them.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::is_json;
use crate::message::{BadMessage, essence};

/// The attribute that says that data is base64 of bytes.
pub(crate) const ENCODING: &str = "data-encoding";

/// The value of bytes of a type. Bytes that are said to be JSON must be; those of which nothing is
/// said are if they can. What is no text becomes base64, and an attribute says so. None are null.
pub(crate) fn payload(
    bytes: &[u8],
    content_type: Option<&str>,
    attributes: &mut BTreeMap<String, String>,
) -> Result<Value, BadMessage> {
    if bytes.is_empty() {
        return Ok(Value::Null);
    }
    let said = content_type.map(essence);
    match said.as_deref() {
        Some(media) if is_json(media) => return super::json(bytes),
        None => {
            if let Ok(value) = serde_json::from_slice(bytes) {
                return Ok(value);
            }
        }
        Some(_) => {}
    }
    Ok(match std::str::from_utf8(bytes) {
        Ok(text) => text.into(),
        Err(_) => {
            attributes.insert(ENCODING.into(), "base64".into());
            STANDARD.encode(bytes).into()
        }
    })
}
