//! Checks by name: `ASSET:CHECK`, as Dagster writes their keys, or `ASSET` for all checks of an asset.

use std::collections::BTreeSet;

use arco_core::definitions::Catalog;
use arco_core::{AssetKey, graph};

use crate::Rejection;
use crate::planner::unknown_check;

/// The checks that texts name, in order, each once.
///
/// # Errors
/// [`Rejection`] for an asset or a check nobody defines, and an asset without checks.
pub fn read(catalog: &Catalog, texts: &[String]) -> Result<Vec<(AssetKey, String)>, Rejection> {
    let mut found = BTreeSet::new();
    for text in texts {
        let whole = AssetKey::parse(text).filter(|key| catalog.asset(key).is_some());
        match (whole, text.rsplit_once(':')) {
            (Some(key), _) => found.extend(all_of(catalog, &key)?),
            (None, Some((asset, name))) => {
                found.insert((one_of(catalog, asset, name)?, name.to_owned()));
            }
            (None, None) => return Err(unknown_asset(catalog, text)),
        }
    }
    Ok(found.into_iter().collect())
}

fn all_of(catalog: &Catalog, key: &AssetKey) -> Result<Vec<(AssetKey, String)>, Rejection> {
    let checks = catalog.checks_of(key);
    let found: Vec<_> = checks
        .map(|(_, check)| (key.clone(), check.name.clone()))
        .collect();
    match found.is_empty() {
        true => Err(Rejection::NoChecks(key.clone())),
        false => Ok(found),
    }
}

fn one_of(catalog: &Catalog, asset: &str, name: &str) -> Result<AssetKey, Rejection> {
    let key = AssetKey::parse(asset).filter(|key| catalog.asset(key).is_some());
    let key = key.ok_or_else(|| unknown_asset(catalog, asset))?;
    let known = catalog.checks_of(&key).any(|(_, check)| check.name == name);
    match known {
        true => Ok(key),
        false => Err(unknown_check(catalog, &key, name)),
    }
}

fn unknown_asset(catalog: &Catalog, text: &str) -> Rejection {
    let near = graph::did_you_mean(text, catalog.keys().map(AssetKey::as_str));
    Rejection::UnknownCheckAsset {
        text: text.to_owned(),
        hint: near.map_or_else(
            || "; checks are named `ASSET:CHECK`, and `arco assets` lists the assets".to_owned(),
            |word| format!("; did you mean `{word}`?"),
        ),
    }
}

#[cfg(test)]
mod tests;
