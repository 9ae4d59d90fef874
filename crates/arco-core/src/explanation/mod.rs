//! Answers to "why", in words that the fold, the API and the command line share.
//!
//! An answer is a tree: what is so, and below it what it is because of, down to who asked. It holds
//! facts and no sentences; sentences are for whoever shows it.

mod reason;
mod unknown;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::event::Position;
use crate::{TaskIndex, Timestamp};

pub use reason::Reason;
pub use unknown::Unknown;

/// An answer to "why".
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Explanation {
    /// When it was asked: what goes on is measured up to here.
    #[serde(with = "rfc3339")]
    #[cfg_attr(feature = "schema", schema(value_type = String, format = DateTime))]
    pub now: Timestamp,
    /// What is so, and why.
    pub why: Why,
}

/// One thing that is so, with what it is because of.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Why {
    /// What is so.
    #[serde(flatten)]
    pub reason: Reason,
    /// Since when it is so, or when it happened, by the time of its event.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "rfc3339_option"
    )]
    #[cfg_attr(feature = "schema", schema(value_type = Option<String>, format = DateTime))]
    pub at: Option<Timestamp>,
    /// How long it was so, between the times of two events; up to `now` when it goes on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lasted_ms: Option<u64>,
    /// Where it stands in the log, when that is known.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "place")]
    #[cfg_attr(feature = "schema", schema(value_type = Option<String>))]
    pub position: Option<Position>,
    /// What it is because of, first things first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "schema", schema(no_recursion))]
    pub because: Vec<Why>,
}

/// A task of a run, as people name it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct TaskName {
    /// Its number in the run.
    pub task: TaskIndex,
    /// Its step.
    pub step: String,
    /// Of an op that is carried out for one value of a dynamic output: its key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mapping_key: Option<String>,
    /// Its first partition, in Dagster's text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub partition: Option<String>,
    /// How many partitions it has.
    pub partition_count: u64,
}

impl From<Reason> for Why {
    fn from(reason: Reason) -> Self {
        Self {
            reason,
            at: None,
            lasted_ms: None,
            position: None,
            because: Vec::new(),
        }
    }
}

impl Why {
    /// The same, with the time it happened or began.
    #[must_use]
    pub fn at(self, at: impl Into<Option<Timestamp>>) -> Self {
        Self {
            at: at.into(),
            ..self
        }
    }

    /// The same, with how long it lasted.
    #[must_use]
    pub fn lasted(self, ms: impl Into<Option<u64>>) -> Self {
        Self {
            lasted_ms: ms.into(),
            ..self
        }
    }

    /// The same, with its place in the log.
    #[must_use]
    pub fn standing(self, position: impl Into<Option<Position>>) -> Self {
        Self {
            position: position.into(),
            ..self
        }
    }

    /// The same, because of these.
    #[must_use]
    pub fn because(mut self, causes: impl IntoIterator<Item = Why>) -> Self {
        self.because.extend(causes);
        self
    }
}

mod rfc3339 {
    use super::*;

    pub(super) fn serialize<S: Serializer>(at: &Timestamp, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&at.to_rfc3339())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Timestamp, D::Error> {
        let text = String::deserialize(from)?;
        Timestamp::parse_rfc3339(&text)
            .ok_or_else(|| serde::de::Error::custom(format!("`{text}` is not an instant")))
    }
}

mod rfc3339_option {
    use super::*;

    pub(super) fn serialize<S: Serializer>(
        at: &Option<Timestamp>,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        at.map(Timestamp::to_rfc3339).serialize(to)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Option<Timestamp>, D::Error> {
        super::rfc3339::deserialize(from).map(Some)
    }
}

mod place {
    use super::*;

    pub(super) fn serialize<S: Serializer>(
        at: &Option<Position>,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        at.map(|at| at.to_string()).serialize(to)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Option<Position>, D::Error> {
        let text = String::deserialize(from)?;
        let parts = text.split_once('.');
        let read = parts.and_then(|(segment, index)| {
            Some(Position {
                segment: segment.parse().ok()?,
                index: index.parse().ok()?,
            })
        });
        read.map(Some)
            .ok_or_else(|| serde::de::Error::custom(format!("`{text}` is not a position")))
    }
}
