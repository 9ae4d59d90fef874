//! Colour, always beside a word that says the same.

use std::io::IsTerminal;

use crate::env_vars;

/// Colours text, or leaves it alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Paint {
    on: bool,
}

impl Paint {
    #[cfg(test)]
    pub(crate) const fn new(on: bool) -> Self {
        Self { on }
    }

    /// Colour for a stream: when it is a terminal that can do it and nobody asked for none.
    pub(crate) fn of(stream: &impl IsTerminal) -> Self {
        let dumb = env_vars::read(env_vars::TERM).is_some_and(|term| term == "dumb");
        let wanted = env_vars::read(env_vars::NO_COLOR).is_none() && !dumb;
        Self {
            on: wanted && stream.is_terminal(),
        }
    }

    pub(crate) fn is_on(self) -> bool {
        self.on
    }

    pub(crate) fn bold(self, text: &str) -> String {
        self.code("1", text)
    }

    pub(crate) fn dim(self, text: &str) -> String {
        self.code("2", text)
    }

    pub(crate) fn red(self, text: &str) -> String {
        self.code("1;31", text)
    }

    pub(crate) fn green(self, text: &str) -> String {
        self.code("32", text)
    }

    pub(crate) fn yellow(self, text: &str) -> String {
        self.code("33", text)
    }

    pub(crate) fn cyan(self, text: &str) -> String {
        self.code("36", text)
    }

    /// A status word in its colour.
    pub(crate) fn status(self, word: &str) -> String {
        match word {
            "success" | "succeeded" | "materialized" | "passed" | "ok" | "alive" => {
                self.green(word)
            }
            "failure" | "failed" | "lost" | "materialized, last attempt failed" => self.red(word),
            "started" | "in progress" | "running" | "leased" | "retrying" | "canceling" => {
                self.cyan(word)
            }
            "canceled" | "cancelled" | "skipped" => self.yellow(word),
            _ => word.to_owned(),
        }
    }

    fn code(self, code: &str, text: &str) -> String {
        if self.on && !text.is_empty() {
            format!("\u{1b}[{code}m{text}\u{1b}[0m")
        } else {
            text.to_owned()
        }
    }
}
