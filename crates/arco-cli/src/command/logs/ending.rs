//! How the attempt ended whose output was shown: what it raised, and who goes on.

use arco_wire::api::{Attempt, Task, TaskStatus, TaskSummary};

use super::Options;
use crate::client::Client;
use crate::command::task_name::label;
use crate::console::Console;
use crate::failure::Outcome;
use crate::render::cut;

#[cfg(test)]
mod tests;

/// Says it on stderr; whether there was anything to say.
pub(super) async fn show(
    options: &Options,
    client: &Client,
    console: &Console,
    run: &str,
    task: &TaskSummary,
    attempt: u32,
) -> Outcome<bool> {
    if !options.follow && task.attempts == 1 && task.status == TaskStatus::Succeeded {
        return Ok(false);
    }
    let task: Task = client
        .get(["runs", run, "tasks", &task.task.to_string()])
        .patient()
        .send()
        .await?;
    let Some(tried) = task.tries.iter().find(|tried| tried.number == attempt) else {
        return Ok(false);
    };
    let error = raised(tried);
    if let Some(text) = &error {
        let what = format!(
            "── {} {} attempt {attempt} error",
            task.summary.task,
            label(&task.summary)
        );
        console.note(&console.paint_err().dim(&what));
        console.note(text);
    }
    if options.follow
        && options.attempt.is_none()
        && let Some(next) = goes_on(run, &task.summary, tried)
    {
        console.note(&next);
    }
    Ok(error.is_some())
}

/// What the body raised, or how the process ended.
fn raised(tried: &Attempt) -> Option<String> {
    let error = tried.error.as_ref()?;
    let traceback = error.traceback.trim_end();
    let message = format!("{}: {}", error.kind, error.message);
    Some(if traceback.is_empty() {
        cut(&message).into_owned()
    } else if traceback.ends_with(message.trim_end()) {
        cut(traceback).into_owned()
    } else {
        format!("{}\n{}", cut(traceback), cut(&message))
    })
}

/// Who goes on after an attempt that is over.
fn goes_on(run: &str, task: &TaskSummary, tried: &Attempt) -> Option<String> {
    let number = tried.number;
    let class = tried
        .class
        .as_ref()
        .map_or("released", |class| class.as_str());
    if task.attempts > number {
        let next = task.attempts;
        return Some(format!(
            "attempt {number} is over ({class}); attempt {next} runs: arco logs {run} {} --attempt {next} -f",
            task.task
        ));
    }
    matches!(task.status, TaskStatus::Retrying | TaskStatus::Ready).then(|| {
        format!(
            "attempt {number} is over ({class}); another follows: arco logs {run} {} -f",
            task.task
        )
    })
}
