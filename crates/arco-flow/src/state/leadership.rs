//! Who leads, as the log says.

use arco_core::event::{Event, Fact, LeaseTaken, Position};
use serde::{Deserialize, Serialize};

/// The present leadership. Expiry is nobody's field here: each observer judges it by its own
/// boot-time clock since it saw the holder's last segment.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Leadership {
    /// Number of the latest leadership; 0 before the first.
    pub epoch: u64,
    /// Writer id of the holder; `None` after it stood down.
    pub holder: Option<String>,
    /// Where the holder is reached.
    pub url: String,
    /// A holder not heard from for this long may be followed by another. Milliseconds.
    pub ttl_ms: u64,
    /// Where the latest leadership began.
    pub since: Position,
}

impl Leadership {
    pub(crate) fn taken(&mut self, at: Position, e: &LeaseTaken) {
        if e.epoch == self.epoch + 1 {
            *self = Self {
                epoch: e.epoch,
                holder: Some(e.holder.clone()),
                url: e.url.clone(),
                ttl_ms: e.ttl_ms,
                since: at,
            };
        }
    }

    pub(crate) fn released(&mut self, epoch: u64) {
        if epoch == self.epoch {
            self.holder = None;
        }
    }

    /// A controller's event counts only in its own epoch; a client's event always counts, because
    /// the put that published it was decided on the whole state before it.
    pub(crate) fn allows(&self, event: &Event) -> bool {
        match (&event.fact, event.epoch) {
            (Fact::LeaseTaken(_), _) | (_, None) => true,
            (_, Some(epoch)) => epoch == self.epoch,
        }
    }
}
