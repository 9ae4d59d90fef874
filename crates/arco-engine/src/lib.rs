//! The only loop of Arco: it reads the log, folds it, decides, and puts.
//!
//! ```text
//!  callers ──► queue ──► committer ──► decide on `proposed` ──► put segment N+1 ──► answer callers
//!                           ▲                                        │ lost: read the winner, decide again
//!                           └── follow (other replicas' segments) ◄──┘
//! ```
//!
//! One put is in flight at a time; what arrives meanwhile is the next batch. Readers hold an
//! [`View`] of committed state and never wait for the committer. What this crate will never do:
//! answer before the put that carries the answer's events succeeded.

mod backfills;
pub mod clock;
mod commits;
mod committer;
mod config;
mod deadlines;
mod engine;
mod error;
mod evaluations;
mod history;
mod hosts;
pub mod ids;
mod leader;
mod reads;
mod reports;
mod reruns;
mod run_retries;
mod runs;
mod schedules;
mod settings;
mod snapshots;
mod trusted_clock;
mod view;

pub use backfills::{BackfillAsk, BackfillMade, BackfillPartitions};
pub use engine::{Committed, Engine, EngineOptions};
pub use error::EngineError;
pub use evaluations::{
    EvaluationsCall, EvaluationsWork, HostAnswer, HostAsk, HostQuestion, MessageAsk, MessageMade,
    SensorTrial, TrialOutcome, UnderWay,
};
pub use hosts::{HeartbeatWork, HostWork, LeasePlan};
pub use reads::DeployPreview;
pub use reports::ReportMade;
pub use reruns::RerunAsk;
pub use runs::{RunAsk, RunMade};
pub use schedules::TimersFired;
pub use settings::EngineSettings;
pub use view::View;
