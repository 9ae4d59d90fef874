//! The queue: what waits, on what, and who has it.

use arco_core::limits::Limits;
use arco_core::{AttemptId, RunId, TaskIndex};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{LogPosition, Time};

/// A run that has not begun, or a task of a run under way that might be leased.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct QueueEntry {
    /// The run.
    #[schema(value_type = String)]
    pub run: RunId,
    /// The task; absent when the whole run waits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task: Option<TaskIndex>,
    /// Its step.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<String>,
    /// Higher goes first.
    pub priority: i32,
    /// When its run was asked for.
    pub requested: Time,
    /// What it waits for: all of these.
    pub waits_for: Vec<QueueWait>,
}

/// What an entry of the queue waits for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct QueueWait {
    /// Which sort of thing.
    pub kind: QueueWaitKind,
    /// The limit (`runs`, `tag team=core`, `pool db`), the pool, or the code location.
    pub name: String,
    /// Slots of the limit or pool.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slots: Option<u32>,
    /// Slots that are held.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held: Option<u32>,
    /// Runs that hold a slot: the first ten.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(value_type = Vec<String>)]
    pub runs: Vec<RunId>,
    /// Attempts that hold a slot: the first ten.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(value_type = Vec<String>)]
    pub attempts: Vec<AttemptId>,
}

/// What sort of thing is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum QueueWaitKind {
    /// A slot of a limit on runs.
    Limit,
    /// A slot of a pool.
    Pool,
    /// A host of the code location: none is alive.
    Host,
    /// Its turn: nothing is full, a host takes it when it has a slot.
    Turn,
}

/// The limits of a workspace once they were set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LimitsChanged {
    /// Reads at this position see them.
    pub position: LogPosition,
    /// The limits.
    pub limits: Limits,
}
