//! Reading events one by one, for `arco log show` and for whoever wants the facts.

use arco_core::event::{Position, RawEvent};

use super::Log;
use crate::error::LogError;
use crate::segment::Head;

/// Events in order from a position on. Keeps one segment in memory.
#[derive(Debug)]
pub struct EventCursor {
    log: Log,
    next: u64,
    skip: u32,
    /// The last segment read, once there is one to check the next against.
    last: Option<Head>,
    buffer: std::vec::IntoIter<(Position, RawEvent)>,
}

impl Log {
    /// A cursor on the events from `from` on. It ends at the tail and goes on from there when asked
    /// again.
    #[must_use]
    pub fn events_from(&self, from: Position) -> EventCursor {
        EventCursor {
            log: self.clone(),
            next: from.segment.max(1),
            skip: if from.segment == 0 { 0 } else { from.index },
            last: None,
            buffer: Vec::new().into_iter(),
        }
    }
}

impl EventCursor {
    /// The next event; `None` at the tail.
    ///
    /// # Errors
    /// As [`Log::follow`]; `Reload` when the log does not go back that far.
    pub async fn next(&mut self) -> Result<Option<(Position, RawEvent)>, LogError> {
        loop {
            if let Some(event) = self.buffer.next() {
                return Ok(Some(event));
            }
            let found = self.log.fetch_segment(self.next).await?;
            self.log.confirm_live(self.next).await?;
            let Some(segment) = found else {
                return Ok(None);
            };
            if let Some(last) = self.last {
                self.log.check_link(&segment, last.digest)?;
            }
            self.last = Some(segment.head());
            self.next += 1;
            let number = segment.number();
            let skip = usize::try_from(std::mem::take(&mut self.skip)).unwrap_or(usize::MAX);
            let events: Vec<_> = (0..)
                .zip(segment.events)
                .skip(skip)
                .map(|(index, event)| {
                    let position = Position {
                        segment: number,
                        index,
                    };
                    (position, event)
                })
                .collect();
            self.buffer = events.into_iter();
        }
    }
}
