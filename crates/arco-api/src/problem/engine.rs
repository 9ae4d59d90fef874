//! What the engine refuses, as refusals of the API. Exhaustive on purpose: a new kind of rejection
//! does not compile before someone has chosen its status and written its page.

use arco_engine::EngineError;
use arco_flow::Rejection;
use arco_log::LogError;

use super::{LEADER_HEADER, Refusal};
use crate::codes::Code;

impl From<EngineError> for Refusal {
    fn from(error: EngineError) -> Self {
        let detail = error.to_string();
        match error {
            EngineError::Rejected(rejection) => rejection.into(),
            EngineError::Selection(_) => Self::new(Code::BadSelection, detail),
            EngineError::Config { .. } => Self::new(Code::BadConfig, detail)
                .hint("the configuration of a run is {\"ops\": {STEP: {\"config\": …}}, \"resources\": {NAME: {\"config\": …}}}"),
            EngineError::Log(error) => log(&error),
            EngineError::Unknown(_) => Self::new(Code::OutcomeUnknown, detail),
            EngineError::ReadOnly(_) => Self::new(Code::ReadOnly, detail),
            EngineError::NotLeader { url } => {
                Self::new(Code::NotLeader, detail).header(LEADER_HEADER, &url)
            }
            EngineError::NoHost { .. } => Self::new(Code::NoHost, detail),
            EngineError::LeadInDoubt => Self::new(Code::LeadInDoubt, detail),
            EngineError::Stopped => Self::new(Code::Stopped, detail),
        }
    }
}

impl From<Rejection> for Refusal {
    fn from(rejection: Rejection) -> Self {
        let code = match &rejection {
            Rejection::UnknownAsset { .. } => Code::UnknownAsset,
            Rejection::External(_) => Code::ExternalAsset,
            Rejection::PartialStep { .. } => Code::PartialStep,
            Rejection::StepsWait(_) => Code::BadDefinitions,
            Rejection::EmptySelection(_) => Code::EmptySelection,
            Rejection::BadPartition { .. } => Code::BadPartition,
            Rejection::PartitionMissing { .. } => Code::PartitionMissing,
            Rejection::PartitionUnused(_) => Code::PartitionUnused,
            Rejection::NonexistentUpstream { .. } => Code::NonexistentUpstream,
            Rejection::MappingUnanswered { .. } => Code::MappingUnanswered,
            Rejection::Mapping { .. } => Code::BadMapping,
            Rejection::TooManyTasks { .. } => Code::TooManyTasks,
            Rejection::TooManyPartitions { .. } => Code::TooManyPartitions,
            Rejection::RunKeyConflict { .. } => Code::RunKeyConflict,
            Rejection::IdempotencyConflict { .. } => Code::IdempotencyConflict,
            Rejection::Reserved { .. } | Rejection::ReservedTag(_) | Rejection::ChunkTag(_) => {
                Code::Reserved
            }
            Rejection::PolicyTag(_) | Rejection::TagKey(_) => Code::BadTag,
            Rejection::TooManyRetries { .. } => Code::InvalidBody,
            // Only the leader asks for what is owed.
            Rejection::NoRetryOwed(_) => Code::Internal,
            Rejection::RunNotOver { .. } => Code::RunNotOver,
            Rejection::NothingFailed(_) => Code::NothingFailed,
            Rejection::NotOfRun { .. } => Code::NotOfRun,
            Rejection::StepGone { .. } => Code::StepGone,
            Rejection::UnknownJob { .. } => Code::UnknownJob,
            Rejection::AmbiguousJob { .. } => Code::AmbiguousJob,
            Rejection::EmptyJob(_) => Code::EmptySelection,
            Rejection::NotOfJob { .. } => Code::NotOfJob,
            Rejection::UnknownCheckAsset { .. } => Code::UnknownAsset,
            Rejection::UnknownCheck { .. } | Rejection::NoChecks(_) => Code::UnknownCheck,
            Rejection::CheckWithinStep { .. } => Code::CheckWithinStep,
            Rejection::ReportConflict(_) => Code::IdempotencyConflict,
            Rejection::UnknownSchedule { .. } => Code::UnknownSchedule,
            Rejection::TickSuperseded(_) => Code::TickSuperseded,
            Rejection::UnknownSensor { .. } => Code::UnknownSensor,
            Rejection::SensorStopped(_) => Code::SensorStopped,
            Rejection::NotPush { .. } => Code::NotPush,
            Rejection::QueueFull { .. } => Code::QueueFull,
            Rejection::SensorMoved { .. } => Code::SensorMoved,
            Rejection::EvaluationSuperseded(_) => Code::EvaluationSuperseded,
            Rejection::UnknownRun(_) => Code::UnknownRun,
            Rejection::UnknownHost(_) => Code::UnknownHost,
            Rejection::Fenced(_) => Code::Fenced,
            Rejection::Replan => Code::Replan,
            Rejection::Definitions(_) => Code::BadDefinitions,
            Rejection::Limits(_) => Code::BadLimits,
            Rejection::UnknownBackfill(_) => Code::UnknownBackfill,
            Rejection::BackfillOver { .. } => Code::BackfillOver,
            Rejection::BackfillNotOver { .. } => Code::BackfillNotOver,
            Rejection::NothingUndone(_) => Code::NothingFailed,
            Rejection::BackfillMoved { .. } => Code::BackfillMoved,
            Rejection::EmptyBackfill(_) => Code::EmptyBackfill,
            Rejection::BadBackfill(_) => Code::BadBackfill,
            Rejection::BackfillConflict { .. } => Code::IdempotencyConflict,
            Rejection::Led { .. } => Code::Led,
        };
        Self::new(code, rejection.to_string())
    }
}

fn log(error: &LogError) -> Refusal {
    let code = match error {
        LogError::Corrupt { .. } => Code::Corrupt,
        LogError::TooNew { .. } => Code::TooNew,
        LogError::Unavailable { .. } | LogError::Reload { .. } => Code::StoreUnavailable,
        LogError::Moved { .. } => Code::ReadOnly,
        LogError::Refused { .. } => Code::StoreRefused,
        LogError::Conflict { .. } => Code::ObjectConflict,
        LogError::Invalid { .. } => Code::InvalidWrite,
    };
    if code.status().is_server_error() {
        tracing::error!(code = code.word(), error = %chain(error), "the log failed");
    }
    Refusal::new(code, error.to_string())
}

/// The error with its causes, for the operator.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text = format!("{text}: {cause}");
        next = cause.source();
    }
    text
}
