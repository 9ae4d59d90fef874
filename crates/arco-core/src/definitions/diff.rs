//! What a deploy changes: definitions beside those before them.

use std::collections::BTreeMap;

use super::Definitions;

/// What was added, removed and changed, by name, in order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Changes {
    /// New names.
    pub added: Vec<String>,
    /// Names that are gone.
    pub removed: Vec<String>,
    /// Names that mean something else.
    pub changed: Vec<String>,
}

/// The difference of two versions of a location.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Diff {
    /// Assets; one whose step changed is changed.
    pub assets: Changes,
    /// Checks, `ASSET:CHECK`.
    pub checks: Changes,
    /// Jobs.
    pub jobs: Changes,
    /// Resources.
    pub resources: Changes,
}

impl Diff {
    /// From `before`, absent for a new location, to `after`.
    #[must_use]
    pub fn of(before: Option<&Definitions>, after: &Definitions) -> Self {
        let parts = [before.map(Parts::of).unwrap_or_default(), Parts::of(after)];
        let [before, after] = parts;
        Self {
            assets: changes(&before.assets, &after.assets),
            checks: changes(&before.checks, &after.checks),
            jobs: changes(&before.jobs, &after.jobs),
            resources: changes(&before.resources, &after.resources),
        }
    }
}

/// What each name means, as text: definitions came from JSON, and equal JSON means the same.
#[derive(Default)]
struct Parts {
    assets: BTreeMap<String, String>,
    checks: BTreeMap<String, String>,
    jobs: BTreeMap<String, String>,
    resources: BTreeMap<String, String>,
}

impl Parts {
    fn of(definitions: &Definitions) -> Self {
        let manifest = definitions.manifest();
        let step = |name: &str| text(&definitions.step(name));
        let assets = manifest.assets.iter().map(|asset| {
            let made = asset.step.as_deref().map(step).unwrap_or_default();
            (asset.key.to_string(), text(asset) + &made)
        });
        let checks = manifest.checks.iter().map(|check| {
            let name = format!("{}:{}", check.asset, check.name);
            (name, text(check) + &step(&check.step))
        });
        let jobs = manifest
            .jobs
            .iter()
            .map(|job| (job.name.clone(), text(job)));
        let resources = manifest.resources.iter();
        Self {
            assets: assets.collect(),
            checks: checks.collect(),
            jobs: jobs.collect(),
            resources: resources
                .map(|resource| (resource.name.clone(), text(resource)))
                .collect(),
        }
    }
}

fn text(part: &impl serde::Serialize) -> String {
    serde_json::to_string(part).expect("parts of a manifest serialise: they came from JSON")
}

fn changes(before: &BTreeMap<String, String>, after: &BTreeMap<String, String>) -> Changes {
    let names = |of: &BTreeMap<String, String>, keep: &dyn Fn(&String, &String) -> bool| {
        let kept = of.iter().filter(|(name, text)| keep(name, text));
        kept.map(|(name, _)| name.clone()).collect()
    };
    Changes {
        added: names(after, &|name, _| !before.contains_key(name)),
        removed: names(before, &|name, _| !after.contains_key(name)),
        changed: names(after, &|name, text| {
            before.get(name).is_some_and(|was| was != text)
        }),
    }
}

#[cfg(test)]
mod tests;
