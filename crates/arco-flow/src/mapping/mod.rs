//! Questions to the code of mappings, and what its answers come to (`docs/adr/0021-mappings-of-ones-own.md`).
//!
//! What is to be asked follows from the state: of each edge the partitions of the child that exist, or will soon,
//! and were not answered under the definitions of now.

use std::collections::{BTreeMap, BTreeSet};

use arco_core::event::ErrorInfo;
use arco_core::partition::{CustomMapping, MappingAnswers, PartitionsDef};
use arco_core::{Digest, PartitionKey, Timestamp};

use crate::state::{Edge, State};

#[cfg(test)]
mod tests;

/// Partitions that one question asks about, at most.
pub const KEYS_MAX: usize = 1_000;
/// Partitions that one answer names, at most.
pub const PARENTS_MAX: usize = 100_000;
/// Windows of time that are asked about before they exist, so that who acts when one is over finds the answer.
const WINDOWS_AHEAD: u64 = 2;
/// Longest time that one question may take. Milliseconds.
const TIMEOUT_MS: u64 = 60_000;

/// What the code of one mapping is asked. Its answer counts only while that code is of the definitions of now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MappingQuestion {
    /// The asset that reads, and the one that is read.
    pub edge: Edge,
    /// Location of the first.
    pub location: String,
    /// Version of its definitions.
    pub version: Digest,
    /// Digest of the code of the mapping: a host that has other code cannot answer.
    pub code: Option<Digest>,
    /// Partitions of the first.
    pub keys: Vec<PartitionKey>,
    /// Longest time that it may take. Milliseconds.
    pub timeout_ms: u64,
}

/// What the code said, as it said it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct MappingSaid {
    /// Keys of the child → keys of the parent, as people write them. Those that are left out are asked again.
    pub answers: BTreeMap<String, Vec<String>>,
    /// Keys of the child for which it failed.
    pub failed: BTreeSet<String>,
    /// What it failed with first.
    pub error: Option<ErrorInfo>,
}

/// What is to be recorded of an answer.
#[derive(Debug, Clone, PartialEq)]
pub struct MappingRecord {
    /// What was asked.
    pub question: MappingQuestion,
    /// What each key reads.
    pub answers: MappingAnswers,
    /// The same as a blob, when it is too big for an event.
    pub blob: Option<Digest>,
    /// Keys for which it failed.
    pub failed: BTreeSet<PartitionKey>,
    /// What it failed with first.
    pub error: Option<ErrorInfo>,
}

/// The edges whose mapping is code of the definitions of now, with their location and its version.
pub fn edges(state: &State) -> impl Iterator<Item = (&Edge, &str, Digest)> {
    let edges = state.mappings.iter();
    edges
        .filter(|(edge, _)| state.mapped_edge(edge).is_some())
        .map(|(edge, known)| (edge, known.location.as_str(), known.version))
}

/// Whether code of this version is still asked about an edge.
#[must_use]
pub fn is_asked(state: &State, question: &MappingQuestion) -> bool {
    let known = state.mappings.get(&question.edge);
    known.is_some_and(|known| {
        known.version == question.version && known.location == question.location
    }) && state.mapped_edge(&question.edge).is_some()
}

/// What is to be asked about an edge at `now`: at most `most` partitions, the newest first, without those that are
/// `held` back. `None` when nothing is.
#[must_use]
pub fn question(
    state: &State,
    edge: &Edge,
    now: Timestamp,
    held: &BTreeSet<PartitionKey>,
    most: usize,
) -> Option<MappingQuestion> {
    let known = state.mappings.get(edge)?;
    let keys: Vec<PartitionKey> = due(state, edge, now, held).take(most).collect();
    (!keys.is_empty()).then(|| MappingQuestion {
        edge: edge.clone(),
        location: known.location.clone(),
        version: known.version,
        code: state.custom_mapping(edge).and_then(CustomMapping::code),
        keys,
        timeout_ms: TIMEOUT_MS,
    })
}

