//! The rows of `docs/parity/matrix.toml` and the words they may use.
//!
//! Every field may be absent here and words are kept as written: what is missing or unknown is a
//! fault with the name of its row, which a parser's error would not give.

use std::fmt;

use anyhow::{Context, Result};
use serde::Deserialize;

/// Where the data lies.
pub(crate) const FILE: &str = "docs/parity/matrix.toml";

/// Rows of the semantics reference's feature table: 1 to this.
pub(crate) const FEATURES: u32 = 130;

/// A part of the matrix.
#[derive(Debug)]
pub(crate) struct Section {
    /// Its word in the data.
    pub(crate) key: &'static str,
    /// What the ids of its rows start with.
    pub(crate) prefix: &'static str,
    /// Its heading.
    pub(crate) title: &'static str,
}

#[rustfmt::skip] // A table reads as rows.
pub(crate) const SECTIONS: &[Section] = &[
    Section { key: "scheduling",       prefix: "SCH", title: "Scheduling" },
    Section { key: "sensors",          prefix: "SEN", title: "Sensors" },
    Section { key: "run-key",          prefix: "KEY", title: "run_key / run identity" },
    Section { key: "partitions",       prefix: "PAR", title: "Partitions" },
    Section { key: "backfills",        prefix: "BAC", title: "Backfills" },
    Section { key: "partition-status", prefix: "STA", title: "Partition status" },
    Section { key: "staleness",        prefix: "STL", title: "Staleness / reconciliation" },
    Section { key: "selection",        prefix: "SEL", title: "Selection / reruns" },
    Section { key: "hardening",        prefix: "OPS", title: "Production hardening" },
    Section { key: "assets",           prefix: "AST", title: "Assets & checks" },
    Section { key: "surface",          prefix: "API", title: "API / CLI / UI" },
];

/// Levels of proof.
pub(crate) const LEVELS: &[&str] = &["unit", "integration", "e2e", "prod"];

/// Who a row belongs to.
pub(crate) const OWNERS: &[&str] = &[
    "core", "flow", "engine", "api", "worker", "sdk", "cli", "ui", "platform",
];

/// How far a capability has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Status {
    /// Code, a proving test, and a job that runs it.
    Implemented,
    /// That, for some of the statement.
    Partial,
    /// A decision says how; no code.
    Designed,
    /// Somebody will do it.
    Planned,
    /// A card says why not, or what instead.
    Exception,
}

impl Status {
    pub(crate) const ALL: [Self; 5] = [
        Self::Implemented,
        Self::Partial,
        Self::Designed,
        Self::Planned,
        Self::Exception,
    ];

    pub(crate) fn parse(word: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|status| status.to_string() == word)
    }

    /// Whether a row of this status claims that something works.
    pub(crate) fn claims(self) -> bool {
        matches!(self, Self::Implemented | Self::Partial)
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Implemented => "implemented",
            Self::Partial => "partial",
            Self::Designed => "designed",
            Self::Planned => "planned",
            Self::Exception => "exception",
        })
    }
}

/// One testable statement.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Row {
    pub(crate) id: String,
    pub(crate) section: String,
    pub(crate) capability: String,
    pub(crate) feature: String,
    pub(crate) status: String,
    pub(crate) level: String,
    /// `path` or `path#Symbol`.
    pub(crate) code: Vec<String>,
    /// `path::function`.
    pub(crate) tests: Vec<String>,
    /// Keys of jobs in continuous integration; commas between several.
    pub(crate) job: String,
    /// Ids of statements of the semantics reference.
    pub(crate) statements: Vec<String>,
    /// Rows of the feature table.
    pub(crate) dagster: Vec<u32>,
    pub(crate) exception: String,
    pub(crate) owner: String,
    /// Whether `docs/parity/bite/<id>.patch` must turn a test of the row red.
    pub(crate) uncheatable: bool,
    pub(crate) notes: String,
}

impl Row {
    pub(crate) fn status(&self) -> Option<Status> {
        Status::parse(&self.status)
    }

    /// Whether it claims that something works.
    pub(crate) fn claims(&self) -> bool {
        self.status().is_some_and(Status::claims)
    }

    /// The jobs it names: a row with Rust and Python tests may need two.
    pub(crate) fn jobs(&self) -> impl Iterator<Item = &str> {
        self.job
            .split(',')
            .map(str::trim)
            .filter(|job| !job.is_empty())
    }

    /// The mutation that must turn a test of it red.
    pub(crate) fn bite_patch(&self) -> String {
        format!("docs/parity/bite/{}.patch", self.id)
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Matrix {
    row: Vec<Row>,
}

/// Reads the rows.
pub(crate) fn parse(text: &str) -> Result<Vec<Row>> {
    let matrix: Matrix = toml::from_str(text).with_context(|| format!("parse {FILE}"))?;
    Ok(matrix.row)
}
