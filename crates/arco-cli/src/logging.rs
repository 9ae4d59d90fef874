//! The log of servers and hosts, on stderr for people.

use std::io;

use tracing_subscriber::EnvFilter;

use crate::console::Console;
use crate::env_vars;

/// What is logged when nobody says otherwise.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Usual {
    /// The story of a server: starts, stops, deployments, lost hosts.
    Server,
    /// As a server that one person watches: `arco dev` says itself what became of their code.
    Dev,
    /// Only what is wrong: the command itself says the rest.
    Client,
}

/// Starts logging. Called once, before anything that logs.
pub(crate) fn start(console: &Console, usual: Usual) {
    let filter = env_vars::read(env_vars::LOG).map_or_else(
        || EnvFilter::new(level(usual, console.verbose())),
        // A filter that does not parse must not take the server down: what parses counts.
        |text| EnvFilter::builder().parse_lossy(text),
    );
    let log = tracing_subscriber::fmt()
        .compact()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .with_ansi(console.paint_err().is_on())
        .with_target(console.verbose() > 0)
        // The stream may be a pipe whose reader is gone (a worker host that outlives `arco dev`).
        // Complaining about it on the same stream would be a panic.
        .log_internal_errors(false);
    // A second subscriber is a test's: keep that one.
    let _ = log.try_init();
}

fn level(usual: Usual, verbose: u8) -> &'static str {
    match (usual, verbose) {
        (Usual::Client, 0) => "warn",
        (Usual::Dev, 0) => "warn,arco=info,arco_api=warn,arco_worker=warn",
        (Usual::Server, 0) | (Usual::Dev | Usual::Client, 1) => "warn,arco=info",
        (Usual::Server, 1) | (Usual::Dev | Usual::Client, 2) => "info,arco=debug",
        _ => "debug,arco=trace,hyper=info,reqwest=info",
    }
}
