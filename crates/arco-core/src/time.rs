//! Instants. The core never reads a clock; instants come in as data.

use serde::{Deserialize, Serialize};

/// An instant in milliseconds since 1970-01-01T00:00:00Z. An integer in the log, RFC 3339 on the API.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// The instant `ms` milliseconds later; saturates.
    #[must_use]
    pub fn plus_ms(self, ms: u64) -> Self {
        Self(self.0.saturating_add(i64::try_from(ms).unwrap_or(i64::MAX)))
    }

    /// Milliseconds from `earlier` to `self`; zero when `earlier` is later.
    #[must_use]
    pub fn ms_since(self, earlier: Self) -> u64 {
        u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0)
    }

    /// RFC 3339 in UTC with milliseconds, `2026-01-31T00:00:00.000Z`.
    #[must_use]
    pub fn to_rfc3339(self) -> String {
        jiff::Timestamp::from_millisecond(self.0)
            .map(|t| format!("{t:.3}"))
            .unwrap_or_else(|_| self.0.to_string())
    }

    /// RFC 3339 in UTC with whole seconds, `2026-01-31T00:00:00Z`: how instants of schedules are named.
    #[must_use]
    pub fn to_rfc3339_seconds(self) -> String {
        jiff::Timestamp::from_second(self.0.div_euclid(1000))
            .map_or_else(|_| self.0.to_string(), |t| t.to_string())
    }

    /// Reads RFC 3339; `None` when the text is not an instant.
    #[must_use]
    pub fn parse_rfc3339(text: &str) -> Option<Self> {
        text.parse::<jiff::Timestamp>()
            .ok()
            .map(|t| Self(t.as_millisecond()))
    }
}
