//! Facts about assets that no run made: reported by a job elsewhere, a person, a script.
//!
//! An asset key in a path is one segment, as for reads of assets.

use arco_core::asset_fact::{
    AssetCheckResult, AssetFact as Fact, AssetMaterialization, AssetObservation,
};
use arco_wire::api::{
    LogPosition, ReportCheck, ReportMaterialization, ReportObservation, Reported,
};
use axum::http::{HeaderMap, StatusCode};

use super::assets::AssetPath;
use super::runs::{check_tags, idempotency_key};
use crate::codes::Code;
use crate::extract::workspace::{at, json};
use crate::extract::{Json, Path, Writing};
use crate::limits;
use crate::problem::{Answer, Refusal};

/// Reports a materialization that no run made.
///
/// Repeating it is safe with an `Idempotency-Key`: it counts once.
#[utoipa::path(post, path = "/assets/{key}/materializations", tag = "assets", operation_id = "report_materialization",
    params(("key" = String, Path, description = "Asset key, percent-encoded as one segment"),
           ("idempotency-key" = Option<String>, Header, description = "Remembered for a day")),
    request_body = ReportMaterialization,
    responses((status = 201, description = "A new report", body = Reported),
              (status = 200, description = "The same report was made before", body = Reported)))]
pub(crate) async fn materialization(
    writing: Writing,
    headers: HeaderMap,
    Path(path): Path<AssetPath>,
    Json(body): Json<ReportMaterialization>,
) -> Answer {
    check_tags(&body.tags)?;
    check_version(body.data_version.as_deref())?;
    let fact = Fact::Materialized(AssetMaterialization {
        asset: path.key,
        partition: body.partition,
        metadata: body.metadata,
        data_version: body.data_version,
        tags: body.tags,
    });
    report(&writing, &headers, fact).await
}

/// Reports an observation that no run made.
///
/// Repeating it is safe with an `Idempotency-Key`: it counts once.
#[utoipa::path(post, path = "/assets/{key}/observations", tag = "assets", operation_id = "report_observation",
    params(("key" = String, Path, description = "Asset key, percent-encoded as one segment"),
           ("idempotency-key" = Option<String>, Header, description = "Remembered for a day")),
    request_body = ReportObservation,
    responses((status = 201, description = "A new report", body = Reported),
              (status = 200, description = "The same report was made before", body = Reported)))]
pub(crate) async fn observation(
    writing: Writing,
    headers: HeaderMap,
    Path(path): Path<AssetPath>,
    Json(body): Json<ReportObservation>,
) -> Answer {
    check_tags(&body.tags)?;
    check_version(body.data_version.as_deref())?;
    let fact = Fact::Observed(AssetObservation {
        asset: path.key,
        partition: body.partition,
        metadata: body.metadata,
        data_version: body.data_version,
        description: body.description,
        tags: body.tags,
    });
    report(&writing, &headers, fact).await
}

/// Reports the verdict of a check that no run judged.
///
/// Repeating it is safe with an `Idempotency-Key`: it counts once.
#[utoipa::path(post, path = "/assets/{key}/checks", tag = "assets", operation_id = "report_check",
    params(("key" = String, Path, description = "Asset key, percent-encoded as one segment"),
           ("idempotency-key" = Option<String>, Header, description = "Remembered for a day")),
    request_body = ReportCheck,
    responses((status = 201, description = "A new report", body = Reported),
              (status = 200, description = "The same report was made before", body = Reported)))]
pub(crate) async fn check(
    writing: Writing,
    headers: HeaderMap,
    Path(path): Path<AssetPath>,
    Json(body): Json<ReportCheck>,
) -> Answer {
    let fact = Fact::Checked(AssetCheckResult {
        asset: path.key,
        check: body.check,
        partition: body.partition,
        passed: body.passed,
        severity: body.severity,
        description: body.description,
        metadata: body.metadata,
    });
    report(&writing, &headers, fact).await
}

async fn report(writing: &Writing, headers: &HeaderMap, fact: Fact) -> Answer {
    let key = idempotency_key(headers)?;
    let engine = writing.engine();
    let made = engine
        .report(&writing.principal, &writing.request_id, fact, key)
        .await?;
    let status = if made.created {
        StatusCode::CREATED
    } else {
        StatusCode::OK
    };
    let answer = Reported {
        created: made.created,
        position: LogPosition(made.position),
    };
    Ok(at(made.position, json(status, &answer)))
}

fn check_version(version: Option<&str>) -> Answer<()> {
    let chars = version.map_or(1, |text| text.chars().count());
    if (1..=limits::TAG_VALUE_CHARS_MAX).contains(&chars) {
        return Ok(());
    }
    Err(Refusal::new(
        Code::InvalidBody,
        format!(
            "`data_version` has {chars} characters; give 1 to {}",
            limits::TAG_VALUE_CHARS_MAX
        ),
    ))
}
