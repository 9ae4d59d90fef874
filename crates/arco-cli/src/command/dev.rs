//! `arco dev`: control plane and worker host with one command, state in a folder.
//!
//! ```text
//!   arco dev ── control plane (this process): API on one port, log in FOLDER/store
//!      │ starts, watches, starts again
//!      ▼
//!   arco worker (a process of its own, one per code location) ── zygote ── children
//! ```
//!
//! **Why the host is a process of its own** and not a task of this one. Tasks live and die with the
//! host that holds their sockets. In one process, a crash or a kill of the control plane would take
//! every running task along; as it is, the host keeps them, goes on calling the address, and the next
//! `arco dev` on the same folder and port finds it attached, with nothing lost and nothing run twice.
//! It is also the same host as in production, so `dev` exercises what will be deployed. The price is
//! one more process of some megabytes and the care in [`host`] that no host is forgotten: a host
//! whose `arco dev` is gone for good ends by itself (`command/worker/orphan.rs`).

mod announce;
mod folder;
mod host;
mod locations;

use std::path::PathBuf;

use arco_engine::EngineSettings;
use arco_log::LogStore;
use clap::Args;
use serde_json::json;

pub(crate) use self::folder::store_folder;
pub(crate) use self::locations::{Location, Locations};

use self::folder::Folder;
use self::host::{HostProcess, Hosts};
use crate::command::worker::PythonOptions;
use crate::console::Console;
use crate::failure::{Attempt, Exit, Outcome};
use crate::server::{self, Listening, MessagesOptions, Parts, Server};
use crate::signals::Stop;
use crate::target::parse_location;

/// Start everything on this machine: control plane, worker hosts and API on one port
#[derive(Debug, Args)]
#[command(
    after_help = "Ctrl-C stops, exit code 0: running tasks are told to end and killed when --grace is over, \
                        the host leaves, runs go on at the next start, where those tasks begin anew. \
                        Twice stops at once, exit code 130."
)]
pub(crate) struct Options {
    /// User code: `definitions.py`, `definitions.py:attr`, `package.module` or `package.module:attr`;
    /// each is a code location with a host of its own. Without any, `arco.toml` says them
    #[arg(value_name = "TARGET")]
    targets: Vec<String>,
    /// File that says the code locations, when no target is given
    #[arg(long, value_name = "FILE", conflicts_with = "targets")]
    workspace_file: Option<PathBuf>,
    /// Port on 127.0.0.1; 0 for any that is free
    #[arg(long, value_name = "PORT", default_value_t = 3000)]
    port: u16,
    /// Folder for the state: event log, values of the default IO manager
    #[arg(long, value_name = "FOLDER", default_value = ".arco")]
    dir: PathBuf,
    /// Name of the code location, when there is one; from the target when not given
    #[arg(long, value_name = "LOCATION", value_parser = parse_location)]
    name: Option<String>,
    /// How long the host may be silent before its tasks are given to another, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 15, value_parser = clap::value_parser!(u64).range(1..=3600))]
    host_lease_ttl: u64,
    #[command(flatten)]
    python: PythonOptions,
    #[command(flatten)]
    messages: MessagesOptions,
}

impl Options {
    pub(super) fn locations(&self) -> Locations<'_> {
        Locations {
            targets: &self.targets,
            workspace_file: self.workspace_file.as_deref(),
            name: self.name.as_deref(),
            python: &self.python,
        }
    }
}

