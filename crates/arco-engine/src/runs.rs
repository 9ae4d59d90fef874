//! Runs as people ask for them: selection, configuration and plan are worked out here, off the
//! loop; the decision revalidates them by the definitions' versions.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use arco_core::event::{JobRef, Position};
use arco_core::limits::TimeLimits;
use arco_core::selection::Selection;
use arco_core::{AssetKey, RunId, Timestamp};
use arco_flow::command::{Answer, Command, Identity, RunRequest};
use arco_flow::jobs::{self, JobAsk, JobError, JobRun};
use arco_flow::planner::{self, PartitionsAsked, PlanRequest, Planned};
use arco_flow::{Rejection, State, checks, selection_graph};
use bytes::Bytes;
use serde_json::Value;

use crate::{Engine, EngineError, config};

/// Times a plan is made again because definitions moved while it was made. Deploys are rare; a
/// third time means that something deploys in a loop.
pub(crate) const REPLANS_MAX: usize = 3;

/// A run as a person asks for it.
#[derive(Debug, Clone)]
pub struct RunAsk {
    /// The job to run.
    pub job: Option<JobAsk>,
    /// Selection strings; their union. Of a job: which of its assets, all when empty.
    pub selection: Vec<String>,
    /// Checks, `ASSET:CHECK` or `ASSET` for all of an asset; `None` for those of the selected assets.
    /// Without a selection and a job these alone are judged.
    pub checks: Option<Vec<String>>,
    /// Which partitions.
    pub partitions: PartitionsAsked,
    /// At most one run per scope and key.
    pub run_key: Option<String>,
    /// Scope of the run key, `workspace` for people.
    pub scope: String,
    /// The client's idempotency key.
    pub idempotency_key: Option<String>,
    /// Run configuration, `{"ops": {...}, "resources": {...}}`; null for that of the job.
    pub config: Value,
    /// Tags, beside those of the job or in their place.
    pub tags: BTreeMap<String, String>,
    /// Higher goes first.
    pub priority: i32,
    /// Time limits of its own.
    pub time_limits: TimeLimits,
}

/// A run that stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RunMade {
    /// The run.
    pub run: RunId,
    /// False when the same request had made it before.
    pub created: bool,
    /// Reads at this position see it.
    pub position: Position,
}

/// An ask, worked out against one catalog.
struct Resolved {
    job: Option<JobRef>,
    assets: Vec<AssetKey>,
    asset_checks: Option<Vec<(AssetKey, String)>>,
    tags: BTreeMap<String, String>,
    config: Value,
    planned: Planned,
}

impl Engine {
    /// Makes a run, or finds the one that the same request made before.
    ///
    /// # Errors
    /// [`EngineError`]; a refusal changed nothing.
    pub async fn request_run(
        &self,
        principal: &str,
        request_id: &str,
        ask: RunAsk,
    ) -> Result<RunMade, EngineError> {
        let mut tries = 0;
        loop {
            let request = self.run_request(&ask).await?;
            match self.submit_run(principal, request_id, request, None).await {
                Err(EngineError::Rejected(Rejection::Replan)) if tries < REPLANS_MAX => tries += 1,
                made => return made,
            }
        }
    }

    /// Stores the plan of a request when it is big, and has the request decided; with an epoch, only
    /// while that one leads.
    pub(crate) async fn submit_run(
        &self,
        principal: &str,
        request_id: &str,
        mut request: RunRequest,
        epoch: Option<u64>,
    ) -> Result<RunMade, EngineError> {
        let identity = request.identity();
        let plan =
            serde_json::to_vec(&*request.plan).expect("plans serialise: lists of text and numbers");
        let mut blobs = HashMap::new();
        if plan.len() > self.inner.settings.inline_plan_max {
            let bytes = Bytes::from(plan);
            let digest = self.inner.log.put_blob(bytes.clone()).await?;
            blobs.insert(digest, bytes);
            request.plan_blob = Some(digest);
        }
        let mut command = Command::RequestRun(Box::new(request));
        if let Some(epoch) = epoch {
            let asked = Box::new(command);
            command = Command::AsLeader {
                epoch,
                command: asked,
            };
        }
        match self
            .submit_with(principal, request_id, command, blobs)
            .await
        {
            Ok(committed) => {
                let Answer::Run { run, created } = committed.answer else {
                    unreachable!("a run request is answered by a run");
                };
                Ok(RunMade {
                    run,
                    created,
                    position: committed.position,
                })
            }
            Err(error) => Err(self.with_differing_fields(error, &identity).await),
        }
    }

