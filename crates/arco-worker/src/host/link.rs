//! The link to the control plane: which call to make next, and what its answer changes.
//!
//! Two calls at most are under way: the main one (register or exchange) and a heartbeat beside it,
//! which keeps the lease while an exchange waits. An exchange that waits for work is broken off as
//! soon as there is something to report. It may have been given leases whose answer was on its way:
//! they come again with the next answer, because the next call does not name them as live.

use std::time::Duration;

use arco_core::{AttemptId, HostId};
use arco_wire::worker::{
    Exchanged, Fact, FailureClass, Heartbeat, HeartbeatAnswer, Outcome, RegisterHost, Registered,
};
use tokio::task::{AbortHandle, JoinSet};

use super::turn::Loop;
use super::{HostError, HostStatus, Wake, orphans};
use crate::child::Stop;
use crate::client::{Call, CallError};
use crate::clock::Boottime;
use crate::zygote::ZygoteId;

/// Pauses between tries. Short at first: a control plane that restarts is back in a second.
const BACKOFF_MS: [u64; 6] = [50, 100, 200, 400, 800, 1_000];
/// A control plane that gives nothing and does not wait either is asked at most this often.
const EMPTY_POLL_MS: u64 = 50;
/// While bodies begin and end at a faster pace than this, their reports carry the wish for work, and
/// a call that waits would only be broken off again.
const QUIET_MS: u64 = 25;

/// An answer, and the call it belongs to.
#[derive(Debug)]
pub(crate) struct Answer {
    host: HostId,
    call: u64,
    sent: Boottime,
    what: Answered,
}

#[derive(Debug)]
enum Answered {
    Registered(Call<Registered>),
    Exchanged(Call<Exchanged>),
    Beat(Call<HeartbeatAnswer>),
}

#[derive(Debug)]
struct Flight {
    call: u64,
    /// It waits for work and may be broken off.
    waits: bool,
    abort: AbortHandle,
}

/// What the host knows of its link.
#[derive(Debug)]
pub(super) struct Link {
    pub registered: bool,
    pub must_register: bool,
    /// The zygote whose manifest is being registered.
    registering: Option<ZygoteId>,
    calls: u64,
    flight: Option<Flight>,
    failures: usize,
    retry_at: Option<Boottime>,
    poll_at: Option<Boottime>,
    beat_flight: Option<u64>,
    beat_at: Option<Boottime>,
    heartbeat_interval_ms: u64,
    /// The last attempt whose facts were refused as unsound.
    culprit: Option<AttemptId>,
    tasks: JoinSet<()>,
}

impl Default for Link {
    fn default() -> Self {
        Self {
            registered: false,
            must_register: false,
            registering: None,
            calls: 0,
            flight: None,
            failures: 0,
            retry_at: None,
            poll_at: None,
            beat_flight: None,
            beat_at: None,
            heartbeat_interval_ms: 1_000,
            culprit: None,
            tasks: JoinSet::new(),
        }
    }
}

impl Link {
    /// Forgets every call under way: their answers are about a host that is no more.
    pub(super) fn start_over(&mut self) {
        let calls = self.calls;
        *self = Self {
            calls,
            must_register: true,
            ..Self::default()
        };
    }

    pub(super) fn is_registering(&self) -> bool {
        self.registering.is_some()
    }

    pub(super) fn failing(&self) -> bool {
        self.failures > 0
    }

    fn failed(&mut self, now: Boottime) {
        let pause = BACKOFF_MS[self.failures.min(BACKOFF_MS.len() - 1)];
        self.failures += 1;
        self.retry_at = Some(now.plus_ms(pause));
    }

    fn worked(&mut self, sent: Boottime) {
        self.failures = 0;
        self.retry_at = None;
        let next = sent.plus_ms(self.heartbeat_interval_ms);
        self.beat_at = Some(self.beat_at.map_or(next, |known| known.max(next)));
    }

    fn begin(&mut self) -> u64 {
        self.calls += 1;
        while self.tasks.try_join_next().is_some() {}
        self.calls
    }
}

