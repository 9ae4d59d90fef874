//! `arco log show`: the facts, in order.

use arco_core::event::Fact;
use arco_wire::api::LogPosition;
use clap::Args;

use super::{Place, event, refusal};
use crate::console::Console;
use crate::failure::{Exit, Failure, Outcome};

/// Print events in order
#[derive(Debug, Args)]
pub(crate) struct Options {
    #[command(flatten)]
    place: Place,
    /// From this position on, `12` or `12.3`
    #[arg(long, value_name = "POSITION", value_parser = position, default_value = "1")]
    from: LogPosition,
    /// At most this many
    #[arg(long, value_name = "N")]
    limit: Option<u64>,
    /// Only kinds that begin with this, `run.`; may be repeated
    #[arg(long, value_name = "PREFIX")]
    kind: Vec<String>,
}

fn position(text: &str) -> Result<LogPosition, String> {
    if text.contains('.') {
        text.parse()
    } else {
        format!("{text}.0").parse()
    }
    .map_err(|_| format!("`{text}` is not a position; positions look like `12` or `12.3`"))
}

pub(super) async fn run(options: &Options, console: &Console) -> Outcome {
    let log = options.place.open().await?;
    let mut cursor = log.events_from(options.from.0);
    let mut left = options.limit.unwrap_or(u64::MAX);
    let mut shown_any = false;
    while left > 0 {
        let Some((position, raw)) = cursor.next().await.map_err(refusal)? else {
            break;
        };
        if options.kind.is_empty()
            || options
                .kind
                .iter()
                .any(|prefix| raw.kind.starts_with(prefix))
        {
            let shown = event::Shown::new(position, raw);
            console.element(&shown, |paint| shown.render(paint));
            shown_any = true;
            left -= 1;
        }
    }
    if !shown_any {
        nothing(options, console)?;
    }
    Ok(Exit::Success)
}

/// No event was shown: because of a kind that there is not, or because none matches.
fn nothing(options: &Options, console: &Console) -> Outcome<()> {
    let known = |prefix: &String| kinds().any(|kind| kind.starts_with(prefix));
    if let Some(bad) = options.kind.iter().find(|prefix| !known(prefix)) {
        let all: Vec<&str> = kinds().collect();
        return Err(
            Failure::new(format!("no kind of event begins with `{bad}`"))
                .hint(format!("there are {}", all.join(", "))),
        );
    }
    let kinds: Vec<String> = options
        .kind
        .iter()
        .map(|kind| format!(" --kind {kind}"))
        .collect();
    console.note(&format!(
        "no event matches --from {}{}",
        options.from,
        kinds.concat()
    ));
    Ok(())
}

/// The kinds that this program knows.
fn kinds() -> impl Iterator<Item = &'static str> {
    Fact::KINDS.iter().map(|(kind, _)| *kind)
}
