//! `arco definitions`: code locations, what they define, who serves them, what did not load.

use arco_wire::api::{Definitions, HostState, Location};
use clap::Args;

use crate::args::Connection;
use crate::client::Client;
use crate::console::Console;
use crate::failure::{Exit, Outcome};
use crate::render::{Column, Paint, Table, instant};

#[cfg(test)]
mod tests;

/// List code locations and what did not load
#[derive(Debug, Args)]
pub(crate) struct Options {
    #[command(flatten)]
    connection: Connection,
}

pub(crate) async fn run(options: &Options, console: &Console) -> Outcome {
    let client = Client::new(&options.connection)?;
    let definitions: Definitions = client.get(["definitions"]).patient().send().await?;
    if definitions.locations.is_empty() && !console.is_json() {
        console.note("no code location has announced its definitions");
        console.hint("arco worker TARGET --server URL --location NAME");
        return Ok(Exit::Success);
    }
    console.document(&definitions, |paint| render(&definitions, paint));
    Ok(Exit::Success)
}

fn render(definitions: &Definitions, paint: Paint) -> String {
    let mut table = Table::new([
        Column::text("location"),
        Column::text("version"),
        Column::text("deployed"),
        Column::number("assets"),
        Column::number("checks"),
        Column::number("hosts"),
        Column::status("last load"),
    ]);
    for location in &definitions.locations {
        let alive = location
            .hosts
            .iter()
            .filter(|host| host.state == HostState::Alive)
            .count();
        table.row([
            location.name.clone(),
            location
                .version
                .map(|version| version.short())
                .unwrap_or_default(),
            location
                .deployed
                .map(|at| instant(at.0))
                .unwrap_or_default(),
            location.assets.to_string(),
            location.checks.to_string(),
            alive.to_string(),
            if location.failure.is_some() {
                "failed".into()
            } else {
                "ok".into()
            },
        ]);
    }
    let mut text = table.render(paint);
    for location in &definitions.locations {
        if let Some(shown) = failure(location, paint) {
            text.push_str("\n\n");
            text.push_str(&shown);
        }
    }
    text
}

/// Why a location did not load.
pub(crate) fn failure(location: &Location, paint: Paint) -> Option<String> {
    let failure = location.failure.as_ref()?;
    let stays = match location.version {
        Some(version) => format!("definitions {} stay", version.short()),
        None => "it has no definitions yet".to_owned(),
    };
    let heading = format!("location `{}` did not load; {stays}", location.name);
    let body = if failure.error.traceback.trim().is_empty() {
        format!("{}: {}", failure.error.kind, failure.error.message)
    } else {
        failure.error.traceback.trim_end().to_owned()
    };
    let indented: Vec<String> = body.lines().map(|line| format!("  {line}")).collect();
    Some(format!(
        "{} {heading}\n{}",
        paint.red("error:"),
        indented.join("\n")
    ))
}
