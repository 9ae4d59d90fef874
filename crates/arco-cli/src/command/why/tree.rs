//! An answer as lines: what is so, and indented below it what it is because of.

use arco_wire::api::{Explanation, Reason, Why};

use super::line::sentence;
use crate::render::{Paint, duration, instant};

pub(super) fn render(explanation: &Explanation, paint: Paint) -> String {
    let mut lines = Vec::new();
    add(&explanation.why, 0, paint, &mut lines);
    lines.join("\n")
}

fn add(why: &Why, depth: usize, paint: Paint, lines: &mut Vec<String>) {
    let said = sentence(&why.reason, paint);
    let when = when(why).unwrap_or_default();
    let bullet = if depth == 0 { "" } else { "- " };
    let indent = "  ".repeat(depth.saturating_sub(1));
    let mut rows = said.lines();
    let first = rows.next().unwrap_or_default();
    lines.push(format!("{indent}{bullet}{first}{}", paint.dim(&when)));
    // A message of user code may have several lines.
    lines.extend(rows.map(|row| format!("{indent}{}{row}", " ".repeat(bullet.len() + 2))));
    for cause in &why.because {
        add(cause, depth + 1, paint, lines);
    }
}

/// When it was, and for how long, in words that fit the reason.
fn when(why: &Why) -> Option<String> {
    let at = why.at.map(instant);
    let lasted = why.lasted_ms.map(duration);
    Some(match (&why.reason, at, lasted) {
        // How long is what it says.
        (Reason::WaitedForTasks { .. } | Reason::WaitedForHost { .. }, at, Some(lasted)) => {
            format!(": {lasted}, until {}", at?)
        }
        (Reason::WaitedForRetry | Reason::Begun, at, Some(lasted)) => {
            format!(" {lasted} later, at {}", at?)
        }
        (Reason::RetryDue, Some(at), Some(left)) => format!(" at {at}, in {left}"),
        (Reason::WaitsForTasks { .. }, _, Some(lasted)) => format!(", for {lasted} so far"),
        (Reason::Definitions { .. }, Some(at), _) => format!(", deployed at {at}"),
        (Reason::Run { .. }, Some(at), Some(lasted)) => format!(", at {at}, after {lasted}"),
        (Reason::Run { .. }, None, Some(lasted)) => format!(", for {lasted} so far"),
        (Reason::Attempt { status, .. }, Some(at), Some(lasted)) => {
            let goes_on = matches!(status.as_str(), "leased" | "running");
            let so_far = if goes_on { " so far" } else { "" };
            format!(", leased at {at}, {lasted}{so_far}")
        }
        (_, Some(at), _) => format!(", at {at}"),
        _ => return None,
    })
}
