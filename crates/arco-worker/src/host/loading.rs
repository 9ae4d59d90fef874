//! Loading user code: at the start, again on request, and again after a zygote has died.
//!
//! New code is loaded beside the old. Only when it has loaded *and* the control plane has accepted
//! its definitions does it take over; until then, and if either fails, the old goes on as if nothing
//! had happened.

use arco_wire::worker::{ErrorInfo, FailedLoad};

use super::turn::Loop;
use super::{HostError, HostStatus};
use crate::clock::Boottime;
use crate::message::{FromZygote, Loaded, PROTOCOL};
use crate::zygote::{Event, Zygote, ZygoteId};

/// Pauses before a zygote that died is replaced. User code that kills its interpreter at once
/// must not fill the machine with starting interpreters.
const RESTART_MS: [u64; 5] = [0, 1_000, 5_000, 15_000, 30_000];
/// A zygote that lived so long had nothing wrong with it.
const HEALTHY_MS: u64 = 60_000;

/// Which code is loaded, and which is to be.
#[derive(Debug, Default)]
pub(super) struct Loading {
    /// Serves: its definitions are registered.
    pub current: Option<ZygoteId>,
    /// Is loading, or loaded and waiting to be registered.
    pub candidate: Option<ZygoteId>,
    /// Somebody asked for a reload.
    pub wanted: bool,
    numbers: ZygoteId,
    deaths: usize,
    restart_at: Option<Boottime>,
}

impl Loading {
    /// Whose manifest to register: new code if there is some, else that which serves.
    pub(super) fn to_register(&self) -> Option<ZygoteId> {
        self.candidate.or(self.current)
    }

    pub(super) fn due(&self) -> Option<Boottime> {
        self.restart_at
    }
}

impl Loop {
    /// Starts a zygote; an older one that is still loading is given up.
    pub(super) async fn load(&mut self, _now: Boottime) -> Result<(), HostError> {
        if let Some(older) = self.loading.candidate.take() {
            self.discard(older);
        }
        self.loading.numbers += 1;
        let id = self.loading.numbers;
        let started = Zygote::start(id, &self.settings, &self.shared.wakes).await;
        let zygote = started.map_err(|source| HostError::Python {
            python: self.settings.python.display().to_string(),
            source,
        })?;
        self.zygotes.insert(id, zygote);
        self.loading.candidate = Some(id);
        self.status.send_replace(HostStatus::Loading);
        Ok(())
    }

    pub(super) async fn load_if_due(&mut self, now: Boottime) {
        let restart = self.loading.restart_at.is_some_and(|at| at <= now);
        let wanted = restart || self.loading.wanted;
        // Code that is being registered is about to take over, and cannot be given up now.
        if !wanted || self.stopping.is_some() || self.link.is_registering() {
            return;
        }
        self.loading.wanted = false;
        self.loading.restart_at = None;
        if let Err(error) = self.load(now).await {
            tracing::error!(%error, "cannot load user code again");
            self.restart_later(now);
        }
    }

    pub(super) fn zygote_said(&mut self, id: ZygoteId, event: Event, now: Boottime) {
        match event {
            Event::Said(said) => self.heard_from_zygote(id, said),
            Event::Gone(how) => self.zygote_gone(id, how, now),
        }
    }

    fn heard_from_zygote(&mut self, id: ZygoteId, said: FromZygote) {
        match said {
            FromZygote::Hello { protocol } if protocol == PROTOCOL => {}
            FromZygote::Hello { protocol } => {
                let message = format!(
                    "the arco-flow package speaks worker protocol {protocol}, this host speaks \
                     {PROTOCOL}; install the release of arco-flow that matches this `arco`"
                );
                self.load_failed(id, error("ProtocolMismatch", message, String::new()));
            }
            FromZygote::Loaded(loaded) => self.loaded(id, loaded),
            FromZygote::LoadFailed { error, sources } => {
                self.watch.files(sources);
                self.load_failed(id, error);
            }
            FromZygote::Forked { child, pid } => {
                self.children.forked(child, pid);
                // It was asked for before other code took over, and nobody needs it now.
                if self.zygotes.get(&id).is_some_and(|zygote| zygote.draining) {
                    self.children.dismiss(id);
                }
            }
            FromZygote::Renewed {
                deadline_boottime_ns,
            } => {
                if let Some(zygote) = self.zygotes.get_mut(&id) {
                    // An answer to an older order must not undo a newer one.
                    zygote.armed = deadline_boottime_ns > 0 && self.deadline.told().is_some();
                }
            }
            FromZygote::Exited { child, exit } => self.children.exited(child, exit),
        }
    }

    fn loaded(&mut self, id: ZygoteId, loaded: Loaded) {
        tracing::info!(
            ms = loaded.load_ms,
            fork_safe = loaded.fork_safe,
            note = loaded.fork_note,
            "user code is loaded"
        );
        self.watch.files(loaded.sources.clone());
        let Some(zygote) = self.zygotes.get_mut(&id) else {
            return;
        };
        zygote.loaded = Some(loaded.into());
        if self.loading.candidate == Some(id) {
            self.link.must_register = true;
        }
    }

