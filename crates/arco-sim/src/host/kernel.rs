//! What runs beside the host's loop: signs of life, and the kernel that kills in time.

use tokio::sync::watch;
use tokio::time::Instant;

use super::gate::Gate;
use super::{HEARTBEAT, Parts, Shared, heard};
use crate::planted::Planted;

/// Kills the bodies at the deadline, whatever the host does.
pub(super) async fn kill_at(mut deadline: watch::Receiver<Instant>, shared: Shared, parts: Parts) {
    if parts.planted == Planted::HostIgnoresDeadline {
        return;
    }
    loop {
        let at = *deadline.borrow_and_update();
        tokio::select! {
            biased;
            changed = deadline.changed() => if changed.is_err() { return },
            () = tokio::time::sleep_until(at) => {
                if shared.bodies().expire() > 0 {
                    parts.record.count("deadlines kept");
                }
                if deadline.changed().await.is_err() {
                    return;
                }
            }
        }
    }
}

/// Signs of life beside the exchanges.
pub(super) async fn beat(
    parts: Parts,
    shared: Shared,
    deadline: watch::Sender<Instant>,
    gate: Gate,
) {
    loop {
        tokio::time::sleep(HEARTBEAT).await;
        gate.pass().await;
        let now = shared.now();
        if !now.registered {
            continue;
        }
        let (id, live) = (now.id, now.bodies.held());
        let sent = Instant::now();
        let asked = parts
            .network
            .call(&parts.name, &now.url, |engine| async move {
                engine.heartbeat(id, &live).await
            });
        let answer = asked.await;
        gate.pass().await;
        if let Ok(work) = answer {
            heard(&deadline, sent);
            work.cancels
                .iter()
                .for_each(|attempt| now.bodies.cancel(*attempt));
            work.unknown.iter().for_each(|attempt| {
                now.bodies.kill(*attempt);
            });
        }
    }
}
