//! A segment: what one commit put into the log, as one immutable object.
//!
//! The text is a header line, one event a line, and a footer line; the object is that text as one
//! zstd frame with a checksum, so `zstdcat` and a pager show everything there is. The footer carries
//! the SHA-256 of all lines before it, which is the *digest of the segment*: the next header names
//! it as `prev`, and so the log is a chain. The digest is of the text, not of the compressed bytes,
//! so that recompressing old segments does not break the chain.
//!
//! A writer must never put what a reader cannot hold, hence the bounds.

mod decode;
mod encode;

use std::collections::BTreeMap;

use arco_core::event::{Position, RawEvent};
use arco_core::{Digest, Timestamp};
use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::snapshot::SnapshotRef;

pub(crate) use decode::{DecodeContext, decode, decompress};
pub use encode::text_len;
pub(crate) use encode::{Frame, compress, encode};

/// Events a segment may hold: what the fold applies in about 50 ms, so that a follower never stalls
/// longer on one object.
pub const MAX_EVENTS: usize = 50_000;
/// Bytes of a segment's text: times the 32 reads in flight at recovery, half a gigabyte at worst.
pub const MAX_TEXT: usize = 16 << 20;
/// Bytes of a segment's object: about what a single put of a cloud store moves in its usual latency.
pub const MAX_OBJECT: usize = 4 << 20;
/// Text (by [`text_len`]) up to which a batch of unrelated decisions always fits, even when nothing
/// in it compresses. Only a single atomic decision may go beyond.
pub const BATCH_TEXT: usize = 3 << 20;
/// The reader this code is. A segment whose `min_reader` is higher is not for it.
pub const READER: u32 = 1;
/// The layout of segments this code writes.
pub(crate) const FORMAT: u32 = 1;

/// The place after which the next segment goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// The last segment; 0 when there is none.
    pub segment: u64,
    /// Its digest.
    pub digest: Digest,
}

impl Head {
    /// Before the first segment.
    #[must_use]
    pub fn genesis() -> Self {
        Self {
            segment: 0,
            digest: Digest::of(b"arco log\n"),
        }
    }
}

/// What a writer wants to put after `after`.
#[derive(Debug, Clone, Copy)]
pub struct Draft<'a> {
    /// The head the events were decided on.
    pub after: Head,
    /// When; never before the previous segment's.
    pub time: Timestamp,
    /// Leadership epoch of the writer, when it leads.
    pub epoch: Option<u64>,
    /// Fold version the events were decided with.
    pub fold: u32,
    /// At least one event. Their blobs are durable already.
    pub events: &'a [RawEvent],
}

/// The first line of a segment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// Layout of the segment.
    pub format: u32,
    /// `tenant/workspace`: a segment that strayed into another log is not taken for its own.
    pub workspace: String,
    /// Number, from 1.
    pub segment: u64,
    /// Digest of the segment before.
    pub prev: Digest,
    /// Who wrote it: one opening of the log by one process.
    pub writer: String,
    /// Which attempt wrote it: how a writer recognises its own.
    pub nonce: String,
    /// Leadership epoch of the writer, when it led.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub epoch: Option<u64>,
    /// When, by the writer's clock.
    pub time: Timestamp,
    /// The reader needed to take this segment into account.
    pub min_reader: u32,
    /// Fold version the events were decided with.
    pub fold: u32,
    /// The newest snapshot the writer knew.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub snapshot: Option<SnapshotRef>,
}

/// The last line of a segment.
#[derive(Debug, Serialize, Deserialize)]
struct Footer {
    /// Events.
    count: usize,
    /// SHA-256 of all lines before this one.
    digest: Digest,
}

/// A segment as read, its blobs beside it.
#[derive(Debug, Clone)]
pub struct Segment {
    /// Its first line.
    pub header: Header,
    /// Its events, in order.
    pub events: Vec<RawEvent>,
    /// The content of every blob its events name.
    pub blobs: Blobs,
    /// Its digest, which the next one names.
    pub digest: Digest,
    /// When the store took it, by the store's clock.
    pub stored_at: Timestamp,
}

impl Segment {
    /// Its number.
    #[must_use]
    pub fn number(&self) -> u64 {
        self.header.segment
    }

    /// The head the log has with it.
    #[must_use]
    pub fn head(&self) -> Head {
        Head {
            segment: self.header.segment,
            digest: self.digest,
        }
    }

    /// Its events with their positions.
    pub fn positions(&self) -> impl Iterator<Item = (Position, &RawEvent)> {
        let segment = self.number();
        (0..)
            .zip(&self.events)
            .map(move |(index, event)| (Position { segment, index }, event))
    }
}

/// A segment ready to be put. The same bytes may be put any number of times.
#[derive(Debug, Clone)]
pub struct EncodedSegment {
    pub(crate) head: Head,
    pub(crate) snapshot: Option<SnapshotRef>,
    pub(crate) bytes: Bytes,
}

impl EncodedSegment {
    /// The head the log will have with it.
    #[must_use]
    pub fn head(&self) -> Head {
        self.head
    }

    /// The object's bytes.
    #[must_use]
    pub fn bytes(&self) -> &Bytes {
        &self.bytes
    }
}

/// Content of blobs by digest.
#[derive(Debug, Clone, Default)]
pub struct Blobs(pub(crate) BTreeMap<Digest, Bytes>);

impl Blobs {
    /// The content of `digest`.
    #[must_use]
    pub fn get(&self, digest: &Digest) -> Option<&Bytes> {
        self.0.get(digest)
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All of them, by digest.
    pub fn iter(&self) -> impl Iterator<Item = (&Digest, &Bytes)> {
        self.0.iter()
    }
}

impl FromIterator<Bytes> for Blobs {
    fn from_iter<I: IntoIterator<Item = Bytes>>(blobs: I) -> Self {
        Self(blobs.into_iter().map(|b| (Digest::of(&b), b)).collect())
    }
}

#[cfg(test)]
mod tests;
