//! Sensors: list and show them, set them going, stop them, set their cursor.

use std::ops::Bound;

use arco_core::AssetKey;
use arco_engine::Engine;
use arco_flow::State;
use arco_flow::command::Command;
use arco_flow::decide::unknown_sensor;
use arco_wire::api::{
    Page, Sensor, SensorCursor, SensorKindWord, SensorStatus, SensorTest, SensorTrial,
};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;
use serde::{Deserialize, Serialize};
use utoipa::IntoParams;

use crate::codes::Code;
use crate::extract::workspace::{at, json};
use crate::extract::{Json, Path, Query, Reading, Writing};
use crate::page::PageAsked;
use crate::problem::{Answer, Refusal};
use crate::render;

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct SensorsQuery {
    /// Only the sensors of this code location.
    location: Option<String>,
    /// `running` or `stopped`.
    status: Option<String>,
    /// `poll`, `push`, `asset`, `run_status`; several separated by commas.
    kind: Option<String>,
    /// Rows, 1 to 1,000; 50 when absent.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<u32>,
    /// `next_page_token` of the page before.
    page_token: Option<String>,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
struct Filter {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    location: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    status: Option<SensorStatus>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    kind: Vec<SensorKindWord>,
}

impl Filter {
    fn takes(&self, state: &State, name: &str, location: &str) -> bool {
        let Some(row) = state.sensors.get(name) else {
            return false;
        };
        self.location.as_ref().is_none_or(|of| of == location)
            && self
                .status
                .is_none_or(|status| render::sensor::status(row) == status)
            && (self.kind.is_empty() || self.kind.iter().any(|kind| kind.as_str() == row.kind))
    }
}

#[derive(Debug, Deserialize)]
pub(crate) struct SensorPath {
    pub(super) sensor: String,
}

/// Lists sensors by name.
#[utoipa::path(get, path = "/sensors", tag = "sensors", operation_id = "list_sensors",
    params(SensorsQuery),
    responses((status = 200, description = "A page of sensors", body = Page<Sensor>)))]
pub(crate) async fn list(reading: Reading, Query(query): Query<SensorsQuery>) -> Answer {
    let status = crate::words::read("status", query.status.as_deref())?;
    let filter = Filter {
        location: query.location,
        // Both words are all sensors, as is none.
        status: status.first().copied().filter(|_| status.len() == 1),
        kind: crate::words::read("kind", query.kind.as_deref())?
            .into_iter()
            .collect(),
    };
    let asked: PageAsked<_, String> =
        PageAsked::read("sensors", filter, query.page_token.as_deref(), query.limit)?;
    let state = &reading.view.state;
    let from = asked
        .after
        .as_ref()
        .map_or(Bound::Unbounded, Bound::Excluded);
    let mut names = state
        .catalog
        .sensors()
        .range::<String, _>((from, Bound::Unbounded))
        .filter(|(name, location)| asked.filter.takes(state, name, location))
        .map(|(name, _)| name);
    let mut items = Vec::new();
    let mut last = None;
    for name in names.by_ref().take(asked.limit) {
        items.extend(render::sensor::sensor(reading.engine(), state, name));
        last = Some(name.clone());
    }
    let next = names.next().and(last);
    Ok(reading.json(&asked.page(items, next)))
}

/// Shows one sensor. `ETag` is its `state_version`.
#[utoipa::path(get, path = "/sensors/{sensor}", tag = "sensors", operation_id = "get_sensor",
    params(("sensor" = String, Path, description = "Name of the sensor")),
    responses((status = 200, description = "The sensor", body = Sensor)))]
pub(crate) async fn show(reading: Reading, Path(path): Path<SensorPath>) -> Answer {
    let sensor = find(reading.engine(), &reading.view.state, &path.sensor)?;
    Ok(tagged(&sensor, reading.json(&sensor)))
}

/// Sets a sensor going, whatever the code says. What happened before is not its business.
#[utoipa::path(post, path = "/sensors/{sensor}/start", tag = "sensors", operation_id = "start_sensor",
    params(("sensor" = String, Path, description = "Name of the sensor")),
    responses((status = 200, description = "The sensor as it stands now", body = Sensor)))]
pub(crate) async fn start(writing: Writing, Path(path): Path<SensorPath>) -> Answer {
    let command = Command::StartSensor(path.sensor.clone());
    tell(writing, path, command).await
}

/// Stops a sensor, whatever the code says. Its runs go on, and what lies before it waits.
#[utoipa::path(post, path = "/sensors/{sensor}/stop", tag = "sensors", operation_id = "stop_sensor",
    params(("sensor" = String, Path, description = "Name of the sensor")),
    responses((status = 200, description = "The sensor as it stands now", body = Sensor)))]
