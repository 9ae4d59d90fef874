//! What one stream of one attempt has said and nobody has uploaded yet. Pure: bytes and times in,
//! chunks out.

use bytes::{Bytes, BytesMut};

use crate::clock::Boottime;

#[cfg(test)]
mod tests;

/// The control plane takes no larger chunk.
pub(crate) const CHUNK_BYTES_MAX: usize = 1024 * 1024;
/// A chunk of this size goes at once; smaller ones wait for more until the flush time.
const CHUNK_BYTES_GOOD: usize = 256 * 1024;
/// The end of a stream kept for the error of a crash.
const TAIL_BYTES: usize = 4 * 1024;

/// One stream.
#[derive(Debug)]
pub(crate) struct Buffer {
    waiting: BytesMut,
    oldest: Option<Boottime>,
    tail: Vec<u8>,
    accepted: usize,
    bytes_max: usize,
    truncated: bool,
    next_chunk: u32,
    notice: fn(usize) -> Vec<u8>,
}

impl Buffer {
    /// Keeps at most `bytes_max`; `notice` words the line that says the rest was dropped.
    pub(crate) fn new(bytes_max: usize, notice: fn(usize) -> Vec<u8>) -> Self {
        Self {
            waiting: BytesMut::new(),
            oldest: None,
            tail: Vec::new(),
            accepted: 0,
            bytes_max,
            truncated: false,
            next_chunk: 0,
            notice,
        }
    }

    pub(crate) fn push(&mut self, bytes: &[u8], now: Boottime) {
        self.remember(bytes);
        let room = self.bytes_max - self.accepted;
        let kept = &bytes[..bytes.len().min(room)];
        self.accepted += kept.len();
        self.waiting.extend_from_slice(kept);
        if kept.len() < bytes.len() && !self.truncated {
            self.truncated = true;
            self.waiting
                .extend_from_slice(&(self.notice)(self.bytes_max));
        }
        if !self.waiting.is_empty() {
            self.oldest.get_or_insert(now);
        }
    }

    /// When the next chunk should go; `None` while nothing waits.
    pub(crate) fn due(&self, flush_ms: u64) -> Option<Boottime> {
        let oldest = self.oldest?;
        let full = self.waiting.len() >= CHUNK_BYTES_GOOD;
        Some(if full {
            oldest
        } else {
            oldest.plus_ms(flush_ms)
        })
    }

    /// Takes the next chunk and its number.
    pub(crate) fn take(&mut self, now: Boottime) -> Option<(u32, Bytes)> {
        if self.waiting.is_empty() {
            return None;
        }
        let size = self.waiting.len().min(CHUNK_BYTES_MAX);
        let chunk = self.waiting.split_to(size).freeze();
        self.oldest = (!self.waiting.is_empty()).then_some(now);
        let number = self.next_chunk;
        self.next_chunk += 1;
        Some((number, chunk))
    }

    /// The last lines said, dropped or not.
    pub(crate) fn tail(&self) -> String {
        String::from_utf8_lossy(&self.tail).trim().to_owned()
    }

    fn remember(&mut self, bytes: &[u8]) {
        self.tail
            .extend_from_slice(&bytes[bytes.len().saturating_sub(TAIL_BYTES)..]);
        let excess = self.tail.len().saturating_sub(TAIL_BYTES);
        self.tail.drain(..excess);
    }
}
