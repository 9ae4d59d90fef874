//! What a run that might begin, or a task that might be leased, waits for.

use arco_core::TaskIndex;
use arco_core::explanation::{Reason, Why};

use super::Explainer;
use crate::queue::{self, Wait};
use crate::state::{HostStatus, ReadyTask, Run, RunStatus};

/// What goes first is counted up to here: nobody waits for an exact million.
const AHEAD_MAX: usize = 1_000;

impl Explainer<'_> {
    /// Of a queued run: limits that are full and who holds their slots, else hosts, and who goes first.
    pub(super) fn waits_to_begin(&self, run: &Run) -> Vec<Why> {
        let place = run.place();
        let Some(needs) = self.state.admission.queue.get(&place) else {
            return Vec::new();
        };
        let waits = queue::run_waits(self.state, needs);
        let mut out: Vec<Why> = waits.into_iter().map(|wait| self.waits_for(wait)).collect();
        let ahead = self.state.admission.queue.range(..place);
        let ahead: Vec<_> = ahead.take(AHEAD_MAX).map(|(place, _)| place.run).collect();
        if let Some(first) = ahead.first() {
            let behind = Reason::BehindRuns {
                runs: ahead.len() as u64,
                first: *first,
            };
            out.push(behind.into());
        }
        out
    }

    /// Of a ready task, or one whose next try is due: the slot or the host it waits for, and who goes
    /// first.
    pub(super) fn waits_for_host(&self, run: &Run, task: TaskIndex) -> Vec<Why> {
        if run.status == RunStatus::Queued {
            return self.waits_to_begin(run);
        }
        let Some(ready) = self.state.ready_task(run, task) else {
            return Vec::new();
        };
        let wait = queue::lane_wait(self.state, &ready.lane);
        let no_host = matches!(wait, Wait::Host(_));
        let tasks = if no_host {
            0
        } else {
            self.ahead(&ready) as u64
        };
        let behind = (tasks > 0).then(|| Reason::Behind { tasks }.into());
        [self.waits_for(wait)].into_iter().chain(behind).collect()
    }

    fn waits_for(&self, wait: Wait) -> Why {
        Why::from(match wait {
            Wait::Limit {
                limit,
                slots,
                held,
                holders,
            } => Reason::LimitFull {
                limit: limit.to_string(),
                slots,
                held,
                runs: holders,
            },
            Wait::Pool {
                pool,
                slots,
                held,
                holders,
            } => Reason::PoolFull {
                pool,
                slots,
                held,
                attempts: holders,
            },
            Wait::Host(location) | Wait::Turn(location) => self.hands(location),
        })
    }

    /// The hosts of a location: none, all with their hands full, or one that has room.
    fn hands(&self, location: String) -> Reason {
        let (mut hosts, mut slots, mut held, mut lost) = (0, 0, 0, 0);
        let of_location = |host: &&crate::state::HostState| host.location == location;
        for host in self.state.hosts.values().filter(of_location) {
            if host.status == HostStatus::Alive {
                hosts += 1;
                slots += u64::from(host.slots);
                held += host.attempts.len() as u64;
            } else {
                lost += 1;
            }
        }
        match hosts {
            0 => Reason::NoHost { location, lost },
            _ if held >= slots => Reason::HostsBusy {
                location,
                hosts,
                slots,
                held,
            },
            _ => Reason::HostHasRoom { location, hosts },
        }
    }

    /// How many tasks of its lane are leased before this one: tries that are due, then ready tasks.
    fn ahead(&self, ready: &ReadyTask) -> usize {
        let own = (ready.place.run, ready.task);
        let retries = self.state.admission.retries.iter();
        let due = retries.filter(|retry| {
            retry.lane == ready.lane && retry.at <= self.now && (retry.run, retry.task) != own
        });
        let before = self.state.ready.range(..ready.clone()).rev();
        let before = before.take_while(|other| other.lane == ready.lane);
        due.map(drop)
            .chain(before.map(drop))
            .take(AHEAD_MAX)
            .count()
    }
}
