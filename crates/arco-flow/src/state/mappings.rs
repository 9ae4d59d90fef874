//! What the code of mappings answered (`docs/adr/0021-mappings-of-ones-own.md`). The catalog has it too.

use std::collections::BTreeMap;
use std::sync::Arc;

use arco_core::event::{ErrorInfo, Event, PartitionsMapped, PartitionsUnmapped, Stored};
use arco_core::partition::{CustomMapping, MappingAnswers, Ordinals, PartitionsDef};
use arco_core::{AssetKey, Digest, PartitionKey, Timestamp};
use serde::{Deserialize, Serialize};

use super::{ApplyError, Blobs, State};

/// An edge: the asset that reads, and the one that is read.
pub type Edge = (AssetKey, AssetKey);

/// What was answered of one edge.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EdgeAnswers {
    /// Location of the child, whose code is asked.
    pub location: String,
    /// Version of its definitions.
    pub version: Digest,
    /// Ordinals of the child that were answered under that version.
    #[serde(default, skip_serializing_if = "Ordinals::is_empty")]
    pub done: Ordinals,
    /// What stands: of ordinals that are not done, what earlier definitions answered.
    #[serde(default, skip_serializing_if = "MappingAnswers::is_empty")]
    pub answers: MappingAnswers,
    /// What stood of earlier definitions that runs under way are of.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub former: BTreeMap<Digest, MappingAnswers>,
    /// What the code failed with last, until it answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<MappingFailure>,
}

/// Code of a mapping that failed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MappingFailure {
    /// The first partition of the child that it failed for.
    pub first: PartitionKey,
    /// What was raised.
    pub error: ErrorInfo,
    /// When it was first seen.
    pub time: Timestamp,
}

impl EdgeAnswers {
    /// What code of this version answered, as far as it is known; else what stands.
    #[must_use]
    pub fn under(&self, version: Digest) -> &MappingAnswers {
        self.former.get(&version).unwrap_or(&self.answers)
    }
}

impl State {
    /// The partitions of both sides of an edge whose mapping is code; `None` when it is none now.
    #[must_use]
    pub fn mapped_edge(&self, edge: &Edge) -> Option<(&PartitionsDef, &PartitionsDef)> {
        self.custom_mapping(edge)?;
        let def = |key| self.catalog.asset(key)?.asset.partitions.as_ref();
        Some((def(&edge.0)?, def(&edge.1)?))
    }

    /// The mapping of an edge, if it is code.
    #[must_use]
    pub fn custom_mapping(&self, edge: &Edge) -> Option<&CustomMapping> {
        let child = self.catalog.asset(&edge.0)?.asset;
        let dep = child.deps.iter().find(|dep| dep.asset == edge.1)?;
        dep.mapping.as_ref()?.custom()
    }
}

/// Definitions of a location were put in the place of others; `before` is the state until then. What was answered
/// stands until the new code answered, unless the partitions are others.
pub(super) fn follow_definitions(state: &mut State, before: &State) {
    let edges: Vec<(Edge, String, Digest)> = state
        .catalog
        .custom_edges()
        .map(|(definitions, child, dep)| {
            let edge = (child.key.clone(), dep.asset.clone());
            let location = definitions.location().to_owned();
            (edge, location, definitions.version())
        })
        .collect();
    for (edge, location, version) in edges {
        let known = state.mappings.get(&edge).cloned();
        let known = known.map_or_else(
            || EdgeAnswers {
                location: location.clone(),
                version,
                done: Ordinals::default(),
                answers: MappingAnswers::default(),
                former: BTreeMap::new(),
                failure: None,
            },
            Arc::unwrap_or_clone,
        );
        // The parent may be of another location, whose definitions moved alone.
        let parents = state.mapped_edge(&edge).zip(before.mapped_edge(&edge));
        let is_same = known.version == version
            && known.location == location
            && parents.is_none_or(|((_, now), (_, then))| now == then);
        let followed = match is_same {
            true => known,
            false => asked_anew(state, before, &edge, known, location, version),
        };
        state.mappings.insert(edge, Arc::new(followed));
    }
    prune(state);
    resolve(state);
}

fn asked_anew(
    state: &State,
    before: &State,
    edge: &Edge,
    mut known: EdgeAnswers,
    location: String,
    version: Digest,
) -> EdgeAnswers {
    if known.version != version && state.versions.contains_key(&known.version) {
        let answers = known.answers.clone();
        known.former.entry(known.version).or_insert(answers);
    }
    known.answers.set_trouble(None);
    match (state.mapped_edge(edge), before.mapped_edge(edge)) {
        (Some((child, parent)), Some((_, parent_before))) if parent == parent_before => {
            forget_others(&mut known.answers, child);
        }
        _ => known.answers = MappingAnswers::default(),
    }
    EdgeAnswers {
        location,
        version,
        done: Ordinals::default(),
        failure: None,
        ..known
    }
}

