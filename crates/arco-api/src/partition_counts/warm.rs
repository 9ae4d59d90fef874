//! Looking at the keys of partitioned assets before anyone asks for their counts.
//!
//! After a start, and when definitions change, the first count of an asset looks at each of its keys: a second for
//! ten million. That is done here, so that who asks then is answered from what was learnt.

use std::collections::BTreeMap;
use std::sync::Arc;

use arco_core::{Digest, Timestamp};
use arco_engine::{Engine, View};
use tokio::task;
use tokio_util::sync::CancellationToken;

use super::CountsCache;

#[cfg(test)]
mod tests;

/// The definitions of each location.
type Versions = BTreeMap<String, Digest>;

/// Looks whenever definitions changed, until told to stop.
pub(crate) async fn watch(engine: Engine, counts: Arc<CountsCache>, stop: CancellationToken) {
    let mut commits = engine.commits();
    let mut looked = Versions::new();
    loop {
        let view = Arc::clone(&commits.borrow_and_update());
        let versions = versions(&view);
        if versions != looked {
            let (counts, stop, now) = (Arc::clone(&counts), stop.clone(), engine.now());
            // It keeps a thread busy; one that panics is seen by who asks.
            let look = task::spawn_blocking(move || look(&view, &counts, now, &stop));
            if let Err(error) = look.await {
                tracing::warn!(%error, "partitions were not counted ahead");
            }
            looked = versions;
        }
        tokio::select! {
            biased;
            () = stop.cancelled() => return,
            changed = commits.changed() => if changed.is_err() { return },
        }
    }
}

fn versions(view: &View) -> Versions {
    let locations = view.state.catalog.locations().iter();
    locations
        .map(|(name, definitions)| (name.clone(), definitions.version()))
        .collect()
}

/// Counts each asset that has partitions; an asset on its own, so that who asks waits for no other.
fn look(view: &View, counts: &CountsCache, now: Timestamp, stop: &CancellationToken) {
    let catalog = &view.state.catalog;
    for key in catalog.keys() {
        if stop.is_cancelled() {
            return;
        }
        let Some(found) = catalog.asset(key) else {
            continue;
        };
        if let Some(def) = &found.asset.partitions {
            let facts = view.state.assets.get(key).map(AsRef::as_ref);
            counts.counts(key, found.definitions.version(), def, facts, now);
        }
    }
}
