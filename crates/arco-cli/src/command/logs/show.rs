//! Lines of several streams on one terminal.
//!
//! Of one task, lines are what it wrote and nothing else on stdout; who wrote them stands above, on
//! stderr, whenever it changes. Of several tasks every line begins with who wrote it.

use arco_wire::api::{LogLost, LogOutput, LogSkipped, LogSource, LogStream};

use super::record;
use crate::command::task_name::step_label;
use crate::console::Console;
use crate::render::{Paint, plural};

#[cfg(test)]
mod tests;

/// What was shown.
pub(super) struct Shown {
    console: Console,
    several: bool,
    last: Option<(LogSource, LogStream)>,
}

impl Shown {
    pub(super) fn new(console: &Console, several: bool) -> Self {
        Self {
            console: *console,
            several,
            last: None,
        }
    }

    /// Whether there was any output.
    pub(super) fn wrote(&self) -> bool {
        self.last.is_some()
    }

    pub(super) fn output(&mut self, output: &LogOutput) {
        let now = (output.source.clone(), output.stream);
        let changed = self.last.as_ref() != Some(&now);
        if self.console.is_json() {
            self.console.element(output, |_| String::new());
        } else if self.several {
            self.console.line(&prefixed(output, self.console.paint()));
        } else {
            if changed {
                let heading = heading(&output.source, output.stream);
                self.console.note(&self.console.paint_err().dim(&heading));
            }
            self.console.line(&text(output, self.console.paint()));
        }
        self.last = Some(now);
    }

    pub(super) fn lost(&self, lost: &LogLost) {
        self.console.note(&format!(
            "{} of {} {} did not arrive",
            plural(lost.chunks, "chunk"),
            label(&lost.source),
            lost.stream.as_str()
        ));
    }

    pub(super) fn skipped(&self, run: &str, skipped: &LogSkipped) {
        self.console.note(&format!(
            "{} ended before and are not shown",
            plural(skipped.attempts, "attempt")
        ));
        self.console.hint(&format!("arco logs {run} TASK"));
    }
}

/// `── 3 daily[2026-01-01] attempt 1 stdout`.
fn heading(source: &LogSource, stream: LogStream) -> String {
    format!(
        "── {} {} attempt {} {}",
        source.task,
        label(source),
        source.attempt,
        stream.as_str()
    )
}

/// `daily[2026-01-01] #2 stderr | text`.
fn prefixed(output: &LogOutput, paint: Paint) -> String {
    let again = match output.source.attempt {
        1 => String::new(),
        number => format!(" #{number}"),
    };
    let who = format!(
        "{}{again} {} |",
        label(&output.source),
        output.stream.as_str()
    );
    let who = match output.stream {
        LogStream::Stdout => paint.cyan(&who),
        LogStream::Stderr => paint.yellow(&who),
        LogStream::Log => paint.dim(&who),
    };
    format!("{who} {}", text(output, paint))
}

fn label(source: &LogSource) -> String {
    step_label(
        &source.step,
        source.mapping_key.as_deref(),
        source.partition.as_deref(),
        source.partition_count.unwrap_or(1),
    )
}

fn text(output: &LogOutput, paint: Paint) -> String {
    match (&output.record, &output.line) {
        (Some(record), _) => record::render(&record.to_string(), paint),
        (None, Some(line)) => line.clone(),
        (None, None) => String::new(),
    }
}
