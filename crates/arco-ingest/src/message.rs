//! What every dialect becomes.

use std::collections::BTreeMap;

use serde_json::Value;
use thiserror::Error;

/// Bytes of a message's body, at most. Messages wait in the log and in memory until their sensor has
/// taken them; what is bigger belongs into an object store, and its address into the message.
pub const DATA_BYTES_MAX: usize = 256 * 1024;

/// Characters of a message's id, at most: ids are kept in memory as long as they are known again.
pub const ID_CHARS_MAX: usize = 512;

/// Bytes of all names and values of a message's attributes, at most.
pub const ATTRIBUTES_BYTES_MAX: usize = 16 * 1024;

/// A message for a sensor.
#[derive(Debug, Clone, PartialEq)]
pub struct Message {
    /// What the sender calls it, the same at every delivery; absent when it says nothing.
    pub id: Option<String>,
    /// What it says.
    pub data: Value,
    /// What is said about it: attributes of CloudEvents, of the envelope, some headers.
    pub attributes: BTreeMap<String, String>,
    /// The dialect.
    pub form: Form,
}

/// A dialect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// JSON as it is.
    Json,
    /// CloudEvents 1.0, attributes and data in one JSON body.
    CloudEventsStructured,
    /// CloudEvents 1.0, attributes in headers.
    CloudEventsBinary,
    /// The envelope of a Pub/Sub push subscription.
    PubSub,
}

/// Why a message is none.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum BadMessage {
    /// Not JSON where JSON is wanted.
    #[error("the message is not JSON: {0}")]
    NotJson(String),
    /// A type of content that is not read.
    #[error("the message is `{0}`; send JSON (`application/json`) or a CloudEvent")]
    MediaType(String),
    /// JSON that is not what its dialect says.
    #[error("the {what} cannot be read: {reason}")]
    Shape {
        /// `CloudEvent`, `Pub/Sub message`.
        what: &'static str,
        /// What is wrong.
        reason: String,
    },
    /// An id, attributes or a body over their bound, or an id of other characters.
    #[error("{0}")]
    Bounds(String),
}

/// Headers of a request or of a queue's message; names in lower case, the first of several counts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Headers(BTreeMap<String, String>);

impl Headers {
    /// The value of a header, by its name in lower case.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// All of them, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// `application/json` of `application/json; charset=utf-8`, in lower case.
    #[must_use]
    pub fn media_type(&self) -> Option<String> {
        let value = self.get("content-type")?;
        Some(essence(value))
    }
}

impl<N: AsRef<str>, V: Into<String>> FromIterator<(N, V)> for Headers {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(headers: I) -> Self {
        let mut out = BTreeMap::new();
        for (name, value) in headers {
            out.entry(name.as_ref().to_ascii_lowercase())
                .or_insert_with(|| value.into());
        }
        Self(out)
    }
}

/// A type of content without its parameters, in lower case.
pub(crate) fn essence(content_type: &str) -> String {
    let essence = content_type.split(';').next().unwrap_or_default();
    essence.trim().to_ascii_lowercase()
}

impl Message {
    /// Refuses what is over the bounds.
    pub(crate) fn bounded(self) -> Result<Self, BadMessage> {
        if let Some(id) = &self.id {
            check_id(id)?;
        }
        let attributes = self.attributes.iter();
        let bytes: usize = attributes
            .map(|(name, value)| name.len() + value.len())
            .sum();
        if bytes > ATTRIBUTES_BYTES_MAX {
            return Err(BadMessage::Bounds(format!(
                "the attributes of the message are {bytes} bytes, at most {ATTRIBUTES_BYTES_MAX} are taken"
            )));
        }
        Ok(self)
    }
}

/// Refuses an id that cannot be kept or shown.
pub(crate) fn check_id(id: &str) -> Result<(), BadMessage> {
    let length = id.chars().count();
    if length == 0 || length > ID_CHARS_MAX {
        return Err(BadMessage::Bounds(format!(
            "the id of the message has {length} characters; 1 to {ID_CHARS_MAX} are taken"
        )));
    }
    if id.chars().any(char::is_control) {
        return Err(BadMessage::Bounds(
            "the id of the message has control characters; send one without".into(),
        ));
    }
    Ok(())
}
