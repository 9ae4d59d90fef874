//! What a backfill is to make, worked out once before it is asked for: off the loop, on a view of the state.
//! The decision is refused when the definitions moved since.

use std::collections::{BTreeMap, BTreeSet};

use arco_core::backfill::{BackfillTarget, LeftOut, TargetNeed, TargetUnit};
use arco_core::definitions::{BackfillPolicy, Catalog};
use arco_core::partition::{DynamicSets, Ordinals, PartitionMapping, PartitionsDef};
use arco_core::{AssetKey, Digest, Timestamp};

use super::target::{Selector, Target, Wanted, definition};
use super::units::{Unit, reads_its_own_of};
use crate::Rejection;
use crate::planner::{self, PartitionsAsked, PlanRequest, TASKS_MAX};
use crate::state::backfill::{Progress, Shape};
use crate::state::{Backfill, State};

/// What is asked of a backfill, as far as it says what is made.
#[derive(Debug, Clone, Default)]
pub struct TargetAsk {
    /// The assets, as selected.
    pub assets: BTreeSet<AssetKey>,
    /// Which partitions of them.
    pub selector: Selector,
    /// How many partitions a run makes, in place of what the assets say.
    pub policy: Option<BackfillPolicy>,
    /// What needs a parent partition that does not exist is no reason to go on without it.
    pub refuse_left_out: bool,
}

/// A target, and the definitions it was worked out with.
#[derive(Debug, Clone)]
pub struct Resolved {
    /// What is made.
    pub target: BackfillTarget,
    /// Each asset of it after all its ancestors among them.
    pub assets: Vec<AssetKey>,
    /// Version per location.
    pub definitions: BTreeMap<String, Digest>,
}

/// Works out what is made of what is asked at `now`.
///
/// # Errors
/// [`Rejection`] when an asset or a key is not what it should be, when nothing is left to make, or when a run
/// of it could not be planned.
pub fn resolve(state: &State, ask: &TargetAsk, now: Timestamp) -> Result<Resolved, Rejection> {
    let catalog = &state.catalog;
    let target = Target::resolve(catalog, &ask.assets, &ask.selector, now)
        .map_err(|refused| of_dimension(catalog, &ask.selector, refused))?;
    if let Some(out) = target.left_out.first().filter(|_| ask.refuse_left_out) {
        return Err(refused(catalog, out, target.left_out.len()));
    }
    if target.assets.is_empty() {
        return Err(Rejection::EmptyBackfill(match target.left_out.first() {
            Some(out) => format!(
                "every partition needs one of `{}` that does not exist",
                out.parent
            ),
            None => nothing(state, &ask.assets, now),
        }));
    }
    let units = Unit::of(catalog, &target);
    let stored = stored(state, &target, &units, ask.policy, now)?;
    check_runs(catalog, &stored, now)?;
    let definitions = target.assets.iter().filter_map(|(key, _)| {
        let found = catalog.step_of(key)?.definitions;
        Some((found.location().to_owned(), found.version()))
    });
    Ok(Resolved {
        definitions: definitions.collect(),
        assets: target.assets.iter().map(|(key, _)| key.clone()).collect(),
        target: stored,
    })
}

/// A refused key of a dimension, with the name of the dimension.
fn of_dimension(catalog: &Catalog, selector: &Selector, refused: Rejection) -> Rejection {
    let Rejection::BadPartition { asset, message } = &refused else {
        return refused;
    };
    let Some(PartitionsDef::Multi(multi)) = definition(catalog, asset) else {
        return refused;
    };
    for (name, texts) in &selector.dimensions {
        let Some(at) = multi.position(name) else {
            continue;
        };
        let own = &multi.dimensions()[at].def;
        for text in texts {
            let Err(error) = own.parse_range(text) else {
                continue;
            };
            if error.of(asset.as_str()) == *message {
                return Rejection::bad_partition(asset, &error.within(text, name));
            }
        }
    }
    refused
}

/// Why nothing of what was asked is there to make.
fn nothing(state: &State, assets: &BTreeSet<AssetKey>, now: Timestamp) -> String {
    let defs = assets.iter().filter_map(|key| {
        let def = definition(&state.catalog, key)?;
        Some((key, def))
    });
    let defs: Vec<(&AssetKey, &PartitionsDef)> = defs.collect();
    let Some((key, def)) = defs.first() else {
        return "no asset is like that".into();
    };
    if defs.iter().any(|(_, def)| !def.existing(now).is_empty()) {
        return "no partition is like that".into();
    }
    let is_empty = |name: &&str| {
        state
            .partition_sets
            .get(*name)
            .is_none_or(|keys| keys.is_empty())
    };
    match def.dynamic_names().find(is_empty) {
        Some(name) => format!(
            "`{key}` has no partitions yet, for the dynamic partitions `{name}` have no key; `arco partitions add {name} KEY` adds one"
        ),
        None => format!("`{key}` has no partitions yet"),
    }
}

