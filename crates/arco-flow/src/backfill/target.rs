//! Which partitions of which assets a backfill makes.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use arco_core::definitions::{Catalog, Dep};
use arco_core::partition::{Ordinals, PartitionEdge, PartitionMapping, PartitionsDef};
use arco_core::{AssetKey, PartitionKey, Timestamp};

use crate::Rejection;
use crate::planner::in_order;

/// Which partitions are asked for, of the assets that no other selected one leads to. What lies downstream
/// follows by the mappings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Selector {
    /// All that exist.
    All,
    /// Keys and `FIRST...LAST` ranges, in Dagster's text.
    Keys(Vec<String>),
    /// Those that exist and are not in here: made already, or not failed.
    Except(BTreeMap<AssetKey, Ordinals>),
}

/// What of one asset is made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wanted {
    /// The asset as a whole: it has no partitions.
    Whole,
    /// These partitions.
    Partitions(Ordinals),
}

impl Wanted {
    /// How many materializations that is.
    #[must_use]
    pub fn count(&self) -> u64 {
        match self {
            Self::Whole => 1,
            Self::Partitions(ordinals) => ordinals.len(),
        }
    }
}

/// Partitions that were asked for and cannot be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftOut {
    /// The asset.
    pub asset: AssetKey,
    /// Its partitions; none for an asset without partitions.
    pub ordinals: Ordinals,
    /// The parent they need.
    pub parent: AssetKey,
    /// One partition of the parent that does not exist, or is itself left out.
    pub key: Option<PartitionKey>,
}

/// The partitions of a backfill.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// Each asset after all its ancestors among them.
    pub assets: Vec<(AssetKey, Wanted)>,
    /// What was asked for and cannot be made (D-5, D-14).
    pub left_out: Vec<LeftOut>,
}

/// A dependency between two assets of a backfill.
pub(super) struct TargetEdge<'a> {
    pub(super) dep: &'a Dep,
    pub(super) edge: PartitionEdge,
}

impl Target {
    /// Resolves what was asked at `now`.
    ///
    /// # Errors
    /// [`Rejection`] when an asset or a key is not what it should be.
    pub fn resolve(
        catalog: &Catalog,
        selected: &BTreeSet<AssetKey>,
        selector: &Selector,
        now: Timestamp,
    ) -> Result<Self, Rejection> {
        let mut wanted: BTreeMap<AssetKey, Wanted> = BTreeMap::new();
        let mut excluded: BTreeMap<AssetKey, Option<PartitionKey>> = BTreeMap::new();
        let mut target = Self {
            assets: Vec::new(),
            left_out: Vec::new(),
        };
        for key in in_order(catalog, selected)? {
            let mut own = match definition(catalog, &key) {
                None => Wanted::Whole,
                Some(def) => {
                    let edges = edges(catalog, &key, &wanted)?;
                    let fed = fed(&edges, &wanted, now);
                    Wanted::Partitions(match (fed, selector) {
                        (Some(fed), Selector::All | Selector::Keys(_)) => fed,
                        (_, Selector::Except(out)) => {
                            let out = out.get(&key).cloned().unwrap_or_default();
                            def.existing(now).difference(&out)
                        }
                        (None, Selector::All) => def.existing(now),
                        (None, Selector::Keys(texts)) => asked(&key, def, texts, now)?,
                    })
                }
            };
            for edge in edges(catalog, &key, &wanted)? {
                if let Some(left_out) =
                    leave_out(catalog, &key, &mut own, &edge, &excluded, &wanted, now)
                {
                    excluded
                        .entry(key.clone())
                        .or_insert_with(|| left_out.key.clone());
                    target.left_out.push(left_out);
                }
            }
            wanted.insert(key.clone(), own.clone());
            target.assets.push((key, own));
        }
        target.assets.retain(|(_, wanted)| wanted.count() > 0);
        Ok(target)
    }

    /// How many materializations it is in all.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.assets.iter().map(|(_, wanted)| wanted.count()).sum()
    }

    /// What of an asset is made.
    #[must_use]
    pub fn wanted(&self, key: &AssetKey) -> Option<&Wanted> {
        self.assets
            .iter()
            .find(|(asset, _)| asset == key)
            .map(|(_, wanted)| wanted)
    }
}

pub(super) fn definition<'a>(catalog: &'a Catalog, key: &AssetKey) -> Option<&'a PartitionsDef> {
    catalog.asset(key)?.asset.partitions.as_ref()
}

