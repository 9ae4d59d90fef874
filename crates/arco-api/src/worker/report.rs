//! Reports of the wire as the core takes them.

use arco_core::AttemptId;
use arco_flow::command::{AssetFact, Reported};
use arco_wire::evaluation::AssetEvent;
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
        } => Reported::Asset(AssetFact::Materialized {
            asset,
            partition,
            metadata,
            data_version,
            tags,
        }),
        Fact::Observed {
            asset,
            partition,
            metadata,
            data_version,
            description,
            tags,
        } => Reported::Asset(AssetFact::Observed {
            asset,
            partition,
            metadata,
            data_version,
            description,
            tags,
        }),
        Fact::Values { outputs } => Reported::Values { outputs },
        Fact::Check {
            asset,
            check,
            partition,
            passed,
            severity,
            description,
            metadata,
        } => Reported::Asset(AssetFact::Checked {
            asset,
            check,
            partition,
            passed,
            severity,
            description,
            metadata,
        }),
        Fact::Finished { outcome } => ended(outcome),
    }
}

/// A fact about an asset that a sensor records.
pub(super) fn event(event: AssetEvent) -> AssetFact {
    match event {
        AssetEvent::Materialization {
            asset,
            partition,
            metadata,
            data_version,
            tags,
        } => AssetFact::Materialized {
            asset,
            partition,
            metadata,
            data_version,
            tags,
        },
        AssetEvent::Observation {
            asset,
            partition,
            metadata,
            data_version,
            description,
            tags,
        } => AssetFact::Observed {
            asset,
            partition,
            metadata,
            data_version,
            description,
            tags,
        },
        AssetEvent::Check {
            asset,
            check,
            partition,
            passed,
            severity,
            description,
            metadata,
        } => AssetFact::Checked {
            asset,
            check,
            partition,
            passed,
            severity,
            description,
            metadata,
        },
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
