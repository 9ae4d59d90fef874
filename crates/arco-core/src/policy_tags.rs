//! Tags of a run that say how it is carried out. They are read when the run is asked for, so that a
//! value that means nothing is refused then, and does not surface in the night.

use std::collections::BTreeMap;

use thiserror::Error;

/// A tag whose value means nothing.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("tag `{tag}` is `{value}`, and that means nothing here; give {expected}")]
pub struct PolicyTagError {
    /// The tag.
    pub tag: &'static str,
    /// Its value.
    pub value: String,
    /// What it may be.
    pub expected: &'static str,
}

/// The value of a tag, when it is given.
///
/// # Errors
/// [`PolicyTagError`] when `read` makes nothing of it.
pub fn read<T>(
    tags: &BTreeMap<String, String>,
    tag: &'static str,
    expected: &'static str,
    read: impl FnOnce(&str) -> Option<T>,
) -> Result<Option<T>, PolicyTagError> {
    let Some(value) = tags.get(tag) else {
        return Ok(None);
    };
    read(value.trim()).map(Some).ok_or_else(|| PolicyTagError {
        tag,
        value: value.clone(),
        expected,
    })
}
