//! From the body of a request to what the engine is asked, with the bounds of this door.

use std::collections::BTreeMap;

use arco_core::limits::TimeLimits;
use arco_engine::RunAsk;
use arco_flow::jobs::JobAsk;
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
    let asked = Asked {
        selection: body.selection,
        job: body.job,
        job_location: body.job_location,
        checks: body.checks,
        partitions: body.partitions,
        config: body.config,
    };
    Ok(RunAsk {
        run_key: body.run_key,
        tags: body.tags,
        priority: body.priority,
        time_limits: body.time_limits,
        ..asked.ask()?
    })
}

/// The part of the ask that a preview shares with a run.
pub(crate) struct Asked {
    pub(crate) selection: SelectionText,
    pub(crate) job: Option<String>,
    pub(crate) job_location: Option<String>,
    pub(crate) checks: Option<Vec<String>>,
    pub(crate) partitions: Option<PartitionsWanted>,
    pub(crate) config: Value,
}

impl Asked {
    pub(crate) fn ask(self) -> Answer<RunAsk> {
        let job = job_asked(self.job, self.job_location)?;
        let selection = self.selection.into_list();
        let checks = self
            .checks
            .as_ref()
            .is_some_and(|checks| !checks.is_empty());
        match &job {
            Some(_) if selection.is_empty() => {}
            None if selection.is_empty() && checks => {}
            None if selection.is_empty() => {
                return Err(invalid(
                    "neither `selection` nor `job` nor `checks` is given; say which assets".into(),
                ));
            }
            _ => bounded("selection", selection.len(), limits::SELECTIONS_MAX)?,
        }
        Ok(RunAsk {
            job,
            selection,
            checks: bounded_checks(self.checks)?,
            partitions: partitions_asked(self.partitions)?,
            run_key: None,
            scope: super::SCOPE.into(),
            idempotency_key: None,
            config: self.config,
            tags: BTreeMap::new(),
            priority: 0,
            time_limits: TimeLimits::default(),
        })
    }
}

fn bounded_checks(checks: Option<Vec<String>>) -> Answer<Option<Vec<String>>> {
    let count = checks.as_ref().map_or(0, Vec::len);
    if count > limits::PARTITION_KEYS_MAX {
        return Err(invalid(format!(
            "`checks` has {count} entries; give at most {}",
            limits::PARTITION_KEYS_MAX
        )));
    }
    Ok(checks)
}

fn job_asked(name: Option<String>, location: Option<String>) -> Answer<Option<JobAsk>> {
    match (name, location) {
        (None, Some(_)) => Err(invalid(
            "`job_location` is given without `job`; it says where the job is defined".into(),
        )),
        (None, None) => Ok(None),
        (Some(name), location) => {
            bounded("job", name.chars().count(), limits::KEY_CHARS_MAX)?;
            Ok(Some(JobAsk { name, location }))
        }
    }
}

fn partitions_asked(partitions: Option<PartitionsWanted>) -> Answer<PartitionsAsked> {
    Ok(match partitions {
        None => PartitionsAsked::None,
        Some(PartitionsWanted::All) => PartitionsAsked::All,
        Some(PartitionsWanted::Keys(keys)) => {
            bounded("partitions.keys", keys.len(), limits::PARTITION_KEYS_MAX)?;
            PartitionsAsked::Keys(keys)
        }
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