impl Loop {
    /// When the link has something to do though nothing has happened.
    pub(super) fn link_moment(&self) -> Option<Boottime> {
        let due = self.report_due();
        let main = match (&self.link.flight, self.link.retry_at) {
            (Some(flight), _) => due.filter(|_| flight.waits),
            (None, Some(retry)) => Some(retry),
            (None, None) => due.or_else(|| self.poll_due()),
        };
        let beat = self
            .link
            .beat_at
            .filter(|_| self.link.beat_flight.is_none());
        [main, beat].into_iter().flatten().min()
    }

    fn report_due(&self) -> Option<Boottime> {
        self.outbox.due(self.hands.waiting_count() > 0)
    }

    /// When to make a call that waits, for work or for cancellations; `None` when there is nothing
    /// to wait for.
    fn poll_due(&self) -> Option<Boottime> {
        let running = self.hands.running_count() > 0;
        if !self.link.registered || self.stopping.is_some() || !(running || self.wanted() > 0) {
            return None;
        }
        let quiet = self
            .hands
            .moved()
            .filter(|_| running)
            .map(|moved| moved.plus_ms(QUIET_MS));
        let earliest = self.link.poll_at.max(quiet);
        Some(earliest.unwrap_or(Boottime::ZERO))
    }

    /// Makes the next main call, if there is one to make.
    pub(super) fn call(&mut self, now: Boottime) {
        if let Some(flight) = &self.link.flight {
            let interrupt = self.report_due().is_some_and(|due| due <= now)
                || self.stopping.is_some()
                || self.link.must_register;
            if !flight.waits || !interrupt {
                return;
            }
            flight.abort.abort();
            self.link.flight = None;
            self.outbox.drop_wish();
        }
        if self.link.retry_at.is_some_and(|at| now < at) {
            return;
        }
        // New code is registered between two exchanges; a host that is not registered (any more) has
        // no choice.
        let between = !self.link.registered || self.outbox.unanswered().is_none();
        if self.link.must_register && between {
            self.register(now);
        } else if self.link.registered {
            self.exchange(now);
        }
    }

    fn register(&mut self, now: Boottime) {
        let Some(zygote) = self
            .loading
            .to_register()
            .and_then(|id| self.zygotes.get(&id))
        else {
            return;
        };
        let Some(loaded) = &zygote.loaded else { return };
        let mut attempts = self.hands.attempts();
        attempts.extend(self.outbox.undelivered());
        attempts.sort_unstable();
        attempts.dedup();
        let body = RegisterHost {
            host: self.host,
            location: self.settings.location.clone(),
            manifest: loaded.manifest.clone(),
            pid: std::process::id(),
            hostname: orphans::hostname(),
            slots: self.settings.slots,
            attempts,
        };
        self.link.registering = Some(zygote.id);
        let client = self.client.clone();
        self.fly(now, false, async move {
            Answered::Registered(client.register(&body).await)
        });
    }

    fn exchange(&mut self, now: Boottime) {
        let exchange = match (self.outbox.unanswered(), self.report_due()) {
            (Some(unanswered), _) => unanswered,
            (None, Some(due)) if due <= now => {
                self.outbox.next(self.wanted(), 0, self.hands.attempts())
            }
            // What lingers goes first: its call carries the wish for work.
            (None, Some(_)) => return,
            (None, None) if self.poll_due().is_some_and(|at| at <= now) => {
                self.outbox
                    .next(self.wanted(), self.settings.wait_ms, self.hands.attempts())
            }
            (None, None) => return,
        };
        let (client, host, body) = (self.client.clone(), self.host, exchange.clone());
        let waits = body.wait_ms > 0;
        self.fly(now, waits, async move {
            Answered::Exchanged(client.exchange(host, &body).await)
        });
    }

