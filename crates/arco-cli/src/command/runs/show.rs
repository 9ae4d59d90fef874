//! `arco runs show`.

use arco_core::event::{RerunKind, RunTimeLimit};
use arco_wire::api::{
    OutputStatus, RerunOf, Retried, Run, RunStatus, RunSummary, RunTimedOut, SkipCause,
    TaskFailure, TaskOutput, TaskStatus, TaskSummary, TimeLimits,
};
use clap::Args;
use serde::Serialize;

use super::RunName;
use super::list::took;
use crate::client::{Client, all_pages};
use crate::command::task_name::{label, step_label};
use crate::console::Console;
use crate::failure::{Exit, Outcome};
use crate::render::{Column, Paint, Table, cut, duration, instant, plural};

#[cfg(test)]
mod tests;

/// Show one run
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// A run, or `latest`
    run: RunName,
    /// List its tasks
    #[arg(long)]
    tasks: bool,
    /// Only tasks with these statuses: waiting, ready, leased, running, retrying, succeeded, failed, skipped, cancelled
    #[arg(long, value_name = "STATUS", value_delimiter = ',', requires = "tasks")]
    status: Vec<String>,
    /// List at most this many tasks
    #[arg(long, default_value_t = 1_000, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    limit: u32,
}

/// Assets of one outcome that are named of a task.
const OUTPUTS: usize = 5;
/// Runs of a lineage that are shown: the newest, which are what one looks for.
const LINEAGE: usize = 100;

/// The document of `--json`.
#[derive(Debug, Serialize)]
struct Shown {
    #[serde(flatten)]
    run: Run,
    /// The first run and all reruns, oldest first; empty when there is no rerun.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    lineage: Vec<RunSummary>,
    #[serde(skip_serializing_if = "Option::is_none")]
    task_list: Option<Vec<TaskSummary>>,
}

pub(super) async fn run(options: &Options, client: &Client, console: &Console) -> Outcome {
    let id = options.run.resolve(client).await?;
    let run: Run = client.get(["runs", &id]).patient().send().await?;
    let task_list = if options.tasks {
        let status = (!options.status.is_empty()).then(|| options.status.join(","));
        let request = client
            .get(["runs", &id, "tasks"])
            .query_opt("status", status)
            .patient();
        Some(all_pages(&request, options.limit as usize).await?)
    } else {
        None
    };
    let lineage = lineage(&run, client).await?;
    let shown = Shown {
        run,
        lineage,
        task_list,
    };
    console.document(&shown, |paint| render(&shown, paint));
    Ok(Exit::Success)
}

async fn lineage(run: &Run, client: &Client) -> Outcome<Vec<RunSummary>> {
    let root = match &run.summary.rerun {
        Some(rerun) => rerun.root,
        None => run.summary.id,
    };
    let request = client.get(["runs"]).query("root", root).patient();
    let mut lineage: Vec<RunSummary> = all_pages(&request, LINEAGE).await?;
    lineage.reverse();
    if lineage.len() < 2 {
        lineage.clear();
    }
    Ok(lineage)
}

/// `it waited in the queue for longer than 10 min`.
fn timed_out(of: &RunTimedOut) -> String {
    let what = match of.limit {
        RunTimeLimit::Queue => "it waited in the queue",
        RunTimeLimit::Run => "it went on",
    };
    format!("{what} for longer than {}", duration(of.limit_ms))
}

/// `queue 10 min, run 1.0 h`.
fn limits(times: &TimeLimits) -> String {
    let rows = [
        ("queue", times.queue_ms),
        ("start", times.start_ms),
        ("run", times.run_ms),
    ];
    let said = rows.into_iter().filter_map(|(what, ms)| Some((what, ms?)));
    let said = said.map(|(what, ms)| match ms {
        0 => format!("{what} none"),
        ms => format!("{what} {}", duration(ms)),
    });
    said.collect::<Vec<_>>().join(", ")
}

