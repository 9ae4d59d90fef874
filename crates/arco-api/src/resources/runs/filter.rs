//! Which runs a list shows.

use std::collections::BTreeSet;

use arco_core::definitions::IMPLICIT_JOB;
use arco_core::{AssetKey, RunId};
use arco_flow::state::Run;
use arco_wire::api::RunStatus;
use serde::{Deserialize, Serialize};

use super::ListQuery;
use crate::codes::Code;
use crate::problem::{Answer, Refusal};
use crate::render;

/// The filter, as it travels in the page token.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct RunFilter {
    /// Empty: any.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    status: BTreeSet<RunStatus>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    asset: Option<AssetKey>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    tag: Option<(String, Option<String>)>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) run_key: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    job: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    job_location: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) parent: Option<RunId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) root: Option<RunId>,
}

impl RunFilter {
    pub(super) fn read(query: &ListQuery) -> Answer<Self> {
        let status = query.status.as_deref().map(without_dagsters_words);
        Ok(Self {
            status: crate::words::read("status", status.as_deref())?,
            asset: query.asset.as_deref().map(asset).transpose()?,
            tag: query.tag.as_deref().map(|text| match text.split_once('=') {
                Some((key, value)) => (key.to_owned(), Some(value.to_owned())),
                None => (text.to_owned(), None),
            }),
            run_key: query.run_key.clone(),
            job: query.job.clone(),
            job_location: query.job_location.clone(),
            parent: query.parent,
            root: query.root,
        })
    }

    /// Whether only runs that are not over can match: these are few and indexed.
    pub(super) fn only_active(&self) -> bool {
        !self.status.is_empty() && !self.status.iter().any(|status| status.is_terminal())
    }

    /// Whether only runs that are over can match.
    pub(super) fn only_over(&self) -> bool {
        !self.status.is_empty() && self.status.iter().all(|status| status.is_terminal())
    }

    /// Whether every run matches.
    pub(super) fn is_any(&self) -> bool {
        *self == Self::default()
    }

    pub(super) fn matches(&self, run: &Run) -> bool {
        let tagged = |(key, value): &(String, Option<String>)| {
            run.tags
                .get(key)
                .is_some_and(|has| value.as_ref().is_none_or(|value| value == has))
        };
        (self.status.is_empty() || self.status.contains(&render::run::status(run.status)))
            && self
                .asset
                .as_ref()
                .is_none_or(|key| run.assets.contains(key))
            && self.tag.as_ref().is_none_or(tagged)
            && self.of_job(run)
            && self
                .run_key
                .as_ref()
                .is_none_or(|key| run.scope == super::SCOPE && run.run_key.as_ref() == Some(key))
            && self
                .parent
                .is_none_or(|parent| run.rerun.as_ref().is_some_and(|of| of.parent == parent))
            && self
                .root
                .is_none_or(|root| arco_flow::rerun::root_of(run) == root)
    }
}

impl RunFilter {
    fn of_job(&self, run: &Run) -> bool {
        let named = |name: &String| match &run.job {
            Some(job) => job.name == *name,
            None => name == IMPLICIT_JOB,
        };
        let placed = |location: &String| match &run.job {
            Some(job) => job.location == *location,
            None => run.definitions.contains_key(location),
        };
        self.job.as_ref().is_none_or(named) && self.job_location.as_ref().is_none_or(placed)
    }
}

fn asset(text: &str) -> Answer<AssetKey> {
    AssetKey::parse(text).ok_or_else(|| {
        Refusal::new(
            Code::InvalidQuery,
            format!("`asset` is `{text}`, which is not an asset key; keys look like `sales` or `raw/sales`"),
        )
    })
}

/// Statuses in the words of scripts written for Dagster, in ours.
fn without_dagsters_words(text: &str) -> String {
    let words = text.split(',').map(|word| match word.trim() {
        "QUEUED" | "NOT_STARTED" => "queued",
        "STARTING" | "STARTED" => "started",
        "CANCELING" => "canceling",
        "SUCCESS" => "success",
        "FAILURE" => "failure",
        "CANCELED" => "canceled",
        other => other,
    });
    words.collect::<Vec<_>>().join(",")
}
