//! One attempt that is followed: how far each of its streams was read, when to look again, and when
//! it is done.
//!
//! A chunk is read when its upload is announced. Looking without news is for uploads through another
//! replica: the longer nothing was found so, the rarer.
//!
//! The end of an attempt and the end of its output are two things: the host reports the first and
//! goes on uploading. An attempt that is over is done when nothing came for a while and a last look
//! found nothing.

use std::time::Duration;

use arco_flow::state::Run;
use arco_wire::api::{LogSource, LogStream};
use tokio::time::Instant;

use super::cursor::OpenAttempt;
use super::lines::{Lines, Place};

/// Between looks without news.
const LOOK_FIRST: Duration = Duration::from_secs(2);
pub(super) const LOOK_RARELY: Duration = Duration::from_secs(16);
/// A chunk that was overtaken by the one behind it may still be on its way so long.
const GAP_PATIENCE: Duration = Duration::from_secs(2);
/// After the end of an attempt, chunks may be on their way: a host sends them in one breath.
const QUIET: Duration = Duration::from_secs(1);
/// A host sends the chunks of a stream one after the other. One this large has others behind it.
const MORE_BEHIND_BYTES: usize = 256 * 1024;
const QUIET_AFTER_MUCH: Duration = Duration::from_secs(3);

/// An attempt that is followed.
#[derive(Debug)]
pub(super) struct Followed {
    pub(super) source: LogSource,
    /// It was done, and then something came.
    pub(super) again: bool,
    tails: [Option<Tail>; 3],
    look_at: Instant,
    look_every: Duration,
    over: Option<Over>,
}

/// One stream.
#[derive(Debug)]
pub(super) struct Tail {
    pub(super) lines: Lines,
    /// The chunk to read next.
    pub(super) next: u64,
    /// Read until there is none.
    look: bool,
    /// The newest chunk that is known to be there.
    known: Option<u64>,
    /// Since when a chunk before the known one was not found.
    gap: Option<Instant>,
}

/// After its end.
#[derive(Debug, Clone, Copy)]
struct Over {
    quiet_until: Instant,
    /// A look after that was asked for.
    looked: bool,
    /// Before anyone looked: nothing is on its way any more.
    long_ago: bool,
}

/// What to do with an attempt now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// Nothing until then, or until there is news.
    Wait(Instant),
    /// Read the streams that want it.
    Read,
    /// Everything it wrote was read.
    Done,
}

impl Tail {
    fn from(place: Place) -> Self {
        Self {
            lines: Lines::from(place),
            next: place.chunk,
            look: true,
            known: None,
            gap: None,
        }
    }

    pub(super) fn is_wanted(&self) -> bool {
        self.look || (self.gap.is_none() && self.known.is_some_and(|known| known >= self.next))
    }
}

impl Followed {
    /// From where a cursor says; a stream without a place is not followed.
    pub(super) fn new(source: LogSource, from: &OpenAttempt, now: Instant) -> Self {
        Self {
            source,
            again: false,
            tails: from.places.map(|place| place.map(Tail::from)),
            look_at: now + LOOK_FIRST,
            look_every: LOOK_FIRST,
            over: None,
        }
    }

    /// Where it stands, for the cursor.
    pub(super) fn place(&self) -> OpenAttempt {
        let place = |tail: &Option<Tail>| tail.as_ref().map(|tail| tail.lines.start());
        OpenAttempt {
            task: self.source.task,
            number: self.source.attempt,
            places: self.tails.each_ref().map(place),
        }
    }

    pub(super) fn tail(&mut self, stream: LogStream) -> Option<&mut Tail> {
        self.tails[stream as usize].as_mut()
    }

    /// The streams, for what is left of them.
    pub(super) fn tails(&mut self) -> impl Iterator<Item = (LogStream, &mut Tail)> {
        let tails = LogStream::ALL.into_iter().zip(&mut self.tails);
        tails.filter_map(|(stream, tail)| Some((stream, tail.as_mut()?)))
    }

    /// Looks at everything, come what may.
    pub(super) fn look(&mut self) {
        for (_, tail) in self.tails() {
            tail.look = true;
        }
    }

