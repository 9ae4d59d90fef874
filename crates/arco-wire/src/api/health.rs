//! Health of the process.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::LogPosition;

/// The process is up and has read its logs to the end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Health {
    /// `ok`.
    pub status: String,
    /// Version of the program.
    pub version: String,
    /// Process id: which process answers on this port.
    pub pid: u32,
    /// The workspaces it serves.
    pub workspaces: Vec<WorkspaceHealth>,
}

/// One workspace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct WorkspaceHealth {
    /// Its name.
    pub name: String,
    /// The last event it has read.
    pub position: LogPosition,
    /// Whether this process leads it.
    pub leads: bool,
}