    /// A conflict with a run that has left memory, with the fields in which the requests differ.
    pub(crate) async fn with_differing_fields(
        &self,
        mut error: EngineError,
        identity: &Identity,
    ) -> EngineError {
        if let EngineError::Rejected(
            Rejection::RunKeyConflict { run, differs, .. }
            | Rejection::IdempotencyConflict { run, differs, .. },
        ) = &mut error
            && differs.is_empty()
            // The conflict is the answer, whether or not the run can still be read.
            && let Ok(Some(known)) = self.past_run(*run).await
        {
            *differs = identity.differs_from(&Identity::of(&known));
        }
        error
    }

    pub(crate) fn new_run_id(&self) -> RunId {
        let time_ms = u64::try_from(self.now().0).unwrap_or(0);
        RunId::from_parts(time_ms, self.inner.ids.random())
    }

    /// What a run would do, without making it.
    ///
    /// # Errors
    /// As [`Engine::request_run`].
    pub async fn preview(&self, ask: &RunAsk) -> Result<Planned, EngineError> {
        Ok(self.resolve(ask).await?.planned)
    }

    async fn resolve(&self, ask: &RunAsk) -> Result<Resolved, EngineError> {
        let view = self.view();
        let now = self.now();
        let ask = ask.clone();
        if !self.inner.settings.offload {
            return resolve(&view.state, &ask, now);
        }
        // A year of a thousand assets takes longer to plan than the loop may stand still.
        tokio::task::spawn_blocking(move || resolve(&view.state, &ask, now))
            .await
            .map_err(|_| EngineError::Stopped)?
    }

    async fn run_request(&self, ask: &RunAsk) -> Result<RunRequest, EngineError> {
        let resolved = self.resolve(ask).await?;
        Ok(RunRequest {
            run: self.new_run_id(),
            scope: ask.scope.clone(),
            run_key: ask.run_key.clone(),
            idempotency_key: ask.idempotency_key.clone(),
            selection: (!ask.selection.is_empty()).then(|| ask.selection.join(", ")),
            assets: resolved.assets,
            asset_checks: resolved.asset_checks,
            partitions: ask.partitions.display(),
            config: resolved.config,
            tags: resolved.tags,
            priority: ask.priority,
            time_limits: ask.time_limits,
            job: resolved.job,
            backfill: None,
            rerun: None,
            tick: None,
            evaluation: None,
            frees_key: false,
            plan: Arc::new(resolved.planned.plan),
            plan_blob: None,
            definitions: resolved.planned.definitions,
        })
    }
}

fn resolve(state: &State, ask: &RunAsk, now: Timestamp) -> Result<Resolved, EngineError> {
    let catalog = &state.catalog;
    let chosen = chosen(state, ask)?;
    config::check(catalog, &chosen.config)?;
    let request = PlanRequest {
        assets: chosen.assets.iter().cloned().collect(),
        checks: chosen
            .checks
            .as_ref()
            .map(|checks| checks.iter().cloned().collect()),
        partitions: ask.partitions.clone(),
    };
    let planned = planner::plan(catalog, &request, now)?;
    Ok(Resolved {
        job: chosen.job,
        assets: chosen.assets,
        asset_checks: chosen.checks,
        tags: chosen.tags,
        config: chosen.config,
        planned,
    })
}

/// The assets of a job or of a selection, with the tags and the configuration that the run will have.
fn chosen(state: &State, ask: &RunAsk) -> Result<JobRun, EngineError> {
    let mut chosen = match &ask.job {
        Some(job) => jobs::resolve(state, job, &ask.selection).map_err(|error| match error {
            JobError::Rejected(rejection) => EngineError::from(rejection),
            JobError::Selection(error) => error.into(),
        })?,
        // Checks alone: nothing is made.
        None => JobRun {
            job: None,
            assets: match &ask.checks {
                Some(checks) if ask.selection.is_empty() && !checks.is_empty() => Vec::new(),
                _ => selected(state, &ask.selection)?,
            },
            checks: None,
            tags: BTreeMap::new(),
            config: Value::Null,
        },
    };
    if let Some(texts) = &ask.checks {
        chosen.checks = Some(checks::read(&state.catalog, texts)?);
    }
    chosen.tags.extend(ask.tags.clone());
    if !ask.config.is_null() {
        chosen.config = ask.config.clone();
    }
    Ok(chosen)
}

fn selected(state: &State, texts: &[String]) -> Result<Vec<AssetKey>, EngineError> {
    let selections = Selection::parse_all(texts)?;
    let assets = selection_graph::select(&state.catalog, &state.assets, &selections)?;
    if assets.is_empty() {
        return Err(Rejection::EmptySelection(texts.join(", ")).into());
    }
    Ok(assets)
}