    /// Sends a sign of life, if nothing else has been one.
    pub(super) fn beat(&mut self, now: Boottime) {
        let due = self.link.beat_at.is_some_and(|at| at <= now);
        if !self.link.registered || self.link.beat_flight.is_some() || !due {
            return;
        }
        let call = self.link.begin();
        self.link.beat_flight = Some(call);
        let body = Heartbeat {
            live: self.hands.attempts(),
        };
        let (client, host) = (self.client.clone(), self.host);
        let wakes = self.shared.wakes.clone();
        // A heartbeat that takes longer than the pause to the next one is worth less than a new one.
        let patience = Duration::from_millis(self.link.heartbeat_interval_ms.max(500));
        self.link.tasks.spawn(async move {
            let beat = tokio::time::timeout(patience, client.heartbeat(host, &body)).await;
            let late = || Err(CallError::Unavailable("no answer in time".into()));
            let what = Answered::Beat(beat.unwrap_or_else(|_| late()));
            let _ = wakes
                .send(Wake::Answer(Answer {
                    host,
                    call,
                    sent: now,
                    what,
                }))
                .await;
        });
    }

    fn fly(
        &mut self,
        now: Boottime,
        waits: bool,
        call: impl Future<Output = Answered> + Send + 'static,
    ) {
        let number = self.link.begin();
        tracing::trace!(call = number, waits, "call");
        let (host, wakes) = (self.host, self.shared.wakes.clone());
        let abort = self.link.tasks.spawn(async move {
            let what = call.await;
            let answer = Answer {
                host,
                call: number,
                sent: now,
                what,
            };
            let _ = wakes.send(Wake::Answer(answer)).await;
        });
        self.link.flight = Some(Flight {
            call: number,
            waits,
            abort,
        });
    }

    pub(super) fn answered(&mut self, answer: Answer, now: Boottime) {
        tracing::trace!(?answer, "answer");
        let Answer {
            host,
            call,
            sent,
            what,
        } = answer;
        if host != self.host {
            return;
        }
        if let Answered::Beat(beat) = what {
            if self.link.beat_flight == Some(call) {
                self.link.beat_flight = None;
                self.beat_answered(sent, beat, now);
            }
            return;
        }
        if self
            .link
            .flight
            .as_ref()
            .is_none_or(|flight| flight.call != call)
        {
            return;
        }
        self.link.flight = None;
        match what {
            Answered::Registered(Ok(registered)) => self.registered(sent, registered, now),
            Answered::Registered(Err(error)) => self.register_failed(error, now),
            Answered::Exchanged(Ok(exchanged)) => self.exchanged(sent, exchanged, now),
            Answered::Exchanged(Err(error)) => self.exchange_failed(error, now),
            Answered::Beat(_) => {}
        }
    }

    fn registered(&mut self, sent: Boottime, registered: Registered, now: Boottime) {
        self.link.heartbeat_interval_ms = registered.heartbeat_interval_ms.max(1);
        self.link.worked(sent);
        self.link.registered = true;
        self.link.must_register = false;
        self.evaluating.registered();
        self.deadline.answered(sent, registered.lease_ttl_ms);
        self.outbox.drop_wish();
        for attempt in registered.killed {
            self.disown(attempt);
        }
        self.definitions_version = Some(registered.definitions_version);
        let zygote = self.link.registering.take();
        self.change_over(zygote, now);
        self.tell_attached();
        tracing::info!(host = %self.host, definitions = registered.definitions_version.short(), "registered");
    }

    fn register_failed(&mut self, error: CallError, now: Boottime) {
        let zygote = self.link.registering.take();
        match error {
            CallError::Refused(detail) => {
                tracing::warn!(detail, "the control plane refused the definitions");
                self.link.must_register = false;
                self.refuse(zygote, detail);
            }
            error => self.call_failed(error, now),
        }
    }

    fn exchanged(&mut self, sent: Boottime, exchanged: Exchanged, now: Boottime) {
        self.link.worked(sent);
        self.deadline.answered(sent, exchanged.lease_ttl_ms);
        let Some(asked) = self.outbox.answered() else {
            return;
        };
        let idle = exchanged.leases.is_empty() && asked.reports.is_empty();
        let hasty = idle && now < sent.plus_ms(EMPTY_POLL_MS);
        self.link.poll_at = hasty.then(|| now.plus_ms(EMPTY_POLL_MS));
        for lease in exchanged.leases {
            self.take(lease, now);
        }
        for refused in exchanged.refused {
            tracing::debug!(attempt = %refused.attempt, reason = refused.reason, "facts were refused");
            self.disown(refused.attempt);
        }
        for attempt in exchanged.cancels {
            self.cancel(attempt, now);
        }
        self.tell_attached();
    }

