//! Server-sent events: the log from a position on, then every commit as it comes.
//!
//! The stream holds a position and nothing else; what the client has not taken is not read. A
//! commit wakes it, carries no data, and the stream reads the log from where it stands. It ends when
//! the server goes down or the log cannot be read; the client comes back with `Last-Event-ID`.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Arc;

use arco_core::event::Position;
use arco_engine::{Engine, EngineError, View};
use arco_wire::api::LogPosition;
use axum::response::sse::{Event as Sent, KeepAlive, Sse};
use axum::response::{IntoResponse as _, Response};
use futures::Stream;
use tokio::sync::{OwnedSemaphorePermit, watch};
use tokio_util::sync::CancellationToken;

use crate::app::App;
use crate::codes::Code;
use crate::extract::Reading;
use crate::extract::workspace::at;
use crate::limits;
use crate::metrics::Open;
use crate::problem::{Answer, Refusal};
use crate::render;

use super::events::EventFilter;

/// Opens a stream, if there is room for one more.
pub(crate) fn open(
    app: &App,
    reading: &Reading,
    from: Position,
    filter: EventFilter,
) -> Answer<Response> {
    let open = OpenStream::take(app)?;
    let feed = Feed {
        engine: reading.engine().clone(),
        commits: reading.engine().commits(),
        shutdown: app.shutdown().clone(),
        next: from,
        filter,
        ready: VecDeque::new(),
        _open: open,
    };
    Ok(answer(app, reading.view.position(), stream(feed)))
}

/// The answer that carries a stream of events, with what a silent one carries.
pub(super) fn answer(
    app: &App,
    position: Position,
    events: impl Stream<Item = Result<Sent, Infallible>> + Send + 'static,
) -> Response {
    let beat = KeepAlive::new()
        .interval(app.settings().stream_heartbeat())
        .text("heartbeat");
    at(position, Sse::new(events).keep_alive(beat).into_response())
}

/// One of the streams that may be open at once; free again when it is dropped.
pub(super) struct OpenStream {
    _permit: OwnedSemaphorePermit,
    _open: Open,
}

impl OpenStream {
    pub(super) fn take(app: &App) -> Answer<Self> {
        let permit = Arc::clone(app.streams()).try_acquire_owned();
        let permit = permit.map_err(|_| {
            Refusal::new(
                Code::TooManyStreams,
                format!(
                    "{} event streams are open, the bound of this server; close some, or read pages of `events`",
                    app.settings().streams_max
                ),
            )
        })?;
        Ok(Self {
            _permit: permit,
            _open: app.metrics().stream_opened(),
        })
    }
}

struct Feed {
    engine: Engine,
    commits: watch::Receiver<Arc<View>>,
    shutdown: CancellationToken,
    /// Everything below was sent or left out by the filter.
    next: Position,
    filter: EventFilter,
    ready: VecDeque<Sent>,
    _open: OpenStream,
}

fn stream(feed: Feed) -> impl Stream<Item = Result<Sent, Infallible>> {
    futures::stream::unfold(feed, |mut feed| async move {
        let sent = feed.next_event().await?;
        Some((Ok(sent), feed))
    })
}

impl Feed {
    /// The next event to send; `None` ends the stream.
    async fn next_event(&mut self) -> Option<Sent> {
        loop {
            if let Some(sent) = self.ready.pop_front() {
                return Some(sent);
            }
            // Marked as seen before reading: a commit that comes while we read wakes us again.
            self.commits.mark_unchanged();
            let shutdown = self.shutdown.clone();
            tokio::select! {
                biased;
                () = shutdown.cancelled() => return None,
                read = self.fill() => match read {
                    Ok(true) => continue,
                    Ok(false) => {}
                    Err(error) => {
                        tracing::warn!(%error, "an event stream ended: the log cannot be read");
                        return None;
                    }
                },
            }
            tokio::select! {
                () = shutdown.cancelled() => return None,
                changed = self.commits.changed() => changed.ok()?,
            }
        }
    }

    /// Reads a batch; whether there was anything to read.
    async fn fill(&mut self) -> Result<bool, EngineError> {
        let batch = self
            .engine
            .read_events(self.next, limits::STREAM_BATCH)
            .await?;
        for (position, raw) in &batch {
            self.next = LogPosition(*position).next().0;
            if self.filter.shows(raw) {
                let event = render::event::event(*position, raw);
                let sent = Sent::default()
                    .id(event.position.to_string())
                    .event(&event.kind);
                let text =
                    serde_json::to_string(&event).expect("events serialise: they came from JSON");
                self.ready.push_back(sent.data(text));
            }
        }
        Ok(!batch.is_empty())
    }
}