fn render(shown: &Shown, paint: Paint) -> String {
    let run = &shown.run.summary;
    let mut lines = Vec::new();
    let mut line = |name: &str, value: String| {
        if !value.is_empty() {
            lines.push(format!("{} {value}", paint.dim(&format!("{name:<12}"))));
        }
    };
    line("run", paint.bold(&run.id.to_string()));
    line("status", paint.status(run.status.as_str()));
    line(
        "timed out",
        run.timed_out.as_ref().map(timed_out).unwrap_or_default(),
    );
    line(
        "rerun of",
        run.rerun.as_ref().map(rerun_of).unwrap_or_default(),
    );
    line(
        "retried",
        run.retried.as_ref().map(retried).unwrap_or_default(),
    );
    let job = run.job.as_ref();
    line("job", job.map(|job| job.name.clone()).unwrap_or_default());
    line("tick", run.tick.clone().unwrap_or_default());
    line("evaluation", run.evaluation.clone().unwrap_or_default());
    line("selection", run.selection.clone().unwrap_or_default());
    let checks = run.asset_checks.as_ref();
    line(
        "checks",
        checks.map(|checks| checks.join(", ")).unwrap_or_default(),
    );
    line("partitions", run.partitions.clone().unwrap_or_default());
    let keys: Vec<&str> = run.assets.iter().take(10).map(|key| key.as_str()).collect();
    let more = if run.asset_count > keys.len() as u64 {
        ", …"
    } else {
        ""
    };
    line("assets", format!("{}{more}", keys.join(", ")));
    line(
        "requested",
        format!("{} by {}", instant(run.requested.0), run.requested_by),
    );
    line(
        "started",
        run.started.map(|at| instant(at.0)).unwrap_or_default(),
    );
    line(
        "ended",
        run.ended.map(|at| instant(at.0)).unwrap_or_default(),
    );
    line("took", took(run).unwrap_or_default());
    line("run key", run.run_key.clone().unwrap_or_default());
    let tags: Vec<String> = run
        .tags
        .iter()
        .map(|(key, value)| format!("{key}={value}"))
        .collect();
    line("tags", tags.join(", "));
    line(
        "config",
        if shown.run.config.is_null() {
            String::new()
        } else {
            shown.run.config.to_string()
        },
    );
    line("limits", limits(&shown.run.time_limits));
    line("tasks", counts(run));
    line("made", plural(run.materializations, "materialization"));
    if run.checks_passed + run.checks_failed > 0 {
        line(
            "checks",
            format!("{} passed, {} failed", run.checks_passed, run.checks_failed),
        );
    }
    let mut text = lines.join("\n");
    if !shown.run.failures.is_empty() {
        text.push_str("\n\n");
        text.push_str(&failures(&shown.run, true, paint));
    }
    if !shown.lineage.is_empty() {
        text.push_str("\n\n");
        text.push_str(&lineage_table(&shown.lineage, run, paint));
    }
    if let Some(tasks) = &shown.task_list {
        text.push_str("\n\n");
        text.push_str(&task_table(tasks, paint));
    }
    text
}

/// `365 succeeded, 2 failed, 1 skipped of 400`.
fn counts(run: &arco_wire::api::RunSummary) -> String {
    let tasks = &run.tasks;
    let parts = [
        (tasks.succeeded, "succeeded"),
        (tasks.failed, "failed"),
        (tasks.skipped, "skipped"),
        (tasks.cancelled, "cancelled"),
        (tasks.running + tasks.leased, "running"),
        (tasks.retrying, "retrying"),
        (tasks.ready, "ready"),
        (tasks.waiting, "waiting"),
    ];
    let shown: Vec<String> = parts
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, word)| format!("{count} {word}"))
        .collect();
    format!("{} of {}", shown.join(", "), tasks.total)
}

