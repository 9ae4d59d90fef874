//! Facts about limits.

use serde::{Deserialize, Serialize};

use crate::limits::Limits;

/// Someone set the limits of the workspace. They hold whole: what is absent is not limited any more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LimitsSet {
    /// The limits from here.
    pub limits: Limits,
}
