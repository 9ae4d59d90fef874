//! Cutting the chunks of a stream into lines, and knowing where the next line begins. Pure.

use bytes::Bytes;

use crate::limits::LINE_BYTES_MAX;

#[cfg(test)]
mod tests;

/// A byte of a stream.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    pub(super) chunk: u64,
    pub(super) offset: usize,
}

/// A chunk that is being cut.
#[derive(Debug)]
pub(super) struct Piece {
    chunk: u64,
    bytes: Bytes,
    taken: usize,
}

/// One line, without its end.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) text: String,
    /// It is longer than a line may be: the next one goes on with it.
    pub(super) continues: bool,
}

/// One stream, as far as it was read.
#[derive(Debug, Default)]
pub(super) struct Lines {
    /// Where the first byte stands that was not given in a line.
    start: Place,
    /// The bytes from there on, when the chunk they came in is used up.
    held: Vec<u8>,
}

impl Lines {
    /// From a place where a line begins.
    pub(super) fn from(start: Place) -> Self {
        Self {
            start,
            held: Vec::new(),
        }
    }

    /// Where to go on after a break.
    pub(super) fn start(&self) -> Place {
        self.start
    }

    /// Takes in the chunk that follows.
    pub(super) fn piece(&self, chunk: u64, bytes: Bytes) -> Piece {
        let taken = if chunk == self.start.chunk && self.held.is_empty() {
            self.start.offset.min(bytes.len())
        } else {
            0
        };
        Piece {
            chunk,
            bytes,
            taken,
        }
    }

    /// The next line of the chunk; `None` when it is used up.
    pub(super) fn next(&mut self, piece: &mut Piece) -> Option<Line> {
        let rest = &piece.bytes[piece.taken..];
        let room = LINE_BYTES_MAX - self.held.len();
        let window = &rest[..rest.len().min(room)];
        if let Some(end) = window.iter().position(|byte| *byte == b'\n') {
            let line = self.line(&window[..end], false);
            self.began(piece, end + 1);
            return Some(line);
        }
        if rest.len() >= room {
            let cut = char_boundary(rest, room);
            let line = self.line(&rest[..cut], true);
            self.began(piece, cut);
            return Some(line);
        }
        self.held.extend_from_slice(rest);
        piece.taken = piece.bytes.len();
        None
    }

    /// What is left of a stream that ends here, or goes on with another chunk than the next: a last
    /// line without an end.
    pub(super) fn rest(&mut self, next_chunk: u64) -> Option<Line> {
        self.start = Place {
            chunk: next_chunk,
            offset: 0,
        };
        (!self.held.is_empty()).then(|| self.line(&[], false))
    }

    fn line(&mut self, end: &[u8], continues: bool) -> Line {
        let mut bytes = std::mem::take(&mut self.held);
        bytes.extend_from_slice(end);
        if !continues && bytes.last() == Some(&b'\r') {
            bytes.pop();
        }
        let text = String::from_utf8_lossy(&bytes).into_owned();
        Line { text, continues }
    }

    /// A line begins after so many more bytes of the chunk.
    fn began(&mut self, piece: &mut Piece, bytes: usize) {
        piece.taken += bytes;
        self.start = if piece.taken == piece.bytes.len() {
            Place {
                chunk: piece.chunk + 1,
                offset: 0,
            }
        } else {
            Place {
                chunk: piece.chunk,
                offset: piece.taken,
            }
        };
    }
}

impl Piece {
    /// Whether nothing but the begin of an unfinished line may be left.
    pub(super) fn is_last_line(&self) -> bool {
        !self.bytes[self.taken..].contains(&b'\n')
    }
}

/// The last place up to `at` where no character is cut in two.
fn char_boundary(bytes: &[u8], at: usize) -> usize {
    let continues = |at: usize| bytes.get(at).is_some_and(|byte| byte & 0xC0 == 0x80);
    let back = (0..4).find(|back| at > *back && !continues(at - back));
    at - back.unwrap_or(0)
}