    fn exchange_failed(&mut self, error: CallError, now: Boottime) {
        let CallError::Refused(detail) = error else {
            return self.call_failed(error, now);
        };
        tracing::error!(detail, "the control plane refused a report");
        let Some(culprit) = self.outbox.split(now) else {
            return self.link.failed(now);
        };
        self.disown(culprit);
        // Its failure is reported in place of its facts; if even that is refused, nothing is.
        if self.link.culprit.replace(culprit) != Some(culprit) {
            let class = FailureClass::UserCode;
            let message = format!("the control plane refused what the body reported: {detail}");
            let outcome = super::work::failed(class, "ReportRefused", message);
            self.finish(culprit, outcome, now);
        }
    }

    fn beat_answered(&mut self, sent: Boottime, beat: Call<HeartbeatAnswer>, now: Boottime) {
        match beat {
            Ok(answer) => {
                self.link.worked(sent);
                self.deadline.answered(sent, answer.lease_ttl_ms);
                for attempt in answer.unknown {
                    self.disown(attempt);
                }
                for attempt in answer.cancels {
                    self.cancel(attempt, now);
                }
                self.tell_attached();
            }
            Err(CallError::Unavailable(why)) => {
                tracing::debug!(why, "no answer to a heartbeat");
                let pause = self.link.heartbeat_interval_ms.min(500);
                self.link.beat_at = Some(now.plus_ms(pause));
                self.status.send_replace(HostStatus::Away(why));
            }
            Err(CallError::Refused(detail)) => {
                tracing::warn!(detail, "a heartbeat was refused");
                self.link.beat_at = Some(now.plus_ms(self.link.heartbeat_interval_ms));
            }
            Err(error) => self.call_failed(error, now),
        }
    }

    /// Failures that mean the same for every call.
    fn call_failed(&mut self, error: CallError, now: Boottime) {
        match error {
            CallError::Unavailable(why) => {
                if self.link.failures == 0 {
                    tracing::warn!(why, "the control plane does not answer; trying again");
                }
                self.link.failed(now);
                self.status.send_replace(HostStatus::Away(why));
            }
            CallError::UnknownHost => {
                tracing::info!("the control plane asks for registration");
                self.link.registered = false;
                self.link.must_register = true;
            }
            CallError::Fenced => self.fence(),
            CallError::Forbidden(detail) => {
                let location = self.settings.location.clone();
                self.fatal
                    .get_or_insert(HostError::Token { location, detail });
            }
            CallError::Refused(detail) => {
                tracing::error!(detail, "a call was refused");
                self.link.failed(now);
            }
        }
    }

    /// The attempt is not ours: whatever is left of it goes without a word.
    fn disown(&mut self, attempt: AttemptId) {
        self.outbox.forget(attempt);
        self.hands.put_down(attempt);
        if let Some(child) = self.hands.child_of(attempt) {
            self.children.stop(child, Stop::Kill);
        }
    }

    pub(super) fn finish(&mut self, attempt: AttemptId, outcome: Outcome, now: Boottime) {
        self.outbox.push(attempt, Fact::Finished { outcome }, now);
    }

    fn tell_attached(&self) {
        let Some(definitions_version) = self.definitions_version else {
            return;
        };
        let loaded = self
            .loading
            .current
            .and_then(|id| self.zygotes.get(&id)?.loaded.clone());
        let Some(loaded) = loaded else { return };
        self.status.send_if_modified(|status| {
            let same = matches!(status, HostStatus::Attached { host, definitions_version: known, .. }
                if *host == self.host && *known == definitions_version);
            let keep = matches!(status, HostStatus::LoadFailed(_) | HostStatus::Refused(_));
            if same || keep {
                return false;
            }
            *status = HostStatus::Attached {
                host: self.host,
                definitions_version,
                fork_safe: loaded.fork_safe,
                fork_note: loaded.fork_note.clone(),
            };
            true
        });
    }
}
