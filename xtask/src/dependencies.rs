//! Licences and duplicates of our dependencies, judged by `deny.toml`.
//!
//! The file has the form of cargo-deny, which reads it too. What is done here needs nothing
//! installed, and an entry that no longer applies is an error: the lists cannot rot.

mod licence;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use anyhow::{Context, Result, bail};
use serde::Deserialize;
use serde_json::Value;

use crate::repo;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Rules {
    graph: Graph,
    licenses: Licences,
    bans: Bans,
}

#[derive(Debug, Deserialize)]
struct Graph {
    targets: Vec<String>,
}

#[derive(Debug, Deserialize)]
struct Licences {
    allow: BTreeSet<String>,
}

#[derive(Debug, Deserialize)]
struct Bans {
    #[serde(default)]
    skip: Vec<Skip>,
}

/// A second version that is accepted, and why.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Skip {
    #[serde(rename = "crate")]
    name: String,
    reason: String,
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Package {
    name: String,
    version: String,
    licence: Option<String>,
}

/// Checks the locked dependencies against `deny.toml`.
pub(crate) fn check() -> Result<()> {
    let text = fs::read_to_string(repo::path("deny.toml")).context("read deny.toml")?;
    let rules: Rules = toml::from_str(&text).context("parse deny.toml")?;
    let packages = packages(&rules.graph.targets)?;
    let mut faults = licence_faults(&packages, &rules.licenses.allow);
    faults.extend(duplicate_faults(&packages, &rules.bans.skip));
    for fault in &faults {
        println!("  {fault}");
    }
    if !faults.is_empty() {
        bail!("{} faults in the dependencies, see deny.toml", faults.len());
    }
    println!(
        "  {} packages: licences allowed, no unexpected duplicates",
        packages.len()
    );
    Ok(())
}

/// The packages that are built for the given targets.
fn packages(targets: &[String]) -> Result<BTreeSet<Package>> {
    let mut arguments = Vec::new();
    for target in targets {
        arguments.extend(["--filter-platform", target]);
    }
    let metadata = repo::cargo_metadata(&arguments)?;
    let nodes = metadata["resolve"]["nodes"]
        .as_array()
        .context("read the resolved graph")?;
    let used: BTreeSet<&str> = nodes
        .iter()
        .filter_map(|node| node["id"].as_str())
        .collect();
    let all = metadata["packages"]
        .as_array()
        .context("read the packages")?;
    Ok(all
        .iter()
        .filter(|package| package["id"].as_str().is_some_and(|id| used.contains(id)))
        .map(|package| Package {
            name: text(&package["name"]),
            version: text(&package["version"]),
            licence: package["license"].as_str().map(str::to_owned),
        })
        .collect())
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn licence_faults(packages: &BTreeSet<Package>, allowed: &BTreeSet<String>) -> Vec<String> {
    let mut faults = Vec::new();
    let mut needed = BTreeSet::new();
    for package in packages {
        let Package {
            name,
            version,
            licence,
        } = package;
        let Some(expression) = licence else {
            faults.push(format!("{name} {version} states no licence"));
            continue;
        };
        match licence::satisfied_by(expression, allowed) {
            Some(used) => needed.extend(used),
            None => faults.push(format!(
                "{name} {version} is under `{expression}`, which is not allowed"
            )),
        }
    }
    for unused in allowed.difference(&needed) {
        faults.push(format!(
            "licence `{unused}` is allowed but no dependency needs it: remove it"
        ));
    }
    faults
}

fn duplicate_faults(packages: &BTreeSet<Package>, skips: &[Skip]) -> Vec<String> {
    let mut versions: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for package in packages {
        versions
            .entry(&package.name)
            .or_default()
            .push(&package.version);
    }
    let mut faults = Vec::new();
    for (name, versions) in versions.iter().filter(|(_, versions)| versions.len() > 1) {
        let unexplained: Vec<&str> = versions
            .iter()
            .copied()
            .filter(|version| {
                !skips
                    .iter()
                    .any(|skip| skip.name == format!("{name}@{version}"))
            })
            .collect();
        // One version is the one we want; each further one needs its reason.
        if unexplained.len() > 1 {
            faults.push(format!(
                "{name} is built in versions {}: unify them, or add `{{ crate = \"{name}@{}\", reason = … }}`",
                versions.join(", "),
                versions[0]
            ));
        }
    }
    for skip in skips {
        let (name, version) = skip.name.split_once('@').unwrap_or((&skip.name, ""));
        let applies = versions
            .get(name)
            .is_some_and(|all| all.len() > 1 && all.contains(&version));
        if !applies {
            faults.push(format!(
                "skipped duplicate `{}` is not there any more: remove it",
                skip.name
            ));
        } else if skip.reason.trim().is_empty() {
            faults.push(format!("skipped duplicate `{}` has no reason", skip.name));
        }
    }
    faults
}

#[cfg(test)]
mod tests;
