//! Which runs a list shows.

use std::collections::BTreeSet;

use arco_core::AssetKey;
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
}

impl RunFilter {
    pub(super) fn read(query: &ListQuery) -> Answer<Self> {
        Ok(Self {
            status: crate::words::read("status", query.status.as_deref())?,
            asset: query.asset.as_deref().map(asset).transpose()?,
            tag: query.tag.as_deref().map(|text| match text.split_once('=') {
                Some((key, value)) => (key.to_owned(), Some(value.to_owned())),
                None => (text.to_owned(), None),
            }),
            run_key: query.run_key.clone(),
        })
    }

    /// Whether only runs that are not over can match: these are few and indexed.
    pub(super) fn only_active(&self) -> bool {
        !self.status.is_empty() && !self.status.iter().any(|status| status.is_terminal())
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
            && self
                .run_key
                .as_ref()
                .is_none_or(|key| run.scope == super::SCOPE && run.run_key.as_ref() == Some(key))
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
