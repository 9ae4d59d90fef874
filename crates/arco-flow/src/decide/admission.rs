//! Which task a host gets next: one for which every limit has room, all looked at together (D-21).
//!
//! The order is that of the queue: higher priority first, then first asked, first served; a try that
//! is due goes before. What has no room is passed by, and what comes later may go.
//!
//! Two rules keep passing from becoming starving, of runs of one priority at least:
//!
//! - A run that has waited for [`RESERVE_AFTER_MS`] reserves a slot of each of its limits against all
//!   that come after it. Only the first such run does: at most one slot of a limit is kept idle, and
//!   each run is the first one day.
//! - A slot is left for a task or run of another code location that comes before, when a host there
//!   has room for it: the host that gave the slot back is not asked first for ever.

use std::collections::BTreeMap;
use std::sync::Arc;

use arco_core::event::Position;
use arco_core::limits::RunLimit;
use arco_core::{RunId, TaskIndex, Timestamp};

use crate::state::{HostStatus, Lane, Needs, Place, ReadyTask, Retry, State, TaskStatus};

/// A run that waits for longer than this is not passed by any more. Long enough for most queues to
/// move by themselves; short beside the hours for which a run can be starved.
const RESERVE_AFTER_MS: u64 = 10 * 60 * 1000;

/// Slots of alive hosts that nothing runs in, by code location, without that of the host that asks;
/// empty when there is no other location.
pub(crate) type Spare = BTreeMap<String, u32>;

pub(crate) fn spare(state: &State, location: &str) -> Spare {
    let mut spare = Spare::new();
    if state.locations.len() > 1 {
        let alive = state
            .hosts
            .values()
            .filter(|host| host.status == HostStatus::Alive);
        for host in alive.filter(|host| host.location != location) {
            let held = u32::try_from(host.attempts.len()).unwrap_or(u32::MAX);
            *spare.entry(host.location.clone()).or_default() += host.slots.saturating_sub(held);
        }
    }
    spare
}

/// The next task that a host of a location may be given; none when nothing may.
pub(crate) fn next(
    state: &State,
    location: &str,
    now: Timestamp,
    spare: &Spare,
) -> Option<(RunId, TaskIndex)> {
    let asking = Asking {
        state,
        location,
        now,
        spare,
    };
    if let Some(retry) = asking.due() {
        return Some((retry.run, retry.task));
    }
    let mut passed: Vec<&Lane> = Vec::new();
    loop {
        let best = asking.best_ready(&passed);
        let mut taken = Taken::default();
        if let Some(task) = asking.begin_queued(best.map(|task| &task.place), &mut taken) {
            return Some(task);
        }
        let best = best?;
        if asking.has_room_in(&best.lane, &best.place, &taken) {
            return Some((best.place.run, best.task));
        }
        // What was left for others takes the last slots of its pool.
        passed.push(&best.lane);
    }
}

/// Slots that are left for others.
#[derive(Debug, Default)]
struct Taken<'a> {
    limits: BTreeMap<&'a RunLimit, u32>,
    pools: BTreeMap<&'a str, u32>,
    hosts: BTreeMap<&'a str, u32>,
}

struct Asking<'a> {
    state: &'a State,
    location: &'a str,
    now: Timestamp,
    spare: &'a Spare,
}

