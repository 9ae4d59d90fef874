//! The JSON of a definition, as the manifest has it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::PartitionsDef;
use crate::partition::error::PartitionsError;
use crate::partition::window::{Cadence, TimeWindowSpec};

/// The JSON of a definition.
#[derive(Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum Document {
    Static {
        keys: Vec<String>,
    },
    TimeWindow {
        cadence: Cadence,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        cron: Option<String>,
        start: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        end: Option<String>,
        #[serde(default = "utc")]
        timezone: String,
        #[serde(default)]
        fmt: Option<String>,
        #[serde(default)]
        end_offset: i32,
        #[serde(default)]
        minute_offset: u8,
        #[serde(default)]
        hour_offset: u8,
        #[serde(default)]
        day_offset: Option<u8>,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        exclusions: Vec<String>,
    },
    Dynamic {
        name: String,
    },
    Multi {
        dimensions: BTreeMap<String, PartitionsDef>,
    },
}

fn utc() -> String {
    "UTC".into()
}

impl TryFrom<Document> for PartitionsDef {
    type Error = PartitionsError;

    fn try_from(document: Document) -> Result<Self, PartitionsError> {
        match document {
            Document::Static { keys } => Self::fixed(keys),
            Document::Dynamic { name } => Self::dynamic(name),
            Document::Multi { dimensions } => Self::multi(dimensions),
            Document::TimeWindow {
                cadence,
                cron,
                exclusions,
                start,
                end,
                timezone,
                fmt,
                end_offset,
                minute_offset,
                hour_offset,
                day_offset,
            } => Self::time_window(TimeWindowSpec {
                cron,
                exclusions,
                end,
                timezone,
                fmt: fmt.unwrap_or_else(|| cadence.default_fmt().into()),
                end_offset,
                minute_offset,
                hour_offset,
                day_offset: day_offset.unwrap_or_else(|| cadence.default_day_offset()),
                ..TimeWindowSpec::of(cadence, &start)
            }),
        }
    }
}

impl From<PartitionsDef> for Document {
    fn from(def: PartitionsDef) -> Self {
        match def {
            PartitionsDef::Static(list) => Self::Static {
                keys: list.values().to_vec(),
            },
            PartitionsDef::Dynamic(set) => Self::Dynamic {
                name: set.name().to_owned(),
            },
            PartitionsDef::Multi(multi) => Self::Multi {
                dimensions: multi
                    .dimensions()
                    .iter()
                    .map(|dimension| (dimension.name.clone(), dimension.def.clone()))
                    .collect(),
            },
            PartitionsDef::TimeWindow(windows) => {
                let spec = windows.spec().clone();
                Self::TimeWindow {
                    cadence: spec.cadence,
                    cron: spec.cron,
                    exclusions: spec.exclusions,
                    start: spec.start,
                    end: spec.end,
                    timezone: spec.timezone,
                    fmt: Some(spec.fmt),
                    end_offset: spec.end_offset,
                    minute_offset: spec.minute_offset,
                    hour_offset: spec.hour_offset,
                    day_offset: Some(spec.day_offset),
                }
            }
        }
    }
}
