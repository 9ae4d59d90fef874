//! Worker hosts.

use arco_core::HostId;
use arco_flow::state::{HostState, HostStatus};
use arco_wire::api;

pub(crate) fn host(id: HostId, host: &HostState) -> api::HostInfo {
    api::HostInfo {
        id,
        location: host.location.clone(),
        hostname: host.hostname.clone(),
        pid: host.pid,
        slots: host.slots,
        attempts: host.attempts.len() as u64,
        state: match host.status {
            HostStatus::Alive => api::HostState::Alive,
            HostStatus::Lost => api::HostState::Lost,
        },
        registered: host.registered.into(),
    }
}
