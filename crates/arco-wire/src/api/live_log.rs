//! What tasks of a run write, as it comes: the events of `GET …/runs/{run}/logs`.

use arco_core::RunId;
use arco_core::event::FailureClass;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::{AttemptStatus, RunStatus, TaskStatus};

/// A stream of an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum LogStream {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
    /// Records of `logging`.
    Log,
}

impl LogStream {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Stdout, Self::Stderr, Self::Log];

    /// The word on the API and the command line.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Stdout => "stdout",
            Self::Stderr => "stderr",
            Self::Log => "log",
        }
    }
}

/// Who writes: one attempt of one task.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LogSource {
    /// Number of the task in the run, from 0.
    pub task: u32,
    /// Its step.
    pub step: String,
    /// Of an op that is carried out for one value of a dynamic output: its key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mapping_key: Option<String>,
    /// Its first partition in Dagster's text; absent for an unpartitioned task.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub partition: Option<String>,
    /// How many partitions it has, when they are several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub partition_count: Option<u64>,
    /// Which try, from 1.
    pub attempt: u32,
}

/// Event `output`: one line. It has `record` when it is a record of `logging`, else `line`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct LogOutput {
    /// Who wrote it.
    #[serde(flatten)]
    pub source: LogSource,
    /// Where to.
    pub stream: LogStream,
    /// The line without its end; bytes that are not UTF-8 are replaced.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<String>,
    /// The record of `logging`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub record: Option<Value>,
    /// A line over 256 KiB comes in pieces; this is not the last of them.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub continues: bool,
}

/// Event `attempt`: an attempt is over and what it wrote was given.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct LogAttempt {
    /// Which.
    #[serde(flatten)]
    pub source: LogSource,
    /// How it ended.
    pub status: AttemptStatus,
    /// The kind of its failure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class: Option<FailureClass>,
}

/// Event `lost`: chunks of a stream that never arrived; what follows came after them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct LogLost {
    /// Whose.
    #[serde(flatten)]
    pub source: LogSource,
    /// Which stream.
    pub stream: LogStream,
    /// How many chunks.
    pub chunks: u64,
}

/// Event `skipped`: attempts that were over long before the stream began. Each is read at
/// `…/attempts/{attempt}/logs/{stream}`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct LogSkipped {
    /// How many attempts.
    pub attempts: u64,
}

/// Event `end`: what was followed is over and everything was given. The stream ends here.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct LogEnd {
    /// The run.
    #[schema(value_type = String)]
    pub run: RunId,
    /// Where it stands; not at its end when only some of its tasks were followed.
    pub status: RunStatus,
    /// Where the task stands that was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task_status: Option<TaskStatus>,
}
