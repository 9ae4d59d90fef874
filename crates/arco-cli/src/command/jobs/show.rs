//! `arco jobs show`.

use arco_wire::api::Job;
use clap::Args;

use super::list::selection;
use crate::client::Client;
use crate::console::Console;
use crate::failure::{Exit, Outcome};
use crate::render::{Paint, instant};

#[cfg(test)]
mod tests;

/// Show one job
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Name of the job
    job: String,
    /// Its code location, when several have a job of this name
    #[arg(long, value_name = "NAME")]
    location: Option<String>,
}

pub(super) async fn run(options: &Options, client: &Client, console: &Console) -> Outcome {
    let job: Job = client
        .get(["jobs", &options.job])
        .query_opt("location", options.location.as_ref())
        .patient()
        .send()
        .await?;
    console.document(&job, |paint| render(&job, paint));
    console.hint(&format!("arco run --job {}", job.shown.name));
    Ok(Exit::Success)
}

fn render(job: &Job, paint: Paint) -> String {
    let shown = &job.shown;
    let mut lines = Vec::new();
    let mut line = |name: &str, value: String| {
        if !value.is_empty() {
            lines.push(format!("{} {value}", paint.dim(&format!("{name:<12}"))));
        }
    };
    line("job", paint.bold(&shown.name));
    line("description", job.description.clone().unwrap_or_default());
    line("location", shown.location.clone());
    line("selection", selection(&shown.selection));
    let keys: Vec<&str> = job.assets.iter().map(|key| key.as_str()).collect();
    let more = shown.asset_count.saturating_sub(keys.len() as u64);
    line(
        "assets",
        match more {
            0 => keys.join(", "),
            more => format!("{} and {more} more", keys.join(", ")),
        },
    );
    let example = shown.partition_example.as_ref();
    line(
        "partition",
        example.map_or_else(String::new, |key| format!("such as {key}")),
    );
    line("tags", tags(&shown.tags));
    if job.run_tags != shown.tags {
        line("run tags", tags(&job.run_tags));
    }
    line("owners", job.owners.join(", "));
    line("config", text(job.config.as_ref()));
    line("retry", text(job.retry.as_ref()));
    if let Some(run) = &shown.latest_run {
        let status = paint.status(run.status.as_str());
        line(
            "last run",
            format!("{} {status} {}", run.id, instant(run.requested.0)),
        );
    }
    lines.join("\n")
}

fn tags(tags: &std::collections::BTreeMap<String, String>) -> String {
    let words: Vec<String> = tags
        .iter()
        .map(|(key, value)| format!("{key}={value}"))
        .collect();
    words.join(", ")
}

fn text(value: Option<&serde_json::Value>) -> String {
    value.map(ToString::to_string).unwrap_or_default()
}
