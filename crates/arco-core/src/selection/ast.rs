//! What a selection is once it has been read.

use std::collections::BTreeSet;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::error::SelectionError;
use super::graph::SelectionGraph;
use super::{evaluate, parse};

/// A choice of assets. `Display` is its canonical text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Selection {
    /// `*`: every asset that is made here; external ones are not.
    All,
    /// Assets by what is said of them.
    Attribute(Attribute),
    /// One asset by its bare key, with its surroundings. Stands alone, never within another selection.
    Bare(Bare),
    /// With the ancestors up to a depth (none: all); external assets are left out of the result.
    Up(Box<Selection>, Option<u32>),
    /// With the descendants up to a depth (none: all).
    Down(Box<Selection>, Option<u32>),
    /// Those without a descendant among them.
    Sinks(Box<Selection>),
    /// Those without an ancestor among them.
    Roots(Box<Selection>),
    /// Every asset that is made here, but those.
    Not(Box<Selection>),
    /// What all of two or more selections have; none of them is an `And` itself.
    And(Vec<Selection>),
    /// What any of two or more selections has; none of them is an `Or` itself.
    Or(Vec<Selection>),
}

/// Something said of assets. Where there is an `Option`, `None` is `<null>`: nothing is said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Attribute {
    /// Key, `*` stands for any text.
    Key(String),
    /// A tag with exactly this value; `tag:k` is the tag with the empty value (L-6).
    Tag {
        /// Name of the tag.
        key: String,
        /// Its value.
        value: String,
    },
    /// No tag at all.
    NoTags,
    /// One of the owners.
    Owner(Option<String>),
    /// Group, `*` stands for any text.
    Group(Option<String>),
    /// One of the kinds.
    Kind(Option<String>),
    /// `is:external` or, when false, `is:materializable`.
    IsExternal(bool),
    /// Sort of partitions.
    Partitions(Option<PartitionsFilter>),
    /// Code location.
    CodeLocation(Option<String>),
    /// How far its materialization is, in the words of [`super::AssetStatus`]. Any word is read; one that is no
    /// status is refused when it is evaluated.
    Status(Option<String>),
    /// A column of its table.
    Column(Option<String>),
    /// The name of its table.
    TableName(Option<String>),
    /// A column of its table has a tag with exactly this value.
    ColumnTag {
        /// Name of the tag; none: no column has a tag.
        key: Option<String>,
        /// Its value.
        value: String,
    },
    /// An attribute of the language that nothing here answers (L-3). It is read and printed; to
    /// evaluate it is an error.
    Other {
        /// Which.
        name: NotEvaluable,
        /// The value.
        value: Option<String>,
    },
}

/// Sorts of partitions that a selection can name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PartitionsFilter {
    /// Unpartitioned.
    None,
    /// A fixed list.
    Static,
    /// Keys added as one goes.
    Dynamic,
    /// Windows of time.
    Time,
    /// Several dimensions.
    Multipartitions,
}

/// Attributes that are read and not evaluated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotEvaluable {
    /// `changed_in_branch:`
    ChangedInBranch,
    /// `automation_type:`
    AutomationType,
    /// `sensor:`
    Sensor,
    /// `schedule:`
    Schedule,
    /// `job:`
    Job,
}

/// `++name*`: one asset, which must be defined, with levels of parents and children.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bare {
    /// The key as it was written.
    pub key: String,
    /// Ancestors too.
    pub up: Depth,
    /// Descendants too.
    pub down: Depth,
}

/// How far a bare key reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// This many levels, one for each `+`.
    Levels(u32),
    /// `*`: without end.
    All,
}

impl Selection {
    /// Reads a selection.
    ///
    /// # Errors
    /// When `text` is none; points at the place and says what was expected there.
    pub fn parse(text: &str) -> Result<Self, SelectionError> {
        parse::selection(text)
    }

    /// Reads a list of selections, of which an asset must match one.
    ///
    /// # Errors
    /// As [`Selection::parse`], for the first that cannot be read.
    pub fn parse_all<S: AsRef<str>>(texts: &[S]) -> Result<Selections, SelectionError> {
        let selections = texts
            .iter()
            .map(|text| Self::parse(text.as_ref()))
            .collect::<Result<_, _>>()?;
        Ok(Selections(selections))
    }

    /// The nodes of `graph` that are chosen.
    ///
    /// # Errors
    /// When a bare key is not defined, or an attribute cannot be evaluated.
    pub fn evaluate(&self, graph: &dyn SelectionGraph) -> Result<BTreeSet<usize>, SelectionError> {
        evaluate::selection(self, graph).map(|set| set.iter().collect())
    }
}

/// A list of selections: the union of what they choose.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Selections(pub Vec<Selection>);

impl Selections {
    /// The nodes of `graph` that any of the selections chooses.
    ///
    /// # Errors
    /// As [`Selection::evaluate`].
    pub fn evaluate(&self, graph: &dyn SelectionGraph) -> Result<BTreeSet<usize>, SelectionError> {
        let mut chosen = BTreeSet::new();
        for selection in &self.0 {
            chosen.extend(selection.evaluate(graph)?);
        }
        Ok(chosen)
    }
}

impl Serialize for Selection {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Selection {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

impl NotEvaluable {
    pub(super) const ALL: [Self; 5] = [
        Self::ChangedInBranch,
        Self::AutomationType,
        Self::Sensor,
        Self::Schedule,
        Self::Job,
    ];

    /// The name in the language.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::ChangedInBranch => "changed_in_branch",
            Self::AutomationType => "automation_type",
            Self::Sensor => "sensor",
            Self::Schedule => "schedule",
            Self::Job => "job",
        }
    }
}

impl PartitionsFilter {
    pub(super) const ALL: [Self; 5] = [
        Self::None,
        Self::Static,
        Self::Dynamic,
        Self::Time,
        Self::Multipartitions,
    ];

    pub(super) fn word(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Static => "static",
            Self::Dynamic => "dynamic",
            Self::Time => "time",
            Self::Multipartitions => "multipartitions",
        }
    }
}