fn refused(catalog: &Catalog, out: &super::target::LeftOut, all: usize) -> Rejection {
    let first = out.ordinals.first();
    let key = first.and_then(|at| definition(catalog, &out.asset)?.key_at(at));
    let key = key.map_or_else(String::new, |key| format!("[{}]", key.display()));
    let more = out.ordinals.len().saturating_sub(1) + all as u64 - 1;
    Rejection::NonexistentUpstream {
        child: format!("{}{key}", out.asset),
        key: out
            .key
            .as_ref()
            .map_or_else(String::new, |key| key.display().into_owned()),
        parent: out.parent.clone(),
        more: match more {
            0 => String::new(),
            n => format!(" (and {n} more)"),
        },
    }
}

fn stored(
    state: &State,
    target: &Target,
    units: &[Unit],
    policy: Option<BackfillPolicy>,
    now: Timestamp,
) -> Result<BackfillTarget, Rejection> {
    let catalog = &state.catalog;
    let mut of_asset: BTreeMap<&AssetKey, u32> = BTreeMap::new();
    for (at, unit) in (0..).zip(units) {
        unit.assets.iter().for_each(|key| {
            of_asset.insert(key, at);
        });
    }
    let mut out = Vec::with_capacity(units.len());
    let mut sets = DynamicSets::new();
    for (at, unit) in (0..).zip(units) {
        let def = definition(catalog, &unit.assets[0]);
        for name in def.into_iter().flat_map(PartitionsDef::dynamic_names) {
            if let Some(keys) = state.partition_sets.get(name) {
                sets.insert(name.to_owned(), keys.clone());
            }
        }
        let members = match &unit.wanted {
            Wanted::Whole => Ordinals::default(),
            Wanted::Partitions(ordinals) => ordinals.clone(),
        };
        if unit.wanted.count() > u64::from(u32::MAX) {
            return Err(Rejection::BadBackfill(format!(
                "`{}` has {} partitions to make, and a backfill makes {} of an asset at most; ask for fewer",
                unit.assets[0],
                unit.wanted.count(),
                u32::MAX
            )));
        }
        out.push(TargetUnit {
            chunk_size: chunk_size(policy.or(unit.policy), unit),
            needs: needs(catalog, units, at, &of_asset),
            assets: unit.assets.clone(),
            partitions: def.cloned(),
            members,
            ready: Ordinals::default(),
        });
    }
    let mut out = BackfillTarget {
        now,
        sets,
        units: out,
        left_out: target
            .left_out
            .iter()
            .map(|out| left_out(catalog, out))
            .collect(),
    };
    let shape = shape(&out)?;
    let nothing = Progress::new(&shape, &out);
    for at in 0..out.units.len() {
        let count = shape.units[at].count();
        out.units[at].ready = match shape.units[at].needs_nothing() {
            true => Ordinals::from(0..u64::from(count)),
            false => (0..count)
                .filter(|member| nothing.is_ready(&shape, at, *member))
                .map(u64::from)
                .collect(),
        };
    }
    Ok(out)
}

/// The shape of a target that is being worked out.
pub(super) fn shape(target: &BackfillTarget) -> Result<Shape, Rejection> {
    Shape::of(target).map_err(|reason| {
        let first = target.units.first().and_then(|unit| unit.assets.first());
        Rejection::BadBackfill(match first {
            Some(key) => {
                format!("the partitions of the backfill of `{key}` cannot be mapped: {reason}")
            }
            None => reason.to_string(),
        })
    })
}

/// Without a policy one (B-8). No chunk is more than a run can be.
fn chunk_size(policy: Option<BackfillPolicy>, unit: &Unit) -> u32 {
    let asked = match policy {
        None => 1,
        Some(policy) => policy.max_partitions_per_run.map_or(u32::MAX, u32::from),
    };
    let most = u32::try_from(TASKS_MAX / (2 * unit.assets.len()).max(1)).unwrap_or(u32::MAX);
    let count = u32::try_from(unit.wanted.count()).unwrap_or(u32::MAX);
    asked.min(most.max(1)).min(count.max(1))
}

