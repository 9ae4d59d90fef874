//! Who waits for a slot and who holds one: indexes of runs and tasks, derived in the fold.
//!
//! Nothing here is counted. The holders of a limit are a set, made of the runs that were begun and are
//! not over, and of the attempts that are alive; a slot can no more leak than such a run or attempt
//! can be forgotten (D-21, R-19).
//!
//! A run that no task was leased of is *queued* and its tasks are not among [`State::ready`]; its first
//! lease begins it. Queued runs that need the same are one class, and only the first of a class is
//! looked at: ten thousand runs behind one limit cost what one costs.

use std::sync::Arc;

use arco_core::event::Position;
use arco_core::limits::RunLimit;
use arco_core::{AttemptId, RunId, TaskIndex, Timestamp};
use imbl::{OrdMap, OrdSet};

use super::{ReadyTask, Run, RunStatus, State, TaskStatus};

/// Where tasks are taken from: a code location, and the pool that bounds them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Lane {
    /// Code location.
    pub location: String,
    /// Pool of which an attempt takes a slot; none when it needs none.
    pub pool: Option<String>,
}

/// The place of a run in the queue: higher priority first, then first asked, first served.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// Its priority, negated.
    pub rank: i64,
    /// Where it was requested.
    pub requested: Position,
    /// The run.
    pub run: RunId,
}

/// What a queued run needs to begin.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Needs {
    /// A slot of each of these.
    pub limits: Vec<RunLimit>,
    /// And a task of one of these lanes.
    pub lanes: Vec<Lane>,
}

/// A task whose next try is due at a time.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Retry {
    /// Its lane.
    pub lane: Lane,
    /// When.
    pub at: Timestamp,
    /// The run.
    pub run: RunId,
    /// The task.
    pub task: TaskIndex,
}

impl Retry {
    pub(super) fn of(task: &ReadyTask, at: Timestamp) -> Self {
        Self {
            lane: task.lane.clone(),
            at,
            run: task.place.run,
            task: task.task,
        }
    }
}

/// The indexes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Admission {
    /// Queued runs, in order.
    pub queue: OrdMap<Place, Arc<Needs>>,
    /// Queued runs by what they need.
    pub classes: OrdMap<Arc<Needs>, OrdSet<Place>>,
    /// The first run of each class, in order.
    pub heads: OrdMap<Place, Arc<Needs>>,
    /// Runs under way, by the limits of which they hold a slot.
    pub runs: OrdMap<RunLimit, OrdSet<RunId>>,
    /// Attempts alive, by the pool of which they hold a slot.
    pub attempts: OrdMap<String, OrdSet<AttemptId>>,
    /// Tasks that wait for their next try, by lane.
    pub retries: OrdSet<Retry>,
}

impl Admission {
    fn push(&mut self, place: Place, needs: Needs) {
        let needs = match self.classes.get_key_value(&needs) {
            Some((known, _)) => Arc::clone(known),
            None => Arc::new(needs),
        };
        self.queue.insert(place, Arc::clone(&needs));
        self.edit_class(&needs, |class| {
            class.insert(place);
        });
    }

    fn remove(&mut self, place: &Place) {
        if let Some(needs) = self.queue.remove(place) {
            self.edit_class(&needs, |class| {
                class.remove(place);
            });
        }
    }

    fn edit_class(&mut self, needs: &Arc<Needs>, edit: impl FnOnce(&mut OrdSet<Place>)) {
        let class = self.classes.entry(Arc::clone(needs)).or_default();
        let before = class.get_min().copied();
        edit(class);
        let after = class.get_min().copied();
        if class.is_empty() {
            self.classes.remove(needs);
        }
        if before != after {
            if let Some(before) = before {
                self.heads.remove(&before);
            }
            if let Some(after) = after {
                self.heads.insert(after, Arc::clone(needs));
            }
        }
    }

    /// Runs that hold a slot of a limit.
    #[must_use]
    pub fn held(&self, limit: &RunLimit) -> u32 {
        let held = self.runs.get(limit).map_or(0, OrdSet::len);
        u32::try_from(held).unwrap_or(u32::MAX)
    }

    /// Attempts that hold a slot of a pool.
    #[must_use]
    pub fn held_of_pool(&self, pool: &str) -> u32 {
        let held = self.attempts.get(pool).map_or(0, OrdSet::len);
        u32::try_from(held).unwrap_or(u32::MAX)
    }
}

impl Run {
    /// Its place while it is queued.
    #[must_use]
    pub fn place(&self) -> Place {
        Place {
            rank: -i64::from(self.priority),
            requested: self.requested.0,
            run: self.id,
        }
    }
}

impl State {
    /// The lane of a task.
    #[must_use]
    pub fn lane(&self, run: &Run, task: TaskIndex) -> Option<Lane> {
        let pool = run.pools.get(task as usize).and_then(Option::as_ref);
        Some(Lane {
            location: run.planned(task)?.location.clone(),
            pool: pool
                .filter(|pool| self.limits.task_pool(pool).is_some())
                .map(|pool| pool.as_ref().to_owned()),
        })
    }