/// Keys that a definition does not have are not answered.
fn forget_others(answers: &mut MappingAnswers, child: &PartitionsDef) {
    let gone = answers.keys().filter(|key| child.ordinal_of(key).is_none());
    let gone: Vec<PartitionKey> = gone.cloned().collect();
    for key in gone {
        answers.forget(&key);
    }
}

/// What neither definitions of now nor runs under way need leaves memory.
pub(super) fn prune(state: &mut State) {
    let edges: Vec<Edge> = state.mappings.keys().cloned().collect();
    for edge in edges {
        let is_current = state.mapped_edge(&edge).is_some();
        let Some(known) = state.mappings.get(&edge) else {
            continue;
        };
        let versions = &state.versions;
        let is_pinned = |version: &Digest| versions.contains_key(version);
        if known.former.keys().all(is_pinned) && (is_current || is_pinned(&known.version)) {
            continue;
        }
        let mut left = EdgeAnswers::clone(known);
        left.former.retain(|version, _| is_pinned(version));
        if is_current || is_pinned(&left.version) || !left.former.is_empty() {
            state.mappings.insert(edge, Arc::new(left));
        } else {
            state.mappings.remove(&edge);
        }
    }
}

/// Tells the catalog all that is answered.
pub(super) fn resolve(state: &mut State) {
    if state.mappings.is_empty() {
        return;
    }
    let answers = state.mappings.iter();
    let answers: Vec<_> = answers
        .map(|((child, parent), known)| (child, parent, &known.answers))
        .collect();
    state.catalog = Arc::new(state.catalog.answered(&answers));
}

pub(super) fn restore(state: &mut State, edges: Vec<(AssetKey, AssetKey, EdgeAnswers)>) {
    for (child, parent, mut known) in edges {
        let trouble = known.failure.as_ref().map(|f| f.error.message.as_str());
        known.answers.set_trouble(trouble);
        state.mappings.insert((child, parent), Arc::new(known));
    }
    resolve(state);
}

pub(super) fn mapped(
    state: &mut State,
    e: &PartitionsMapped,
    blobs: &dyn Blobs,
) -> Result<(), ApplyError> {
    let said = match &e.answers {
        Stored::Inline(answers) => answers.clone(),
        Stored::Blob(digest) => {
            let bytes = blobs.get(digest).ok_or(ApplyError::MissingBlob(*digest))?;
            serde_json::from_slice(bytes).map_err(|error| ApplyError::Blob {
                digest: *digest,
                reason: error.to_string(),
            })?
        }
    };
    let edge = (e.child.clone(), e.parent.clone());
    let Some(mut known) = asked_of(state, &edge, &e.location, e.version) else {
        return Ok(());
    };
    let Some((child, _)) = state.mapped_edge(&edge) else {
        return Ok(());
    };
    let mut done = Vec::new();
    for key in said.keys() {
        // It may have left a dynamic set meanwhile.
        if let Some(ordinal) = child.ordinal_of(key) {
            done.push(ordinal);
            let parents = said.parents(key).unwrap_or_default().to_vec();
            known.answers.set(key.clone(), parents);
        }
    }
    known.done = known.done.union(&done.into_iter().collect());
    known.failure = None;
    known.answers.set_trouble(None);
    put(state, edge, known);
    Ok(())
}

pub(super) fn unmapped(state: &mut State, event: &Event, e: &PartitionsUnmapped) {
    let edge = (e.child.clone(), e.parent.clone());
    let Some(mut known) = asked_of(state, &edge, &e.location, e.version) else {
        return;
    };
    known.answers.set_trouble(Some(&e.error.message));
    known.failure = Some(MappingFailure {
        first: e.first.clone(),
        error: e.error.clone(),
        time: event.time,
    });
    put(state, edge, known);
}

/// What is known of an edge, if this code is asked still.
fn asked_of(state: &State, edge: &Edge, location: &str, version: Digest) -> Option<EdgeAnswers> {
    let known = state.mappings.get(edge)?;
    let is_asked = known.version == version && known.location == location;
    is_asked.then(|| EdgeAnswers::clone(known))
}

fn put(state: &mut State, edge: Edge, known: EdgeAnswers) {
    let answers = [(&edge.0, &edge.1, &known.answers)];
    state.catalog = Arc::new(state.catalog.answered(&answers));
    state.mappings.insert(edge, Arc::new(known));
}

/// Keys left a dynamic set, and those after them have other ordinals: what is answered moves with its key.
pub(super) fn renumber(state: &mut State, set: &str, before: &State) {
    let edges: Vec<Edge> = state.mappings.keys().cloned().collect();
    for edge in edges {
        let (Some((now, _)), Some((then, _))) =
            (state.mapped_edge(&edge), before.mapped_edge(&edge))
        else {
            continue;
        };
        if !now.dynamic_names().any(|name| name == set) {
            continue;
        }
        let mut known = EdgeAnswers::clone(&state.mappings[&edge]);
        let done = known.done.iter().filter_map(|ordinal| then.key_at(ordinal));
        let done = done.filter_map(|key| now.ordinal_of(&key)).collect();
        known.done = done;
        forget_others(&mut known.answers, now);
        put(state, edge, known);
    }
}
