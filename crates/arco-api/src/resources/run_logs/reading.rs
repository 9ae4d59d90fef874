//! The half of the follower that reads the store and cuts what it read into lines.

use arco_core::AttemptId;
use arco_engine::EngineError;
use arco_wire::api::LogStream;
use axum::response::sse::Event as Sent;
use futures::future::try_join_all;
use tokio::time::Instant;

use super::attempt::Followed;
use super::follow::{Follower, Key};
use super::{begin, sent};
use crate::limits;

impl Follower {
    /// Reads the next chunk of the first of these streams.
    pub(super) async fn read(
        &mut self,
        mut wanted: Vec<(Key, LogStream)>,
    ) -> Result<(), EngineError> {
        // In turn, so that one stream that says much does not hold up the others.
        let turn = self.turn % wanted.len();
        wanted.rotate_left(turn);
        wanted.truncate(limits::FOLLOWED_CHUNKS);
        self.turn = turn + wanted.len();
        let (engine, run, open) = (&self.engine, self.id, &mut self.open);
        let reads = wanted.iter().map(|(key, stream)| {
            let next = open.get_mut(key).and_then(|f| f.tail(*stream));
            let next = next.map_or(0, |tail| tail.next);
            let attempt = AttemptId {
                run,
                task: key.0,
                number: key.1,
            };
            engine.get_attempt_log(attempt, stream.as_str(), next)
        });
        let chunks = try_join_all(reads.collect::<Vec<_>>()).await?;
        let now = Instant::now();
        for ((key, stream), bytes) in wanted.into_iter().zip(chunks) {
            let Some(followed) = self.open.get_mut(&key) else {
                continue;
            };
            let Some(bytes) = bytes else {
                let lost = followed.missed(stream, now);
                if lost > 0 {
                    self.ready.extend(rest(followed, stream));
                    let lost = sent::lost(&followed.source, stream, lost);
                    self.ready.push_back(sent::event("lost", &lost, None));
                }
                continue;
            };
            let size = bytes.len();
            if let Some(tail) = followed.tail(stream) {
                let piece = tail.lines.piece(tail.next, bytes);
                self.pieces.push_back((key, stream, piece));
            }
            followed.found(stream, size, now);
        }
        Ok(())
    }

    /// The next line of what was read. The last one of a chunk says where to go on.
    pub(super) fn next_line(&mut self) -> Option<Sent> {
        loop {
            let (key, stream, piece) = self.pieces.front_mut()?;
            let (key, stream) = (*key, *stream);
            let followed = self.open.get_mut(&key);
            let tail = followed.and_then(|followed| followed.tail(stream));
            let Some(line) = tail.and_then(|tail| tail.lines.next(piece)) else {
                self.pieces.pop_front();
                continue;
            };
            let last = piece.is_last_line();
            let source = &self.open.get(&key)?.source;
            if let Some(output) = sent::output(source, stream, line) {
                let id = if last { self.cursor().write() } else { None };
                return Some(sent::event("output", &output, id));
            }
        }
    }

    /// Lets go of an attempt that is done.
    pub(super) fn finish(&mut self, key: Key) {
        let Some(mut followed) = self.open.remove(&key) else {
            return;
        };
        for stream in LogStream::ALL {
            self.ready.extend(rest(&mut followed, stream));
        }
        let row = begin::row(&self.run, key.0, key.1);
        if let Some(row) = row.filter(|_| !followed.again) {
            let ended = sent::attempt(&self.run, &followed.source, row);
            let id = self.cursor().write();
            self.ready.push_back(sent::event("attempt", &ended, id));
        }
    }
}

/// A last line without an end, when nothing follows that would end it.
fn rest(followed: &mut Followed, stream: LogStream) -> Option<Sent> {
    let tail = followed.tail(stream)?;
    let line = tail.lines.rest(tail.next)?;
    let output = sent::output(&followed.source, stream, line)?;
    Some(sent::event("output", &output, None))
}
