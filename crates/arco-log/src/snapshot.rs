//! Folded state after a segment, kept so that recovery need not start at the first one.
//!
//! A snapshot is a cache: the log can make it again. So nothing here is fatal. One that is missing,
//! damaged or of a fold version nobody knows is passed over with a warning, for an older one or for
//! the log itself. The object is a header line and the state's bytes in one zstd frame, and its name
//! carries the SHA-256 of both: replicas that fold the same log to the same state write the same
//! object, and a replica that folded differently shows.

use std::io::{self, BufRead, BufReader, Read, Write};

use arco_core::Digest;
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use zstd::zstd_safe::CParameter;

use crate::error::LogError;
use crate::segment::Head;

/// 1 said how many bytes the state has, which a writer that streams does not know.
const FORMAT: u32 = 2;
const OLDEST_FORMAT: u32 = 1;
/// A header line is a few hundred bytes: what is longer is none.
const HEADER_MAX: u64 = 4_096;
/// What is unpacked at once.
const BUFFER: usize = 1 << 20;

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

/// A snapshot, of which the header line was read.
#[derive(Debug, Clone)]
pub struct Snapshot {
    /// Its name.
    pub reference: SnapshotRef,
    /// The state is the one after all events of this segment.
    pub head: Head,
    /// Version of the fold that made it.
    pub fold: u32,
    object: String,
    packed: Bytes,
}

impl Snapshot {
    /// Reads the state, as the fold wrote it, without ever holding all of its text. What `read` made of it is
    /// given back only if the whole is what the snapshot's name says.
    ///
    /// # Errors
    /// `Corrupt`.
    pub fn read<T>(&self, read: impl FnOnce(&mut dyn BufRead) -> T) -> Result<T, LogError> {
        let corrupt = |problem| corrupt(&self.object, problem);
        let mut hashing =
            Hashing::new(unpacker(&self.packed).map_err(|e| corrupt(unpacks_not(&e)))?);
        let made = {
            let mut text = BufReader::with_capacity(BUFFER, &mut hashing);
            text.read_until(b'\n', &mut Vec::new())
                .map_err(|e| corrupt(unpacks_not(&e)))?;
            let made = read(&mut text);
            io::copy(&mut text, &mut io::sink()).map_err(|e| corrupt(unpacks_not(&e)))?;
            made
        };
        if hashing.digest() != self.reference.digest {
            return Err(corrupt("its content is not what its name says".into()));
        }
        Ok(made)
    }
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
}

pub(crate) fn encode(
    workspace: &str,
    at: SnapshotAt,
    state: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> Result<EncodedSnapshot, LogError> {
    let header = Header {
        format: FORMAT,
        workspace: workspace.to_owned(),
        segment: at.head.segment,
        segment_digest: at.head.digest,
        fold: at.fold,
    };
    let pack = || {
        let mut packer = zstd::stream::write::Encoder::new(Vec::new(), 3)?;
        packer.set_parameter(CParameter::ChecksumFlag(true))?;
        let mut hashing = Hashing::new(packer);
        serde_json::to_writer(&mut hashing, &header)?;
        hashing.write_all(b"\n")?;
        let mut text = io::BufWriter::with_capacity(BUFFER, &mut hashing);
        state(&mut text)?;
        text.flush()?;
        drop(text);
        let digest = hashing.digest();
        Ok((digest, hashing.inner.finish()?))
    };
    let (digest, packed) = pack().map_err(|error: io::Error| {
        LogError::invalid(
            format!("the state could not be packed: {error}"),
            "the log is whole without it; report this",
        )
    })?;
    Ok(EncodedSnapshot {
        reference: SnapshotRef {
            segment: at.head.segment,
            digest,
        },
        bytes: packed.into(),
    })
}

/// Reads the header line alone.
pub(crate) fn open(
    packed: Bytes,
    workspace: &str,
    reference: SnapshotRef,
    object: &str,
) -> Result<Snapshot, LogError> {
    let corrupt = |problem| corrupt(object, problem);
    let unpacks_not = |error: io::Error| corrupt(unpacks_not(&error));
    let text = unpacker(&packed).map_err(unpacks_not)?;
    let mut line = Vec::new();
    BufReader::new(text.take(HEADER_MAX))
        .read_until(b'\n', &mut line)
        .map_err(unpacks_not)?;
    if line.pop() != Some(b'\n') {
        return Err(corrupt("it has no header line".into()));
    }
    let header: Header = serde_json::from_slice(&line)
        .map_err(|e| corrupt(format!("its header line does not read: {e}")))?;
    if !(OLDEST_FORMAT..=FORMAT).contains(&header.format)
        || header.workspace != workspace
        || header.segment != reference.segment
    {
        return Err(corrupt(format!(
            "it is format {} of segment {} of workspace `{}`",
            header.format, header.segment, header.workspace
        )));
    }
    Ok(Snapshot {
        reference,
        head: Head {
            segment: header.segment,
            digest: header.segment_digest,
        },
        fold: header.fold,
        object: object.to_owned(),
        packed,
    })
}

fn unpacker(packed: &[u8]) -> io::Result<zstd::stream::read::Decoder<'_, &[u8]>> {
    zstd::stream::read::Decoder::with_buffer(packed)
}

fn unpacks_not(error: &io::Error) -> String {
    format!("its zstd frame does not unpack: {error}")
}

fn corrupt(object: &str, problem: String) -> LogError {
    LogError::Corrupt {
        object: object.to_owned(),
        problem,
        mend: "delete it: an older snapshot and the log make up for it".into(),
    }
}

/// The SHA-256 of what goes through.
struct Hashing<I> {
    inner: I,
    hasher: Sha256,
}

impl<I> Hashing<I> {
    fn new(inner: I) -> Self {
        Self {
            inner,
            hasher: Sha256::new(),
        }
    }

    fn digest(&self) -> Digest {
        Digest::from_bytes(self.hasher.clone().finalize().into())
    }
}

impl<R: Read> Read for Hashing<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(into)?;
        self.hasher.update(&into[..read]);
        Ok(read)
    }
}

impl<W: Write> Write for Hashing<W> {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(text)?;
        self.hasher.update(&text[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}
