//! Processes whose parents are gone.
//!
//! A task may start programs and end, or be killed, before they do. As long as the zygote lives they
//! come to it and it reaps them. When the zygote dies they come to the next subreaper up the tree:
//! this process, so that they do not run on unseen under init.

use std::fs;

use nix::errno::Errno;
use nix::sys::prctl;
use nix::sys::signal::killpg;
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;

/// Makes this process the one that orphans below it come to, and hides its memory and environment
/// (which hold the token) from other processes of the same user. Both are for the whole process;
/// where the kernel refuses, we are no worse off than before.
pub(super) fn prepare_process() {
    if let Err(error) = prctl::set_child_subreaper(true) {
        tracing::debug!(%error, "cannot become a subreaper");
    }
    if let Err(error) = prctl::set_dumpable(false) {
        tracing::debug!(%error, "cannot hide this process from others of the same user");
    }
}

/// Process groups of children whose zygote has died, until nothing is left of them.
#[derive(Debug, Default)]
pub(super) struct Graves {
    groups: Vec<(i32, u32)>,
}

/// A process that has been killed is gone at the next look or the one after. One that is not is not
/// ours to reap, or hangs in the kernel.
const VISITS_MAX: u32 = 200;

impl Graves {
    pub(super) fn dig(&mut self, leader: i32) {
        self.groups.push((leader, 0));
        self.visit();
    }

    pub(super) fn visit(&mut self) {
        self.groups.retain_mut(|(leader, visits)| {
            *visits += 1;
            reap_group(*leader);
            let lives = killpg(Pid::from_raw(*leader), None) != Err(Errno::ESRCH);
            lives && *visits < VISITS_MAX
        });
    }
}

/// Reaps what has ended of a process group. Waiting by group cannot take the status of a child that
/// someone else in this program waits for: every group here was made for one of our children.
fn reap_group(leader: i32) {
    loop {
        match waitpid(Pid::from_raw(-leader), Some(WaitPidFlag::WNOHANG)) {
            Ok(WaitStatus::StillAlive) | Err(_) => return,
            Ok(_) => {}
        }
    }
}

/// Name of the machine, for people.
pub(super) fn hostname() -> String {
    fs::read_to_string("/proc/sys/kernel/hostname")
        .unwrap_or_default()
        .trim()
        .to_owned()
}

/// Random bits for an id.
pub(super) fn random_bits() -> std::io::Result<u128> {
    use std::io::Read as _;
    let mut bytes = [0; 16];
    fs::File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(u128::from_ne_bytes(bytes))
}