impl<'a> Asking<'a> {
    /// The try that is due for longest.
    fn due(&self) -> Option<&'a Retry> {
        let retries = &self.state.admission.retries;
        let first = |lane: Lane| {
            let from = Retry {
                lane,
                at: Timestamp(i64::MIN),
                run: RunId::from_parts(0, 0),
                task: 0,
            };
            retries.range(from..).next()
        };
        let lanes = self.lanes(|lane| first(lane).map(|retry| (&retry.lane, retry)));
        let due = lanes
            .into_iter()
            .map(|(_, retry)| retry)
            .filter(|retry| retry.at <= self.now);
        due.filter(|retry| self.free_slots(retry.lane.pool.as_deref(), &Taken::default()) > 0)
            .min_by_key(|retry| (retry.at, retry.run, retry.task))
    }

    /// The first task of runs under way whose lane has room, without some lanes.
    fn best_ready(&self, passed: &[&Lane]) -> Option<&'a ReadyTask> {
        let first = |lane: Lane| {
            let from = ReadyTask {
                lane,
                place: first_place(),
                task: 0,
            };
            self.state.ready.range(from..).next()
        };
        let lanes = self.lanes(|lane| first(lane).map(|task| (&task.lane, task)));
        let tasks = lanes
            .into_iter()
            .filter(|(lane, _)| !passed.contains(lane))
            .map(|(_, task)| task);
        tasks
            .filter(|task| self.has_room_in(&task.lane, &task.place, &Taken::default()))
            .min_by_key(|task| (&task.place, task.task))
    }

    /// What `first_from` finds at the beginning of each lane of the location.
    fn lanes<T: 'a>(
        &self,
        first_from: impl Fn(Lane) -> Option<(&'a Lane, T)>,
    ) -> Vec<(&'a Lane, T)> {
        let mut found: Vec<(&'a Lane, T)> = Vec::new();
        let mut from = Lane {
            location: self.location.to_owned(),
            pool: None,
        };
        while let Some((lane, first)) = first_from(from) {
            if lane.location != self.location {
                break;
            }
            // The least name after that of the lane.
            let after = lane
                .pool
                .as_deref()
                .map_or_else(String::new, |pool| format!("{pool}\0"));
            from = Lane {
                location: lane.location.clone(),
                pool: Some(after),
            };
            found.push((lane, first));
        }
        found
    }

    /// Walks the queue up to a place, for a run to begin at this location.
    fn begin_queued(
        &self,
        until: Option<&Place>,
        taken: &mut Taken<'a>,
    ) -> Option<(RunId, TaskIndex)> {
        let admission = &self.state.admission;
        let mut heads = admission.heads.iter().peekable();
        // Runs after the first of their class, which was left for another location.
        let mut next: BTreeMap<Place, &'a Arc<Needs>> = BTreeMap::new();
        let mut has_reserved = false;
        while self.room(&RunLimit::Runs, taken) > 0 {
            let later = next.first_key_value().map(|(place, _)| *place);
            let (place, needs) = match (heads.peek(), later) {
                (Some((head, _)), Some(later)) if later < **head => next.pop_first()?,
                (None, Some(_)) => next.pop_first()?,
                _ => heads.next().map(|(place, needs)| (*place, needs))?,
            };
            if until.is_some_and(|until| place >= *until) {
                return None;
            }
            let has_room = needs.limits.iter().all(|limit| self.room(limit, taken) > 0);
            if has_room && let Some(task) = self.first_task(&place, needs, taken) {
                return Some(task);
            }
            if has_room && self.leave(&place, needs, taken) {
                let class = admission.classes.get(needs);
                let after = class.and_then(|class| class.range(place..).nth(1));
                next.extend(after.map(|place| (*place, needs)));
            } else if !has_reserved && self.is_overdue(&place) && self.can_ever(needs) {
                has_reserved = true;
                take(&mut taken.limits, &needs.limits);
            }
        }
        None
    }

    /// The first task of a queued run that a host here may be given.
    fn first_task(
        &self,
        place: &Place,
        needs: &Needs,
        taken: &Taken<'a>,
    ) -> Option<(RunId, TaskIndex)> {
        let here = needs
            .lanes
            .iter()
            .filter(|lane| lane.location == self.location);
        let open: Vec<&Lane> = here
            .filter(|lane| self.has_room_in(lane, place, taken))
            .collect();
        if open.is_empty() {
            return None;
        }
        let run = self.state.run(place.run)?;
        let mut ready = (0..)
            .zip(&run.tasks)
            .filter(|(_, task)| task.status == TaskStatus::Ready);
        let first = ready.find(|(index, _)| {
            let lane = self.state.lane(run, *index);
            lane.is_some_and(|lane| open.contains(&&lane))
        });
        first.map(|(index, _)| (place.run, index))
    }

    /// Leaves a run to a host of another location that has room for it.
    fn leave(&self, place: &Place, needs: &'a Needs, taken: &mut Taken<'a>) -> bool {
        let lane = needs.lanes.iter().find(|lane| {
            let spare = self.spare.get(&lane.location).copied().unwrap_or(0);
            let used = taken
                .hosts
                .get(lane.location.as_str())
                .copied()
                .unwrap_or(0);
            spare > used && self.has_room_in(lane, place, taken)
        });
        let Some(lane) = lane else { return false };
        *taken.hosts.entry(&lane.location).or_default() += 1;
        if let Some(pool) = &lane.pool {
            *taken.pools.entry(pool).or_default() += 1;
        }
        take(&mut taken.limits, &needs.limits);
        true
    }

    fn is_overdue(&self, place: &Place) -> bool {
        let requested = self.state.run(place.run).map(|run| run.requested.1);
        requested.is_some_and(|at| self.now.ms_since(at) >= RESERVE_AFTER_MS)
    }

    /// Whether the run would begin one day: no limit is 0, and a host is there.
    fn can_ever(&self, needs: &Needs) -> bool {
        let limits = &self.state.limits;
        let lane = |lane: &Lane| {
            let slots = lane.pool.as_ref().and_then(|pool| limits.task_pool(pool));
            let has_host =
                lane.location == self.location || self.spare.contains_key(&lane.location);
            slots != Some(0) && has_host
        };
        needs.limits.iter().all(|limit| limits.slots(limit) > 0) && needs.lanes.iter().any(lane)
    }

    /// Free slots of a limit, without those that are left for others.
    fn room(&self, limit: &RunLimit, taken: &Taken<'_>) -> u32 {
        let taken = taken.limits.get(limit).copied().unwrap_or(0);
        let held = self.state.admission.held(limit);
        self.state
            .limits
            .slots(limit)
            .saturating_sub(held.saturating_add(taken))
    }

    fn free_slots(&self, pool: Option<&str>, taken: &Taken<'_>) -> u32 {
        let Some((pool, slots)) =
            pool.and_then(|pool| Some((pool, self.state.limits.task_pool(pool)?)))
        else {
            return u32::MAX;
        };
        let taken = taken.pools.get(pool).copied().unwrap_or(0);
        slots.saturating_sub(
            self.state
                .admission
                .held_of_pool(pool)
                .saturating_add(taken),
        )
    }

    /// Whether a lane has a slot for a task at a place, after those of other locations before it.
    fn has_room_in(&self, lane: &Lane, place: &Place, taken: &Taken<'_>) -> bool {
        let free = self.free_slots(lane.pool.as_deref(), taken);
        if free == 0 || lane.pool.is_none() {
            return free > 0;
        }
        let others = self
            .spare
            .iter()
            .filter(|(location, _)| **location != lane.location);
        let before = |(location, spare): (&String, &u32)| {
            let most = free.min(*spare) as usize;
            let from = Lane {
                location: location.clone(),
                pool: lane.pool.clone(),
            };
            let from = ReadyTask {
                lane: from,
                place: first_place(),
                task: 0,
            };
            let until = ReadyTask {
                place: *place,
                ..from.clone()
            };
            self.state.ready.range(from..until).take(most).count()
        };
        others.map(before).sum::<usize>() < free as usize
    }
}

/// Before every run.
fn first_place() -> Place {
    Place {
        rank: i64::MIN,
        requested: Position::default(),
        run: RunId::from_parts(0, 0),
    }
}

fn take<'a>(taken: &mut BTreeMap<&'a RunLimit, u32>, limits: &'a [RunLimit]) {
    for limit in limits {
        *taken.entry(limit).or_default() += 1;
    }
}

#[cfg(test)]
mod tests;
