//! The one shape of every refusal and the one place where it becomes a response.
//!
//! Whatever fails, an extractor, a handler, the engine, the router, becomes a [`Refusal`]. As a
//! response it is a status with the refusal among the extensions; the outermost layer
//! ([`crate::request`]) knows the request's id and writes the body. So no path around it can answer
//! with text that is not `application/problem+json`.

mod engine;

#[cfg(test)]
mod tests;

use arco_wire::problem::Problem;
use axum::body::Body;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header};
use axum::response::IntoResponse;

use crate::codes::Code;

/// Header that says where the leader is.
pub(crate) const LEADER_HEADER: HeaderName = HeaderName::from_static("arco-leader");

/// The longest detail.
const DETAIL_BYTES_MAX: usize = 2_048;

/// A refusal on its way out.
#[derive(Debug, Clone)]
pub(crate) struct Refusal {
    code: Code,
    status: StatusCode,
    detail: String,
    hints: Vec<String>,
    headers: HeaderMap,
}

/// What handlers return.
pub(crate) type Answer<T = axum::response::Response> = Result<T, Refusal>;

impl Refusal {
    /// A refusal that says what was attempted, on what, and the mend.
    pub(crate) fn new(code: Code, detail: impl Into<String>) -> Self {
        let mut headers = HeaderMap::new();
        if code.status() == StatusCode::SERVICE_UNAVAILABLE {
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        }
        if code.status() == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        Self {
            code,
            status: code.status(),
            detail: cut(detail.into()),
            hints: Vec::new(),
            headers,
        }
    }

    /// With a line to try next.
    pub(crate) fn hint(mut self, line: impl Into<String>) -> Self {
        self.hints.push(line.into());
        self
    }

    /// With another status than the code's own: `unknown_asset` is 404 for a path, 422 for a body.
    pub(crate) fn status(mut self, status: StatusCode) -> Self {
        self.status = status;
        self
    }

    /// With a header.
    pub(crate) fn header(mut self, name: HeaderName, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.insert(name, value);
        }
        self
    }

    /// The code.
    pub(crate) fn code(&self) -> Code {
        self.code
    }

    /// A refusal for a response that came from elsewhere (the router, the body reader) with an error
    /// status and a body of its own.
    pub(crate) fn of_status(status: StatusCode) -> Self {
        let (code, detail) = match status {
            StatusCode::NOT_FOUND => (
                Code::NotFound,
                "nothing is served at this path; /openapi.json lists what there is",
            ),
            StatusCode::METHOD_NOT_ALLOWED => (
                Code::MethodNotAllowed,
                "the path does not answer this method; the `allow` header lists those it does",
            ),
            StatusCode::PAYLOAD_TOO_LARGE => (Code::BodyTooLarge, "the body is over its bound"),
            StatusCode::UNSUPPORTED_MEDIA_TYPE => (
                Code::UnsupportedMediaType,
                "send the body with `content-type: application/json`",
            ),
            other if other.is_client_error() => (
                Code::InvalidHeader,
                "the request cannot be read; check its headers and its form",
            ),
            _ => (
                Code::Internal,
                "the server failed; its log says more under the request id",
            ),
        };
        Self::new(code, detail).status(status)
    }

    /// The response, with its body.
    pub(crate) fn render(&self, request_id: &str) -> Response<Body> {
        let problem = Problem {
            type_url: self.code.type_url(),
            title: self.code.title().to_owned(),
            status: self.status.as_u16(),
            detail: self.detail.clone(),
            code: self.code.word().to_owned(),
            request_id: request_id.to_owned(),
            hints: self.hints.clone(),
        };
        let body = serde_json::to_vec(&problem).expect("problems serialise: text and numbers");
        let mut response = Response::new(Body::from(body));
        *response.status_mut() = self.status;
        response.headers_mut().extend(self.headers.clone());
        response.headers_mut().insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/problem+json"),
        );
        response
    }
}

/// A detail is for people: of what someone sent it repeats the beginning and the end.
fn cut(text: String) -> String {
    if text.len() <= DETAIL_BYTES_MAX {
        return text;
    }
    let (begin, end) = (DETAIL_BYTES_MAX * 3 / 4, text.len() - DETAIL_BYTES_MAX / 4);
    let begin = (0..=begin).rev().find(|at| text.is_char_boundary(*at));
    let end = (end..=text.len()).find(|at| text.is_char_boundary(*at));
    let (begin, end) = (begin.unwrap_or(0), end.unwrap_or(text.len()));
    let left_out = end - begin;
    format!("{} […{left_out} bytes…] {}", &text[..begin], &text[end..])
}

impl IntoResponse for Refusal {
    fn into_response(self) -> axum::response::Response {
        let mut response = self.status.into_response();
        response.extensions_mut().insert(self);
        response
    }
}
