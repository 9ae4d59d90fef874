//! JUnit reports, as nextest and pytest write them.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use super::test_name::{Test, binary_id};

/// How a case ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Outcome {
    /// At the last try.
    Passed,
    Skipped,
    Failed,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Case {
    /// The binary id of nextest; the dotted module of pytest.
    class: String,
    name: String,
    outcome: Outcome,
}

/// The cases of one run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Report {
    cases: Vec<Case>,
}

impl Report {
    /// Reads a report from its file.
    pub(crate) fn read(file: &Path) -> Result<Self> {
        let text = fs::read_to_string(file).with_context(|| format!("read {}", file.display()))?;
        Self::parse(&text).with_context(|| format!("parse the JUnit report {}", file.display()))
    }

    /// Reads a report.
    pub(crate) fn parse(text: &str) -> Result<Self> {
        let document = roxmltree::Document::parse(text)?;
        let cases = document
            .descendants()
            .filter(|node| node.has_tag_name("testcase"))
            .map(|node| {
                // `flakyFailure` is an earlier try of what passed in the end.
                let has = |tag: &str| node.children().any(|child| child.has_tag_name(tag));
                let outcome = if has("failure") || has("error") {
                    Outcome::Failed
                } else if has("skipped") {
                    Outcome::Skipped
                } else {
                    Outcome::Passed
                };
                Case {
                    class: node.attribute("classname").unwrap_or_default().to_owned(),
                    name: node.attribute("name").unwrap_or_default().to_owned(),
                    outcome,
                }
            })
            .collect();
        Ok(Self { cases })
    }

    /// Adds a case that no file told of.
    pub(crate) fn push(&mut self, class: &str, name: &str, outcome: Outcome) {
        self.cases.push(Case {
            class: class.to_owned(),
            name: name.to_owned(),
            outcome,
        });
    }

    /// Adds the cases of another run.
    pub(crate) fn extend(&mut self, other: Self) {
        self.cases.extend(other.cases);
    }

    /// How a test ended, the worst of its cases; `None` when it did not run.
    pub(crate) fn outcome(&self, test: &Test) -> Option<Outcome> {
        self.cases
            .iter()
            .filter(|case| case.is_of(test))
            .map(|case| case.outcome)
            .max()
    }
}

impl Case {
    fn is_of(&self, test: &Test) -> bool {
        match test {
            Test::Rust {
                package,
                target,
                name,
            } => self.name == *name && self.class == binary_id(package, target),
            Test::Python {
                file,
                classes,
                name,
                ..
            } => {
                let mut class = file.trim_end_matches(".py").replace('/', ".");
                for inner in classes {
                    class.push('.');
                    class.push_str(inner);
                }
                // Cases of a parametrized test stand in brackets behind its name.
                let mine = self
                    .name
                    .strip_prefix(name.as_str())
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with('['));
                mine && self.class == class
            }
        }
    }
}

#[cfg(test)]
mod tests;
