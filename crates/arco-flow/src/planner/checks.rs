//! The checks of a plan: those that come with their assets, and those that were asked for by name.

use std::collections::HashMap;
use std::sync::Arc;

use arco_core::definitions::{Catalog, CheckDef, Definitions};
use arco_core::{AssetKey, Timestamp, graph};

use super::PlanRequest;
use super::units::Units;
use crate::Rejection;

/// A check, and the definitions it is of.
type Check<'a> = (&'a Arc<Definitions>, &'a CheckDef);

/// The checks of each asset, of all locations.
pub(super) fn checks_of(catalog: &Catalog) -> HashMap<&AssetKey, Vec<Check<'_>>> {
    let mut checks: HashMap<&AssetKey, Vec<Check<'_>>> = HashMap::new();
    for definitions in catalog.locations().values() {
        for check in &definitions.manifest().checks {
            let own = checks.entry(&check.asset).or_default();
            own.push((definitions, check));
        }
    }
    checks
}

/// Selecting an asset brings its checks. Checks judged within the asset's own step come with
/// its task; the others are tasks of their own.
pub(super) fn add_check_units<'a>(
    catalog: &'a Catalog,
    request: &PlanRequest,
    key: &AssetKey,
    checks: &[Check<'a>],
    now: Timestamp,
    units: &mut Units<'a>,
) -> Result<(), Rejection> {
    let own = catalog.step_of(key);
    for (definitions, check) in checks {
        let is_within = own.as_ref().is_some_and(|own| {
            own.definitions.location() == definitions.location() && own.step.name == check.step
        });
        if !is_within && units.place(definitions, &check.step).is_none() {
            let keys = request
                .partitions
                .keys(key, check.partitions.as_ref(), now)?;
            units.push(definitions, &check.step, Vec::new(), keys);
        }
    }
    Ok(())
}

/// A check that was asked for by name. One that its asset's own step judges comes with the asset, and
/// cannot be had without it.
pub(super) fn add_chosen_check<'a>(
    catalog: &'a Catalog,
    request: &PlanRequest,
    (asset, name): (&AssetKey, &str),
    now: Timestamp,
    units: &mut Units<'a>,
) -> Result<(), Rejection> {
    let locations = catalog.locations().values();
    let mut defined =
        locations.filter_map(|definitions| Some((definitions, definitions.check(asset, name)?)));
    let Some((definitions, check)) = defined.next() else {
        return Err(unknown_check(catalog, asset, name));
    };
    if units.place(definitions, &check.step).is_some() {
        return Ok(());
    }
    let step = definitions.step(&check.step);
    if step.is_some_and(|step| !step.outputs.is_empty()) {
        return Err(Rejection::CheckWithinStep {
            asset: asset.clone(),
            check: name.to_owned(),
        });
    }
    let keys = request
        .partitions
        .keys(asset, check.partitions.as_ref(), now)?;
    units.push(definitions, &check.step, Vec::new(), keys);
    Ok(())
}

/// A check that no location defines.
pub(crate) fn unknown_check(catalog: &Catalog, asset: &AssetKey, name: &str) -> Rejection {
    let names = catalog
        .checks_of(asset)
        .map(|(_, check)| check.name.as_str());
    Rejection::UnknownCheck {
        asset: asset.clone(),
        check: name.to_owned(),
        hint: graph::did_you_mean(name, names).map_or_else(
            || format!("; `arco assets show {asset}` lists its checks"),
            |word| format!("; did you mean `{word}`?"),
        ),
    }
}
