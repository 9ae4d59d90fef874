//! Questions to user code, and its answers.

use std::time::Duration;

use arco_core::event::Stored;
use arco_engine::{EngineError, EvaluationsCall, HostAnswer, HostAsk, HostQuestion};
use arco_flow::evaluation as flow;
use arco_flow::mapping::{MappingSaid, PARENTS_MAX};
use arco_flow::sensor::SensorQuestion;
use arco_flow::state::{Queued, QueuedWhat};
use arco_wire::evaluation as wire;
use axum::extract::State;
use axum::http::StatusCode;
use serde_json::Value;

use crate::app::App;
use crate::extract::workspace::json;
use crate::extract::{Hosting, Json, Path};
use crate::limits;
use crate::problem::Answer;

use super::hosts::{HostPath, bounded, serves};

/// Answers questions to user code, and asks for more.
///
/// With answers it is answered at once; without, it waits for questions up to `wait_ms`. A host makes one such
/// call at a time: what an earlier one gave and this one does not name in `busy` was lost, and is asked again.
/// An answer counts once, whatever is repeated.
#[utoipa::path(post, path = "/worker/hosts/{host}/evaluations", tag = "worker", operation_id = "evaluations",
    params(("host" = String, Path, description = "Host id")), request_body = wire::Evaluations,
    responses((status = 200, description = "Questions", body = wire::EvaluationsGiven)))]
pub(crate) async fn exchange(
    State(app): State<App>,
    hosting: Hosting,
    Path(path): Path<HostPath>,
    Json(body): Json<wire::Evaluations, { limits::EVALUATIONS_BYTES_MAX }>,
) -> Answer {
    serves(&hosting, path.host)?;
    bounded("answers", body.answers.len(), limits::REPORTS_MAX)?;
    bounded("busy", body.busy.len(), limits::LIVE_MAX)?;
    let wait = Duration::from_millis(body.wait_ms).min(limits::EXCHANGE_WAIT_MAX);
    let call = EvaluationsCall {
        answers: body.answers.into_iter().map(answer).collect(),
        want: usize::try_from(body.want)
            .unwrap_or(usize::MAX)
            .min(limits::QUESTIONS_MAX),
        busy: body.busy,
    };
    let engine = hosting.engine();
    let work = tokio::select! {
        work = engine.evaluations(path.host, call, wait) => work?,
        () = app.shutdown().cancelled() => return Err(EngineError::Stopped.into()),
    };
    let given = wire::EvaluationsGiven {
        questions: work.questions.into_iter().map(question).collect(),
        dropped: work.dropped,
    };
    Ok(json(StatusCode::OK, &given))
}

fn question(question: HostQuestion) -> wire::EvaluationQuestion {
    wire::EvaluationQuestion {
        id: question.id,
        timeout_ms: question.timeout_ms,
        ask: match question.ask {
            HostAsk::Tick(tick) => wire::Ask::Schedule {
                name: tick.tick.schedule,
                instant: tick.tick.instant.to_rfc3339_seconds(),
            },
            HostAsk::Sensor { question, data } => sensor(question, data),
            HostAsk::Mapping(question) => wire::Ask::Mapping {
                downstream: question.edge.0,
                upstream: question.edge.1,
                code: question.code.map(|code| code.to_string()),
                keys: question
                    .keys
                    .iter()
                    .map(|key| key.display().into_owned())
                    .collect(),
                upstream_keys_max: u32::try_from(PARENTS_MAX).unwrap_or(u32::MAX),
            },
        },
    }
}

fn sensor(question: SensorQuestion, data: Vec<Value>) -> wire::Ask {
    let items = question.items.iter().zip(data);
    wire::Ask::Sensor {
        queue: items.map(|(item, data)| queued(item, data)).collect(),
        name: question.sensor,
        cursor: question.cursor,
        last_evaluated: question.last_evaluated.map(|at| at.0),
        last_run_key: question.last_run_key,
    }
}

fn queued(item: &Queued, data: Value) -> wire::QueuedItem {
    let (position, time) = (item.at.to_string(), item.time.0);
    match item.what.clone() {
        QueuedWhat::Message {
            id,
            data: stored,
            attributes,
        } => wire::QueuedItem::Message {
            id,
            time,
            data: match stored {
                Stored::Inline(value) => value,
                Stored::Blob(_) => data,
            },
            attributes,
        },
        QueuedWhat::Materialization {
            asset,
            partition,
            run,
            metadata,
            data_version,
        } => wire::QueuedItem::Materialization {
            position,
            time,
            asset,
            partition: partition.map(|key| key.display().into_owned()),
            run,
            metadata,
            data_version: Some(data_version),
        },
        QueuedWhat::Run {
            run,
            status,
            job,
            tags,
            message,
        } => wire::QueuedItem::Run {
            position,
            time,
            run,
            status: status.as_str().to_owned(),
            job,
            tags,
            message,
        },
    }
}

fn answer(answer: wire::EvaluationAnswer) -> HostAnswer {
    HostAnswer {
        id: answer.id,
        said: match answer.said {
            wire::Said::Returned(wants) => Some(flow::Said::Returned(wanted(wants))),
            wire::Said::Raised { error, before } => Some(flow::Said::Raised {
                error,
                before: before.map(wanted),
            }),
            wire::Said::Mapped {
                answers,
                failed,
                error,
            } => Some(flow::Said::Mapped(MappingSaid {
                answers,
                failed: failed.into_iter().collect(),
                error,
            })),
            wire::Said::NotAsked => None,
        },
        log: answer.log,
        took_ms: answer.took_ms,
    }
}

fn wanted(wanted: wire::Wanted) -> flow::Wanted {
    let count = |n: u32| usize::try_from(n).unwrap_or(usize::MAX);
    let run = |asked: wire::RunRequestAsked| flow::RunAsked {
        run_key: asked.run_key,
        config: asked.run_config,
        tags: asked.tags,
        job: asked.job_name,
        partition: asked.partition_key,
        assets: asked.asset_selection,
        checks: asked.asset_check_keys,
        answers: asked.answers.map(count),
    };
    let backfill = |asked: wire::BackfillAsked| flow::BackfillAsked {
        selection: asked.selection,
        partitions: asked.partitions,
        tags: asked.tags,
        run_key: asked.run_key,
        answers: asked.answers.map(count),
    };
    let change = |asked: wire::DynamicPartitionsAsked| flow::DynamicPartitionsAsked {
        name: asked.name,
        add: asked.add,
        remove: asked.remove,
        answers: asked.answers.map(count),
    };
    let event = |asked: wire::AssetEventAsked| flow::AssetEventAsked {
        fact: super::report::event(asked.event),
        answers: asked.answers.map(count),
    };
    flow::Wanted {
        runs: wanted.run_requests.into_iter().map(run).collect(),
        backfills: wanted.backfills.into_iter().map(backfill).collect(),
        skip_reason: wanted.skip_reason,
        cursor: wanted.cursor,
        dynamic_partitions: wanted.dynamic_partitions.into_iter().map(change).collect(),
        asset_events: wanted.asset_events.into_iter().map(event).collect(),
        taken: count(wanted.taken),
    }
}
