//! Random accidents under load, round after round on one log.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use arco_testkit::random::Random;

use crate::accidents::{ALL, Running};
use crate::deployment::Deployment;
use crate::judge::{Record, judge};
use crate::processes::now;

/// In the normal test run: half a minute.
const ROUNDS: u64 = 5;
const ACCIDENTS_A_ROUND: u64 = 3;
/// Runs that are asked for while accidents happen, at most. Four tasks each.
const RUNS_A_ROUND: usize = 12;

pub(crate) fn number(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok()?;
    Some(
        text.parse()
            .unwrap_or_else(|_| panic!("{variable} is a number, not `{text}`")),
    )
}

/// Asks for runs until there are enough or it is told to stop; gives the acknowledged ones.
fn load(deployment: &Deployment, round: u64, stop: &AtomicBool) -> Vec<String> {
    let mut acknowledged = Vec::new();
    for n in 0..RUNS_A_ROUND {
        let key = format!("round {round} run {n}");
        // The same request until it is acknowledged: the key makes that one run.
        while !stop.load(Ordering::Relaxed) {
            if let Some(run) = deployment.run("group:diamond", &key) {
                acknowledged.push(run);
                break;
            }
        }
    }
    acknowledged
}

#[test]
fn random_accidents_under_load_lose_nothing_and_run_nothing_twice_at_once() {
    let seed = number("ARCO_SEED").unwrap_or_else(|| u64::from(std::process::id()));
    let rounds = number("ARCO_CRASH_ROUNDS").unwrap_or(ROUNDS);
    println!("accidents of ARCO_SEED={seed}");
    let deployment = Deployment::new();
    let mut running = Running::start(&deployment, Random::new(seed));
    let mut happened: BTreeMap<String, u32> = BTreeMap::new();
    let mut acknowledged: Vec<String> = Vec::new();
    let began = now();
    for round in 1..=rounds {
        let stop = AtomicBool::new(false);
        let more = std::thread::scope(|scope| {
            let loading = scope.spawn(|| load(&deployment, round, &stop));
            for _ in 0..ACCIDENTS_A_ROUND {
                running.wait(300, 1_500);
                let accident = *running.random.pick(&ALL);
                *happened.entry(format!("{accident:?}")).or_default() += 1;
                running.happen(accident);
            }
            deployment.wait_ready();
            stop.store(true, Ordering::Relaxed);
            loading.join().unwrap()
        });
        assert!(!more.is_empty(), "nothing was asked for");
        more.iter().for_each(|run| deployment.wait_success(run));
        acknowledged.extend(more);
        let record = Record::read(&deployment.file("store"));
        let wrong = judge(&deployment.journal(), &record, &acknowledged);
        assert!(
            wrong.is_empty(),
            "ARCO_SEED={seed} round {round}: {wrong:#?}"
        );
    }
    let took = began.elapsed();
    let Running { serve, workers, .. } = running;
    drop(workers);
    deployment.verify(serve);
    report(&deployment, rounds, took, &acknowledged, &happened);
}

fn report(
    deployment: &Deployment,
    rounds: u64,
    took: Duration,
    acknowledged: &[String],
    happened: &BTreeMap<String, u32>,
) {
    let journal = deployment.journal();
    let record = Record::read(&deployment.file("store"));
    println!("{rounds} rounds in {} s", took.as_secs());
    println!(
        "  {} accidents: {happened:?}",
        happened.values().sum::<u32>()
    );
    println!(
        "  {} runs acknowledged, all of them over and good",
        acknowledged.len()
    );
    println!(
        "  {} bodies, {} of them broken off, no two of a task at once",
        journal.bodies(),
        journal.broken_off()
    );
    println!(
        "  {} segments, verified; epoch {}",
        record.state.position.segment, record.state.leadership.epoch
    );
}
