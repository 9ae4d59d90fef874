//! `arco tick`: a control plane that comes, does what is due, and goes. For machines on which nothing stays:
//! a cron job, a timer of a cloud, a step of a pipeline.
//!
//! ```text
//!   lead, or leave to who leads ─► load user code ─► fire what is due ─► carry out the runs ─► release, exit
//! ```
//!
//! Any number of them may run at once on one store, beside any number of `arco serve`: one leads, the others
//! see that it does and leave. What one that was killed left behind is taken up by the next one after the
//! leader's ttl. Nothing here is authority: what is done is decided on the log, once, whoever asks.

mod hosts;
mod lead;
mod report;
mod work;

use std::path::PathBuf;
use std::sync::OnceLock;
use std::time::Duration;

use arco_api::{AttemptSecret, AuthSettings};
use arco_core::event::Position;
use arco_engine::EngineSettings;
use arco_engine::ids::{Ids, RandomIds};
use arco_log::LogStore;
use clap::Args;
use tokio::time::Instant;

use self::hosts::{Hosts, Running};
use self::lead::Lead;
use self::report::{Outcome as Came, Report};
use self::work::{Ended, Mode};
use crate::command::dev::{self, Locations};
use crate::command::worker::PythonOptions;
use crate::console::Console;
use crate::env_vars;
use crate::failure::{Attempt, Exit, Failure, Outcome};
use crate::server::{Listening, Messages, Parts, Server};
use crate::signals::Stop;
use crate::target::parse_location;

/// Do what is due on a store, then exit; any number of them may run at once
#[derive(Debug, Args)]
#[command(
    after_help = "Exit code 0: done, or nothing was due, or another process leads; 1: a run failed, or it could not be said what to run; \
                        2: it could not be done; 130: stopped by Ctrl-C. What is left is for the next one."
)]
pub(crate) struct Options {
    /// User code, as for `arco dev`; without any, `arco.toml` says it. None is needed with `--no-exec`
    #[arg(value_name = "TARGET")]
    targets: Vec<String>,
    /// The store: `file:/path`, a path, or `memory:`
    #[arg(long, value_name = "URL")]
    store: String,
    /// Workspace
    #[arg(long, value_name = "NAME", env = env_vars::WORKSPACE, hide_env_values = true, default_value = "default")]
    workspace: String,
    /// Go on until nothing is due and no run is left, with what comes meanwhile too
    #[arg(long, conflicts_with = "no_exec")]
    drain: bool,
    /// Fire what is due and carry out no task: other hosts do, or a later tick
    #[arg(long)]
    no_exec: bool,
    /// Begin nothing more after this, tell running tasks to end, and go
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=86_400))]
    max_seconds: Option<u64>,
    /// Root of the default IO manager, a path or a URL; user code sees it as ARCO_STORAGE
    #[arg(long, value_name = "PLACE")]
    storage: Option<String>,
    /// File that says the code locations, when no target is given
    #[arg(long, value_name = "FILE", conflicts_with = "targets")]
    workspace_file: Option<PathBuf>,
    /// Name of the code location, when there is one; from the target when not given
    #[arg(long, value_name = "LOCATION", value_parser = parse_location)]
    name: Option<String>,
    /// How long a host may be silent before its tasks are given to another, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 15, value_parser = clap::value_parser!(u64).range(1..=3600))]
    host_lease_ttl: u64,
    /// How long this process may be silent before another one takes up what it left, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..=3600))]
    leader_ttl: u64,
    #[command(flatten)]
    python: PythonOptions,
}

