//! Checks and their results.

use arco_core::definitions::{CheckDef, Definitions};
use arco_flow::state::{AssetState, CheckRow, Slot};
use arco_wire::api;

/// A check with its last result: of one slot when one is asked for, else the latest of all.
pub(crate) fn check(
    definitions: &Definitions,
    def: &CheckDef,
    state: Option<&AssetState>,
    slot: Option<&Slot>,
) -> api::AssetCheck {
    let rows = state.and_then(|state| Some((state, state.checks.get(&def.name)?)));
    let (mut passed, mut failed) = (0, 0);
    let mut latest: Option<(Slot, &CheckRow)> = None;
    if let Some((state, rows)) = rows {
        for (ordinal, row) in rows {
            if row.passed {
                passed += 1
            } else {
                failed += 1
            }
            let at = state.slot(*ordinal).unwrap_or_default();
            let wanted = slot.is_none_or(|slot| *slot == at);
            if wanted
                && latest
                    .as_ref()
                    .is_none_or(|(_, best)| best.position < row.position)
            {
                latest = Some((at, row));
            }
        }
    }
    api::AssetCheck {
        name: def.name.clone(),
        location: definitions.location().to_owned(),
        step: def.step.clone(),
        blocking: def.blocking,
        partitioned: def.partitions.is_some(),
        description: def.description.clone(),
        passed,
        failed,
        latest: latest.map(|(slot, row)| result(&slot, row)),
    }
}

fn result(slot: &Slot, row: &CheckRow) -> api::CheckResult {
    api::CheckResult {
        position: row.position.into(),
        time: row.time.into(),
        run: row.attempt.map(|attempt| attempt.run),
        attempt: row.attempt,
        partition: slot.as_ref().map(|key| key.display().into_owned()),
        passed: row.passed,
        severity: row.severity,
        description: row.description.clone(),
        metadata: row.metadata.clone(),
    }
}

/// Whether every result of a check passed; `None` when there is none.
pub(crate) fn all_passed(def: &CheckDef, state: Option<&AssetState>) -> Option<bool> {
    let rows = state?.checks.get(&def.name)?;
    (!rows.is_empty()).then(|| rows.values().all(|row| row.passed))
}
