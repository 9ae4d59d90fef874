//! Which partitions a run is asked for, and what that means for each asset.

use arco_core::definitions::Catalog;
use arco_core::partition::PartitionsDef;
use arco_core::{AssetKey, PartitionKey, Timestamp};

use crate::Rejection;

/// Partitions, in a person's words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PartitionsAsked {
    /// None was given: right when no selected asset is partitioned.
    None,
    /// These keys, or `FIRST...LAST` ranges (P-18), in Dagster's text.
    Keys(Vec<String>),
    /// Every partition that exists.
    All,
}

impl PartitionsAsked {
    /// As it is shown again: `2026-01-01`, `2026-01-01...2026-01-31`, `all`.
    #[must_use]
    pub fn display(&self) -> Option<String> {
        match self {
            Self::None => None,
            Self::Keys(keys) => Some(keys.join(", ")),
            Self::All => Some("all".into()),
        }
    }

    /// A key for a selection without partitioned assets is a mistake worth saying.
    pub(super) fn check_used(
        &self,
        catalog: &Catalog,
        assets: &[AssetKey],
    ) -> Result<(), Rejection> {
        let Self::Keys(keys) = self else {
            return Ok(());
        };
        let partitioned = |key: &AssetKey| {
            catalog
                .asset(key)
                .is_some_and(|found| found.asset.partitions.is_some())
        };
        match keys.first() {
            Some(key) if !assets.iter().any(partitioned) => {
                Err(Rejection::PartitionUnused(key.clone()))
            }
            _ => Ok(()),
        }
    }

    /// The keys of one asset; `None` when it is unpartitioned.
    pub(super) fn keys(
        &self,
        asset: &AssetKey,
        def: Option<&PartitionsDef>,
        now: Timestamp,
    ) -> Result<Option<Vec<PartitionKey>>, Rejection> {
        let Some(def) = def else { return Ok(None) };
        match self {
            Self::None => Err(Rejection::PartitionMissing {
                asset: asset.clone(),
                example: def.example_key(),
            }),
            Self::All => Ok(Some(def.keys(now).collect())),
            Self::Keys(texts) => {
                let mut ordinals = std::collections::BTreeSet::new();
                for text in texts {
                    self::add(asset, def, text, now, &mut ordinals)?;
                }
                Ok(Some(
                    ordinals.into_iter().filter_map(|n| def.key_at(n)).collect(),
                ))
            }
        }
    }
}

fn add(
    asset: &AssetKey,
    def: &PartitionsDef,
    text: &str,
    now: Timestamp,
    ordinals: &mut std::collections::BTreeSet<u64>,
) -> Result<(), Rejection> {
    let refused = |error| Rejection::bad_partition(asset, &error);
    for key in def.parse_range(text).map_err(refused)? {
        ordinals.insert(def.require(&key, now).map_err(refused)?);
    }
    Ok(())
}
