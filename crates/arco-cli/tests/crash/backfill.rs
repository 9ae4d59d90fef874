//! A backfill of some hundred partitions whose control plane is killed again and again: every partition is
//! made by one run, and none is missing, judged by what the bodies wrote down.

use std::collections::BTreeMap;

use arco_core::backfill::BackfillStatus;
use arco_flow::state::Run;
use arco_testkit::random::Random;

use crate::accidents::{Accident, Running};
use crate::deployment::Deployment;
use crate::judge::{judge, state};
use crate::rounds::number;

/// Partitions of `piece`, see `definitions.py`; and `total`, which reads them all.
const PIECES: usize = 300;

/// Kills at least; more when the backfill takes longer.
const KILLS: u32 = 4;

#[test]
fn a_backfill_under_kills_makes_each_partition_by_one_run() {
    let seed = number("ARCO_SEED").unwrap_or_else(|| u64::from(std::process::id()));
    println!("kills of ARCO_SEED={seed}");
    let deployment = Deployment::new();
    let mut running = Running::start(&deployment, Random::new(seed));
    let ask = [
        "backfill",
        "create",
        "piece+",
        "--all",
        "--concurrency",
        "20",
        "--idempotency-key",
        "all",
    ];
    let made = deployment.ask(&ask).unwrap();
    let id = made["backfill"]["id"].as_str().unwrap().to_owned();
    let mut kills = 0;
    loop {
        running.wait(100, 1_200);
        running.happen(Accident::ControlPlaneKilled);
        kills += 1;
        deployment.wait_ready();
        let again = deployment.ask(&ask);
        assert!(
            again.is_none_or(|again| again["created"] == false),
            "one under one key"
        );
        let shown = deployment.ask(&["backfill", "show", &id]);
        let status = shown.as_ref().and_then(|shown| shown["status"].as_str());
        if kills >= KILLS && matches!(status, Some("succeeded" | "failed" | "canceled")) {
            break;
        }
        assert!(kills < 300, "the backfill does not end: {shown:?}");
    }
    let Running { serve, workers, .. } = running;
    drop(workers);
    deployment.verify(serve);

    let state = state(&deployment.file("store"));
    let backfill = &state.backfills[&id.parse::<arco_core::BackfillId>().unwrap()];
    assert_eq!(
        backfill.status,
        BackfillStatus::Succeeded,
        "{:?}",
        backfill.reason
    );
    let of_backfill = |run: &&std::sync::Arc<Run>| run.backfill.is_some();
    let runs: Vec<_> = state.runs.values().filter(of_backfill).collect();
    let mut made: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let journal = deployment.journal();
    for run in &runs {
        let planned = &run.plan.tasks[0];
        let key = planned.partitions.first();
        let key = key.map_or_else(|| "*".to_owned(), |key| key.display().into_owned());
        let whole = journal.of(&run.id.to_string(), &planned.step);
        if whole.iter().any(|body| body.ended) {
            made.entry(key).or_default().push(run.id.to_string());
        }
    }
    assert_eq!(made.len(), PIECES + 1, "none is missing");
    assert!(
        made.values().all(|runs| runs.len() == 1),
        "one run each: {made:?}"
    );
    let ids: Vec<String> = runs.iter().map(|run| run.id.to_string()).collect();
    assert_eq!(ids.len(), PIECES + 1, "and no run but these");
    let wrong = judge(&journal, &state, &ids);
    assert!(wrong.is_empty(), "ARCO_SEED={seed}: {wrong:#?}");
    println!(
        "{kills} kills, {} bodies, {} broken off",
        journal.bodies(),
        journal.broken_off()
    );
}
