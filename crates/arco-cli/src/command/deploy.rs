//! `arco deploy`: loads definitions here, and makes them the current ones of their location.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use arco_wire::api::{Changes, Deploy, Deployed};
use clap::Args;
use serde_json::Value;

use crate::args::Connection;
use crate::client::Client;
use crate::console::Console;
use crate::failure::{Attempt, Exit, Failure, Outcome};
use crate::render::{Paint, plural};
use crate::target::{Target, parse_location};

#[cfg(test)]
mod tests;

/// Load definitions, register them with a server, and show what that changes
#[derive(Debug, Args)]
#[command(
    after_help = "Runs that are under way go on with the definitions they were planned with. Hosts that serve the \
                        location announce the code they have loaded: restart them with the new code."
)]
pub(crate) struct Options {
    /// User code: `definitions.py`, `definitions.py:attr`, `package.module` or `package.module:attr`
    target: String,
    /// Name of the code location; from the target when not given
    #[arg(long, value_name = "LOCATION", value_parser = parse_location)]
    name: Option<String>,
    /// Only show what would change
    #[arg(long)]
    dry_run: bool,
    /// Interpreter; else VIRTUAL_ENV, else `.venv` beside the target or above it, else python3
    #[arg(long, value_name = "PATH")]
    python: Option<PathBuf>,
    #[command(flatten)]
    connection: Connection,
}

pub(crate) async fn run(options: &Options, console: &Console) -> Outcome {
    let current = std::env::current_dir().attempt(|| "could not find the current folder")?;
    let target = Target::parse(&options.target, &current)?;
    let location = options.name.clone().unwrap_or_else(|| target.name.clone());
    let python = options
        .python
        .clone()
        .unwrap_or_else(|| arco_worker::find_python(&target.folder));
    let manifest = load(&target, &location, &python, &current)?;
    let client = Client::new(&options.connection)?;
    let body = Deploy {
        manifest,
        dry_run: options.dry_run,
    };
    // The same manifest again changes nothing.
    let request = client
        .post(["definitions", &location])
        .json(&body)
        .patient();
    let deployed: Deployed = request.send().await?;
    console.document(&deployed, |paint| render(&deployed, options.dry_run, paint));
    Ok(Exit::Success)
}

/// The manifest of the code, by the project's own interpreter.
fn load(target: &Target, location: &str, python: &Path, current: &Path) -> Outcome<Value> {
    let answer = Command::new(python)
        .args(["-m", "arco_flow.manifest", &target.text])
        .args(["--location", location, "--canonical"])
        .current_dir(target.working_dir(current))
        .stdin(Stdio::null())
        .output()
        .attempt(|| format!("could not start the interpreter `{}`", python.display()))
        .map_err(|failure| failure.hint("`--python PATH` names the interpreter of your project"))?;
    if !answer.status.success() {
        let said = String::from_utf8_lossy(&answer.stderr);
        let failure = Failure::new(format!(
            "could not load `{}`; nothing was deployed\n{}",
            target.text,
            said.trim_end()
        ));
        return Err(if said.contains("No module named arco_flow") {
            failure.hint("`--python PATH` names the interpreter of your project")
        } else {
            failure
        });
    }
    // What user code prints while it loads comes first.
    let text = String::from_utf8_lossy(&answer.stdout);
    let last = text.trim_end().lines().last().unwrap_or_default();
    serde_json::from_str(last).attempt(|| {
        format!(
            "could not read what `python -m arco_flow.manifest {}` printed",
            target.text
        )
    })
}

fn render(deployed: &Deployed, dry_run: bool, paint: Paint) -> String {
    let version = deployed.version.short();
    let was = match (&deployed.previous, dry_run) {
        (Some(previous), _) if *previous == deployed.version => "nothing changes".to_owned(),
        (Some(previous), true) => format!("would follow {}", previous.short()),
        (Some(previous), false) => format!("follows {}", previous.short()),
        (None, true) => "would be its first".to_owned(),
        (None, false) => "its first".to_owned(),
    };
    let mut lines = vec![format!(
        "location {}: definitions {version}, {was}",
        paint.bold(&deployed.location)
    )];
    for (noun, changes) in [
        ("asset", &deployed.assets),
        ("check", &deployed.checks),
        ("job", &deployed.jobs),
        ("resource", &deployed.resources),
    ] {
        lines.extend(shown(noun, changes, paint));
    }
    lines.join("\n")
}

/// `  2 assets added: a, b`.
fn shown(noun: &str, changes: &Changes, paint: Paint) -> Vec<String> {
    let rows = [
        (changes.added_count, &changes.added, paint.green("added")),
        (
            changes.removed_count,
            &changes.removed,
            paint.red("removed"),
        ),
        (
            changes.changed_count,
            &changes.changed,
            paint.yellow("changed"),
        ),
    ];
    let some = rows.into_iter().filter(|(count, _, _)| *count > 0);
    some.map(|(count, names, word)| {
        let first: Vec<&str> = names.iter().take(20).map(String::as_str).collect();
        let more = match count.saturating_sub(first.len() as u64) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        format!(
            "  {} {word}: {}{more}",
            plural(count, noun),
            first.join(", ")
        )
    })
    .collect()
}
