//! Reports of the wire as the core takes them.

use arco_core::AttemptId;
use arco_flow::command::Reported;
use arco_wire::worker::{Fact, Outcome, Report};

pub(super) fn reported(report: Report) -> (AttemptId, Reported) {
    (report.attempt, fact(report.fact))
}

fn fact(fact: Fact) -> Reported {
    match fact {
        Fact::Started => Reported::Started,
        Fact::Materialized {
            asset,
            partition,
            metadata,
            data_version,
            tags,
        } => Reported::Materialized {
            asset,
            partition,
            metadata,
            data_version,
            tags,
        },
        Fact::Observed {
            asset,
            partition,
            metadata,
            data_version,
            description,
            tags,
        } => Reported::Observed {
            asset,
            partition,
            metadata,
            data_version,
            description,
            tags,
        },
        Fact::Values { outputs } => Reported::Values { outputs },
        Fact::Check {
            asset,
            check,
            partition,
            passed,
            severity,
            description,
            metadata,
        } => Reported::Checked {
            asset,
            check,
            partition,
            passed,
            severity,
            description,
            metadata,
        },
        Fact::Finished { outcome } => ended(outcome),
    }
}

fn ended(outcome: Outcome) -> Reported {
    match outcome {
        Outcome::Succeeded => Reported::Succeeded,
        Outcome::Cancelled => Reported::Cancelled,
        Outcome::Released => Reported::Released,
        Outcome::Failed {
            class,
            error,
            allow_retries,
            retry_after_ms,
            max_retries,
        } => Reported::Failed {
            class,
            error,
            allow_retries,
            retry_after_ms,
            max_retries,
        },
    }
}
