//! What the function of one evaluation printed and logged, oldest first.
//!
//! It goes with the answer and is stored with it, so it is small: 64 KiB, and a line that says what was
//! left out.

use std::io;
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::net::unix::pipe::Receiver;
use tokio::task::JoinSet;

use crate::message::LogRecord;

#[cfg(test)]
mod tests;

/// Bytes of all lines.
const LOG_BYTES_MAX: usize = 64 * 1024;
/// The last words of a process that died.
const TAIL_BYTES: usize = 4 * 1024;
const READ_BYTES: usize = 16 * 1024;

/// The log of one evaluation, while it is written.
#[derive(Debug)]
pub(super) struct Log {
    lines: Arc<Mutex<Lines>>,
    readers: JoinSet<()>,
}

/// Lines, bounded.
#[derive(Debug, Default)]
struct Lines {
    kept: Vec<String>,
    bytes: usize,
    left_out: usize,
    /// What came of stdout and stderr since the last end of a line.
    open: [Vec<u8>; 2],
    stderr: Vec<u8>,
}

impl Log {
    /// Begins to read. The descriptors are for the child: stdout, then stderr.
    pub(super) fn begin() -> io::Result<(Self, [OwnedFd; 2])> {
        let lines = Arc::new(Mutex::new(Lines::default()));
        let mut readers = JoinSet::new();
        let (out_reader, out) = io::pipe()?;
        let (err_reader, err) = io::pipe()?;
        for (stream, reader) in [out_reader, err_reader].into_iter().enumerate() {
            let pipe = Receiver::from_owned_fd(OwnedFd::from(reader))?;
            readers.spawn(read(lines.clone(), stream, pipe));
        }
        Ok((Self { lines, readers }, [out.into(), err.into()]))
    }

    /// A record of `logging`.
    pub(super) fn line(&self, record: &LogRecord) {
        lock(&self.lines).push(&format!(
            "{} {}: {}",
            record.level, record.logger, record.message
        ));
    }

    /// The lines, once both streams have ended or so much time has passed.
    pub(super) async fn take(mut self, patience: Duration) -> Vec<String> {
        self.wait(patience).await;
        std::mem::take(&mut *lock(&self.lines)).finish()
    }

    /// The last words on stderr, after giving the reader a moment to see them.
    pub(super) async fn stderr_tail(&mut self, patience: Duration) -> String {
        self.wait(patience).await;
        String::from_utf8_lossy(&lock(&self.lines).stderr).into_owned()
    }

    async fn wait(&mut self, patience: Duration) {
        let ended = async { while self.readers.join_next().await.is_some() {} };
        let _ = tokio::time::timeout(patience, ended).await;
    }
}

impl Lines {
    fn write(&mut self, stream: usize, bytes: &[u8]) {
        if stream == 1 {
            self.stderr.extend_from_slice(bytes);
            let over = self.stderr.len().saturating_sub(TAIL_BYTES);
            self.stderr.drain(..over);
        }
        let mut open = std::mem::take(&mut self.open[stream]);
        for part in bytes.split_inclusive(|byte| *byte == b'\n') {
            open.extend_from_slice(part);
            // A line without end must not grow for ever either.
            if open.last() == Some(&b'\n') || open.len() > LOG_BYTES_MAX {
                let text = String::from_utf8_lossy(&open);
                let text = text.trim_end_matches(['\n', '\r']).to_owned();
                self.push(&text);
                open.clear();
            }
        }
        self.open[stream] = open;
    }

    fn push(&mut self, text: &str) {
        for line in text.lines() {
            let room = LOG_BYTES_MAX - self.bytes;
            let mut end = room.min(line.len());
            while !line.is_char_boundary(end) {
                end -= 1;
            }
            self.left_out += line.len() - end;
            if end > 0 || (line.is_empty() && room > 0) {
                self.kept.push(line[..end].to_owned());
                // An end of line counts, so that empty ones are bounded too.
                self.bytes = (self.bytes + end + 1).min(LOG_BYTES_MAX);
            }
        }
    }

    fn finish(mut self) -> Vec<String> {
        for stream in 0..self.open.len() {
            let open = std::mem::take(&mut self.open[stream]);
            self.push(&String::from_utf8_lossy(&open));
        }
        if self.left_out > 0 {
            self.kept.push(format!(
                "arco: {} more bytes were left out; an evaluation keeps {} KiB of what it prints and logs",
                self.left_out,
                LOG_BYTES_MAX / 1024
            ));
        }
        self.kept
    }
}

fn lock(lines: &Mutex<Lines>) -> MutexGuard<'_, Lines> {
    lines.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Reads one pipe to its end. The function is never held up: what is over the limit is read too.
async fn read(lines: Arc<Mutex<Lines>>, stream: usize, pipe: Receiver) {
    let mut bytes = Vec::with_capacity(READ_BYTES);
    while pipe.readable().await.is_ok() {
        bytes.clear();
        match pipe.try_read_buf(&mut bytes) {
            Ok(0) => return,
            Ok(_) => lock(&lines).write(stream, &bytes),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(_) => return,
        }
    }
}
