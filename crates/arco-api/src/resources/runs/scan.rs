//! One page of runs out of memory and history.

use std::collections::VecDeque;
use std::sync::Arc;

use arco_core::RunId;
use arco_engine::Engine;
use arco_flow::State;
use arco_flow::state::Run;
use arco_wire::api::RunSummary;

use super::filter::RunFilter;
use crate::extract::Reading;
use crate::limits;
use crate::page::PageAsked;
use crate::problem::Answer;
use crate::render::run::{ASSETS_IN_LIST, summary};

/// Past runs fetched at a time: they are decoded whole, plan and tasks, so not more than a page.
const PAST_BATCH: usize = 100;

/// The rows of a page, and the place to go on from when there may be more.
pub(super) async fn page(
    reading: &Reading,
    asked: &PageAsked<RunFilter, RunId>,
) -> Answer<(Vec<RunSummary>, Option<RunId>)> {
    if let Some(key) = &asked.filter.run_key {
        return Ok((by_run_key(reading, asked, key).await?, None));
    }
    if let Some(root) = lineage_asked(reading, &asked.filter).await? {
        return of_lineage(reading, asked, root).await;
    }
    let mut source = Source::new(reading, asked);
    let mut rows = Vec::new();
    let mut last = None;
    while let Some((run, past)) = source.next().await? {
        if rows.len() == asked.limit || source.exhausted(past) {
            return Ok((rows, last));
        }
        last = Some(run.id);
        if asked.filter.matches(&run) {
            rows.push(summary(&run, ASSETS_IN_LIST));
        }
    }
    Ok((rows, None))
}

/// A run key names at most one run, and the state knows which.
async fn by_run_key(
    reading: &Reading,
    asked: &PageAsked<RunFilter, RunId>,
    key: &str,
) -> Answer<Vec<RunSummary>> {
    let state = &reading.view.state;
    let Some(known) = state.run_keys.get(&State::run_key_index(super::SCOPE, key)) else {
        return Ok(Vec::new());
    };
    let run = find(reading, known.run).await?;
    let found = run.filter(|run| asked.filter.matches(run));
    Ok(found
        .iter()
        .map(|run| summary(run, ASSETS_IN_LIST))
        .collect())
}

async fn find(reading: &Reading, id: RunId) -> Answer<Option<Arc<Run>>> {
    match reading.view.state.run(id) {
        Some(run) => Ok(Some(Arc::clone(run))),
        None => Ok(reading.engine().past_run(id).await?.map(Arc::new)),
    }
}

/// The root of the lineage that a filter asks for.
async fn lineage_asked(reading: &Reading, filter: &RunFilter) -> Answer<Option<RunId>> {
    match (filter.root, filter.parent) {
        (Some(root), _) => Ok(Some(root)),
        (None, Some(parent)) => {
            let parent = find(reading, parent)
                .await?
                .ok_or_else(|| crate::resources::run::unknown(parent))?;
            Ok(Some(arco_flow::rerun::root_of(&parent)))
        }
        (None, None) => Ok(None),
    }
}

/// The state knows the runs of a lineage, so that nothing need be searched.
async fn of_lineage(
    reading: &Reading,
    asked: &PageAsked<RunFilter, RunId>,
    root: RunId,
) -> Answer<(Vec<RunSummary>, Option<RunId>)> {
    let lineages = &reading.view.state.lineages;
    let reruns = lineages.get(&root).into_iter().flatten();
    let mut ids: Vec<RunId> = reruns.copied().chain([root]).collect();
    ids.retain(|id| asked.after.is_none_or(|after| *id < after));
    ids.sort_unstable_by_key(|id| std::cmp::Reverse(*id));
    let mut rows = Vec::new();
    let mut last = None;
    for id in ids {
        if rows.len() == asked.limit {
            return Ok((rows, last));
        }
        last = Some(id);
        if let Some(run) = find(reading, id).await?
            && asked.filter.matches(&run)
        {
            rows.push(summary(&run, ASSETS_IN_LIST));
        }
    }
    Ok((rows, None))
}

/// Runs in falling order of id.
struct Source<'a> {
    engine: &'a Engine,
    state: &'a State,
    only_active: bool,
    any: bool,
    /// Ids below this come next; `None` at the start.
    before: Option<RunId>,
    past: VecDeque<Run>,
    past_ended: bool,
    seen: usize,
    past_seen: usize,
}

impl<'a> Source<'a> {
    fn new(reading: &'a Reading, asked: &PageAsked<RunFilter, RunId>) -> Self {
        let only_active = asked.filter.only_active();
        Self {
            engine: reading.engine(),
            state: &reading.view.state,
            only_active,
            any: asked.filter.is_any(),
            before: asked.after,
            past: VecDeque::new(),
            past_ended: only_active || reading.view.state.history.is_empty(),
            seen: 0,
            past_seen: 0,
        }
    }

    /// Whether a filter has looked at as many runs as one page may.
    fn exhausted(&self, past: bool) -> bool {
        !self.any
            && (self.seen > limits::SCAN_MAX || (past && self.past_seen > limits::PAST_SCAN_MAX))
    }

    /// The next run, and whether it came from history.
    async fn next(&mut self) -> Answer<Option<(Arc<Run>, bool)>> {
        if self.past.is_empty() && !self.past_ended {
            let batch = self.engine.past_runs(self.before, PAST_BATCH).await?;
            self.past_ended = batch.len() < PAST_BATCH;
            self.past = batch.into();
        }
        let memory = self.in_memory();
        let past = self.past.front().map(|run| run.id);
        // A run that was packed after the view was taken is in both; the view's is shown.
        let (run, from_past) = match (memory, past) {
            (None, None) => return Ok(None),
            (Some(run), past) if past.is_none_or(|id| run.id >= id) => {
                if past == Some(run.id) {
                    self.past.pop_front();
                }
                (run, false)
            }
            _ => match self.past.pop_front() {
                Some(run) => (Arc::new(run), true),
                None => return Ok(None),
            },
        };
        self.before = Some(run.id);
        self.seen += 1;
        self.past_seen += usize::from(from_past);
        Ok(Some((run, from_past)))
    }

    fn in_memory(&self) -> Option<Arc<Run>> {
        if self.only_active {
            let active = &self.state.active_runs;
            let id = match self.before {
                None => active.get_max().copied(),
                Some(id) => active.range(..id).next_back().copied(),
            };
            return self.state.run(id?).cloned();
        }
        let runs = &self.state.runs;
        match self.before {
            None => runs.get_max().map(|(_, run)| Arc::clone(run)),
            Some(id) => runs.range(..id).next_back().map(|(_, run)| Arc::clone(run)),
        }
    }
}
