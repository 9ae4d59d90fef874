//! What happened to assets, for `status:` and the attributes of tables.

use std::collections::BTreeMap;
use std::sync::Arc;

use arco_core::definitions::AssetDef;
use arco_core::selection::{AssetStatus, Column, SelectionFacts};
use serde::Deserialize;
use serde_json::Value;

use crate::state::AssetState;

/// Metadata that holds the columns of a table, in Dagster's name.
const COLUMN_SCHEMA: &str = "dagster/column_schema";
/// Metadata that holds the name of a table, in Dagster's name.
const TABLE_NAME: &str = "dagster/table_name";

/// The definition and the state of each node, by number.
pub(super) struct Facts<'a>(Vec<(&'a AssetDef, Option<&'a AssetState>)>);

impl<'a> Facts<'a> {
    pub(super) fn new(
        nodes: impl Iterator<Item = (&'a AssetDef, Option<&'a Arc<AssetState>>)>,
    ) -> Self {
        Self(
            nodes
                .map(|(asset, state)| (asset, state.map(Arc::as_ref)))
                .collect(),
        )
    }

    /// A value of a node's metadata: of the last materialization that has it, else as defined.
    fn metadata(&self, node: usize, name: &str) -> Option<&'a Value> {
        let (asset, state) = self.0[node];
        let recorded = state.and_then(|state| {
            let mut newest_first = state.recent.iter().rev();
            newest_first.find_map(|row| row.2.metadata.get(name))
        });
        recorded.or_else(|| asset.metadata.get(name))?.get("value")
    }
}

impl SelectionFacts for Facts<'_> {
    fn status(&self, node: usize) -> AssetStatus {
        let (asset, state) = self.0[node];
        status(asset, state)
    }

    fn columns(&self, node: usize) -> Vec<Column> {
        let schema = self.metadata(node, COLUMN_SCHEMA);
        let schema = schema.and_then(|value| TableSchema::deserialize(value).ok());
        let columns = schema.into_iter().flat_map(|schema| schema.columns);
        columns
            .map(|TableColumn { name, tags }| Column { name, tags })
            .collect()
    }

    fn table_name(&self, node: usize) -> Option<String> {
        let name = self.metadata(node, TABLE_NAME)?.as_str()?;
        Some(name.to_owned())
    }
}

/// The part of a table schema that selections ask for. Metadata is the user's: what is none has no columns.
#[derive(Deserialize)]
struct TableSchema {
    columns: Vec<TableColumn>,
}

#[derive(Deserialize)]
struct TableColumn {
    name: String,
    #[serde(default)]
    tags: BTreeMap<String, String>,
}

/// What any partition is that the asset has today, the most telling first (F-1 to F-3). Those it had
/// under an earlier definition do not count.
#[must_use]
pub fn status(asset: &AssetDef, state: Option<&AssetState>) -> AssetStatus {
    let Some(state) = state else {
        return AssetStatus::NeverMaterialized;
    };
    let ours = |ordinal: u32| match (state.slot(ordinal), &asset.partitions) {
        (Some(Some(key)), Some(def)) => def.ordinal_of(&key).is_some(),
        (Some(None), None) => true,
        _ => false,
    };
    if state.in_progress.keys().any(|ordinal| ours(*ordinal)) {
        AssetStatus::InProgress
    } else if state.failed.iter().any(ours) {
        AssetStatus::Failed
    } else if state.materialized.iter().any(ours) {
        AssetStatus::Materialized
    } else {
        AssetStatus::NeverMaterialized
    }
}
