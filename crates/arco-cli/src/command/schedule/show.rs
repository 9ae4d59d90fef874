//! `arco schedule show`.

use arco_core::definitions::DefaultStatus;
use arco_wire::api::{Schedule, ScheduleStatus};
use clap::Args;

use super::list::{cron, target};
use super::ticks::came_of;
use crate::client::Client;
use crate::console::Console;
use crate::failure::{Exit, Outcome};
use crate::render::{Paint, instant};

/// Show one schedule
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Name of the schedule
    schedule: String,
}

pub(super) async fn run(options: &Options, client: &Client, console: &Console) -> Outcome {
    let schedule: Schedule = client
        .get(["schedules", &options.schedule])
        .patient()
        .send()
        .await?;
    tell(&schedule, console);
    Ok(Exit::Success)
}

/// The schedule, and what may be done next.
pub(super) fn tell(schedule: &Schedule, console: &Console) {
    console.document(schedule, |paint| render(schedule, paint));
    console.hint(&match schedule.status {
        ScheduleStatus::Running => format!("arco schedule ticks {}", schedule.name),
        ScheduleStatus::Stopped => format!("arco schedule start {}", schedule.name),
    });
}

pub(super) fn render(schedule: &Schedule, paint: Paint) -> String {
    let mut lines = Vec::new();
    let mut line = |name: &str, value: String| {
        if !value.is_empty() {
            lines.push(format!("{} {value}", paint.dim(&format!("{name:<12}"))));
        }
    };
    line("schedule", paint.bold(&schedule.name));
    line(
        "description",
        schedule.description.clone().unwrap_or_default(),
    );
    line("location", schedule.location.clone());
    line(
        "status",
        format!(
            "{} ({})",
            paint.status(schedule.status.as_str()),
            because(schedule)
        ),
    );
    line("owners", schedule.owners.join(", "));
    line("cron", cron(schedule));
    line("runs", target(schedule));
    let tags: Vec<String> = schedule
        .tags
        .iter()
        .map(|(key, value)| format!("{key}={value}"))
        .collect();
    line("tags", tags.join(", "));
    line(
        "config",
        schedule
            .config
            .as_ref()
            .map(ToString::to_string)
            .unwrap_or_default(),
    );
    line("catch-up", catch_up(schedule));
    line("counts from", instant(schedule.since.0));
    line(
        "next",
        schedule.next.map(|at| instant(at.0)).unwrap_or_default(),
    );
    if let Some(tick) = &schedule.last_tick {
        let status = paint.status(tick.status.as_str());
        let at = instant(tick.instant.0);
        line("last tick", format!("{at} {status} {}", came_of(tick)));
    }
    lines.join("\n")
}

/// Who says that it runs, or not.
fn because(schedule: &Schedule) -> String {
    match (&schedule.set, schedule.default_status) {
        (Some(set), _) => format!("set by {} at {}", set.by, instant(set.time.0)),
        (None, DefaultStatus::Running) => "the code says so".into(),
        (None, DefaultStatus::Stopped) => "as the code says".into(),
    }
}

fn catch_up(schedule: &Schedule) -> String {
    use arco_core::definitions::CatchUpPolicy;

    let catch_up = &schedule.catch_up;
    let mut words = match catch_up.policy {
        CatchUpPolicy::Skip => "skip: missed instants are not fired".to_owned(),
        CatchUpPolicy::Latest => "latest: the newest missed instant is fired".to_owned(),
        CatchUpPolicy::All => format!("all: the newest {} are fired", catch_up.max_ticks),
    };
    if let Some(seconds) = catch_up.window_seconds {
        words.push_str(&format!(", none older than {seconds} s"));
    }
    words
}
