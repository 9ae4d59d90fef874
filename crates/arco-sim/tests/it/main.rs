//! Seeds in the normal test run, more on demand.
//!
//! `ARCO_SEED=17` replays one and shows what happened; `ARCO_SIM_SEEDS=1000` tries as many.

use std::collections::BTreeMap;

use arco_sim::{Outcome, Planted, Scenario, run};

/// As many as fit some ten seconds.
const SEEDS: u64 = 30;

/// Three days hold many ticks.
const OUTAGE_SEEDS: u64 = 8;

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

/// What must hold holds in every seed; what must have happened for that to mean anything, did.
fn holds(
    scenario: impl Fn(u64) -> Scenario,
    many: u64,
    happened: &[&str],
) -> BTreeMap<&'static str, u64> {
    let mut total = BTreeMap::new();
    for seed in seeds(number("ARCO_SIM_SEEDS").unwrap_or(many)) {
        let outcome = run(scenario(seed));
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
        for what in happened {
            assert!(
                total.get(what).is_some_and(|n| *n > 0),
                "no {what}: nothing was tested"
            );
        }
    }
    total
}

#[test]
fn what_must_hold_holds_whatever_the_weather() {
    let happened = [
        "runs acknowledged",
        "limits set",
        "deadlines kept",
        "hosts fenced",
        "replicas killed",
        "clocks set",
        "timers fired",
        "ticks",
        "tries of ticks",
        "evaluations",
        "messages",
        "messages sent again",
    ];
    holds(Scenario::new, SEEDS, &happened);
}

#[test]
fn three_days_without_power_are_caught_up_with_or_told_missed() {
    let happened = [
        "replicas killed",
        "series of missed ticks",
        "evaluations",
        "messages",
    ];
    let total = holds(Scenario::with_outage, OUTAGE_SEEDS, &happened);
    if number("ARCO_SEED").is_none() {
        // Of each of two schedules that catch up with all; the judge says that none is left out.
        let outages = total["outages"];
        assert!(total["ticks"] >= outages * 2 * 72, "{total:?}");
        assert!(total["series of missed ticks"] >= outages * 2, "{total:?}");
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
    found_in(Scenario::new, planted, what);
}

fn found_in(scenario: impl Fn(u64) -> Scenario, planted: Planted, what: &str) {
    for seed in 1..=PLANTED_SEEDS {
        let outcome = run(Scenario {
            planted,
            ..scenario(seed)
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
fn a_clock_of_the_future_that_is_believed_is_found() {
    found(Planted::ClocksAreBelieved, "is of the future");
}

#[test]
fn a_schedule_that_does_not_catch_up_is_found() {
    let planted = Planted::CatchesUpWithLittle;
    found_in(Scenario::with_outage, planted, "are to be caught up with");
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
