//! Watching a run.
//!
//! The stream of the run's own events only wakes us: what is shown is always the run as it stands, so
//! a lost or late event costs a moment and no truth. Task events are left out of the stream on
//! purpose: a run of ten thousand tasks would send all of them to draw one bar.

use std::pin::pin;
use std::time::Duration;

use arco_wire::api::{Definitions, LogPosition, MIN_POSITION_HEADER, Run, RunStatus};

use tokio::sync::Notify;

use super::progress::Progress;
use crate::client::sse::Stream;
use crate::client::{CallError, Client};
use crate::command::ask::without_host;

/// Fast enough for a bar to look alive, slow enough to cost the server nothing.
const LOOK_EVERY: Duration = Duration::from_millis(250);
/// Between tries to open the stream again.
const REOPEN_EVERY: Duration = Duration::from_secs(2);
/// A run that stays queued for so many looks may have nobody to carry it out.
const QUEUED_LOOKS: u32 = 20;

/// Returns the run once it is over. Safe to drop.
pub(super) async fn to_the_end(
    client: &Client,
    id: &str,
    from: LogPosition,
    progress: &mut Progress,
) -> Result<Run, CallError> {
    let woken = Notify::new();
    let mut wakes = Wakes {
        client,
        id,
        from: from.to_string(),
    };
    let mut waking = pin!(wakes.listen(&woken));
    let mut queued = 0_u32;
    loop {
        let request = client
            .get(["runs", id])
            .header(MIN_POSITION_HEADER, from)
            .patient();
        let run: Run = request.send().await?;
        progress.show(&run.summary);
        if run.summary.status.is_terminal() {
            return Ok(run);
        }
        queued = if run.summary.status == RunStatus::Queued {
            queued + 1
        } else {
            0
        };
        if queued == QUEUED_LOOKS {
            hint_at_missing_hosts(client, progress).await;
        }
        tokio::select! {
            () = &mut waking => {}
            () = woken.notified() => {}
            () = tokio::time::sleep(LOOK_EVERY) => {}
        }
    }
}

/// The run's own events, opened again after a break from where it broke.
struct Wakes<'a> {
    client: &'a Client,
    id: &'a str,
    from: String,
}

impl Wakes<'_> {
    /// Notifies at every event. Never returns.
    async fn listen(&mut self, woken: &Notify) {
        loop {
            if let Ok(mut stream) = self.open().await {
                while let Some(message) = stream.next().await {
                    if !message.id.is_empty() {
                        self.from = message.id;
                    }
                    woken.notify_one();
                }
            }
            tokio::time::sleep(REOPEN_EVERY).await;
        }
    }

    async fn open(&self) -> Result<Stream, CallError> {
        let request = self
            .client
            .get(["events"])
            .query("run", self.id)
            .query("kind", "run.")
            .query("from", &self.from)
            .header("accept", "text/event-stream");
        request.response().await.map(Stream::new)
    }
}

async fn hint_at_missing_hosts(client: &Client, progress: &Progress) {
    let Ok(definitions) = client.get(["definitions"]).send::<Definitions>().await else {
        return;
    };
    for location in without_host(&definitions) {
        progress.say(&format!(
            "hint: no worker host serves location `{location}`; start one with `arco worker TARGET --location {location}`"
        ));
    }
}
