//! How the attempt ended whose output was shown: what it raised, and who goes on.

use arco_wire::api::{Attempt, Task, TaskStatus, TaskSummary};

use crate::client::Client;
use crate::command::task_name::label;
use crate::console::Console;
use crate::failure::Outcome;
use crate::render::cut;

#[cfg(test)]
mod tests;

/// Says it on stderr; whether there was anything to say. With `follow`, also who goes on.
pub(super) async fn show(
    client: &Client,
    console: &Console,
    run: &str,
    task: u32,
    attempt: u32,
    follow: bool,
) -> Outcome<bool> {
    let task: Task = client
        .get(["runs", run, "tasks", &task.to_string()])
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
    if follow && let Some(next) = goes_on(&task.summary, tried) {
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
fn goes_on(task: &TaskSummary, tried: &Attempt) -> Option<String> {
    let number = tried.number;
    let class = tried
        .class
        .as_ref()
        .map_or("released", |class| class.as_str());
    let is_due = matches!(task.status, TaskStatus::Retrying | TaskStatus::Ready);
    (task.attempts > number || is_due).then(|| {
        format!(
            "{} attempt {number} is over ({class}); another follows",
            label(task)
        )
    })
}
