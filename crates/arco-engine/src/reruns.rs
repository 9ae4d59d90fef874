//! Reruns as people ask for them: the parent is found, in memory or in history, and its tasks are
//! planned again off the loop (`docs/adr/0011-reruns.md`).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arco_core::RunId;
use arco_core::event::{RerunKind, RerunOf};
use arco_core::limits::TimeLimits;
use arco_core::run_tag;
use arco_core::selection::Selection;
use arco_core::{AssetKey, Timestamp};
use arco_flow::command::RunRequest;
use arco_flow::decide::Keys;
use arco_flow::planner::{self, Planned};
use arco_flow::state::Run;
use arco_flow::{Rejection, State, rerun, selection_graph};

use crate::runs::REPLANS_MAX;
use crate::{Engine, EngineError, RunMade, config};

/// A rerun as a person asks for it.
#[derive(Debug, Clone)]
pub struct RerunAsk {
    /// The run to do again.
    pub parent: RunId,
    /// Which part of it.
    pub kind: RerunKind,
    /// Of a subset: selection strings over the run's own assets; their union.
    pub selection: Vec<String>,
    /// Of a subset: what the selected tasks need comes along.
    pub with_upstream: bool,
    /// Of a subset: what needs the selected tasks comes along.
    pub with_downstream: bool,
    /// Scope of the run key, `workspace` for people.
    pub scope: String,
    /// At most one run per scope and key; without one the rerun has a key of its own.
    pub run_key: Option<String>,
    /// The client's idempotency key.
    pub idempotency_key: Option<String>,
    /// Tags beside the parent's, or in their place.
    pub tags: BTreeMap<String, String>,
    /// Higher goes first; the parent's when absent.
    pub priority: Option<i32>,
    /// Time limits; the parent's where nothing is said.
    pub time_limits: TimeLimits,
}

/// A retry that a run is owed, made by the leader of an epoch.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Owed {
    pub(crate) number: u32,
    pub(crate) epoch: u64,
}

/// What is done again, worked out against one catalog.
struct Resolved {
    assets: Vec<AssetKey>,
    partitions: Option<String>,
    planned: Planned,
}

impl Engine {
    /// Does a run again, or finds the rerun that the same request made before.
    ///
    /// # Errors
    /// [`EngineError`]; a refusal changed nothing.
    pub async fn request_rerun(
        &self,
        principal: &str,
        request_id: &str,
        ask: RerunAsk,
    ) -> Result<RunMade, EngineError> {
        if let Some(tag) = ask.tags.keys().find(|tag| rerun::is_lineage_tag(tag)) {
            return Err(Rejection::ReservedTag(tag.clone()).into());
        }
        if let Some(tag) = ask.tags.keys().find(|tag| rerun::is_chunk_tag(tag)) {
            return Err(Rejection::ChunkTag(tag.clone()).into());
        }
        run_tag::check_keys(&ask.tags).map_err(Rejection::from)?;
        self.rerun(principal, request_id, ask, None).await
    }

    /// A rerun that someone asks for, or one that is owed.
    pub(crate) async fn rerun(
        &self,
        principal: &str,
        request_id: &str,
        ask: RerunAsk,
        owed: Option<Owed>,
    ) -> Result<RunMade, EngineError> {
        let parent = match self.view().state.run(ask.parent) {
            Some(run) => Arc::clone(run),
            None => match self.past_run(ask.parent).await? {
                Some(run) => Arc::new(run),
                None => return Err(Rejection::UnknownRun(ask.parent).into()),
            },
        };
        let mut tries = 0;
        loop {
            let mut request = self.unplanned(&parent, &ask, owed);
            // Asking again must not fail because a step has gone meanwhile: look before planning.
            let view = self.view();
            let identity = request.identity();
            let keys = Keys {
                scope: &request.scope,
                run_key: request.run_key.as_deref(),
                idempotency_key: request.idempotency_key.as_deref(),
            };
            match keys.known(&view.state, &identity) {
                Ok(None) => {}
                Ok(Some(run)) => {
                    return Ok(RunMade {
                        run,
                        created: false,
                        position: view.position(),
                    });
                }
                Err(conflict) => {
                    return Err(self.with_differing_fields(conflict.into(), &identity).await);
                }
            }
            let resolved = self.resolve_rerun(&parent, &ask).await?;
            request.assets = resolved.assets;
            request.partitions = resolved.partitions;
            request.plan = Arc::new(resolved.planned.plan);
            request.definitions = resolved.planned.definitions;
            match self
                .submit_run(principal, request_id, request, owed.map(|owed| owed.epoch))
                .await
            {
                Err(EngineError::Rejected(Rejection::Replan)) if tries < REPLANS_MAX => tries += 1,
                made => return made,
            }
        }
    }

