//! The way to an engine leads through a role.
//!
//! A handler takes one of [`Reading`], [`Writing`], [`Hosting`], [`Uploading`]; each finds the
//! workspace of the path, knows who asks, and refuses when the role does not allow it. There is no
//! other way to an engine, so a handler that forgot to ask for a role does not compile.

use std::sync::Arc;
use std::time::Duration;

use arco_core::AttemptId;
use arco_core::event::Position;
use arco_engine::{Engine, View};
use arco_wire::api::{LogPosition, MIN_POSITION_HEADER, POSITION_HEADER};
use axum::extract::{FromRef, FromRequestParts, RawPathParams};
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use crate::app::{App, Workspace};
use crate::auth::{self, Identity};
use crate::codes::Code;
use crate::problem::{Answer, Refusal};
use crate::request::RequestInfo;

const POSITION: HeaderName = HeaderName::from_static(POSITION_HEADER);

/// Someone who may read, at a view of committed state.
pub(crate) struct Reading {
    /// The workspace.
    pub(crate) workspace: Arc<Workspace>,
    /// Everything this request reads, it reads from here.
    pub(crate) view: Arc<View>,
}

/// Someone who may change things.
pub(crate) struct Writing {
    /// The workspace.
    pub(crate) workspace: Arc<Workspace>,
    /// Who, for the log.
    pub(crate) principal: String,
    /// Id of the request, for the log.
    pub(crate) request_id: String,
}

/// Someone who sends a message. Whether a signature or a role decides is for the handler to ask.
pub(crate) struct Receiving {
    /// What all requests share: the secrets of senders.
    pub(crate) app: App,
    /// The workspace.
    pub(crate) workspace: Arc<Workspace>,
    /// Who, when they may change things; else why not.
    pub(crate) writer: Answer<String>,
    /// Id of the request, for the log.
    pub(crate) request_id: String,
}

/// A worker host.
#[derive(Clone)]
pub(crate) struct Hosting {
    /// The workspace.
    pub(crate) workspace: Arc<Workspace>,
    /// Who; which location it may serve is for the handler to ask.
    pub(crate) identity: Identity,
    /// Id of the request, for the log.
    pub(crate) request_id: String,
}

/// An upload under the token of one attempt.
pub(crate) struct Uploading {
    /// The workspace.
    pub(crate) workspace: Arc<Workspace>,
    /// The token; whether it is of the attempt of the path is checked by [`Uploading::check`].
    token: String,
}

impl Reading {
    pub(crate) fn engine(&self) -> &Engine {
        &self.workspace.engine
    }

    /// Goes on to a view at `position` or later.
    pub(crate) async fn reach(&mut self, position: Position, wait: Duration) -> Answer<()> {
        self.view = view_at(self.engine(), position, wait).await?;
        Ok(())
    }

    /// The answer, with the position it was read at.
    pub(crate) fn json<T: Serialize>(&self, value: &T) -> Response {
        at(self.view.position(), json(StatusCode::OK, value))
    }
}

impl Writing {
    pub(crate) fn engine(&self) -> &Engine {
        &self.workspace.engine
    }
}

impl Hosting {
    pub(crate) fn engine(&self) -> &Engine {
        &self.workspace.engine
    }

    pub(crate) fn principal(&self) -> &str {
        &self.identity.principal
    }
}

impl Uploading {
    /// Refuses when the token is not of this attempt.
    pub(crate) fn check(&self, attempt: AttemptId) -> Answer<()> {
        let workspace = &self.workspace;
        workspace
            .attempt_secret
            .check(&self.token, attempt, workspace.engine.now())
    }
}

/// A JSON response.
pub(crate) fn json<T: Serialize>(status: StatusCode, value: &T) -> Response {
    (status, axum::Json(value)).into_response()
}

/// A response with the position it was read or committed at.
pub(crate) fn at(position: Position, mut response: Response) -> Response {
    if let Ok(value) = HeaderValue::from_str(&LogPosition(position).to_string()) {
        response.headers_mut().insert(POSITION, value);
    }
    response
}

async fn workspace<S>(parts: &mut Parts, state: &S) -> Answer<Arc<Workspace>>
where
    App: FromRef<S>,
    S: Send + Sync,
{
    let app = App::from_ref(state);
    let params = RawPathParams::from_request_parts(parts, state)
        .await
        .map_err(|error| {
            Refusal::new(
                Code::InvalidPath,
                format!("the path cannot be read: {error}"),
            )
        })?;
    let name = params
        .iter()
        .find(|(name, _)| *name == "workspace")
        .map_or("", |(_, value)| value);
    app.workspace(name).ok_or_else(|| {
        let known: Vec<&str> = app.workspace_names().collect();
        Refusal::new(
            Code::UnknownWorkspace,
            format!(
                "workspace `{name}` is not served here; there is `{}`",
                known.join("`, `")
            ),
        )
    })
}

