//! Places in the log on the wire.

use std::fmt;
use std::str::FromStr;

use arco_core::event::Position;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::{PartialSchema, ToSchema};

/// A place in the total order of a workspace, `{segment}.{index}`: `1207.3`. Compare it for order,
/// never as text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct LogPosition(pub Position);

impl LogPosition {
    /// The place right after this one, whether or not an event stands there yet.
    #[must_use]
    pub fn next(self) -> Self {
        Self(Position {
            segment: self.0.segment,
            index: self.0.index.saturating_add(1),
        })
    }
}

impl From<Position> for LogPosition {
    fn from(position: Position) -> Self {
        Self(position)
    }
}

impl fmt::Display for LogPosition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl FromStr for LogPosition {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
        text.split_once('.')
            .filter(|(segment, index)| digits(segment) && digits(index))
            .and_then(|(segment, index)| {
                Some(Self(Position {
                    segment: segment.parse().ok()?,
                    index: index.parse().ok()?,
                }))
            })
            .ok_or_else(|| format!("`{text}` is not a position; positions look like `1207.3`"))
    }
}

impl Serialize for LogPosition {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for LogPosition {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

impl PartialSchema for LogPosition {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .pattern(Some("^[0-9]+\\.[0-9]+$"))
            .description(Some("A place in the log, `{segment}.{index}`."))
            .into()
    }
}

impl ToSchema for LogPosition {}
