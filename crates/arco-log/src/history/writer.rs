//! Packing rows.

use arco_core::Digest;
use bytes::Bytes;

use super::{BLOCK_TEXT, BlockEntry, FORMAT, HistoryRef, Index, MAX_ROW, SKIPPABLE};
use crate::error::LogError;
use crate::segment::compress;

/// Packs rows in key order.
#[derive(Debug)]
pub struct HistoryWriter {
    kind: String,
    through: u64,
    object: Vec<u8>,
    blocks: Vec<BlockEntry>,
    block: Vec<u8>,
    block_first: Vec<u8>,
    block_rows: u64,
    rows: u64,
    first: Vec<u8>,
    last: Vec<u8>,
}

/// A history object ready to be put.
#[derive(Debug, Clone)]
pub struct HistoryObject {
    pub(crate) reference: HistoryRef,
    pub(crate) bytes: Bytes,
}

impl HistoryObject {
    /// How the state will name it. The same rows through the same segment give the same name, so a
    /// writer that was interrupted may do it again.
    #[must_use]
    pub fn reference(&self) -> &HistoryRef {
        &self.reference
    }

    /// The object's bytes.
    #[must_use]
    pub fn bytes(&self) -> &Bytes {
        &self.bytes
    }
}

impl HistoryWriter {
    /// A writer of `kind` rows, with what happened through segment `through` in them.
    #[must_use]
    pub fn new(kind: &str, through: u64) -> Self {
        Self {
            kind: kind.to_owned(),
            through,
            object: Vec::new(),
            blocks: Vec::new(),
            block: Vec::new(),
            block_first: Vec::new(),
            block_rows: 0,
            rows: 0,
            first: Vec::new(),
            last: Vec::new(),
        }
    }

    /// Adds a row. Keys ascend.
    ///
    /// # Errors
    /// `Invalid` when `key` does not come after the last one, or the row is over 16 MiB.
    pub fn push(&mut self, key: &[u8], row: &[u8]) -> Result<(), LogError> {
        if self.rows > 0 && key <= self.last.as_slice() {
            return Err(LogError::invalid(
                format!(
                    "history of {}: row {} does not ascend",
                    self.kind, self.rows
                ),
                "sort the rows by key, one row a key",
            ));
        }
        if row.len() + key.len() > MAX_ROW {
            return Err(LogError::invalid(
                format!(
                    "history of {}: row {} has {} bytes",
                    self.kind,
                    self.rows,
                    row.len()
                ),
                "put large content into blobs",
            ));
        }
        if self.block_rows == 0 {
            self.block_first = key.to_vec();
        }
        if self.rows == 0 {
            self.first = key.to_vec();
        }
        self.block
            .extend_from_slice(format!("{} {}\n", key.len(), row.len()).as_bytes());
        self.block.extend_from_slice(key);
        self.block.extend_from_slice(row);
        self.block.push(b'\n');
        self.block_rows += 1;
        self.rows += 1;
        self.last.clear();
        self.last.extend_from_slice(key);
        if self.block.len() >= BLOCK_TEXT {
            self.end_block();
        }
        Ok(())
    }

    fn end_block(&mut self) {
        let frame = compress(&self.block);
        self.blocks.push(BlockEntry {
            first: std::mem::take(&mut self.block_first),
            offset: self.object.len() as u64,
            size: frame.len() as u64,
            rows: std::mem::take(&mut self.block_rows),
        });
        self.object.extend_from_slice(&frame);
        self.block.clear();
    }

    /// The object; `None` when there are no rows.
    #[must_use]
    pub fn finish(mut self) -> Option<HistoryObject> {
        if self.rows == 0 {
            return None;
        }
        if self.block_rows > 0 {
            self.end_block();
        }
        let index = self.object.len() as u64;
        let text = serde_json::to_vec(&Index {
            format: FORMAT,
            kind: self.kind.clone(),
            through: self.through,
            rows: self.rows,
            blocks: self.blocks,
        })
        .expect("plain fields serialize");
        let packed = compress(&text);
        let len = u32::try_from(packed.len())
            .expect("an index entry is 100 bytes for 64 KiB of rows, and rows fit in memory");
        self.object.extend_from_slice(&SKIPPABLE);
        self.object.extend_from_slice(&len.to_le_bytes());
        self.object.extend_from_slice(&packed);
        let name = format!(
            "{}/{:020}-{}",
            self.kind,
            self.through,
            // The keys' order and number are in the text, the rows in the frames' checksums and
            // sizes; the object's digest covers both.
            Digest::of(&self.object)
        );
        Some(HistoryObject {
            reference: HistoryRef {
                kind: self.kind,
                name,
                size: self.object.len() as u64,
                index,
                rows: self.rows,
                first: self.first,
                last: self.last,
            },
            bytes: Bytes::from(self.object),
        })
    }
}
