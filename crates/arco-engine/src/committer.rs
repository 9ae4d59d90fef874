//! The loop: gather commands, decide them on `proposed`, put, answer.
//!
//! Read first: the tail, whenever a put was lost or a poll is due. Written first: the segment;
//! callers hear nothing before it is there. A lost put drops everything proposed and the kept
//! commands are decided again on what the winner left, so no answer rests on a state that never was.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use arco_core::Digest;
use arco_core::event::{Cause, Event, Position, RawEvent};
use arco_flow::command::{Answer, Command, Context};
use arco_flow::state::{ApplyError, Blobs};
use arco_flow::{State, decide};
use arco_log::{AppendOutcome, Draft, Head, Log, LogError, Segment};
use bytes::Bytes;
use tokio::sync::{mpsc, oneshot, watch};

use crate::clock::Clock;
use crate::commits::Announcer;
use crate::engine::Committed;
use crate::{EngineError, EngineSettings, View};

/// A command on its way, with everything its decision needs.
pub(crate) struct Proposal {
    pub(crate) command: Command,
    pub(crate) principal: String,
    pub(crate) cause: Cause,
    pub(crate) blobs: HashMap<Digest, Bytes>,
    /// Says whether what the command was judged by still holds; asked each time it is decided.
    pub(crate) stands: Option<Stands>,
    pub(crate) reply: oneshot::Sender<Result<Committed, EngineError>>,
}

/// A judgement that rests on not having heard something. A command is decided late when puts are slow
/// or lost, and by then it may have been heard.
pub(crate) type Stands = Box<dyn Fn() -> bool + Send + Sync>;

/// What reaches the loop. A closed list: everything that can make it work is here.
pub(crate) enum Wake {
    /// Decide this.
    Propose(Box<Proposal>),
    /// Look whether others have written, then answer.
    Follow(oneshot::Sender<()>),
}

/// State of the loop.
pub(crate) struct Committer {
    pub(crate) log: Log,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) settings: EngineSettings,
    pub(crate) state: State,
    pub(crate) head: Head,
    pub(crate) recent: imbl::Vector<(Position, Arc<RawEvent>)>,
    pub(crate) read_only: Option<String>,
    pub(crate) views: watch::Sender<Arc<View>>,
    pub(crate) announcer: Announcer,
    pub(crate) last_heard: watch::Sender<Heard>,
}

/// When segments were last seen, by the boot-time clock: what leadership is judged by.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Heard {
    /// The last segment written by the holder of the present epoch, whoever that is.
    pub(crate) holder: Duration,
    /// When this process set out to write its last segment: others saw the segment later than this.
    pub(crate) own: Duration,
}

/// Blobs of a segment or a proposal, for `apply`.
struct SegmentBlobs<'a>(&'a arco_log::Blobs);

impl Blobs for SegmentBlobs<'_> {
    fn get(&self, digest: &Digest) -> Option<&[u8]> {
        self.0.get(digest).map(AsRef::as_ref)
    }
}

/// What one pass of deciding made of a batch.
struct Proposed {
    state: State,
    events: Vec<RawEvent>,
    /// One per decided proposal, in order: its answer and the position after it.
    answers: Vec<Result<(Answer, Position), EngineError>>,
}

impl Committer {
    /// Runs until every handle is gone.
    pub(crate) async fn run(mut self, mut wakes: mpsc::Receiver<Wake>) {
        let mut poll = tokio::time::interval(Duration::from_millis(self.settings.follow_ms));
        poll.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut batch: Vec<Proposal> = Vec::new();
        loop {
            tokio::select! {
                biased;
                wake = wakes.recv() => match wake {
                    None => break,
                    Some(wake) => {
                        let mut followers = Vec::new();
                        gather(wake, &mut wakes, &mut batch, &mut followers, self.settings.batch_max);
                        if !followers.is_empty() {
                            self.follow().await;
                            for follower in followers {
                                let _ = follower.send(());
                            }
                        }
                    }
                },
                _ = poll.tick() => self.follow().await,
            }
            while !batch.is_empty() {
                self.commit(&mut batch).await;
            }
        }
    }

