//! Lists of words in queries: `status=queued,started`.

use std::collections::BTreeSet;

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::codes::Code;
use crate::problem::{Answer, Refusal};

/// Reads words of a closed set, separated by commas.
pub(crate) fn read<T: DeserializeOwned + Ord>(
    what: &str,
    text: Option<&str>,
) -> Answer<BTreeSet<T>> {
    let Some(text) = text else {
        return Ok(BTreeSet::new());
    };
    let word = |word: &str| {
        serde_json::from_value(Value::String(word.trim().to_owned())).map_err(|error| {
            let error = error.to_string();
            // "unknown variant `x`, expected one of `a`, `b`"
            let known = error.split_once("expected ").map_or("", |(_, known)| known);
            Refusal::new(
                Code::InvalidQuery,
                format!("`{what}` cannot be `{}`; write {known}", word.trim()),
            )
        })
    };
    text.split(',').map(word).collect()
}
