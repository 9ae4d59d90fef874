//! Backfills: ask for one, see what one would do, list them newest first.

use std::num::NonZeroU32;

use arco_core::BackfillId;
use arco_core::backfill::{BackfillSettings, BackfillStatus, PartitionFilter};
use arco_engine::{BackfillAsk, BackfillMade, BackfillPartitions};
use arco_wire::api;
use arco_wire::api::{BackfillCreated, CreateBackfill, LogPosition, Page};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use serde::{Deserialize, Serialize};
use utoipa::IntoParams;

use super::runs::{bounded, check_tags, idempotency_key};
use crate::codes::Code;
use crate::extract::workspace::{at, json};
use crate::extract::{Json, Query, Reading, Writing};
use crate::limits;
use crate::page::PageAsked;
use crate::problem::{Answer, Refusal};
use crate::render;

/// Length of a title, as Dagster's (B-7).
const TITLE_CHARS_MAX: usize = 100;

/// Asks for a backfill.
///
/// What it makes is worked out now, once: partitions that begin to exist later are no part of it. Repeating
/// the request is safe with an `Idempotency-Key`.
#[utoipa::path(post, path = "/backfills", tag = "backfills", operation_id = "create_backfill",
    params(("idempotency-key" = Option<String>, Header, description = "Remembered for a day")),
    request_body = CreateBackfill,
    responses((status = 201, description = "A new backfill", body = BackfillCreated),
              (status = 200, description = "The backfill that the same request made before", body = BackfillCreated)))]
pub(crate) async fn create(
    writing: Writing,
    headers: HeaderMap,
    Json(body): Json<CreateBackfill>,
) -> Answer {
    let ask = BackfillAsk {
        idempotency_key: idempotency_key(&headers)?,
        ..ask(body)?
    };
    let engine = writing.engine();
    let made = engine
        .create_backfill(&writing.principal, &writing.request_id, ask)
        .await?;
    answer(&writing, made)
}

/// Shows what a backfill would do. Nothing is written.
#[utoipa::path(post, path = "/backfills/plan", tag = "backfills", operation_id = "preview_backfill",
    request_body = CreateBackfill,
    responses((status = 200, description = "What it would do", body = api::BackfillPreview)))]
pub(crate) async fn preview(reading: Reading, Json(body): Json<CreateBackfill>) -> Answer {
    let outline = reading.engine().preview_backfill(&ask(body)?).await?;
    Ok(reading.json(&render::backfill::preview(&outline)))
}

/// The backfill that stands for a request.
pub(super) fn answer(writing: &Writing, made: BackfillMade) -> Answer {
    let engine = writing.engine();
    let view = engine.view();
    let Some(backfill) = view.state.backfills.get(&made.backfill) else {
        return Err(super::backfill::unknown(made.backfill));
    };
    let status = match made.created {
        true => StatusCode::CREATED,
        false => StatusCode::OK,
    };
    let answer = BackfillCreated {
        created: made.created,
        position: LogPosition(made.position),
        backfill: render::backfill::backfill(backfill, engine.now()),
    };
    let mut response = json(status, &answer);
    let place = format!(
        "/api/v1/workspaces/{}/backfills/{}",
        writing.workspace.name, made.backfill
    );
    if let Ok(place) = HeaderValue::from_str(&place) {
        response.headers_mut().insert(header::LOCATION, place);
    }
    Ok(at(made.position, response))
}

fn ask(body: CreateBackfill) -> Answer<BackfillAsk> {
    check_tags(&body.tags)?;
    if let Some(title) = &body.title {
        bounded("title", title.chars().count(), TITLE_CHARS_MAX)?;
    }
    if let Some(text) = &body.description {
        bounded(
            "description",
            text.chars().count(),
            limits::TAG_VALUE_CHARS_MAX,
        )?;
    }
    let selection = body.selection.into_list();
    bounded("selection", selection.len(), limits::SELECTIONS_MAX)?;
    let usual = BackfillSettings::default();
    Ok(BackfillAsk {
        selection,
        partitions: partitions(body.partitions)?,
        partitions_per_run: body.partitions_per_run.map(NonZeroU32::new),
        refuse_left_out: body.refuse_left_out,
        title: body.title,
        description: body.description,
        tags: body.tags,
        config: body.config,
        settings: BackfillSettings {
            concurrency: body.concurrency.unwrap_or(usual.concurrency),
            priority: body.priority.unwrap_or(usual.priority),
            order: body.order.unwrap_or(usual.order),
            runs_per_minute: body.runs_per_minute.filter(|n| *n > 0),
        },
        idempotency_key: None,
    })
}

