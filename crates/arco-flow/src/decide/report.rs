//! Facts about assets that no run made: a job elsewhere wrote a table, a person looked, a sensor saw it.
//!
//! They say the same as facts of a run and count the same, without an attempt. The asset must be defined
//! and the partition must exist; Dagster takes any key, and a slip of the pen makes an asset there.

use arco_core::asset_fact::AssetFact;
use arco_core::definitions::{AssetRef, Catalog, CheckDef};
use arco_core::event::{AssetMaterialized, AssetObserved, CheckEvaluated, Fact, Position};
use arco_core::partition::PartitionsDef;
use arco_core::{AssetKey, Digest, PartitionKey, Timestamp, graph};
use serde_json::json;

use super::Deciding;
use crate::Rejection;
use crate::command::{Answer, AssetReport};
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
fn digest(fact: &AssetFact) -> Digest {
    let said = match fact {
        AssetFact::Materialized(made) => json!([
            "materialized",
            made.asset,
            made.partition,
            made.metadata,
            made.data_version,
            made.tags
        ]),
        AssetFact::Observed(seen) => json!([
            "observed",
            seen.asset,
            seen.partition,
            seen.metadata,
            seen.data_version,
            seen.description,
            seen.tags
        ]),
        AssetFact::Checked(judged) => json!([
            "checked",
            judged.asset,
            judged.check,
            judged.partition,
            judged.passed,
            judged.severity,
            judged.description,
            judged.metadata
        ]),
    };
    Digest::of_json(&said)
}

/// Records a fact that an evaluation of a sensor gave; says where it stands. What a leader decides counts
/// only while it leads.
pub(super) fn record(d: &mut Deciding<'_>, said: &AssetFact) -> Result<Position, Rejection> {
    let fact = fact(d, said, None)?;
    let position = d.next();
    d.emit_as_leader(fact);
    Ok(position)
}

/// Whether a fact can be recorded: its asset, partition and check are there.
///
/// # Errors
/// [`Rejection`]: what of it is not defined.
pub(crate) fn check(catalog: &Catalog, now: Timestamp, fact: &AssetFact) -> Result<(), Rejection> {
    place(catalog, now, fact).map(|_| ())
}

/// What definitions say of a fact.
struct Place {
    partition: Option<PartitionKey>,
    blocking: bool,
}

fn place(catalog: &Catalog, now: Timestamp, fact: &AssetFact) -> Result<Place, Rejection> {
    let (asset, text) = (fact.asset(), fact.partition());
    let found = find(catalog, asset)?;
    let (def, blocking) = match fact {
        AssetFact::Checked(judged) => {
            let check = check_of(catalog, asset, &judged.check)?;
            (check.partitions.as_ref(), check.blocking)
        }
        AssetFact::Materialized(_) | AssetFact::Observed(_) => {
            (found.asset.partitions.as_ref(), false)
        }
    };
    let partition = match (fact, text) {
        // An observation may be of the asset as a whole.
        (AssetFact::Observed(_), None) => None,
        _ => partition_of(asset, def, text, now)?,
    };
    Ok(Place {
        partition,
        blocking,
    })
}

fn fact(
    d: &Deciding<'_>,
    fact: &AssetFact,
    idempotency: Option<(String, Digest)>,
) -> Result<Fact, Rejection> {
    let Place {
        partition: key,
        blocking,
    } = place(&d.state.catalog, d.now, fact)?;
    Ok(match fact.clone() {
        AssetFact::Materialized(said) => {
            let data_version = said.data_version.unwrap_or_else(|| {
                // Nobody says that the data is the same as before, so it is not.
                Digest::of_json(&json!([said.asset, key, "reported", d.next()])).to_string()
            });
            AssetMaterialized {
                asset: said.asset,
                partition: key,
                attempt: None,
                data_version,
                code_version: None,
                inputs: Vec::new(),
                metadata: said.metadata,
                tags: said.tags,
                idempotency,
            }
            .into()
        }
        AssetFact::Observed(said) => AssetObserved {
            asset: said.asset,
            partition: key,
            attempt: None,
            data_version: said.data_version,
            description: said.description,
            metadata: said.metadata,
            tags: said.tags,
            idempotency,
        }
        .into(),
        AssetFact::Checked(said) => CheckEvaluated {
            asset: said.asset,
            check: said.check,
            partition: key,
            attempt: None,
            passed: said.passed,
            severity: said.severity,
            blocking,
            description: said.description,
            metadata: said.metadata,
            idempotency,
        }
        .into(),
    })
}

fn find<'a>(catalog: &'a Catalog, asset: &AssetKey) -> Result<AssetRef<'a>, Rejection> {
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
    catalog: &'a Catalog,
    asset: &'a AssetKey,
    name: &str,
) -> Result<&'a CheckDef, Rejection> {
    let mut checks = catalog.checks_of(asset).map(|(_, check)| check);
    checks
        .find(|check| check.name == name)
        .ok_or_else(|| unknown_check(catalog, asset, name))
}

fn partition_of(
    asset: &AssetKey,
    def: Option<&PartitionsDef>,
    text: Option<&str>,
    now: Timestamp,
) -> Result<Option<PartitionKey>, Rejection> {
    match (def, text) {
        (None, None) => Ok(None),
        (None, Some(key)) => Err(Rejection::PartitionUnused(key.to_owned())),
        (Some(def), None) => Err(Rejection::PartitionMissing {
            asset: asset.clone(),
            example: def.example_key(),
        }),
        (Some(def), Some(text)) => {
            let refused = |error| Rejection::bad_partition(asset, &error);
            let key = def.parse_key(text).map_err(refused)?;
            def.require(&key, now).map_err(refused)?;
            Ok(Some(key))
        }
    }
}
