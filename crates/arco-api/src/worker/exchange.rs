//! The hot call: facts in, work out, a sign of life.

use std::time::Duration;

use arco_core::HostId;
use arco_engine::{EngineError, HostWork};
use arco_flow::command::HostExchange;
use arco_wire::worker::{Exchange, Exchanged, Refused};
use axum::extract::State;
use axum::http::StatusCode;

use crate::app::{App, Workspace};
use crate::extract::workspace::json;
use crate::extract::{Hosting, Json, Path};
use crate::limits;
use crate::problem::Answer;

use super::hosts::{HostPath, bounded, serves};
use super::{lease, report};

/// Reports facts and asks for work.
///
/// With reports it is answered at once; without, it waits for work up to `wait_ms`. The same `seq`
/// again is the same call: its facts count once, and leases the host does not hold are given again.
#[utoipa::path(post, path = "/worker/hosts/{host}/exchange", tag = "worker", operation_id = "exchange",
    params(("host" = String, Path, description = "Host id")), request_body = Exchange,
    responses((status = 200, description = "Work, cancellations, refused facts", body = Exchanged)))]
pub(crate) async fn exchange(
    State(app): State<App>,
    hosting: Hosting,
    Path(path): Path<HostPath>,
    Json(body): Json<Exchange, { limits::EXCHANGE_BYTES_MAX }>,
) -> Answer {
    serves(&hosting, path.host)?;
    bounded("reports", body.reports.len(), limits::REPORTS_MAX)?;
    bounded("live", body.live.len(), limits::LIVE_MAX)?;
    let answer = if body.reports.is_empty() {
        ask(&app, hosting, path.host, body).await?
    } else {
        report(&app, hosting, path.host, body).await?
    };
    app.metrics().leases.inc_by(answer.leases.len() as u64);
    Ok(json(StatusCode::OK, &answer))
}

/// Asks for work and changes nothing but leases; a lease whose answer is lost is given again
/// because the host does not name it among its live attempts. So this may be dropped at any time:
/// when the host hangs up, and when the server goes down.
async fn ask(app: &App, hosting: Hosting, host: HostId, body: Exchange) -> Answer<Exchanged> {
    let wait = Duration::from_millis(body.wait_ms).min(limits::EXCHANGE_WAIT_MAX);
    let request = HostExchange {
        host,
        reports: Vec::new(),
        want: body.want,
        live: body.live,
    };
    let engine = hosting.engine();
    let asking = engine.exchange(hosting.principal(), &hosting.request_id, request, wait);
    tokio::select! {
        work = asking => Ok(exchanged(&hosting.workspace, work?)),
        () = app.shutdown().cancelled() => Err(EngineError::Stopped.into()),
    }
}

/// Reports facts. Runs to its end although the host hangs up, so that a repeat after a lost answer
/// does not report twice; the repeat gets its leases from the state as it is now.
async fn report(app: &App, hosting: Hosting, host: HostId, body: Exchange) -> Answer<Exchanged> {
    let (workspace, seq) = (hosting.workspace.clone(), body.seq);
    let again = Exchange {
        reports: Vec::new(),
        wait_ms: 0,
        live: body.live.clone(),
        ..body
    };
    app.metrics().reports.inc_by(body.reports.len() as u64);
    let caller = hosting.clone();
    let call = async move {
        let request = HostExchange {
            host,
            reports: body.reports.into_iter().map(report::reported).collect(),
            want: body.want,
            live: body.live,
        };
        let engine = caller.engine();
        let work = engine.exchange(
            caller.principal(),
            &caller.request_id,
            request,
            Duration::ZERO,
        );
        Ok(exchanged(&caller.workspace, work.await?))
    };
    let done = workspace.replays.once(app.tasks(), host, seq, call).await?;
    if !done.repeated {
        return Ok(done.answer);
    }
    let now = ask(app, hosting, host, again).await?;
    Ok(Exchanged {
        refused: done.answer.refused,
        ..now
    })
}

fn exchanged(workspace: &Workspace, work: HostWork) -> Exchanged {
    let secret = &workspace.attempt_secret;
    let refused = work.refused.into_iter().map(|(attempt, reason)| Refused {
        attempt,
        reason: reason.to_owned(),
    });
    Exchanged {
        leases: work
            .leases
            .into_iter()
            .map(|plan| lease::lease(plan, secret))
            .collect(),
        cancels: work.cancels,
        refused: refused.collect(),
        lease_ttl_ms: workspace.engine.settings().host_lease_ttl_ms,
    }
}
