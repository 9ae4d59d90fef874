//! A decision in the making: every event is applied as it is proposed, so that what is decided next
//! sees what was decided before, within one command and across the commands of a batch.

use arco_core::event::{Event, Fact, Position};
use arco_core::{Digest, Timestamp};

use super::Decided;
use crate::command::{Answer, Context};
use crate::state::{Blobs, State};

pub(crate) struct Deciding<'a> {
    pub(crate) state: State,
    pub(crate) now: Timestamp,
    context: &'a Context,
    next: Position,
    blobs: &'a dyn Blobs,
    events: Vec<Event>,
}

impl<'a> Deciding<'a> {
    pub(crate) fn new(
        state: &State,
        context: &'a Context,
        next: Position,
        blobs: &'a dyn Blobs,
    ) -> Self {
        Self {
            // Event times never decrease along the log, whatever the wall clock does.
            now: context.now.max(state.time),
            state: state.clone(),
            context,
            next,
            blobs,
            events: Vec::new(),
        }
    }

    /// The shell's clock as it is, also where it is behind the log: what is due is judged by it.
    pub(crate) fn wall(&self) -> Timestamp {
        self.context.now
    }

    /// Proposes a fact of a client or worker: it stands whoever leads.
    pub(crate) fn emit(&mut self, fact: impl Into<Fact>) {
        self.push(fact.into(), None, None);
    }

    /// Proposes a fact that speaks of a location's definitions.
    pub(crate) fn emit_about(
        &mut self,
        definitions: Option<(String, Digest)>,
        fact: impl Into<Fact>,
    ) {
        self.push(fact.into(), None, definitions);
    }

    /// Proposes a controller's fact: the fold ignores it once another leads.
    pub(crate) fn emit_as_leader(&mut self, fact: impl Into<Fact>) {
        let epoch = self.state.leadership.epoch;
        self.push(fact.into(), Some(epoch), None);
    }

    /// Where the next fact will stand.
    pub(crate) fn next(&self) -> Position {
        self.next
    }

    fn push(&mut self, fact: Fact, epoch: Option<u64>, definitions: Option<(String, Digest)>) {
        let event = Event {
            time: self.now,
            principal: self.context.principal.clone(),
            cause: self.context.cause.clone(),
            epoch,
            definitions,
            fact,
        };
        self.state
            .apply(self.next, &event, self.blobs)
            .expect("blobs of a decision are handed in with its command, and its fold is our own");
        self.next.index += 1;
        self.events.push(event);
    }

    pub(crate) fn into_decided(self, answer: Answer) -> Decided {
        Decided {
            events: self.events,
            state: self.state,
            answer,
        }
    }
}
