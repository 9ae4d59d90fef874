//! `arco cancel`: asks runs to stop.

use arco_core::RunId;
use arco_wire::api::{CancelRuns, Run, RunStatus, RunsCancelled, RunsMatching};
use clap::Args;

use super::runs::RunName;
use crate::args::Connection;
use crate::client::Client;
use crate::console::Console;
use crate::failure::{Exit, Failure, Outcome};
use crate::render::plural;

/// Ask runs to stop: one, several, or all that match
///
/// What waits is over at once. A task under way is asked to end, and killed after the grace time of its
/// worker. A run that is over stays as it is.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Runs, or `latest`
    #[arg(value_name = "RUN")]
    runs: Vec<RunName>,
    /// Every run that is not over and matches the filters
    #[arg(long, conflicts_with = "runs")]
    all: bool,
    /// Filter: queued, started
    #[arg(
        long,
        value_name = "STATUS",
        value_delimiter = ',',
        conflicts_with = "runs"
    )]
    status: Vec<String>,
    /// Filter: runs of this asset
    #[arg(long, value_name = "KEY", conflicts_with = "runs")]
    asset: Option<String>,
    /// Filter: runs with this tag; may be repeated, and all must be there
    #[arg(long = "tag", value_name = "KEY=VALUE|KEY", conflicts_with = "runs")]
    tags: Vec<String>,
    /// Filter: this run and its reruns, over all generations
    #[arg(long, value_name = "RUN", conflicts_with = "runs")]
    root: Option<RunId>,
    /// Say which runs would be asked to stop, and stop none
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    connection: Connection,
}

/// Runs named on the screen; `--json` names all.
const SHOWN: usize = 20;

pub(crate) async fn run(options: &Options, console: &Console) -> Outcome {
    let client = Client::new(&options.connection)?;
    if let ([one], false) = (options.runs.as_slice(), options.dry_run) {
        let id = one.resolve(&client).await?;
        return stop(&id, &client, console).await;
    }
    if options.runs.is_empty() && !options.all && !options.dry_run {
        return Err(unsaid(options));
    }
    let body = body(options, &client).await?;
    let answer: RunsCancelled = client
        .post(["runs", "cancel"])
        .json(&body)
        .patient()
        .send()
        .await?;
    console.document(&answer, |_| render(&answer));
    Ok(Exit::Success)
}

/// Nothing was named, or what may be much.
fn unsaid(options: &Options) -> Failure {
    let filters = [options.asset.is_some(), options.root.is_some()];
    let is_filtered = !options.status.is_empty() || !options.tags.is_empty();
    if is_filtered || filters.contains(&true) {
        Failure::new("filters may match many runs, and none was asked to stop")
            .hint("add `--dry-run` to see which runs match")
            .hint("add `--all` to stop them")
    } else {
        Failure::new("no run is named; name one or several, or `latest`")
            .hint("arco cancel --dry-run lists the runs that are not over")
            .hint("arco cancel --all stops them")
    }
}

async fn stop(id: &str, client: &Client, console: &Console) -> Outcome {
    // Asking twice is asking once: a run that ended stays as it ended.
    let run: Run = client.post(["runs", id, "cancel"]).patient().send().await?;
    console.document(&run, |_| {
        let held = u64::from(run.summary.tasks.leased + run.summary.tasks.running);
        match run.summary.status {
            RunStatus::Canceling => format!(
                "run {id} is being stopped; {} still alive",
                plural(held, "attempt")
            ),
            status => format!("run {id} is over: {}", status.as_str()),
        }
    });
    Ok(Exit::Success)
}

async fn body(options: &Options, client: &Client) -> Outcome<CancelRuns> {
    let dry_run = options.dry_run;
    if options.runs.is_empty() {
        let matching = RunsMatching {
            status: (!options.status.is_empty()).then(|| options.status.join(",")),
            asset: options.asset.clone(),
            tags: options.tags.clone(),
            root: options.root,
        };
        return Ok(CancelRuns {
            runs: None,
            matching: Some(matching),
            dry_run,
        });
    }
    let mut runs = Vec::new();
    for name in &options.runs {
        let id = name.resolve(client).await?;
        runs.push(id.parse().map_err(Failure::new)?);
    }
    Ok(CancelRuns {
        runs: Some(runs),
        matching: None,
        dry_run,
    })
}

fn render(answer: &RunsCancelled) -> String {
    let count = plural(answer.asked.len() as u64, "run");
    let mut lines = vec![if answer.dry_run {
        format!("{count} would be asked to stop")
    } else {
        format!("{count} asked to stop")
    }];
    lines.extend(
        answer
            .asked
            .iter()
            .take(SHOWN)
            .map(|run| format!("  {run}")),
    );
    if answer.asked.len() > SHOWN {
        lines.push(format!("  … and {} more", answer.asked.len() - SHOWN));
    }
    for (runs, where_) in [
        (answer.canceling, "being stopped already"),
        (answer.over, "over already"),
    ] {
        if runs > 0 {
            lines.push(format!("{}: {where_}", plural(runs, "run")));
        }
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests;
