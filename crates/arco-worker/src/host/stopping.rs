//! Letting go: because the lease is over, because the control plane says so, or because the host
//! was asked to end.

use std::time::Duration;

use arco_wire::worker::FailureClass;

use super::outbox::Outbox;
use super::turn::Loop;
use super::{HostStatus, new_id};
use crate::child::Stop;
use crate::clock::Boottime;

/// After the last body: time to deliver what it said.
const DELIVER_MS_MAX: u64 = 5_000;
/// Logs are not worth keeping a machine that wants to go.
const LOGS_MS_MAX: u64 = 10_000;
const LEAVE_MS_MAX: u64 = 2_000;

/// A shutdown under way.
#[derive(Debug)]
pub(super) struct Stopping {
    /// Bodies that still run are stopped.
    cancel_at: Boottime,
    cancelled: bool,
    /// Whatever has not been delivered by then is not.
    give_up_at: Boottime,
}

impl Stopping {
    pub(super) fn next_moment(&self, now: Boottime) -> Option<Boottime> {
        let next = if self.cancelled {
            self.give_up_at
        } else {
            self.cancel_at
        };
        Some(next.max(now))
    }
}

impl Loop {
    /// The lease is over and nobody renewed it: what runs is killed before the control plane may
    /// give it to someone else.
    ///
    /// The host keeps its id and what it knows: bodies that ended in time have facts to deliver, and
    /// those that were killed are reported as lost. If the control plane has declared the host lost
    /// meanwhile, it says `fenced` to the registration and all of that is dropped.
    pub(super) fn expire_if_due(&mut self, now: Boottime) {
        if self.deadline.kill_at().is_none_or(|at| now < at) {
            return;
        }
        tracing::error!(
            running = self.hands.running_count(),
            "the control plane has not answered for a whole lease: every task is killed"
        );
        self.kill_everything();
        self.evaluating.let_go();
        for attempt in self.hands.let_go() {
            let message = "the worker host lost the control plane and killed the task in time";
            let outcome =
                super::work::failed(FailureClass::WorkerLost, "LeaseExpired", message.into());
            self.finish(attempt, outcome, now);
        }
        self.give_back(now);
        self.link.registered = false;
        self.link.must_register = true;
    }

    /// The control plane has declared this host lost and given its work away. What it did since is
    /// void; it begins again as another host.
    pub(super) fn fence(&mut self) {
        tracing::error!(host = %self.host, "this host was declared lost; starting over as another");
        self.kill_everything();
        self.evaluating.start_over();
        self.hands.let_go();
        self.hands.put_down_all();
        self.outbox = Outbox::default();
        self.link.start_over();
        match new_id() {
            Ok(host) => self.host = host,
            Err(error) => drop(self.fatal.get_or_insert(error)),
        }
    }

    fn kill_everything(&mut self) {
        self.children.kill_all();
        self.deadline.clear();
        // Nothing runs any more, so nothing needs to be killed by the kernel: the loaded code stays.
        for zygote in self
            .zygotes
            .values_mut()
            .filter(|zygote| zygote.loaded.is_some())
        {
            zygote.renew(None);
        }
    }

    /// Begins to end.
    pub(super) fn stop(&mut self, now: Boottime) {
        tracing::info!(running = self.hands.running_count(), "stopping");
        let cancel_at = now.plus_ms(self.settings.drain_ms);
        let give_up_at = cancel_at.plus_ms(self.settings.grace_ms + DELIVER_MS_MAX);
        self.stopping = Some(Stopping {
            cancel_at,
            cancelled: false,
            give_up_at,
        });
        self.give_back(now);
        for child in self.evaluating.stop() {
            self.children.stop(child, Stop::Kill);
        }
    }

    pub(super) fn stop_if_due(&mut self, now: Boottime) {
        let Some(stopping) = &mut self.stopping else {
            return;
        };
        if stopping.cancelled || now < stopping.cancel_at {
            return;
        }
        stopping.cancelled = true;
        let children: Vec<_> = self.hands.running().map(|(_, child)| child).collect();
        for child in children {
            self.children.stop(child, Stop::Shutdown);
        }
    }

    /// Whether the loop may end.
    pub(super) fn finished(&self) -> bool {
        if self.fatal.is_some() {
            return true;
        }
        let Some(stopping) = &self.stopping else {
            return false;
        };
        let told = self.hands.is_empty() && self.outbox.is_empty();
        let delivered = told && self.evaluating.is_delivered();
        // Without a link nothing more can be delivered; a link that fails now gets until the end.
        let hopeless = self.hands.is_empty() && !self.link.registered;
        delivered || hopeless || Boottime::now() >= stopping.give_up_at
    }

    /// The last steps, in the order in which others depend on them.
    pub(super) async fn close(&mut self) {
        self.children.kill_all();
        if self.link.registered && !self.link.failing() {
            let leaving = self.client.leave(self.host);
            let _ = tokio::time::timeout(Duration::from_millis(LEAVE_MS_MAX), leaving).await;
        }
        self.shared
            .uploads
            .finish(Duration::from_millis(LOGS_MS_MAX))
            .await;
        for zygote in self.zygotes.values_mut() {
            zygote.shut_down();
        }
        self.wait_for_zygotes(Duration::from_millis(LEAVE_MS_MAX))
            .await;
        self.status.send_replace(HostStatus::Stopped);
    }
}
