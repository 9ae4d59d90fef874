//! The hot call: facts out, work in.

use std::time::Duration;

use arco_core::AttemptId;
use arco_flow::command::{HostExchange, Reported};
use arco_testkit::host::is_end;
use tokio::time::Instant;

use super::{Host, SLOTS, heard};
use crate::body::Bodies;
use crate::planted::Planted;
use crate::record::Acked;

/// How long a call waits for work.
const WAIT: Duration = Duration::from_secs(3);

impl Host {
    pub(super) async fn exchange(&mut self) -> bool {
        let call = self.call_id();
        let now = self.shared.now();
        let facts = now.bodies.facts();
        let over = |id: &AttemptId| facts.iter().any(|(of, said)| of == id && is_end(said));
        let live: Vec<AttemptId> = now
            .bodies
            .held()
            .into_iter()
            .filter(|id| !over(id))
            .collect();
        let want = u32::try_from(SLOTS.saturating_sub(live.len())).unwrap_or(0);
        let exchange = HostExchange {
            host: now.id,
            reports: facts.clone(),
            want,
            live,
        };
        let sent = Instant::now();
        let asked = self
            .parts
            .network
            .call(&self.parts.name, &now.url, |engine| async move {
                engine.exchange("worker:main", &call, exchange, WAIT).await
            });
        let answer = if facts.is_empty() {
            // News interrupt a call that only waits; the replica does not hear of that.
            tokio::select! {
                biased;
                answer = asked => answer,
                () = now.bodies.news.notified() => return true,
            }
        } else {
            asked.await
        };
        self.gate.pass().await;
        match answer {
            Ok(work) => {
                heard(&self.deadline, sent);
                self.told(&now.bodies, &facts, &work.refused);
                for lease in &work.leases {
                    self.parts.record.acked(Acked::Lease(lease.attempt, now.id));
                }
                work.cancels
                    .iter()
                    .for_each(|attempt| now.bodies.cancel(*attempt));
                for lease in &work.leases {
                    if self.in_time() {
                        now.bodies.begin(now.id, lease);
                    } else {
                        now.bodies.give_back(lease.attempt);
                    }
                }
                true
            }
            Err(error) => self.refused(&error),
        }
    }

    fn in_time(&self) -> bool {
        self.parts.planted == Planted::HostIgnoresDeadline
            || *self.deadline.borrow() > Instant::now()
    }

    /// The facts were taken, for good where they were not refused.
    fn told(
        &self,
        bodies: &Bodies,
        facts: &[(AttemptId, Reported)],
        refused: &[(AttemptId, &'static str)],
    ) {
        bodies.taken(facts);
        for (attempt, said) in facts {
            let not_taken = refused.iter().any(|(of, _)| of == attempt);
            if is_end(said) && !not_taken {
                self.parts.record.acked(Acked::End(*attempt));
            }
        }
        refused
            .iter()
            .for_each(|(attempt, _)| bodies.disown(*attempt));
    }
}
