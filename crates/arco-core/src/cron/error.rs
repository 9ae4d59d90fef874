//! Why a cron is refused. Each message says which field, what is wrong with it, and the mend.

use thiserror::Error;

use super::field::Field;
use crate::partition::PartitionsError;

/// A cron that cannot stand.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum CronError {
    /// There is no expression at all (S-2).
    #[error("a schedule needs at least one cron; the list is empty, write for example `0 0 * * *`")]
    Empty,
    /// Not five fields (S-1).
    #[error(
        "cron `{text}` has {count} fields; it needs five: minute, hour, day of month, month, day of \
         week, as in `0 6 * * mon-fri`"
    )]
    Fields {
        /// The expression as given.
        text: String,
        /// How many fields it has.
        count: usize,
    },
    /// A name that starts with `@` and is none of ours (S-2).
    #[error(
        "cron `{text}` is not known; there are `@hourly`, `@daily`, `@midnight`, `@weekly`, \
         `@monthly`, `@yearly` and `@annually`, and five fields for all else"
    )]
    Alias {
        /// The expression as given.
        text: String,
    },
    /// A field that cannot be read, or means nothing.
    #[error("cron `{text}`: {field} `{item}` {problem}")]
    Field {
        /// The expression as given.
        text: String,
        /// `minute`, `hour`, `day of month`, `month` or `day of week`.
        field: &'static str,
        /// The item of the field.
        item: String,
        /// What is wrong, and the mend.
        problem: String,
    },
    /// No day of its months is one of its days (S-9, D-26).
    #[error(
        "cron `{text}` is never due: none of its months has one of its days of month; name an earlier \
         day, or `L` for the last day of each month"
    )]
    Never {
        /// The expression as given.
        text: String,
    },
    /// The time zone is not one (S-14).
    #[error(transparent)]
    Zone(#[from] PartitionsError),
}

/// What is wrong with one item of a field, before the whole text is known.
#[derive(Debug)]
pub(super) struct Problem {
    pub(super) field: Field,
    pub(super) item: String,
    pub(super) what: String,
}

impl Problem {
    pub(super) fn in_text(self, text: &str) -> CronError {
        CronError::Field {
            text: text.into(),
            field: self.field.name(),
            item: self.item,
            problem: self.what,
        }
    }
}
