//! Leases into children, facts out of them.

use arco_core::AttemptId;
use arco_wire::worker::{ErrorInfo, FailureClass, Lease, Outcome};

use super::prefetch::LONG_MS;
use super::turn::Loop;
use crate::child::{ChildId, Event, Stop};
use crate::clock::Boottime;

impl Loop {
    /// How many leases to ask for.
    pub(super) fn wanted(&self) -> u32 {
        let serves = self
            .loading
            .current
            .is_some_and(|id| self.zygotes.contains_key(&id));
        if self.stopping.is_some() || !serves {
            return 0;
        }
        let room = self.settings.slots + self.prefetch.extra(self.settings.prefetch_max);
        room.saturating_sub(self.hands.running_count() + self.hands.waiting_count())
    }

    /// A lease comes into hand, as the settings want it run.
    ///
    /// One that was here before is not run again. If it is still here, or its end is on its way, it
    /// has crossed a call of ours. Else the control plane holds for alive what is over: then it is
    /// told so, for it would wait for ever.
    pub(super) fn take(&mut self, lease: Lease, now: Boottime) {
        let attempt = lease.attempt;
        let isolation = self.settings.isolation.unwrap_or(lease.isolation);
        let new = self.hands.take(Lease { isolation, ..lease });
        let here = new || self.hands.holds(attempt) || self.outbox.undelivered().contains(&attempt);
        if !here {
            let message = "the attempt was leased again after it was over".into();
            self.finish(
                attempt,
                failed(FailureClass::WorkerLost, "LeasedTwice", message),
                now,
            );
        }
    }

    /// Gives waiting leases to free children, and sees to it that there will be more.
    pub(super) fn hand_out(&mut self, now: Boottime) {
        if self.stopping.is_some() {
            return;
        }
        let Some(id) = self.loading.current.or(self.loading.candidate) else {
            return;
        };
        let Some(zygote) = self.zygotes.get_mut(&id) else {
            return;
        };
        if zygote.loaded.is_none() || zygote.draining {
            return;
        }
        let slots = self.settings.slots;
        if zygote.armed && self.link.registered && self.loading.current == Some(id) {
            // A lease whose kind of child is not ready lets those behind it pass, within the slots.
            let mut index = 0;
            while self.hands.running_count() < slots {
                let room = (slots - self.hands.running_count()) as usize;
                let Some(lease) = self.hands.waiting().take(room).nth(index) else {
                    break;
                };
                match self.children.find(zygote, lease) {
                    Some(child) => {
                        if let Some(lease) = self.hands.begin(index, child, now) {
                            self.children.run(child, lease);
                        }
                    }
                    None => index += 1,
                }
            }
        }
        let free = (slots - self.hands.running_count().min(slots)) as usize;
        self.children
            .make_ahead(zygote, slots, self.hands.waiting().take(free));
    }

    /// Since when all slots have been busy with bodies that turn out long, while leases wait.
    pub(super) fn long_since(&self) -> Option<Boottime> {
        let full = self.hands.running_count() >= self.settings.slots;
        let stuck = full && self.hands.waiting_count() > 0;
        stuck
            .then(|| self.hands.moved().map(|moved| moved.plus_ms(LONG_MS)))
            .flatten()
    }

    /// Leases that wait behind long bodies go back: another host may have room.
    pub(super) fn give_back_if_long(&mut self, now: Boottime) {
        if self.long_since().is_some_and(|since| since <= now) {
            self.prefetch.found_long();
            self.give_back(now);
        }
    }

    pub(super) fn give_back(&mut self, now: Boottime) {
        for attempt in self.hands.put_down_all() {
            self.finish(attempt, Outcome::Released, now);
        }
    }

    pub(super) fn cancel(&mut self, attempt: AttemptId, now: Boottime) {
        if self.hands.put_down(attempt) {
            self.finish(attempt, Outcome::Cancelled, now);
        } else if let Some(child) = self.hands.child_of(attempt) {
            self.children.stop(child, Stop::Cancel);
        }
    }

    pub(super) fn child_said(&mut self, child: ChildId, event: Event, now: Boottime) {
        match event {
            Event::Facts(facts) => {
                if let Some(attempt) = self.hands.attempt_of(child) {
                    for fact in facts {
                        self.outbox.push(attempt, fact, now);
                    }
                }
            }
            Event::Ended {
                outcome,
                body,
                reusable,
            } => {
                self.children.served(child, reusable);
                self.retire_if_replaced(child);
                self.prefetch.body_took(body);
                if let Some(attempt) = self.hands.end(child, now)
                    && let Some(outcome) = outcome
                {
                    self.finish(attempt, outcome, now);
                }
            }
            Event::Evaluated { answer, reusable } => {
                self.children.served(child, reusable);
                self.retire_if_replaced(child);
                self.evaluating.answered(child, answer);
            }
            Event::Gone => self.child_gone(child),
        }
    }

    /// A child of code that has been replaced does not take another task.
    fn retire_if_replaced(&mut self, child: ChildId) {
        if let Some(zygote) = self.children.zygote_of(child)
            && self
                .zygotes
                .get(&zygote)
                .is_some_and(|zygote| zygote.draining)
        {
            self.children.dismiss(zygote);
        }
    }
}

pub(super) fn failed(class: FailureClass, kind: &str, message: String) -> Outcome {
    Outcome::Failed {
        class,
        error: ErrorInfo {
            kind: kind.into(),
            message,
            traceback: String::new(),
        },
        allow_retries: true,
        retry_after_ms: None,
        max_retries: None,
    }
}
