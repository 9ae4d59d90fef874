//! `arco backfill create` and `arco backfill plan`.

use std::collections::BTreeMap;

use arco_wire::api::{
    Backfill, BackfillCreated, BackfillFilter, BackfillLeftOut, BackfillOrder, BackfillPartitions,
    BackfillPreview, CreateBackfill, PartitionWanted, SelectionText,
};
use clap::Args;

use super::show;
use crate::args::parse_tag;
use crate::client::{CallError, Client};
use crate::command::ask;
use crate::console::Console;
use crate::failure::{Attempt, Exit, Failure, Outcome};
use crate::random;
use crate::render::{Column, Paint, Table, plural};

// Which partitions of which assets. No doc comment: it would be the long help of `plan`.
#[derive(Debug, Clone, Args)]
#[command(about = "Show what a backfill would do: runs, rounds, what is left out")]
#[group(skip)]
pub(super) struct Asked {
    /// Assets, as for `arco run`
    #[arg(required = true, value_name = "SELECTION")]
    selection: Vec<String>,
    /// An inclusive range of partitions, or one; may be repeated. What lies downstream follows by the mappings
    #[arg(
        long = "range",
        short = 'r',
        alias = "partition",
        value_name = "KEY|FIRST...LAST"
    )]
    ranges: Vec<String>,
    /// A file with keys, one a line
    #[arg(long, value_name = "FILE", conflicts_with = "all")]
    keys_file: Option<String>,
    /// Every partition that exists
    #[arg(long, conflicts_with = "ranges")]
    all: bool,
    /// Only partitions that were never materialized; with --failed either
    #[arg(long)]
    missing: bool,
    /// Only partitions whose last attempt failed; with --missing either
    #[arg(long)]
    failed: bool,
    /// Keys of a dimension, separated by commas; may be repeated
    #[arg(long = "dimension", value_name = "NAME=KEY,…", value_parser = dimension)]
    dimensions: Vec<(String, String)>,
    /// Partitions that one run makes, in place of what the assets say; 0 for all in one run
    #[arg(long, value_name = "N")]
    partitions_per_run: Option<u32>,
    /// Refuse it when some partition needs a parent partition that does not exist
    #[arg(long)]
    refuse_left_out: bool,
}

/// Make many partitions: one run for each, or as the assets' backfill policies say
#[derive(Debug, Args)]
#[group(skip)]
pub(super) struct Options {
    #[command(flatten)]
    asked: Asked,
    #[command(flatten)]
    pub(super) settings: Settings,
    /// For people
    #[arg(long, value_name = "TEXT")]
    title: Option<String>,
    /// For people
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,
    /// A tag of its runs; may be repeated
    #[arg(long = "tag", value_name = "KEY=VALUE", value_parser = parse_tag)]
    tags: Vec<(String, String)>,
    /// Run configuration: JSON text, or a file that holds it
    #[arg(long, value_name = "FILE|JSON")]
    config: Option<String>,
    /// The same key and request again, within a day, is the same backfill
    #[arg(long, value_name = "KEY")]
    idempotency_key: Option<String>,
}

/// How it goes on.
#[derive(Debug, Clone, Args)]
#[group(skip)]
pub(super) struct Settings {
    /// Runs that go on at once, at most; 50 when nothing is said
    #[arg(long, value_name = "N")]
    pub(super) concurrency: Option<u32>,
    /// Of its runs to come: higher goes first
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub(super) priority: Option<i32>,
    /// Which partitions come first: oldest, newest
    #[arg(long, value_name = "ORDER", value_parser = order)]
    pub(super) order: Option<BackfillOrder>,
    /// Runs begun in a minute, at most; 0 for no such limit
    #[arg(long, value_name = "N")]
    pub(super) runs_per_minute: Option<u32>,
}

fn dimension(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, keys)) if !name.is_empty() && !keys.is_empty() => {
            Ok((name.to_owned(), keys.to_owned()))
        }
        _ => Err("the keys of a dimension look like `region=eu,us`".into()),
    }
}

fn order(text: &str) -> Result<BackfillOrder, String> {
    match text {
        "oldest" => Ok(BackfillOrder::Oldest),
        "newest" => Ok(BackfillOrder::Newest),
        _ => Err("orders are `oldest` and `newest`".into()),
    }
}

impl Asked {
    fn wire(&self) -> Outcome<CreateBackfill> {
        Ok(CreateBackfill {
            selection: SelectionText::Many(self.selection.clone()),
            partitions: self.partitions()?,
            partitions_per_run: self.partitions_per_run,
            refuse_left_out: self.refuse_left_out,
            ..CreateBackfill::default()
        })
    }