/// The edges of an asset to partitioned assets among `to`, and to itself.
pub(super) fn edges<'a>(
    catalog: &'a Catalog,
    key: &AssetKey,
    to: &BTreeMap<AssetKey, Wanted>,
) -> Result<Vec<TargetEdge<'a>>, Rejection> {
    let Some(found) = catalog.asset(key) else {
        return Ok(Vec::new());
    };
    let child = found.asset.partitions.as_ref();
    let mut out = Vec::new();
    for dep in &found.asset.deps {
        let Some(parent) = definition(catalog, &dep.asset) else {
            continue;
        };
        if dep.asset != *key && !to.contains_key(&dep.asset) {
            continue;
        }
        let mapping = dep
            .mapping
            .clone()
            .unwrap_or_else(|| PartitionMapping::infer(child, Some(parent)));
        let edge =
            PartitionEdge::new(&mapping, child, parent).map_err(|reason| Rejection::Mapping {
                child: key.clone(),
                parent: dep.asset.clone(),
                reason,
            })?;
        out.push(TargetEdge { dep, edge });
    }
    Ok(out)
}

/// What the wanted partitions of the parents feed; `None` when no parent is wanted.
fn fed(
    edges: &[TargetEdge<'_>],
    wanted: &BTreeMap<AssetKey, Wanted>,
    now: Timestamp,
) -> Option<Ordinals> {
    let mut ranges: Option<Vec<Range<u64>>> = None;
    for each in edges {
        if let Some(Wanted::Partitions(parents)) = wanted.get(&each.dep.asset) {
            let ranges = ranges.get_or_insert_with(Vec::new);
            for parent in parents.iter() {
                let fed = each.edge.downstream(parent, now);
                ranges.extend(fed.ranges().iter().cloned());
            }
        }
    }
    ranges.map(|ranges| ranges.into_iter().collect())
}

fn asked(
    asset: &AssetKey,
    def: &PartitionsDef,
    texts: &[String],
    now: Timestamp,
) -> Result<Ordinals, Rejection> {
    let refused = |error| Rejection::bad_partition(asset, &error);
    let mut out = Ordinals::default();
    for text in texts {
        let keys = def.parse_range(text).map_err(refused)?;
        let there = keys.ordinals().intersection(&def.existing(now));
        if there != *keys.ordinals() {
            // Names the first that does not exist, and says when it will.
            for key in keys {
                def.require(&key, now).map_err(refused)?;
            }
        }
        out = out.union(&there);
    }
    Ok(out)
}

/// Takes out what needs a parent partition that does not exist, or that is left out itself.
fn leave_out(
    catalog: &Catalog,
    asset: &AssetKey,
    own: &mut Wanted,
    edge: &TargetEdge<'_>,
    excluded: &BTreeMap<AssetKey, Option<PartitionKey>>,
    wanted: &BTreeMap<AssetKey, Wanted>,
    now: Timestamp,
) -> Option<LeftOut> {
    let parent = &edge.dep.asset;
    let made = match wanted.get(parent) {
        Some(Wanted::Partitions(made)) => made.clone(),
        _ => Ordinals::default(),
    };
    // A parent that lost partitions: what reads one that is not made would read something old.
    let is_short = parent != asset && excluded.contains_key(parent);
    let lacks = |ordinal: Option<u64>| -> Option<Option<PartitionKey>> {
        let needs = edge.edge.upstream(ordinal, now);
        if let Some(key) = needs.nonexistent.first() {
            return Some(Some(key.clone()));
        }
        let missing = is_short
            .then(|| needs.ordinals.difference(&made).first())
            .flatten()?;
        Some(definition(catalog, parent).and_then(|def| def.key_at(missing)))
    };
    let mut key = None;
    let ordinals = match own {
        Wanted::Whole => {
            key = lacks(None)?;
            Ordinals::default()
        }
        Wanted::Partitions(all) => {
            let mut out = Vec::new();
            for ordinal in all.iter() {
                if let Some(missing) = lacks(Some(ordinal)) {
                    key = key.or(missing);
                    out.push(ordinal);
                }
            }
            let out: Ordinals = out.into_iter().collect();
            if out.is_empty() {
                return None;
            }
            out
        }
    };
    *own = match own {
        Wanted::Whole => Wanted::Partitions(Ordinals::default()),
        Wanted::Partitions(all) => Wanted::Partitions(all.difference(&ordinals)),
    };
    Some(LeftOut {
        asset: asset.clone(),
        ordinals,
        parent: parent.clone(),
        key,
    })
}