    /// Commits as much of the batch as fits one segment and answers it; the rest stays.
    async fn commit(&mut self, batch: &mut Vec<Proposal>) {
        loop {
            if let Some(reason) = &self.read_only {
                let error = EngineError::ReadOnly(reason.clone());
                batch
                    .drain(..)
                    .for_each(|p| drop(p.reply.send(Err(error.clone()))));
                return;
            }
            let proposed = self.decide(batch);
            if proposed.events.is_empty() {
                answer(batch, proposed);
                return;
            }
            // Whichever of the tries of this put made the segment, it was made after this instant.
            let asked = self.clock.now();
            match self.put(&proposed).await {
                Ok(AppendOutcome::Committed(head)) => {
                    self.advance(head, &proposed, asked);
                    answer(batch, proposed);
                    return;
                }
                Ok(AppendOutcome::Lost { winner, .. }) => self.accept(*winner),
                Ok(AppendOutcome::Unknown { cause }) => {
                    refuse(
                        batch,
                        proposed.answers.len(),
                        &EngineError::Unknown(cause.to_string()),
                    );
                    return;
                }
                Err(LogError::Reload { .. }) => {
                    self.stop("the log was trimmed below this process; start it again".into());
                }
                Err(error @ LogError::Moved { .. }) => self.stop(error.to_string()),
                Err(error) => {
                    refuse(batch, proposed.answers.len(), &error.into());
                    return;
                }
            }
        }
    }

    /// Decides proposals in order, each on the state the one before it left, until a segment is full.
    fn decide(&self, batch: &[Proposal]) -> Proposed {
        let mut out = Proposed {
            state: self.state.clone(),
            events: Vec::new(),
            answers: Vec::new(),
        };
        let mut text = 0;
        for proposal in batch {
            if proposal.stands.as_ref().is_some_and(|stands| !stands()) {
                out.answers.push(Err(EngineError::LeadInDoubt));
                continue;
            }
            let context = Context {
                now: self.clock.wall(),
                principal: proposal.principal.clone(),
                cause: proposal.cause.clone(),
            };
            let next = Position {
                segment: self.head.segment + 1,
                index: u32::try_from(out.events.len()).unwrap_or(u32::MAX),
            };
            let decided = match decide(
                &out.state,
                &proposal.command,
                &context,
                next,
                &proposal.blobs,
            ) {
                Err(rejection) => {
                    out.answers.push(Err(rejection.into()));
                    continue;
                }
                Ok(decided) => decided,
            };
            let raw: Vec<RawEvent> = decided.events.iter().map(Event::to_raw).collect();
            text += raw.iter().map(arco_log::text_len).sum::<usize>();
            let full =
                text > arco_log::BATCH_TEXT || out.events.len() + raw.len() > arco_log::MAX_EVENTS;
            if full && !out.events.is_empty() {
                break;
            }
            out.events.extend(raw);
            out.state = decided.state;
            out.answers.push(Ok((decided.answer, out.state.position)));
        }
        out
    }

    async fn put(&self, proposed: &Proposed) -> Result<AppendOutcome, LogError> {
        let epoch = self.leads().then_some(self.state.leadership.epoch);
        self.log
            .append(Draft {
                after: self.head,
                time: proposed.state.time,
                epoch,
                fold: arco_flow::state::FOLD_VERSION,
                events: &proposed.events,
            })
            .await
    }

    fn leads(&self) -> bool {
        self.state.leadership.holder.as_deref() == Some(self.log.writer())
    }

    /// Our own segment was put: what was proposed is committed.
    fn advance(&mut self, head: Head, proposed: &Proposed, asked: Duration) {
        self.head = head;
        self.state = proposed.state.clone();
        for (index, event) in (0_u32..).zip(&proposed.events) {
            let at = Position {
                segment: head.segment,
                index,
            };
            self.recent.push_back((at, Arc::new(event.clone())));
        }
        let now = self.clock.now();
        let leads = self.leads();
        self.last_heard.send_modify(|heard| {
            heard.own = asked;
            if leads {
                heard.holder = now;
            }
        });
        self.publish();
    }

