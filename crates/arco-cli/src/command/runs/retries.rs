//! `arco runs retries`.

use arco_wire::api::{RetryStrategy, RunRetries};
use clap::{Args, ValueEnum};

use crate::client::Client;
use crate::console::Console;
use crate::failure::{Exit, Outcome};
use crate::render::{Paint, plural};

/// Show or set how often runs that failed are done again by themselves
///
/// Tags of a run go before it: dagster/max_retries, dagster/retry_strategy (FROM_FAILURE, ALL_STEPS),
/// dagster/retry_on_asset_or_op_failure (true, false). Reruns by hand count; stopped runs are not retried.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// At most so many reruns of a run; 0 is none
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(0..=1000))]
    max: Option<u32>,
    /// Which tasks are done again
    #[arg(long, value_name = "WHICH")]
    strategy: Option<Strategy>,
    /// Whether a run is retried in which user code failed, or only when processes and hosts did
    #[arg(long, value_name = "BOOL")]
    on_task_failure: Option<bool>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Strategy {
    FromFailure,
    AllSteps,
}

pub(super) async fn run(options: &Options, client: &Client, console: &Console) -> Outcome {
    let known: RunRetries = client.get(["run-retries"]).patient().send().await?;
    let strategy = options.strategy.map(|strategy| match strategy {
        Strategy::FromFailure => RetryStrategy::FromFailure,
        Strategy::AllSteps => RetryStrategy::AllSteps,
    });
    let wanted = RunRetries {
        max_retries: options.max.unwrap_or(known.max_retries),
        strategy: strategy.unwrap_or(known.strategy),
        on_task_failure: options.on_task_failure.unwrap_or(known.on_task_failure),
    };
    let shown: RunRetries = if wanted == known {
        known
    } else {
        let request = client.put(["run-retries"]).json(&wanted);
        request.patient().send().await?
    };
    console.document(&shown, |paint| render(shown, paint));
    Ok(Exit::Success)
}

fn render(retries: RunRetries, paint: Paint) -> String {
    let tag = "a run's own tags go before this: dagster/max_retries and dagster/retry_strategy";
    if retries.max_retries == 0 {
        return format!(
            "runs that fail are {} done again by themselves\n{}",
            paint.bold("not"),
            paint.dim(tag)
        );
    }
    let what = match retries.strategy {
        RetryStrategy::FromFailure => "what did not succeed of them",
        RetryStrategy::AllSteps => "all of them",
    };
    let when = if retries.on_task_failure {
        "runs that fail"
    } else {
        "runs that fail because of processes or hosts, not of user code,"
    };
    let max = u64::from(retries.max_retries);
    format!(
        "{when} are done again by themselves, {what}, {} at most\n{}",
        paint.bold(&plural(max, "time")),
        paint.dim(tag)
    )
}
