//! `arco status`: a workspace on one page.

use arco_wire::api::{HostState, WorkspaceStatus};
use clap::Args;

use crate::args::Connection;
use crate::client::Client;
use crate::console::Console;
use crate::failure::{Exit, Outcome};
use crate::render::{Column, Paint, Table, duration, instant, plural};

#[cfg(test)]
mod tests;

/// Show the workspace on one page
#[derive(Debug, Args)]
pub(crate) struct Options {
    #[command(flatten)]
    connection: Connection,
}

pub(crate) async fn run(options: &Options, console: &Console) -> Outcome {
    let client = Client::new(&options.connection)?;
    let status: WorkspaceStatus = client.get(["status"]).patient().send().await?;
    console.document(&status, |paint| render(&status, &client.server(), paint));
    if status.locations_failed > 0 {
        console.hint("`arco definitions` shows what did not load");
    }
    Ok(Exit::Success)
}

fn render(status: &WorkspaceStatus, server: &str, paint: Paint) -> String {
    let leader = match (&status.leader.holder, &status.leader.url) {
        _ if status.leader.here => format!("this server, epoch {}", status.leader.epoch),
        (Some(_), Some(url)) => format!("{url}, epoch {}", status.leader.epoch),
        (Some(holder), None) => format!("{holder}, epoch {}", status.leader.epoch),
        (None, _) => "nobody".into(),
    };
    let failed = match status.locations_failed {
        0 => String::new(),
        count => paint.red(&format!(" ({count} did not load)")),
    };
    let runs = &status.runs;
    let tasks = &status.tasks;
    let lines = [
        (
            "workspace",
            format!(
                "{} at {server} (arco {})",
                paint.bold(&status.workspace),
                status.version
            ),
        ),
        ("leader", leader),
        (
            "log",
            format!("position {}, {}", status.position, instant(status.time.0)),
        ),
        (
            "assets",
            format!(
                "{} in {}{failed}",
                status.assets,
                plural(status.locations, "location")
            ),
        ),
        (
            "runs",
            format!(
                "{} active: {} queued, {} started, {} canceling",
                runs.total, runs.queued, runs.started, runs.canceling
            ),
        ),
        (
            "tasks",
            format!(
                "{} running, {} ready, {} waiting, {} retrying",
                tasks.running + tasks.leased,
                tasks.ready,
                tasks.waiting,
                tasks.retrying
            ),
        ),
    ];
    let mut lines = lines.to_vec();
    if status.schedules > 0 {
        lines.push(("schedules", schedules(status)));
    }
    if let Some(off_ms) = status.clock_off_ms {
        lines.push(("clock", paint.red(&clock(off_ms))));
    }
    let mut text: Vec<String> = lines
        .iter()
        .map(|(name, value)| format!("{} {value}", paint.dim(&format!("{name:<10}"))))
        .collect();
    if status.hosts.is_empty() {
        text.push(format!("{} none", paint.dim(&format!("{:<10}", "hosts"))));
    } else {
        text.push(format!("\n{}", hosts(status, paint)));
    }
    text.join("\n")
}

fn schedules(status: &WorkspaceStatus) -> String {
    let next = status
        .next_due
        .map(|at| format!(", next due {}", instant(at.0)));
    let (running, all) = (status.schedules_running, status.schedules);
    format!("{running} of {all} running{}", next.unwrap_or_default())
}

/// The alarm of a wall clock that was set.
fn clock(off_ms: i64) -> String {
    let by = duration(off_ms.unsigned_abs());
    let way = if off_ms > 0 { "ahead" } else { "behind" };
    format!(
        "the server's wall clock is {by} {way} of where it should be; schedules wait until it is set right, or the server is started again"
    )
}

fn hosts(status: &WorkspaceStatus, paint: Paint) -> String {
    let mut table = Table::new([
        Column::text("location"),
        Column::text("machine"),
        Column::number("pid"),
        Column::number("slots"),
        Column::number("attempts"),
        Column::status("state"),
        Column::text("since"),
    ]);
    for host in &status.hosts {
        table.row([
            host.location.clone(),
            host.hostname.clone(),
            host.pid.to_string(),
            host.slots.to_string(),
            host.attempts.to_string(),
            match host.state {
                HostState::Alive => "alive".into(),
                HostState::Lost => "lost".into(),
            },
            instant(host.registered.0),
        ]);
    }
    table.render(paint)
}
