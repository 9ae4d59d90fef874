//! RFC 9457 problem details: the one shape of every refusal.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A refusal, `application/problem+json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Problem {
    /// Page that explains the code, `https://arco.dev/errors/unknown-asset`.
    #[serde(rename = "type")]
    pub type_url: String,
    /// The kind of problem in a few words.
    pub title: String,
    /// HTTP status.
    pub status: u16,
    /// What was attempted, on what, and the mend.
    pub detail: String,
    /// Stable word for programs, `unknown_asset`.
    pub code: String,
    /// Id of the request, for the operator's log.
    pub request_id: String,
    /// Lines to try next.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hints: Vec<String>,
}
