//! Committed state, as readers hold it.

use std::sync::Arc;

use arco_core::event::{Position, RawEvent};
use arco_flow::State;
use arco_log::Head;
use imbl::Vector;

/// The state after a committed segment. Immutable and cheap to hold; a newer one replaces it.
#[derive(Debug, Clone)]
pub struct View {
    /// The folded state.
    pub state: State,
    /// The last committed segment.
    pub head: Head,
    /// The last events, oldest first, without a gap up to the head.
    pub recent: Vector<(Position, Arc<RawEvent>)>,
    /// Whether this process leads.
    pub leads: bool,
    /// Why this process no longer decides; `None` when it does.
    pub read_only: Option<String>,
}

impl View {
    /// The last event's position.
    #[must_use]
    pub fn position(&self) -> Position {
        self.state.position
    }
}
