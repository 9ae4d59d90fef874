//! The follower: the log says which attempts there are, news and looks say which chunks, the store
//! gives them.
//!
//! ```text
//! commits ──► attempts join, end ─┐
//! news of uploads ────────────────┼─► streams to read ──► store ──► pieces ──► lines ──► client
//! a look now and then ────────────┘                    (8 at once)      (one at a time)
//! ```
//!
//! Nothing is read while the client does not take what is ready: a slow one costs eight chunks and
//! the begins of unfinished lines, and no output is left out for it.

use std::collections::{BTreeMap, VecDeque};
use std::convert::Infallible;
use std::sync::Arc;

use arco_core::event::Position;
use arco_core::{AttemptId, RunId, TaskIndex};
use arco_engine::{Engine, EngineError, View};
use arco_flow::state::Run;
use arco_wire::api::{LogPosition, LogStream};
use axum::response::sse::Event as Sent;
use futures::Stream;
use serde::Deserialize;
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::attempt::{Followed, Step, source};
use super::cursor::{Cursor, OpenAttempt};
use super::filter::Filter;
use super::lines::Piece;
use super::{begin, sent};
use crate::extract::Reading;
use crate::limits;
use crate::log_news::{Following, News};
use crate::resources::event_stream::OpenStream;

/// Of an attempt that ended this long ago, no chunk is on its way.
const SETTLED_MS: i64 = 10_000;

/// An attempt of the run: its task and which try.
pub(super) type Key = (TaskIndex, u32);

/// One client that follows a run.
pub(super) struct Follower {
    pub(super) engine: Engine,
    commits: watch::Receiver<Arc<View>>,
    shutdown: CancellationToken,
    news: Following,
    /// News that were taken and not yet acted on.
    heard: Vec<News>,
    filter: Filter,
    pub(super) id: RunId,
    /// The run as it stood when the log was read last.
    pub(super) run: Arc<Run>,
    /// Events of the log from here on were not read.
    next: Position,
    pub(super) open: BTreeMap<Key, Followed>,
    /// They join when there is room.
    waiting: VecDeque<OpenAttempt>,
    /// Chunks that are being cut into lines, each of another stream.
    pub(super) pieces: VecDeque<(Key, LogStream, Piece)>,
    /// Where the turn of reading stands among the streams.
    pub(super) turn: usize,
    pub(super) ready: VecDeque<Sent>,
    ended: bool,
    _open: OpenStream,
}

/// The events, until what is followed is over or the server goes down.
pub(super) fn stream(follower: Follower) -> impl Stream<Item = Result<Sent, Infallible>> {
    futures::stream::unfold(follower, |mut follower| async move {
        let sent = follower.next_event().await?;
        Some((Ok(sent), follower))
    })
}

impl Follower {
    pub(super) fn new(
        reading: &Reading,
        run: Arc<Run>,
        filter: Filter,
        cursor: Option<Cursor>,
        news: Following,
        shutdown: CancellationToken,
        open: OpenStream,
    ) -> Self {
        let engine = reading.engine().clone();
        let mut ready = VecDeque::new();
        let (next, waiting) = match cursor {
            Some(cursor) => (cursor.next, cursor.open),
            None => {
                let begin = begin::attempts(&run, &filter);
                let next = LogPosition(reading.view.position()).next().0;
                let cursor = Cursor {
                    next,
                    open: begin.shown,
                };
                ready.extend((begin.skipped > 0).then(|| sent::skipped(begin.skipped, &cursor)));
                (next, cursor.open)
            }
        };
        Self {
            commits: engine.commits(),
            engine,
            shutdown,
            news,
            heard: Vec::new(),
            filter,
            id: run.id,
            run,
            next,
            open: BTreeMap::new(),
            waiting: waiting.into(),
            pieces: VecDeque::new(),
            turn: 0,
            ready,
            ended: false,
            _open: open,
        }
    }

    /// The next event to send; `None` ends the stream.
    async fn next_event(&mut self) -> Option<Sent> {
        let shutdown = self.shutdown.clone();
        loop {
            if let Some(sent) = self.ready.pop_front().or_else(|| self.next_line()) {
                return Some(sent);
            }
            if self.ended {
                return None;
            }
            // Marked as seen before reading: a commit that comes while we read wakes us again.
            self.commits.mark_unchanged();
            let work = tokio::select! {
                biased;
                () = shutdown.cancelled() => return None,
                work = self.work() => work,
            };
            let until = match work {
                Ok(Some(until)) => until,
                Ok(None) => continue,
                Err(error) => {
                    tracing::warn!(run = %self.id, %error, "a stream of output ended: the store cannot be read");
                    return None;
                }
            };
            let heard = tokio::select! {
                () = shutdown.cancelled() => return None,
                changed = self.commits.changed() => {
                    changed.ok()?;
                    None
                }
                news = self.news.next() => Some(news),
                () = tokio::time::sleep_until(until) => None,
            };
            self.heard.extend(heard);
        }
    }