pub(crate) async fn stop(writing: Writing, Path(path): Path<SensorPath>) -> Answer {
    let command = Command::StopSensor(path.sensor.clone());
    tell(writing, path, command).await
}

/// Leaves it to the code again whether a sensor runs.
#[utoipa::path(post, path = "/sensors/{sensor}/reset", tag = "sensors", operation_id = "reset_sensor",
    params(("sensor" = String, Path, description = "Name of the sensor")),
    responses((status = 200, description = "The sensor as it stands now", body = Sensor)))]
pub(crate) async fn reset(writing: Writing, Path(path): Path<SensorPath>) -> Answer {
    let command = Command::ResetSensor(path.sensor.clone());
    tell(writing, path, command).await
}

/// Sets or clears the cursor. An evaluation under way at this moment counts for nothing. With `If-Match`
/// only while the `state_version` is that one.
#[utoipa::path(put, path = "/sensors/{sensor}/cursor", tag = "sensors", operation_id = "set_sensor_cursor",
    params(("sensor" = String, Path, description = "Name of the sensor"),
        ("if-match" = Option<String>, Header, description = "`state_version` of the sensor as it was seen, or `*`")),
    request_body = SensorCursor,
    responses((status = 200, description = "The sensor as it stands now", body = Sensor)))]
pub(crate) async fn put_cursor(
    writing: Writing,
    Path(path): Path<SensorPath>,
    headers: HeaderMap,
    Json(body): Json<SensorCursor>,
) -> Answer {
    let command = Command::SetCursor {
        sensor: path.sensor.clone(),
        cursor: body.cursor,
        state_version: if_match(&headers)?,
    };
    tell(writing, path, command).await
}

/// Asks the function of a sensor what it would do, now and with the cursor that stands or another. Nothing
/// is done with what it says. Of a sensor that is pushed to or watches assets it is asked about what is given
/// here, else about the oldest that waits.
#[utoipa::path(post, path = "/sensors/{sensor}/test", tag = "sensors", operation_id = "test_sensor",
    params(("sensor" = String, Path, description = "Name of the sensor")),
    request_body = SensorTest,
    responses((status = 200, description = "What would come of it", body = SensorTrial)))]
pub(crate) async fn test(
    writing: Writing,
    Path(path): Path<SensorPath>,
    Json(body): Json<SensorTest>,
) -> Answer {
    let trial = arco_engine::SensorTrial {
        cursor: body.cursor,
        message: body
            .message
            .map(|message| (message.data, message.attributes)),
        materialization: body.asset.map(|asset: AssetKey| (asset, body.partition)),
    };
    let engine = writing.engine();
    let tried = engine.try_sensor(&path.sensor, trial).await?;
    let answer = render::sensor::trial(&path.sensor, tried);
    Ok(at(engine.view().position(), json(StatusCode::OK, &answer)))
}

async fn tell(writing: Writing, path: SensorPath, command: Command) -> Answer {
    let engine = writing.engine();
    let done = engine
        .submit(&writing.principal, &writing.request_id, command)
        .await?;
    let sensor = find(engine, &engine.view().state, &path.sensor)?;
    tracing::info!(
        sensor = path.sensor,
        status = sensor.status.as_str(),
        state_version = sensor.state_version,
        "sensor set"
    );
    Ok(tagged(
        &sensor,
        at(done.position, json(StatusCode::OK, &sensor)),
    ))
}

fn tagged(sensor: &Sensor, mut response: Response) -> Response {
    if let Ok(value) = HeaderValue::from_str(&format!("\"{}\"", sensor.state_version)) {
        response.headers_mut().insert(header::ETAG, value);
    }
    response
}

/// The state version that a change is meant for; `None` when it is meant whatever it is.
fn if_match(headers: &HeaderMap) -> Answer<Option<u64>> {
    let Some(value) = headers.get(header::IF_MATCH) else {
        return Ok(None);
    };
    let text = value.to_str().unwrap_or("?").trim();
    if text == "*" {
        return Ok(None);
    }
    let version = text.trim_start_matches("W/").trim_matches('"').parse();
    version.map(Some).map_err(|_| {
        Refusal::new(
            Code::InvalidHeader,
            format!("`if-match` is `{text}`; send the `etag` of the sensor, such as `\"7\"`"),
        )
    })
}

pub(super) fn find(engine: &Engine, state: &State, name: &str) -> Answer<Sensor> {
    render::sensor::sensor(engine, state, name).ok_or_else(|| missing(state, name))
}

/// The path names a sensor that is not there.
pub(super) fn missing(state: &State, name: &str) -> Refusal {
    Refusal::from(unknown_sensor(state, name))
}
