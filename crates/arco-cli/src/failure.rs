//! How a command fails: what the person reads, what the shell gets.
//!
//! `error:` with what was attempted, on what, and the mend; the causes below it, once; `hint:` lines
//! with commands to try next. The exit code tells a script who has to act: 1 is a run that failed (or
//! a log that does not verify), 2 is a question that could not be asked or was refused.

use std::fmt::Display;
use std::process::ExitCode;

use crate::render::Paint;

#[cfg(test)]
mod tests;

/// How a command ended that did what it was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// All well.
    Success,
    /// The command worked; what it reports on did not: a failed run, a damaged log.
    Failed,
    /// Stopped by Ctrl-C.
    Interrupted,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        match exit {
            Exit::Success => Self::SUCCESS,
            Exit::Failed => Self::FAILURE,
            Exit::Interrupted => Self::from(130),
        }
    }
}

/// Exit code of a [`Failure`], the same as clap's for a command it does not understand.
pub(crate) const REFUSED: u8 = 2;

/// A command that could not be done.
#[derive(Debug)]
pub(crate) struct Failure {
    error: anyhow::Error,
    hints: Vec<String>,
}

/// What commands return.
pub(crate) type Outcome<T = Exit> = Result<T, Failure>;

impl Failure {
    /// From a message, lower case and without a full stop.
    pub(crate) fn new(message: impl Display) -> Self {
        anyhow::Error::msg(message.to_string()).into()
    }

    /// Adds a line to try next.
    #[must_use]
    pub(crate) fn hint(mut self, line: impl Into<String>) -> Self {
        self.hints.push(line.into());
        self
    }

    /// Adds lines to try next.
    #[must_use]
    pub(crate) fn hints(mut self, lines: impl IntoIterator<Item = String>) -> Self {
        self.hints.extend(lines);
        self
    }

    /// What was attempted when it went wrong.
    #[must_use]
    pub(crate) fn context(mut self, what: impl Display) -> Self {
        self.error = self.error.context(what.to_string());
        self
    }

    /// What stderr shows.
    pub(crate) fn render(&self, paint: Paint) -> String {
        let mut lines = vec![format!("{} {}", paint.red("error:"), self.error)];
        let causes = self.error.chain().skip(1).map(|cause| cause.to_string());
        let mut said = self.error.to_string();
        for cause in causes {
            // Libraries often repeat the cause in their own message.
            if !said.contains(&cause) {
                lines.push(format!("  caused by: {cause}"));
                said.push_str(&cause);
            }
        }
        for hint in &self.hints {
            lines.push(format!("{} {hint}", paint.cyan("hint:")));
        }
        lines.join("\n")
    }
}

impl<E: Into<anyhow::Error>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self {
            error: error.into(),
            hints: Vec::new(),
        }
    }
}

/// Adds what was attempted to any error on its way to a [`Failure`].
pub(crate) trait Attempt<T> {
    /// What was attempted.
    fn attempt<D: Display>(self, what: impl FnOnce() -> D) -> Outcome<T>;
}

impl<T, E: Into<anyhow::Error>> Attempt<T> for Result<T, E> {
    fn attempt<D: Display>(self, what: impl FnOnce() -> D) -> Outcome<T> {
        self.map_err(|error| Failure::from(error).context(what()))
    }
}
