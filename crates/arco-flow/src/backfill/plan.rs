//! The next chunks of a backfill, and each as a run: what the leader does off the loop, and the decision
//! judges again.

use std::collections::BTreeMap;
use std::sync::Arc;

use arco_core::backfill::{BackfillStatus, ChunkOf};
use arco_core::definitions::Catalog;
use arco_core::limits::TimeLimits;
use arco_core::partition::{PartitionEdge, PartitionsDef};
use arco_core::{AssetKey, BackfillId, PartitionKey, RunId, Timestamp};

use crate::Rejection;
use crate::command::RunRequest;
use crate::decide::{BACKFILL_SCOPE, chunk_key};
use crate::planner::{self, PartitionsAsked, PlanRequest};
use crate::state::{Backfill, State};

/// Tags that runs of backfills bear, by which people and scripts find them (B-7, B-10).
const BACKFILL_TAG: &str = "dagster/backfill";
const CHUNK_TAG: &str = "arco/chunk";
const PARTITION_TAG: &str = "dagster/partition";
const RANGE_START_TAG: &str = "dagster/asset_partition_range_start";
const RANGE_END_TAG: &str = "dagster/asset_partition_range_end";
const PARENT_TAG: &str = "dagster/parent_backfill_id";

/// A chunk that may become a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chunk {
    /// Its number.
    pub chunk: u64,
    /// The assets.
    pub assets: Vec<AssetKey>,
    /// Its partitions, in order; none for assets without partitions.
    pub keys: Option<Vec<PartitionKey>>,
    /// It makes several partitions, or might: its tags are those of a range (B-10).
    pub is_range: bool,
}

/// A chunk as a run, or why it can never be one.
pub type ChunkRun = (u64, Result<RunRequest, String>);

/// The chunks that become runs next, as far as there is room at `now`: at most `most`.
#[must_use]
pub fn next(state: &State, id: BackfillId, now: Timestamp, most: usize) -> Vec<Chunk> {
    let Some(backfill) = state.backfills.get(&id) else {
        return Vec::new();
    };
    if !matches!(
        backfill.status,
        BackfillStatus::Pending | BackfillStatus::Running
    ) {
        return Vec::new();
    }
    let room = backfill.room(now).min(most);
    let (shape, progress) = (&backfill.shape, &backfill.progress);
    let unasked: Vec<Vec<AssetEdge>> = (0..shape.units.len())
        .map(|unit| unasked(&state.catalog, backfill, unit))
        .collect();
    let is_answered = |(unit, within): &(usize, u32)| {
        let form = &shape.units[*unit];
        let keys = form.members_of(*within).filter_map(|n| form.key(n));
        unasked[*unit].is_empty() || {
            let keys: Vec<PartitionKey> = keys.collect();
            unasked[*unit].iter().all(|edge| edge.is_answered(&keys))
        }
    };
    let open = progress.next(backfill.settings.order).filter(is_answered);
    let mut chunks: Vec<(usize, u32)> = open.take(room).collect();
    if chunks.is_empty() && progress.open() == 0 && backfill.active.is_empty() {
        chunks = progress
            .rest(shape)
            .filter(is_answered)
            .take(room)
            .collect();
    }
    let chunk = |(unit, within): (usize, u32)| {
        let form = &shape.units[unit];
        let members = progress.members(shape, unit, within);
        Chunk {
            chunk: shape.number(unit, within),
            assets: backfill.target.units[unit].assets.clone(),
            keys: form
                .def
                .as_ref()
                .map(|_| members.into_iter().filter_map(|n| form.key(n)).collect()),
            is_range: backfill.target.units[unit].chunk_size > 1,
        }
    };
    chunks.into_iter().map(chunk).collect()
}

/// An edge of a unit whose mapping is code that did not answer for all partitions that exist.
struct AssetEdge<'a> {
    def: &'a PartitionsDef,
    edge: PartitionEdge,
}

impl AssetEdge<'_> {
    fn is_answered(&self, keys: &[PartitionKey]) -> bool {
        let ordinals = keys.iter().filter_map(|key| self.def.ordinal_of(key));
        ordinals.map(Some).all(|at| self.edge.is_answered(at))
    }
}

/// The edges of a unit by which its chunks may have to wait: those whose mapping is code, whoever makes what is
/// read.
fn unasked<'a>(catalog: &'a Catalog, backfill: &Backfill, unit: usize) -> Vec<AssetEdge<'a>> {
    let assets = backfill.target.units[unit].assets.iter();
    let found = assets.filter_map(|key| catalog.asset(key));
    let edges = found.flat_map(|found| {
        let asset = found.asset;
        let custom = asset.deps.iter().filter_map(|dep| {
            let mapping = dep.mapping.as_ref().filter(|m| m.custom().is_some())?;
            let parent = catalog.asset(&dep.asset)?.asset.partitions.as_ref()?;
            let def = asset.partitions.as_ref()?;
            let edge = PartitionEdge::new(mapping, Some(def), parent).ok()?;
            Some(AssetEdge { def, edge })
        });
        custom.collect::<Vec<_>>()
    });
    edges.collect()
}

