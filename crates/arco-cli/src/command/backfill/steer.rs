//! `arco backfill pause|resume|cancel|retry-failed|edit`.

use arco_wire::api::{BackfillCreated, CancelBackfill, EditBackfill, SteerBackfill};
use clap::Args;

use super::create::{Settings, announce};
use super::show::{self, resolve};
use crate::client::{Client, Request};
use crate::console::Console;
use crate::failure::{Exit, Failure, Outcome};

/// Ask for no more runs; those that go on end
#[derive(Debug, Args)]
#[group(skip)]
pub(super) struct Pause {
    #[command(flatten)]
    named: Named,
}

/// Go on with a paused backfill
#[derive(Debug, Args)]
#[group(skip)]
pub(super) struct Resume {
    #[command(flatten)]
    named: Named,
}

/// Ask for no more runs, for good, and stop those that go on
#[derive(Debug, Args)]
#[group(skip)]
pub(super) struct Cancel {
    #[command(flatten)]
    named: Named,
    /// Let the runs that go on end by themselves
    #[arg(long)]
    drain: bool,
}

/// Make what a backfill that is over left undone, as a backfill of its own
#[derive(Debug, Args)]
#[group(skip)]
pub(super) struct RetryFailed {
    #[command(flatten)]
    named: Named,
}

/// Change how a backfill goes on
#[derive(Debug, Args)]
#[group(skip)]
pub(super) struct Edit {
    #[command(flatten)]
    named: Named,
    #[command(flatten)]
    settings: Settings,
}

#[derive(Debug, Args)]
#[group(skip)]
struct Named {
    /// A backfill, or `latest`
    #[arg(value_name = "BACKFILL")]
    backfill: String,
}

pub(super) async fn pause(options: &Pause, client: &Client, console: &Console) -> Outcome {
    let id = resolve(&options.named.backfill, client).await?;
    let request = client.post(["backfills", &id, "pause"]);
    steered(request.json(&SteerBackfill::default()), console).await
}

pub(super) async fn resume(options: &Resume, client: &Client, console: &Console) -> Outcome {
    let id = resolve(&options.named.backfill, client).await?;
    let request = client.post(["backfills", &id, "resume"]);
    steered(request.json(&SteerBackfill::default()), console).await
}

pub(super) async fn cancel(options: &Cancel, client: &Client, console: &Console) -> Outcome {
    let id = resolve(&options.named.backfill, client).await?;
    let body = CancelBackfill {
        drain: options.drain,
        state_version: None,
    };
    steered(
        client.post(["backfills", &id, "cancel"]).json(&body),
        console,
    )
    .await
}

pub(super) async fn edit(options: &Edit, client: &Client, console: &Console) -> Outcome {
    let settings = &options.settings;
    let body = EditBackfill {
        state_version: None,
        concurrency: settings.concurrency,
        priority: settings.priority,
        order: settings.order,
        runs_per_minute: settings.runs_per_minute,
    };
    if body == EditBackfill::default() {
        return Err(Failure::new("nothing is given that would change")
            .hint("give --concurrency, --priority, --order or --runs-per-minute"));
    }
    let id = resolve(&options.named.backfill, client).await?;
    steered(client.patch(["backfills", &id]).json(&body), console).await
}

pub(super) async fn retry_failed(
    options: &RetryFailed,
    client: &Client,
    console: &Console,
) -> Outcome {
    let id = resolve(&options.named.backfill, client).await?;
    // Its parent is its identity, so that asking again is safe.
    let request = client.post(["backfills", &id, "retry-failed"]).patient();
    let made: BackfillCreated = request.send().await?;
    announce(&made, console);
    Ok(Exit::Success)
}

/// All of these may be asked twice.
async fn steered(request: Request, console: &Console) -> Outcome {
    let answer: BackfillCreated = request.patient().send().await?;
    console.document(&answer.backfill, |paint| {
        show::render(&answer.backfill, paint)
    });
    Ok(Exit::Success)
}
