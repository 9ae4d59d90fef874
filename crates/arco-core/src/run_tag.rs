//! The keys that tags of runs may have.

use std::collections::BTreeMap;

use thiserror::Error;

/// Characters in each part of a key.
const PART_MAX: usize = 63;

/// A key that no tag of a run can have.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error(
    "`{0}` is no key of a tag: a key is a name, or a prefix, `/` and a name, each of 1 to 63 of the characters \
     A-Z, a-z, 0-9, `_`, `.` and `-`"
)]
pub struct RunTagKeyError(String);

/// Checks the key of a tag of a run. Its value may be any text.
///
/// # Errors
/// [`RunTagKeyError`], which says what a key is.
pub fn check_key(key: &str) -> Result<(), RunTagKeyError> {
    let part = |text: &str| {
        (1..=PART_MAX).contains(&text.len())
            && text
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-'))
    };
    let parts = match key.split_once('/') {
        Some((prefix, name)) => part(prefix) && part(name),
        None => part(key),
    };
    if parts {
        return Ok(());
    }
    let shown: String = key.chars().take(2 * PART_MAX + 1).collect();
    Err(RunTagKeyError(shown))
}

/// Checks the keys of all tags.
///
/// # Errors
/// As [`check_key`], for the first that is none.
pub fn check_keys<V>(tags: &BTreeMap<String, V>) -> Result<(), RunTagKeyError> {
    tags.keys().try_for_each(|key| check_key(key))
}

#[cfg(test)]
mod tests;
