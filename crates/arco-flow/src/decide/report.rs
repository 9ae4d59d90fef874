//! Facts about assets that no run made: a job elsewhere wrote a table, a person looked.
//!
//! They say the same as facts of a run and count the same, without an attempt. The asset must be defined
//! and the partition must exist; Dagster takes any key, and a slip of the pen makes an asset there.

use arco_core::definitions::{AssetRef, CheckDef};
use arco_core::event::{AssetMaterialized, AssetObserved, CheckEvaluated, Fact};
use arco_core::partition::PartitionsDef;
use arco_core::{AssetKey, Digest, PartitionKey, graph};
use serde_json::json;

use super::Deciding;
use crate::Rejection;
use crate::command::{Answer, AssetReport, Reported};
use crate::planner::unknown_check;

#[cfg(test)]
mod tests;

pub(super) fn report(d: &mut Deciding<'_>, report: &AssetReport) -> Result<Answer, Rejection> {
    let digest = digest(&report.fact);
    if let Some(key) = &report.idempotency_key
        && let Some((known, position, _)) = d.state.reports.get(key)
    {
        if *known == digest {
            return Ok(Answer::Reported {
                position: *position,
                created: false,
            });
        }
        return Err(Rejection::ReportConflict(key.clone()));
    }
    let idempotency = report.idempotency_key.clone().map(|key| (key, digest));
    let fact = fact(d, &report.fact, idempotency)?;
    let position = d.next();
    d.emit(fact);
    Ok(Answer::Reported {
        position,
        created: true,
    })
}

/// What identifies a report.
fn digest(fact: &Reported) -> Digest {
    let said = match fact {
        Reported::Materialized {
            asset,
            partition,
            metadata,
            data_version,
            tags,
        } => json!([
            "materialized",
            asset,
            partition,
            metadata,
            data_version,
            tags
        ]),
        Reported::Observed {
            asset,
            partition,
            metadata,
            data_version,
            description,
            tags,
        } => json!([
            "observed",
            asset,
            partition,
            metadata,
            data_version,
            description,
            tags
        ]),
        Reported::Checked {
            asset,
            check,
            partition,
            passed,
            severity,
            description,
            metadata,
        } => json!([
            "checked",
            asset,
            check,
            partition,
            passed,
            severity,
            description,
            metadata
        ]),
        _ => json!(null),
    };
    Digest::of_json(&said)
}

fn fact(
    d: &Deciding<'_>,
    fact: &Reported,
    idempotency: Option<(String, Digest)>,
) -> Result<Fact, Rejection> {
    match fact.clone() {
        Reported::Materialized {
            asset,
            partition,
            metadata,
            data_version,
            tags,
        } => {
            let found = find(d, &asset)?;
            let key = partition_of(d, &asset, found.asset.partitions.as_ref(), partition)?;
            let position = d.next();
            let data_version = data_version.unwrap_or_else(|| {
                // Nobody says that the data is the same as before, so it is not.
                Digest::of_json(&json!([asset, key, "reported", position])).to_string()
            });
            Ok(AssetMaterialized {
                asset,
                partition: key,
                attempt: None,
                data_version,
                code_version: None,
                inputs: Vec::new(),
                metadata,
                tags,
                idempotency,
            }
            .into())
        }
        Reported::Observed {
            asset,
            partition,
            metadata,
            data_version,
            description,
            tags,
        } => {
            let found = find(d, &asset)?;
            // An observation may be of the asset as a whole.
            let key = match partition {
                None => None,
                some => partition_of(d, &asset, found.asset.partitions.as_ref(), some)?,
            };
            Ok(AssetObserved {
                asset,
                partition: key,
                attempt: None,
                data_version,
                description,
                metadata,
                tags,
                idempotency,
            }
            .into())
        }
        Reported::Checked {
            asset,
            check,
            partition,
            passed,
            severity,
            description,
            metadata,
        } => {
            find(d, &asset)?;
            let def = check_of(d, &asset, &check)?;
            let partitions = def.partitions.clone();
            let blocking = def.blocking;
            let key = partition_of(d, &asset, partitions.as_ref(), partition)?;
            Ok(CheckEvaluated {
                asset,
                check,
                partition: key,
                attempt: None,
                passed,
                severity,
                blocking,
                description,
                metadata,
                idempotency,
            }
            .into())
        }
        Reported::Started
        | Reported::Values { .. }
        | Reported::Succeeded
        | Reported::Failed { .. }
        | Reported::Cancelled
        | Reported::Released => unreachable!("only facts about assets are reported from outside"),
    }
}

fn find<'a>(d: &'a Deciding<'_>, asset: &AssetKey) -> Result<AssetRef<'a>, Rejection> {
    let catalog = &d.state.catalog;
    catalog.asset(asset).ok_or_else(|| Rejection::UnknownAsset {
        asset: asset.clone(),
        hint: graph::did_you_mean(asset.as_str(), catalog.keys().map(AssetKey::as_str))
            .map_or_else(
                || format!("; declare it with `AssetSpec(\"{asset}\")` to report about it"),
                |word| format!("; did you mean `{word}`?"),
            ),
    })
}

fn check_of<'a>(
    d: &'a Deciding<'_>,
    asset: &'a AssetKey,
    name: &str,
) -> Result<&'a CheckDef, Rejection> {
    let mut checks = d.state.catalog.checks_of(asset).map(|(_, check)| check);
    checks
        .find(|check| check.name == name)
        .ok_or_else(|| unknown_check(&d.state.catalog, asset, name))
}

fn partition_of(
    d: &Deciding<'_>,
    asset: &AssetKey,
    def: Option<&PartitionsDef>,
    text: Option<String>,
) -> Result<Option<PartitionKey>, Rejection> {
    match (def, text) {
        (None, None) => Ok(None),
        (None, Some(key)) => Err(Rejection::PartitionUnused(key)),
        (Some(def), None) => Err(Rejection::PartitionMissing {
            asset: asset.clone(),
            example: def.example_key(),
        }),
        (Some(def), Some(text)) => {
            let refused = |error| Rejection::bad_partition(asset, &error);
            let key = def.parse_key(&text).map_err(refused)?;
            def.require(&key, d.now).map_err(refused)?;
            Ok(Some(key))
        }
    }
}
