//! `arco runs list`.

use arco_wire::api::{Asset, Page, RunSummary};
use clap::Args;

use crate::client::{Client, all_pages};
use crate::console::Console;
use crate::failure::{Exit, Outcome};
use crate::render::{Column, Paint, Table, duration, instant};

#[cfg(test)]
pub(in crate::command) mod tests;

/// List runs, newest first
#[derive(Debug, Args)]
#[group(skip)]
pub(crate) struct Options {
    /// Only these: queued, started, canceling, success, failure, canceled
    #[arg(long, value_name = "STATUS", value_delimiter = ',')]
    status: Vec<String>,
    /// Only runs of this asset
    #[arg(long, value_name = "KEY")]
    asset: Option<String>,
    /// Only runs with this tag
    #[arg(long = "tag", value_name = "KEY=VALUE|KEY")]
    tag: Option<String>,
    /// Only the run with this key
    #[arg(long, value_name = "KEY")]
    run_key: Option<String>,
    /// Only runs of this job; `__ASSET_JOB` for runs of none
    #[arg(long, value_name = "NAME")]
    job: Option<String>,
    /// Only reruns of this run
    #[arg(long, value_name = "RUN")]
    parent: Option<String>,
    /// Only this run and its reruns, over all generations
    #[arg(long, value_name = "RUN")]
    root: Option<String>,
    /// At most this many
    #[arg(long, default_value_t = 20, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    limit: u32,
}

pub(super) async fn run(options: &Options, client: &Client, console: &Console) -> Outcome {
    let status = (!options.status.is_empty()).then(|| options.status.join(","));
    let mut request = client
        .get(["runs"])
        .query_opt("status", status)
        .query_opt("asset", options.asset.as_ref())
        .query_opt("run_key", options.run_key.as_ref())
        .query_opt("job", options.job.as_ref())
        .query_opt("parent", options.parent.as_ref())
        .query_opt("root", options.root.as_ref())
        .patient();
    if let Some(tag) = &options.tag {
        request = request.query("tag", tag);
    }
    let rows: Vec<RunSummary> = all_pages(&request, options.limit as usize).await?;
    if rows.is_empty() && !console.is_json() {
        nothing(options, client, console).await?;
        return Ok(Exit::Success);
    }
    let page = Page {
        items: rows,
        next_page_token: None,
    };
    console.document(&page, |paint| render(&page.items, paint));
    Ok(Exit::Success)
}

/// Why the list is empty: no run at all, none that matches, or a filter that never can.
async fn nothing(options: &Options, client: &Client, console: &Console) -> Outcome<()> {
    let filters = filters(options);
    if filters.is_empty() {
        console.note("no runs");
        console.hint("arco run SELECTION starts one");
        return Ok(());
    }
    if let Some(asset) = &options.asset {
        // Refused when it is not defined, with what may be meant.
        let _: Asset = client.get(["assets", asset]).patient().send().await?;
    }
    console.note(&format!("no run matches {filters}"));
    Ok(())
}

/// The filters as they were given.
fn filters(options: &Options) -> String {
    let status = (!options.status.is_empty()).then(|| options.status.join(","));
    let given = [
        ("--status", status.as_ref()),
        ("--asset", options.asset.as_ref()),
        ("--run-key", options.run_key.as_ref()),
        ("--job", options.job.as_ref()),
    ];
    let mut words: Vec<String> = given
        .into_iter()
        .filter_map(|(name, value)| Some(format!("{name} {}", value?)))
        .collect();
    words.extend(options.tag.iter().map(|tag| format!("--tag {tag}")));
    words.join(" ")
}

fn render(runs: &[RunSummary], paint: Paint) -> String {
    let mut table = Table::new([
        Column::text("run"),
        Column::status("status"),
        Column::text("requested"),
        Column::number("took"),
        Column::number("tasks"),
        Column::text("selection"),
        Column::text("partitions"),
        Column::text("key"),
    ]);
    for run in runs {
        table.row([
            run.id.to_string(),
            run.status.as_str().into(),
            instant(run.requested.0),
            took(run).unwrap_or_default(),
            format!("{}/{}", run.tasks.done(), run.tasks.total),
            what(run),
            run.partitions.clone().unwrap_or_default(),
            run.run_key.clone().unwrap_or_default(),
        ]);
    }
    table.render(paint)
}

/// From request to end.
pub(super) fn took(run: &RunSummary) -> Option<String> {
    run.ended
        .map(|ended| duration(ended.0.ms_since(run.requested.0)))
}

/// The job, the selection as written, or the assets.
fn what(run: &RunSummary) -> String {
    match (&run.job, &run.selection) {
        (Some(job), None) => return format!("job {}", job.name),
        (Some(job), Some(selection)) => return format!("job {}: {selection}", job.name),
        (None, Some(selection)) => return selection.clone(),
        (None, None) => {}
    }
    if let (Some(checks), true) = (&run.asset_checks, run.assets.is_empty()) {
        return format!("checks {}", checks.join(", "));
    }
    let shown: Vec<&str> = run.assets.iter().take(3).map(|key| key.as_str()).collect();
    let more = if run.asset_count > shown.len() as u64 {
        ", …"
    } else {
        ""
    };
    format!("{}{more}", shown.join(", "))
}
