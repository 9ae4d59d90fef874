//! One child process: it runs one task or one evaluation at a time and is told to leave when it has
//! served.
//!
//! A child has an actor that owns its control socket. The actor starts a body, listens to what it
//! says, stops it when it is cancelled or takes too long, and finds out why it died. All of this is
//! one loop, so a cancellation can never reach the task after the one it was meant for.

mod body;
mod evaluation;
mod evaluation_log;
mod memory;
mod stop;

use std::sync::Arc;
use std::time::Duration;

use arco_core::AttemptId;
use arco_wire::evaluation::{EvaluationAnswer, EvaluationQuestion};
use arco_wire::worker::{Fact, Isolation, Lease, Outcome};
use nix::sys::signal::Signal;
use tokio::net::UnixStream;
use tokio::sync::{mpsc, oneshot};

use crate::death::MemoryWitness;
use crate::frame::{self, FrameReader};
use crate::host::Wake;
use crate::logs::Uploads;
use crate::message::{Exit, ToChild};
use crate::settings::Settings;

pub(crate) use stop::{Stop, signal_group};

/// A child that was told to leave, or whose end we know of by its socket, gets this long.
const LEAVE_MS_MAX: u64 = 5_000;

/// Number of a child in the life of a host.
pub(crate) type ChildId = u64;

/// What a child can be told.
#[derive(Debug)]
pub(crate) enum Command {
    Run(Box<Lease>),
    Evaluate(Box<EvaluationQuestion>),
    Stop(Stop),
    Leave,
}

/// What a child tells.
#[derive(Debug)]
pub(crate) enum Event {
    /// Facts of the body that runs, in order.
    Facts(Vec<Fact>),
    /// The body is over. `None`: nobody wants to know how.
    Ended {
        outcome: Option<Outcome>,
        body: Duration,
        reusable: bool,
    },
    /// An evaluation is over. `None`: nobody wants to know how.
    Evaluated {
        answer: Option<Box<EvaluationAnswer>>,
        reusable: bool,
    },
    /// The process is gone.
    Gone,
}

/// What all children of a host share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub settings: Arc<Settings>,
    pub uploads: Uploads,
    pub memory: MemoryWitness,
    pub wakes: mpsc::Sender<Wake>,
}

/// The actor of one child.
#[derive(Debug)]
pub(crate) struct Child {
    pub id: ChildId,
    pub pid: i32,
    pub stream: UnixStream,
    pub commands: mpsc::Receiver<Command>,
    /// The zygote reaps the process and says how it ended.
    pub exited: oneshot::Receiver<Exit>,
    pub shared: Arc<Shared>,
}

/// What a child does after a body.
enum Next {
    Idle,
    Leaving,
    Gone,
}

/// How much a child has been used.
#[derive(Debug, Default)]
struct Wear {
    tasks: u32,
    /// Resident memory after the first task, when lazy imports are done.
    resident_bytes_first: Option<u64>,
}

impl Child {
    /// Serves until the process is gone.
    pub(crate) async fn run(mut self) {
        let mut reader = FrameReader::default();
        let mut wear = Wear::default();
        loop {
            let next = tokio::select! {
                _ = &mut self.exited => Next::Gone,
                command = self.commands.recv() => match command {
                    Some(Command::Run(lease)) => self.serve(*lease, &mut reader, &mut wear).await,
                    Some(Command::Evaluate(question)) => {
                        self.evaluate(*question, &mut reader, &mut wear).await
                    }
                    // The body it was meant for has ended.
                    Some(Command::Stop(Stop::Cancel | Stop::Shutdown)) => Next::Idle,
                    Some(Command::Stop(Stop::Kill)) => {
                        signal_group(self.pid, Signal::SIGKILL);
                        Next::Leaving
                    }
                    Some(Command::Leave) | None => {
                        let _ = frame::send(&self.stream, &ToChild::Exit, &[]).await;
                        Next::Leaving
                    }
                },
            };
            match next {
                Next::Idle => {}
                Next::Leaving => {
                    self.see_off().await;
                    break;
                }
                Next::Gone => break,
            }
        }
        self.tell(Event::Gone).await;
    }

    async fn serve(&mut self, lease: Lease, reader: &mut FrameReader, wear: &mut Wear) -> Next {
        let isolation = lease.isolation;
        let ended = self.execute(lease, reader).await;
        wear.tasks += 1;
        let reusable =
            ended.alive && !ended.stopped && isolation == Isolation::Reuse && !self.worn(wear);
        if ended.alive && !reusable && isolation == Isolation::Reuse {
            let _ = frame::send(&self.stream, &ToChild::Exit, &[]).await;
        }
        let next = match (ended.alive, reusable) {
            (false, _) => Next::Gone,
            (true, false) => Next::Leaving,
            (true, true) => Next::Idle,
        };
        self.tell(Event::Ended {
            outcome: ended.outcome,
            body: ended.body,
            reusable,
        })
        .await;
        next
    }

    /// Has the child served its time, or grown too much?
    fn worn(&self, wear: &mut Wear) -> bool {
        let settings = &self.shared.settings;
        if wear.tasks >= settings.tasks_per_child_max {
            return true;
        }
        let Some(now) = memory::resident_bytes(self.pid) else {
            return false;
        };
        let first = *wear.resident_bytes_first.get_or_insert(now);
        now.saturating_sub(first) > settings.child_growth_bytes_max
    }

    /// Waits for the process to end, and sees to it that it does.
    async fn see_off(&mut self) {
        let patience = Duration::from_millis(LEAVE_MS_MAX);
        if tokio::time::timeout(patience, &mut self.exited)
            .await
            .is_err()
        {
            signal_group(self.pid, Signal::SIGKILL);
            let _ = (&mut self.exited).await;
        }
    }

    async fn tell(&self, event: Event) {
        let _ = self.shared.wakes.send(Wake::Child(self.id, event)).await;
    }
}

/// How a body ended.
struct Ended {
    outcome: Option<Outcome>,
    body: Duration,
    /// The process is still there.
    alive: bool,
    /// It was stopped by us: a child that was interrupted is not trusted with another task.
    stopped: bool,
}

/// What a lease looks like to Python: without its token, which only the host needs.
fn without_token(lease: Lease) -> (AttemptId, String, Lease) {
    let token = lease.token.clone();
    (
        lease.attempt,
        token,
        Lease {
            token: String::new(),
            ..lease
        },
    )
}
