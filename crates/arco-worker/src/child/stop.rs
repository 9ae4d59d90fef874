//! Stopping a body: SIGTERM, which Python raises as an exception, then grace, then SIGKILL to the
//! whole process group.

use arco_wire::worker::{ErrorInfo, FailureClass, Outcome};
use nix::errno::Errno;
use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::Pid;

use super::memory;
use crate::clock::Boottime;

/// Why a body is stopped from outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stop {
    /// Somebody cancelled it.
    Cancel,
    /// The host is going away.
    Shutdown,
    /// At once and without a word: the attempt is not ours any more.
    Kill,
}

/// Why a body that runs is being stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reason {
    /// It used more memory than it may. Bytes.
    Memory {
        used: u64,
        limit: u64,
    },
    Told(Stop),
    /// It ran longer than so many milliseconds.
    Timeout(u64),
    /// It did not begin within so many milliseconds.
    NeverBegan(u64),
}

impl Reason {
    /// The outcome of an attempt stopped for this reason.
    pub(super) fn outcome(self) -> Option<Outcome> {
        let (class, kind, message) = match self {
            Self::Told(Stop::Kill) => return None,
            Self::Told(Stop::Cancel) => return Some(Outcome::Cancelled),
            Self::Told(Stop::Shutdown) => (
                FailureClass::WorkerLost,
                "WorkerStopped",
                "the worker host was stopped".into(),
            ),
            Self::Timeout(ms) => (
                FailureClass::Timeout,
                "Timeout",
                format!("the body ran longer than its limit of {ms} ms and was stopped"),
            ),
            Self::Memory { used, limit } => (
                FailureClass::OutOfMemory,
                "MemoryLimitExceeded",
                format!(
                    "the task used {} of memory, its limit is {}, and was killed; raise `memory_limit`, or work \
                     on less at a time",
                    memory::text(used),
                    memory::text(limit)
                ),
            ),
            Self::NeverBegan(ms) => (
                FailureClass::Infrastructure,
                "NeverBegan",
                format!("the process did not begin the task within {ms} ms and was killed"),
            ),
        };
        Some(failed(class, kind, message))
    }
}

pub(super) fn failed(class: FailureClass, kind: &str, message: String) -> Outcome {
    Outcome::Failed {
        class,
        error: ErrorInfo {
            kind: kind.into(),
            message,
            traceback: String::new(),
        },
        allow_retries: true,
        retry_after_ms: None,
        max_retries: None,
    }
}

/// A stop under way.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stopping {
    pub reason: Reason,
    /// When the process group is killed.
    pub kill_at: Boottime,
    pub killed: bool,
}

impl Stopping {
    /// The first step of the ladder.
    pub(super) fn begin(pid: i32, reason: Reason, grace_ms: u64, now: Boottime) -> Self {
        // What grows does not stop for a signal that its code may handle when it likes.
        let at_once = matches!(
            reason,
            Reason::Told(Stop::Kill) | Reason::NeverBegan(_) | Reason::Memory { .. }
        );
        let mut stopping = Self {
            reason,
            kill_at: now.plus_ms(grace_ms),
            killed: false,
        };
        if at_once {
            stopping.kill(pid);
        } else {
            // To the process alone: what it started is its own business until the grace is over.
            term(pid);
        }
        stopping
    }

    /// The last step.
    pub(super) fn kill(&mut self, pid: i32) {
        self.killed = true;
        signal_group(pid, Signal::SIGKILL);
    }
}

/// SIGTERM to one process, which Python raises as an exception.
pub(super) fn term(pid: i32) {
    let _ = kill(Pid::from_raw(pid), Signal::SIGTERM);
}

/// Signals the process group that `leader` leads. A group that is gone is what was wanted.
pub(crate) fn signal_group(leader: i32, signal: Signal) {
    match killpg(Pid::from_raw(leader), signal) {
        Ok(()) | Err(Errno::ESRCH) => {}
        Err(error) => tracing::warn!(leader, %signal, %error, "cannot signal a process group"),
    }
}