    /// A segment of another writer (or an earlier put of ours that was in doubt): fold it.
    pub(crate) fn accept(&mut self, segment: Segment) {
        if segment.header.prev != self.head.digest {
            return self.stop(format!(
                "segment {} does not follow the segment {} that this process knows: the log was replaced under it; start it again",
                segment.number(),
                self.head.segment
            ));
        }
        let mut state = self.state.clone();
        let blobs = SegmentBlobs(&segment.blobs);
        match fold(&mut state, &segment, &blobs) {
            Ok(()) => self.state = state,
            Err(reason) => return self.stop(reason),
        }
        self.head = segment.head();
        for (at, event) in segment.positions() {
            self.recent.push_back((at, Arc::new(event.clone())));
        }
        // A segment of our own that was in doubt proves nothing about now: `own` stays as it was.
        let now = self.clock.now();
        if self.state.leadership.holder.as_deref() == Some(&segment.header.writer) {
            self.last_heard.send_modify(|heard| heard.holder = now);
        }
        self.publish();
    }

    /// Reads what others have written.
    async fn follow(&mut self) {
        while self.read_only.is_none() {
            match self
                .log
                .follow(self.head.segment + 1, self.head.digest)
                .await
            {
                Ok(Some(segment)) => self.accept(segment),
                Ok(None) => return,
                Err(error) if error.retryable() => {
                    tracing::warn!(%error, "the tail of the log cannot be read; trying again");
                    return;
                }
                Err(error) => self.stop(error.to_string()),
            }
        }
    }

    /// No more deciding: what we would decide on is not what the log says.
    fn stop(&mut self, reason: String) {
        tracing::error!(reason, "this process reads only from here");
        self.read_only = Some(reason);
        self.publish();
    }

    fn publish(&mut self) {
        while self.recent.len() > self.settings.recent_events_max {
            self.recent.pop_front();
        }
        let view = View {
            state: self.state.clone(),
            head: self.head,
            recent: self.recent.clone(),
            leads: self.leads(),
            read_only: self.read_only.clone(),
        };
        self.views.send_replace(Arc::new(view));
        self.announcer.announce();
    }
}

/// Takes everything that waits, up to the bound.
fn gather(
    first: Wake,
    wakes: &mut mpsc::Receiver<Wake>,
    batch: &mut Vec<Proposal>,
    followers: &mut Vec<oneshot::Sender<()>>,
    max: usize,
) {
    let mut next = Some(first);
    while let Some(wake) = next {
        match wake {
            Wake::Propose(proposal) => batch.push(*proposal),
            Wake::Follow(reply) => followers.push(reply),
        }
        next = if batch.len() < max {
            wakes.try_recv().ok()
        } else {
            None
        };
    }
}

/// Folds one segment.
pub(crate) fn fold(state: &mut State, segment: &Segment, blobs: &dyn Blobs) -> Result<(), String> {
    for (at, raw) in segment.positions() {
        let event = Event::from_raw(raw).map_err(|error| format!("at {at}: {error}"))?;
        state
            .apply(at, &event, blobs)
            .map_err(|error: ApplyError| format!("at {at}: {error}"))?;
    }
    Ok(())
}

/// Folds one segment with the blobs it came with.
pub(crate) fn fold_segment(state: &mut State, segment: &Segment) -> Result<(), String> {
    fold(state, segment, &SegmentBlobs(&segment.blobs))
}

fn answer(batch: &mut Vec<Proposal>, proposed: Proposed) {
    let decided = batch.drain(..proposed.answers.len());
    for (proposal, answer) in decided.zip(proposed.answers) {
        let reply = answer.map(|(answer, position)| Committed { answer, position });
        drop(proposal.reply.send(reply));
    }
}

fn refuse(batch: &mut Vec<Proposal>, decided: usize, error: &EngineError) {
    for proposal in batch.drain(..decided.max(1).min(batch.len())) {
        drop(proposal.reply.send(Err(error.clone())));
    }
}
