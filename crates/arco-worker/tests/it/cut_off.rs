//! Hosts that are stopped, killed or cut off: their tasks must be dead before the lease is over.

use std::time::Duration;

use arco_wire::worker::Outcome;
use nix::sys::signal::Signal;
use tempfile::TempDir;

use crate::harness::{is_alive, line, until_dead};
use crate::host_process::{HostProcess, send};
use crate::plane::{Plane, boottime_ns};

const TTL_MS: u64 = 1_500;

struct Scene {
    plane: Plane,
    folder: TempDir,
    host: HostProcess,
    pid: String,
    grandchild: String,
    zygote: String,
}

/// A host process that runs `slow`.
async fn scene() -> Scene {
    let plane = Plane::start(TTL_MS, 150).await;
    let folder = tempfile::tempdir().unwrap();
    let host = HostProcess::start(&plane, folder.path(), &[]);
    let attempt = plane.submit("slow", |_| {});
    let pid = line(&folder.path().join("slow_pid")).await;
    let grandchild = line(&folder.path().join("grandchild_pid")).await;
    plane.started(attempt).await;
    let zygote = crate::deaths::parent(&pid);
    Scene {
        plane,
        folder,
        host,
        pid,
        grandchild,
        zygote,
    }
}

impl Scene {
    /// Waits until the control plane may give the task to someone else.
    async fn lease_over(&self) {
        loop {
            let over = self.plane.know().heard_ns + TTL_MS * 1_000_000;
            let now = boottime_ns();
            if now >= over {
                return;
            }
            tokio::time::sleep(Duration::from_nanos(over - now)).await;
        }
    }

    fn last_stamp(&self) -> u64 {
        let stamps = std::fs::read_to_string(self.folder.path().join("stamps")).unwrap();
        stamps.lines().last().unwrap().parse().unwrap()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stopped_hosts_tasks_die_before_the_lease_is_over() {
    let scene = scene().await;
    scene.host.signal(Signal::SIGSTOP);
    scene.lease_over().await;
    assert!(!is_alive(&scene.pid) && !is_alive(&scene.zygote) && !is_alive(&scene.grandchild));
    assert!(scene.last_stamp() < scene.plane.know().heard_ns + TTL_MS * 1_000_000);
    // It is declared lost, and comes back as another host that works.
    let first = scene.plane.know().registrations[0].host;
    scene.plane.fence(first);
    scene.host.signal(Signal::SIGCONT);
    let next = scene.plane.submit("one", |_| {});
    assert!(matches!(
        scene.plane.outcome(next).await,
        Outcome::Succeeded
    ));
    assert_ne!(scene.plane.know().registrations.last().unwrap().host, first);
}

#[tokio::test(flavor = "multi_thread")]
async fn tasks_of_a_tree_that_is_stopped_as_a_whole_die_before_the_lease_is_over() {
    let scene = scene().await;
    scene.host.signal(Signal::SIGSTOP);
    for pid in [&scene.zygote, &scene.pid, &scene.grandchild] {
        send(pid, Signal::SIGSTOP);
    }
    scene.lease_over().await;
    assert!(
        !is_alive(&scene.zygote),
        "the kernel's timer kills a stopped zygote"
    );
    assert!(!is_alive(&scene.pid), "and its stopped child with it");
    scene.host.signal(Signal::SIGCONT);
    until_dead(&scene.grandchild).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_host_takes_its_processes_with_it() {
    let scene = scene().await;
    scene.host.signal(Signal::SIGKILL);
    for pid in [&scene.pid, &scene.zygote, &scene.grandchild] {
        until_dead(pid).await;
    }
    assert!(boottime_ns() < scene.plane.know().heard_ns + TTL_MS * 1_000_000);
}
