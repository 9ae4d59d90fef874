//! Bodies, read whole under a bound and a deadline. The bound is the type's: a handler cannot forget it.

use axum::body::Body;
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, header};
use serde::de::DeserializeOwned;

use crate::codes::Code;
use crate::limits;
use crate::problem::{Answer, Refusal};

/// A JSON body of at most `MAX` bytes.
pub(crate) struct Json<T, const MAX: usize = { limits::COMMAND_BYTES_MAX }>(pub(crate) T);

/// A JSON body of at most `MAX` bytes, or none: what is not said is as usual.
pub(crate) struct JsonOrNone<T, const MAX: usize = { limits::COMMAND_BYTES_MAX }>(pub(crate) T);

/// A body of at most `MAX` bytes, whatever it holds.
pub(crate) struct Bytes<const MAX: usize>(pub(crate) bytes::Bytes);

impl<T, S, const MAX: usize> FromRequest<S> for Json<T, MAX>
where
    T: DeserializeOwned,
    S: Send + Sync,
{
    type Rejection = Refusal;

    async fn from_request(request: Request, _: &S) -> Answer<Self> {
        if !is_json(request.headers()) {
            return Err(not_json());
        }
        let bytes = read(request, MAX).await?;
        parse(&bytes).map(Self)
    }
}

impl<T, S, const MAX: usize> FromRequest<S> for JsonOrNone<T, MAX>
where
    T: DeserializeOwned + Default,
    S: Send + Sync,
{
    type Rejection = Refusal;

    async fn from_request(request: Request, _: &S) -> Answer<Self> {
        let is_json = is_json(request.headers());
        let bytes = read(request, MAX).await?;
        match (bytes.is_empty(), is_json) {
            (true, _) => Ok(Self(T::default())),
            (false, true) => parse(&bytes).map(Self),
            (false, false) => Err(not_json()),
        }
    }
}

fn not_json() -> Refusal {
    Refusal::new(
        Code::UnsupportedMediaType,
        "the body must be JSON; send it with `content-type: application/json`",
    )
}

impl<S: Send + Sync, const MAX: usize> FromRequest<S> for Bytes<MAX> {
    type Rejection = Refusal;

    async fn from_request(request: Request, _: &S) -> Answer<Self> {
        read(request, MAX).await.map(Self)
    }
}

/// A page of another site cannot send this type without asking first, which is one more gate.
fn is_json(headers: &HeaderMap) -> bool {
    let value = headers
        .get(header::CONTENT_TYPE)
        .and_then(|v| v.to_str().ok());
    let essence = value.and_then(|v| v.split(';').next()).map(str::trim);
    essence.is_some_and(|e| {
        let e = e.to_ascii_lowercase();
        e == "application/json" || (e.starts_with("application/") && e.ends_with("+json"))
    })
}

async fn read(request: Request, max: usize) -> Answer<bytes::Bytes> {
    let too_large = || {
        Refusal::new(
            Code::BodyTooLarge,
            format!("the body is over {max} bytes, the bound of this path; send less at a time"),
        )
    };
    let length = request.headers().get(header::CONTENT_LENGTH);
    let length = length.and_then(|v| v.to_str().ok()?.parse::<u64>().ok());
    if length.is_some_and(|length| length > max as u64) {
        return Err(too_large());
    }
    let reading = collect(request.into_body(), max);
    match tokio::time::timeout(limits::BODY_TIMEOUT, reading).await {
        Ok(Ok(Some(bytes))) => Ok(bytes),
        Ok(Ok(None)) => Err(too_large()),
        Ok(Err(error)) => Err(Refusal::new(
            Code::IncompleteBody,
            format!("the body broke off: {error}; send the request again"),
        )),
        Err(_) => Err(Refusal::new(
            Code::IncompleteBody,
            format!(
                "the body did not arrive within {} s; send the request again",
                limits::BODY_TIMEOUT.as_secs()
            ),
        )),
    }
}

/// The whole body; `None` when it is over `max`.
async fn collect(body: Body, max: usize) -> Result<Option<bytes::Bytes>, axum::Error> {
    use futures::StreamExt as _;

    let mut chunks = body.into_data_stream();
    let mut first: Option<bytes::Bytes> = None;
    let mut rest: Vec<u8> = Vec::new();
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk?;
        let so_far = if rest.is_empty() {
            first.as_ref().map_or(0, bytes::Bytes::len)
        } else {
            rest.len()
        };
        if so_far + chunk.len() > max {
            return Ok(None);
        }
        // Most bodies come in one chunk and are not copied.
        match &first {
            None => first = Some(chunk),
            Some(start) => {
                if rest.is_empty() {
                    rest.extend_from_slice(start);
                }
                rest.extend_from_slice(&chunk);
            }
        }
    }
    Ok(Some(if rest.is_empty() {
        first.unwrap_or_default()
    } else {
        rest.into()
    }))
}

fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Answer<T> {
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let parsed = serde_path_to_error::deserialize(&mut reader);
    let refused = |code, path: &str, error: &serde_json::Error| {
        let place = if path.is_empty() || path == "." {
            String::new()
        } else {
            format!(" at `{path}`")
        };
        Refusal::new(code, format!("the body cannot be read{place}: {error}"))
            .hint("/openapi.json describes the bodies of every path")
    };
    let value = parsed.map_err(|error| {
        let path = error.path().to_string();
        let inner = error.into_inner();
        let code = if inner.is_data() {
            Code::InvalidBody
        } else {
            Code::InvalidJson
        };
        refused(code, &path, &inner)
    })?;
    reader
        .end()
        .map_err(|error| refused(Code::InvalidJson, "", &error))?;
    Ok(value)
}
