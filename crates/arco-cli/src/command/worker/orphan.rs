//! A host of `arco dev` whose `arco dev` is gone.
//!
//! It does not die with it: a control plane that is killed and started again must find its tasks
//! alive, else every crash of it would cost what runs. But it must not stay for ever either, nobody
//! would know of it. So it goes on as long as *some* control plane answers at its address, and ends
//! when none has answered for as long as a lease lasts. By then its tasks are dead anyway, because
//! the lease they ran under is over.
//!
//! The other ways were: dying with the parent (simple, and loses running tasks), and serving for ever
//! (a process that the next `arco dev` may or may not find).

use std::time::Duration;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// The parent is looked at so often; it costs one system call.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// A control plane in the middle of a recovery answers late; it still answers.
const ANSWER_MAX: Duration = Duration::from_secs(2);

/// Cancels `stop` once `parent` has died and no control plane has answered for `patience`: a lease.
pub(super) fn end_without(parent: u32, server: &str, patience: Duration, stop: CancellationToken) {
    let health = format!("{}/health", server.trim_end_matches('/'));
    tokio::spawn(async move {
        tokio::select! {
            () = stop.cancelled() => {}
            () = alone(parent, &health, patience) => {
                tracing::warn!(target: "arco", "no control plane for a whole lease, and the `arco dev` that started this host is gone: ending");
                stop.cancel();
            }
        }
    });
}

/// Returns when nobody needs us any more.
async fn alone(parent: u32, health: &str, patience: Duration) {
    while parent_lives(parent) {
        tokio::time::sleep(LOOK_EVERY).await;
    }
    tracing::info!(target: "arco", "the `arco dev` that started this host is gone; waiting for the next");
    let Ok(http) = reqwest::Client::builder()
        .timeout(ANSWER_MAX)
        .no_proxy()
        .build()
    else {
        return;
    };
    let mut answered = Instant::now();
    while answered.elapsed() < patience {
        tokio::time::sleep(LOOK_EVERY).await;
        if http
            .get(health)
            .send()
            .await
            .is_ok_and(|answer| answer.status().is_success())
        {
            answered = Instant::now();
        }
    }
}

/// A process whose parent dies gets another one. That is more than a look at the process table can
/// say: the number may belong to somebody else by now.
fn parent_lives(parent: u32) -> bool {
    u32::try_from(nix::unistd::getppid().as_raw()).is_ok_and(|now| now == parent)
}
