//! Typed ids. Each has one text form with a prefix that says what it names.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use thiserror::Error;

/// Text that is not the id it should be.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{text}` is not a {what} id; {what} ids look like `{example}`")]
pub struct IdError {
    text: String,
    what: &'static str,
    example: &'static str,
}

macro_rules! ulid_id {
    ($(#[$doc:meta])* $name:ident, $prefix:literal, $what:literal, $example:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(ulid::Ulid);

        impl $name {
            /// From a time in milliseconds and random bits (80 are used). The shell supplies both.
            #[must_use]
            pub fn from_parts(time_ms: u64, random: u128) -> Self {
                Self(ulid::Ulid::from_parts(time_ms, random))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!($prefix, "{}"), self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl FromStr for $name {
            type Err = IdError;
            fn from_str(text: &str) -> Result<Self, IdError> {
                text.strip_prefix($prefix)
                    .filter(|rest| rest.len() == ulid::ULID_LEN)
                    .and_then(|rest| ulid::Ulid::from_string(rest).ok())
                    .map(Self)
                    .ok_or_else(|| IdError { text: text.into(), what: $what, example: $example })
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}

ulid_id!(
    /// A run. Ids made later sort later, to the millisecond; order in the log is by position alone.
    RunId, "run_", "run", "run_01JD5Z6Q8G7V9K3W2M4N5P6R7S"
);
ulid_id!(
    /// A worker host process. A host that starts again is another host.
    HostId, "host_", "host", "host_01JD5Z6Q8G7V9K3W2M4N5P6R7S"
);

ulid_id!(
    /// A backfill. Ids made later sort later, to the millisecond.
    BackfillId, "backfill_", "backfill", "backfill_01JD5Z6Q8G7V9K3W2M4N5P6R7S"
);

/// The number of a task in its run's plan, from 0.
pub type TaskIndex = u32;

/// One try at a task. Text: `{run}.{task}.{number}`, `run_01JD….12.1`; numbers count from 1.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AttemptId {
    /// The run.
    pub run: RunId,
    /// The task in the run's plan.
    pub task: TaskIndex,
    /// Which try, from 1.
    pub number: u32,
}

impl fmt::Display for AttemptId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.run, self.task, self.number)
    }
}

impl fmt::Debug for AttemptId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for AttemptId {
    type Err = IdError;
    fn from_str(text: &str) -> Result<Self, IdError> {
        let mut parts = text.split('.');
        let parsed = (|| {
            let id = Self {
                run: parts.next()?.parse().ok()?,
                task: parts.next()?.parse().ok()?,
                number: parts.next()?.parse().ok()?,
            };
            parts.next().is_none().then_some(id)
        })();
        parsed.ok_or_else(|| IdError {
            text: text.into(),
            what: "attempt",
            example: "run_01JD5Z6Q8G7V9K3W2M4N5P6R7S.12.1",
        })
    }
}

impl Serialize for AttemptId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for AttemptId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}