/// What the assets of a unit read of targeted ones, each once; and of themselves.
fn needs(
    catalog: &Catalog,
    units: &[Unit],
    at: u32,
    of_asset: &BTreeMap<&AssetKey, u32>,
) -> Vec<TargetNeed> {
    let unit = &units[at as usize];
    let mut out: Vec<TargetNeed> = Vec::new();
    for key in &unit.assets {
        let Some(found) = catalog.asset(key) else {
            continue;
        };
        for dep in &found.asset.deps {
            let Some(parent) = of_asset.get(&dep.asset).copied() else {
                continue;
            };
            // Within the unit only what is past: else it is the same partition of the same run.
            if parent == at && reads_its_own_of(catalog, key, dep) {
                continue;
            }
            let def = definition(catalog, &dep.asset);
            let own = found.asset.partitions.as_ref();
            let mapping = def.map(|def| {
                let given = dep.mapping.clone();
                given.unwrap_or_else(|| PartitionMapping::infer(own, Some(def)))
            });
            let read = (0..).zip(&units[parent as usize].assets);
            let read = read
                .filter(|(_, asset)| **asset == dep.asset)
                .map(|(n, _)| n);
            let custom = mapping.as_ref().and_then(PartitionMapping::custom);
            let answers = custom.zip(own).map(|(custom, own)| {
                let members = match &unit.wanted {
                    Wanted::Whole => Ordinals::default(),
                    Wanted::Partitions(members) => members.clone(),
                };
                custom.answers().only(own.keys_of(members))
            });
            let answers = answers.unwrap_or_default();
            let same = |need: &&mut TargetNeed| {
                need.unit == parent && need.mapping == mapping && need.answers == answers
            };
            match out.iter_mut().find(same) {
                Some(known) => known.assets.extend(read),
                None => out.push(TargetNeed {
                    unit: parent,
                    mapping,
                    answers,
                    assets: read.collect(),
                }),
            }
        }
    }
    for need in &mut out {
        need.assets.sort_unstable();
        need.assets.dedup();
        if need.assets.len() == units[need.unit as usize].assets.len() {
            need.assets.clear();
        }
    }
    out
}

fn left_out(catalog: &Catalog, out: &super::target::LeftOut) -> LeftOut {
    let first = out.ordinals.first();
    LeftOut {
        asset: out.asset.clone(),
        partitions: out.ordinals.len().max(1),
        first: first.and_then(|at| definition(catalog, &out.asset)?.key_at(at)),
        parent: out.parent.clone(),
        lacks: out.key.clone(),
    }
}

/// Plans a run of each unit, of its first partition: what cannot be a run is refused before anything is.
fn check_runs(catalog: &Catalog, target: &BackfillTarget, now: Timestamp) -> Result<(), Rejection> {
    for unit in &target.units {
        let key = unit.partitions.as_ref().zip(unit.members.first());
        let key = key.and_then(|(def, at)| def.resolved(&target.sets).key_at(at));
        let request = PlanRequest {
            assets: unit.assets.iter().cloned().collect(),
            checks: None,
            partitions: match key {
                Some(key) => PartitionsAsked::Keys(vec![key.display().into_owned()]),
                None => PartitionsAsked::None,
            },
        };
        planner::plan(catalog, &request, now)?;
    }
    Ok(())
}

/// What a backfill left undone, in the definitions of now: each asset with partitions of which some are left
/// and defined still, and each without that was not made. What reads something that was left unmade as it may
/// be is not undone: there is nothing to read.
#[must_use]
pub fn undone(
    state: &State,
    backfill: &Backfill,
) -> (BTreeSet<AssetKey>, BTreeMap<AssetKey, Ordinals>) {
    let (mut assets, mut only) = (BTreeSet::new(), BTreeMap::new());
    let held_up = backfill.progress.held_up(&backfill.shape);
    for (at, unit) in backfill.target.units.iter().enumerate() {
        let (shape, progress) = (&backfill.shape.units[at], &backfill.progress.units[at]);
        let is_over = |n: &u32| {
            let is_held_up = held_up.get(at).is_some_and(|members| members.contains(*n));
            is_held_up || progress.done.contains(*n) || progress.skipped.contains(*n)
        };
        let left: Vec<u32> = (0..shape.count()).filter(|n| !is_over(n)).collect();
        for (number, key) in (0..).zip(&unit.assets) {
            // What was made though another asset of its run failed is not made again.
            let left = left.iter().filter(|n| !progress.made_partly(number, **n));
            match (definition(&state.catalog, key), &shape.def) {
                (None, None) if left.clone().next().is_some() => {
                    assets.insert(key.clone());
                }
                (Some(now), Some(then)) => {
                    // Keys of sets may have gone under the same definition.
                    let is_same = now == then && now.dynamic_names().next().is_none();
                    let ordinal = |n: &u32| match is_same {
                        true => shape.members.ordinal(*n),
                        false => now.ordinal_of(&shape.key(*n)?),
                    };
                    let ordinals: Ordinals = left.filter_map(ordinal).collect();
                    if !ordinals.is_empty() {
                        assets.insert(key.clone());
                        only.insert(key.clone(), ordinals);
                    }
                }
                _ => {}
            }
        }
    }
    assets.retain(|key| state.catalog.step_of(key).is_some());
    (assets, only)
}