    /// A chunk was uploaded here.
    pub(super) fn heard(&mut self, stream: LogStream, chunk: u64, now: Instant) {
        self.look_every = LOOK_RARELY;
        if self.tails[stream as usize]
            .as_ref()
            .is_none_or(|tail| tail.gap.is_none())
        {
            self.look_at = now + LOOK_RARELY;
        }
        let place = Place { chunk, offset: 0 };
        let tail = self.tails[stream as usize].get_or_insert_with(|| Tail::from(place));
        tail.known = tail.known.max(Some(chunk));
    }

    /// A chunk was read.
    pub(super) fn found(&mut self, stream: LogStream, bytes: usize, now: Instant) {
        if let Some(tail) = self.tail(stream) {
            let unannounced = tail.known.is_none_or(|known| known < tail.next);
            tail.next += 1;
            tail.gap = None;
            if unannounced {
                self.look_every = LOOK_FIRST;
                self.look_at = now + LOOK_FIRST;
            }
        }
        if let Some(over) = &mut self.over
            && !over.long_ago
        {
            let quiet = if bytes >= MORE_BEHIND_BYTES {
                QUIET_AFTER_MUCH
            } else {
                QUIET
            };
            over.quiet_until = now + quiet;
            over.looked = false;
        }
    }

    /// The next chunk of a stream is not there. How many chunks are lost, when it is clear that they
    /// will not come: hosts upload them in order, and one behind them is there.
    pub(super) fn missed(&mut self, stream: LogStream, now: Instant) -> u64 {
        let Some(tail) = self.tails[stream as usize].as_mut() else {
            return 0;
        };
        tail.look = false;
        match (tail.known, tail.gap) {
            (Some(known), Some(since)) if known > tail.next && now >= since + GAP_PATIENCE => {
                let lost = known - tail.next;
                (tail.next, tail.gap) = (known, None);
                return lost;
            }
            (Some(known), None) if known > tail.next => {
                tail.gap = Some(now);
                self.look_at = now + GAP_PATIENCE;
            }
            (Some(known), _) if known == tail.next => tail.known = None,
            _ => {}
        }
        0
    }

    /// It is over. One that was so for long is read to the end of what is there.
    pub(super) fn ended(&mut self, long_ago: bool, now: Instant) {
        if self.over.is_none() {
            self.over = Some(Over {
                quiet_until: if long_ago { now } else { now + QUIET },
                looked: long_ago,
                long_ago,
            });
            self.look();
        }
    }

    pub(super) fn is_over(&self) -> bool {
        self.over.is_some()
    }

    /// What to do now.
    pub(super) fn step(&mut self, now: Instant) -> Step {
        if now >= self.look_at {
            self.look_at = now + self.look_every;
            self.look_every = (self.look_every * 2).min(LOOK_RARELY);
            self.look();
        }
        if self.tails().any(|(_, tail)| tail.is_wanted()) {
            return Step::Read;
        }
        let waits_for_gap = self.tails().any(|(_, tail)| tail.gap.is_some());
        match &mut self.over {
            None => Step::Wait(self.look_at),
            Some(_) if waits_for_gap => Step::Wait(self.look_at),
            Some(over) if now < over.quiet_until => Step::Wait(over.quiet_until.min(self.look_at)),
            Some(over) if !over.looked => {
                over.looked = true;
                self.look();
                Step::Read
            }
            Some(_) => Step::Done,
        }
    }
}

/// Who an attempt is; `None` when the plan has no such task.
pub(super) fn source(run: &Run, attempt: &OpenAttempt) -> Option<LogSource> {
    let planned = run.planned(attempt.task)?;
    let count = planned.partitions.len() as u64;
    let first = planned.partitions.first();
    Some(LogSource {
        task: attempt.task,
        step: planned.step.clone(),
        mapping_key: planned.mapping_key.clone(),
        partition: first.map(|key| key.display().into_owned()),
        partition_count: (count > 1).then_some(count),
        attempt: attempt.number,
    })
}
