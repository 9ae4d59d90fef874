//! The loop: hear, then look at everything and do what is due.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use arco_core::{Digest, HostId};
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use super::children::Children;
use super::deadline::Deadline;
use super::evaluations::Evaluating;
use super::hands::Hands;
use super::link::Link;
use super::loading::Loading;
use super::outbox::Outbox;
use super::prefetch::Prefetch;
use super::status::HostStatus;
use super::stopping::Stopping;
use super::watch::Watch;
use super::{HostError, Wake};
use crate::child::Shared;
use crate::client::Client;
use crate::clock::Boottime;
use crate::settings::Settings;
use crate::zygote::{Zygote, ZygoteId};

/// Everything a host knows.
#[derive(Debug)]
pub(super) struct Loop {
    pub settings: Arc<Settings>,
    pub shared: Arc<Shared>,
    pub client: Client,
    pub host: HostId,
    pub hands: Hands,
    pub outbox: Outbox,
    pub prefetch: Prefetch,
    pub deadline: Deadline,
    pub children: Children,
    pub zygotes: BTreeMap<ZygoteId, Zygote>,
    pub loading: Loading,
    pub link: Link,
    pub evaluating: Evaluating,
    pub watch: Watch,
    pub status: watch::Sender<HostStatus>,
    pub definitions_version: Option<Digest>,
    pub stopping: Option<Stopping>,
    /// Set once there is no point in going on.
    pub fatal: Option<HostError>,
    inbox: mpsc::Receiver<Wake>,
}

impl Loop {
    pub(super) fn new(
        host: HostId,
        client: Client,
        shared: Arc<Shared>,
        inbox: mpsc::Receiver<Wake>,
        status: watch::Sender<HostStatus>,
    ) -> Self {
        Self {
            settings: shared.settings.clone(),
            children: Children::new(shared.clone()),
            watch: Watch::new(&shared.settings, shared.wakes.clone()),
            shared,
            client,
            host,
            hands: Hands::default(),
            outbox: Outbox::default(),
            prefetch: Prefetch::default(),
            deadline: Deadline::default(),
            zygotes: BTreeMap::new(),
            loading: Loading::default(),
            link: Link::default(),
            evaluating: Evaluating::default(),
            status,
            definitions_version: None,
            stopping: None,
            fatal: None,
            inbox,
        }
    }

    pub(super) async fn run(mut self, shutdown: CancellationToken) -> Result<(), HostError> {
        self.load(Boottime::now()).await?;
        while !self.finished() {
            let now = Boottime::now();
            let nap = self.next_moment(now).nap(now);
            tokio::select! {
                wake = self.inbox.recv() => {
                    let now = Boottime::now();
                    // Senders live in `self.shared`, so the inbox never ends.
                    if let Some(wake) = wake {
                        self.hear(wake, now);
                    }
                    while let Ok(wake) = self.inbox.try_recv() {
                        self.hear(wake, now);
                    }
                }
                () = shutdown.cancelled(), if self.stopping.is_none() => self.stop(now),
                () = tokio::time::sleep(nap) => {}
            }
            self.advance(Boottime::now()).await;
        }
        self.close().await;
        self.fatal.map_or(Ok(()), Err)
    }

    /// Waits until every zygote has ended; those that do not are killed by the kernel when their
    /// socket closes with this process, or by their own timers.
    pub(super) async fn wait_for_zygotes(&mut self, at_most: Duration) {
        let waiting = async {
            while !self.zygotes.is_empty() {
                match self.inbox.recv().await {
                    Some(wake) => self.hear(wake, Boottime::now()),
                    None => return,
                }
            }
        };
        if tokio::time::timeout(at_most, waiting).await.is_err() {
            tracing::warn!(zygotes = self.zygotes.len(), "a zygote does not end");
        }
        self.children.reap();
    }

    fn hear(&mut self, wake: Wake, now: Boottime) {
        match wake {
            Wake::Child(child, event) => self.child_said(child, event, now),
            Wake::Zygote(zygote, event) => self.zygote_said(zygote, event, now),
            Wake::Answer(answer) => self.answered(answer, now),
            Wake::Evaluations(answer) => self.evaluations_answered(answer, now),
            Wake::Reload => self.loading.wanted = true,
        }
    }

    /// Does what is due. Each part looks at the state alone, not at what has just happened.
    async fn advance(&mut self, now: Boottime) {
        self.expire_if_due(now);
        self.load_if_due(now).await;
        self.hand_out(now);
        self.evaluate(now);
        self.give_back_if_long(now);
        self.move_dead_man_switch();
        self.call(now);
        self.beat(now);
        self.stop_if_due(now);
        self.children.reap();
    }

    fn next_moment(&self, now: Boottime) -> Boottime {
        [
            self.deadline.kill_at(),
            self.loading.due(),
            self.long_since(),
            self.link_moment(),
            self.evaluations_moment(),
            self.stopping
                .as_ref()
                .and_then(|stopping| stopping.next_moment(now)),
        ]
        .into_iter()
        .flatten()
        .min()
        .unwrap_or_else(|| now.plus_ms(1_000))
    }
}
