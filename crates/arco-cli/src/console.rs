//! Where output goes: data to stdout, everything else to stderr.

use std::io::{self, ErrorKind, IsTerminal, Write};

use serde::Serialize;

use crate::args::Common;
use crate::env_vars;
use crate::render::Paint;

/// The two streams of a command and how to write on them.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Console {
    json: bool,
    verbose: u8,
    out: Paint,
    err: Paint,
}

impl Console {
    pub(crate) fn new(common: &Common) -> Self {
        Self {
            json: common.json,
            verbose: common.verbose,
            out: Paint::of(&io::stdout()),
            err: Paint::of(&io::stderr()),
        }
    }

    /// Whether stdout is for a program.
    pub(crate) fn is_json(&self) -> bool {
        self.json
    }

    /// How often `-v` was given.
    pub(crate) fn verbose(&self) -> u8 {
        self.verbose
    }

    /// Colours of stdout.
    pub(crate) fn paint(&self) -> Paint {
        self.out
    }

    /// Colours of stderr.
    pub(crate) fn paint_err(&self) -> Paint {
        self.err
    }

    /// Whether something may move on stderr.
    pub(crate) fn is_live(&self) -> bool {
        let dumb = env_vars::read(env_vars::TERM).is_some_and(|term| term == "dumb");
        io::stderr().is_terminal() && !dumb
    }

    /// A document: JSON for programs, else what `text` makes of it.
    pub(crate) fn document<T: Serialize>(&self, value: &T, text: impl FnOnce(Paint) -> String) {
        if self.json {
            let rendered =
                serde_json::to_string_pretty(value).expect("wire types have string keys");
            self.line(&rendered);
        } else {
            self.line(&text(self.out));
        }
    }

    /// One element of a stream: a JSON line for programs, else what `text` makes of it.
    pub(crate) fn element<T: Serialize>(&self, value: &T, text: impl FnOnce(Paint) -> String) {
        if self.json {
            self.line(&serde_json::to_string(value).expect("wire types have string keys"));
        } else {
            self.line(&text(self.out));
        }
    }

    /// Text on stdout, with a line end.
    pub(crate) fn line(&self, text: &str) {
        self.bytes(format!("{text}\n").as_bytes());
    }

    /// Bytes on stdout, as they are.
    pub(crate) fn bytes(&self, bytes: &[u8]) {
        let mut out = io::stdout().lock();
        match out.write_all(bytes).and_then(|()| out.flush()) {
            // `arco log show | head`: the reader has what it wanted, which is no failure.
            Err(error) if error.kind() == ErrorKind::BrokenPipe => std::process::exit(0),
            // A full disk behind a redirection: the exit code must not say that all is written.
            Err(error) => {
                self.note(&format!("error: could not write to stdout: {error}"));
                std::process::exit(i32::from(crate::failure::REFUSED));
            }
            Ok(()) => {}
        }
    }

    /// A remark for people, on stderr. Nobody may be there to read it.
    pub(crate) fn note(&self, text: &str) {
        let _ = writeln!(io::stderr().lock(), "{text}");
    }

    /// A `hint:` line.
    pub(crate) fn hint(&self, text: &str) {
        self.note(&format!("{} {text}", self.err.cyan("hint:")));
    }
}
