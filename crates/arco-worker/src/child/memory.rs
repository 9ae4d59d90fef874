//! How much memory a task uses, and whether that is too much.
//!
//! By looking: the kernel's own limits do not fit. `RLIMIT_AS` and `RLIMIT_DATA` count what is reserved,
//! and allocators, thread stacks and mapped files reserve many times what they use, so that a body would
//! fail far below its limit. A memory cgroup counts the right thing, but a process may only make one
//! where somebody delegated the hierarchy to it, which containers and most services do not. Looking finds
//! a body that grows at 1 GB/s some 50 MB late.

use std::time::Duration;

/// Between two looks, which take some 50 µs: a thousandth of a core for each limited task.
pub(super) const LOOK: Duration = Duration::from_millis(50);

/// Processes counted of one task: more are not a task but a fork bomb, which the limit ends soon enough.
const PROCESSES_MAX: usize = 1_000;

/// Resident memory of a process; a read of a few bytes that the kernel makes on the spot.
pub(super) fn resident_bytes(pid: i32) -> Option<u64> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/statm")).ok()?;
    let pages: u64 = text.split(' ').nth(1)?.parse().ok()?;
    Some(pages * page_bytes())
}

/// Resident memory of a process and all it started. What they share is counted for each.
pub(super) fn used_bytes(pid: i32) -> u64 {
    let mut open = vec![pid];
    let mut counted = 0;
    let mut sum = 0;
    while let Some(pid) = open.pop() {
        sum += resident_bytes(pid).unwrap_or(0);
        counted += 1;
        if counted < PROCESSES_MAX {
            open.extend(started_by(pid));
        }
    }
    sum
}

/// The processes that a process's threads started and that are still there.
fn started_by(pid: i32) -> Vec<i32> {
    let Ok(threads) = std::fs::read_dir(format!("/proc/{pid}/task")) else {
        return Vec::new();
    };
    let mut found = Vec::new();
    for thread in threads.flatten() {
        if let Ok(text) = std::fs::read_to_string(thread.path().join("children")) {
            found.extend(
                text.split_whitespace()
                    .filter_map(|word| word.parse::<i32>().ok()),
            );
        }
    }
    found
}

fn page_bytes() -> u64 {
    let size = nix::unistd::sysconf(nix::unistd::SysconfVar::PAGE_SIZE);
    size.ok()
        .flatten()
        .and_then(|size| u64::try_from(size).ok())
        .unwrap_or(4096)
}

/// `1.5 GiB`, `300 MiB`: one decimal where it tells something.
pub(super) fn text(bytes: u64) -> String {
    const KIB: u64 = 1024;
    let (unit, name) = [
        (KIB.pow(3), "GiB"),
        (KIB.pow(2), "MiB"),
        (KIB, "KiB"),
        (1, "bytes"),
    ]
    .into_iter()
    .find(|(unit, _)| bytes >= *unit)
    .unwrap_or((1, "bytes"));
    let tenths = (bytes % unit) * 10 / unit;
    match tenths {
        0 => format!("{} {name}", bytes / unit),
        tenths => format!("{}.{tenths} {name}", bytes / unit),
    }
}

#[cfg(test)]
mod tests;
