//! What makes two requests for a run the same request (`docs/adr/0007-run-key.md`).

use std::collections::BTreeMap;

use arco_core::event::RerunOf;
use arco_core::{AssetKey, Digest};
use serde_json::{Map, Value, json};

use crate::state::Run;

/// What is asked, by name of field. Of a run: assets, checks when chosen, partitions, config,
/// user tags. Of a rerun: the
/// run it does again and which part of it, config, user tags; which tasks these are follows from the
/// parent, which is over and changes no more.
#[derive(Debug, Clone, PartialEq)]
pub struct Identity(Map<String, Value>);

impl Identity {
    /// Of a run that stands.
    #[must_use]
    pub fn of(run: &Run) -> Self {
        match &run.rerun {
            Some(rerun) => Self::of_rerun(rerun, &run.config, &run.tags),
            None => Self::of_run(
                &run.assets,
                run.asset_checks.as_ref().map(|checks| checks.as_slice()),
                run.partitions.as_deref(),
                &run.config,
                &run.tags,
            ),
        }
    }

    pub(crate) fn of_run(
        assets: &[AssetKey],
        asset_checks: Option<&[(AssetKey, String)]>,
        partitions: Option<&str>,
        config: &Value,
        tags: &BTreeMap<String, String>,
    ) -> Self {
        let mut fields = Map::from_iter([
            ("assets".to_owned(), json!(assets)),
            ("partitions".to_owned(), json!(partitions)),
            ("config".to_owned(), config.clone()),
            ("tags".to_owned(), user_tags(tags)),
        ]);
        // Only when asked for: what was asked before checks could be chosen keeps its fingerprint.
        if let Some(checks) = asset_checks {
            fields.insert("checks".to_owned(), json!(checks));
        }
        Self(fields)
    }

    pub(crate) fn of_rerun(
        rerun: &RerunOf,
        config: &Value,
        tags: &BTreeMap<String, String>,
    ) -> Self {
        Self(Map::from_iter([
            ("rerun".to_owned(), json!(rerun)),
            ("config".to_owned(), config.clone()),
            ("tags".to_owned(), user_tags(tags)),
        ]))
    }

    /// Two requests with one fingerprint are the same request.
    #[must_use]
    pub fn fingerprint(&self) -> Digest {
        Digest::of_json(&Value::Object(self.0.clone()))
    }

    /// Names of the fields in which two requests differ, in order.
    #[must_use]
    pub fn differs_from(&self, other: &Self) -> Vec<String> {
        let mut names: Vec<String> = self.0.keys().chain(other.0.keys()).cloned().collect();
        names.sort();
        names.dedup();
        names.retain(|name| self.0.get(name) != other.0.get(name));
        names
    }
}

/// Tags that begin with `dagster/` or `arco/` say how a run is carried out, not what is asked.
fn user_tags(tags: &BTreeMap<String, String>) -> Value {
    let of_users: BTreeMap<&String, &String> = tags
        .iter()
        .filter(|(key, _)| !key.starts_with("dagster/") && !key.starts_with("arco/"))
        .collect();
    json!(of_users)
}
