//! Observations.

use arco_core::Timestamp;
use arco_core::event::{AssetObserved, Position};
use arco_wire::api;

pub(crate) fn whole(at: Position, time: Timestamp, e: &AssetObserved) -> api::Observation {
    api::Observation {
        position: at.into(),
        time: time.into(),
        run: e.attempt.map(|attempt| attempt.run),
        attempt: e.attempt,
        partition: e.partition.as_ref().map(|key| key.display().into_owned()),
        data_version: e.data_version.clone(),
        description: e.description.clone(),
        metadata: e.metadata.clone(),
        tags: e.tags.clone(),
    }
}
