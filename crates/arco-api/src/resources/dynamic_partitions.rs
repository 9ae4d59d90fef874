//! Dynamic partitions: sets of keys that come and go (P-23).

use std::collections::BTreeSet;

use arco_core::PartitionKey;
use arco_core::definitions::Catalog;
use arco_core::partition::{DynamicKeys, PartitionsDef};
use arco_flow::command::{Answer as Decided, Command};
use arco_wire::api;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::IntoParams;

use super::runs::bounded;
use crate::codes::Code;
use crate::extract::workspace::{at, json};
use crate::extract::{Json, Path, Query, Reading, Writing};
use crate::limits;
use crate::page::PageAsked;
use crate::problem::{Answer, Refusal};

#[derive(Debug, Deserialize)]
pub(crate) struct SetPath {
    name: String,
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct PageQuery {
    /// Rows, 1 to 1,000; 50 when absent.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<u32>,
    /// `next_page_token` of the page before.
    page_token: Option<String>,
}

/// These lists have no filter.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
struct NoFilter {}

/// Lists the sets of dynamic partitions that have keys or that an asset is defined with, by name.
#[utoipa::path(get, path = "/dynamic-partitions", tag = "assets", operation_id = "list_dynamic_partitions",
    params(PageQuery),
    responses((status = 200, description = "A page of sets", body = api::Page<api::DynamicPartitions>)))]
pub(crate) async fn list(reading: Reading, Query(query): Query<PageQuery>) -> Answer {
    let asked: PageAsked<NoFilter, String> = PageAsked::read(
        "dynamic partitions",
        NoFilter {},
        query.page_token.as_deref(),
        query.limit,
    )?;
    let state = &reading.view.state;
    let defined = defined(&state.catalog);
    let known = state.partition_sets.keys().map(String::as_str);
    let names: BTreeSet<&str> = defined.iter().copied().chain(known).collect();
    let mut rest = names.into_iter().filter(|name| {
        asked
            .after
            .as_ref()
            .is_none_or(|after| *name > after.as_str())
    });
    let items: Vec<api::DynamicPartitions> = rest
        .by_ref()
        .take(asked.limit)
        .map(|name| {
            let keys = state.partition_sets.get(name).map_or(0, DynamicKeys::len);
            shown(name, keys, defined.contains(name))
        })
        .collect();
    let last = items.last().map(|set| set.name.clone());
    let next = rest.next().and(last);
    Ok(reading.json(&asked.page(items, next)))
}

/// Lists the keys of a set, in the order in which they were added. A set that nobody added to is empty.
#[utoipa::path(get, path = "/dynamic-partitions/{name}", tag = "assets", operation_id = "list_dynamic_partition_keys",
    params(("name" = String, Path, description = "Name of the set, percent-encoded as one segment"), PageQuery),
    responses((status = 200, description = "A page of keys", body = api::Page<api::DynamicPartition>)))]
pub(crate) async fn show(
    reading: Reading,
    Path(path): Path<SetPath>,
    Query(query): Query<PageQuery>,
) -> Answer {
    let asked: PageAsked<NoFilter, u64> = PageAsked::read(
        format!("dynamic partitions of {}", path.name),
        NoFilter {},
        query.page_token.as_deref(),
        query.limit,
    )?;
    let set = reading.view.state.partition_sets.get(&path.name);
    let set = set.cloned().unwrap_or_default();
    let first = asked.after.map_or(0, |after| after.saturating_add(1));
    let keys = set
        .iter()
        .skip(usize::try_from(first).unwrap_or(usize::MAX));
    let items: Vec<api::DynamicPartition> = keys
        .take(asked.limit)
        .map(|key| api::DynamicPartition {
            key: key.display().into_owned(),
        })
        .collect();
    let until = first + items.len() as u64;
    let next = (until < set.len()).then(|| until.saturating_sub(1));
    Ok(reading.json(&asked.page(items, next)))
}

