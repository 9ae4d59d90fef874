//! The zygote seen from the host: a process, a socket, and what was loaded.
//!
//! ```text
//! thread `arco-zygote`      spawns the process, waits for its end     (owns it)
//! task   reader             frames from the socket  ──► host's inbox
//! task   writer             queue of frames         ──► socket
//! task   tee                its stdout and stderr   ──► tracing, last lines kept
//! ```

mod output;
mod process;

use std::collections::HashSet;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;

use arco_wire::worker::Isolation;
use nix::sys::signal::Signal;
use tokio::net::UnixStream;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::child::ChildId;
use crate::clock::Boottime;
use crate::frame::{self, FrameReader};
use crate::host::Wake;
use crate::message::{FromZygote, Loaded, ToZygote};
use crate::settings::Settings;

pub(crate) use output::Output;

/// Frames waiting for the zygote. It handles one in milliseconds; so many waiting mean that it is
/// stopped or stuck, and then it is replaced.
const QUEUE_MAX: usize = 1_024;

/// Number of a zygote in the life of a host.
pub(crate) type ZygoteId = u64;

/// What a zygote tells.
#[derive(Debug)]
pub(crate) enum Event {
    Said(FromZygote),
    /// The process has ended, like this.
    Gone(String),
}

/// One zygote.
#[derive(Debug)]
pub(crate) struct Zygote {
    pub id: ZygoteId,
    pub started: Boottime,
    /// Present once user code is loaded.
    pub loaded: Option<Arc<Loaded>>,
    /// The dead-man switch is set: children may get tasks.
    pub armed: bool,
    pub children: HashSet<ChildId>,
    pub output: Output,
    pub draining: bool,
    pid: i32,
    frames: mpsc::Sender<(ToZygote, Option<OwnedFd>)>,
    _tasks: JoinSet<()>,
}

impl Zygote {
    /// Starts the process; it tells `wakes` when user code is loaded.
    pub(crate) async fn start(
        id: ZygoteId,
        settings: &Settings,
        wakes: &mpsc::Sender<Wake>,
    ) -> io::Result<Self> {
        let (stream, theirs) = frame::pair()?;
        let (output, writer) = Output::open()?;
        let told = output.clone();
        let pid = process::start(id, settings, theirs, writer, told, wakes.clone()).await?;
        let stream = Arc::new(stream);
        let (frames, queue) = mpsc::channel(QUEUE_MAX);
        let mut tasks = JoinSet::new();
        tasks.spawn(read(id, stream.clone(), wakes.clone()));
        tasks.spawn(write(stream, queue));
        tasks.spawn(output.clone().pump(settings.location.clone()));
        Ok(Self {
            id,
            started: Boottime::now(),
            loaded: None,
            armed: false,
            children: HashSet::new(),
            output,
            draining: false,
            pid,
            frames,
            _tasks: tasks,
        })
    }

    /// Asks for a child; `control` is its end of the control socket.
    pub(crate) fn fork(&mut self, child: ChildId, mode: Isolation, control: OwnedFd) {
        self.children.insert(child);
        self.send(ToZygote::Fork { child, mode }, Some(control));
    }

    /// Moves the dead-man switch, `None` disarms it.
    pub(crate) fn renew(&mut self, deadline: Option<Boottime>) {
        self.armed &= deadline.is_some();
        let deadline_boottime_ns = deadline.map_or(0, Boottime::as_ns);
        self.send(
            ToZygote::Renew {
                deadline_boottime_ns,
            },
            None,
        );
    }

    /// Asks the process to end; it kills its children.
    pub(crate) fn shut_down(&mut self) {
        self.draining = true;
        self.send(ToZygote::Shutdown, None);
    }

    /// Whether children may be forked.
    pub(crate) fn fork_safe(&self) -> bool {
        self.loaded.as_ref().is_some_and(|loaded| loaded.fork_safe)
    }

    fn send(&self, message: ToZygote, descriptor: Option<OwnedFd>) {
        if let Err(mpsc::error::TrySendError::Full(_)) = self.frames.try_send((message, descriptor))
        {
            tracing::error!(
                zygote = self.pid,
                "the zygote does not listen and is killed"
            );
            crate::child::signal_group(self.pid, Signal::SIGKILL);
        }
    }
}

async fn read(id: ZygoteId, stream: Arc<UnixStream>, wakes: mpsc::Sender<Wake>) {
    let mut reader = FrameReader::default();
    loop {
        let said = match reader.next(&stream).await {
            Ok(Some(frame)) => serde_json::from_slice::<FromZygote>(&frame),
            // Its end is told by the thread that waits for it.
            Ok(None) | Err(_) => return,
        };
        match said {
            Ok(said) => {
                if wakes
                    .send(Wake::Zygote(id, Event::Said(said)))
                    .await
                    .is_err()
                {
                    return;
                }
            }
            Err(error) => tracing::error!(%error, "a frame from the zygote makes no sense"),
        }
    }
}

async fn write(stream: Arc<UnixStream>, mut queue: mpsc::Receiver<(ToZygote, Option<OwnedFd>)>) {
    while let Some((message, descriptor)) = queue.recv().await {
        let fds: Vec<_> = descriptor.iter().map(AsFd::as_fd).collect();
        if frame::send(&stream, &message, &fds).await.is_err() {
            return;
        }
    }
}
