//! `cargo xtask demo`: a year of flights on a real server, from a clean clone in one command.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use clap::Args;
use nix::fcntl::{Flock, FlockArg};
use serde_json::Value;

use crate::python_env::{PythonEnv, Recipe};
use crate::repo::{self, Profile};
use crate::server::{Server, free_port};
use crate::shell::Cmd;
use crate::timing::{Stopwatch, poll};
use crate::toolchain;

/// Where the command line looks for a server when nobody tells it.
const DEFAULT_PORT: u16 = 3000;

/// What it runs.
const PIPELINE: &str = "examples/flights/definitions.py";

/// Assets of it that have checks.
const CHECKED: [&str; 2] = ["raw_flights", "year_summary"];

/// A year takes well under a minute.
const PATIENCE: Duration = Duration::from_secs(600);
const PAUSE: Duration = Duration::from_millis(50);

/// How the demo ends.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// End after the backfill instead of keeping the server up.
    #[arg(long)]
    once: bool,
}

/// What a demo leaves behind.
#[derive(Debug)]
pub(crate) struct Outcome {
    /// Where the assets were written.
    pub(crate) storage: PathBuf,
}

/// Runs the demo; stays until interrupted unless told otherwise.
pub(crate) fn run(options: &Options) -> Result<()> {
    let demo = Demo::prepare()?;
    let mut server = demo.start()?;
    let backfill = demo.materialize_year(&server)?;
    println!("{}", demo.where_to_look(&server, &backfill, !options.once));
    if options.once {
        return Ok(());
    }
    println!("\nthe server stays up until Ctrl-C");
    while server.ended().is_none() {
        std::thread::sleep(Duration::from_millis(200));
    }
    bail!("the server ended by itself:\n{}", server.log_tail())
}

/// Runs the demo and stops its server.
pub(crate) fn run_once() -> Result<Outcome> {
    let demo = Demo::prepare()?;
    let mut server = demo.start()?;
    demo.materialize_year(&server)?;
    server.stop();
    Ok(Outcome {
        storage: demo.state.join("storage"),
    })
}

/// Everything the demo needs, in place.
struct Demo {
    arco: PathBuf,
    environment: PythonEnv,
    state: PathBuf,
    /// Held as long as the demo runs: a second one would pull the folder from under it.
    _lock: Flock<File>,
}

impl Demo {
    fn prepare() -> Result<Self> {
        toolchain::require_c_compiler()?;
        toolchain::python()?;
        let folder = repo::path("target/demo");
        fs::create_dir_all(&folder).with_context(|| format!("create {}", folder.display()))?;
        let lock = lock(&folder)?;
        eprintln!("building arco");
        let arco = repo::build_arco(Profile::Dev)?;
        let environment = Recipe::project().ensure()?;
        let state = folder.join(".arco");
        if state.exists() {
            fs::remove_dir_all(&state).with_context(|| {
                format!("remove the state of the last demo, {}", state.display())
            })?;
        }
        Ok(Self {
            arco,
            environment,
            state,
            _lock: lock,
        })
    }

    fn start(&self) -> Result<Server> {
        let port = free_port(Some(DEFAULT_PORT))?;
        let target = repo::path(PIPELINE);
        eprintln!("starting arco dev on http://127.0.0.1:{port}");
        let mut server = Server::dev(&self.arco, &self.environment, &target, &self.state, port)?;
        server.wait_healthy(Duration::from_millis(5))?;
        server.wait_loaded()?;
        Ok(server)
    }

    /// One backfill over every asset and every partition, as a person would ask for it.
    fn materialize_year(&self, server: &Server) -> Result<String> {
        eprintln!("materializing every asset for every day and month of 2013 by one backfill");
        let watch = Stopwatch::start();
        let answer = self
            .arco(server, &["backfill", "create", "*", "--all", "--json"])
            .capture_stdout()
            .with_context(|| server.log_tail())?;
        let id = created_backfill(&answer)?;
        let path = format!("backfills/{id}");
        let over = |backfill: &Value| {
            let status = backfill["status"].as_str().unwrap_or_default();
            ["succeeded", "failed", "canceled"].contains(&status)
        };
        let ended = poll(PATIENCE, PAUSE, || server.api.get(&path).ok().filter(over));
        let backfill = ended.with_context(|| {
            format!("{id} does not end; its server says: {}", server.log_tail())
        })?;
        let seconds = watch.elapsed().as_secs_f64();
        let checks = checks(server)?;
        if backfill["status"] != "succeeded" || checks.0 != checks.1 {
            bail!(
                "backfill {id} ended, {} of {} checks passed:\n{backfill:#}",
                checks.0,
                checks.1
            );
        }
        println!("{}", summary(&backfill, checks, flights(server)?, seconds));
        Ok(id)
    }