/// Adds keys to a set; one that is there stays where it is.
#[utoipa::path(post, path = "/dynamic-partitions/{name}/add", tag = "assets", operation_id = "add_dynamic_partitions",
    params(("name" = String, Path, description = "Name of the set, percent-encoded as one segment")),
    request_body = api::ChangeDynamicPartitions,
    responses((status = 200, description = "The set as it is now", body = api::DynamicPartitionsChanged)))]
pub(crate) async fn add(
    writing: Writing,
    Path(path): Path<SetPath>,
    Json(body): Json<api::ChangeDynamicPartitions>,
) -> Answer {
    let command = Command::AddPartitions {
        name: name(&path.name)?,
        keys: keys(&path.name, &body)?,
    };
    change(writing, path.name, command).await
}

/// Removes keys from a set. What was recorded of them stays recorded, and shows again when they return.
#[utoipa::path(post, path = "/dynamic-partitions/{name}/remove", tag = "assets", operation_id = "remove_dynamic_partitions",
    params(("name" = String, Path, description = "Name of the set, percent-encoded as one segment")),
    request_body = api::ChangeDynamicPartitions,
    responses((status = 200, description = "The set as it is now", body = api::DynamicPartitionsChanged)))]
pub(crate) async fn remove(
    writing: Writing,
    Path(path): Path<SetPath>,
    Json(body): Json<api::ChangeDynamicPartitions>,
) -> Answer {
    let command = Command::RemovePartitions {
        name: name(&path.name)?,
        keys: keys(&path.name, &body)?,
    };
    change(writing, path.name, command).await
}

/// The sets that assets are defined with.
fn defined(catalog: &Catalog) -> BTreeSet<&str> {
    let assets = catalog.keys().filter_map(|key| catalog.asset(key));
    let defs = assets.filter_map(|found| found.asset.partitions.as_ref());
    defs.flat_map(PartitionsDef::dynamic_names).collect()
}

async fn change(writing: Writing, name: String, command: Command) -> Answer {
    let done = writing
        .engine()
        .submit(&writing.principal, &writing.request_id, command)
        .await?;
    let Decided::Partitions { changed, keys } = done.answer else {
        return Err(Refusal::new(
            Code::Internal,
            "a change of partitions answered otherwise",
        ));
    };
    let view = writing.engine().view();
    let is_defined = defined(&view.state.catalog).contains(name.as_str());
    let answer = api::DynamicPartitionsChanged {
        set: shown(&name, keys, is_defined),
        changed,
    };
    Ok(at(done.position, json(StatusCode::OK, &answer)))
}

fn shown(name: &str, keys: u64, is_defined: bool) -> api::DynamicPartitions {
    api::DynamicPartitions {
        name: name.to_owned(),
        keys,
        is_defined,
    }
}

fn name(text: &str) -> Answer<String> {
    bounded("name", text.chars().count(), limits::KEY_CHARS_MAX)?;
    match text.is_empty() || text.chars().any(char::is_control) {
        true => Err(Refusal::new(
            Code::BadPartition,
            format!("{text:?} is no name of dynamic partitions; use the `name=` of the definition"),
        )),
        false => Ok(text.to_owned()),
    }
}

fn keys(name: &str, body: &api::ChangeDynamicPartitions) -> Answer<Vec<PartitionKey>> {
    bounded("keys", body.keys.len(), limits::DYNAMIC_KEYS_MAX)?;
    if body.keys.is_empty() {
        return Err(Refusal::new(
            Code::InvalidBody,
            format!("no key is given for the dynamic partitions `{name}`; give at least one"),
        ));
    }
    let read = |text: &String| {
        bounded("key", text.chars().count(), limits::KEY_CHARS_MAX)?;
        DynamicKeys::read(text).map_err(|error| Refusal::new(Code::BadPartition, error.to_string()))
    };
    body.keys.iter().map(read).collect()
}
