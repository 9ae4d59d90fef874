//! The identity of a partition (`docs/adr/0002-partition-identity.md`).

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::error::PartitionKeyError;

#[cfg(test)]
mod tests;

/// The dimension name of keys that have one dimension.
const ONLY_DIMENSION: &str = "_";

/// Names one partition: a list of (dimension, typed value), kept as its canonical text.
///
/// One dimension: `_=d:2013-01-01` for a time key, `_=s:dXMtZWFzdA` for a static or dynamic key
/// (base64url without padding). Several: sorted by name and joined, `date=d:2025-01-15,region=s:dXM`.
/// The text is safe in URLs, file names and object names, and text and value are one to one.
///
/// There is no `Display`: [`PartitionKey::as_str`] is for machines, [`PartitionKey::display`] for
/// people, and each place says which it means.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PartitionKey(Arc<str>);

/// The value of one dimension.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PartitionValue {
    /// The text of a time key. A text with other characters than `0-9 A-Z a-z : + . -` cannot
    /// stand as it is, and becomes [`PartitionValue::Text`].
    Time(String),
    /// A static or dynamic key, any text.
    Text(String),
}

impl PartitionValue {
    /// What people see.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Time(text) | Self::Text(text) => text,
        }
    }
}

impl PartitionKey {
    /// The only-dimensional key of a time window, from its text.
    #[must_use]
    pub fn time(text: &str) -> Self {
        if is_plain(text) {
            Self(concat(&["_=d:", text]))
        } else {
            Self::text(text)
        }
    }

    /// The only-dimensional key of a static or dynamic partition.
    #[must_use]
    pub fn text(value: &str) -> Self {
        Self(concat(&["_=s:", &URL_SAFE_NO_PAD.encode(value)]))
    }

    /// The only-dimensional key of `value`.
    #[must_use]
    pub fn one(value: &PartitionValue) -> Self {
        match value {
            PartitionValue::Time(text) => Self::time(text),
            PartitionValue::Text(text) => Self::text(text),
        }
    }

    /// A key of several dimensions, in any order.
    ///
    /// # Errors
    /// When there is no dimension, a name is not `[A-Za-z0-9_]+`, is the reserved `_`, or repeats.
    pub fn from_dimensions<N: AsRef<str>>(
        dimensions: &[(N, PartitionValue)],
    ) -> Result<Self, PartitionKeyError> {
        let mut sorted: Vec<(&str, &PartitionValue)> = dimensions
            .iter()
            .map(|(name, value)| (name.as_ref(), value))
            .collect();
        sorted.sort_by_key(|(name, _)| *name);
        let mut text = String::new();
        for (name, value) in &sorted {
            if !text.is_empty() {
                text.push(',');
            }
            text.push_str(name);
            match value {
                PartitionValue::Time(value) if is_plain(value) => {
                    text.push_str("=d:");
                    text.push_str(value);
                }
                PartitionValue::Time(value) | PartitionValue::Text(value) => {
                    text.push_str("=s:");
                    URL_SAFE_NO_PAD.encode_string(value, &mut text);
                }
            }
        }
        if sorted.iter().any(|(name, _)| *name == ONLY_DIMENSION) {
            return Err(PartitionKeyError::canonical(
                &text,
                "`_` is reserved for keys with one dimension",
            ));
        }
        Self::parse(&text)
    }

    /// Reads the canonical text, and nothing but that.
    ///
    /// # Errors
    /// When `text` is not canonical; says what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, PartitionKeyError> {
        let refuse = |why: &str| Err(PartitionKeyError::canonical(text, why));
        let mut previous: Option<&str> = None;
        for dimension in text.split(',') {
            let Some((name, value)) = dimension.split_once('=') else {
                return refuse("a dimension is `name=d:…` or `name=s:…`");
            };
            if name.is_empty() || !name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') {
                return refuse("a dimension name has letters, digits and underscores");
            }
            if previous.is_some_and(|previous| previous >= name) {
                return refuse("dimensions are sorted by name and each appears once");
            }
            match value.split_once(':') {
                Some(("d", time)) if is_plain(time) => {}
                Some(("d", _)) => return refuse("a `d:` value has characters `0-9A-Za-z:+.-`"),
                Some(("s", encoded)) => {
                    let decoded = URL_SAFE_NO_PAD.decode(encoded).ok();
                    if decoded.is_none_or(|bytes| String::from_utf8(bytes).is_err()) {
                        return refuse("a `s:` value is base64url of UTF-8 text, without padding");
                    }
                }
                _ => return refuse("a value begins with `d:` or `s:`"),
            }
            if name == ONLY_DIMENSION && dimension.len() != text.len() {
                return refuse("`_` is reserved for keys with one dimension");
            }
            previous = Some(name);
        }
        Ok(Self(text.into()))
    }

    /// The key that gave this text ([`PartitionKey::as_str`]), without reading it again: what holds millions
    /// of keys holds their texts.
    #[must_use]
    pub fn of_canonical(text: &str) -> Self {
        debug_assert!(Self::parse(text).is_ok(), "`{text}` is not canonical");
        Self(text.into())
    }

    /// The canonical text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What people see and type, which is Dagster's form: `2013-01-01`, `2025-01-15|us-east`.
    #[must_use]
    pub fn display(&self) -> Cow<'_, str> {
        if let Some(time) = self.0.strip_prefix("_=d:") {
            return Cow::Borrowed(time);
        }
        let values: Vec<String> = self
            .dimensions()
            .into_iter()
            .map(|(_, value)| match value {
                PartitionValue::Time(text) | PartitionValue::Text(text) => text,
            })
            .collect();
        Cow::Owned(values.join("|"))
    }

    /// Names and values, sorted by name. A key with one dimension has the name `_`.
    #[must_use]
    pub fn dimensions(&self) -> Vec<(&str, PartitionValue)> {
        self.0
            .split(',')
            .filter_map(|dimension| {
                let (name, value) = dimension.split_once('=')?;
                let value = match value.split_once(':')? {
                    ("d", time) => PartitionValue::Time(time.into()),
                    (_, encoded) => PartitionValue::Text(decode(encoded)?),
                };
                Some((name, value))
            })
            .collect()
    }

    /// The value of a key with one dimension; `None` for a key with several.
    #[must_use]
    pub fn only_value(&self) -> Option<PartitionValue> {
        let value = self.0.strip_prefix("_=")?;
        match value.split_once(':')? {
            ("d", time) => Some(PartitionValue::Time(time.into())),
            (_, encoded) => decode(encoded).map(PartitionValue::Text),
        }
    }
}

fn is_plain(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b':' | b'+' | b'.' | b'-'))
}

fn decode(encoded: &str) -> Option<String> {
    String::from_utf8(URL_SAFE_NO_PAD.decode(encoded).ok()?).ok()
}

fn concat(parts: &[&str]) -> Arc<str> {
    parts.concat().into()
}

impl fmt::Debug for PartitionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PartitionKey({})", self.display())
    }
}

impl Serialize for PartitionKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for PartitionKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<str>::deserialize(deserializer)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}
