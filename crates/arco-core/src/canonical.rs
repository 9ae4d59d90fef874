//! Canonical JSON: RFC 8785, the one text of a value.
//!
//! Fingerprints, manifest versions and golden vectors are digests of this text, in Rust and in
//! Python alike (`docs/adr/0001-canonical-json.md`, `golden/canonical.json`).

use serde::Serialize;
use serde_json::Value;
use thiserror::Error;

#[cfg(test)]
mod tests;

/// The largest integer that RFC 8785 can say, 2⁵³ − 1: its numbers are doubles.
const INTEGER_MAX: u64 = (1 << 53) - 1;

/// A value that canonical JSON would round, so that two values would have one text.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error(
    "{place} is the integer {integer}, which JSON numbers cannot hold exactly (beyond 2^53); write it as text"
)]
pub struct InexactInteger {
    place: String,
    integer: String,
}

/// The canonical JSON bytes of `value`.
///
/// # Panics
/// When `value` cannot be JSON at all (a map with keys that are not text). Our types cannot.
#[must_use]
pub fn to_vec<T: Serialize + ?Sized>(value: &T) -> Vec<u8> {
    serde_json_canonicalizer::to_vec(&value)
        .expect("our types serialise to JSON: maps have text keys")
}

/// The canonical JSON text of `value`. Panics as [`to_vec`].
#[must_use]
pub fn to_string<T: Serialize + ?Sized>(value: &T) -> String {
    String::from_utf8(to_vec(value)).expect("JSON is UTF-8")
}

/// Checks that [`to_vec`] says `value` exactly. For values from outside (config, tags, metadata) before
/// they are made a fingerprint of: else two requests that differ in a large integer look the same.
///
/// # Errors
/// When an integer is beyond ±(2⁵³ − 1); says where it stands, as a JSON pointer.
pub fn check(value: &Value) -> Result<(), InexactInteger> {
    check_at(value, &mut String::new())
}

fn check_at(value: &Value, place: &mut String) -> Result<(), InexactInteger> {
    let length = place.len();
    match value {
        Value::Number(number) => {
            let size = number.as_u64().or(number.as_i64().map(i64::unsigned_abs));
            if size.is_some_and(|size| size > INTEGER_MAX) {
                return Err(InexactInteger {
                    place: if place.is_empty() {
                        "the value".into()
                    } else {
                        format!("`{place}`")
                    },
                    integer: number.to_string(),
                });
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                place.push_str(&format!("/{index}"));
                check_at(item, place)?;
                place.truncate(length);
            }
        }
        Value::Object(fields) => {
            for (name, field) in fields {
                place.push('/');
                place.push_str(&name.replace('~', "~0").replace('/', "~1"));
                check_at(field, place)?;
                place.truncate(length);
            }
        }
        Value::Null | Value::Bool(_) | Value::String(_) => {}
    }
    Ok(())
}