    fn partitions(&self) -> Outcome<Option<BackfillPartitions>> {
        let mut keys = self.ranges.clone();
        if let Some(file) = &self.keys_file {
            let text = std::fs::read_to_string(file)
                .attempt(|| format!("could not read the keys in `{file}`"))?;
            let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
            keys.extend(lines.map(str::to_owned));
            if keys.is_empty() {
                return Err(Failure::new(format!("`{file}` holds no key")));
            }
        }
        let mut filter = BackfillFilter::default();
        for (status, wanted) in [
            (self.missing, PartitionWanted::Missing),
            (self.failed, PartitionWanted::Failed),
        ] {
            if status {
                filter.statuses.insert(wanted);
            }
        }
        let mut dimensions: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (name, values) in &self.dimensions {
            let values = values.split(',').map(|key| key.trim().to_owned());
            dimensions.entry(name.clone()).or_default().extend(values);
        }
        filter.dimensions = dimensions;
        if filter != BackfillFilter::default() {
            filter.keys = keys;
            return Ok(Some(BackfillPartitions::Filter(filter)));
        }
        Ok(match (self.all, keys.is_empty()) {
            (true, _) => Some(BackfillPartitions::All),
            (false, false) => Some(BackfillPartitions::Keys(keys)),
            (false, true) => None,
        })
    }
}

pub(super) async fn run(options: &Options, client: &Client, console: &Console) -> Outcome {
    let settings = &options.settings;
    let body = CreateBackfill {
        title: options.title.clone(),
        description: options.description.clone(),
        tags: options.tags.iter().cloned().collect(),
        config: ask::read_config(options.config.as_deref())?,
        concurrency: settings.concurrency,
        priority: settings.priority,
        order: settings.order,
        runs_per_minute: settings.runs_per_minute,
        ..options.asked.wire()?
    };
    // A lost answer leaves open whether it was made; under one key asking again is safe.
    let key = options
        .idempotency_key
        .clone()
        .unwrap_or_else(random::token);
    let request = client
        .post(["backfills"])
        .json(&body)
        .idempotent(&key)
        .patient();
    let made: BackfillCreated = match request.send().await {
        Ok(made) => made,
        Err(error) => return Err(explain(client, error).await),
    };
    announce(&made, console);
    Ok(Exit::Success)
}

/// A refusal, with the mend in words of this command.
async fn explain(client: &Client, error: CallError) -> Failure {
    let mend = (error.code() == Some("partition_missing")).then_some(
        "--range KEY or --range FIRST...LAST names partitions, --all means every one that exists",
    );
    let failure = ask::explain(client, error).await;
    failure.hints(mend.map(str::to_owned))
}

/// Says what was made, and how to follow it.
pub(super) fn announce(made: &BackfillCreated, console: &Console) {
    let id = made.backfill.id;
    let word = if made.created {
        "made"
    } else {
        "was made before"
    };
    console.note(&format!("backfill {id} {word}: {}", size(&made.backfill)));
    console.document(&made, |_| id.to_string());
    for line in left_out(&made.backfill.left_out) {
        console.note(&line);
    }
    console.hint(&format!("arco backfill show {id}"));
}

fn size(backfill: &Backfill) -> String {
    let progress = &backfill.progress;
    format!(
        "{} in {}",
        plural(progress.partitions, "partition"),
        plural(progress.runs, "run")
    )
}

pub(super) fn left_out(rows: &[BackfillLeftOut]) -> Vec<String> {
    let line = |row: &BackfillLeftOut| {
        let from = row.first.as_ref().map(|key| format!(" from `{key}` on"));
        let lacks = row
            .lacks
            .as_ref()
            .map(|key| format!("partition `{key}` of "));
        format!(
            "left out: {} of {}{}, for want of {}{}",
            plural(row.partitions, "partition"),
            row.asset,
            from.unwrap_or_default(),
            lacks.unwrap_or_default(),
            row.parent
        )
    };
    rows.iter().map(line).collect()
}

pub(super) async fn plan(asked: &Asked, client: &Client, console: &Console) -> Outcome {
    let request = client
        .post(["backfills", "plan"])
        .json(&asked.wire()?)
        .patient();
    let preview: BackfillPreview = match request.send().await {
        Ok(preview) => preview,
        Err(error) => return Err(explain(client, error).await),
    };
    console.document(&preview, |paint| render(&preview, paint));
    Ok(Exit::Success)
}

pub(super) fn render(preview: &BackfillPreview, paint: Paint) -> String {
    let mut table = Table::new([
        Column::number("unit"),
        Column::text("assets"),
        Column::number("partitions"),
        Column::text("first"),
        Column::text("last"),
        Column::number("a run"),
        Column::number("runs"),
        Column::text("after"),
    ]);
    for (number, unit) in preview.units.iter().enumerate() {
        let needs: Vec<String> = unit.needs.iter().map(ToString::to_string).collect();
        table.row([
            number.to_string(),
            show::keys(&unit.assets),
            unit.partitions.map_or_else(String::new, |n| n.to_string()),
            unit.first.clone().unwrap_or_default(),
            unit.last.clone().unwrap_or_default(),
            unit.partitions_per_run.to_string(),
            unit.runs.to_string(),
            needs.join(", "),
        ]);
    }
    let mut lines = vec![
        table.render(paint),
        format!(
            "{} of {} in {}, {}",
            plural(preview.materializations, "materialization"),
            plural(preview.partitions, "partition"),
            plural(preview.runs, "run"),
            plural(preview.rounds, "round")
        ),
    ];
    lines.extend(left_out(&preview.left_out));
    lines.join("\n")
}
