//! What Python prints while it loads user code: to the host's log, the last of it kept for people
//! when the interpreter ends without a word on the socket (a missing package, a broken interpreter).

use std::io::{self, PipeReader, PipeWriter};
use std::os::fd::OwnedFd;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::net::unix::pipe::Receiver;

const LINES_KEPT: usize = 40;
const LINE_BYTES_MAX: usize = 4 * 1024;

#[derive(Debug, Clone)]
pub(crate) struct Output {
    lines: Arc<Mutex<Vec<String>>>,
    ended: Arc<(Mutex<bool>, Condvar)>,
    pipe: Arc<Mutex<Option<PipeReader>>>,
}

impl Output {
    /// A pipe; its write end is for the process.
    pub(super) fn open() -> io::Result<(Self, PipeWriter)> {
        let (reader, writer) = io::pipe()?;
        let pipe = Arc::new(Mutex::new(Some(reader)));
        Ok((
            Self {
                lines: Arc::default(),
                ended: Arc::default(),
                pipe,
            },
            writer,
        ))
    }

    /// The last lines.
    pub(crate) fn tail(&self) -> String {
        self.lines
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .join("\n")
    }

    /// Blocks until everything has been read, at most so long. Not for a thread of the runtime.
    pub(super) fn wait_for_end(&self, at_most: Duration) {
        let (ended, changed) = &*self.ended;
        let guard = ended.lock().unwrap_or_else(PoisonError::into_inner);
        drop(changed.wait_timeout_while(guard, at_most, |ended| !*ended));
    }

    pub(super) async fn pump(self, location: String) {
        self.read(location).await;
        let (ended, changed) = &*self.ended;
        *ended.lock().unwrap_or_else(PoisonError::into_inner) = true;
        changed.notify_all();
    }

    async fn read(&self, location: String) {
        let reader = self
            .pipe
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        let Some(Ok(pipe)) = reader.map(|reader| Receiver::from_owned_fd(OwnedFd::from(reader)))
        else {
            return;
        };
        let mut bytes = Vec::new();
        let mut pipe = BufReader::new(pipe);
        while pipe
            .read_until(b'\n', &mut bytes)
            .await
            .is_ok_and(|count| count > 0)
        {
            bytes.truncate(LINE_BYTES_MAX);
            let line = String::from_utf8_lossy(&bytes).trim_end().to_owned();
            tracing::info!(target: "arco_worker::python", location, "{line}");
            let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
            if lines.len() == LINES_KEPT {
                lines.remove(0);
            }
            lines.push(line);
            bytes.clear();
        }
    }
}
