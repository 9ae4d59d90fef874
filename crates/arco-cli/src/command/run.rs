//! `arco run`: asks for a run and watches it to its end.

mod progress;
mod watch;

use arco_wire::api::{CreateRun, MIN_POSITION_HEADER, Run, RunCreated, RunStatus};
use clap::Args;
use serde::Serialize;

use self::progress::Progress;
use super::{ask, runs};
use crate::args::{Ask, Connection, Times, parse_tag};
use crate::client::Client;
use crate::console::Console;
use crate::failure::{Exit, Failure, Outcome};
use crate::random;

/// How a command ends that watches a run.
pub(super) const EXIT_CODES: &str = "Exit code: 0 the run succeeded, 1 it failed or was cancelled, 2 it was refused or could not be \
                                     asked for, 130 stopped watching (Ctrl-C; the run goes on).";

/// Materialize assets and judge their checks
#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES)]
pub(crate) struct Options {
    #[command(flatten)]
    pub(crate) ask: Ask,
    /// A tag of the run; may be repeated
    #[arg(long = "tag", value_name = "KEY=VALUE", value_parser = parse_tag)]
    pub(crate) tags: Vec<(String, String)>,
    /// At most one run per key: the same key and request again is the same run
    #[arg(long, value_name = "KEY")]
    run_key: Option<String>,
    /// Higher goes first
    #[arg(
        long,
        value_name = "N",
        default_value_t = 0,
        allow_negative_numbers = true
    )]
    priority: i32,
    #[command(flatten)]
    times: Times,
    /// Watch the run to its end (the default)
    #[arg(long)]
    wait: bool,
    /// Do not wait for the end
    #[arg(long, conflicts_with = "wait")]
    detach: bool,
    #[command(flatten)]
    connection: Connection,
}

/// The document of `--json`: the run, and whether this command made it.
#[derive(Debug, Serialize)]
struct Shown {
    created: bool,
    #[serde(flatten)]
    run: Run,
}

pub(crate) async fn run(options: &Options, console: &Console) -> Outcome {
    let client = Client::new(&options.connection)?;
    let made = create(options, &client).await?;
    follow(made, options.detach, &client, console).await
}

/// Says what was made, and watches it to its end unless `detach`.
pub(super) async fn follow(
    made: RunCreated,
    detach: bool,
    client: &Client,
    console: &Console,
) -> Outcome {
    let id = made.run.id.to_string();
    console.note(&announcement(&made));
    if detach {
        let run: Run = client
            .get(["runs", &id])
            .header(MIN_POSITION_HEADER, made.position)
            .patient()
            .send()
            .await?;
        let shown = Shown {
            created: made.created,
            run,
        };
        console.document(&shown, |_| id.clone());
        console.hint(&format!("arco runs show {id}"));
        return Ok(Exit::Success);
    }
    let mut progress = Progress::new(console, &made.run);
    let watched = tokio::select! {
        watched = watch::to_the_end(client, &id, made.position, &mut progress) => Some(watched),
        // Only the watching ends: who pressed Ctrl-C may have wanted either.
        _ = tokio::signal::ctrl_c() => None,
    };
    progress.finish();
    match watched {
        Some(Ok(run)) => Ok(report(
            Shown {
                created: made.created,
                run,
            },
            console,
        )),
        Some(Err(error)) => {
            Err(Failure::from(error).hint(format!("the run goes on: arco runs show {id}")))
        }
        None => {
            console.note(&format!("stopped watching; run {id} goes on"));
            console.hint(&format!("arco cancel {id}"));
            Ok(Exit::Interrupted)
        }
    }
}

async fn create(options: &Options, client: &Client) -> Outcome<RunCreated> {
    let body = CreateRun {
        selection: options.ask.wire_selection(),
        job: options.ask.job.clone(),
        job_location: options.ask.location.clone(),
        checks: options.ask.wire_checks(),
        partitions: options.ask.wire_partitions(),
        run_key: options.run_key.clone(),
        config: options.ask.wire_config()?,
        tags: options.tags.iter().cloned().collect(),
        priority: options.priority,
        time_limits: options.times.wire(),
    };
    // A lost answer leaves open whether the run was made; under one key asking again is safe.
    let request = client
        .post(["runs"])
        .json(&body)
        .idempotent(&random::token())
        .patient();
    match request.send().await {
        Ok(made) => Ok(made),
        Err(error) => Err(ask::explain_run(client, error).await),
    }
}

fn announcement(made: &RunCreated) -> String {
    let run = &made.run;
    let id = &run.id;
    match (made.created, run.status.is_terminal()) {
        (true, _) => format!(
            "run {id} requested: {}",
            crate::render::plural(u64::from(run.tasks.total), "task")
        ),
        (false, false) => format!(
            "run {id} was made by the same request before and is {}",
            run.status.as_str()
        ),
        (false, true) => format!("run {id} was made by the same request before and is over"),
    }
}

fn report(shown: Shown, console: &Console) -> Exit {
    let paint = console.paint_err();
    if !shown.run.failures.is_empty() {
        console.note(&runs::failures(&shown.run, console.verbose() > 0, paint));
    }
    if console.is_json() {
        console.note(&runs::outcome(&shown.run, paint));
    }
    console.document(&shown, |paint| runs::outcome(&shown.run, paint));
    let summary = &shown.run.summary;
    let all_done = summary.tasks.succeeded == summary.tasks.total;
    if summary.status != RunStatus::Success {
        console.hint(&format!("arco why {}", summary.id));
    }
    if summary.status == RunStatus::Failure || (summary.status == RunStatus::Canceled && !all_done)
    {
        console.hint(&format!("arco rerun {} --from-failure", summary.id));
    }
    match summary.status {
        RunStatus::Success => Exit::Success,
        _ => Exit::Failed,
    }
}
