//! Reports of the wire as the core takes them.

use arco_core::AttemptId;
use arco_core::asset_fact::AssetFact;
use arco_flow::command::Reported;
use arco_wire::evaluation::AssetEvent;
use arco_wire::worker::{Fact, Outcome, Report};

pub(super) fn reported(report: Report) -> (AttemptId, Reported) {
    (report.attempt, fact(report.fact))
}

fn fact(fact: Fact) -> Reported {
    match fact {
        Fact::Started => Reported::Started,
        Fact::Materialized(made) => Reported::Asset(AssetFact::Materialized(made)),
        Fact::Observed(seen) => Reported::Asset(AssetFact::Observed(seen)),
        Fact::Check(judged) => Reported::Asset(AssetFact::Checked(judged)),
        Fact::Values { outputs } => Reported::Values { outputs },
        Fact::Finished { outcome } => ended(outcome),
    }
}

/// A fact about an asset that a sensor records.
pub(super) fn event(event: AssetEvent) -> AssetFact {
    match event {
        AssetEvent::Materialization(made) => AssetFact::Materialized(made),
        AssetEvent::Observation(seen) => AssetFact::Observed(seen),
        AssetEvent::Check(judged) => AssetFact::Checked(judged),
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
