//! What waits, on what, and who has it: what `arco queue` shows.

use arco_core::limits::RunLimit;
use arco_core::{AttemptId, RunId};

use crate::state::{HostStatus, Lane, Needs, Place, ReadyTask, State};

/// Holders named with a limit; there may be thousands.
pub const HOLDERS_MAX: usize = 10;

/// What something waits for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wait {
    /// A limit on runs is full.
    Limit {
        /// Which.
        limit: RunLimit,
        /// Its slots.
        slots: u32,
        /// Slots that are held.
        held: u32,
        /// The first that hold one.
        holders: Vec<RunId>,
    },
    /// A pool is full.
    Pool {
        /// Its name.
        pool: String,
        /// Its slots.
        slots: u32,
        /// Slots that are held.
        held: u32,
        /// The first that hold one.
        holders: Vec<AttemptId>,
    },
    /// No host of the code location is alive.
    Host(String),
    /// Nothing is full: a host of the code location takes it when it has a slot and what comes before
    /// has been served.
    Turn(String),
}

/// Queued runs after a place, in order, with what each waits for.
pub fn runs(state: &State, after: Option<Place>) -> impl Iterator<Item = (Place, Vec<Wait>)> + '_ {
    let queue = &state.admission.queue;
    let from = after.map_or(std::ops::Bound::Unbounded, std::ops::Bound::Excluded);
    let rows = queue.range((from, std::ops::Bound::Unbounded));
    rows.map(|(place, needs)| (*place, run_waits(state, needs)))
}

/// Tasks of runs under way that might be leased, after one of them, by lane, with what each waits for.
pub fn tasks(
    state: &State,
    after: Option<ReadyTask>,
) -> impl Iterator<Item = (&ReadyTask, Wait)> + '_ {
    let from = after.map_or(std::ops::Bound::Unbounded, std::ops::Bound::Excluded);
    let rows = state.ready.range((from, std::ops::Bound::Unbounded));
    rows.map(|task| (task, lane_wait(state, &task.lane)))
}

pub(crate) fn run_waits(state: &State, needs: &Needs) -> Vec<Wait> {
    let full: Vec<Wait> = needs
        .limits
        .iter()
        .filter_map(|limit| limit_wait(state, limit))
        .collect();
    if !full.is_empty() {
        return full;
    }
    let lanes: Vec<Wait> = needs
        .lanes
        .iter()
        .map(|lane| lane_wait(state, lane))
        .collect();
    // One lane that has room is enough: the others keep nothing back.
    match lanes.iter().find(|wait| matches!(wait, Wait::Turn(_))) {
        Some(turn) => vec![turn.clone()],
        None => lanes,
    }
}

fn limit_wait(state: &State, limit: &RunLimit) -> Option<Wait> {
    let (slots, held) = (state.limits.slots(limit), state.admission.held(limit));
    let holders = state.admission.runs.get(limit);
    (held >= slots).then(|| Wait::Limit {
        limit: limit.clone(),
        slots,
        held,
        holders: holders
            .into_iter()
            .flatten()
            .take(HOLDERS_MAX)
            .copied()
            .collect(),
    })
}

pub(crate) fn lane_wait(state: &State, lane: &Lane) -> Wait {
    let pool = lane.pool.as_ref();
    if let Some((pool, slots)) = pool.and_then(|pool| Some((pool, state.limits.task_pool(pool)?))) {
        let held = state.admission.held_of_pool(pool);
        if held >= slots {
            let holders = state.admission.attempts.get(pool);
            return Wait::Pool {
                pool: pool.clone(),
                slots,
                held,
                holders: holders
                    .into_iter()
                    .flatten()
                    .take(HOLDERS_MAX)
                    .copied()
                    .collect(),
            };
        }
    }
    let mut hosts = state.hosts.values();
    let alive = hosts.any(|h| h.status == HostStatus::Alive && h.location == lane.location);
    if alive {
        Wait::Turn(lane.location.clone())
    } else {
        Wait::Host(lane.location.clone())
    }
}
