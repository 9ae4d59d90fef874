//! Saying what became of user code: loaded, or not and why.

use std::collections::BTreeMap;

use arco_core::{Digest, Timestamp};
use arco_engine::Engine;
use arco_flow::state::{HostStatus, State};
use serde_json::json;

use crate::console::Console;
use crate::render::plural;

/// What was said of a location last: its version, the time of its last failure, and whether anybody
/// serves it.
type Said = (Option<Digest>, Option<Timestamp>, bool);

/// Speaks whenever a location changes. Never returns while the engine lives.
pub(super) async fn loads(engine: Engine, console: Console) {
    let mut views = engine.commits();
    let mut said = BTreeMap::new();
    loop {
        let view = views.borrow_and_update().clone();
        let now = known(&view.state);
        for (location, at) in &now {
            if said.get(location) != Some(at) {
                say(&view.state, location, at.2, &console);
            }
        }
        said = now;
        if views.changed().await.is_err() {
            return;
        }
    }
}

fn known(state: &State) -> BTreeMap<String, Said> {
    let serves = |name: &str| {
        state
            .hosts
            .values()
            .any(|host| host.location == name && host.status == HostStatus::Alive)
    };
    let said = state.locations.iter().map(|(name, location)| {
        let failed = location.failure.as_ref().map(|failure| failure.time);
        (name.clone(), (location.version, failed, serves(name)))
    });
    said.collect()
}

fn say(state: &State, name: &str, served: bool, console: &Console) {
    let Some(location) = state.locations.get(name) else {
        return;
    };
    if let Some(failure) = &location.failure {
        let error = &failure.error;
        if console.is_json() {
            let line = json!({"event": "load_failed", "location": name, "error": error});
            console.element(&line, |_| String::new());
            return;
        }
        let stays = if location.version.is_some() {
            "the definitions before it stay"
        } else {
            "it has no definitions yet"
        };
        let body = if error.traceback.trim().is_empty() {
            format!("{}: {}", error.kind, error.message)
        } else {
            error.traceback.trim_end().to_owned()
        };
        let paint = console.paint_err();
        console.note(&format!(
            "{} location `{name}` did not load; {stays}\n{body}",
            paint.red("error:")
        ));
        console.hint("mend the file and save it: it is loaded again");
        return;
    }
    if !served {
        return;
    }
    let Some(definitions) = location
        .version
        .and_then(|version| state.versions.get(&version))
    else {
        return;
    };
    let manifest = definitions.manifest();
    let (assets, checks) = (manifest.assets.len() as u64, manifest.checks.len() as u64);
    if console.is_json() {
        let line = json!({
            "event": "loaded", "location": name, "version": location.version, "assets": assets, "checks": checks,
        });
        console.element(&line, |_| String::new());
    } else {
        console.note(&format!(
            "location `{name}` is loaded: {}, {}",
            plural(assets, "asset"),
            plural(checks, "check")
        ));
    }
}