    fn arco(&self, server: &Server, arguments: &[&str]) -> Cmd {
        Cmd::new(&self.arco)
            .args(arguments)
            .args(&["--server", server.api.base()])
    }

    /// What to type to see more, while the server is up or after it has ended.
    fn where_to_look(&self, server: &Server, backfill: &str, stays: bool) -> String {
        let arco = shown(&self.arco);
        let state = shown(&self.state);
        let base = server.api.base();
        let mut lines = vec!["\nwhere to look".to_owned()];
        if stays {
            lines.extend([
                format!("  server      {base}"),
                format!("  backfill    {arco} backfill show {backfill} --server {base}"),
                format!("  assets      {arco} assets --server {base}"),
                format!("  partitions  {arco} partitions carrier_delays --server {base}"),
            ]);
        } else {
            lines.push(format!(
                "  server      {arco} dev {PIPELINE} --dir {state}   # the same state, up again"
            ));
        }
        lines.extend([
            format!("  log         {arco} log show --dir {state}"),
            format!("  tables      {state}/storage"),
            format!("  pipeline    {PIPELINE}, explained in examples/flights/README.md"),
        ]);
        lines.join("\n")
    }
}

/// A path as a person at the root of the repository would type it.
fn shown(path: &Path) -> String {
    path.strip_prefix(repo::root())
        .unwrap_or(path)
        .display()
        .to_string()
}

/// What a backfill did, for people.
fn summary(backfill: &Value, checks: (usize, usize), flights: u64, seconds: f64) -> String {
    let progress = &backfill["progress"];
    [
        format!(
            "\nthe backfill ended in {} after {seconds:.1} s",
            backfill["status"].as_str().unwrap_or_default()
        ),
        format!(
            "  partitions  {} of {} made, {} failed",
            progress["succeeded"], progress["partitions"], progress["failed"]
        ),
        format!("  runs        {}", progress["runs_requested"]),
        format!("  checks      {} of {} passed", checks.0, checks.1),
        format!("  rows        {flights} flights in the summary of the year"),
    ]
    .join("\n")
}

/// Checks that passed, and all: the last result of each.
fn checks(server: &Server) -> Result<(usize, usize)> {
    let (mut passed, mut all) = (0, 0);
    for asset in CHECKED {
        let page = server.api.get(&format!("assets/{asset}/checks"))?;
        for check in page["items"].as_array().context("find the checks")? {
            all += 1;
            passed += usize::from(check["latest"]["passed"] == true);
        }
    }
    Ok((passed, all))
}

/// The number of flights the pipeline itself counted in the end.
fn flights(server: &Server) -> Result<u64> {
    let page = server
        .api
        .get("assets/year_summary/materializations?limit=1")?;
    page.pointer("/items/0/metadata/flights/value")
        .and_then(Value::as_u64)
        .with_context(|| {
            format!("find the number of flights in the metadata of year_summary: {page}")
        })
}

/// The id of the backfill, from what `arco backfill create --json` printed.
fn created_backfill(printed: &str) -> Result<String> {
    let answer: Value = serde_json::from_str(printed)
        .context("parse what `arco backfill create --json` printed")?;
    let id = answer.pointer("/backfill/id").and_then(Value::as_str);
    id.map(str::to_owned)
        .with_context(|| format!("find the id of the backfill in {printed}"))
}

fn lock(folder: &Path) -> Result<Flock<File>> {
    let path = folder.join("lock");
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path)
        .with_context(|| format!("open {}", path.display()))?;
    Flock::lock(file, FlockArg::LockExclusiveNonblock).map_err(|(_, error)| {
        anyhow::anyhow!(
            "lock {} ({error}): another demo is running here; end it with Ctrl-C first",
            path.display()
        )
    })
}
