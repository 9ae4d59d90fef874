//! Seeds in the normal test run, more on demand.
//!
//! `ARCO_SEED=17` replays one and shows what happened; `ARCO_SIM_SEEDS=1000` tries as many.

use arco_sim::{Outcome, Planted, Scenario, run};

/// As many as fit some ten seconds.
const SEEDS: u64 = 30;

/// A planted bug must show within this many.
const PLANTED_SEEDS: u64 = 12;

fn number(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok()?;
    Some(
        text.parse()
            .unwrap_or_else(|_| panic!("{variable} is a number, not `{text}`")),
    )
}

fn seeds(many: u64) -> std::ops::Range<u64> {
    match number("ARCO_SEED") {
        Some(seed) => seed..seed + 1,
        None => 1..many + 1,
    }
}

fn show(seed: u64, outcome: &Outcome) {
    println!(
        "seed {seed}: {} segments, log {}",
        outcome.segments,
        outcome.log.short()
    );
    for (what, count) in &outcome.counts {
        println!("  {count:>6} {what}");
    }
    for wrong in &outcome.violations {
        println!("  WRONG {wrong}");
    }
}

#[test]
fn what_must_hold_holds_whatever_the_weather() {
    let mut total = std::collections::BTreeMap::new();
    for seed in seeds(number("ARCO_SIM_SEEDS").unwrap_or(SEEDS)) {
        let outcome = run(Scenario::new(seed));
        if number("ARCO_SEED").is_some() {
            show(seed, &outcome);
        }
        if !outcome.violations.is_empty() {
            show(seed, &outcome);
            panic!("seed {seed}; replay it with ARCO_SEED={seed}");
        }
        for (what, count) in outcome.counts {
            *total.entry(what).or_insert(0) += count;
        }
    }
    println!("{total:#?}");
    if number("ARCO_SEED").is_none() {
        for what in [
            "runs acknowledged",
            "limits set",
            "deadlines kept",
            "hosts fenced",
            "replicas killed",
            "ticks",
            "tries of ticks",
            "evaluations",
            "messages",
        ] {
            assert!(
                total.get(what).is_some_and(|n| *n > 0),
                "no {what}: nothing was tested"
            );
        }
    }
}

#[test]
fn the_same_seed_is_the_same_history() {
    for seed in seeds(3) {
        let (first, second) = (run(Scenario::new(seed)), run(Scenario::new(seed)));
        assert_eq!(first, second, "seed {seed}");
    }
    let (first, second) = (run(Scenario::new(1)), run(Scenario::new(2)));
    assert_ne!(first.log, second.log, "another seed is another history");
}

fn found(planted: Planted, what: &str) {
    for seed in 1..=PLANTED_SEEDS {
        let outcome = run(Scenario {
            planted,
            ..Scenario::new(seed)
        });
        if outcome.violations.iter().any(|wrong| wrong.contains(what)) {
            return;
        }
    }
    panic!("{planted:?} is not found in {PLANTED_SEEDS} seeds: the simulation is asleep");
}

#[test]
fn a_store_that_forgets_is_found() {
    found(Planted::StoreForgets, "acknowledged and not in the log");
}

#[test]
fn a_host_that_ignores_its_deadline_is_found() {
    found(Planted::HostIgnoresDeadline, "overlap");
}

#[test]
fn a_cursor_that_goes_back_is_found() {
    found(Planted::CursorGoesBack, "moves the cursor from");
}

#[test]
fn messages_that_are_lost_are_found() {
    found(Planted::MessagesAreLost, "and has runs of");
}

#[test]
fn a_store_that_ignores_conditions_is_refused_before_it_does_harm() {
    let planted = Planted::StoreIgnoresConditions;
    let outcome = run(Scenario {
        planted,
        ..Scenario::new(1)
    });
    assert!(
        outcome
            .violations
            .iter()
            .any(|wrong| wrong.contains("does not start"))
    );
    assert_eq!(outcome.segments, 0);
}