/// Plans a chunk by the definitions of now. Partitions that these do not have any more are left alone.
///
/// # Errors
/// [`Rejection::Replan`] when the definitions are on the move; what else stands against a run is the reason
/// in the answer.
pub fn plan(
    catalog: &Catalog,
    backfill: &Backfill,
    chunk: &Chunk,
    run: RunId,
    now: Timestamp,
) -> Result<ChunkRun, Rejection> {
    match request(catalog, backfill, chunk, run, now) {
        Ok(request) => Ok((chunk.chunk, Ok(request))),
        // What a partition reads is not known: the chunk waits.
        Err(Rejection::Replan | Rejection::MappingUnanswered { .. }) => Err(Rejection::Replan),
        Err(refused) => Ok((chunk.chunk, Err(refused.to_string()))),
    }
}

fn request(
    catalog: &Catalog,
    backfill: &Backfill,
    chunk: &Chunk,
    run: RunId,
    now: Timestamp,
) -> Result<RunRequest, Rejection> {
    let partitions = match &chunk.keys {
        None => PartitionsAsked::None,
        Some(keys) => PartitionsAsked::Keys(still_there(catalog, chunk, keys, now)?),
    };
    let asked = PlanRequest {
        assets: chunk.assets.iter().cloned().collect(),
        checks: None,
        partitions: partitions.clone(),
    };
    let planned = planner::plan(catalog, &asked, now)?;
    let id = backfill.id;
    Ok(RunRequest {
        run,
        scope: BACKFILL_SCOPE.to_owned(),
        run_key: Some(chunk_key(id, chunk.chunk)),
        idempotency_key: None,
        selection: backfill.selection.clone(),
        assets: chunk.assets.clone(),
        asset_checks: None,
        partitions: shown(&partitions),
        config: (*backfill.config).clone(),
        tags: tags(backfill, chunk),
        priority: backfill.settings.priority,
        time_limits: TimeLimits::default(),
        job: None,
        backfill: Some(ChunkOf {
            backfill: id,
            chunk: chunk.chunk,
        }),
        tick: None,
        evaluation: None,
        frees_key: false,
        rerun: None,
        plan: Arc::new(planned.plan),
        plan_blob: None,
        definitions: planned.definitions,
    })
}

/// The keys that the definitions of now have.
fn still_there(
    catalog: &Catalog,
    chunk: &Chunk,
    keys: &[PartitionKey],
    now: Timestamp,
) -> Result<Vec<String>, Rejection> {
    let mut left: Vec<String> = Vec::with_capacity(keys.len());
    let mut gone: Option<Rejection> = None;
    let defs: Vec<_> = chunk
        .assets
        .iter()
        .map(|asset| {
            (
                asset,
                catalog
                    .asset(asset)
                    .and_then(|a| a.asset.partitions.as_ref()),
            )
        })
        .collect();
    for key in keys {
        let lacking = defs.iter().find_map(|(asset, def)| match def {
            None => Some(Rejection::BadPartition {
                asset: (*asset).clone(),
                message: format!("`{asset}` is not defined with partitions any more"),
            }),
            Some(def) => {
                let found = def.require(key, now);
                found
                    .err()
                    .map(|error| Rejection::bad_partition(asset, &error))
            }
        });
        match lacking {
            None => left.push(key.display().into_owned()),
            Some(lacking) => gone = gone.or(Some(lacking)),
        }
    }
    match gone {
        Some(gone) if left.is_empty() => Err(gone),
        _ => Ok(left),
    }
}

/// As people see it: the ends of many.
fn shown(partitions: &PartitionsAsked) -> Option<String> {
    match partitions {
        PartitionsAsked::Keys(keys) if keys.len() > 10 => Some(format!(
            "{}, …, {} ({} partitions)",
            keys[0],
            keys[keys.len() - 1],
            keys.len()
        )),
        other => other.display(),
    }
}

fn tags(backfill: &Backfill, chunk: &Chunk) -> BTreeMap<String, String> {
    let mut tags = backfill.tags.clone();
    let mut say = |tag: &str, value: String| {
        tags.insert(tag.to_owned(), value);
    };
    say(BACKFILL_TAG, backfill.id.to_string());
    say(CHUNK_TAG, chunk.chunk.to_string());
    if let Some(parent) = backfill.parent {
        say(PARENT_TAG, parent.to_string());
    }
    let ends = chunk
        .keys
        .as_ref()
        .and_then(|keys| keys.first().zip(keys.last()));
    if let Some((first, last)) = ends {
        if chunk.is_range {
            say(RANGE_START_TAG, first.display().into_owned());
            say(RANGE_END_TAG, last.display().into_owned());
        } else {
            say(PARTITION_TAG, first.display().into_owned());
        }
    }
    tags
}
