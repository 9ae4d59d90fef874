//! Worker hosts in this process: one per code location, ended with it.

use std::path::Path;

use arco_worker::{Host, HostError, HostHandle, HostStatus, Settings};
use futures::future::join_all;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::command::dev::Location;
use crate::command::worker::refusal;
use crate::console::Console;
use crate::env_vars;
use crate::failure::{Failure, Outcome};

/// What all hosts share.
pub(super) struct Running<'a> {
    pub(super) server: &'a str,
    pub(super) workspace: &'a str,
    pub(super) storage: Option<&'a str>,
    /// Whether they carry out tasks, or only say what is to be run.
    pub(super) executes: bool,
}

/// The hosts of this process. When this is dropped they are killed, and their children with them.
#[derive(Default)]
pub(super) struct Hosts {
    stop: CancellationToken,
    hosts: Vec<InProcess>,
}

struct InProcess {
    location: String,
    handle: HostHandle,
    running: JoinHandle<Result<(), HostError>>,
}

impl Hosts {
    /// Starts a host for each location.
    pub(super) fn start(&mut self, locations: Vec<Location>, running: &Running<'_>) -> Outcome<()> {
        for location in locations {
            let name = location.name.clone();
            let (host, handle) = Host::new(settings(location, running))?;
            self.hosts.push(InProcess {
                location: name,
                handle,
                running: tokio::spawn(host.run(self.stop.clone())),
            });
        }
        Ok(())
    }

    /// Waits until each is at work, or will not be.
    pub(super) async fn attached(&self, console: &Console) {
        join_all(self.hosts.iter().map(|host| host.attached(console))).await;
    }

    /// Ends all of them; what tasks they have are told to end. Answers with what went wrong first.
    pub(super) async fn stop(&mut self) -> Option<Failure> {
        self.stop.cancel();
        let mut failed = None;
        for host in self.hosts.drain(..) {
            let ended = match host.running.await {
                Ok(Ok(())) => continue,
                Ok(Err(error)) => refusal(error),
                Err(error) => Failure::from(error),
            };
            let place = format!("code location `{}` took no part", host.location);
            failed = failed.or(Some(ended.context(place)));
        }
        failed
    }
}

impl Drop for Hosts {
    fn drop(&mut self) {
        // Dropping a host kills its processes.
        for host in &self.hosts {
            host.running.abort();
        }
    }
}

impl InProcess {
    async fn attached(&self, console: &Console) {
        let mut status = self.handle.status();
        loop {
            match &*status.borrow_and_update() {
                HostStatus::Attached { .. } | HostStatus::LoadFailed(_) | HostStatus::Stopped => {
                    return;
                }
                HostStatus::Refused(why) => {
                    console.note(&format!("error: {why}"));
                    return;
                }
                HostStatus::Loading | HostStatus::Away(_) => {}
            }
            if status.changed().await.is_err() {
                return;
            }
        }
    }
}

fn settings(location: Location, running: &Running<'_>) -> Settings {
    let python = &location.python;
    let defaults = Settings::default();
    let slots = python.slots.unwrap_or(defaults.slots);
    Settings {
        server: running.server.to_owned(),
        workspace: running.workspace.to_owned(),
        location: location.name,
        python: python
            .interpreter()
            .unwrap_or_else(|| arco_worker::find_python(&location.target.folder)),
        working_dir: location.working_dir,
        target: location.target.text,
        storage: running.storage.map(storage),
        // They share our environment, and what of it is the control plane's is not theirs.
        scrub: vec![env_vars::SECRET.into(), env_vars::SENSOR_SECRETS.into()],
        isolation: python.isolation.map(Into::into),
        grace_ms: python.grace.saturating_mul(1_000),
        slots: if running.executes { slots } else { 0 },
        prefetch_max: if running.executes {
            defaults.prefetch_max
        } else {
            0
        },
        exit_on_failed_load: true,
        ..defaults
    }
}

/// A folder is meant from here; a URL stays as it is.
fn storage(place: &str) -> String {
    if place.contains("://") {
        return place.to_owned();
    }
    let path = Path::new(place);
    std::path::absolute(path).map_or_else(|_| place.to_owned(), |path| path.display().to_string())
}
