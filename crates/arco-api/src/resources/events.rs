//! The event log: a page of it as JSON, or all that follows as server-sent events.

use arco_core::RunId;
use arco_core::event::{Position, RawEvent};
use arco_wire::api::{EventPage, LogPosition};
use axum::extract::State;
use axum::http::{HeaderMap, header};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::app::App;
use crate::codes::Code;
use crate::extract::{Query, Reading};
use crate::limits;
use crate::page;
use crate::problem::{Answer, Refusal};
use crate::render;

use super::event_stream;

/// Events of a page when no number is asked for.
const EVENTS_DEFAULT: usize = 100;
/// Events of a page, at most. Events are small; the page is bounded in bytes too.
const EVENTS_MAX: usize = 1_000;

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct EventsQuery {
    /// The first position wanted; the beginning of the log when absent, the present end for a stream.
    from: Option<String>,
    /// Only events of this run.
    run: Option<String>,
    /// Only kinds that begin with one of these, separated by commas: `run.,asset.materialized`.
    kind: Option<String>,
    /// Events looked at, 1 to 1,000; 100 when absent. A filter may leave fewer. Not for streams.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<u32>,
}

/// Which events are shown.
#[derive(Debug, Clone, Default)]
pub(crate) struct EventFilter {
    run: Option<RunId>,
    /// Empty: any.
    kinds: Vec<String>,
}

/// Reads events from a position on.
///
/// With `accept: text/event-stream` the answer is a stream that does not end: one server-sent event
/// per event, its id the position. A client that comes back with `Last-Event-ID` goes on right after
/// it, without loss and without seeing an event twice.
#[utoipa::path(get, path = "/events", tag = "events", operation_id = "read_events",
    params(EventsQuery,
           ("last-event-id" = Option<String>, Header, description = "For streams: go on after this position")),
    responses((status = 200, description = "A page of events, or a stream", content(
        (EventPage = "application/json"), (String = "text/event-stream")))))]
pub(crate) async fn read(
    State(app): State<App>,
    reading: Reading,
    Query(query): Query<EventsQuery>,
    headers: HeaderMap,
) -> Answer {
    let filter = EventFilter::read(&query)?;
    let from = query
        .from
        .as_deref()
        .map(|text| position("from", text))
        .transpose()?;
    if wants_stream(&headers) {
        let last = headers
            .get("last-event-id")
            .and_then(|value| value.to_str().ok());
        // A browser that comes back sends the query it began with: the place it reached wins.
        let start = match last.filter(|text| !text.is_empty()) {
            Some(text) => position("last-event-id", text)?.next(),
            None => from.unwrap_or_else(|| LogPosition(reading.view.position()).next()),
        };
        return event_stream::open(&app, &reading, start.0, filter);
    }
    let limit = page::limit(query.limit, EVENTS_DEFAULT, EVENTS_MAX)?;
    let from = from.map_or_else(beginning, |from| from.0);
    let events = reading.engine().read_events(from, limit).await?;
    Ok(reading.json(&self::page(from, &events, &filter)))
}

/// The first position of every log.
fn beginning() -> Position {
    Position {
        segment: 1,
        index: 0,
    }
}

/// The events that the filter shows, as far as a page may be long.
fn page(from: Position, events: &[(Position, RawEvent)], filter: &EventFilter) -> EventPage {
    let mut out = EventPage {
        items: Vec::new(),
        next: LogPosition(from),
    };
    let mut bytes = 0;
    for (at, raw) in events {
        if filter.shows(raw) {
            let size = raw.payload.get().len().min(limits::EVENT_PAYLOAD_BYTES_MAX);
            if !out.items.is_empty() && bytes + size > limits::EVENT_PAGE_BYTES {
                break;
            }
            bytes += size;
            out.items.push(render::event::event(*at, raw));
        }
        out.next = LogPosition(*at).next();
    }
    out
}

fn position(what: &str, text: &str) -> Answer<LogPosition> {
    let refused = |reason| {
        let code = if what == "from" {
            Code::InvalidQuery
        } else {
            Code::InvalidHeader
        };
        Refusal::new(code, format!("`{what}`: {reason}"))
    };
    text.parse().map_err(refused)
}

fn wants_stream(headers: &HeaderMap) -> bool {
    let accept = headers
        .get(header::ACCEPT)
        .and_then(|value| value.to_str().ok());
    accept.is_some_and(|text| text.to_ascii_lowercase().contains("text/event-stream"))
}

/// What says which run an event is of: `run`, or `attempt`, whose text begins with the run.
#[derive(Deserialize)]
struct Subject<'a> {
    #[serde(borrow)]
    run: Option<std::borrow::Cow<'a, str>>,
    #[serde(borrow)]
    attempt: Option<std::borrow::Cow<'a, str>>,
}

impl EventFilter {
    fn read(query: &EventsQuery) -> Answer<Self> {
        let run = query.run.as_deref().map(|text| {
            text.parse()
                .map_err(|error| Refusal::new(Code::InvalidQuery, format!("`run`: {error}")))
        });
        let kinds = query
            .kind
            .as_deref()
            .unwrap_or_default()
            .split(',')
            .map(str::trim);
        Ok(Self {
            run: run.transpose()?,
            kinds: kinds
                .filter(|kind| !kind.is_empty())
                .map(str::to_owned)
                .collect(),
        })
    }

    pub(crate) fn shows(&self, raw: &RawEvent) -> bool {
        let kind = self.kinds.is_empty() || self.kinds.iter().any(|k| raw.kind.starts_with(k));
        kind && self.run.is_none_or(|run| is_of(raw, run))
    }
}

fn is_of(raw: &RawEvent, run: RunId) -> bool {
    let Ok(subject) = serde_json::from_str::<Subject<'_>>(raw.payload.get()) else {
        return false;
    };
    let run = run.to_string();
    let of_attempt = subject
        .attempt
        .as_deref()
        .and_then(|text| text.split('.').next());
    subject.run.as_deref() == Some(&run) || of_attempt == Some(&run)
}