    /// Does what can be done now; the instant to wait for when there is nothing.
    async fn work(&mut self) -> Result<Option<Instant>, EngineError> {
        // News first, the log second: the lease of an attempt is in the log before its news.
        while let Some(news) = self.news.ready() {
            self.heard.push(news);
        }
        self.catch_up().await?;
        let now = Instant::now();
        self.admit(now);
        for news in std::mem::take(&mut self.heard) {
            self.hear(&news, now);
        }
        self.mark_ended(now);
        let (wanted, until) = self.step(now);
        if !self.ready.is_empty() {
            return Ok(None);
        }
        if !wanted.is_empty() {
            self.read(wanted).await?;
            return Ok(None);
        }
        if self.open.is_empty() && self.waiting.is_empty() && self.filter.is_over(&self.run) {
            let task = self.filter.task;
            self.ready
                .push_back(sent::end(&self.run, task, &self.cursor()));
            self.ended = true;
            return Ok(None);
        }
        Ok(Some(until))
    }

    /// Reads the log up to the present, and the run as it stands there.
    async fn catch_up(&mut self) -> Result<(), EngineError> {
        let view = self.engine.view();
        let mut leased = Vec::new();
        while self.next <= view.position() {
            let batch = self
                .engine
                .read_events(self.next, limits::STREAM_BATCH)
                .await?;
            if batch.is_empty() {
                break;
            }
            for (position, raw) in &batch {
                self.next = LogPosition(*position).next().0;
                if raw.kind == "attempt.leased"
                    && let Ok(Leased { attempt }) = serde_json::from_str(raw.payload.get())
                    && attempt.run == self.id
                {
                    leased.push(attempt);
                }
            }
        }
        match view.state.run(self.id) {
            Some(run) => self.run = Arc::clone(run),
            // It has left memory, so it is over.
            None if !self.run.status.is_terminal() => {
                if let Some(run) = self.engine.past_run(self.id).await? {
                    self.run = Arc::new(run);
                }
            }
            None => {}
        }
        for attempt in leased {
            if self.filter.takes(&self.run, attempt.task, attempt.number) {
                let attempt = OpenAttempt::new(attempt.task, attempt.number);
                self.waiting.push_back(attempt);
            }
        }
        Ok(())
    }

    /// Lets those that wait join.
    fn admit(&mut self, now: Instant) {
        while self.open.len() < limits::FOLLOWED_ATTEMPTS_MAX
            && let Some(mut attempt) = self.waiting.pop_front()
        {
            for stream in LogStream::ALL {
                if !self.filter.streams.contains(&stream) {
                    attempt.places[stream as usize] = None;
                }
            }
            if let Some(source) = source(&self.run, &attempt) {
                let followed = Followed::new(source, &attempt, now);
                self.open
                    .entry((attempt.task, attempt.number))
                    .or_insert(followed);
            }
        }
    }

    fn hear(&mut self, news: &News, now: Instant) {
        let News::Uploaded(uploaded) = news else {
            self.open.values_mut().for_each(Followed::look);
            return;
        };
        let AttemptId { task, number, .. } = uploaded.attempt;
        let takes = self.filter.streams.contains(&uploaded.stream)
            && self.filter.takes(&self.run, task, number);
        let is_waiting = |attempt: &OpenAttempt| attempt.task == task && attempt.number == number;
        if !takes || self.waiting.iter().any(is_waiting) {
            return;
        }
        let followed = self.open.entry((task, number)).or_insert_with(|| {
            // It was done, and something came late.
            let attempt = OpenAttempt {
                places: [None; 3],
                ..OpenAttempt::new(task, number)
            };
            let source = source(&self.run, &attempt).expect("the filter takes planned tasks only");
            let mut followed = Followed::new(source, &attempt, now);
            followed.again = true;
            followed
        });
        followed.heard(uploaded.stream, uploaded.chunk, now);
    }

    /// Tells those that are over that they are.
    fn mark_ended(&mut self, now: Instant) {
        let wall = self.engine.now();
        for ((task, number), followed) in &mut self.open {
            if followed.is_over() {
                continue;
            }
            let row = begin::row(&self.run, *task, *number);
            let ended = row.and_then(|row| row.ended);
            let is_over = row.is_none_or(|row| row.outcome.is_some());
            if is_over || self.run.status.is_terminal() {
                let long_ago = ended.is_some_and(|ended| wall.0 - ended.0 > SETTLED_MS);
                followed.ended(long_ago, now);
            }
        }
    }

    /// The streams to read, at most so many; lets go of attempts that are done. Else, until when to
    /// wait.
    fn step(&mut self, now: Instant) -> (Vec<(Key, LogStream)>, Instant) {
        let mut wanted = Vec::new();
        let mut done = Vec::new();
        let mut until = now + super::attempt::LOOK_RARELY;
        for (key, followed) in &mut self.open {
            match followed.step(now) {
                Step::Wait(at) => until = until.min(at),
                Step::Done => done.push(*key),
                Step::Read => {
                    let tails = followed.tails().filter(|(_, tail)| tail.is_wanted());
                    wanted.extend(tails.map(|(stream, _)| (*key, stream)));
                }
            }
        }
        for key in done {
            self.finish(key);
        }
        (wanted, until)
    }

    /// Where it stands.
    pub(super) fn cursor(&self) -> Cursor {
        let open = self.open.values().map(Followed::place);
        Cursor {
            next: self.next,
            open: open.chain(self.waiting.iter().cloned()).collect(),
        }
    }
}

/// What an `attempt.leased` says here.
#[derive(Deserialize)]
struct Leased {
    attempt: AttemptId,
}
