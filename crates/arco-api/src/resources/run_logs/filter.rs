//! Whose output is followed, and when that is over.

use arco_core::TaskIndex;
use arco_flow::state::Run;
use arco_wire::api::LogStream;

use crate::codes::Code;
use crate::problem::{Answer, Refusal};
use crate::resources::{logs, tasks};

/// What was asked for; what is absent leaves nothing out.
#[derive(Debug)]
pub(super) struct Filter {
    pub(super) task: Option<TaskIndex>,
    pub(super) attempt: Option<u32>,
    pub(super) step: Option<String>,
    pub(super) mapping_key: Option<String>,
    pub(super) partition: Option<String>,
    pub(super) streams: Vec<LogStream>,
}

impl Filter {
    /// Refuses what the run does not have.
    pub(super) fn check(&self, run: &Run) -> Answer<()> {
        if let Some(index) = self.task {
            let task = run.task(index);
            let task = task.ok_or_else(|| tasks::unknown(run.id, index, run.tasks.len()))?;
            let tries = task.attempts.len();
            if let Some(number) = self.attempt
                && !task.attempts.iter().any(|row| row.number == number)
            {
                return Err(logs::unknown_attempt(run.id, index, number, tries));
            }
        }
        if let Some(step) = &self.step
            && self.tasks(run).next().is_none()
        {
            let keys = self.mapping_key.iter().chain(&self.partition);
            let of: String = keys.map(|key| format!("[{key}]")).collect();
            let message = format!("run {} has no task `{step}{of}`", run.id);
            return Err(Refusal::new(Code::UnknownTask, message));
        }
        Ok(())
    }

    /// Whether what the attempt writes is followed.
    pub(super) fn takes(&self, run: &Run, task: TaskIndex, number: u32) -> bool {
        self.attempt.is_none_or(|wanted| wanted == number) && self.takes_task(run, task)
    }

    fn takes_task(&self, run: &Run, task: TaskIndex) -> bool {
        if self.task.is_some_and(|wanted| wanted != task) {
            return false;
        }
        let Some(planned) = run.planned(task) else {
            return false;
        };
        let step = self.step.as_ref().is_none_or(|step| planned.step == *step);
        let mapped = self.mapping_key.is_none() || self.mapping_key == planned.mapping_key;
        step && mapped
            && self.partition.as_ref().is_none_or(|wanted| {
                let mut keys = planned.partitions.iter();
                keys.any(|key| key.display() == wanted.as_str())
            })
    }

    /// The tasks that are followed, among those there are by now.
    pub(super) fn tasks<'a>(&'a self, run: &'a Run) -> impl Iterator<Item = TaskIndex> + 'a {
        let count = TaskIndex::try_from(run.tasks.len()).unwrap_or(TaskIndex::MAX);
        let all = match self.task {
            Some(task) => task..task.saturating_add(1).min(count),
            None => 0..count,
        };
        all.filter(|task| self.takes_task(run, *task))
    }

    /// Whether nothing will be written any more by what is followed.
    pub(super) fn is_over(&self, run: &Run) -> bool {
        if run.status.is_terminal() {
            return true;
        }
        if let (Some(task), Some(number)) =
            (self.task.and_then(|task| run.task(task)), self.attempt)
        {
            let mut rows = task.attempts.iter();
            return rows.any(|row| row.number == number && row.outcome.is_some());
        }
        (self.task.is_some() || self.step.is_some())
            && self
                .tasks(run)
                .all(|task| run.task(task).is_some_and(|task| task.status.is_terminal()))
    }
}
