//! Backfills as the engine asks for them and carries them on.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU32;
use std::sync::Arc;

use arco_core::backfill::{BackfillSelector, BackfillSettings, BackfillStatus};
use arco_core::definitions::BackfillPolicy;
use arco_core::event::Fact;
use arco_core::{AssetKey, BackfillId, Digest, RunId};
use arco_flow::backfill::{self, Selector, TargetAsk};
use serde_json::Value;

use crate::Rejection;
use crate::command::{
    Answer, BackfillAdvance, BackfillRequest, BackfillSteer, Command, SettingsEdit, Steer,
};
use crate::state::{Backfill, State};
use crate::testing::World;

/// What is asked of a backfill here; the rest is as usual.
#[derive(Debug, Clone, Default)]
pub(crate) struct Ask {
    pub(crate) assets: String,
    /// All that exist when empty.
    pub(crate) keys: Vec<String>,
    /// Partitions a run makes: 0 for all, `None` as the assets say.
    pub(crate) per_run: Option<u32>,
    pub(crate) settings: BackfillSettings,
    pub(crate) key: Option<String>,
}

pub(crate) fn policy(per_run: Option<u32>) -> Option<BackfillPolicy> {
    per_run.map(|n| BackfillPolicy {
        max_partitions_per_run: NonZeroU32::new(n),
    })
}

pub(crate) fn request(world: &mut World, ask: &Ask) -> Result<BackfillRequest, Rejection> {
    let selector = match ask.keys.is_empty() {
        true => Selector::all(),
        false => Selector::keys(ask.keys.clone()),
    };
    let assets = ask.assets.split_whitespace();
    let target = TargetAsk {
        assets: assets
            .map(|key| AssetKey::parse(key).expect("a key"))
            .collect(),
        selector,
        policy: policy(ask.per_run),
        refuse_left_out: false,
    };
    let mut out = ask_for(world, &target)?;
    out.settings = ask.settings;
    out.idempotency_key.clone_from(&ask.key);
    out.fingerprint = Digest::of(format!("{ask:?}").as_bytes());
    Ok(out)
}

/// A request of what is asked, as the engine would make it.
pub(crate) fn ask_for(world: &mut World, ask: &TargetAsk) -> Result<BackfillRequest, Rejection> {
    let resolved = backfill::resolve(&world.state, ask, world.now)?;
    world.runs += 1;
    Ok(BackfillRequest {
        backfill: BackfillId::from_parts(world.runs, 3),
        idempotency_key: None,
        selection: None,
        assets: resolved.assets,
        selector: BackfillSelector::All,
        title: None,
        description: None,
        tags: BTreeMap::new(),
        config: Value::Null,
        settings: BackfillSettings::default(),
        policy: ask.policy,
        parent: None,
        frees_key: false,
        target: Arc::new(resolved.target),
        target_blob: None,
        definitions: resolved.definitions,
        fingerprint: Digest::of(b"none"),
    })
}

pub(crate) fn send(
    world: &mut World,
    request: &BackfillRequest,
) -> Result<(BackfillId, bool), Rejection> {
    let command = Command::CreateBackfill(Box::new(request.clone()));
    match world.run_command(&command)? {
        Answer::Backfill { backfill, created } => Ok((backfill, created)),
        other => panic!("expected a backfill, got {other:?}"),
    }
}

pub(crate) fn create(world: &mut World, ask: &Ask) -> BackfillId {
    let request = request(world, ask).expect("a target");
    send(world, &request).expect("it can be made").0
}

/// What the leader would ask for now.
pub(crate) fn advance_command(world: &mut World, id: BackfillId) -> Command {
    let chunks = backfill::next(&world.state, id, world.now, 50);
    let of = Arc::clone(&world.state.backfills[&id]);
    let mut planned = Vec::new();
    for chunk in &chunks {
        world.runs += 1;
        let run = RunId::from_parts(world.runs, 7);
        let run = backfill::plan(&world.state.catalog, &of, chunk, run, world.now);
        planned.push(run.expect("the definitions stand"));
    }
    Command::AdvanceBackfill(Box::new(BackfillAdvance {
        backfill: id,
        chunks: planned,
    }))
}

