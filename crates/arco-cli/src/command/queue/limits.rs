//! `arco queue limits`: how much may go on at once, and for how long.

use arco_wire::api::{Granularity, Limits, LimitsChanged, PoolLimit, TagLimit, TimeLimits};
use clap::Args;

use crate::args::milliseconds;
use crate::client::Client;
use crate::console::Console;
use crate::failure::{Exit, Outcome};
use crate::render::{duration, plural};

#[cfg(test)]
mod tests;

/// Show the limits, or change some of them
#[derive(Debug, Args)]
#[group(skip)]
pub(crate) struct Options {
    /// Runs under way at once
    #[arg(long, value_name = "N|none", value_parser = slots)]
    runs: Option<Slots>,
    /// Runs with a tag, all its values together or one value; may be repeated
    #[arg(long = "tag", value_name = "KEY[=VALUE]=N|none", value_parser = named)]
    tags: Vec<(String, Slots)>,
    /// Runs with a tag, for each value by itself; may be repeated
    #[arg(long = "tag-each", value_name = "KEY=N|none", value_parser = named)]
    each: Vec<(String, Slots)>,
    /// Tasks of a pool; may be repeated
    #[arg(long = "pool", value_name = "NAME=N|none", value_parser = named)]
    pools: Vec<(String, Slots)>,
    /// Runs that use a pool; may be repeated
    #[arg(long = "run-pool", value_name = "NAME=N|none", value_parser = named)]
    run_pools: Vec<(String, Slots)>,
    /// Tasks of each pool that has no limit of its own
    #[arg(long, value_name = "N|none", value_parser = slots)]
    pool_default: Option<Slots>,
    /// Fail a run that waits in the queue for longer than this
    #[arg(long, value_name = "SECONDS|none", value_parser = time)]
    queue_timeout: Option<Time>,
    /// Stop and fail an attempt that its host does not begin within this
    #[arg(long, value_name = "SECONDS|none", value_parser = time)]
    start_timeout: Option<Time>,
    /// Stop and fail a run that goes on for longer than this
    #[arg(long, value_name = "SECONDS|none", value_parser = time)]
    max_runtime: Option<Time>,
}

/// A number of slots; none when there is no limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Slots(Option<u32>);

/// Milliseconds; none when there is no limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Time(Option<u64>);

fn time(text: &str) -> Result<Time, String> {
    match text {
        "none" => Ok(Time(None)),
        text => Ok(Time(Some(milliseconds(text)?))),
    }
}

fn slots(text: &str) -> Result<Slots, String> {
    match text {
        "none" => Ok(Slots(None)),
        text => text
            .parse()
            .map(|n| Slots(Some(n)))
            .map_err(|_| "give a number, or `none` for no limit".into()),
    }
}

fn named(text: &str) -> Result<(String, Slots), String> {
    match text.rsplit_once('=') {
        Some((name, n)) if !name.is_empty() => Ok((name.to_owned(), slots(n)?)),
        _ => Err("limits look like `db=2`, or `db=none` for no limit".into()),
    }
}

pub(super) async fn run(options: &Options, client: &Client, console: &Console) -> Outcome {
    let known: Limits = client.get(["limits"]).patient().send().await?;
    let wanted = options.edit(known.clone());
    if wanted == known {
        console.document(&known, |_| render(&known));
        return Ok(Exit::Success);
    }
    let changed: LimitsChanged = client
        .put(["limits"])
        .json(&wanted)
        .patient()
        .send()
        .await?;
    console.document(&changed.limits, |_| render(&changed.limits));
    Ok(Exit::Success)
}

impl Options {
    fn edit(&self, mut limits: Limits) -> Limits {
        if let Some(runs) = self.runs {
            limits.runs = runs.0;
        }
        for (name, slots) in &self.tags {
            let (key, value) = match name.split_once('=') {
                Some((key, value)) => (key, Some(value.to_owned())),
                None => (name.as_str(), None),
            };
            set_tag(&mut limits.tags, key, value, false, *slots);
        }
        for (key, slots) in &self.each {
            set_tag(&mut limits.tags, key, None, true, *slots);
        }
        let tasks = self.pools.iter().map(|pool| (pool, Granularity::Task));
        for ((name, slots), granularity) in
            tasks.chain(self.run_pools.iter().map(|pool| (pool, Granularity::Run)))
        {
            match slots.0 {
                Some(limit) => drop(
                    limits
                        .pools
                        .insert(name.clone(), PoolLimit { limit, granularity }),
                ),
                None => drop(limits.pools.remove(name)),
            }
        }
        if let Some(Slots(limit)) = self.pool_default {
            let granularity = Granularity::Task;
            limits.pool_default = limit.map(|limit| PoolLimit { limit, granularity });
        }
        let times = &mut limits.times;
        for (limit, wanted) in [
            (&mut times.queue_ms, self.queue_timeout),
            (&mut times.start_ms, self.start_timeout),
            (&mut times.run_ms, self.max_runtime),
        ] {
            if let Some(Time(ms)) = wanted {
                *limit = ms;
            }
        }
        limits
    }
}

fn set_tag(
    rules: &mut Vec<TagLimit>,
    key: &str,
    value: Option<String>,
    per_value: bool,
    slots: Slots,
) {
    rules.retain(|rule| {
        (rule.key.as_str(), &rule.value, rule.per_value) != (key, &value, per_value)
    });
    let key = key.to_owned();
    rules.extend(slots.0.map(|limit| TagLimit {
        key,
        value,
        per_value,
        limit,
    }));
}

fn render(limits: &Limits) -> String {
    let mut lines = vec![match limits.runs {
        Some(runs) => format!("runs: {runs} at once"),
        None => "runs: no limit".into(),
    }];
    for rule in &limits.tags {
        let which = match (&rule.value, rule.per_value) {
            (Some(value), _) => format!("{}={value}", rule.key),
            (None, true) => format!("{}, each value", rule.key),
            (None, false) => format!("{}, all values", rule.key),
        };
        lines.push(format!("runs tagged {which}: {} at once", rule.limit));
    }
    let named = limits
        .pools
        .iter()
        .map(|(name, pool)| (format!("pool {name}"), pool));
    let others = limits
        .pool_default
        .iter()
        .map(|pool| ("every other pool".to_owned(), pool));
    for (name, pool) in named.chain(others) {
        let what = match pool.granularity {
            Granularity::Task => "task",
            Granularity::Run => "run",
        };
        let slots = plural(u64::from(pool.limit), what);
        lines.push(format!("{name}: {slots} at once"));
    }
    lines.extend(render_times(&limits.times));
    lines.join("\n")
}

fn render_times(times: &TimeLimits) -> impl Iterator<Item = String> {
    let rows = [
        ("a run waits in the queue", times.queue_ms),
        ("a task waits for its host to begin it", times.start_ms),
        ("a run goes on", times.run_ms),
    ];
    let said = rows.into_iter().filter_map(|(what, ms)| Some((what, ms?)));
    said.map(|(what, ms)| format!("{what}: at most {}", duration(ms)))
}
