//! Around every request: an id, a span, the gate against foreign pages, metrics, and the one place
//! where a refusal gets its body.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::panic::AssertUnwindSafe;

use arco_wire::api::REQUEST_ID_HEADER;
use axum::body::Body;
use axum::extract::{ConnectInfo, MatchedPath, Request, State};
use axum::http::{Extensions, HeaderMap, HeaderValue, Response, StatusCode, header};
use axum::middleware::Next;
use axum::response::IntoResponse as _;
use futures::FutureExt as _;
use tokio::time::Instant;
use tracing::Instrument as _;

use crate::app::App;
use crate::codes::Code;
use crate::problem::Refusal;

/// What is known of a request before anything looks at it.
#[derive(Debug, Clone)]
pub(crate) struct RequestInfo {
    /// Its id, in the answer, in the log's `cause`, in the operator's log.
    pub(crate) id: String,
    /// Who is at the other end of the connection.
    pub(crate) peer: IpAddr,
}

impl RequestInfo {
    pub(crate) fn of(extensions: &Extensions) -> Self {
        extensions.get::<Self>().cloned().unwrap_or_else(|| Self {
            // Never met behind the outermost layer. An address that is nobody's keeps the gate shut.
            id: "req_unknown".into(),
            peer: IpAddr::V4(Ipv4Addr::UNSPECIFIED),
        })
    }
}

/// The outermost layer.
pub(crate) async fn outermost(
    State(app): State<App>,
    mut request: Request,
    next: Next,
) -> Response<Body> {
    let id = given_id(request.headers()).unwrap_or_else(|| app.request_id());
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>();
    let peer = peer.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |info| info.0.ip());
    request.extensions_mut().insert(RequestInfo {
        id: id.clone(),
        peer,
    });
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map(|path| path.as_str().to_owned());
    let route = route.unwrap_or_else(|| "unmatched".into());
    let method = request.method().clone();
    let span = tracing::info_span!("request", request_id = %id, %method, route, status = tracing::field::Empty);
    let begun = Instant::now();
    let _open = app.metrics().request_begun();
    let gate = app
        .names()
        .check(request.method(), request.uri(), request.headers());
    let running = async {
        match gate {
            Err(refusal) => refusal.into_response(),
            Ok(()) => AssertUnwindSafe(next.run(request))
                .catch_unwind()
                .await
                .unwrap_or_else(|_| {
                    tracing::error!("a handler panicked");
                    Refusal::of_status(StatusCode::INTERNAL_SERVER_ERROR).into_response()
                }),
        }
    };
    let response = running.instrument(span.clone()).await;
    let response = with_body(response, &id);
    let status = response.status();
    span.record("status", status.as_u16());
    span.in_scope(|| report(status, begun));
    app.metrics()
        .answered(&method, &route, status, begun.elapsed());
    finish(response, &id)
}

/// A client may name its request, so that its own log and ours can be laid side by side.
fn given_id(headers: &HeaderMap) -> Option<String> {
    let text = headers.get(REQUEST_ID_HEADER)?.to_str().ok()?;
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    (!text.is_empty() && text.len() <= 64 && text.chars().all(plain)).then(|| text.to_owned())
}

/// Writes the body of a refusal, and of any error that did not come as one.
fn with_body(response: Response<Body>, id: &str) -> Response<Body> {
    if let Some(refusal) = response.extensions().get::<Refusal>() {
        let code = refusal.code();
        if matches!(code, Code::Internal | Code::Corrupt) {
            tracing::error!(code = code.word(), "request failed");
        }
        return refusal.render(id);
    }
    let status = response.status();
    if !(status.is_client_error() || status.is_server_error()) {
        return response;
    }
    let mut refusal = Refusal::of_status(status);
    if let Some(allow) = response
        .headers()
        .get(header::ALLOW)
        .and_then(|v| v.to_str().ok())
    {
        refusal = refusal.header(header::ALLOW, allow);
    }
    refusal.render(id)
}

fn report(status: StatusCode, begun: Instant) {
    let ms = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
    if status.is_server_error() && status != StatusCode::SERVICE_UNAVAILABLE {
        tracing::error!(status = status.as_u16(), ms, "answered");
    } else {
        tracing::debug!(status = status.as_u16(), ms, "answered");
    }
}

fn finish(mut response: Response<Body>, id: &str) -> Response<Body> {
    let headers = response.headers_mut();
    if let Ok(value) = HeaderValue::from_str(id) {
        headers.insert(REQUEST_ID_HEADER, value);
    }
    // Output of tasks is answered as text: a browser must not guess that it is a page.
    headers.insert(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
    // Answers are of a moment; a cache between would show an old one.
    headers
        .entry(header::CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
    response
}
