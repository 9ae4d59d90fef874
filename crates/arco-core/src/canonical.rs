//! Canonical JSON: RFC 8785, the one text of a value.
//!
//! Fingerprints, manifest versions and golden vectors are digests of this text, in Rust and in
//! Python alike (`docs/adr/0001-canonical-json.md`, `golden/canonical.json`).

use serde::Serialize;

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
