//! Processes that never outlive us.
//!
//! Each child leads a process group of its own. The group is ended when its guard is dropped, and,
//! through one list of all live groups, when we are told to stop by SIGINT, SIGTERM or SIGHUP.

use std::io::Read;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitStatus};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Context, Result};
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;

use crate::timing::poll;

/// How long a program may take to end by itself: a server writes its last segment, a host ends its
/// children after their grace of five seconds.
const GRACE: Duration = Duration::from_secs(10);

static INTERRUPTED: AtomicBool = AtomicBool::new(false);
static LIVE_GROUPS: Mutex<Vec<Pid>> = Mutex::new(Vec::new());

/// From now on a signal that stops us first ends what we started.
pub(crate) fn end_children_on_signals() -> Result<()> {
    ctrlc::set_handler(|| {
        INTERRUPTED.store(true, Ordering::SeqCst);
        let groups = live_groups().clone();
        for group in &groups {
            // An error means that the group is gone.
            let _ = killpg(*group, Signal::SIGTERM);
        }
        poll(GRACE, Duration::from_millis(20), || {
            groups.iter().all(|group| !is_alive(*group)).then_some(())
        });
        for group in &groups {
            let _ = killpg(*group, Signal::SIGKILL);
        }
        std::process::exit(130);
    })
    .context("listen for signals")
}

/// Does not return when we were told to stop: what fails then, fails because its processes were
/// ended, and the signal handler is about to end us.
pub(crate) fn yield_to_signal() {
    while INTERRUPTED.load(Ordering::SeqCst) {
        std::thread::park();
    }
}

fn live_groups() -> std::sync::MutexGuard<'static, Vec<Pid>> {
    // The list is valid after any panic: it is only ever pushed to and filtered.
    LIVE_GROUPS
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
}

fn is_alive(group: Pid) -> bool {
    killpg(group, None).is_ok()
}

/// A child process and its group.
#[derive(Debug)]
pub(crate) struct ChildGuard {
    child: Child,
    group: Pid,
    text: String,
    grace: Duration,
}

impl ChildGuard {
    pub(crate) fn start(mut command: Command, text: &str) -> Result<Self> {
        // The list is held while the child starts, so that a signal cannot miss it.
        let mut groups = live_groups();
        let child = command
            .process_group(0)
            .spawn()
            .with_context(|| format!("start `{text}`"))?;
        let group = Pid::from_raw(i32::try_from(child.id()).context("process id")?);
        groups.push(group);
        Ok(Self {
            child,
            group,
            text: text.to_owned(),
            grace: GRACE,
        })
    }

    /// Process id.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// How it ended, when it has.
    pub(crate) fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().ok().flatten()
    }

    /// Waits for its end.
    pub(crate) fn wait(mut self) -> Result<ExitStatus> {
        self.child
            .wait()
            .with_context(|| format!("wait for `{}`", self.text))
    }

    /// Waits for its end and gives what it printed to a piped stdout.
    pub(crate) fn wait_with_stdout(mut self) -> Result<(ExitStatus, String)> {
        let mut out = String::new();
        if let Some(mut stdout) = self.child.stdout.take() {
            stdout
                .read_to_string(&mut out)
                .with_context(|| format!("read output of `{}`", self.text))?;
        }
        Ok((self.wait()?, out))
    }

    /// Asks it to end, waits, and gives how it ended; kills it when it does not.
    pub(crate) fn stop(&mut self) -> Option<ExitStatus> {
        let _ = killpg(self.group, Signal::SIGTERM);
        let status = poll(self.grace, Duration::from_millis(10), || self.ended());
        let _ = killpg(self.group, Signal::SIGKILL);
        status.or_else(|| self.child.wait().ok())
    }
}

impl Drop for ChildGuard {
    fn drop(&mut self) {
        self.stop();
        live_groups().retain(|group| *group != self.group);
    }
}

#[cfg(test)]
mod tests;