fn identify<S>(parts: &Parts, state: &S) -> Answer<Identity>
where
    App: FromRef<S>,
{
    let app = App::from_ref(state);
    app.access()
        .identify(&parts.headers, RequestInfo::of(&parts.extensions).peer)
}

impl<S> FromRequestParts<S> for Reading
where
    App: FromRef<S>,
    S: Send + Sync,
{
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Answer<Self> {
        let identity = identify(parts, state)?;
        if !identity.may_read() {
            return Err(auth::forbidden(&format!(
                "reading needs role `viewer`, `client` or `admin`, the token has `{}`",
                identity.role()
            )));
        }
        let workspace = workspace(parts, state).await?;
        let at_least = min_position(parts)?;
        let wait = App::from_ref(state).settings().min_position_wait();
        let view = view_at(&workspace.engine, at_least, wait).await?;
        Ok(Self { workspace, view })
    }
}

fn min_position(parts: &Parts) -> Answer<Position> {
    let Some(value) = parts.headers.get(MIN_POSITION_HEADER) else {
        return Ok(Position::default());
    };
    let parsed = value.to_str().unwrap_or("?").parse::<LogPosition>();
    parsed.map(|position| position.0).map_err(|reason| {
        Refusal::new(
            Code::InvalidHeader,
            format!("`{MIN_POSITION_HEADER}`: {reason}"),
        )
    })
}

/// A view at `position` or later. Another replica may have written it: look at once instead of
/// waiting for the next round of following.
async fn view_at(engine: &Engine, position: Position, wait: Duration) -> Answer<Arc<View>> {
    let view = engine.view();
    if view.position() >= position {
        return Ok(view);
    }
    let reached = tokio::time::timeout(wait, async {
        engine.catch_up().await.is_ok() && engine.wait_for(position, wait).await
    });
    if reached.await.unwrap_or(false) {
        return Ok(engine.view());
    }
    Err(Refusal::new(
        Code::PositionNotReached,
        format!(
            "this server has read the log up to {}, not yet up to {}; ask again in a second",
            LogPosition(engine.view().position()),
            LogPosition(position)
        ),
    ))
}

impl<S> FromRequestParts<S> for Writing
where
    App: FromRef<S>,
    S: Send + Sync,
{
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Answer<Self> {
        let principal = writer(parts, state)?;
        Ok(Self {
            workspace: workspace(parts, state).await?,
            principal,
            request_id: RequestInfo::of(&parts.extensions).id.clone(),
        })
    }
}

/// Who asks, when they may change things.
fn writer<S>(parts: &Parts, state: &S) -> Answer<String>
where
    App: FromRef<S>,
{
    let identity = identify(parts, state)?;
    if !identity.may_write() {
        return Err(auth::forbidden(&format!(
            "this needs role `client` or `admin`, the token has `{}`",
            identity.role()
        )));
    }
    Ok(identity.principal)
}

impl<S> FromRequestParts<S> for Receiving
where
    App: FromRef<S>,
    S: Send + Sync,
{
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Answer<Self> {
        Ok(Self {
            app: App::from_ref(state),
            writer: writer(parts, state),
            workspace: workspace(parts, state).await?,
            request_id: RequestInfo::of(&parts.extensions).id.clone(),
        })
    }
}

impl<S> FromRequestParts<S> for Hosting
where
    App: FromRef<S>,
    S: Send + Sync,
{
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Answer<Self> {
        let identity = identify(parts, state)?;
        if !identity.is_worker() {
            return Err(auth::forbidden(&format!(
                "the worker protocol needs role `worker:LOCATION`, the token has `{}`",
                identity.role()
            )));
        }
        Ok(Self {
            workspace: workspace(parts, state).await?,
            identity,
            request_id: RequestInfo::of(&parts.extensions).id.clone(),
        })
    }
}

impl<S> FromRequestParts<S> for Uploading
where
    App: FromRef<S>,
    S: Send + Sync,
{
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Answer<Self> {
        let token = auth::bearer(&parts.headers)
            .map(str::to_owned)
            .ok_or_else(|| {
                Refusal::new(
                    Code::BadAttemptToken,
                    "an upload needs the `token` of the lease; send `authorization: Bearer TOKEN`",
                )
            })?;
        Ok(Self {
            workspace: workspace(parts, state).await?,
            token,
        })
    }
}