    fn load_failed(&mut self, id: ZygoteId, error: ErrorInfo) {
        self.discard(id);
        if self.loading.candidate == Some(id) {
            self.loading.candidate = None;
        }
        tracing::error!(error = error.message, "user code did not load");
        self.tell_failed_load(error.clone());
        self.status
            .send_replace(HostStatus::LoadFailed(error.clone()));
        if self.loading.current.is_none() && self.settings.exit_on_failed_load {
            let target = self.settings.target.clone();
            self.fatal.get_or_insert(HostError::Load { target, error });
        }
    }

    fn tell_failed_load(&self, error: ErrorInfo) {
        let body = FailedLoad {
            location: self.settings.location.clone(),
            error,
        };
        let (client, host) = (self.client.clone(), self.host);
        self.shared.uploads.spawn(async move {
            if let Err(error) = client.failed_load(host, &body).await {
                tracing::warn!(%error, "the control plane was not told that user code did not load");
            }
        });
    }

    /// The control plane refused the definitions.
    pub(super) fn refuse(&mut self, zygote: Option<ZygoteId>, detail: String) {
        self.status
            .send_replace(HostStatus::Refused(detail.clone()));
        if self.loading.current.is_none() && self.settings.exit_on_failed_load {
            let location = self.settings.location.clone();
            self.fatal
                .get_or_insert(HostError::Definitions { location, detail });
        }
        if zygote.is_some() && self.loading.candidate == zygote {
            self.loading.candidate = None;
            zygote.into_iter().for_each(|id| self.discard(id));
        }
    }

    /// The registered code takes over.
    pub(super) fn change_over(&mut self, registered: Option<ZygoteId>, _now: Boottime) {
        if registered.is_none() || self.loading.candidate != registered {
            return;
        }
        self.loading.candidate = None;
        self.evaluating.not_asked();
        let old = std::mem::replace(&mut self.loading.current, registered);
        let told = self.deadline.due_to_tell().or(self.deadline.told());
        if let Some(new) = registered.and_then(|id| self.zygotes.get_mut(&id)) {
            new.renew(told);
        }
        if let Some(old) = old {
            tracing::info!("new definitions take over; the old ones finish their tasks");
            self.drain(old);
        }
    }

    /// The zygote gets no more tasks and ends when its last child has.
    fn drain(&mut self, id: ZygoteId) {
        self.children.dismiss(id);
        if let Some(zygote) = self.zygotes.get_mut(&id) {
            zygote.draining = true;
            if zygote.children.is_empty() {
                zygote.shut_down();
            }
        }
    }

    pub(super) fn child_gone(&mut self, child: crate::child::ChildId) {
        let Some(id) = self.children.gone(child) else {
            return;
        };
        if let Some(zygote) = self.zygotes.get_mut(&id) {
            zygote.children.remove(&child);
            if zygote.draining && zygote.children.is_empty() {
                zygote.shut_down();
            }
        }
    }

    fn discard(&mut self, id: ZygoteId) {
        if let Some(zygote) = self.zygotes.get_mut(&id) {
            zygote.shut_down();
        }
    }

    fn zygote_gone(&mut self, id: ZygoteId, how: String, now: Boottime) {
        let Some(zygote) = self.zygotes.remove(&id) else {
            return;
        };
        self.children.zygote_died(id, &how);
        if zygote.draining || self.stopping.is_some() {
            return;
        }
        if self.loading.candidate == Some(id) && zygote.loaded.is_none() {
            let message = format!("the interpreter {how} before it had loaded the definitions");
            self.load_failed(id, error("InterpreterEnded", message, zygote.output.tail()));
            return;
        }
        tracing::error!(how, "the zygote has died; starting another");
        if self.loading.candidate == Some(id) {
            self.loading.candidate = None;
        }
        if self.loading.current == Some(id) {
            self.loading.current = None;
        }
        if now.since(zygote.started).as_millis() >= u128::from(HEALTHY_MS) {
            self.loading.deaths = 0;
        }
        self.restart_later(now);
    }

    fn restart_later(&mut self, now: Boottime) {
        let pause = RESTART_MS[self.loading.deaths.min(RESTART_MS.len() - 1)];
        self.loading.deaths += 1;
        self.loading.restart_at = Some(now.plus_ms(pause));
    }

    /// Keeps the kernel's timers ahead of the lease.
    pub(super) fn move_dead_man_switch(&mut self) {
        let Some(deadline) = self.deadline.due_to_tell() else {
            return;
        };
        for zygote in self
            .zygotes
            .values_mut()
            .filter(|zygote| zygote.loaded.is_some())
        {
            zygote.renew(Some(deadline));
        }
    }
}

fn error(kind: &str, message: String, traceback: String) -> ErrorInfo {
    ErrorInfo {
        kind: kind.into(),
        message,
        traceback,
    }
}
