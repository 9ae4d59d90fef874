//! How people name a task of a run: its number, or its step with a partition.

use arco_wire::api::TaskSummary;

use crate::failure::{Failure, Outcome};

#[cfg(test)]
mod tests;

/// `12`, `flights` or `flights[2013-01-01]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum TaskName {
    Number(u32),
    Step {
        step: String,
        partition: Option<String>,
    },
}

impl std::str::FromStr for TaskName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
            return text
                .parse()
                .map(Self::Number)
                .map_err(|_| format!("`{text}` is not a task number"));
        }
        let (step, partition) = match text.split_once('[') {
            Some((step, rest)) => {
                let key = rest
                    .strip_suffix(']')
                    .ok_or_else(|| format!("`{text}` has no `]`; {LOOK}"))?;
                (step, Some(key.to_owned()))
            }
            None => (text, None),
        };
        if step.is_empty() {
            return Err(format!("`{text}` names no step; {LOOK}"));
        }
        Ok(Self::Step {
            step: step.to_owned(),
            partition,
        })
    }
}

const LOOK: &str = "tasks look like `12`, `flights` or `flights[2013-01-01]`";

impl TaskName {
    fn matches(&self, task: &TaskSummary) -> bool {
        match self {
            Self::Number(number) => task.task == *number,
            Self::Step { step, partition } => {
                task.step == *step
                    && partition
                        .as_ref()
                        .is_none_or(|key| task.partitions.contains(key))
            }
        }
    }

    /// The tasks it names.
    pub(crate) fn find<'a>(
        &self,
        run: &str,
        tasks: &'a [TaskSummary],
    ) -> Outcome<Vec<&'a TaskSummary>> {
        let found: Vec<_> = tasks.iter().filter(|task| self.matches(task)).collect();
        if found.is_empty() {
            return Err(self.unknown(run, tasks));
        }
        Ok(found)
    }

    fn unknown(&self, run: &str, tasks: &[TaskSummary]) -> Failure {
        let names: Vec<String> = tasks.iter().take(5).map(label).collect();
        let more = if tasks.len() > names.len() {
            ", …"
        } else {
            ""
        };
        Failure::new(format!(
            "run {run} has no task {self}; its tasks are {}{more}",
            names.join(", ")
        ))
        .hint(format!("arco runs show {run} --tasks"))
    }
}

impl std::fmt::Display for TaskName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Number(number) => write!(f, "{number}"),
            Self::Step {
                step,
                partition: None,
            } => write!(f, "`{step}`"),
            Self::Step {
                step,
                partition: Some(key),
            } => write!(f, "`{step}[{key}]`"),
        }
    }
}

/// `flights[2013-01-01]`, `flights[2013-01-01 and 30 more]`, `flights`.
pub(crate) fn label(task: &TaskSummary) -> String {
    let step = match &task.mapping_key {
        None => task.step.clone(),
        Some(key) => format!("{}[{key}]", task.step),
    };
    step_label(
        &step,
        task.partitions.first().map(String::as_str),
        task.partition_count,
    )
}

/// As [`label`], from its parts.
pub(crate) fn step_label(step: &str, first: Option<&str>, count: u64) -> String {
    match (first, count) {
        (None, _) => step.to_owned(),
        (Some(key), 0 | 1) => format!("{step}[{key}]"),
        (Some(key), count) => format!("{step}[{key} and {} more]", count - 1),
    }
}
