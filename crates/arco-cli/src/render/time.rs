//! Times, durations, sizes and counts as people write them.

use arco_core::Timestamp;

#[cfg(test)]
mod tests;

/// `3 tasks`, `1 task`.
pub(crate) fn plural(count: u64, noun: &str) -> String {
    let ending = match noun {
        _ if count == 1 => "",
        _ if noun.ends_with("ch") || noun.ends_with('s') => "es",
        _ => "s",
    };
    format!("{count} {noun}{ending}")
}

/// `0.42 s`, `12.3 s`, `2 min 05 s`, `3 h 20 min`.
pub(crate) fn duration(ms: u64) -> String {
    let seconds = ms / 1_000;
    match ms {
        0..10_000 => format!("{}.{:02} s", seconds, ms % 1_000 / 10),
        10_000..60_000 => format!("{}.{} s", seconds, ms % 1_000 / 100),
        60_000..3_600_000 => format!("{} min {:02} s", seconds / 60, seconds % 60),
        _ => format!("{} h {:02} min", seconds / 3_600, seconds % 3_600 / 60),
    }
}

/// An instant in UTC as a table shows it: `2026-01-31 04:05:06`.
pub(crate) fn instant(at: Timestamp) -> String {
    let text = at.to_rfc3339();
    match text.split_once('T') {
        Some((date, time)) => {
            let clock = time.split(['.', 'Z']).next().unwrap_or_default();
            format!("{date} {clock}")
        }
        None => text,
    }
}
