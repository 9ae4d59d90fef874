//! `arco serve`: a control plane on a store. Any number of them on one store is one control plane.

use std::net::SocketAddr;
use std::path::PathBuf;

use arco_api::{AttemptSecret, AuthSettings};
use arco_engine::EngineSettings;
use arco_engine::ids::{Ids, RandomIds};
use arco_log::LogStore;
use clap::Args;
use serde_json::json;

use crate::console::Console;
use crate::env_vars;
use crate::failure::{Exit, Failure, Outcome};
use crate::server::{Listening, MessagesOptions, Parts, Server};
use crate::signals::Stop;

/// Serve the API on a store; replicas may share one
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// The store: `file:/path`, a path, or `memory:`
    #[arg(long, value_name = "URL")]
    store: String,
    /// Workspace
    #[arg(long, value_name = "NAME", env = env_vars::WORKSPACE, hide_env_values = true, default_value = "default")]
    workspace: String,
    /// Address to listen on
    #[arg(long, value_name = "IP:PORT", default_value = "127.0.0.1:3000")]
    listen: SocketAddr,
    /// Port on 127.0.0.1, short for `--listen`
    #[arg(long, value_name = "PORT", conflicts_with = "listen")]
    port: Option<u16>,
    /// Where other replicas reach this one, when that is not the address it listens on
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    /// JSON file with tokens and their roles; without it only this machine is answered, and needs none
    #[arg(long, value_name = "FILE")]
    tokens: Option<PathBuf>,
    /// File with the text that tokens of attempts are made with, the same for all replicas; else the
    /// variable ARCO_SECRET, else a fresh one
    #[arg(long, value_name = "FILE")]
    secret_file: Option<PathBuf>,
    /// How long a host may be silent before its tasks are given to another, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 15, value_parser = clap::value_parser!(u64).range(1..=3600))]
    host_lease_ttl: u64,
    /// How long a leader may be silent before another replica follows, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..=3600))]
    leader_ttl: u64,
    #[command(flatten)]
    messages: MessagesOptions,
}

pub(crate) async fn run(options: &Options, console: &Console) -> Outcome {
    let stop = Stop::listen()?;
    let address = options.port.map_or(options.listen, |port| {
        SocketAddr::from(([127, 0, 0, 1], port))
    });
    let auth = match &options.tokens {
        Some(file) => AuthSettings::from_file(file)?,
        None if address.ip().is_loopback() => AuthSettings::default(),
        None => {
            return Err(Failure::new(format!(
                "{address} is reached from other machines, and no tokens were given"
            ))
            .hint("`--tokens FILE` names a JSON file with tokens and their roles")
            .hint("`--listen 127.0.0.1:3000` answers this machine only, without tokens"));
        }
    };
    let secret = secret(options)?;
    let listening = Listening::bind(address).await.map_err(|failure| {
        failure.hint(format!(
            "--listen {}:{}",
            address.ip(),
            address.port().wrapping_add(1)
        ))
    })?;
    let url = listening.url();
    let parts = Parts {
        store: LogStore::open(&options.store)?,
        workspace: options.workspace.clone(),
        auth,
        secret,
        messages: options.messages.read()?,
        settings: EngineSettings {
            host_lease_ttl_ms: options.host_lease_ttl * 1_000,
            host_heartbeat_ms: (options.host_lease_ttl * 200).min(3_000),
            leader_ttl_ms: options.leader_ttl * 1_000,
            ..EngineSettings::default()
        },
        url: options.url.clone(),
    };
    let server = tokio::select! {
        started = Server::start(parts, listening) => started?,
        () = stop.graceful.cancelled() => return Ok(Exit::Interrupted),
    };
    if console.is_json() {
        let line = json!({"event": "ready", "url": url, "workspace": options.workspace, "pid": std::process::id()});
        console.element(&line, |_| String::new());
    } else {
        let paint = console.paint_err();
        console.note(&format!(
            "{} {}",
            paint.green("arco is ready at"),
            paint.bold(&url)
        ));
    }
    let failed = tokio::select! {
        failed = server.failed() => Some(failed),
        () = stop.graceful.cancelled() => None,
    };
    if stop.unless_hard(server.stop()).await.is_none() {
        return Ok(Exit::Interrupted);
    }
    match failed {
        Some(failure) => Err(failure),
        None => Ok(Exit::Success),
    }
}

fn secret(options: &Options) -> Outcome<AttemptSecret> {
    if let Some(file) = &options.secret_file {
        return Ok(AttemptSecret::load_or_create(
            file,
            RandomIds.random(),
            RandomIds.random(),
        )?);
    }
    match env_vars::read(env_vars::SECRET) {
        Some(text) => Ok(AttemptSecret::new(text.as_bytes())?),
        None => {
            tracing::info!(target: "arco", "no secret was given: tokens of attempts end with this process, and other replicas refuse them");
            Ok(AttemptSecret::random(
                RandomIds.random(),
                RandomIds.random(),
            ))
        }
    }
}
