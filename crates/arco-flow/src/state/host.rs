//! Worker hosts and what they hold.

use arco_core::event::{HostRegistered, Position};
use arco_core::{AttemptId, HostId, Timestamp};
use imbl::OrdSet;
use serde::{Deserialize, Serialize};

use super::State;

/// One worker host.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HostState {
    /// Its code location.
    pub location: String,
    /// Its machine.
    pub hostname: String,
    /// Its process id.
    pub pid: u32,
    /// How many tasks it runs at once.
    pub slots: u32,
    /// Whether it may still lease and report.
    pub status: HostStatus,
    /// When it announced itself.
    pub registered: Timestamp,
    /// Attempts it holds.
    pub attempts: OrdSet<AttemptId>,
}

/// Whether a host may still act.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HostStatus {
    /// It leases and reports.
    Alive,
    /// It was not heard from for its lease; its late words change nothing.
    Lost,
}

/// Lost hosts are remembered so that a late call is told why it is refused; not for ever.
const LOST_HOSTS_MAX: usize = 1_000;

pub(super) fn registered(state: &mut State, _at: Position, time: Timestamp, e: &HostRegistered) {
    state.hosts.insert(
        e.host,
        HostState {
            location: e.location.clone(),
            hostname: e.hostname.clone(),
            pid: e.pid,
            slots: e.slots,
            status: HostStatus::Alive,
            registered: time,
            attempts: OrdSet::new(),
        },
    );
    forget_oldest_lost(state);
}

pub(super) fn left(state: &mut State, host: HostId) {
    state.hosts.remove(&host);
}

pub(super) fn lost(state: &mut State, host: HostId) {
    if let Some(host) = state.hosts.get_mut(&host) {
        host.status = HostStatus::Lost;
    }
}

fn forget_oldest_lost(state: &mut State) {
    if state.hosts.len() <= LOST_HOSTS_MAX {
        return;
    }
    let oldest = state
        .hosts
        .iter()
        .find(|(_, host)| host.status == HostStatus::Lost)
        .map(|(id, _)| *id);
    if let Some(id) = oldest {
        state.hosts.remove(&id);
    }
}
