//! How people name a task of a run: its number, or its step with a partition.

use arco_wire::api::TaskSummary;

use crate::failure::{Failure, Outcome};

#[cfg(test)]
mod tests;

/// `12`, `flights`, `flights[2013-01-01]`, `graph.op[key]` or `graph.op[key][2013-01-01]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum TaskName {
    Number(u32),
    Step {
        step: String,
        /// What stands in brackets: a mapping key, a partition, or both in this order.
        keys: Vec<String>,
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
        let (step, keys) = match text.split_once('[') {
            Some((step, rest)) => {
                let keys = rest
                    .strip_suffix(']')
                    .ok_or_else(|| format!("`{text}` has no `]`; {LOOK}"))?;
                (step, keys.split("][").map(str::to_owned).collect())
            }
            None => (text, Vec::new()),
        };
        if step.is_empty() {
            return Err(format!("`{text}` names no step; {LOOK}"));
        }
        Ok(Self::Step {
            step: step.to_owned(),
            keys,
        })
    }
}

const LOOK: &str = "tasks look like `12`, `flights` or `flights[2013-01-01]`";

impl TaskName {
    fn matches(&self, task: &TaskSummary) -> bool {
        match self {
            Self::Number(number) => task.task == *number,
            Self::Step { step, keys } => {
                let mapped = |key: &String| task.mapping_key.as_ref() == Some(key);
                let of_partition = |key: &String| task.partitions.contains(key);
                task.step == *step
                    && match keys.as_slice() {
                        [] => true,
                        [key] => mapped(key) || of_partition(key),
                        [key, partition] => mapped(key) && of_partition(partition),
                        _ => false,
                    }
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
            Self::Step { step, keys } if keys.is_empty() => write!(f, "`{step}`"),
            Self::Step { step, keys } => write!(f, "`{step}[{}]`", keys.join("][")),
        }
    }
}

/// `flights[2013-01-01]`, `flights[2013-01-01 and 30 more]`, `flights`, `graph.op[key]`.
pub(crate) fn label(task: &TaskSummary) -> String {
    step_label(
        &task.step,
        task.mapping_key.as_deref(),
        task.partitions.first().map(String::as_str),
        task.partition_count,
    )
}

/// As [`label`], from its parts.
pub(crate) fn step_label(
    step: &str,
    mapping_key: Option<&str>,
    first: Option<&str>,
    count: u64,
) -> String {
    let mut text = step.to_owned();
    if let Some(key) = mapping_key {
        text += &format!("[{key}]");
    }
    match (first, count) {
        (None, _) => {}
        (Some(key), 0 | 1) => text += &format!("[{key}]"),
        (Some(key), count) => text += &format!("[{key} and {} more]", count - 1),
    }
    text
}
