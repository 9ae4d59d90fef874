//! One record of Python's `logging`, as the worker host uploads it.

use arco_core::Timestamp;
use serde::Deserialize;

use crate::render::Paint;

#[cfg(test)]
mod tests;

#[derive(Debug, Deserialize)]
struct Record {
    #[serde(default)]
    level: String,
    #[serde(default)]
    message: String,
    #[serde(default)]
    logger: Option<String>,
    /// Milliseconds since the epoch.
    #[serde(default)]
    t: Option<i64>,
}

/// `04:05:06.789 INFO logger: message`; what is no record stays as it is.
pub(super) fn render(line: &str, paint: Paint) -> String {
    let Ok(record) = serde_json::from_str::<Record>(line) else {
        return line.to_owned();
    };
    let time = record
        .t
        .map(|ms| Timestamp(ms).to_rfc3339())
        .and_then(|text| {
            let (_, clock) = text.split_once('T')?;
            Some(format!("{} ", clock.trim_end_matches('Z')))
        });
    let level = match record.level.as_str() {
        "ERROR" | "CRITICAL" => paint.red(&record.level),
        "WARNING" => paint.yellow(&record.level),
        _ => record.level,
    };
    let logger = record
        .logger
        .map(|name| paint.dim(&format!("{name}: ")))
        .unwrap_or_default();
    format!(
        "{}{level} {logger}{}",
        paint.dim(&time.unwrap_or_default()),
        record.message
    )
}