    /// The place of a task among those that may be leased.
    #[must_use]
    pub fn ready_task(&self, run: &Run, task: TaskIndex) -> Option<ReadyTask> {
        Some(ReadyTask {
            lane: self.lane(run, task)?,
            place: run.place(),
            task,
        })
    }
}

/// The pool of each task, by the definitions its run pinned; empty when no task has one.
pub(super) fn pools(state: &State, run: &Run) -> Arc<Vec<Option<Arc<str>>>> {
    let pool = |task: &arco_core::plan::PlannedTask| {
        let step = state.pinned(run, &task.location)?.step(&task.step)?;
        step.pool.as_deref().map(Arc::from)
    };
    let pools: Vec<Option<Arc<str>>> = run.plan.tasks.iter().map(pool).collect();
    if pools.iter().all(Option::is_none) {
        return Arc::default();
    }
    Arc::new(pools)
}

/// Puts a run that is not over into the indexes.
pub(super) fn index(state: &mut State, run: &Run) {
    if run.status.is_terminal() {
        return;
    }
    if run.status == RunStatus::Queued {
        let needs = needs(state, run);
        return state.admission.push(run.place(), needs);
    }
    if run.started.is_none() {
        return;
    }
    begin(state, run);
    for (index, task) in (0_u32..).zip(&run.tasks) {
        if let Some(live) = task.live() {
            let number = live.number;
            hold(
                state,
                run,
                AttemptId {
                    run: run.id,
                    task: index,
                    number,
                },
            );
        }
        if let (TaskStatus::Retrying, Some(at)) = (task.status, task.retry_at) {
            state.retrying.insert((at, run.id, index));
            let task = state.ready_task(run, index);
            state
                .admission
                .retries
                .extend(task.map(|task| Retry::of(&task, at)));
        }
    }
}

fn needs(state: &State, run: &Run) -> Needs {
    let ready = (0_u32..)
        .zip(&run.tasks)
        .filter(|(_, task)| task.status == TaskStatus::Ready);
    let mut lanes: Vec<Lane> = Vec::new();
    for (index, _) in ready {
        // Most tasks of a run are of one lane.
        if let Some(lane) = state
            .lane(run, index)
            .filter(|lane| lanes.last() != Some(lane))
        {
            lanes.push(lane);
        }
    }
    lanes.sort_unstable();
    lanes.dedup();
    Needs {
        limits: limits_of(state, run),
        lanes,
    }
}

/// The limits of which a run takes a slot.
pub(super) fn limits_of(state: &State, run: &Run) -> Vec<RunLimit> {
    let pools = run.pools.iter().flatten().map(AsRef::as_ref);
    state.limits.of_run(&run.tags, pools)
}

/// A run is under way: it holds its slots, and its tasks may be leased.
pub(super) fn begin(state: &mut State, run: &Run) {
    state.admission.remove(&run.place());
    for limit in limits_of(state, run) {
        state
            .admission
            .runs
            .entry(limit)
            .or_default()
            .insert(run.id);
    }
    let ready = (0_u32..)
        .zip(&run.tasks)
        .filter(|(_, task)| task.status == TaskStatus::Ready);
    let ready: Vec<ReadyTask> = ready
        .filter_map(|(index, _)| state.ready_task(run, index))
        .collect();
    state.ready.extend(ready);
}

/// A run waits and holds no more.
pub(super) fn end(state: &mut State, run: &Run) {
    state.admission.remove(&run.place());
    for limit in limits_of(state, run) {
        release(&mut state.admission.runs, &limit, &run.id);
    }
}

/// An attempt is alive: it holds a slot of its task's pool.
pub(super) fn hold(state: &mut State, run: &Run, attempt: AttemptId) {
    let lane = state.lane(run, attempt.task);
    if let Some(pool) = lane.and_then(|lane| lane.pool) {
        state
            .admission
            .attempts
            .entry(pool)
            .or_default()
            .insert(attempt);
    }
}

/// An attempt is over.
pub(super) fn let_go(state: &mut State, run: &Run, attempt: AttemptId) {
    let lane = state.lane(run, attempt.task);
    if let Some(pool) = lane.and_then(|lane| lane.pool) {
        release(&mut state.admission.attempts, &pool, &attempt);
    }
}

fn release<K: Ord + Clone, T: Ord + Clone>(holders: &mut OrdMap<K, OrdSet<T>>, of: &K, holder: &T) {
    if let Some(held) = holders.get_mut(of) {
        held.remove(holder);
        if held.is_empty() {
            holders.remove(of);
        }
    }
}

/// The limits are others: who needs and holds what is worked out anew.
pub(super) fn rebuild(state: &mut State) {
    state.admission = Admission::default();
    state.ready = OrdSet::new();
    let runs = state.active_runs.iter().filter_map(|id| state.runs.get(id));
    for run in runs.cloned().collect::<Vec<_>>() {
        index(state, &run);
    }
}
