//! Why: the chain from what is so back to its cause.

use arco_core::AssetKey;
use arco_core::event::{Event, Fact, Position};
use arco_flow::explain::{Explainer, Missing, Past};
use arco_flow::state::Slot;
use arco_wire::api::Explanation;
use serde::Deserialize;
use std::sync::Arc;
use utoipa::IntoParams;

use crate::codes::Code;
use crate::extract::{Path, Query, Reading};
use crate::problem::{Answer, Refusal};

use super::assets::AssetPath;
use super::run::RunPath;
use super::tasks::TaskPath;
use super::{run, tasks};

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct RunQuery {
    /// Instead: why the run makes this asset, or does not.
    #[param(value_type = Option<String>)]
    asset: Option<AssetKey>,
    /// With `asset`: this partition of it.
    partition: Option<String>,
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct AssetQuery {
    /// This partition of it.
    partition: Option<String>,
}

/// Says why a run stands where it stands, or why it makes an asset or does not.
#[utoipa::path(get, path = "/runs/{run}/explanation", tag = "runs", operation_id = "explain_run",
    params(("run" = String, Path, description = "Run id"), RunQuery),
    responses((status = 200, description = "The chain back to its cause", body = Explanation)))]
pub(crate) async fn of_run(
    reading: Reading,
    Path(path): Path<RunPath>,
    Query(query): Query<RunQuery>,
) -> Answer {
    let run = run::find(&reading, path.run).await?;
    let past = known(&reading, |explainer| explainer.missing_of_run(&run)).await?;
    let explainer = explainer(&reading, &past);
    let Some(asset) = &query.asset else {
        return match query.partition {
            None => Ok(reading.json(&explainer.run(&run))),
            Some(_) => Err(Refusal::new(
                Code::InvalidQuery,
                "`partition` needs `asset`: a run has partitions of assets".to_owned(),
            )),
        };
    };
    let slot = slot(&reading, asset, query.partition.as_deref())?;
    Ok(reading.json(&explainer.asset_of_run(&run, asset, slot.as_ref())))
}

/// Says why a task of a run stands where it stands.
#[utoipa::path(get, path = "/runs/{run}/tasks/{task}/explanation", tag = "runs", operation_id = "explain_task",
    params(("run" = String, Path, description = "Run id"), ("task" = u32, Path, description = "Number in the run")),
    responses((status = 200, description = "The chain back to its cause", body = Explanation)))]
pub(crate) async fn of_task(reading: Reading, Path(path): Path<TaskPath>) -> Answer {
    let run = run::find(&reading, path.run).await?;
    let past = known(&reading, |explainer| explainer.missing_of_run(&run)).await?;
    let explained = explainer(&reading, &past).task(&run, path.task);
    let explained =
        explained.ok_or_else(|| tasks::unknown(path.run, path.task, run.tasks.len()))?;
    Ok(reading.json(&explained))
}

/// Says why an asset, or a partition of it, stands where it stands.
#[utoipa::path(get, path = "/assets/{key}/explanation", tag = "assets", operation_id = "explain_asset",
    params(("key" = String, Path, description = "Asset key, percent-encoded as one segment"), AssetQuery),
    responses((status = 200, description = "The chain back to its cause", body = Explanation)))]
pub(crate) async fn of_asset(
    reading: Reading,
    Path(path): Path<AssetPath>,
    Query(query): Query<AssetQuery>,
) -> Answer {
    let slot = slot(&reading, &path.key, query.partition.as_deref())?;
    let past = known(&reading, |explainer| explainer.missing(&path.key, &slot)).await?;
    let explained = explainer(&reading, &past).asset(&path.key, &slot);
    let explained = explained.expect("the asset is defined: checked above, in the same view");
    Ok(reading.json(&explained))
}

fn explainer<'a>(reading: &'a Reading, past: &'a Past) -> Explainer<'a> {
    Explainer::new(&reading.view.state, reading.engine().now(), past)
}

/// The slot that is asked about. A partition need not exist: that may be the answer.
fn slot(reading: &Reading, key: &AssetKey, partition: Option<&str>) -> Answer<Slot> {
    let found = super::asset_of_path(&reading.view.state, key)?;
    let def = found.asset.partitions.as_ref();
    partition.map_or(Ok(None), |text| super::slot_of_query(key, def, text))
}

/// What left memory, from the history objects and from the log; what is read may name more.
async fn known(reading: &Reading, missing: impl Fn(&Explainer<'_>) -> Missing) -> Answer<Past> {
    let mut past = Past::default();
    loop {
        let wanted = missing(&explainer(reading, &past));
        let before = (past.runs.len(), past.made.len());
        for id in wanted.runs {
            let run = reading.engine().past_run(id).await?;
            past.runs.extend(run.map(|run| (id, Arc::new(run))));
        }
        for position in wanted.made {
            let made = materialization(reading, position).await?;
            past.made.extend(made.map(|made| (position, made)));
        }
        // What is in neither stays unknown, and the answer says so.
        if (past.runs.len(), past.made.len()) == before {
            return Ok(past);
        }
    }
}

/// The materialization at a position; `None` when its segment was trimmed.
async fn materialization(
    reading: &Reading,
    at: Position,
) -> Answer<Option<arco_core::event::AssetMaterialized>> {
    let raw = reading.engine().event_at(at).await?;
    let event = raw.and_then(|raw| Event::from_raw(&raw).ok());
    Ok(match event.map(|event| event.fact) {
        Some(Fact::AssetMaterialized(made)) => Some(made),
        _ => None,
    })
}
