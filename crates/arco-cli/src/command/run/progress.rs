//! Progress of a run on stderr: a bar on a terminal, a line now and then elsewhere.

use std::time::Duration;

use arco_wire::api::{RunStatus, RunSummary};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use tokio::time::Instant;

use crate::console::Console;

#[cfg(test)]
mod tests;

/// Lines in a file are read later: one when there is news, and none more often than this.
const LINE_EVERY: Duration = Duration::from_secs(2);

/// Shows how far a run is.
pub(super) struct Progress {
    console: Console,
    bar: Option<ProgressBar>,
    said: Lines,
    last_line: Instant,
}

impl Progress {
    pub(super) fn new(console: &Console, run: &RunSummary) -> Self {
        let bar = console.is_live().then(|| {
            let bar = ProgressBar::with_draw_target(
                Some(u64::from(run.tasks.total)),
                ProgressDrawTarget::stderr_with_hz(10),
            );
            let style = ProgressStyle::with_template(
                "{spinner} {bar:30} {pos}/{len} tasks  {msg}  {elapsed}",
            );
            bar.set_style(style.expect("the template is a constant"));
            bar.enable_steady_tick(Duration::from_millis(200));
            bar
        });
        Self {
            console: *console,
            bar,
            said: Lines::default(),
            last_line: Instant::now(),
        }
    }

    pub(super) fn show(&mut self, run: &RunSummary) {
        match &self.bar {
            Some(bar) => {
                bar.set_length(u64::from(run.tasks.total));
                bar.set_position(u64::from(run.tasks.done()));
                bar.set_message(message(run));
            }
            None => {
                // A run that is over sooner needs no line between its request and its end.
                if self.last_line.elapsed() >= LINE_EVERY
                    && let Some(line) = self.said.line(run)
                {
                    self.console.note(&line);
                    self.last_line = Instant::now();
                }
            }
        }
    }

    /// A remark that does not tear the bar.
    pub(super) fn say(&self, text: &str) {
        match &self.bar {
            Some(bar) => bar.suspend(|| self.console.note(text)),
            None => self.console.note(text),
        }
    }

    /// Takes the bar away.
    pub(super) fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

/// What was said last, so that a line always tells something new.
#[derive(Debug, Default)]
struct Lines {
    status: Option<RunStatus>,
    tenth: u32,
    failed: u32,
}

impl Lines {
    /// A line when there is something to tell: another status, a first failure, another tenth of the
    /// work.
    fn line(&mut self, run: &RunSummary) -> Option<String> {
        let tenth = run.tasks.done() * 10 / run.tasks.total.max(1);
        let news = self.status != Some(run.status)
            || (self.failed == 0 && run.tasks.failed > 0)
            || tenth > self.tenth;
        if !news || run.status.is_terminal() {
            return None;
        }
        *self = Self {
            status: Some(run.status),
            tenth,
            failed: run.tasks.failed,
        };
        Some(
            format!(
                "{} {}/{} tasks  {}",
                run.status.as_str(),
                run.tasks.done(),
                run.tasks.total,
                message(run)
            )
            .trim_end()
            .to_owned(),
        )
    }
}

/// `3 running, 1 failed`.
fn message(run: &RunSummary) -> String {
    let tasks = &run.tasks;
    let parts = [
        (tasks.running + tasks.leased, "running"),
        (tasks.retrying, "retrying"),
        (tasks.failed, "failed"),
        (tasks.skipped, "skipped"),
    ];
    let shown: Vec<String> = parts
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, word)| format!("{count} {word}"))
        .collect();
    match run.status {
        RunStatus::Queued => "waiting for a worker host".into(),
        _ => shown.join(", "),
    }
}
