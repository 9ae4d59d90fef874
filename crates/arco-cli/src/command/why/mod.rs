//! `arco why`: the chain from what is so back to its cause.

mod line;
mod tree;

#[cfg(test)]
mod tests;

use arco_core::RunId;
use arco_wire::api::{Explanation, TaskStatus, TaskSummary};
use clap::Args;

use super::runs::RunName;
use super::task_name::TaskName;
use crate::args::Connection;
use crate::client::{Client, all_pages};
use crate::console::Console;
use crate::failure::{Exit, Failure, Outcome};

/// A run may have a hundred thousand tasks; names are looked up among so many.
const TASKS_MAX: usize = 100_000;

/// Say why a run, a task, an asset or a partition stands where it stands
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  arco why latest                      why did the run go as it went?\n  \
                  arco why latest daily_sales          why did its task, or why was it not in the run?\n  \
                  arco why run_01JD….12                why did task 12 of that run?\n  \
                  arco why daily_sales 2026-01-31      why does the partition stand as it does?"
)]
pub(crate) struct Options {
    /// A run, `latest`, a task as `RUN.TASK` or `RUN.TASK.ATTEMPT`, or the key of an asset
    #[arg(value_name = "RUN|ASSET|TASK")]
    what: String,
    /// Of a run: a task, by its number, `step` or `step[partition]`; or an asset it may have left out.
    /// Of an asset: a partition
    #[arg(value_name = "TASK|PARTITION")]
    which: Option<String>,
    /// Of an asset: this partition
    #[arg(long, short, value_name = "KEY", conflicts_with = "which")]
    partition: Option<String>,
    #[command(flatten)]
    connection: Connection,
}

pub(crate) async fn run(options: &Options, console: &Console) -> Outcome {
    let client = Client::new(&options.connection)?;
    let explanation = match Subject::of(options)? {
        Subject::Run { run, task } => {
            let run = run.resolve(&client).await?;
            of_run(&client, &run, task.as_ref()).await?
        }
        Subject::Asset { key, partition } => {
            let request = client
                .get(["assets", &key, "explanation"])
                .query_opt("partition", partition);
            request.patient().send().await?
        }
    };
    console.document(&explanation, |paint| tree::render(&explanation, paint));
    Ok(Exit::Success)
}

/// What is asked about.
#[derive(Debug, PartialEq, Eq)]
enum Subject {
    Run {
        run: RunName,
        task: Option<TaskName>,
    },
    Asset {
        key: String,
        partition: Option<String>,
    },
}

impl Subject {
    fn of(options: &Options) -> Outcome<Self> {
        let run = match task_of_run(&options.what) {
            Some((run, task)) => Some((run, Some(task))),
            None => options.what.parse::<RunName>().ok().map(|run| (run, None)),
        };
        let Some((run, task)) = run else {
            return Ok(Self::Asset {
                key: options.what.clone(),
                partition: options.partition.clone().or_else(|| options.which.clone()),
            });
        };
        let hint = || format!("arco why {} 'STEP[PARTITION]'", options.what);
        if options.partition.is_some() {
            return Err(Failure::new("a run has no partition of its own").hint(hint()));
        }
        let which = options.which.as_deref().map(str::parse::<TaskName>);
        let which = which
            .transpose()
            .map_err(|error| Failure::new(error).hint(hint()))?;
        match (task, which) {
            (Some(_), Some(which)) => Err(Failure::new(format!(
                "`{}` is one task already, and {which} another",
                options.what
            ))),
            (task, which) => Ok(Self::Run {
                run,
                task: task.or(which),
            }),
        }
    }
}

/// `run_….12` and `run_….12.1`, as lists, logs and answers name tasks and attempts.
fn task_of_run(text: &str) -> Option<(RunName, TaskName)> {
    let (run, rest) = text.split_once('.')?;
    let run = run.parse::<RunId>().ok()?;
    let task = match rest.split_once('.') {
        Some((task, attempt)) => {
            attempt.parse::<u32>().ok()?;
            task
        }
        None => rest,
    };
    let number = task.parse().ok()?;
    Some((RunName::Id(run.to_string()), TaskName::Number(number)))
}

async fn of_run(client: &Client, run: &str, task: Option<&TaskName>) -> Outcome<Explanation> {
    let Some(task) = task else {
        let request = client.get(["runs", run, "explanation"]);
        return Ok(request.patient().send().await?);
    };
    match number(client, run, task).await {
        Ok(number) => {
            let number = number.to_string();
            let path = ["runs", run, "tasks", &number, "explanation"];
            Ok(client.get(path).patient().send().await?)
        }
        // The run has no such task: why not is a question of its own, when it names an asset.
        Err(unknown) => match task {
            TaskName::Step { step, keys } => {
                let asked = client
                    .get(["runs", run, "explanation"])
                    .query("asset", step)
                    .query_opt("partition", keys.last().cloned())
                    .patient();
                asked.send().await.map_err(|_| unknown)
            }
            TaskName::Number(_) => Err(unknown),
        },
    }
}

/// The number of the task of that name; of several, one that failed, else one that did not succeed.
async fn number(client: &Client, run: &str, name: &TaskName) -> Outcome<u32> {
    if let TaskName::Number(number) = name {
        return Ok(*number);
    }
    let request = client.get(["runs", run, "tasks"]).patient();
    let tasks: Vec<TaskSummary> = all_pages(&request, TASKS_MAX).await?;
    let found = name.find(run, &tasks)?;
    let with = |wanted: fn(TaskStatus) -> bool| found.iter().find(|task| wanted(task.status));
    let chosen = with(|status| status == TaskStatus::Failed)
        .or_else(|| with(|status| status != TaskStatus::Succeeded))
        .unwrap_or(&found[0]);
    Ok(chosen.task)
}