pub(crate) async fn run(options: &Options, console: &Console) -> Outcome {
    let stop = Stop::listen()?;
    let current = std::env::current_dir().attempt(|| "could not find the current folder")?;
    let locations = options.locations().read(&current)?;
    // In this order, so that of two errors the first one shown is the one to mend first: another
    // `arco dev` on this folder most likely has the port too.
    let folder = Folder::take(&current.join(&options.dir))?;
    let listening = Listening::bind(([127, 0, 0, 1], options.port).into())
        .await
        .map_err(|failure| {
            let words = [
                &["arco".to_owned(), "dev".to_owned()],
                options.targets.as_slice(),
            ];
            failure.hint(format!(
                "{} --port {}",
                words.concat().join(" "),
                options.port.wrapping_add(1)
            ))
        })?;
    let url = listening.url();
    let parts = Parts {
        store: LogStore::open(&folder.store_url())?,
        workspace: "default".into(),
        auth: arco_api::AuthSettings::default(),
        secret: folder.secret()?,
        messages: options.messages.read()?,
        settings: EngineSettings {
            host_lease_ttl_ms: options.host_lease_ttl * 1_000,
            // A fifth: four calls may fail before the lease is over.
            host_heartbeat_ms: (options.host_lease_ttl * 200).min(3_000),
            sole: true,
            ..EngineSettings::default()
        },
        url: None,
    };
    let server = tokio::select! {
        started = Server::start(parts, listening) => started?,
        // A long recovery can be given up.
        () = stop.graceful.cancelled() => return Ok(Exit::Interrupted),
    };
    let wanted = |location: &Location| host::Wanted {
        target: location.target.text.clone(),
        location: location.name.clone(),
        python: location.python.clone(),
        server: url.clone(),
        storage: folder.storage(),
        working_dir: location.working_dir.clone(),
        lease_s: options.host_lease_ttl,
        verbose: console.verbose(),
    };
    let processes = locations
        .iter()
        .map(|location| HostProcess::new(&folder, wanted(location)));
    let hosts = Hosts::new(&folder, processes.collect());
    ready(console, &url, &folder, &locations, options);
    let told = tokio::spawn(announce::loads(server.engine(), *console));
    let ended = serve_until_asked(&server, hosts, &stop, console).await;
    told.abort();
    ended
}

async fn serve_until_asked(
    server: &Server,
    mut hosts: Hosts,
    stop: &Stop,
    console: &Console,
) -> Outcome {
    let failed = tokio::select! {
        failed = server.failed() => Some(failed),
        () = hosts.keep() => None,
        () = stop.graceful.cancelled() => {
            console.note(&stopping(server.engine().view().state.active_runs.len()));
            None
        }
    };
    // The hosts go first: they report how their tasks ended, and need somebody to report to.
    let stopped = stop.unless_hard(async {
        hosts.stop().await;
        server.stop().await;
    });
    if stopped.await.is_none() {
        hosts.kill();
        return Ok(Exit::Interrupted);
    }
    match failed {
        Some(failure) => Err(failure),
        None => Ok(Exit::Success),
    }
}

/// What Ctrl-C is answered with.
fn stopping(active: usize) -> String {
    match active {
        0 => "stopping".to_owned(),
        1 => "stopping; 1 run goes on at the next start".to_owned(),
        _ => format!("stopping; {active} runs go on at the next start"),
    }
}

fn ready(console: &Console, url: &str, folder: &Folder, locations: &[Location], options: &Options) {
    let names: Vec<&str> = locations
        .iter()
        .map(|location| location.name.as_str())
        .collect();
    if console.is_json() {
        let line = json!({
            "event": "ready",
            "url": url,
            "folder": folder.path(),
            "location": names[0],
            "locations": names,
            "pid": std::process::id(),
        });
        console.element(&line, |_| String::new());
        return;
    }
    let paint = console.paint_err();
    let code: Vec<String> = locations
        .iter()
        .map(|location| {
            format!(
                "\n  code     {} as location `{}`",
                location.text, location.name
            )
        })
        .collect();
    console.note(&format!(
        "{} {}\n  state    {}{}\n  stop     Ctrl-C",
        paint.green("arco is ready at"),
        paint.bold(url),
        folder.path().display(),
        code.concat(),
    ));
    if options.port != server::DEFAULT_PORT {
        console.hint(&format!("export ARCO_SERVER={url}"));
    }
}
