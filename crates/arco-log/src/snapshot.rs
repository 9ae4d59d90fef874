//! Folded state after a segment, kept so that recovery need not start at the first one.
//!
//! A snapshot is a cache: the log can make it again. So nothing here is fatal. One that is missing,
//! damaged or of a fold version nobody knows is passed over with a warning, for an older one or for
//! the log itself. The object is a header line and the state's bytes in one zstd frame, and its name
//! carries the SHA-256 of both: replicas that fold the same log to the same state write the same
//! object, and a replica that folded differently shows.

use arco_core::Digest;
use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::error::LogError;
use crate::segment::{Head, compress, decompress};

const FORMAT: u32 = 1;
/// Uncompressed. Ten million partitions fold to about 300 MB; beyond 2 GiB something else is wrong,
/// and a damaged length must not ask for that much memory.
const MAX_STATE: usize = 2 << 30;

/// Names a snapshot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct SnapshotRef {
    /// The last segment it covers.
    pub segment: u64,
    /// SHA-256 of header line and state.
    pub digest: Digest,
}

/// What a snapshot is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SnapshotAt {
    /// The state is the one after all events of this segment.
    pub head: Head,
    /// Version of the fold that made it.
    pub fold: u32,
}

/// A snapshot as read.
#[derive(Debug, Clone)]
pub struct Snapshot {
    /// Its name.
    pub reference: SnapshotRef,
    /// The state is the one after all events of this segment.
    pub head: Head,
    /// Version of the fold that made it.
    pub fold: u32,
    /// The state, as the fold wrote it.
    pub state: Bytes,
}

/// A snapshot ready to be put.
#[derive(Debug, Clone)]
pub struct EncodedSnapshot {
    pub(crate) reference: SnapshotRef,
    pub(crate) bytes: Bytes,
}

impl EncodedSnapshot {
    /// Its name.
    #[must_use]
    pub fn reference(&self) -> SnapshotRef {
        self.reference
    }

    /// Bytes of the object.
    #[must_use]
    pub fn size(&self) -> usize {
        self.bytes.len()
    }
}

#[derive(Debug, Serialize, Deserialize)]
struct Header {
    format: u32,
    workspace: String,
    segment: u64,
    segment_digest: Digest,
    fold: u32,
    size: usize,
}

pub(crate) fn encode(
    workspace: &str,
    at: SnapshotAt,
    state: &[u8],
) -> Result<EncodedSnapshot, LogError> {
    if state.len() > MAX_STATE {
        return Err(LogError::invalid(
            format!(
                "the state takes {} bytes and a snapshot holds {MAX_STATE}",
                state.len()
            ),
            "split the workspace",
        ));
    }
    let header = Header {
        format: FORMAT,
        workspace: workspace.to_owned(),
        segment: at.head.segment,
        segment_digest: at.head.digest,
        fold: at.fold,
        size: state.len(),
    };
    let mut text = serde_json::to_vec(&header).expect("plain fields serialize");
    text.reserve(state.len() + 1);
    text.push(b'\n');
    text.extend_from_slice(state);
    Ok(EncodedSnapshot {
        reference: SnapshotRef {
            segment: at.head.segment,
            digest: Digest::of(&text),
        },
        bytes: compress(&text),
    })
}

pub(crate) fn decode(
    bytes: &[u8],
    workspace: &str,
    reference: SnapshotRef,
    object: &str,
) -> Result<Snapshot, LogError> {
    let corrupt = |problem: String| LogError::Corrupt {
        object: object.to_owned(),
        problem,
        mend: "delete it: an older snapshot and the log make up for it".into(),
    };
    let text = decompress(bytes, usize::MAX, MAX_STATE + 4096).map_err(corrupt)?;
    if Digest::of(&text) != reference.digest {
        return Err(corrupt("its content is not what its name says".into()));
    }
    let end = text
        .iter()
        .position(|byte| *byte == b'\n')
        .ok_or_else(|| corrupt("it has no header line".into()))?;
    let header: Header = serde_json::from_slice(&text[..end])
        .map_err(|e| corrupt(format!("its header line does not read: {e}")))?;
    let size = text.len() - end - 1;
    if header.format != FORMAT
        || header.workspace != workspace
        || header.segment != reference.segment
        || header.size != size
    {
        return Err(corrupt(format!(
            "it is format {} of segment {} of workspace `{}` with {} bytes",
            header.format, header.segment, header.workspace, header.size
        )));
    }
    Ok(Snapshot {
        reference,
        head: Head {
            segment: header.segment,
            digest: header.segment_digest,
        },
        fold: header.fold,
        state: Bytes::from(text).slice(end + 1..),
    })
}
