//! What can happen to a deployment.

use std::time::Duration;

use arco_testkit::random::Random;
use nix::sys::signal::Signal;
use nix::unistd::Pid;

use crate::deployment::{Deployment, HOST_LEASE};
use crate::processes::{Process, signal_all};

/// The running parts of a deployment.
pub(crate) struct Running<'a> {
    pub(crate) deployment: &'a Deployment,
    pub(crate) serve: Process,
    pub(crate) workers: Vec<Process>,
    pub(crate) random: Random,
}

/// An accident.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Accident {
    ControlPlaneKilled,
    ControlPlaneRestarted,
    ControlPlaneStopped,
    HostKilled,
    HostStopped,
    TreeStopped,
    ChildKilled,
}

pub(crate) const ALL: [Accident; 7] = [
    Accident::ControlPlaneKilled,
    Accident::ControlPlaneRestarted,
    Accident::ControlPlaneStopped,
    Accident::HostKilled,
    Accident::HostStopped,
    Accident::TreeStopped,
    Accident::ChildKilled,
];

impl<'a> Running<'a> {
    pub(crate) fn start(deployment: &'a Deployment, random: Random) -> Self {
        let serve = deployment.serve();
        deployment.wait_ready();
        let workers = vec![deployment.worker(), deployment.worker()];
        deployment.wait_loaded();
        Self {
            deployment,
            serve,
            workers,
            random,
        }
    }

    /// Lets it happen, and puts right what does not mend by itself.
    pub(crate) fn happen(&mut self, accident: Accident) {
        match accident {
            Accident::ControlPlaneKilled => {
                self.serve.kill();
                self.wait(0, 1_500);
                self.serve = self.deployment.serve();
            }
            Accident::ControlPlaneRestarted => {
                self.serve.signal(Signal::SIGTERM);
                self.serve.wait();
                self.serve = self.deployment.serve();
            }
            Accident::ControlPlaneStopped => self.stop_for_a_while(&[self.serve.pid()]),
            Accident::HostKilled => {
                let at = self.worker();
                self.workers[at].kill();
                self.workers[at] = self.deployment.worker();
            }
            Accident::HostStopped => {
                let at = self.worker();
                let host = self.workers[at].pid();
                self.stop_for_a_while(&[host]);
            }
            Accident::TreeStopped => {
                let at = self.worker();
                let tree = self.workers[at].tree();
                self.stop_for_a_while(&tree);
            }
            Accident::ChildKilled => {
                let at = self.worker();
                // The host, its zygote, and then the children.
                let tree = self.workers[at].tree();
                if let Some(children) = tree.get(2..).filter(|children| !children.is_empty()) {
                    signal_all(&[*self.random.pick(children)], Signal::SIGKILL);
                }
            }
        }
    }

    fn worker(&mut self) -> usize {
        usize::from(self.random.chance(500))
    }

    /// Shorter or longer than a lease.
    fn stop_for_a_while(&mut self, processes: &[Pid]) {
        signal_all(processes, Signal::SIGSTOP);
        self.wait(200, HOST_LEASE * 2_500);
        signal_all(processes, Signal::SIGCONT);
    }

    /// Time is what this is about: how long something is away.
    pub(crate) fn wait(&mut self, from_ms: u64, to_ms: u64) {
        let ms = self.random.between(from_ms, to_ms);
        std::thread::sleep(Duration::from_millis(ms));
    }
}
