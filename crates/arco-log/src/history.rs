//! Rows that left memory: ended runs, old ticks, old evaluations, packed into objects that are
//! written once and read one row at a time.
//!
//! ```text
//!   zstd frame: rows … │ zstd frame: rows … │ … │ skippable frame( zstd( index ) )
//!   a row: <key length> <row length>\n<key><row>\n
//! ```
//!
//! A reader that has the [`HistoryRef`] (the state keeps it) gets the index with one ranged GET, keeps
//! it, and any row with one more. The frames stand in a row and the index hides in a frame that tools
//! skip, so `zstdcat` prints the rows. Everything in here can be made again from the log.

mod reader;
mod writer;

use serde::{Deserialize, Serialize};

pub use reader::HistoryReader;
pub use writer::{HistoryObject, HistoryWriter};

/// Uncompressed bytes after which a block of rows ends: what one look-up has to fetch and unpack. At
/// 64 KiB the text still compresses about as well as it will.
const BLOCK_TEXT: usize = 64 << 10;
/// A row larger than this belongs in a blob.
const MAX_ROW: usize = 16 << 20;
const FORMAT: u32 = 1;
/// zstd leaves sixteen magic numbers to frames that decoders skip; this is the last.
const SKIPPABLE: [u8; 4] = 0x184D_2A5F_u32.to_le_bytes();

/// Names a history object, and says where its index is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HistoryRef {
    /// What its rows are, `runs`.
    pub kind: String,
    /// Its name below `hist/`.
    pub name: String,
    /// Bytes of the object.
    pub size: u64,
    /// Where the index starts.
    pub index: u64,
    /// Rows.
    pub rows: u64,
    /// Least key, base64url.
    #[serde(with = "key_text")]
    pub first: Vec<u8>,
    /// Greatest key, base64url.
    #[serde(with = "key_text")]
    pub last: Vec<u8>,
}

impl HistoryRef {
    /// Whether `key` could be in it.
    #[must_use]
    pub fn spans(&self, key: &[u8]) -> bool {
        self.first.as_slice() <= key && key <= self.last.as_slice()
    }
}

#[derive(Debug, Serialize, Deserialize)]
struct Index {
    format: u32,
    kind: String,
    /// The last segment whose consequences are in here.
    through: u64,
    rows: u64,
    blocks: Vec<BlockEntry>,
}

#[derive(Debug, Serialize, Deserialize)]
struct BlockEntry {
    /// Least key in the block.
    #[serde(with = "key_text")]
    first: Vec<u8>,
    offset: u64,
    size: u64,
    rows: u64,
}

/// Keys are bytes; in JSON they are base64url without padding.
mod key_text {
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(key: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&URL_SAFE_NO_PAD.encode(key))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<u8>, D::Error> {
        let text = String::deserialize(from)?;
        URL_SAFE_NO_PAD
            .decode(text)
            .map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests;
