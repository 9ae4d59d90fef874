//! One accident each.

use std::time::Duration;

use nix::sys::signal::Signal;

use crate::deployment::{Deployment, HOST_LEASE};
use crate::judge::{Record, judge};
use crate::processes::{Process, boottime_ns, eventually, signal_all};

const LEASE_NS: u64 = HOST_LEASE * 1_000_000_000;

/// A control plane and a host, with a slow body at work.
struct Working {
    deployment: Deployment,
    serve: Process,
    worker: Process,
    run: String,
}

impl Working {
    fn start() -> Self {
        let deployment = Deployment::new();
        let serve = deployment.serve();
        deployment.wait_ready();
        let worker = deployment.worker();
        deployment.wait_loaded();
        let run = deployment.run("slow+", "one").unwrap();
        eventually("the body began", || {
            (!deployment.journal().of(&run, "slow").is_empty()).then_some(())
        });
        Self {
            deployment,
            serve,
            worker,
            run,
        }
    }

    /// Waits until a second body of the task began; says when.
    fn second_body(&self) -> u64 {
        eventually("another host has the task", || {
            Some(
                self.deployment
                    .journal()
                    .of(&self.run, "slow")
                    .get(1)?
                    .start_ns,
            )
        })
    }

    fn end(self) {
        self.deployment.go();
        self.deployment.wait_success(&self.run);
        self.deployment.verify(self.serve);
        let record = Record::read(&self.deployment.file("store"));
        let wrong = judge(&self.deployment.journal(), &record, &[self.run]);
        assert!(wrong.is_empty(), "{wrong:#?}");
    }
}

#[test]
fn killed_control_plane_finds_its_hosts_again_and_nothing_runs_twice() {
    let mut working = Working::start();
    working.serve.kill();
    let tasks = working.worker.tree();
    working.serve = working.deployment.serve();
    working.deployment.wait_ready();
    let run = working.run.clone();
    eventually("the control plane hears from the host", || {
        let status = working.deployment.ask(&["runs", "show", &run])?;
        (status["status"] == "started").then_some(())
    });
    // The host would have killed the body at its deadline, had nobody answered it.
    let long_after = boottime_ns() + 2 * LEASE_NS;
    eventually("the body outlives the lease", || {
        let bodies = working.deployment.journal().of(&run, "slow");
        (bodies.last()?.last_ns > long_after).then_some(())
    });
    assert!(working.worker.lives());
    assert_eq!(
        working.worker.tree()[..2],
        tasks[..2],
        "the same host and zygote"
    );
    let deployment = &working.deployment;
    deployment.go();
    deployment.wait_success(&run);
    let journal = deployment.journal();
    assert_eq!(journal.of(&run, "slow").len(), 1, "the body ran once");
    assert_eq!(journal.of(&run, "after").len(), 1);
    working.end();
}

#[test]
fn task_of_a_killed_host_is_tried_again_only_after_its_lease() {
    let mut working = Working::start();
    let other = working.deployment.worker();
    let killed = boottime_ns();
    working.worker.kill();
    let again = working.second_body();
    assert!(
        again - killed > LEASE_NS,
        "{} ms",
        (again - killed) / 1_000_000
    );
    working.worker = other;
    working.end();
}

#[test]
fn stopped_host_has_its_bodies_killed_before_anyone_leases_again() {
    cut_off(|worker| vec![worker.pid()]);
}

#[test]
fn stopped_process_tree_is_killed_before_anyone_leases_again() {
    cut_off(Process::tree);
}

/// SIGSTOP for longer than the lease, then SIGCONT.
fn cut_off(which: impl Fn(&Process) -> Vec<nix::unistd::Pid>) {
    let working = Working::start();
    let _other = working.deployment.worker();
    let stopped = boottime_ns();
    let processes = which(&working.worker);
    signal_all(&processes, Signal::SIGSTOP);
    let again = working.second_body();
    assert!(
        again - stopped > LEASE_NS - LEASE_NS / 5,
        "{} ms",
        (again - stopped) / 1_000_000
    );
    signal_all(&processes, Signal::SIGCONT);
    // If anything of the first is left it shows itself now: bodies write every 20 ms.
    std::thread::sleep(Duration::from_millis(500));
    let first = &working.deployment.journal().of(&working.run, "slow")[0];
    assert!(first.last_ns < again, "{first:?} lives on after {again}");
    assert!(
        first.last_ns < stopped + LEASE_NS,
        "{first:?} outlived its lease from {stopped}"
    );
    working.end();
}
