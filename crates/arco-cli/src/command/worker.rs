//! `arco worker`: a worker host for one code location.

mod orphan;

use std::path::{Path, PathBuf};
use std::time::Duration;

use arco_wire::worker::Isolation;
use arco_worker::{Host, HostError, HostHandle, HostStatus, Settings, Token};
use clap::{Args, ValueEnum};

use crate::args::Connection;
use crate::console::Console;
use crate::env_vars;
use crate::failure::{Attempt, Exit, Failure, Outcome};
use crate::logging::Usual;
use crate::signals::Stop;
use crate::target::{Target, parse_location};

/// Run tasks of one code location
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// User code: `definitions.py`, `definitions.py:attr`, `package.module` or `package.module:attr`
    target: String,
    /// Name of the code location; from the target when not given
    #[arg(long, value_name = "NAME", value_parser = parse_location)]
    location: Option<String>,
    #[command(flatten)]
    python: PythonOptions,
    /// Root of the default IO manager, a path or a URL; user code sees it as ARCO_STORAGE
    #[arg(long, value_name = "PLACE")]
    storage: Option<String>,
    /// Load user code again when one of its files changes, and stay when it does not load
    #[arg(long)]
    watch: bool,
    #[command(flatten)]
    connection: Connection,
    /// The `arco dev` that started this host.
    #[arg(long, hide = true, value_name = "PID")]
    parent: Option<u32>,
    /// How long to go on without it when no control plane answers.
    #[arg(long, hide = true, value_name = "SECONDS", default_value_t = 15)]
    patience: u64,
    /// Held as long as this host lives, so that the next `arco dev` finds it.
    #[arg(long, hide = true, value_name = "FOLDER")]
    lock: Option<PathBuf>,
}

/// How Python runs. Shared with `dev`.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Python")]
pub(crate) struct PythonOptions {
    /// Tasks at once; the number of cores when not given
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub(crate) slots: Option<u32>,
    /// Interpreter; else VIRTUAL_ENV, else `.venv` beside the target or above it, else python3
    #[arg(long, value_name = "PATH")]
    pub(crate) python: Option<PathBuf>,
    /// How tasks are kept apart, for all of them: a process for many, for one, or a fresh interpreter
    #[arg(long, value_enum)]
    pub(crate) isolation: Option<IsolationName>,
    /// From asking a task to stop to killing it, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 5)]
    pub(crate) grace: u64,
}

impl PythonOptions {
    /// The interpreter that was named. A path is meant from here, whatever folder Python works in; a
    /// bare name is looked up on the path.
    pub(crate) fn interpreter(&self) -> Option<PathBuf> {
        let named = self.python.as_ref()?;
        let is_path = named.components().count() > 1;
        Some(if is_path {
            absolute(named)
        } else {
            named.clone()
        })
    }
}

fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

/// How tasks are kept apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum IsolationName {
    /// A process carries out many tasks, one after the other
    Reuse,
    /// A process forked for each task
    Fork,
    /// A fresh interpreter for each task
    Spawn,
}

impl IsolationName {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Reuse => "reuse",
            Self::Fork => "fork",
            Self::Spawn => "spawn",
        }
    }
}

impl From<IsolationName> for Isolation {
    fn from(name: IsolationName) -> Self {
        match name {
            IsolationName::Reuse => Self::Reuse,
            IsolationName::Fork => Self::Fork,
            IsolationName::Spawn => Self::Spawn,
        }
    }
}

impl Options {
    /// What it logs: a host of `arco dev` speaks in the voice of that.
    pub(crate) fn usual(&self) -> Usual {
        if self.parent.is_some() {
            Usual::Dev
        } else {
            Usual::Server
        }
    }
}

pub(crate) async fn run(options: &Options, console: &Console) -> Outcome {
    let stop = Stop::listen()?;
    // Before anything else: while this process lives the lock is held.
    let _lock = options
        .lock
        .as_deref()
        .map(arco_log::FolderLock::acquire)
        .transpose()?;
    let settings = settings(options)?;
    let location = settings.location.clone();
    if let Some(parent) = options.parent {
        let patience = Duration::from_secs(options.patience);
        orphan::end_without(parent, &settings.server, patience, stop.graceful.clone());
    }
    let (host, handle) = Host::new(settings)?;
    let watching = tokio::spawn(tell(handle, *console, location));
    let ended = stop.unless_hard(host.run(stop.graceful.clone())).await;
    watching.abort();
    match ended {
        Some(Ok(())) => Ok(Exit::Success),
        Some(Err(error)) => Err(refusal(error)),
        // Dropping the host killed its processes.
        None => Ok(Exit::Interrupted),
    }
}

fn settings(options: &Options) -> Outcome<Settings> {
    let current = std::env::current_dir().attempt(|| "could not find the current folder")?;
    let target = Target::parse(&options.target, &current)?;
    let python = &options.python;
    let mut settings = Settings {
        server: options.connection.server.clone(),
        workspace: options.connection.workspace.clone(),
        location: options
            .location
            .clone()
            .unwrap_or_else(|| target.name.clone()),
        token: token(&options.connection)?,
        python: python
            .interpreter()
            .unwrap_or_else(|| arco_worker::find_python(&target.folder)),
        working_dir: target.working_dir(&current),
        target: target.text,
        storage: options.storage.as_deref().map(storage),
        isolation: python.isolation.map(Isolation::from),
        grace_ms: python.grace.saturating_mul(1_000),
        watch: options.watch,
        exit_on_failed_load: !options.watch,
        ..Settings::default()
    };
    if let Some(slots) = python.slots {
        settings.slots = slots;
    }
    Ok(settings)
}

/// A folder is meant from here, as the interpreter is; a URL stays as it is.
fn storage(place: &str) -> String {
    if place.contains("://") {
        place.to_owned()
    } else {
        absolute(Path::new(place)).display().to_string()
    }
}

fn token(connection: &Connection) -> Outcome<Token> {
    let text = match &connection.token_file {
        Some(file) => std::fs::read_to_string(file)
            .attempt(|| format!("could not read the token file `{}`", file.display()))?,
        None => env_vars::read(env_vars::TOKEN).unwrap_or_default(),
    };
    Ok(Token::new(text.trim()))
}

/// Says on the log what changes with the host.
async fn tell(handle: HostHandle, console: Console, location: String) {
    let mut status = handle.status();
    let mut away = false;
    loop {
        let now = status.borrow_and_update().clone();
        match now {
            HostStatus::Attached {
                host,
                fork_safe,
                fork_note,
                ..
            } => {
                away = false;
                if fork_safe {
                    tracing::debug!(target: "arco", %location, %host, "attached");
                } else {
                    tracing::warn!(target: "arco", %location, %host, why = fork_note, "attached; every task gets a fresh interpreter, which is slower");
                }
            }
            HostStatus::Away(why) if !away => {
                away = true;
                tracing::warn!(target: "arco", %location, why, "the control plane does not answer");
            }
            HostStatus::Refused(why) => console.note(&format!("error: {why}")),
            _ => {}
        }
        if status.changed().await.is_err() {
            return;
        }
    }
}

pub(crate) fn refusal(error: HostError) -> Failure {
    let hint = match &error {
        HostError::Python { .. } => Some("`--python PATH` names the interpreter of your project"),
        HostError::Load { .. } => Some("`--watch` waits for the file to change instead of ending"),
        HostError::Token { .. } => Some("`--token-file FILE` or ARCO_TOKEN gives the token"),
        _ => None,
    };
    let failure = Failure::from(error);
    match hint {
        Some(hint) => failure.hint(hint),
        None => failure,
    }
}
