//! `arco logs`: what tasks wrote.

mod ending;
mod follow;
mod read;
mod record;
mod show;

use arco_wire::api::{Task, TaskStatus, TaskSummary};
use clap::{Args, ValueEnum};

use self::read::Source;
use super::runs::RunName;
use super::task_name::{TaskName, label};
use crate::args::Connection;
use crate::client::{Client, all_pages};
use crate::console::Console;
use crate::failure::{Exit, Failure, Outcome};

/// A run may have a hundred thousand tasks; names are looked up among so many.
const TASKS_MAX: usize = 100_000;

/// How `-f` ends.
const EXIT_CODES: &str = "Exit code with -f: 0 what was followed succeeded, 1 it failed, was skipped or cancelled, 2 it could not be \
                          followed, 130 stopped following (Ctrl-C; the run goes on).";

/// Show what tasks of a run wrote
#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES)]
pub(crate) struct Options {
    /// A run, or `latest`
    run: RunName,
    /// A task: its number, `step` or `step[partition]`; without it, the failed ones, else all (with -f: all)
    task: Option<TaskName>,
    /// Which stream
    #[arg(long, value_enum, default_value_t = StreamName::All)]
    stream: StreamName,
    /// Which try, from 1; the last one when not given (with -f: all)
    #[arg(long, value_name = "N")]
    attempt: Option<u32>,
    /// Show lines as they come, of all streams and of tries that begin later, until the run or the task is over
    #[arg(long, short)]
    follow: bool,
    /// Without a task and -f: logs of at most this many
    #[arg(long, default_value_t = 20, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    limit: u32,
    #[command(flatten)]
    connection: Connection,
}

/// What a task writes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum StreamName {
    /// All of them: one after the other, with -f as lines come
    All,
    /// Standard output
    Stdout,
    /// Standard error
    Stderr,
    /// Python's `logging`, with level and time
    Log,
}

impl StreamName {
    fn each(self) -> Vec<&'static str> {
        match self {
            Self::All => vec!["stdout", "stderr", "log"],
            Self::Stdout => vec!["stdout"],
            Self::Stderr => vec!["stderr"],
            Self::Log => vec!["log"],
        }
    }
}

pub(crate) async fn run(options: &Options, console: &Console) -> Outcome {
    let client = Client::new(&options.connection)?;
    let run = options.run.resolve(&client).await?;
    if options.follow {
        return follow::run(options, &client, console, &run).await;
    }
    let tasks: Vec<TaskSummary> = match &options.task {
        // One task by its number needs no list.
        Some(TaskName::Number(number)) => vec![summary(&client, &run, *number).await?],
        _ => chosen(options, &run, &all_tasks(&client, &run).await?)?,
    };
    let mut wrote = false;
    for task in &tasks {
        wrote |= show(options, &client, console, &run, task).await?;
    }
    if !wrote && !console.is_json() {
        console.note(&format!("nothing was written by {}", named(&tasks)));
    }
    Ok(Exit::Success)
}

async fn all_tasks(client: &Client, run: &str) -> Outcome<Vec<TaskSummary>> {
    let request = client.get(["runs", run, "tasks"]).patient();
    all_pages(&request, TASKS_MAX).await
}

async fn summary(client: &Client, run: &str, number: u32) -> Outcome<TaskSummary> {
    let task: Task = client
        .get(["runs", run, "tasks", &number.to_string()])
        .patient()
        .send()
        .await?;
    Ok(task.summary)
}

fn chosen(options: &Options, run: &str, all: &[TaskSummary]) -> Outcome<Vec<TaskSummary>> {
    let found: Vec<&TaskSummary> = match &options.task {
        Some(name) => name.find(run, all)?,
        None => {
            let failed: Vec<_> = all
                .iter()
                .filter(|task| task.status == TaskStatus::Failed)
                .collect();
            if failed.is_empty() {
                all.iter().filter(|task| task.attempts > 0).collect()
            } else {
                failed
            }
        }
    };
    let limit = options.limit as usize;
    if options.task.is_none() && found.len() > limit {
        let message = format!(
            "{} tasks of run {run} wrote something, and {limit} would be shown",
            found.len()
        );
        return Err(Failure::new(message)
            .hint(format!("arco logs {run} {}", found[0].task))
            .hint(format!("arco logs {run} --limit {}", found.len())));
    }
    Ok(found.into_iter().cloned().collect())
}

fn named(tasks: &[TaskSummary]) -> String {
    match tasks {
        [task] => format!("task {} {}", task.task, label(task)),
        _ => format!("{} tasks", tasks.len()),
    }
}

/// Prints the streams of one task; whether there was anything.
async fn show(
    options: &Options,
    client: &Client,
    console: &Console,
    run: &str,
    task: &TaskSummary,
) -> Outcome<bool> {
    let attempt = options.attempt.unwrap_or(task.attempts);
    if attempt == 0 || attempt > task.attempts {
        if options.attempt.is_some() {
            return Err(Failure::new(format!(
                "task {} {} has no attempt {attempt}; it has {}",
                task.task,
                label(task),
                task.attempts
            )));
        }
        return Ok(false);
    }
    let mut wrote = false;
    for stream in options.stream.each() {
        let source = Source {
            client,
            run,
            task,
            attempt,
            stream,
        };
        wrote |= source.print(console).await?;
    }
    let went_well = task.attempts == 1 && task.status == TaskStatus::Succeeded;
    if options.stream == StreamName::All && !console.is_json() && !went_well {
        wrote |= ending::show(client, console, run, task.task, attempt, false).await?;
    }
    Ok(wrote)
}
