//! Why a process died, in words a person can act on.
//!
//! The kernel's out-of-memory killer leaves no message, only a SIGKILL nobody owns up to. It does
//! count, though: per cgroup and for the machine. A SIGKILL that was not ours while the count rose
//! is called out of memory; without that evidence it is a crash by SIGKILL, and nothing is guessed.

use std::path::{Path, PathBuf};
use std::sync::Mutex;

use arco_wire::worker::{ErrorInfo, FailureClass};
use nix::sys::signal::Signal;

use crate::message::Exit;

#[cfg(test)]
mod tests;

/// Files that count kills for memory, and the word before the count.
#[derive(Debug)]
pub(crate) struct MemoryWitness {
    sources: Vec<(PathBuf, &'static str)>,
    seen: Mutex<Vec<Option<u64>>>,
}

impl MemoryWitness {
    /// Counts from here on, for the cgroup this process is in.
    pub(crate) fn new() -> Self {
        let cgroup = std::fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
        Self::over(sources(&cgroup))
    }

    fn over(sources: Vec<(PathBuf, &'static str)>) -> Self {
        let seen = Mutex::new(read_all(&sources));
        Self { sources, seen }
    }

    /// Where a kill for memory was counted since the last call.
    pub(crate) fn testimony(&self) -> Option<String> {
        let now = read_all(&self.sources);
        let mut seen = self
            .seen
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        let risen = self
            .sources
            .iter()
            .zip(seen.iter().zip(&now))
            .find(|(_, (before, after))| after > before)
            .map(|((path, word), _)| format!("{word} rose in {}", path.display()));
        *seen = now;
        risen
    }
}

fn sources(cgroup: &str) -> Vec<(PathBuf, &'static str)> {
    let mut found = Vec::new();
    for line in cgroup.lines() {
        let mut parts = line.splitn(3, ':').skip(1);
        let (Some(controllers), Some(path)) = (parts.next(), parts.next()) else {
            continue;
        };
        let path = path.trim_start_matches('/');
        if controllers.is_empty() {
            found.push((
                Path::new("/sys/fs/cgroup").join(path).join("memory.events"),
                "oom_kill",
            ));
        } else if controllers.split(',').any(|name| name == "memory") {
            let folder = Path::new("/sys/fs/cgroup/memory").join(path);
            found.push((folder.join("memory.oom_control"), "oom_kill"));
        }
    }
    found.push(("/proc/vmstat".into(), "oom_kill"));
    found
}

fn read_all(sources: &[(PathBuf, &'static str)]) -> Vec<Option<u64>> {
    let count = |(path, word): &(PathBuf, &str)| {
        let text = std::fs::read_to_string(path).ok()?;
        let line = text
            .lines()
            .find_map(|line| line.strip_prefix(word)?.strip_prefix(' '))?;
        line.trim().parse().ok()
    };
    sources.iter().map(count).collect()
}

/// The failure of an attempt whose process ended before its body did.
pub(crate) fn explain(
    exit: &Exit,
    memory: &MemoryWitness,
    stderr_tail: String,
) -> (FailureClass, ErrorInfo) {
    let peak = match exit.maxrss_kb {
        0 => String::new(),
        kb => format!("; it had used {} MB at most", kb / 1024),
    };
    let (class, kind, message) = match (exit.signal, exit.code) {
        (Some(signal), _) if signal == Signal::SIGKILL as i32 && exit.with_zygote.is_none() => {
            match memory.testimony() {
                Some(evidence) => (
                    FailureClass::OutOfMemory,
                    "OutOfMemory",
                    format!("the kernel killed the process for memory ({evidence}){peak}"),
                ),
                None => (
                    FailureClass::Crashed,
                    "ProcessKilled",
                    format!("the process was killed by SIGKILL, not by the worker host{peak}"),
                ),
            }
        }
        _ if exit.with_zygote.is_some() => (
            FailureClass::Infrastructure,
            "ZygoteDied",
            format!(
                "the process went down with the zygote of its code location, which {}",
                exit.with_zygote.as_deref().unwrap_or("ended")
            ),
        ),
        (Some(signal), _) => (
            FailureClass::Crashed,
            "ProcessKilled",
            format!("the process was killed by {}{peak}", signal_name(signal)),
        ),
        (None, code) => (
            FailureClass::Crashed,
            "ProcessExited",
            format!(
                "the process exited with code {} before the body returned; `sys.exit` and \
                 `os._exit` end the whole process, return from the function instead",
                code.unwrap_or(-1)
            ),
        ),
    };
    (
        class,
        ErrorInfo {
            kind: kind.into(),
            message,
            traceback: stderr_tail,
        },
    )
}

/// `SIGSEGV (segmentation fault)`.
pub(crate) fn signal_name(number: i32) -> String {
    let Ok(signal) = Signal::try_from(number) else {
        return format!("signal {number}");
    };
    let meaning = match signal {
        Signal::SIGSEGV => " (segmentation fault)",
        Signal::SIGABRT => " (abort)",
        Signal::SIGBUS => " (bus error)",
        Signal::SIGILL => " (illegal instruction)",
        Signal::SIGFPE => " (arithmetic error)",
        _ => "",
    };
    format!("{}{meaning}", signal.as_str())
}