/// `run_… (from failure)`, `run_… (a, with downstream)`.
fn rerun_of(rerun: &RerunOf) -> String {
    let automatic = match rerun.retry {
        Some(number) => format!("automatic retry {number}, "),
        None => String::new(),
    };
    format!("{} ({automatic}{})", rerun.parent, what_again(rerun))
}

/// `by run_… (automatic retry 1)`, `automatic retry 1 is about to be made`.
fn retried(retried: &Retried) -> String {
    let number = retried.number;
    match (&retried.by, &retried.dropped) {
        (Some(by), _) => format!("by {by} (automatic retry {number})"),
        (None, Some(reason)) => format!("automatic retry {number} could not be made: {reason}"),
        (None, None) => format!("automatic retry {number} is about to be made"),
    }
}

fn what_again(rerun: &RerunOf) -> String {
    match rerun.kind {
        RerunKind::Whole => "whole".to_owned(),
        RerunKind::FromFailure => "from failure".to_owned(),
        RerunKind::Subset => {
            let mut words = vec![rerun.selection.as_deref().unwrap_or_default()];
            words.extend(rerun.with_upstream.then_some("with upstream"));
            words.extend(rerun.with_downstream.then_some("with downstream"));
            words.join(", ")
        }
    }
}

fn lineage_table(lineage: &[RunSummary], of: &RunSummary, paint: Paint) -> String {
    let mut table = Table::new([
        Column::text("lineage"),
        Column::status("status"),
        Column::text("requested"),
        Column::number("tasks"),
        Column::text("again"),
        Column::text("of"),
    ]);
    for run in lineage {
        let mark = if run.id == of.id { "* " } else { "  " };
        table.row([
            format!("{mark}{}", run.id),
            run.status.as_str().into(),
            instant(run.requested.0),
            format!("{}/{}", run.tasks.done(), run.tasks.total),
            run.rerun.as_ref().map(what_again).unwrap_or_default(),
            run.rerun
                .as_ref()
                .map(|rerun| rerun.parent.to_string())
                .unwrap_or_default(),
        ]);
    }
    table.render(paint)
}

fn task_table(tasks: &[TaskSummary], paint: Paint) -> String {
    let mut table = Table::new([
        Column::number("task"),
        Column::text("step"),
        Column::status("status"),
        Column::number("attempts"),
        Column::number("took"),
        Column::text("why"),
    ]);
    for task in tasks {
        let took = match (task.started, task.ended) {
            (Some(started), Some(ended)) => crate::render::duration(ended.0.ms_since(started.0)),
            _ => String::new(),
        };
        table.row([
            task.task.to_string(),
            label(task),
            status_word(task),
            task.attempts.to_string(),
            took,
            why(task),
        ]);
    }
    table.render(paint)
}

fn status_word(task: &TaskSummary) -> String {
    serde_json::to_value(task.status)
        .ok()
        .and_then(|word| word.as_str().map(str::to_owned))
        .unwrap_or_default()
}

fn why(task: &TaskSummary) -> String {
    if let Some(skipped) = &task.skipped {
        return match skipped.because {
            SkipCause::UpstreamFailed => format!("task {} failed", skipped.task),
            SkipCause::CheckFailed => format!("a blocking check of task {} failed", skipped.task),
            SkipCause::UpstreamCancelled => format!("task {} was cancelled", skipped.task),
            SkipCause::OutputNotMade => {
                let asset = skipped.asset.as_ref().map(|asset| asset.as_str());
                let what = asset.or(skipped.output.as_deref());
                let what = what.unwrap_or("what is read");
                format!("task {} did not make {what}", skipped.task)
            }
        };
    }
    [failure(task), outputs(task)]
        .into_iter()
        .filter(|words| !words.is_empty())
        .collect::<Vec<_>>()
        .join("; ")
}

