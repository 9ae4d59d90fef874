//! From the body of a request to what the engine is asked, with the bounds of this door.

use std::collections::BTreeMap;

use arco_core::limits::TimeLimits;
use arco_core::run_tag;
use arco_engine::RunAsk;
use arco_flow::planner::PartitionsAsked;
use arco_wire::api::{CreateRun, PartitionsWanted, SelectionText};
use serde_json::Value;

use crate::codes::Code;
use crate::limits;
use crate::problem::{Answer, Refusal};

pub(super) fn run_ask(body: CreateRun) -> Answer<RunAsk> {
    if let Some(key) = &body.run_key {
        bounded("run_key", key.chars().count(), limits::KEY_CHARS_MAX)?;
    }
    check_tags(&body.tags)?;
    Ok(RunAsk {
        run_key: body.run_key,
        tags: body.tags,
        priority: body.priority,
        time_limits: body.time_limits,
        ..partitions_asked(body.selection, body.partitions, body.config)?
    })
}

/// The part of the ask that a preview shares with a run.
pub(crate) fn partitions_asked(
    selection: SelectionText,
    partitions: Option<PartitionsWanted>,
    config: Value,
) -> Answer<RunAsk> {
    let selection = selection.into_list();
    bounded("selection", selection.len(), limits::SELECTIONS_MAX)?;
    let partitions = match partitions {
        None => PartitionsAsked::None,
        Some(PartitionsWanted::All) => PartitionsAsked::All,
        Some(PartitionsWanted::Keys(keys)) => {
            bounded("partitions.keys", keys.len(), limits::PARTITION_KEYS_MAX)?;
            PartitionsAsked::Keys(keys)
        }
    };
    Ok(RunAsk {
        selection,
        partitions,
        run_key: None,
        scope: super::SCOPE.into(),
        idempotency_key: None,
        config,
        tags: BTreeMap::new(),
        priority: 0,
        time_limits: TimeLimits::default(),
    })
}

pub(crate) fn check_tags(tags: &BTreeMap<String, String>) -> Answer<()> {
    if tags.len() > limits::TAGS_MAX {
        return Err(invalid(format!(
            "`tags` has {} entries; a run has at most {}",
            tags.len(),
            limits::TAGS_MAX
        )));
    }
    for (key, value) in tags {
        run_tag::check_key(key).map_err(|error| invalid(format!("`tags`: {error}")))?;
        if value.chars().count() > limits::TAG_VALUE_CHARS_MAX {
            return Err(invalid(format!(
                "the value of tag `{key}` is over {} characters",
                limits::TAG_VALUE_CHARS_MAX
            )));
        }
    }
    Ok(())
}

pub(crate) fn bounded(what: &str, length: usize, max: usize) -> Answer<()> {
    if length == 0 || length > max {
        return Err(invalid(format!(
            "`{what}` has length {length}; give 1 to {max}"
        )));
    }
    Ok(())
}

fn invalid(detail: String) -> Refusal {
    Refusal::new(Code::InvalidBody, detail)
}
