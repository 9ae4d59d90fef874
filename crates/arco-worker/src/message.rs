//! What host and Python say to each other (`docs/guide/worker-protocol.md`, "Python processes").

use arco_wire::evaluation::{EvaluationAnswer, EvaluationQuestion, Wanted};
use arco_wire::worker::{
    AssetCheckResult, AssetMaterialization, AssetObservation, ErrorInfo, Fact, FailureClass,
    Isolation, Lease, OutputValues,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Version of this protocol; host and zygote come from one release and must agree.
pub(crate) const PROTOCOL: u32 = 1;

/// Host to zygote.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(crate) enum ToZygote {
    /// Make a child; its end of the control socket comes along.
    Fork {
        child: u64,
        mode: Isolation,
    },
    /// Move the dead-man switch; 0 disarms.
    Renew {
        deadline_boottime_ns: u64,
    },
    Shutdown,
}

/// Zygote to host.
#[derive(Debug, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(crate) enum FromZygote {
    Hello {
        protocol: u32,
    },
    Loaded(Loaded),
    LoadFailed {
        error: ErrorInfo,
        #[serde(default)]
        sources: Vec<String>,
    },
    Forked {
        child: u64,
        pid: i32,
    },
    /// The switch is set: from now on the kernel kills at the deadline, whatever happens.
    Renewed {
        deadline_boottime_ns: u64,
    },
    Exited {
        child: u64,
        #[serde(flatten)]
        exit: Exit,
    },
}

/// User code is loaded.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Loaded {
    pub manifest: Value,
    pub fork_safe: bool,
    pub fork_note: String,
    pub load_ms: u64,
    #[serde(default)]
    pub sources: Vec<String>,
}

/// How a process ended.
#[derive(Debug, Clone, Default, Deserialize)]
pub(crate) struct Exit {
    pub code: Option<i32>,
    pub signal: Option<i32>,
    #[serde(default)]
    pub maxrss_kb: u64,
    /// It went down with its zygote, which ended like this.
    #[serde(skip)]
    pub with_zygote: Option<String>,
}

/// Host to child.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(crate) enum ToChild<'a> {
    Task {
        lease: &'a Lease,
    },
    /// Its stdout and stderr come along, as with a task.
    Evaluation {
        question: &'a EvaluationQuestion,
    },
    Exit,
}

/// Child to host.
#[derive(Debug, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(crate) enum FromChild {
    Started,
    Log(LogRecord),
    Materialized(AssetMaterialization),
    Observed(AssetObservation),
    Values {
        outputs: Vec<OutputValues>,
    },
    Check(AssetCheckResult),
    Result(TaskResult),
    /// What counts of a queue so far.
    Progress {
        wanted: Wanted,
    },
    Evaluated {
        answer: EvaluationAnswer,
    },
}

/// One record of `logging`, as it is stored: a line of the `log` stream.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct LogRecord {
    pub level: String,
    pub message: String,
    pub logger: String,
    /// Milliseconds since the epoch.
    pub t: i64,
}

/// How a body ended.
#[derive(Debug, Deserialize)]
pub(crate) struct TaskResult {
    pub ok: bool,
    /// A cancellation was raised in the body, whatever it made of it.
    #[serde(default)]
    pub interrupted: bool,
    pub class: Option<BodyFailure>,
    #[serde(default = "yes")]
    pub allow_retries: bool,
    pub retry_after_ms: Option<u64>,
    pub max_retries: Option<u32>,
    pub error: Option<ErrorInfo>,
}

fn yes() -> bool {
    true
}

/// Failures a body can tell of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum BodyFailure {
    UserCode,
    Config,
    Io,
    RetryRequested,
    OutOfMemory,
    DataQuality,
    Cancelled,
}

impl BodyFailure {
    /// The class on the wire. A body that says it was cancelled though nobody asked has raised the
    /// exception itself, which is user code.
    pub(crate) fn class(self) -> FailureClass {
        match self {
            Self::UserCode | Self::Cancelled => FailureClass::UserCode,
            Self::Config => FailureClass::Config,
            Self::Io => FailureClass::Io,
            Self::RetryRequested => FailureClass::RetryRequested,
            Self::OutOfMemory => FailureClass::OutOfMemory,
            Self::DataQuality => FailureClass::DataQuality,
        }
    }
}

impl FromChild {
    /// The fact this is, if it is one.
    pub(crate) fn into_fact(self) -> Option<Fact> {
        match self {
            Self::Started => Some(Fact::Started),
            Self::Values { outputs } => Some(Fact::Values { outputs }),
            Self::Materialized(made) => Some(Fact::Materialized(made)),
            Self::Observed(seen) => Some(Fact::Observed(seen)),
            Self::Check(judged) => Some(Fact::Check(judged)),
            Self::Log(_) | Self::Result(_) | Self::Progress { .. } | Self::Evaluated { .. } => None,
        }
    }
}