fn partitions(asked: Option<api::BackfillPartitions>) -> Answer<BackfillPartitions> {
    Ok(match asked {
        None => BackfillPartitions::None,
        Some(api::BackfillPartitions::All) => BackfillPartitions::All,
        Some(api::BackfillPartitions::Keys(keys)) => {
            bounded("partitions.keys", keys.len(), limits::PARTITION_KEYS_MAX)?;
            BackfillPartitions::Keys(keys)
        }
        Some(api::BackfillPartitions::Filter(filter))
            if filter == api::BackfillFilter::default() =>
        {
            return Err(Refusal::new(
                Code::InvalidBody,
                "`partitions.filter` is empty; say `keys`, `dimensions` or `statuses` in it, or ask for every \
                 partition with `\"partitions\": \"all\"`",
            ));
        }
        Some(api::BackfillPartitions::Filter(filter)) => {
            let keys = filter.dimensions.values().map(Vec::len).sum::<usize>() + filter.keys.len();
            if keys > limits::PARTITION_KEYS_MAX {
                return Err(Refusal::new(
                    Code::InvalidBody,
                    format!(
                        "`partitions.filter` has {keys} keys; give at most {}",
                        limits::PARTITION_KEYS_MAX
                    ),
                ));
            }
            BackfillPartitions::Filter(PartitionFilter {
                keys: filter.keys,
                dimensions: filter.dimensions,
                statuses: filter.statuses,
            })
        }
    })
}

#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ListQuery {
    /// Statuses, separated by commas: `running,paused`.
    status: Option<String>,
    /// Backfills of this asset.
    asset: Option<String>,
    /// Backfills with this tag: `team` or `team=core`.
    tag: Option<String>,
    /// Rows, 1 to 1,000; 50 when absent.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<u32>,
    /// `next_page_token` of the page before.
    page_token: Option<String>,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
struct Filter {
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    status: Vec<BackfillStatus>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    asset: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    tag: Option<String>,
}

impl Filter {
    fn read(query: &ListQuery) -> Answer<Self> {
        let words = query.status.iter().flat_map(|text| text.split(','));
        let status = words.map(|word| {
            let word = word.trim();
            serde_json::from_value(serde_json::Value::from(word)).map_err(|_| {
                Refusal::new(
                    Code::InvalidQuery,
                    format!(
                        "`{word}` is no status of a backfill; they are pending, running, paused, canceling, succeeded, failed and canceled"
                    ),
                )
            })
        });
        Ok(Self {
            status: status.collect::<Answer<_>>()?,
            asset: query.asset.clone(),
            tag: query.tag.clone(),
        })
    }

    fn lets_through(&self, backfill: &arco_flow::state::Backfill) -> bool {
        let tag = |text: &String| match text.split_once('=') {
            Some((key, value)) => backfill.tags.get(key).is_some_and(|v| v == value),
            None => backfill.tags.contains_key(text),
        };
        let asset = |text: &String| backfill.assets.iter().any(|key| key.as_str() == text);
        (self.status.is_empty() || self.status.contains(&backfill.status))
            && self.asset.as_ref().is_none_or(asset)
            && self.tag.as_ref().is_none_or(tag)
    }
}

/// Lists backfills, newest first: those that are not over, and the last thousand that are.
#[utoipa::path(get, path = "/backfills", tag = "backfills", operation_id = "list_backfills", params(ListQuery),
    responses((status = 200, description = "A page of backfills", body = Page<api::Backfill>)))]
pub(crate) async fn list(reading: Reading, Query(query): Query<ListQuery>) -> Answer {
    let filter = Filter::read(&query)?;
    let asked: PageAsked<_, BackfillId> = PageAsked::read(
        "backfills",
        filter,
        query.page_token.as_deref(),
        query.limit,
    )?;
    let now = reading.engine().now();
    let rows = reading.view.state.backfills.values().rev();
    let mut rest = rows
        .filter(|row| asked.after.is_none_or(|after| row.id < after))
        .filter(|row| asked.filter.lets_through(row));
    let items: Vec<api::Backfill> = rest
        .by_ref()
        .take(asked.limit)
        .map(|row| render::backfill::backfill(row, now))
        .collect();
    let last = items.last().map(|row| row.id);
    let next = rest.next().and(last);
    Ok(reading.json(&asked.page(items, next)))
}
