//! Which partitions of which assets a backfill makes.

use std::collections::{BTreeMap, BTreeSet};

use arco_core::definitions::{Catalog, Dep};
use arco_core::partition::{Ordinals, PartitionEdge, PartitionMapping, PartitionsDef};
use arco_core::{AssetKey, PartitionKey, Timestamp};

use crate::Rejection;
use crate::planner::in_order;

/// Which partitions are asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selector {
    /// Keys and `FIRST...LAST` ranges in Dagster's text, of the assets that no other selected one leads to;
    /// what lies downstream follows by the mappings. `None` for all that exist, of every asset.
    pub keys: Option<Vec<String>>,
    /// Keys by dimension, of those assets too.
    pub dimensions: BTreeMap<String, Vec<String>>,
    /// Of each asset nothing but these.
    pub only: Option<BTreeMap<AssetKey, Ordinals>>,
}

impl Selector {
    /// All that exist.
    #[must_use]
    pub fn all() -> Self {
        Self::default()
    }

    /// These keys and ranges.
    #[must_use]
    pub fn keys(keys: Vec<String>) -> Self {
        Self {
            keys: Some(keys),
            ..Self::default()
        }
    }
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
pub(crate) struct TargetEdge<'a> {
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
        let mut excluded: BTreeMap<AssetKey, Excluded> = BTreeMap::new();
        let mut target = Self {
            assets: Vec::new(),
            left_out: Vec::new(),
        };
        for key in in_order(catalog, selected)? {
            let edges = edges(catalog, &key, &wanted)?;
            check_answered(catalog, &key, &edges, now)?;
            let mut own = match definition(catalog, &key) {
                None => Wanted::Whole,
                Some(def) => Wanted::Partitions(selector.of(&key, def, &edges, &wanted, now)?),
            };
            // What lies downstream follows from what was asked, also where that is left out or not among
            // `only`: a child is then left out by name, and not forgotten.
            wanted.insert(key.clone(), own.clone());
            if let (Some(only), Wanted::Partitions(all)) = (&selector.only, &mut own) {
                *all = only
                    .get(&key)
                    .map_or_else(Ordinals::default, |only| all.intersection(only));
            }
            // Its own past last: what reads a partition that is left out is left out too.
            let (past, others): (Vec<_>, Vec<_>) =
                edges.iter().partition(|edge| edge.dep.asset == key);
            for edge in others.into_iter().chain(past) {
                let Some(left_out) = leave_out(catalog, &key, &mut own, edge, &excluded, now)
                else {
                    continue;
                };
                let here = excluded.entry(key.clone()).or_default();
                here.whole |= left_out.ordinals.is_empty();
                here.ordinals = here.ordinals.union(&left_out.ordinals);
                target.left_out.push(left_out);
            }
            let parent = whole_parent(catalog, &key, &excluded).filter(|_| own.count() > 0);
            if let Some(parent) = parent {
                let ordinals = match &own {
                    Wanted::Whole => Ordinals::default(),
                    Wanted::Partitions(all) => all.clone(),
                };
                let here = excluded.entry(key.clone()).or_default();
                here.whole |= own == Wanted::Whole;
                here.ordinals = here.ordinals.union(&ordinals);
                own = Wanted::Partitions(Ordinals::default());
                target.left_out.push(LeftOut {
                    asset: key.clone(),
                    ordinals,
                    parent,
                    key: None,
                });
            }
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

/// What follows from what a partition reads is worked out when that is known of all.
fn check_answered(
    catalog: &Catalog,
    key: &AssetKey,
    edges: &[TargetEdge<'_>],
    now: Timestamp,
) -> Result<(), Rejection> {
    let Some(def) = definition(catalog, key) else {
        return Ok(());
    };
    for each in edges {
        let unanswered = each.edge.unanswered(&def.existing(now));
        let refused = unanswered
            .and_then(|at| Rejection::unanswered((key, Some(def)), each.dep, &each.edge, Some(at)));
        if let Some(refused) = refused {
            return Err(refused);
        }
    }
    Ok(())
}

/// A parent without partitions that is left out.
fn whole_parent(
    catalog: &Catalog,
    key: &AssetKey,
    excluded: &BTreeMap<AssetKey, Excluded>,
) -> Option<AssetKey> {
    let deps = &catalog.asset(key)?.asset.deps;
    let mut parents = deps.iter().map(|dep| &dep.asset);
    parents
        .find(|parent| excluded.get(*parent).is_some_and(|excluded| excluded.whole))
        .cloned()
}

/// What of an asset is left out.
#[derive(Debug, Default)]
struct Excluded {
    ordinals: Ordinals,
    /// The asset has no partitions, and is left out itself.
    whole: bool,
}

impl Selector {
    fn of(
        &self,
        key: &AssetKey,
        def: &PartitionsDef,
        edges: &[TargetEdge<'_>],
        wanted: &BTreeMap<AssetKey, Wanted>,
        now: Timestamp,
    ) -> Result<Ordinals, Rejection> {
        let existing = def.existing(now);
        if self.keys.is_none() && self.dimensions.is_empty() {
            return Ok(existing);
        }
        if let Some(fed) = fed(def, edges, wanted, now) {
            return Ok(fed);
        }
        let mut out = match &self.keys {
            Some(texts) => asked(key, def, texts, now)?,
            None => existing,
        };
        if !self.dimensions.is_empty() {
            out = within(key, def, &out, &self.dimensions)?;
        }
        Ok(out)
    }
}

/// Those of some partitions whose dimensions have one of the keys.
fn within(
    asset: &AssetKey,
    def: &PartitionsDef,
    ordinals: &Ordinals,
    dimensions: &BTreeMap<String, Vec<String>>,
) -> Result<Ordinals, Rejection> {
    let bad = |text: String| Rejection::BadPartition {
        asset: asset.clone(),
        message: text,
    };
    let PartitionsDef::Multi(multi) = def else {
        let names: Vec<&str> = dimensions.keys().map(String::as_str).collect();
        return Err(bad(format!(
            "`{asset}` has no dimensions, and keys of {} were given; give its keys themselves",
            names.join(", ")
        )));
    };
    let mut keys: Vec<(&str, BTreeSet<arco_core::partition::PartitionValue>)> = Vec::new();
    for (name, texts) in dimensions {
        let Some(at) = multi.position(name) else {
            let known: Vec<&str> = multi.dimensions().iter().map(|d| d.name.as_str()).collect();
            return Err(bad(format!(
                "`{asset}` has no dimension `{name}`; its dimensions are {}",
                known.join(", ")
            )));
        };
        let own = &multi.dimensions()[at].def;
        let mut values = BTreeSet::new();
        for text in texts {
            let found = own.parse_range(text);
            let found = found.map_err(|error| Rejection::bad_partition(asset, &error))?;
            values.extend(found.filter_map(|key| key.only_value()));
        }
        keys.push((name, values));
    }
    let fits = |key: &PartitionKey| {
        let values = key.dimensions();
        keys.iter().all(|(name, allowed)| {
            values
                .iter()
                .any(|(known, value)| known == name && allowed.contains(value))
        })
    };
    let fitting = ordinals
        .iter()
        .filter(|at| def.key_at(*at).is_some_and(|key| fits(&key)));
    Ok(fitting.collect())
}

/// What the wanted partitions of the parents feed; `None` when no parent is wanted.
fn fed(
    def: &PartitionsDef,
    edges: &[TargetEdge<'_>],
    wanted: &BTreeMap<AssetKey, Wanted>,
    now: Timestamp,
) -> Option<Ordinals> {
    let mut out: Option<Ordinals> = None;
    for each in edges {
        let Some(Wanted::Partitions(parents)) = wanted.get(&each.dep.asset) else {
            continue;
        };
        let existing = def.existing(now);
        let fed: Ordinals = if each.edge.is_same() {
            parents.intersection(&existing)
        } else if each.edge.reads_all() && !parents.is_empty() {
            existing
        } else if parents.len() > existing.len() {
            // Fewer questions from the side of the child.
            let reads = |at: &u64| {
                let needs = each.edge.upstream(Some(*at), now).ordinals;
                !needs.intersection(parents).is_empty()
            };
            existing.iter().filter(reads).collect()
        } else {
            let fed = parents.iter().map(|at| each.edge.downstream(at, now));
            let ranges = fed.flat_map(|fed| fed.ranges().to_vec());
            ranges.collect::<Ordinals>()
        };
        out = Some(match out {
            Some(known) => known.union(&fed),
            None => fed,
        });
    }
    out
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
    excluded: &BTreeMap<AssetKey, Excluded>,
    now: Timestamp,
) -> Option<LeftOut> {
    let parent = &edge.dep.asset;
    let gone = excluded.get(parent);
    let is_past = parent == asset;
    // With those found so far: an asset's own past comes before it.
    let lacks = |ordinal: Option<u64>, so_far: &Ordinals| -> Option<Option<PartitionKey>> {
        let needs = edge.edge.upstream(ordinal, now);
        if let Some(key) = needs.nonexistent.first() {
            return Some(Some(key.clone()));
        }
        // What reads one that is not made would read something old.
        let among = |gone: &Ordinals| needs.ordinals.intersection(gone).first();
        let missing = gone.and_then(|gone| among(&gone.ordinals));
        let missing = missing.or_else(|| among(so_far))?;
        Some(definition(catalog, parent).and_then(|def| def.key_at(missing)))
    };
    let mut key = None;
    let ordinals: Ordinals = match own {
        Wanted::Whole => {
            key = lacks(None, &Ordinals::default())?;
            Ordinals::default()
        }
        Wanted::Partitions(all) => {
            // One definition on both sides: what exists of one exists of the other.
            let at_risk = match (edge.edge.is_same(), gone) {
                (true, None) => Ordinals::default(),
                (true, Some(gone)) => all.intersection(&gone.ordinals),
                _ => all.clone(),
            };
            let (mut out, mut past) = (Vec::new(), Ordinals::default());
            for ordinal in at_risk.iter() {
                if let Some(missing) = lacks(Some(ordinal), &past) {
                    key = key.or(missing);
                    out.push(ordinal);
                    if is_past {
                        past = past.union(&Ordinals::from(ordinal..ordinal + 1));
                    }
                }
            }
            if out.is_empty() {
                return None;
            }
            out.into_iter().collect()
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