/// The partitions that are to be asked about, the newest first. Costs nothing when there is none.
pub fn due<'a>(
    state: &'a State,
    edge: &Edge,
    now: Timestamp,
    held: &'a BTreeSet<PartitionKey>,
) -> impl Iterator<Item = PartitionKey> + 'a {
    let known = state.mappings.get(edge);
    let found = known.zip(state.mapped_edge(edge));
    let missing = found.map(|(known, (child, _))| {
        let missing = child
            .existing_soon(now, WINDOWS_AHEAD)
            .difference(&known.done);
        newest_first(child, missing.ranges().to_vec())
    });
    missing
        .into_iter()
        .flatten()
        .filter(|key| !held.contains(key))
}

fn newest_first(
    child: &PartitionsDef,
    ranges: Vec<std::ops::Range<u64>>,
) -> impl Iterator<Item = PartitionKey> + '_ {
    let ordinals = ranges.into_iter().rev().flat_map(|range| range.rev());
    ordinals.filter_map(|ordinal| child.key_at(ordinal))
}

/// What comes of what code said to `question`. A key of which it named no partitions of the parent has no answer.
#[must_use]
pub fn judge(state: &State, question: &MappingQuestion, said: &MappingSaid) -> MappingRecord {
    let mut record = MappingRecord {
        question: question.clone(),
        answers: MappingAnswers::default(),
        blob: None,
        failed: BTreeSet::new(),
        error: said.error.clone(),
    };
    let Some((_, parent)) = state.mapped_edge(&question.edge) else {
        return record;
    };
    let mut named = 0;
    for key in &question.keys {
        let text = key.display();
        if said.failed.contains(&*text) {
            record.failed.insert(key.clone());
            continue;
        }
        let Some(texts) = said.answers.get(&*text) else {
            continue;
        };
        if texts.len() <= PARENTS_MAX && named + texts.len() > PARENTS_MAX {
            break;
        }
        named += texts.len();
        match read(parent, question, &text, texts) {
            Ok(parents) => record.answers.set(key.clone(), parents),
            Err(message) => {
                record.failed.insert(key.clone());
                record.error.get_or_insert_with(|| ErrorInfo {
                    kind: "BadAnswer".into(),
                    message,
                    traceback: String::new(),
                });
            }
        }
    }
    if record.answers.is_empty() && record.failed.is_empty() {
        record.failed = question.keys.iter().cloned().collect();
        record.error.get_or_insert_with(|| ErrorInfo {
            kind: "NoAnswer".into(),
            message: "get_upstream_partition_keys was not done with one partition in half of the time that there is"
                .into(),
            traceback: String::new(),
        });
    }
    record
}

/// What comes of code that was not done with `question`, or could not be asked.
#[must_use]
pub fn failed(question: &MappingQuestion, error: &ErrorInfo) -> MappingRecord {
    MappingRecord {
        question: question.clone(),
        answers: MappingAnswers::default(),
        blob: None,
        failed: question.keys.iter().cloned().collect(),
        error: Some(error.clone()),
    }
}

fn read(
    parent: &PartitionsDef,
    question: &MappingQuestion,
    key: &str,
    texts: &[String],
) -> Result<Vec<PartitionKey>, String> {
    let of = question.edge.1.as_str();
    let many = texts.len();
    if many > PARENTS_MAX {
        return Err(format!(
            "get_upstream_partition_keys gave {many} partitions of `{of}` for `{key}`, and may give {PARENTS_MAX}; give \
             fewer, or use AllPartitionMapping"
        ));
    }
    let keys = texts.iter().map(|text| parent.read_key(text));
    keys.collect::<Result<_, _>>().map_err(|error| {
        format!(
            "get_upstream_partition_keys gave for `{key}` what is no key: {}",
            error.of(of)
        )
    })
}
