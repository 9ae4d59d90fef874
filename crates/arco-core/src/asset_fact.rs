//! What is said of assets: by the body of a task, by a sensor, from outside of runs.
//!
//! The names and fields are those of Dagster's `AssetMaterialization`, `AssetObservation` and `AssetCheckResult`.
//! They are words of somebody, not yet facts: `arco-flow` judges them and makes events of them
//! ([`crate::event`]).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::AssetKey;
use crate::event::Severity;

/// An asset, or one of its partitions, was produced.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct AssetMaterialization {
    /// Asset key.
    #[cfg_attr(feature = "schema", schema(value_type = String))]
    pub asset: AssetKey,
    /// Partition in Dagster's text; absent for an unpartitioned asset.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub partition: Option<String>,
    /// Typed values by name.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schema(value_type = Object))]
    pub metadata: BTreeMap<String, Value>,
    /// Version of the data, given by user code; absent means a derived one, or a new one from outside of runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data_version: Option<String>,
    /// Tags of the materialization.
    #[serde(default)]
    pub tags: BTreeMap<String, String>,
}

impl AssetMaterialization {
    /// Of an asset, with nothing else said.
    #[must_use]
    pub fn new(asset: AssetKey) -> Self {
        Self {
            asset,
            partition: None,
            metadata: BTreeMap::new(),
            data_version: None,
            tags: BTreeMap::new(),
        }
    }
}

/// An asset, or one of its partitions, was looked at.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct AssetObservation {
    /// Asset key.
    #[cfg_attr(feature = "schema", schema(value_type = String))]
    pub asset: AssetKey,
    /// Partition in Dagster's text, any of the asset's; absent for the asset as a whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub partition: Option<String>,
    /// Typed values by name.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schema(value_type = Object))]
    pub metadata: BTreeMap<String, Value>,
    /// Version of the data, when user code knows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data_version: Option<String>,
    /// For people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Tags of the observation.
    #[serde(default)]
    pub tags: BTreeMap<String, String>,
}

impl AssetObservation {
    /// Of an asset, with nothing else said.
    #[must_use]
    pub fn new(asset: AssetKey) -> Self {
        Self {
            asset,
            partition: None,
            metadata: BTreeMap::new(),
            data_version: None,
            description: None,
            tags: BTreeMap::new(),
        }
    }
}

/// A check of an asset, or of one of its partitions, was judged.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct AssetCheckResult {
    /// Asset key.
    #[cfg_attr(feature = "schema", schema(value_type = String))]
    pub asset: AssetKey,
    /// Name of the check.
    pub check: String,
    /// Partition in Dagster's text, for a partitioned check.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub partition: Option<String>,
    /// The verdict.
    pub passed: bool,
    /// Weight of a failure; absent means `ERROR`.
    #[serde(default = "error")]
    pub severity: Severity,
    /// For people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Typed values by name.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schema(value_type = Object))]
    pub metadata: BTreeMap<String, Value>,
}

fn error() -> Severity {
    Severity::Error
}

impl AssetCheckResult {
    /// A verdict on a check, of the weight `ERROR`, with nothing else said.
    #[must_use]
    pub fn new(asset: AssetKey, check: impl Into<String>, passed: bool) -> Self {
        Self {
            asset,
            check: check.into(),
            partition: None,
            passed,
            severity: error(),
            description: None,
            metadata: BTreeMap::new(),
        }
    }
}

/// One of them.
#[derive(Debug, Clone, PartialEq)]
pub enum AssetFact {
    /// It was produced.
    Materialized(AssetMaterialization),
    /// It was looked at.
    Observed(AssetObservation),
    /// A check of it was judged.
    Checked(AssetCheckResult),
}

impl AssetFact {
    /// The asset it is about.
    #[must_use]
    pub fn asset(&self) -> &AssetKey {
        match self {
            Self::Materialized(made) => &made.asset,
            Self::Observed(seen) => &seen.asset,
            Self::Checked(judged) => &judged.asset,
        }
    }

    /// The partition it names, in Dagster's text.
    #[must_use]
    pub fn partition(&self) -> Option<&str> {
        match self {
            Self::Materialized(made) => made.partition.as_deref(),
            Self::Observed(seen) => seen.partition.as_deref(),
            Self::Checked(judged) => judged.partition.as_deref(),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn key() -> AssetKey {
        AssetKey::parse("raw/events").expect("a key")
    }

    #[test]
    fn what_is_not_said_is_as_if_nothing_else_were_said() {
        let made: AssetMaterialization =
            serde_json::from_value(json!({"asset": "raw/events"})).expect("JSON");
        assert_eq!(made, AssetMaterialization::new(key()));
        let seen: AssetObservation =
            serde_json::from_value(json!({"asset": "raw/events"})).expect("JSON");
        assert_eq!(seen, AssetObservation::new(key()));
        let judged = json!({"asset": "raw/events", "check": "rows", "passed": false});
        let judged: AssetCheckResult = serde_json::from_value(judged).expect("JSON");
        assert_eq!(judged, AssetCheckResult::new(key(), "rows", false));
        assert_eq!(judged.severity, Severity::Error);
    }

    #[test]
    fn absent_rather_than_null() {
        let text = serde_json::to_string(&AssetObservation::new(key())).expect("JSON");
        assert_eq!(text, r#"{"asset":"raw/events","metadata":{},"tags":{}}"#);
    }

    #[test]
    fn each_says_what_it_is_about() {
        let partition = || Some("2026-01-01".to_owned());
        let facts = [
            AssetFact::Materialized(AssetMaterialization {
                partition: partition(),
                ..AssetMaterialization::new(key())
            }),
            AssetFact::Observed(AssetObservation {
                partition: partition(),
                ..AssetObservation::new(key())
            }),
            AssetFact::Checked(AssetCheckResult {
                partition: partition(),
                ..AssetCheckResult::new(key(), "rows", true)
            }),
        ];
        for fact in facts {
            assert_eq!(
                (fact.asset(), fact.partition()),
                (&key(), Some("2026-01-01"))
            );
        }
    }
}
