//! `arco log verify`: whether everything that was durable is still there, unchanged.

use arco_log::VerifyReport;
use clap::Args;
use serde::Serialize;

use super::{Place, refusal};
use crate::console::Console;
use crate::failure::{Exit, Outcome};
use crate::render::{Paint, plural};

/// Read the whole log and report what is damaged
#[derive(Debug, Args)]
#[command(
    after_help = "Exit code: 0 everything holds, 1 something is damaged, 2 the log could not be read."
)]
pub(crate) struct Options {
    #[command(flatten)]
    place: Place,
}

/// The document of `--json`.
#[derive(Debug, Serialize)]
struct Shown {
    sound: bool,
    #[serde(flatten)]
    report: VerifyReport,
}

pub(super) async fn run(options: &Options, console: &Console) -> Outcome {
    let log = options.place.open().await?;
    let report = log.verify().await.map_err(refusal)?;
    let shown = Shown {
        sound: report.is_sound(),
        report,
    };
    console.document(&shown, |paint| render(&shown, paint));
    Ok(if shown.sound {
        Exit::Success
    } else {
        Exit::Failed
    })
}

fn render(shown: &Shown, paint: Paint) -> String {
    let report = &shown.report;
    let mut lines: Vec<String> = report
        .findings
        .iter()
        .map(|finding| {
            format!(
                "{} {}: {}",
                paint.red("damaged:"),
                finding.object,
                finding.problem
            )
        })
        .collect();
    let read = format!(
        "{} in {} ({} to {}), {}, {} read",
        plural(report.events, "event"),
        plural(report.segments, "segment"),
        report.first,
        report.last,
        plural(report.blobs, "blob"),
        plural(report.snapshots, "snapshot"),
    );
    lines.push(if shown.sound {
        format!("{}: {read}", paint.green("the log is sound"))
    } else {
        format!(
            "{}: {read}",
            paint.red(&format!(
                "{} in the log",
                plural(report.findings.len() as u64, "damaged object")
            ))
        )
    });
    lines.join("\n")
}
