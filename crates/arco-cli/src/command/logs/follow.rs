//! `arco logs -f`: the stream of all that a run or some of its tasks write, until it is over.
//!
//! A connection that breaks (the control plane restarts) is opened again after the last event that
//! had an id.

use std::time::Duration;

use arco_wire::api::{
    AttemptStatus, LogAttempt, LogEnd, LogLost, LogOutput, LogSkipped, Run, RunStatus, TaskStatus,
};
use serde::de::DeserializeOwned;

use super::show::Shown;
use super::{Options, StreamName, TaskName, all_tasks, ending};
use crate::client::sse::{Message, Stream};
use crate::client::{Client, Request};
use crate::command::runs;
use crate::console::Console;
use crate::failure::{Attempt as _, Exit, Failure, Outcome};

/// Between a stream that broke and the next: a restart often takes less than a second.
const REOPEN_FIRST: Duration = Duration::from_millis(250);
/// At most, when streams break at once again and again.
const REOPEN_MAX: Duration = Duration::from_secs(4);

/// Whose output is followed.
enum Scope {
    Run,
    Task(u32),
    /// Tasks of a step: all, or those of one key.
    Step {
        name: TaskName,
        step: String,
        mapping_key: Option<String>,
        partition: Option<String>,
    },
}

/// How it ended.
struct Ended {
    end: LogEnd,
    /// Of the last attempt that ended.
    attempt: Option<AttemptStatus>,
}

pub(super) async fn run(
    options: &Options,
    client: &Client,
    console: &Console,
    run: &str,
) -> Outcome {
    let (scope, several) = scope(options, client, run).await?;
    if options.attempt.is_some() && !matches!(scope, Scope::Task(_)) {
        return Err(
            Failure::new("`--attempt` is a try of one task; say which task")
                .hint(format!("arco runs show {run} --tasks")),
        );
    }
    let mut shown = Shown::new(console, several);
    let followed = tokio::select! {
        followed = to_the_end(options, client, console, run, &scope, &mut shown) => followed,
        // Only the following ends.
        _ = tokio::signal::ctrl_c() => return Ok(Exit::Interrupted),
    };
    let ended = followed.map_err(|failure| failure.hint(format!("arco runs show {run}")))?;
    if !shown.wrote() && !console.is_json() {
        console.note("nothing was written");
    }
    finish(options, client, console, run, &scope, &ended).await
}

/// Whose output, and whether that is several tasks.
async fn scope(options: &Options, client: &Client, run: &str) -> Outcome<(Scope, bool)> {
    match &options.task {
        Some(TaskName::Number(number)) => Ok((Scope::Task(*number), false)),
        Some(name @ TaskName::Step { step, keys }) => {
            let all = all_tasks(client, run).await?;
            let found = name.find(run, &all)?;
            if let [task] = found.as_slice()
                && (task.mapping_key.is_none() || !keys.is_empty())
            {
                return Ok((Scope::Task(task.task), false));
            }
            let first = keys.first();
            let is_mapped = found.iter().all(|task| task.mapping_key.as_ref() == first);
            let (mapping_key, partition) = match (first, is_mapped) {
                (Some(_), true) => (first, keys.get(1)),
                (first, _) => (None, first),
            };
            let scope = Scope::Step {
                name: name.clone(),
                step: step.clone(),
                mapping_key: mapping_key.cloned(),
                partition: partition.cloned(),
            };
            Ok((scope, true))
        }
        None => {
            let run: Run = client.get(["runs", run]).patient().send().await?;
            Ok((Scope::Run, run.summary.tasks.total > 1))
        }
    }
}

fn request(options: &Options, client: &Client, run: &str, scope: &Scope) -> Request {
    let request = client
        .get(["runs", run, "logs"])
        .header("accept", "text/event-stream")
        .query_opt("attempt", options.attempt);
    let request = match options.stream {
        StreamName::All => request,
        one => request.query("stream", one.each()[0]),
    };
    let request = match scope {
        Scope::Run => request,
        Scope::Task(task) => request.query("task", task),
        Scope::Step {
            step,
            mapping_key,
            partition,
            ..
        } => request
            .query("step", step)
            .query_opt("mapping_key", mapping_key.as_ref())
            .query_opt("partition", partition.as_ref()),
    };
    request.patient()
}

async fn to_the_end(
    options: &Options,
    client: &Client,
    console: &Console,
    run: &str,
    scope: &Scope,
    shown: &mut Shown,
) -> Outcome<Ended> {
    let mut last_id = String::new();
    let mut attempt = None;
    let mut pause = REOPEN_FIRST;
    loop {
        let mut request = request(options, client, run, scope);
        if !last_id.is_empty() {
            request = request.header("last-event-id", &last_id);
        }
        let mut stream = Stream::new(request.response().await?);
        while let Some(message) = stream.next().await {
            pause = REOPEN_FIRST;
            match message.event.as_str() {
                "output" => shown.output(&data::<LogOutput>(&message)?),
                "lost" => shown.lost(&data::<LogLost>(&message)?),
                "skipped" => shown.skipped(run, &data::<LogSkipped>(&message)?),
                "attempt" => {
                    let over: LogAttempt = data(&message)?;
                    attempt = Some(over.status);
                    if over.status != AttemptStatus::Succeeded && !console.is_json() {
                        let (task, number) = (over.source.task, over.source.attempt);
                        ending::show(client, console, run, task, number, true).await?;
                    }
                }
                "end" => {
                    let end = data(&message)?;
                    return Ok(Ended { end, attempt });
                }
                // A newer server may say more.
                _ => {}
            }
            if !message.id.is_empty() {
                last_id = message.id;
            }
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(REOPEN_MAX);
    }
}

fn data<T: DeserializeOwned>(message: &Message) -> Outcome<T> {
    serde_json::from_str(&message.data)
        .attempt(|| format!("reading event `{}` of the stream of output", message.event))
}

/// Says how the run went, and ends as what was followed did.
async fn finish(
    options: &Options,
    client: &Client,
    console: &Console,
    run: &str,
    scope: &Scope,
    ended: &Ended,
) -> Outcome {
    let succeeded = match scope {
        Scope::Run => {
            let run: Run = client.get(["runs", run]).patient().send().await?;
            console.note(&runs::outcome(&run, console.paint_err()));
            if run.summary.status != RunStatus::Success {
                console.hint(&format!("arco why {}", run.summary.id));
            }
            ended.end.status == RunStatus::Success
        }
        Scope::Task(_) if options.attempt.is_some() => {
            ended.attempt.is_none_or(|s| s == AttemptStatus::Succeeded)
        }
        Scope::Task(_) => ended.end.task_status == Some(TaskStatus::Succeeded),
        Scope::Step { name, .. } => {
            let all = all_tasks(client, run).await?;
            let tasks = name.find(run, &all)?;
            tasks
                .iter()
                .all(|task| task.status == TaskStatus::Succeeded)
        }
    };
    Ok(if succeeded {
        Exit::Success
    } else {
        Exit::Failed
    })
}
