//! `docs/parity/statements.toml`: the ids of every statement of the semantics reference.

use std::collections::BTreeSet;

use anyhow::{Context, Result};
use serde::Deserialize;

/// Where the data lies.
pub(crate) const FILE: &str = "docs/parity/statements.toml";

/// One section of the reference.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Section {
    pub(crate) title: String,
    pub(crate) prefix: String,
    pub(crate) ids: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    section: Vec<Section>,
}

/// Reads the sections.
pub(crate) fn parse(text: &str) -> Result<Vec<Section>> {
    let file: File = toml::from_str(text).with_context(|| format!("parse {FILE}"))?;
    Ok(file.section)
}

/// All ids.
pub(crate) fn ids(sections: &[Section]) -> BTreeSet<&str> {
    sections
        .iter()
        .flat_map(|section| &section.ids)
        .map(String::as_str)
        .collect()
}
