//! Names of assets.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A non-empty list of parts, `["raw", "events"]`. As text the parts are joined by `/`, a slash or
/// backslash inside a part is escaped by a backslash, so that text and parts are one to one
/// (statement M-9; Dagster's plain text form is ambiguous, D-34).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AssetKey(std::sync::Arc<str>);

impl AssetKey {
    /// From parts; `None` when the list is empty or a part is empty.
    #[must_use]
    pub fn from_parts<S: AsRef<str>>(parts: &[S]) -> Option<Self> {
        if parts.is_empty() || parts.iter().any(|part| part.as_ref().is_empty()) {
            return None;
        }
        let escaped: Vec<String> = parts
            .iter()
            .map(|part| part.as_ref().replace('\\', "\\\\").replace('/', "\\/"))
            .collect();
        Some(Self(escaped.join("/").into()))
    }

    /// From the text form, splitting at unescaped slashes; `None` when a part would be empty.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = vec![String::new()];
        let mut chars = text.chars();
        while let Some(c) = chars.next() {
            match c {
                '/' => parts.push(String::new()),
                '\\' => parts.last_mut()?.push(chars.next()?),
                other => parts.last_mut()?.push(other),
            }
        }
        Self::from_parts(&parts)
    }

    /// The text form.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The parts, unescaped.
    #[must_use]
    pub fn parts(&self) -> Vec<String> {
        let mut parts = vec![String::new()];
        let mut chars = self.0.chars();
        while let Some(c) = chars.next() {
            let last = parts.len() - 1;
            match c {
                '/' => parts.push(String::new()),
                '\\' => parts[last].extend(chars.next()),
                other => parts[last].push(other),
            }
        }
        parts
    }
}

impl fmt::Display for AssetKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for AssetKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AssetKey({})", self.0)
    }
}

impl Serialize for AssetKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for AssetKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| {
            serde::de::Error::custom(format!(
                "`{text}` is not an asset key; keys look like `sales` or `raw/sales`"
            ))
        })
    }
}
