//! What the code of mappings said becomes facts.

use arco_core::PartitionKey;
use arco_core::event::{PartitionsMapped, PartitionsUnmapped, Stored};

use super::Deciding;
use crate::command::Answer;
use crate::mapping::MappingRecord;

pub(super) fn record(d: &mut Deciding<'_>, record: &MappingRecord) -> Answer {
    let question = &record.question;
    let Some(known) = d.state.mappings.get(&question.edge) else {
        return Answer::Done;
    };
    if known.version != question.version || known.location != question.location {
        return Answer::Done;
    }
    let news = |first: &PartitionKey, message: &str| {
        let last = known.failure.as_ref();
        last.is_none_or(|last| last.first != *first || last.error.message != *message)
    };
    // An answer ends a failure that goes on for other keys.
    let is_answer = !record.answers.is_empty();
    let failure = record.failed.first().zip(record.error.as_ref());
    let failure = failure.filter(|(first, error)| is_answer || news(first, &error.message));
    let (child, parent) = question.edge.clone();
    if is_answer {
        d.emit_as_leader(PartitionsMapped {
            location: question.location.clone(),
            version: question.version,
            child: child.clone(),
            parent: parent.clone(),
            keys: u32::try_from(record.answers.len()).unwrap_or(u32::MAX),
            answers: match record.blob {
                Some(digest) => Stored::Blob(digest),
                None => Stored::Inline(record.answers.clone()),
            },
        });
    }
    if let Some((first, error)) = failure {
        d.emit_as_leader(PartitionsUnmapped {
            location: question.location.clone(),
            version: question.version,
            child,
            parent,
            first: first.clone(),
            error: error.clone(),
        });
    }
    Answer::Done
}
