//! Finding rows.

use std::ops::Bound;
use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::OnceCell;

use super::{BLOCK_TEXT, BlockEntry, FORMAT, HistoryRef, Index, MAX_ROW, SKIPPABLE};
use crate::error::LogError;
use crate::paths::WorkspacePaths;
use crate::segment::decompress;
use crate::store::LogStore;

/// Uncompressed: some three million blocks, or 200 GB of rows.
const MAX_INDEX: usize = 256 << 20;

/// Reads rows of one history object. Keeps its index once it has read it; clones share that.
#[derive(Debug, Clone)]
pub struct HistoryReader {
    store: LogStore,
    path: object_store::path::Path,
    reference: Arc<HistoryRef>,
    index: Arc<OnceCell<Index>>,
}

type Row = (Bytes, Bytes);

impl HistoryReader {
    pub(crate) fn new(store: LogStore, paths: &WorkspacePaths, reference: HistoryRef) -> Self {
        Self {
            store,
            path: paths.history(&reference.name),
            reference: Arc::new(reference),
            index: Arc::default(),
        }
    }

    /// What it reads.
    #[must_use]
    pub fn reference(&self) -> &HistoryRef {
        &self.reference
    }

    /// The row of `key`.
    ///
    /// # Errors
    /// `Corrupt` when the object is missing or damaged; it can be made again from the log.
    pub async fn get(&self, key: &[u8]) -> Result<Option<Bytes>, LogError> {
        if !self.reference.spans(key) {
            return Ok(None);
        }
        let index = self.index().await?;
        let after = index.blocks.partition_point(|b| b.first.as_slice() <= key);
        let Some(block) = after.checked_sub(1).and_then(|i| index.blocks.get(i)) else {
            return Ok(None);
        };
        let rows = self.rows(block).await?;
        let found = rows.binary_search_by(|(k, _)| k.as_ref().cmp(key)).ok();
        Ok(found.map(|i| rows[i].1.clone()))
    }

    /// Up to `limit` rows from `from` on, in key order.
    ///
    /// # Errors
    /// As [`Self::get`].
    pub async fn scan(&self, from: Bound<&[u8]>, limit: usize) -> Result<Vec<Row>, LogError> {
        let index = self.index().await?;
        let start = match from {
            Bound::Unbounded => 0,
            Bound::Included(key) | Bound::Excluded(key) => index
                .blocks
                .partition_point(|b| b.first.as_slice() <= key)
                .saturating_sub(1),
        };
        let mut found = Vec::new();
        for block in index.blocks.iter().skip(start) {
            if found.len() >= limit {
                break;
            }
            let rows = self.rows(block).await?;
            let wanted = rows.into_iter().filter(|(key, _)| match from {
                Bound::Unbounded => true,
                Bound::Included(least) => key.as_ref() >= least,
                Bound::Excluded(least) => key.as_ref() > least,
            });
            found.extend(wanted.take(limit - found.len()));
        }
        Ok(found)
    }

    /// Up to `limit` rows from `from` back, greatest key first.
    ///
    /// # Errors
    /// As [`Self::get`].
    pub async fn scan_back(&self, from: Bound<&[u8]>, limit: usize) -> Result<Vec<Row>, LogError> {
        let index = self.index().await?;
        let end = match from {
            Bound::Unbounded => index.blocks.len(),
            Bound::Included(key) | Bound::Excluded(key) => {
                index.blocks.partition_point(|b| b.first.as_slice() <= key)
            }
        };
        let mut found = Vec::new();
        for block in index.blocks[..end].iter().rev() {
            if found.len() >= limit {
                break;
            }
            let rows = self.rows(block).await?;
            let wanted = rows.into_iter().rev().filter(|(key, _)| match from {
                Bound::Unbounded => true,
                Bound::Included(greatest) => key.as_ref() <= greatest,
                Bound::Excluded(greatest) => key.as_ref() < greatest,
            });
            found.extend(wanted.take(limit - found.len()));
        }
        Ok(found)
    }

    async fn index(&self) -> Result<&Index, LogError> {
        self.index.get_or_try_init(|| self.read_index()).await
    }

    async fn read_index(&self) -> Result<Index, LogError> {
        let at = &self.reference;
        let bytes = self
            .range(at.index, at.size.saturating_sub(at.index))
            .await?;
        let packed = bytes
            .strip_prefix(SKIPPABLE.as_slice())
            .and_then(|rest| rest.split_first_chunk::<4>())
            .filter(|(len, rest)| u32::from_le_bytes(**len) as usize == rest.len())
            .map(|(_, rest)| rest)
            .ok_or_else(|| self.corrupt("its index is not where it should be"))?;
        let text = decompress(packed, usize::MAX, MAX_INDEX).map_err(|e| self.corrupt(e))?;
        let index: Index = serde_json::from_slice(&text)
            .map_err(|e| self.corrupt(format!("its index does not read: {e}")))?;
        if index.format != FORMAT || index.kind != at.kind || index.rows != at.rows {
            return Err(self.corrupt(format!(
                "it is format {} with {} rows of {}",
                index.format, index.rows, index.kind
            )));
        }
        Ok(index)
    }

    async fn rows(&self, block: &BlockEntry) -> Result<Vec<Row>, LogError> {
        let bytes = self.range(block.offset, block.size).await?;
        let text = decompress(&bytes, usize::MAX, BLOCK_TEXT + MAX_ROW + 64)
            .map_err(|e| self.corrupt(e))?;
        split_rows(&Bytes::from(text))
            .filter(|rows| rows.len() as u64 == block.rows)
            .ok_or_else(|| self.corrupt(format!("its block at {} does not read", block.offset)))
    }

    async fn range(&self, offset: u64, size: u64) -> Result<Bytes, LogError> {
        let range = offset..offset.saturating_add(size);
        let found = self.store.get_range(&self.path, range).await?;
        found.ok_or_else(|| self.corrupt("it is missing"))
    }

    fn corrupt(&self, problem: impl Into<String>) -> LogError {
        LogError::Corrupt {
            object: self.path.to_string(),
            problem: problem.into(),
            mend: "it can be made again from the log".into(),
        }
    }
}

fn split_rows(text: &Bytes) -> Option<Vec<Row>> {
    let mut rows = Vec::new();
    let mut at = 0;
    while at < text.len() {
        let end = at + text[at..].iter().position(|byte| *byte == b'\n')?;
        let (key, row) = std::str::from_utf8(&text[at..end]).ok()?.split_once(' ')?;
        let (key, row): (usize, usize) = (key.parse().ok()?, row.parse().ok()?);
        let start = end + 1;
        let (middle, after) = (
            start.checked_add(key)?,
            start.checked_add(key)?.checked_add(row)?,
        );
        if *text.get(after)? != b'\n' {
            return None;
        }
        rows.push((text.slice(start..middle), text.slice(middle..after)));
        at = after + 1;
    }
    Some(rows)
}
