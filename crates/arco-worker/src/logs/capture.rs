//! Reading the output of one attempt.

use std::io;
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use arco_core::AttemptId;
use tokio::net::unix::pipe::Receiver;
use tokio::sync::{Notify, watch};

use super::buffer::Buffer;
use super::{Stream, Uploads};
use crate::clock::{Boottime, wall_ms};
use crate::message::LogRecord;

const READ_BYTES: usize = 64 * 1024;
/// Processes a body left behind may hold its output open. So long after the body ended their
/// words still count as the task's; then the pipes are closed.
const AFTERWORD_MS_MAX: u64 = 5_000;

/// The captured output of one attempt.
#[derive(Debug)]
pub(crate) struct Capture {
    shared: Arc<Shared>,
    over: watch::Sender<bool>,
}

#[derive(Debug)]
struct Shared {
    attempt: AttemptId,
    token: String,
    uploads: Uploads,
    state: Mutex<State>,
    /// Something was pushed, or the last reader has ended.
    changed: Notify,
}

#[derive(Debug)]
struct State {
    buffers: [Buffer; 3],
    pipes_open: usize,
    body_open: bool,
    uploading: bool,
}

impl Capture {
    /// Begins to read. The descriptors are for the child: stdout, then stderr.
    pub(crate) fn begin(
        uploads: &Uploads,
        attempt: AttemptId,
        token: String,
    ) -> io::Result<(Self, [OwnedFd; 2])> {
        let limit = uploads.settings.log_bytes_max;
        let state = State {
            buffers: [
                Buffer::new(limit, notice_text),
                Buffer::new(limit, notice_text),
                Buffer::new(limit, notice_record),
            ],
            pipes_open: 2,
            body_open: true,
            uploading: false,
        };
        let shared = Arc::new(Shared {
            attempt,
            token,
            uploads: uploads.clone(),
            state: Mutex::new(state),
            changed: Notify::new(),
        });
        let (over, _) = watch::channel(false);
        let (out_reader, out) = io::pipe()?;
        let (err_reader, err) = io::pipe()?;
        for (stream, reader) in [(Stream::Stdout, out_reader), (Stream::Stderr, err_reader)] {
            let pipe = Receiver::from_owned_fd(OwnedFd::from(reader))?;
            let reading = read(shared.clone(), stream, pipe, over.subscribe());
            uploads.tasks.spawn(reading);
        }
        Ok((Self { shared, over }, [out.into(), err.into()]))
    }

    /// A record of `logging`.
    pub(crate) fn record(&self, record: &LogRecord) {
        let mut line = serde_json::to_vec(record).unwrap_or_default();
        line.push(b'\n');
        self.shared.push(Stream::Log, &line);
    }

    /// The last words on stderr, after giving the reader a moment to see them.
    pub(crate) async fn stderr_tail(&self, patience: Duration) -> String {
        let ended = async {
            loop {
                let changed = self.shared.changed.notified();
                if self.shared.state().pipes_open == 0 {
                    return;
                }
                changed.await;
            }
        };
        let _ = tokio::time::timeout(patience, ended).await;
        self.shared.state().buffers[Stream::Stderr as usize].tail()
    }
}

impl Drop for Capture {
    /// The body is over: what is left is read and uploaded without anyone waiting for it.
    fn drop(&mut self) {
        self.shared.state().body_open = false;
        self.shared.changed.notify_waiters();
        self.over.send_replace(true);
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn push(self: &Arc<Self>, stream: Stream, bytes: &[u8]) {
        let mut state = self.state();
        state.buffers[stream as usize].push(bytes, Boottime::now());
        // The uploader begins with the first byte: most tasks say nothing and need none.
        if !std::mem::replace(&mut state.uploading, true) {
            self.uploads.tasks.spawn(upload(self.clone()));
        }
        drop(state);
        self.changed.notify_waiters();
    }
}

/// Reads one pipe to its end.
async fn read(
    shared: Arc<Shared>,
    stream: Stream,
    pipe: Receiver,
    mut over: watch::Receiver<bool>,
) {
    let mut bytes = Vec::new();
    let afterword = async {
        let _ = over.wait_for(|over| *over).await;
        tokio::time::sleep(Duration::from_millis(AFTERWORD_MS_MAX)).await;
    };
    tokio::pin!(afterword);
    loop {
        bytes.clear();
        tokio::select! {
            // The next read allocates only when there is something to read.
            ready = pipe.readable() => {
                if ready.is_err() {
                    break;
                }
                bytes.reserve(READ_BYTES);
                match pipe.try_read_buf(&mut bytes) {
                    Ok(0) => break,
                    Ok(_) => shared.push(stream, &bytes),
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                    Err(_) => break,
                }
            }
            () = &mut afterword => break,
        }
    }
    shared.state().pipes_open -= 1;
    shared.changed.notify_waiters();
}

/// Uploads chunks as they fall due, until nothing more can come.
async fn upload(shared: Arc<Shared>) {
    let flush_ms = shared.uploads.settings.log_flush_ms;
    loop {
        let changed = shared.changed.notified();
        let now = Boottime::now();
        let mut due = None;
        let mut chunks = Vec::new();
        let ended = {
            let mut state = shared.state();
            let ended = state.pipes_open == 0 && !state.body_open;
            for stream in Stream::ALL {
                let buffer = &mut state.buffers[stream as usize];
                match buffer.due(flush_ms) {
                    Some(at) if ended || at <= now => {
                        chunks.extend(buffer.take(now).map(|chunk| (stream, chunk)));
                    }
                    Some(at) => due = Some(due.map_or(at, |known: Boottime| known.min(at))),
                    None => {}
                }
            }
            ended
        };
        if chunks.is_empty() {
            if ended {
                return;
            }
            match due {
                Some(at) => {
                    let _ = tokio::time::timeout(at.nap(now), changed).await;
                }
                None => changed.await,
            }
            continue;
        }
        for (stream, chunk) in chunks {
            shared
                .uploads
                .put(shared.attempt, &shared.token, stream, chunk)
                .await;
        }
    }
}

fn notice(limit: usize) -> String {
    format!("arco: output over {limit} bytes was dropped from here on")
}

fn notice_text(limit: usize) -> Vec<u8> {
    format!("\n[{}]\n", notice(limit)).into_bytes()
}

fn notice_record(limit: usize) -> Vec<u8> {
    let record = LogRecord {
        level: "WARNING".into(),
        message: notice(limit),
        logger: "arco".into(),
        t: i64::try_from(wall_ms()).unwrap_or(i64::MAX),
    };
    // The record before may have been cut in its middle.
    let mut line = b"\n".to_vec();
    line.extend(serde_json::to_vec(&record).unwrap_or_default());
    line.push(b'\n');
    line
}
