//! From the bytes of an object to a segment, believing nothing.

use arco_core::event::RawEvent;
use arco_core::{Digest, Timestamp};
use serde::Deserialize;

use super::{Blobs, FORMAT, Footer, Header, MAX_OBJECT, MAX_TEXT, Segment};
use crate::error::LogError;

/// What the reader expects around the bytes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct DecodeContext<'a> {
    pub(crate) object: &'a str,
    pub(crate) workspace: &'a str,
    pub(crate) segment: u64,
    pub(crate) reader: u32,
    pub(crate) stored_at: Timestamp,
}

/// Read before the rest of the header, which a newer writer may have changed.
#[derive(Deserialize)]
struct Gate {
    format: u32,
    min_reader: u32,
}

pub(crate) fn decode(bytes: &[u8], context: DecodeContext<'_>) -> Result<Segment, LogError> {
    let corrupt = |problem: String| LogError::corrupt(context.object, problem);
    let text = decompress(bytes, MAX_OBJECT, MAX_TEXT + 4096).map_err(corrupt)?;
    let (first, _) = split_line(&text).ok_or_else(|| corrupt("it has no header line".into()))?;
    let gate: Gate = serde_json::from_slice(first)
        .map_err(|e| corrupt(format!("its header line does not read: {e}")))?;
    if gate.min_reader > context.reader {
        return Err(LogError::TooNew {
            object: context.object.to_owned(),
            needs: gate.min_reader,
            have: context.reader,
        });
    }
    if gate.format != FORMAT {
        return Err(corrupt(format!(
            "its format is {} and not {FORMAT}",
            gate.format
        )));
    }
    let (body, footer) = split_footer(&text).ok_or_else(|| corrupt("it has no footer".into()))?;
    let footer: Footer = serde_json::from_slice(footer)
        .map_err(|e| corrupt(format!("its footer line does not read: {e}")))?;
    let digest = Digest::of(body);
    if digest != footer.digest {
        return Err(corrupt(format!(
            "its lines have digest {} and its footer says {}",
            digest.short(),
            footer.digest.short()
        )));
    }
    let header: Header = serde_json::from_slice(first)
        .map_err(|e| corrupt(format!("its header line does not read: {e}")))?;
    if header.workspace != context.workspace || header.segment != context.segment {
        return Err(corrupt(format!(
            "it is segment {} of workspace `{}`",
            header.segment, header.workspace
        )));
    }
    let mut rest = &body[first.len() + 1..];
    let mut events: Vec<RawEvent> = Vec::with_capacity(footer.count.min(super::MAX_EVENTS));
    while let Some((line, after)) = split_line(rest) {
        let event = serde_json::from_slice(line)
            .map_err(|e| corrupt(format!("event {} does not read: {e}", events.len())))?;
        events.push(event);
        rest = after;
    }
    if events.len() != footer.count {
        return Err(corrupt(format!(
            "it has {} events and its footer says {}",
            events.len(),
            footer.count
        )));
    }
    Ok(Segment {
        header,
        events,
        blobs: Blobs::default(),
        digest,
        stored_at: context.stored_at,
    })
}

fn split_line(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = text.iter().position(|byte| *byte == b'\n')?;
    Some((&text[..end], &text[end + 1..]))
}

/// Everything up to the last line, and the last line.
fn split_footer(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let line = text.strip_suffix(b"\n")?;
    let start = line.iter().rposition(|byte| *byte == b'\n')? + 1;
    Some((&text[..start], &line[start..]))
}

/// Decompresses one whole frame of at most `max` bytes.
pub(crate) fn decompress(bytes: &[u8], max_object: usize, max: usize) -> Result<Vec<u8>, String> {
    if bytes.len() > max_object {
        return Err(format!(
            "it has {} bytes, the bound is {max_object}",
            bytes.len()
        ));
    }
    let size = zstd::zstd_safe::get_frame_content_size(bytes)
        .map_err(|_| "it is not a zstd frame".to_owned())?
        .ok_or_else(|| "its zstd frame does not say its size".to_owned())?;
    let size = usize::try_from(size).unwrap_or(usize::MAX);
    if size > max {
        return Err(format!("it holds {size} bytes of text, the bound is {max}"));
    }
    let text = zstd::bulk::decompress(bytes, size)
        .map_err(|e| format!("its zstd frame does not unpack: {e}"))?;
    if text.len() != size {
        return Err(format!("it unpacks to {} bytes, not {size}", text.len()));
    }
    Ok(text)
}