/// The leader's look: plans what may begin, and says the end.
pub(crate) fn advance(world: &mut World, id: BackfillId) {
    let command = advance_command(world, id);
    world.run_command(&command).expect("it goes on");
}

pub(crate) fn steer(world: &mut World, id: BackfillId, to: Steer) -> Result<(), Rejection> {
    let steer = BackfillSteer {
        backfill: id,
        state_version: None,
        to,
    };
    world
        .run_command(&Command::SteerBackfill(steer))
        .map(|_| ())
}

pub(crate) fn edit(world: &mut World, id: BackfillId, edit: SettingsEdit) -> Result<(), Rejection> {
    steer(world, id, Steer::Edit(edit))
}

/// The request of a retry of what failed.
pub(crate) fn retry_request(world: &mut World, parent: BackfillId) -> Option<BackfillRequest> {
    let of = Arc::clone(&world.state.backfills[&parent]);
    let (assets, only) = backfill::undone(&world.state, &of);
    if assets.is_empty() {
        return None;
    }
    let ask = TargetAsk {
        assets,
        selector: Selector {
            only: Some(only),
            ..Selector::all()
        },
        policy: of.policy,
        refuse_left_out: false,
    };
    let mut request = ask_for(world, &ask).expect("a target");
    request.parent = Some(parent);
    Some(request)
}

pub(crate) fn of(world: &World, id: BackfillId) -> &Backfill {
    &world.state.backfills[&id]
}

pub(crate) fn status(world: &World, id: BackfillId) -> BackfillStatus {
    of(world, id).status
}

/// Every (asset, key) that a backfill is to make; `*` for an asset without partitions.
pub(crate) fn target(backfill: &Backfill) -> BTreeSet<(String, String)> {
    members(backfill, |_, _| true)
}

/// Those of which something is true.
pub(crate) fn members(
    backfill: &Backfill,
    is: impl Fn(usize, u32) -> bool,
) -> BTreeSet<(String, String)> {
    let mut out = BTreeSet::new();
    for (at, unit) in backfill.shape.units.iter().enumerate() {
        for member in (0..unit.count()).filter(|member| is(at, *member)) {
            let key = unit.key(member);
            let key = key.map_or_else(|| "*".to_owned(), |key| key.display().into_owned());
            for asset in &backfill.target.units[at].assets {
                out.insert((asset.as_str().to_owned(), key.clone()));
            }
        }
    }
    out
}

/// What the log says by itself: for each (asset, key) how often a run of the backfill was asked for that
/// makes it.
pub(crate) fn asked_for(world: &World, id: BackfillId) -> BTreeMap<(String, String), u32> {
    let mut out = BTreeMap::new();
    for (_, event) in &world.log {
        let Fact::RunRequested(run) = &event.fact else {
            continue;
        };
        if run.backfill.is_none_or(|chunk| chunk.backfill != id) {
            continue;
        }
        let arco_core::event::Stored::Inline(plan) = &run.plan else {
            panic!("plans stand in the events here");
        };
        for task in &plan.tasks {
            let key = task.partitions.first();
            let key = key.map_or_else(|| "*".to_owned(), |key| key.display().into_owned());
            *out.entry((task.step.clone(), key)).or_insert(0) += 1;
        }
    }
    out
}

/// The index of what is ready says what a look at everything would say.
pub(crate) fn check_index(state: &State, id: BackfillId) {
    let backfill = &state.backfills[&id];
    let (shape, progress) = (&backfill.shape, &backfill.progress);
    for (at, unit) in shape.units.iter().enumerate() {
        for member in 0..unit.count() {
            let ready = progress.is_ready(shape, at, member);
            assert_eq!(
                progress.units[at].ready.contains(member),
                ready,
                "unit {at}, member {member}"
            );
        }
        for chunk in 0..unit.chunks() {
            let own = &progress.units[at];
            let open = unit
                .members_of(chunk)
                .all(|member| own.ready.contains(member))
                && !own.planned.contains(chunk);
            assert_eq!(own.open.contains(chunk), open, "unit {at}, chunk {chunk}");
        }
    }
}
