//! The id of an event of output: where to go on after a break.
//!
//! `1_{position}_{attempt}_{attempt}…`: the log was read up to the position, and of the attempts
//! that were leased before it all is given but these. An attempt is `{task}.{number}`, which is to be
//! read from its beginning, or `{task}.{number}:{place},{place},{place}` for stdout, stderr and log;
//! a place is `{chunk}` or `{chunk}+{offset}`, `-` for a stream that is not followed. What is leased
//! later is found in the log. So the id grows with what is alive and not with the run.
//!
//! It is a client's text: nothing is trusted but its shape.

use arco_core::TaskIndex;
use arco_core::event::Position;
use arco_wire::api::LogPosition;

use super::lines::Place;
use crate::codes::Code;
use crate::limits::CURSOR_BYTES_MAX;
use crate::problem::{Answer, Refusal};

#[cfg(test)]
mod tests;

/// Version of the shape.
const VERSION: &str = "1";

/// Where a follower stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Cursor {
    /// Events from here on were not read.
    pub(super) next: Position,
    /// What was leased before and is not given whole.
    pub(super) open: Vec<OpenAttempt>,
}

/// An attempt that is not given whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct OpenAttempt {
    pub(super) task: TaskIndex,
    pub(super) number: u32,
    /// By stream; `None` for one that is not followed.
    pub(super) places: [Option<Place>; 3],
}

impl OpenAttempt {
    /// An attempt of which nothing was given.
    pub(super) fn new(task: TaskIndex, number: u32) -> Self {
        Self {
            task,
            number,
            places: [Some(Place::default()); 3],
        }
    }
}

impl Cursor {
    /// The id; `None` when it would be too long. The client then keeps the one before, from where
    /// everything comes again.
    pub(super) fn write(&self) -> Option<String> {
        let mut text = format!("{VERSION}_{}", LogPosition(self.next));
        for attempt in &self.open {
            text.push_str(&format!("_{}.{}", attempt.task, attempt.number));
            if attempt.places != [Some(Place::default()); 3] {
                let places: Vec<String> = attempt.places.iter().map(write_place).collect();
                text.push_str(&format!(":{}", places.join(",")));
            }
            if text.len() > CURSOR_BYTES_MAX {
                return None;
            }
        }
        Some(text)
    }

    /// How far the log was read.
    pub(super) fn reached(&self) -> Position {
        Position {
            index: self.next.index.saturating_sub(1),
            ..self.next
        }
    }

    /// Reads an id.
    pub(super) fn read(text: &str) -> Answer<Self> {
        parse(text).ok_or_else(|| {
            Refusal::new(
                Code::InvalidHeader,
                "`last-event-id` is no id of this stream; leave it out to begin anew",
            )
        })
    }
}

fn write_place(place: &Option<Place>) -> String {
    match place {
        None => "-".into(),
        Some(Place { chunk, offset: 0 }) => chunk.to_string(),
        Some(Place { chunk, offset }) => format!("{chunk}+{offset}"),
    }
}

fn parse(text: &str) -> Option<Cursor> {
    // A bound on the work, with room for what an older server wrote.
    if text.len() > 2 * CURSOR_BYTES_MAX {
        return None;
    }
    let mut parts = text.split('_');
    if parts.next()? != VERSION {
        return None;
    }
    let next: LogPosition = parts.next()?.parse().ok()?;
    let open = parts.map(parse_attempt).collect::<Option<Vec<_>>>()?;
    Some(Cursor { next: next.0, open })
}

fn parse_attempt(text: &str) -> Option<OpenAttempt> {
    let (name, places) = match text.split_once(':') {
        Some((name, places)) => (name, Some(places)),
        None => (text, None),
    };
    let (task, number) = name.split_once('.')?;
    let mut attempt = OpenAttempt::new(task.parse().ok()?, number.parse().ok()?);
    if let Some(places) = places {
        let places = places
            .split(',')
            .map(parse_place)
            .collect::<Option<Vec<_>>>()?;
        attempt.places = places.try_into().ok()?;
    }
    Some(attempt)
}

#[expect(
    clippy::option_option,
    reason = "the outer one is whether it can be read, the inner one what it says"
)]
fn parse_place(text: &str) -> Option<Option<Place>> {
    if text == "-" {
        return Some(None);
    }
    let (chunk, offset) = text.split_once('+').unwrap_or((text, "0"));
    Some(Some(Place {
        chunk: chunk.parse().ok()?,
        offset: offset.parse().ok()?,
    }))
}
