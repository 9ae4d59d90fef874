//! Deploys.

use std::sync::Arc;

use arco_core::definitions::Definitions;
use arco_core::event::{DefinitionsDeployed, DefinitionsLoadFailed, ErrorInfo};

use super::Deciding;
use crate::Rejection;
use crate::command::Answer;

pub(super) fn deploy(d: &mut Deciding<'_>, new: &Arc<Definitions>) -> Result<Answer, Rejection> {
    let location = new.location();
    let known = d.state.locations.get(location);
    let current = known.is_some_and(|l| l.version == Some(new.version()) && l.failure.is_none());
    if current {
        return Ok(Answer::Done);
    }
    d.state.catalog.with(Arc::clone(new))?;
    d.emit_about(
        Some((location.to_owned(), new.version())),
        DefinitionsDeployed {
            location: location.to_owned(),
            version: new.version(),
        },
    );
    Ok(Answer::Done)
}

pub(super) fn load_failed(d: &mut Deciding<'_>, location: &str, error: &ErrorInfo) -> Answer {
    let known = d
        .state
        .locations
        .get(location)
        .and_then(|l| l.failure.as_ref());
    if known.is_none_or(|failure| failure.error != *error) {
        d.emit(DefinitionsLoadFailed {
            location: location.to_owned(),
            error: error.clone(),
        });
    }
    Answer::Done
}
