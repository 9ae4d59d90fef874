//! `arco jobs list`.

use arco_wire::api::{JobSummary, Page};
use clap::Args;

use crate::client::{Client, all_pages};
use crate::console::Console;
use crate::failure::{Exit, Outcome};
use crate::render::{Column, Paint, Table, instant};

#[cfg(test)]
pub(super) mod tests;

/// List jobs
#[derive(Debug, Args)]
#[group(skip)]
pub(crate) struct Options {
    /// Only the jobs of this code location
    #[arg(long, value_name = "NAME")]
    location: Option<String>,
    /// At most this many
    #[arg(long, default_value_t = 1_000, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    limit: u32,
}

pub(super) async fn run(options: &Options, client: &Client, console: &Console) -> Outcome {
    let request = client
        .get(["jobs"])
        .query_opt("location", options.location.as_ref())
        .patient();
    let rows: Vec<JobSummary> = all_pages(&request, options.limit as usize).await?;
    if rows.is_empty() && !console.is_json() {
        console.note("no jobs");
        console.hint(
            "a job is `define_asset_job(\"name\", selection=...)` in Definitions(jobs=[...])",
        );
        return Ok(Exit::Success);
    }
    let page = Page {
        items: rows,
        next_page_token: None,
    };
    console.document(&page, |paint| render(&page.items, paint));
    Ok(Exit::Success)
}

fn render(jobs: &[JobSummary], paint: Paint) -> String {
    let mut table = Table::new([
        Column::text("job"),
        Column::text("location"),
        Column::text("selection"),
        Column::number("assets"),
        Column::text("partition"),
        Column::status("last run"),
        Column::text("requested"),
    ]);
    for job in jobs {
        let run = job.latest_run.as_ref();
        table.row([
            job.name.clone(),
            job.location.clone(),
            selection(&job.selection),
            job.asset_count.to_string(),
            job.partition_example.clone().unwrap_or_default(),
            run.map(|run| run.status.as_str().to_owned())
                .unwrap_or_default(),
            run.map(|run| instant(run.requested.0)).unwrap_or_default(),
        ]);
    }
    table.render(paint)
}

/// The selections of a job as one text.
pub(super) fn selection(texts: &[String]) -> String {
    texts.join(", ")
}