/// `a, b made; c not made`: where they differ, or one was not made.
fn outputs(task: &TaskSummary) -> String {
    let statuses = &task.output_statuses;
    let plain = |output: &TaskOutput| {
        matches!(
            output.status,
            OutputStatus::Materialized | OutputStatus::Pending
        )
    };
    let same = |output: &TaskOutput| output.status == statuses[0].status;
    if statuses.iter().all(|output| same(output) && plain(output))
        || (statuses.iter().all(same) && task.status != TaskStatus::Succeeded)
    {
        return String::new();
    }
    let mut groups: Vec<(OutputStatus, Vec<&str>)> = Vec::new();
    for output in statuses {
        match groups
            .iter_mut()
            .find(|(status, _)| *status == output.status)
        {
            Some((_, assets)) => assets.push(output.asset.as_str()),
            None => groups.push((output.status, vec![output.asset.as_str()])),
        }
    }
    let groups = groups.iter().map(|(status, assets)| {
        let shown = assets.iter().take(OUTPUTS).copied().collect::<Vec<_>>();
        let more = assets.len().saturating_sub(OUTPUTS);
        let more = if more > 0 {
            format!(" and {more} more")
        } else {
            String::new()
        };
        format!("{}{more} {}", shown.join(", "), status.as_str())
    });
    groups.collect::<Vec<_>>().join("; ")
}

fn failure(task: &TaskSummary) -> String {
    match (&task.class, &task.error) {
        (Some(class), Some(error)) => format!("{}: {}", class.as_str(), cut(error)),
        _ if task.blocked => "a blocking check failed".into(),
        _ => String::new(),
    }
}

/// The tasks that failed: what, why, and how to read more.
pub(crate) fn failures(run: &Run, tracebacks: bool, paint: Paint) -> String {
    let mut blocks: Vec<String> = run
        .failures
        .iter()
        .map(|failure| one_failure(run, failure, tracebacks, paint))
        .collect();
    let more = u64::from(run.summary.tasks.failed).saturating_sub(run.failures.len() as u64);
    if more > 0 {
        blocks.push(format!(
            "… and {}: arco runs show {} --tasks --status failed",
            plural(more, "more failed task"),
            run.summary.id
        ));
    }
    blocks.join("\n")
}

fn one_failure(run: &Run, failure: &TaskFailure, tracebacks: bool, paint: Paint) -> String {
    let key = failure.mapping_key.as_deref();
    let name = step_label(&failure.step, key, failure.partition.as_deref(), 1);
    let class = failure.class.as_str();
    let error = &failure.error;
    let mut text = format!(
        "{} {} {} ({class}): {}: {}",
        paint.red("failed:"),
        failure.task,
        paint.bold(&name),
        error.kind,
        cut(&error.message)
    );
    if tracebacks && !error.traceback.trim().is_empty() {
        for line in cut(error.traceback.trim_end()).lines() {
            text.push_str(&format!("\n    {line}"));
        }
    }
    text.push_str(&format!(
        "\n  {} arco logs {} {}",
        paint.cyan("hint:"),
        run.summary.id,
        failure.task
    ));
    text
}

/// One line on how a run went.
pub(crate) fn outcome(run: &Run, paint: Paint) -> String {
    let summary = &run.summary;
    let took = took(summary)
        .map(|took| format!(" in {took}"))
        .unwrap_or_default();
    let checks = match summary.checks_passed + summary.checks_failed {
        0 => String::new(),
        _ => format!(
            "; checks: {} passed, {} failed",
            summary.checks_passed, summary.checks_failed
        ),
    };
    let word = match summary.status {
        RunStatus::Success => paint.green("succeeded"),
        RunStatus::Failure => paint.red("failed"),
        RunStatus::Canceled => paint.yellow("was cancelled"),
        status => status.as_str().to_owned(),
    };
    let late = summary.timed_out.as_ref().map(timed_out);
    let late = late.map(|late| format!("; {late}")).unwrap_or_default();
    format!(
        "run {} {word}{took}: {}{checks}{late}",
        summary.id,
        counts(summary)
    )
}
