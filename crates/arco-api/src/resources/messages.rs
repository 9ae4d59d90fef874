//! Messages that are pushed to a sensor, in the dialect of whoever sends them.

use arco_engine::MessageAsk;
use arco_ingest::{Asked, BadMessage, DATA_BYTES_MAX, Form, Headers, signature};
use arco_wire::api::MessageAccepted;
use axum::http::{HeaderMap, StatusCode};
use serde::Deserialize;
use utoipa::IntoParams;

use super::sensors::SensorPath;
use crate::codes::Code;
use crate::extract::workspace::{at, json};
use crate::extract::{Bytes, Path, Query, Receiving};
use crate::problem::{Answer, Refusal};

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct MessageQuery {
    /// Id of a plain JSON message; else its header `idempotency-key`, else `webhook-id`, else one is chosen.
    id: Option<String>,
    /// Where in a plain JSON message its id is: a JSON pointer, `/order/id`.
    id_at: Option<String>,
}

/// Accepts a message for a sensor: JSON, a CloudEvent, or what a Pub/Sub push subscription sends. It is
/// evaluated once, however often it is sent under its id. A sensor that has a secret takes messages
/// with a signature of Standard Webhooks alone, and of no token.
#[utoipa::path(post, path = "/sensors/{sensor}/messages", tag = "sensors", operation_id = "send_message",
    params(("sensor" = String, Path, description = "Name of the sensor"), MessageQuery),
    request_body = serde_json::Value,
    responses((status = 202, description = "It is in the log and will be evaluated", body = MessageAccepted)))]
pub(crate) async fn send(
    receiving: Receiving,
    Path(path): Path<SensorPath>,
    Query(query): Query<MessageQuery>,
    headers: HeaderMap,
    Bytes(body): Bytes<DATA_BYTES_MAX>,
) -> Answer {
    let headers: Headers = headers
        .iter()
        .filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)))
        .collect();
    let engine = &receiving.workspace.engine;
    let keys = receiving.app.sensor_secrets().of(&path.sensor);
    let (principal, signed) = if keys.is_empty() {
        (receiving.writer?, None)
    } else {
        let now = engine.now().0.div_euclid(1_000);
        let id = signature::check(keys, &headers, &body, now).map_err(|error| {
            Refusal::new(
                Code::BadSignature,
                format!(
                    "sensor `{}` takes signed messages only: {error}",
                    path.sensor
                ),
            )
        })?;
        (format!("sender:{}", path.sensor), Some(id))
    };
    let asked = Asked {
        id: query.id,
        id_at: query.id_at,
    };
    let message = arco_ingest::read(&headers, &body, &asked).map_err(refused)?;
    let id = match signed {
        // What else says an id may not be what was signed: a signature that is sent again under
        // another id would be another message.
        Some(id) => Some(id),
        None => message.id,
    };
    let id = id.unwrap_or_else(|| receiving.app.message_id());
    let ask = MessageAsk {
        sensor: path.sensor,
        id: id.clone(),
        data: message.data,
        attributes: message.attributes,
    };
    let sensor = ask.sensor.clone();
    let accepted = engine
        .accept_message(&principal, &receiving.request_id, ask)
        .await?;
    let answer = MessageAccepted {
        sensor,
        id,
        duplicate: !accepted.created,
        position: accepted.at.into(),
    };
    tracing::debug!(
        sensor = answer.sensor,
        id = answer.id,
        duplicate = answer.duplicate,
        form = form(message.form),
        "message"
    );
    Ok(at(accepted.position, json(StatusCode::ACCEPTED, &answer)))
}

fn refused(error: BadMessage) -> Refusal {
    let code = match &error {
        BadMessage::NotJson(_) => Code::InvalidJson,
        BadMessage::MediaType(_) => Code::UnsupportedMediaType,
        BadMessage::Shape { .. } | BadMessage::Bounds(_) => Code::BadMessage,
    };
    Refusal::new(code, error.to_string())
}

fn form(form: Form) -> &'static str {
    match form {
        Form::Json => "json",
        Form::CloudEventsStructured => "cloudevents-structured",
        Form::CloudEventsBinary => "cloudevents-binary",
        Form::PubSub => "pubsub",
    }
}
