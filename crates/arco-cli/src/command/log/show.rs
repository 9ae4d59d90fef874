//! `arco log show`: the facts, in order.

use arco_wire::api::LogPosition;
use clap::Args;

use super::{Place, event, refusal};
use crate::console::Console;
use crate::failure::{Exit, Outcome};

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
            left -= 1;
        }
    }
    Ok(Exit::Success)
}
