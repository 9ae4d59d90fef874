//! A backfill whose control plane and hosts are killed again and again: every partition is made by one run,
//! and none is missing, judged by what the bodies wrote down. `ARCO_CRASH_PIECES=5000` makes a long one of it.

use std::collections::BTreeMap;
use std::sync::Arc;

use arco_core::backfill::BackfillStatus;
use arco_flow::state::Run;
use arco_testkit::random::Random;

use crate::accidents::{Accident, Running};
use crate::deployment::{Deployment, pieces};
use crate::judge::{Record, judge};
use crate::rounds::number;

/// Kills at least; more when the backfill takes longer.
const KILLS: u32 = 4;

#[test]
fn a_backfill_under_kills_makes_each_partition_by_one_run() {
    let seed = number("ARCO_SEED").unwrap_or_else(|| u64::from(std::process::id()));
    // And `total`, which reads them all.
    let pieces = pieces();
    println!("kills of ARCO_SEED={seed}, ARCO_CRASH_PIECES={pieces}");
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
    // The more there is to do, the longer between two kills: each costs a lease, of a leader or of hosts.
    let between_ms = 5_000 + pieces;
    let (mut kills, mut of_hosts) = (0, 0);
    loop {
        running.wait(100, between_ms);
        let is_host = kills % 3 == 2;
        running.happen(match is_host {
            true => Accident::HostKilled,
            false => Accident::ControlPlaneKilled,
        });
        kills += 1;
        of_hosts += u32::from(is_host);
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

    let record = Record::read(&deployment.file("store"));
    let backfill = &record.state.backfills[&id.parse::<arco_core::BackfillId>().unwrap()];
    assert_eq!(
        backfill.status,
        BackfillStatus::Succeeded,
        "{:?}",
        backfill.reason
    );
    // The bodies speak first: every partition by one run, none missing.
    let journal = deployment.journal();
    let mut made: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for ((run, _), bodies) in &journal.0 {
        if let Some(body) = bodies.iter().find(|body| body.ended) {
            made.entry(&body.partition).or_default().push(run);
        }
    }
    let all = usize::try_from(pieces).unwrap() + 1;
    assert_eq!(made.len(), all, "none is missing");
    assert!(
        made.values().all(|runs| runs.len() == 1),
        "one run each: {made:?}"
    );
    assert_eq!(journal.0.len(), all, "and no run but these");
    let of_backfill = |run: &&Arc<Run>| run.backfill.is_some();
    let ids: Vec<String> = record
        .runs
        .values()
        .filter(of_backfill)
        .map(|run| run.id.to_string())
        .collect();
    assert_eq!(ids.len(), all, "as many runs in the log");
    let wrong = judge(&journal, &record, &ids);
    assert!(wrong.is_empty(), "ARCO_SEED={seed}: {wrong:#?}");
    println!(
        "{kills} kills, {of_hosts} of them of hosts; {pieces} partitions, {} bodies, {} broken off",
        journal.bodies(),
        journal.broken_off()
    );
}
