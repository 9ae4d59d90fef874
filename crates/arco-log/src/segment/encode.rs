//! From a draft to the bytes of an object.

use arco_core::Digest;
use arco_core::event::{Cause, RawEvent};
use bytes::Bytes;
use zstd::zstd_safe::CParameter;

use super::{
    Draft, EncodedSegment, FORMAT, Footer, Head, Header, MAX_EVENTS, MAX_OBJECT, MAX_TEXT,
};
use crate::error::LogError;
use crate::snapshot::SnapshotRef;

/// What the log adds to a draft.
#[derive(Debug)]
pub(crate) struct Frame<'a> {
    pub(crate) workspace: &'a str,
    pub(crate) writer: &'a str,
    pub(crate) nonce: String,
    pub(crate) min_reader: u32,
    pub(crate) snapshot: Option<SnapshotRef>,
}

/// Upper bound of the bytes `event` takes in a segment's text, without serializing it (names and
/// payload as they are, and the envelope's keys and numbers, rounded up).
#[must_use]
pub fn text_len(event: &RawEvent) -> usize {
    let cause = match &event.cause {
        Cause::Command(id) => id.len(),
        Cause::Event(_) => 32,
    };
    let location = event.definitions.as_ref().map_or(0, |(l, _)| 80 + l.len());
    160 + event.kind.len()
        + event.principal.len()
        + cause
        + location
        + event.blobs.len() * 67
        + event.payload.get().len()
}

pub(crate) fn encode(draft: &Draft<'_>, frame: Frame<'_>) -> Result<EncodedSegment, LogError> {
    let count = draft.events.len();
    if count == 0 {
        return Err(LogError::invalid(
            "a decision without events was to be put",
            "put nothing: an empty decision is done already",
        ));
    }
    if count > MAX_EVENTS {
        return Err(too_large(format!(
            "the decision has {count} events and a segment holds {MAX_EVENTS}"
        )));
    }
    let segment = draft.after.segment + 1;
    let header = Header {
        format: FORMAT,
        workspace: frame.workspace.to_owned(),
        segment,
        prev: draft.after.digest,
        writer: frame.writer.to_owned(),
        nonce: frame.nonce,
        epoch: draft.epoch,
        time: draft.time,
        min_reader: frame.min_reader,
        fold: draft.fold,
        snapshot: frame.snapshot,
    };
    let estimate: usize = draft.events.iter().map(text_len).sum();
    let mut text = Vec::with_capacity(estimate.min(MAX_TEXT) + 1024);
    line(&mut text, &header);
    for event in draft.events {
        let start = text.len();
        line(&mut text, event);
        // A payload that came in as somebody's text may hold line breaks between its tokens (never
        // in its strings, where JSON escapes them). Here a line is an event.
        for byte in &mut text[start..] {
            if matches!(byte, b'\n' | b'\r') {
                *byte = b' ';
            }
        }
        if let Some(last) = text.last_mut() {
            *last = b'\n';
        }
        if text.len() > MAX_TEXT {
            return Err(too_large(format!(
                "the decision takes more than {} MiB of text",
                MAX_TEXT >> 20
            )));
        }
    }
    let digest = Digest::of(&text);
    line(&mut text, &Footer { count, digest });
    let bytes = compress(&text);
    if bytes.len() > MAX_OBJECT {
        return Err(too_large(format!(
            "the decision takes {} bytes compressed and a segment holds {MAX_OBJECT}",
            bytes.len()
        )));
    }
    Ok(EncodedSegment {
        head: Head { segment, digest },
        snapshot: header.snapshot,
        bytes,
    })
}

fn too_large(problem: String) -> LogError {
    LogError::invalid(
        problem,
        "split it (smaller chunks, fewer partitions at once) or put large content into blobs; it is \
         one atomic step and cannot be split for you",
    )
}

fn line(text: &mut Vec<u8>, value: &impl serde::Serialize) {
    serde_json::to_writer(&mut *text, value).expect("writing plain fields to memory cannot fail");
    text.push(b'\n');
}

/// One zstd frame at level 3 with checksum and content size. Level 3 because the next ones cost twice
/// the time for a tenth of the bytes.
pub(crate) fn compress(text: &[u8]) -> Bytes {
    let squeeze = || {
        let mut compressor = zstd::bulk::Compressor::new(3)?;
        compressor.set_parameter(CParameter::ChecksumFlag(true))?;
        compressor.compress(text)
    };
    squeeze()
        .map(Bytes::from)
        .expect("compressing memory into memory fails only when there is none left")
}
