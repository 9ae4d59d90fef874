//! Every problem code of the API: its word, its status, its title. One line per code, one page per
//! code in `docs/errors/`.
//!
//! Which status and why:
//!
//! - **400** the request cannot be read: syntax, query, header, page token. Mend the client.
//! - **401 / 403** who asks is not known / may not. 403 also for a foreign `Host` or `Origin`.
//! - **404** what the *path* names is not there.
//! - **409** the request stands against something that is there: another request under the run key,
//!   a host that was given up, other bytes in a log chunk.
//! - **413 / 415** the body is too big / is not JSON.
//! - **422** the request was read, and the workspace refuses it: an unknown asset in a selection, a
//!   partition key of another shape, configuration that does not validate. Mend the request.
//! - **503** not now; the same request may succeed later. Carries `Retry-After`.
//! - **504** the store did not answer: the change may or may not have been made.
//! - **500** our bug, or corrupt data: someone must look.

use axum::http::StatusCode;

macro_rules! codes {
    ($( $(#[$doc:meta])* $variant:ident = $word:literal, $status:ident, $title:literal; )*) => {
        /// A problem code.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Code {
            $( $(#[$doc])* $variant, )*
        }

        impl Code {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// Stable word for programs, `unknown_asset`.
            #[must_use]
            pub fn word(self) -> &'static str {
                match self { $( Self::$variant => $word, )* }
            }

            /// The status it is answered with, unless where it arose says otherwise.
            #[must_use]
            pub fn status(self) -> StatusCode {
                match self { $( Self::$variant => StatusCode::$status, )* }
            }

            /// The kind of problem in a few words.
            #[must_use]
            pub fn title(self) -> &'static str {
                match self { $( Self::$variant => $title, )* }
            }
        }
    };
}

codes! {
    /// A path nobody serves.
    NotFound = "not_found", NOT_FOUND, "nothing is served at this path";
    /// A path that is served, for other methods.
    MethodNotAllowed = "method_not_allowed", METHOD_NOT_ALLOWED, "the path does not answer this method";
    /// A body that is not JSON text.
    InvalidJson = "invalid_json", BAD_REQUEST, "the body is not JSON";
    /// JSON of another shape.
    InvalidBody = "invalid_body", UNPROCESSABLE_ENTITY, "the body does not have the expected shape";
    /// A body that broke off.
    IncompleteBody = "incomplete_body", BAD_REQUEST, "the body broke off";
    /// A query parameter that cannot be read.
    InvalidQuery = "invalid_query", BAD_REQUEST, "a query parameter cannot be read";
    /// A path parameter that cannot be read.
    InvalidPath = "invalid_path", BAD_REQUEST, "a part of the path cannot be read";
    /// A header that cannot be read.
    InvalidHeader = "invalid_header", BAD_REQUEST, "a header cannot be read";
    /// A page token of another list, filter or version.
    BadPageToken = "bad_page_token", BAD_REQUEST, "the page token does not fit";
    /// A body over its bound.
    BodyTooLarge = "body_too_large", PAYLOAD_TOO_LARGE, "the body is too large";
    /// A body that is not said to be JSON.
    UnsupportedMediaType = "unsupported_media_type", UNSUPPORTED_MEDIA_TYPE, "the body must be JSON";
    /// No token, or one nobody knows.
    Unauthenticated = "unauthenticated", UNAUTHORIZED, "a valid token is needed";
    /// A token whose role does not allow this.
    Forbidden = "forbidden", FORBIDDEN, "the token may not do this";
    /// An attempt token that is not good for this attempt.
    BadAttemptToken = "bad_attempt_token", UNAUTHORIZED, "the attempt token is not valid";
    /// A web page of another site asks.
    ForeignOrigin = "foreign_origin", FORBIDDEN, "a page of another origin may not call this server";
    /// The `Host` header names another server.
    ForeignHost = "foreign_host", FORBIDDEN, "the request names another host";
    /// No such workspace.
    UnknownWorkspace = "unknown_workspace", NOT_FOUND, "the workspace is not served here";
    /// No such asset.
    UnknownAsset = "unknown_asset", UNPROCESSABLE_ENTITY, "the asset is not defined";
    /// No such schedule.
    UnknownSchedule = "unknown_schedule", NOT_FOUND, "the schedule is not defined";
    /// No such sensor.
    UnknownSensor = "unknown_sensor", NOT_FOUND, "the sensor is not defined";
    /// A message for a sensor that does not run.
    SensorStopped = "sensor_stopped", CONFLICT, "the sensor is stopped";
    /// A message whose signature does not count.
    BadSignature = "bad_signature", UNAUTHORIZED, "the signature of the message is not valid";
    /// A message that is not what it says it is.
    BadMessage = "bad_message", UNPROCESSABLE_ENTITY, "the message cannot be read";
    /// A message for a sensor that takes none.
    NotPush = "not_push", CONFLICT, "the sensor takes no messages";
    /// More messages wait for a sensor than may.
    QueueFull = "queue_full", SERVICE_UNAVAILABLE, "too many messages wait for the sensor";
    /// A sensor changed since it was seen.
    SensorMoved = "sensor_moved", CONFLICT, "the sensor is in another state than the request says";
    /// What was found out for a sensor is out of date.
    EvaluationSuperseded = "evaluation_superseded", CONFLICT, "the evaluation is out of date";
    /// No host can be asked.
    NoHost = "no_host", SERVICE_UNAVAILABLE, "no worker host of the location is there";
    /// No such run.
    UnknownRun = "unknown_run", NOT_FOUND, "the run is not known";
    /// No such backfill.
    UnknownBackfill = "unknown_backfill", NOT_FOUND, "the backfill is not known";
    /// A backfill that is over cannot go on otherwise.
    BackfillOver = "backfill_over", CONFLICT, "the backfill is over";
    /// A backfill that goes on cannot be retried.
    BackfillNotOver = "backfill_not_over", CONFLICT, "the backfill is not over";
    /// A backfill moved since it was seen.
    BackfillMoved = "backfill_moved", CONFLICT, "the backfill is in another state than the request says";
    /// A backfill of nothing.
    EmptyBackfill = "empty_backfill", UNPROCESSABLE_ENTITY, "nothing is left to make";
    /// A backfill whose settings mean nothing.
    BadBackfill = "bad_backfill", UNPROCESSABLE_ENTITY, "the backfill cannot be as it was asked for";
    /// No such job.
    UnknownJob = "unknown_job", UNPROCESSABLE_ENTITY, "the job is not defined";
    /// A job name that several locations use.
    AmbiguousJob = "ambiguous_job", UNPROCESSABLE_ENTITY, "several locations define the job";
    /// A selection of nothing within a job.
    NotOfJob = "not_of_job", UNPROCESSABLE_ENTITY, "the selection selects nothing of the job";
    /// No such check.
    UnknownCheck = "unknown_check", UNPROCESSABLE_ENTITY, "the check is not defined";
    /// A check that cannot be judged without making its asset.
    CheckWithinStep = "check_within_step", UNPROCESSABLE_ENTITY, "the check is judged with its asset";
    /// No such task in the run.
    UnknownTask = "unknown_task", NOT_FOUND, "the run has no such task";
    /// No such attempt of the task.
    UnknownAttempt = "unknown_attempt", NOT_FOUND, "the task has no such attempt";
    /// No such stream of output.
    UnknownStream = "unknown_stream", NOT_FOUND, "attempts have no such stream";
    /// No such host: register again.
    UnknownHost = "unknown_host", NOT_FOUND, "the host is not registered";
    /// Partitions of an asset that has none.
    NotPartitioned = "not_partitioned", NOT_FOUND, "the asset is not partitioned";
    /// An external asset in a run.
    ExternalAsset = "external_asset", UNPROCESSABLE_ENTITY, "an external asset cannot be run";
    /// A part of a step that is carried out whole.
    PartialStep = "partial_step", UNPROCESSABLE_ENTITY, "the step makes all its assets at once";
    /// A selection that cannot be read.
    BadSelection = "bad_selection", UNPROCESSABLE_ENTITY, "the selection cannot be read";
    /// A selection of nothing.
    EmptySelection = "empty_selection", UNPROCESSABLE_ENTITY, "the selection selects nothing";
    /// A partition key of another shape, or one that does not exist.
    BadPartition = "bad_partition", UNPROCESSABLE_ENTITY, "the partition key is not valid";
    /// A partitioned asset and no partition.
    PartitionMissing = "partition_missing", UNPROCESSABLE_ENTITY, "a partition is needed";
    /// A partition and no partitioned asset.
    PartitionUnused = "partition_unused", UNPROCESSABLE_ENTITY, "no selected asset is partitioned";
    /// A needed upstream partition that cannot exist.
    NonexistentUpstream = "nonexistent_upstream", UNPROCESSABLE_ENTITY, "a needed upstream partition does not exist";
    /// A partition mapping whose code did not answer yet.
    MappingUnanswered = "mapping_unanswered", CONFLICT, "a mapping of one's own did not answer yet";
    /// A partition mapping that fails.
    BadMapping = "bad_mapping", UNPROCESSABLE_ENTITY, "a dependency cannot be mapped";
    /// A run over the bound.
    TooManyTasks = "too_many_tasks", UNPROCESSABLE_ENTITY, "the run would have too many tasks";
    /// A set of dynamic partitions that would grow beyond its bound.
    TooManyPartitions = "too_many_partitions", UNPROCESSABLE_ENTITY, "the set would have too many partitions";
    /// Configuration that does not validate.
    BadConfig = "bad_config", UNPROCESSABLE_ENTITY, "the run configuration is not valid";
    /// Definitions that do not hold together.
    BadDefinitions = "bad_definitions", UNPROCESSABLE_ENTITY, "the definitions are not valid";
    /// Limits that do not hold together.
    BadLimits = "bad_limits", UNPROCESSABLE_ENTITY, "the limits are not valid";
    /// A reserved word.
    Reserved = "reserved", UNPROCESSABLE_ENTITY, "the word is reserved";
    /// A tag whose value means nothing.
    BadTag = "bad_tag", UNPROCESSABLE_ENTITY, "a tag of the run means nothing";
    /// A rerun of a run that is not over.
    RunNotOver = "run_not_over", CONFLICT, "the run is not over";
    /// A rerun from failure of a run in which nothing failed.
    NothingFailed = "nothing_failed", CONFLICT, "nothing of the run failed";
    /// A rerun of assets that the run has not.
    NotOfRun = "not_of_run", UNPROCESSABLE_ENTITY, "the selection selects nothing of the run";
    /// A rerun of a step that is not what it was.
    StepGone = "step_gone", UNPROCESSABLE_ENTITY, "a step of the run is not what it was";
    /// One run key, two requests.
    RunKeyConflict = "run_key_conflict", CONFLICT, "the run key stands for another request";
    /// One idempotency key, two requests.
    IdempotencyConflict = "idempotency_conflict", UNPROCESSABLE_ENTITY, "the idempotency key stands for another request";
    /// A host that was given up.
    Fenced = "fenced", CONFLICT, "the host was declared lost";
    /// Another replica leads.
    Led = "led", CONFLICT, "another replica leads";
    /// Other bytes are in this log chunk.
    ObjectConflict = "object_conflict", CONFLICT, "the object exists with other content";
    /// A write the log cannot hold.
    InvalidWrite = "invalid_write", UNPROCESSABLE_ENTITY, "the log cannot hold this";
    /// The tick was decided already.
    TickSuperseded = "tick_superseded", CONFLICT, "the tick was decided already";
    /// Definitions changed again and again while a plan was made.
    Replan = "replan", SERVICE_UNAVAILABLE, "the definitions keep changing";
    /// This replica has not read that far yet.
    PositionNotReached = "position_not_reached", SERVICE_UNAVAILABLE, "the position is not reached yet";
    /// Too many streams are open.
    TooManyStreams = "too_many_streams", SERVICE_UNAVAILABLE, "too many event streams are open";
    /// Workers speak to the leader.
    NotLeader = "not_leader", SERVICE_UNAVAILABLE, "another replica leads";
    /// This process cannot prove that it leads.
    LeadInDoubt = "lead_in_doubt", SERVICE_UNAVAILABLE, "leadership is in doubt";
    /// This process no longer decides.
    ReadOnly = "read_only", SERVICE_UNAVAILABLE, "this process reads only";
    /// The server is going away.
    Stopped = "stopped", SERVICE_UNAVAILABLE, "the server is shutting down";
    /// The store does not answer.
    StoreUnavailable = "store_unavailable", SERVICE_UNAVAILABLE, "the store does not answer";
    /// Nobody knows whether the change was made.
    OutcomeUnknown = "outcome_unknown", GATEWAY_TIMEOUT, "the outcome is not known";
    /// Durable bytes are gone or changed.
    Corrupt = "corrupt", INTERNAL_SERVER_ERROR, "stored data is corrupt";
    /// The log was written by a newer program.
    TooNew = "too_new", INTERNAL_SERVER_ERROR, "the log needs a newer program";
    /// The store cannot hold a log.
    StoreRefused = "store_refused", INTERNAL_SERVER_ERROR, "the store cannot hold a log";
    /// Our bug.
    Internal = "internal", INTERNAL_SERVER_ERROR, "something went wrong in the server";
}

impl Code {
    /// The page that explains it, `https://arco.dev/errors/unknown-asset`.
    #[must_use]
    pub fn type_url(self) -> String {
        format!("https://arco.dev/errors/{}", self.page())
    }

    /// Name of its page in `docs/errors/`, without the ending.
    #[must_use]
    pub fn page(self) -> String {
        self.word().replace('_', "-")
    }
}
