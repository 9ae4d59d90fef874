//! Figures and how they are printed.

use serde_json::{Value, json};

/// Units of figures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unit {
    Milliseconds,
    Seconds,
    Megabytes,
    RunsPerSecond,
    EventsPerSecond,
    LooksPerSecond,
    CommitsPerHour,
    Percent,
}

impl Unit {
    fn text(self) -> &'static str {
        match self {
            Self::Milliseconds => "ms",
            Self::Seconds => "s",
            Self::Megabytes => "MB",
            Self::RunsPerSecond => "runs/s",
            Self::EventsPerSecond => "events/s",
            Self::LooksPerSecond => "looks/s",
            Self::CommitsPerHour => "commits/h",
            Self::Percent => "%",
        }
    }

    /// Whether a smaller figure is the better one.
    fn is_cost(self) -> bool {
        match self {
            Self::Milliseconds
            | Self::Seconds
            | Self::Megabytes
            | Self::CommitsPerHour
            | Self::Percent => true,
            Self::RunsPerSecond | Self::EventsPerSecond | Self::LooksPerSecond => false,
        }
    }
}

/// One figure, under an id that stays the same for ever: others compare by it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Case {
    pub(crate) id: &'static str,
    pub(crate) value: f64,
    pub(crate) unit: Unit,
    /// What the figure should stay under, or above when more is better.
    pub(crate) target: Option<f64>,
}

impl Case {
    fn meets_target(&self) -> Option<bool> {
        self.target.map(|target| {
            if self.unit.is_cost() {
                self.value < target
            } else {
                self.value > target
            }
        })
    }
}

/// A figure of another orchestrator for the same id.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct PeerCase {
    pub(crate) id: &'static str,
    pub(crate) system: String,
    pub(crate) value: f64,
}

/// A figure of ours, with the peer's beside it when there is one.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Row {
    bench: &'static str,
    case: Case,
    peer: Option<PeerCase>,
}

impl Row {
    /// Puts figures of the same id together.
    pub(crate) fn join(
        bench: &'static str,
        cases: Vec<Case>,
        mut peers: Vec<PeerCase>,
    ) -> Vec<Self> {
        cases
            .into_iter()
            .map(|case| {
                let found = peers.iter().position(|peer| peer.id == case.id);
                Self {
                    bench,
                    peer: found.map(|index| peers.swap_remove(index)),
                    case,
                }
            })
            .collect()
    }

    /// One line for programs; the peer's figure, when there is one, is a line of its own.
    pub(crate) fn json(&self) -> String {
        let Case {
            id, value, unit, ..
        } = &self.case;
        let line = |value: f64| -> Value {
            json!({ "bench": self.bench, "case": id, "value": round(value), "unit": unit.text() })
        };
        let mut text = line(*value).to_string();
        if let Some(peer) = &self.peer {
            let mut theirs = line(peer.value);
            theirs["system"] = json!(peer.system);
            text.push('\n');
            text.push_str(&theirs.to_string());
        }
        text
    }

    /// Names of the columns.
    pub(crate) fn heading(with_peer: bool) -> String {
        let line = format!("{:<28} {:>10} {:<7} {:<10}", "case", "figure", "", "target");
        if with_peer {
            format!("{line} {:>10}", "peer")
        } else {
            line.trim_end().to_owned()
        }
    }

    /// One line for people.
    pub(crate) fn text(&self, with_peer: bool) -> String {
        let Case {
            id,
            value,
            unit,
            target,
        } = &self.case;
        let sign = if unit.is_cost() { '<' } else { '>' };
        let target = target
            .map(|target| format!("{sign} {target}"))
            .unwrap_or_default();
        let verdict = match self.case.meets_target() {
            Some(false) => " MISSED",
            Some(true) | None => "",
        };
        let line = format!(
            "{id:<28} {:>10} {:<7} {:<10}",
            round(*value),
            unit.text(),
            format!("{target}{verdict}")
        );
        match &self.peer {
            Some(peer) => format!("{line} {:>10} {}", round(peer.value), peer.system),
            None if with_peer => format!("{line} {:>10}", "-"),
            None => line.trim_end().to_owned(),
        }
    }
}

/// Three digits after the point: more is noise.
fn round(value: f64) -> f64 {
    (value * 1e3).round() / 1e3
}

#[cfg(test)]
mod tests;