pub(crate) async fn run(options: &Options, console: &Console) -> Outcome {
    let began = Instant::now();
    let stop = Stop::listen()?;
    let current = std::env::current_dir().attempt(|| "could not find the current folder")?;
    let locations = options.locations(&current)?;
    let listening = Listening::bind(([127, 0, 0, 1], 0).into()).await?;
    let url = listening.url();
    let parts = Parts {
        store: LogStore::open(&options.store)?,
        workspace: options.workspace.clone(),
        auth: AuthSettings::default(),
        secret: AttemptSecret::random(RandomIds.random(), RandomIds.random()),
        messages: Messages::default(),
        settings: EngineSettings {
            host_lease_ttl_ms: options.host_lease_ttl * 1_000,
            host_heartbeat_ms: (options.host_lease_ttl * 200).min(3_000),
            leader_ttl_ms: options.leader_ttl * 1_000,
            hesitates: true,
            ..EngineSettings::default()
        },
        url: None,
    };
    let server = tokio::select! {
        started = Server::start(parts, listening) => started?,
        () = stop.graceful.cancelled() => return Ok(Exit::Interrupted),
    };
    let mut hosts = Hosts::default();
    let over = async {
        match options.max_seconds {
            Some(seconds) => tokio::time::sleep_until(began + Duration::from_secs(seconds)).await,
            None => std::future::pending().await,
        }
    };
    // What happened before this process led is another's, also when it waited for that one.
    let led = OnceLock::new();
    let came = tokio::select! {
        came = options.work(&server, &url, locations, &mut hosts, &led, console) => came,
        failed = server.failed() => Err(failed),
        () = over => Ok(Came::TimeOver),
        () = stop.graceful.cancelled() => Ok(Came::Interrupted),
    };
    // The hosts go first: they report how their tasks ended, and need somebody to report to.
    let ended = stop.unless_hard(async {
        let failed = hosts.stop().await;
        let view = server.engine().view();
        let from = led.get().copied().unwrap_or_else(|| view.position());
        let report = came.map(|came| Report::new(&view.state, from, came));
        server.stop().await;
        (failed, report)
    });
    let Some((failed, report)) = ended.await else {
        return Ok(Exit::Interrupted);
    };
    let report = report?;
    console.document(&report, |paint| report.render(paint));
    match failed {
        Some(failure) => Err(failure),
        None => Ok(report.exit()),
    }
}

impl Options {
    fn locations(&self, current: &std::path::Path) -> Outcome<Vec<dev::Location>> {
        let asked = Locations {
            targets: &self.targets,
            workspace_file: self.workspace_file.as_deref(),
            name: self.name.as_deref(),
            python: &self.python,
        };
        let none_said = self.targets.is_empty() && self.workspace_file.is_none();
        if self.no_exec && none_said && !asked.has_file(current) {
            return Ok(Vec::new());
        }
        asked.read(current)
    }

    fn mode(&self) -> Mode {
        match (self.drain, self.no_exec) {
            (true, _) => Mode::Drain,
            (_, true) => Mode::FireOnly,
            _ => Mode::Once,
        }
    }

    async fn work(
        &self,
        server: &Server,
        url: &str,
        locations: Vec<dev::Location>,
        hosts: &mut Hosts,
        led: &OnceLock<Position>,
        console: &Console,
    ) -> Outcome<Came> {
        let engine = server.engine();
        if let Lead::Elsewhere(leader) = lead::take(&engine, &self.workspace).await? {
            return Ok(Came::AnotherLeads(leader));
        }
        led.get_or_init(|| engine.view().position());
        let running = Running {
            server: url,
            workspace: &self.workspace,
            storage: self.storage.as_deref(),
            executes: !self.no_exec,
        };
        hosts.start(locations, &running)?;
        hosts.attached(console).await;
        let ended = work::done(&engine, self.mode()).await?;
        Ok(match ended {
            Ended::Done => Came::Done,
            Ended::LeadLost => Came::AnotherLeads(lead::holder(&engine)),
            Ended::Stuck => Came::Stuck,
            Ended::ClockOff(ms) => {
                return Err(Failure::new(format!(
                    "nothing was fired: the clock of this machine was set by {ms} ms while this ran"
                )));
            }
        })
    }
}
