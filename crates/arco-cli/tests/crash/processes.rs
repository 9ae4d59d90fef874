//! Processes that end with the test, whatever state they are in.

use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::Pid;

/// Far more than anything takes; what is slower is broken.
const PATIENCE: Duration = Duration::from_secs(60);
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// Looks until there is something, or panics with what was waited for.
#[track_caller]
pub(crate) fn eventually<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let start = now();
    while start.elapsed() < PATIENCE {
        if let Some(found) = look() {
            return found;
        }
        std::thread::sleep(LOOK_EVERY);
    }
    panic!("waited {PATIENCE:?} in vain for: {what}");
}

#[expect(
    clippy::disallowed_methods,
    reason = "tests of real processes wait in real time"
)]
pub(crate) fn now() -> Instant {
    Instant::now()
}

/// The machine's boot-time clock, which the journal is written by. Nanoseconds.
pub(crate) fn boottime_ns() -> u64 {
    let time = nix::time::ClockId::CLOCK_BOOTTIME.now().unwrap();
    u64::try_from(Duration::from(time).as_nanos()).unwrap()
}

/// A process and its group, killed when dropped.
#[derive(Debug)]
pub(crate) struct Process(Child);

impl Process {
    #[track_caller]
    pub(crate) fn spawn(command: &mut Command) -> Self {
        Self(command.process_group(0).spawn().unwrap())
    }

    pub(crate) fn pid(&self) -> Pid {
        Pid::from_raw(i32::try_from(self.0.id()).unwrap())
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill(self.pid(), signal).unwrap();
    }

    /// The process and all that came of it, parents first.
    pub(crate) fn tree(&self) -> Vec<Pid> {
        let mut tree = vec![self.pid()];
        let parents = parents();
        let mut at = 0;
        while let Some(parent) = tree.get(at).copied() {
            tree.extend(
                parents
                    .iter()
                    .filter(|(_, of)| *of == parent)
                    .map(|(pid, _)| *pid),
            );
            at += 1;
        }
        tree
    }

    /// kill -9, and waits for the end.
    pub(crate) fn kill(&mut self) {
        let _ = self.0.kill();
        self.0.wait().unwrap();
    }

    pub(crate) fn wait(&mut self) {
        eventually("the process ends", || self.0.try_wait().unwrap());
    }

    pub(crate) fn lives(&mut self) -> bool {
        self.0.try_wait().unwrap().is_none()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = killpg(self.pid(), Signal::SIGKILL);
        let _ = self.0.wait();
    }
}

/// Every process with its parent.
fn parents() -> Vec<(Pid, Pid)> {
    let stat = |entry: std::fs::DirEntry| {
        let pid: i32 = entry.file_name().to_str()?.parse().ok()?;
        let text = std::fs::read_to_string(entry.path().join("stat")).ok()?;
        let parent = text
            .rsplit(')')
            .next()?
            .split_whitespace()
            .nth(1)?
            .parse()
            .ok()?;
        Some((Pid::from_raw(pid), Pid::from_raw(parent)))
    };
    std::fs::read_dir("/proc")
        .unwrap()
        .filter_map(Result::ok)
        .filter_map(stat)
        .collect()
}

/// Signals all of them; those that are gone by now are fine.
pub(crate) fn signal_all(processes: &[Pid], signal: Signal) {
    for pid in processes {
        let _ = kill(*pid, signal);
    }
}
