//! Why a selection is refused.

use std::fmt;

use thiserror::Error;

use super::facts::AssetStatus;

/// A selection that cannot be read or evaluated. `Display` is one line; [`SelectionError::pointed`]
/// also shows the place.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub struct SelectionError {
    text: String,
    problem: Problem,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Problem {
    Syntax {
        /// Characters before the place.
        at: usize,
        expected: String,
        found: String,
        hint: Option<String>,
    },
    Empty,
    UnknownAsset {
        key: String,
        near: Option<String>,
    },
    NotEvaluable {
        attribute: &'static str,
    },
    UnknownStatus {
        status: String,
    },
}

impl SelectionError {
    pub(super) fn new(text: &str, problem: Problem) -> Self {
        Self {
            text: text.into(),
            problem,
        }
    }

    /// The selection as it was given.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The column at which the text cannot be read, from 1; `None` when it could be read.
    #[must_use]
    pub fn column(&self) -> Option<usize> {
        match self.problem {
            Problem::Syntax { at, .. } => Some(at + 1),
            _ => None,
        }
    }

    /// The message and, below it, the text with a caret under the place.
    #[must_use]
    pub fn pointed(&self) -> String {
        let Problem::Syntax { at, .. } = &self.problem else {
            return self.to_string();
        };
        // Only the line with the place, so that the caret is below it.
        let before: String = self.text.chars().take(*at).collect();
        let (skipped, column) = match before.rfind('\n') {
            Some(newline) => (newline + 1, before[newline + 1..].chars().count()),
            None => (0, *at),
        };
        let line = self.text[skipped..].lines().next().unwrap_or_default();
        format!("{self}\n  {line}\n  {}^", " ".repeat(column))
    }
}

impl fmt::Display for SelectionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = &self.text;
        match &self.problem {
            Problem::Syntax {
                at,
                expected,
                found,
                hint,
            } => {
                let column = at + 1;
                write!(
                    f,
                    "selection `{text}` cannot be read at column {column}: expected {expected}, found {found}"
                )?;
                match hint {
                    Some(hint) => write!(f, "; {hint}"),
                    None => Ok(()),
                }
            }
            Problem::Empty => f.write_str(
                "the selection is empty; write the name of an asset, `group:…`, or `*` for all assets",
            ),
            Problem::UnknownAsset { key, near } => {
                write!(
                    f,
                    "selection `{text}` names asset `{key}`, which is not defined"
                )?;
                match near {
                    Some(near) => write!(f, "; did you mean `{near}`?"),
                    None => f.write_str("; a pattern such as `key:raw/*` needs no exact name"),
                }
            }
            Problem::NotEvaluable { attribute } => write!(
                f,
                "selection `{text}` uses `{attribute}:`, which nothing answers here; \
                 use `key:`, `group:`, `kind:`, `tag:`, `owner:`, `is:`, `partitions:` or `code_location:`"
            ),
            Problem::UnknownStatus { status } => {
                let words = AssetStatus::ALL.map(|status| format!("`{}`", status.word()));
                write!(
                    f,
                    "selection `{text}` asks for status `{status}`, which no asset has; the statuses are {}",
                    words.join(", ")
                )
            }
        }
    }
}
