//! What a tick did, for people and programs.

use arco_core::RunId;
use arco_core::event::Position;
use arco_flow::State;
use arco_flow::state::{EvaluationStatus, RunStatus, TickStatus};
use arco_wire::api::Time;
use serde::Serialize;

use crate::failure::Exit;
use crate::render::{Paint, instant, plural};

/// How a tick ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Outcome {
    /// Nothing is left of what it was to do.
    Done,
    /// Another process leads, reached at this address, and does what is due.
    AnotherLeads(Option<String>),
    /// `--max-seconds` are over.
    TimeOver,
    /// What is left cannot go on here.
    Stuck,
    /// It was asked to stop.
    Interrupted,
}

/// What a tick did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Report {
    /// `done`, `another_leads`, `time_over`, `stuck`, `interrupted`.
    outcome: &'static str,
    /// Where the process is reached that leads.
    #[serde(skip_serializing_if = "Option::is_none")]
    leader: Option<String>,
    /// Ticks of schedules that were decided, with those missed.
    ticks: u64,
    /// Of them, those of which it could not be said what to run.
    ticks_failed: u64,
    /// Evaluations of sensors that were decided, series of looks that found nothing among them.
    evaluations: u64,
    /// Of them, those that failed.
    evaluations_failed: u64,
    /// Runs that ended well.
    runs_succeeded: u64,
    /// Runs that failed, by id.
    runs_failed: Vec<RunId>,
    /// Runs that were stopped.
    runs_canceled: u64,
    /// Runs that go on at the next tick.
    runs_left: u64,
    /// When something is due next.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_due: Option<Time>,
}

impl Report {
    /// What was decided after `from`.
    pub(super) fn new(state: &State, from: Position, came: Outcome) -> Self {
        let after = |at: &Position| *at > from;
        let (outcome, leader) = match came {
            Outcome::Done => ("done", None),
            Outcome::AnotherLeads(leader) => ("another_leads", leader),
            Outcome::TimeOver => ("time_over", None),
            Outcome::Stuck => ("stuck", None),
            Outcome::Interrupted => ("interrupted", None),
        };
        let mut report = Self {
            outcome,
            leader,
            ticks: 0,
            ticks_failed: 0,
            evaluations: 0,
            evaluations_failed: 0,
            runs_succeeded: 0,
            runs_failed: Vec::new(),
            runs_canceled: 0,
            runs_left: state.active_runs.len() as u64,
            next_due: arco_flow::schedule::next_due(state).map(Into::into),
        };
        if outcome == "another_leads" {
            // What happens there is not this one's doing.
            report.runs_left = 0;
            return report;
        }
        for (_, id) in state
            .decided_ticks
            .iter()
            .rev()
            .take_while(|(at, _)| after(at))
        {
            report.ticks += 1;
            let failed = state
                .ticks
                .get(id)
                .is_some_and(|tick| tick.status() == TickStatus::Failure);
            report.ticks_failed += u64::from(failed);
        }
        for (_, id) in state
            .decided_evaluations
            .iter()
            .rev()
            .take_while(|(at, _)| after(at))
        {
            report.evaluations += 1;
            let failed = state
                .evaluations
                .get(id)
                .is_some_and(|row| row.status() == EvaluationStatus::Failure);
            report.evaluations_failed += u64::from(failed);
        }
        for (_, id) in state
            .ended_runs
            .iter()
            .rev()
            .take_while(|(at, _)| after(at))
        {
            match state.run(*id).map(|run| run.status) {
                Some(RunStatus::Success) => report.runs_succeeded += 1,
                Some(RunStatus::Failure) => report.runs_failed.push(*id),
                Some(RunStatus::Canceled) => report.runs_canceled += 1,
                _ => {}
            }
        }
        report
    }

    pub(super) fn exit(&self) -> Exit {
        match self.outcome {
            "interrupted" => Exit::Interrupted,
            _ if self.runs_failed.is_empty()
                && self.ticks_failed + self.evaluations_failed == 0 =>
            {
                Exit::Success
            }
            _ => Exit::Failed,
        }
    }

    pub(super) fn render(&self, paint: Paint) -> String {
        if self.outcome == "another_leads" {
            let place = self
                .leader
                .as_ref()
                .map_or_else(String::new, |url| format!(" at {url}"));
            return format!("another process leads{place}: it does what is due");
        }
        let mut parts = Vec::new();
        let mut part = |count: u64, what: &str| {
            if count > 0 {
                parts.push(plural(count, what));
            }
        };
        part(self.ticks, "tick");
        part(self.evaluations, "evaluation");
        part(self.runs_succeeded, "successful run");
        part(self.runs_failed.len() as u64, "failed run");
        part(self.runs_canceled, "canceled run");
        let mut text = match parts.is_empty() {
            true => "nothing was due".to_owned(),
            false => parts.join(", "),
        };
        if self.runs_left > 0 {
            text.push_str(&format!(
                "; {} left for the next",
                plural(self.runs_left, "run")
            ));
        }
        text.push_str(match self.outcome {
            "time_over" => "; the time was over",
            "stuck" => "; nothing moves here any more: what is left waits for a host or a slot that is elsewhere",
            "interrupted" => "; stopped",
            _ => "",
        });
        if let Some(due) = self.next_due {
            text.push_str(&format!("; next due {}", instant(due.0)));
        }
        for run in &self.runs_failed {
            text.push_str(&format!("\n{} {run}", paint.status("failure")));
        }
        text
    }
}
