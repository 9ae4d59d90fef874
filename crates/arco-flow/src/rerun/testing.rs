//! Reruns and retries in a few words, for the tests of this crate.

use std::collections::BTreeSet;
use std::sync::Arc;

use arco_core::definitions::Catalog;
use arco_core::event::RerunOf;
use arco_core::run_retries::{RetryStrategy, RunRetries};
use arco_core::selection::Selection;
use arco_core::{AssetKey, RunId};

use crate::command::{Answer, Command, RunRequest};
use crate::selection_graph::select_within;
use crate::testing::World;
use crate::{Rejection, planner, rerun};

impl World {
    /// A request to do a run again, as the engine would make it.
    pub(crate) fn rerun_request(&mut self, again: &RerunOf) -> Result<RunRequest, Rejection> {
        let parent = self.state_of(again.parent).clone();
        let catalog: &Catalog = &self.state.catalog;
        let selected: BTreeSet<AssetKey> = match &again.selection {
            None => BTreeSet::new(),
            Some(text) => {
                let selections = Selection::parse_all(&[text]).unwrap();
                let own = rerun::assets(&parent, catalog);
                let selected = select_within(catalog, &self.state.assets, &own, &selections);
                selected.unwrap_or_default().into_iter().collect()
            }
        };
        let tasks = rerun::tasks(&parent, catalog, again, &selected)?;
        let planned = planner::again(catalog, parent.id, &tasks, self.now)?;
        self.runs += 1;
        let mut tags = parent.tags.clone();
        tags.retain(|tag, _| !rerun::is_lineage_tag(tag) && !rerun::is_chunk_tag(tag));
        Ok(RunRequest {
            run: RunId::from_parts(self.runs, 7),
            scope: "workspace".into(),
            run_key: None,
            idempotency_key: None,
            selection: None,
            assets: rerun::assets_of(&parent, catalog, &tasks),
            asset_checks: None,
            partitions: rerun::partitions_of(&parent, &tasks),
            config: (*parent.config).clone(),
            tags,
            priority: 0,
            time_limits: arco_core::limits::TimeLimits::default(),
            job: parent.job.clone(),
            backfill: None,
            rerun: Some(again.clone()),
            tick: None,
            evaluation: None,
            frees_key: false,
            plan: Arc::new(planned.plan),
            plan_blob: None,
            definitions: planned.definitions,
        })
    }

    /// Sets how often runs are retried.
    pub(crate) fn retries(
        &mut self,
        max_retries: u32,
        strategy: RetryStrategy,
        on_task_failure: bool,
    ) {
        let retries = RunRetries {
            max_retries,
            strategy,
            on_task_failure,
        };
        let set = self.run_command(&Command::SetRunRetries(retries));
        set.expect("retries that can be set");
    }

    /// Makes the retry that a run is owed, as the leader does.
    pub(crate) fn retry(&mut self, parent: RunId) -> Result<RunId, Rejection> {
        let of = self.state_of(parent);
        let owed = of.retried.as_ref().map(|retried| retried.owed);
        let owed = owed.ok_or(Rejection::NoRetryOwed(parent))?;
        let again = RerunOf {
            parent,
            root: rerun::root_of(of),
            kind: owed.kind,
            selection: None,
            with_upstream: false,
            with_downstream: false,
            retry: Some(owed.number),
        };
        let request = self.rerun_request(&again)?;
        match self.ask(request)? {
            Answer::Run { run, .. } => Ok(run),
            other => panic!("expected a run, got {other:?}"),
        }
    }
}