    /// The request without what the definitions say.
    fn unplanned(&self, parent: &Run, ask: &RerunAsk, owed: Option<Owed>) -> RunRequest {
        let mut tags = parent.tags.clone();
        tags.retain(|tag, _| !rerun::is_lineage_tag(tag));
        // A retry that is owed does what its chunk was to do; a rerun by hand is nobody's chunk.
        let backfill = parent.backfill.filter(|_| owed.is_some());
        tags.retain(|tag, _| backfill.is_some() || !rerun::is_chunk_tag(tag));
        tags.extend(ask.tags.clone());
        let rerun = RerunOf {
            retry: owed.map(|owed| owed.number),
            ..rerun_of(parent, ask)
        };
        RunRequest {
            run: self.new_run_id(),
            scope: ask.scope.clone(),
            run_key: ask.run_key.clone(),
            idempotency_key: ask.idempotency_key.clone(),
            selection: rerun.selection.clone().or_else(|| parent.selection.clone()),
            assets: Vec::new(),
            asset_checks: None,
            partitions: None,
            config: (*parent.config).clone(),
            tags,
            priority: ask.priority.unwrap_or(parent.priority),
            time_limits: ask.time_limits.or(parent.time_limits),
            job: parent.job.clone(),
            tick: None,
            evaluation: None,
            frees_key: false,
            backfill,
            rerun: Some(rerun),
            plan: Arc::default(),
            plan_blob: None,
            definitions: BTreeMap::new(),
        }
    }

    async fn resolve_rerun(
        &self,
        parent: &Arc<Run>,
        ask: &RerunAsk,
    ) -> Result<Resolved, EngineError> {
        let view = self.view();
        let now = self.now();
        let (parent, ask) = (Arc::clone(parent), ask.clone());
        if !self.inner.settings.offload {
            return resolve(&view.state, &parent, &ask, now);
        }
        tokio::task::spawn_blocking(move || resolve(&view.state, &parent, &ask, now))
            .await
            .map_err(|_| EngineError::Stopped)?
    }
}

fn rerun_of(parent: &Run, ask: &RerunAsk) -> RerunOf {
    let subset = ask.kind == RerunKind::Subset;
    RerunOf {
        parent: parent.id,
        root: rerun::root_of(parent),
        kind: ask.kind,
        selection: subset.then(|| ask.selection.join(", ")),
        with_upstream: subset && ask.with_upstream,
        with_downstream: subset && ask.with_downstream,
        retry: None,
    }
}

fn resolve(
    state: &State,
    parent: &Run,
    ask: &RerunAsk,
    now: Timestamp,
) -> Result<Resolved, EngineError> {
    let catalog = &state.catalog;
    let rerun = rerun_of(parent, ask);
    let selected = match ask.kind {
        RerunKind::Subset => select(state, parent, ask)?,
        RerunKind::Whole | RerunKind::FromFailure => BTreeSet::new(),
    };
    let tasks = rerun::tasks(parent, catalog, &rerun, &selected)?;
    let mut planned = planner::again(catalog, parent.id, &tasks, now)?;
    planned.plan.stored = rerun::stored(parent, &tasks);
    config::check(catalog, &parent.config)?;
    Ok(Resolved {
        assets: rerun::assets_of(parent, catalog, &tasks),
        partitions: rerun::partitions_of(parent, &tasks),
        planned,
    })
}

/// The assets that a selection selects among the parent's.
fn select(state: &State, parent: &Run, ask: &RerunAsk) -> Result<BTreeSet<AssetKey>, EngineError> {
    let selections = Selection::parse_all(&ask.selection)?;
    let (catalog, states) = (&state.catalog, &state.assets);
    let own = rerun::assets(parent, catalog);
    match selection_graph::select_within(catalog, states, &own, &selections) {
        Ok(selected) => Ok(selected.into_iter().collect()),
        // An asset that is defined, and not of this run: nothing is selected, which says what there is.
        Err(_) if selection_graph::select(catalog, states, &selections).is_ok() => {
            Ok(BTreeSet::new())
        }
        Err(error) => Err(error.into()),
    }
}
