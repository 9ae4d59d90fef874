//! What selections ask of assets that their definitions alone do not hold.

use std::collections::BTreeMap;

/// Whoever keeps what happened to assets answers the attributes that ask for it (EX-35).
pub trait SelectionFacts {
    /// How far the materialization of a node is.
    fn status(&self, node: usize) -> AssetStatus;
    /// The columns of its table: of its last materialization that says them, else as defined. Empty
    /// when nothing says them.
    fn columns(&self, node: usize) -> Vec<Column>;
    /// The name of its table, from the same sources.
    fn table_name(&self, node: usize) -> Option<String>;
}

/// A column of a table.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
}

/// How far the materialization of an asset is; of a partitioned one, what any of its partitions is, the
/// most telling first: in progress, failed, materialized, never materialized.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum AssetStatus {
    /// Planned in a run that is not over.
    InProgress,
    /// The last attempt failed, with no materialization since (F-2).
    Failed,
    /// Materialized.
    Materialized,
    /// None of these.
    NeverMaterialized,
}

impl AssetStatus {
    /// All of them.
    pub const ALL: [Self; 4] = [
        Self::InProgress,
        Self::Failed,
        Self::Materialized,
        Self::NeverMaterialized,
    ];

    /// The word for it, as in `status:failed`.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::InProgress => "in_progress",
            Self::Failed => "failed",
            Self::Materialized => "materialized",
            Self::NeverMaterialized => "never_materialized",
        }
    }

    /// Reads a word in upper or lower case; `missing` is Dagster's for an asset without materialization.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        let word = word.to_ascii_lowercase();
        match word.as_str() {
            "missing" => Some(Self::NeverMaterialized),
            _ => Self::ALL.into_iter().find(|status| status.word() == word),
        }
    }
}
