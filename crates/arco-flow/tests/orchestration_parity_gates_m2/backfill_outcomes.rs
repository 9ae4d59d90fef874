//! What becomes of each partition and asset of a backfill: what counts as made, what reads it, and what a retry
//! makes (ADR 0020).

use std::collections::BTreeMap;

use arco_core::backfill::BackfillStatus;
use arco_core::event::{FailureClass, Severity};
use arco_core::{AttemptId, BackfillId};
use arco_flow::backfill;

use crate::backfills::{self, Ask, status};
use crate::command::Reported;
use crate::gates::life::step_of;
use crate::testing::{World, failed, judged, made};
use crate::{JANUARY, day_of};

/// What a body does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Does {
    /// It makes what it is to make, and judges well.
    Well,
    /// It returns without its asset.
    Nothing,
    /// It judges badly.
    Judges,
    /// It raises.
    Raises,
}

/// A story of six days.
struct Story {
    definitions: &'static str,
    assets: &'static str,
    /// The step of which a body does something else, the days on which it does, and what.
    body: (&'static str, &'static [u32], Does),
    /// (done, failed, left unmade) partitions.
    tally: (u64, u64, u64),
    /// Days on which the body of `r` was called.
    called: &'static [u32],
    /// What a retry makes: each asset and its days.
    retried: &'static [(&'static str, &'static [u32])],
}

const ALL: &[u32] = &[1, 2, 3, 4, 5, 6];

/// `r` reads `a`, and runs of its own make it.
const STORIES: &[Story] = &[
    // A check of all partitions at once speaks for each of the run it is in, and for what goes together.
    Story {
        definitions: "a daily; b daily; check a.ok blocking <- a; r daily chunks=4 <- a",
        assets: "a b r",
        body: ("a__ok", ALL, Does::Judges),
        tally: (0, 6, 0),
        called: &[],
        retried: &[("a", ALL), ("b", ALL), ("r", ALL)],
    },
    Story {
        definitions: "a daily; b daily; check a.ok <- a; r daily chunks=4 <- a",
        assets: "a b r",
        body: ("a__ok", ALL, Does::Raises),
        tally: (0, 6, 0),
        called: &[],
        retried: &[("a", ALL), ("b", ALL), ("r", ALL)],
    },
    // A check that was brought down by the asset it judges says nothing of what goes together with that.
    Story {
        definitions: "a daily; b daily; check b.ok daily blocking <- b; r daily chunks=4 <- a",
        assets: "a b r",
        body: ("b", &[3], Does::Raises),
        tally: (11, 1, 0),
        called: ALL,
        retried: &[("b", &[3])],
    },
    // What may be left unmade was left where it was, and made where it was made; what reads it has nothing to
    // read, and nothing to do again.
    Story {
        definitions: "a daily optional; r daily chunks=4 <- a",
        assets: "a r",
        body: ("a", &[4], Does::Nothing),
        tally: (10, 0, 1),
        called: &[1, 2, 3, 5, 6],
        retried: &[],
    },
];

fn says(world: &World, attempt: AttemptId, does: Does) -> Vec<Reported> {
    let run = world.state_of(attempt.run);
    let planned = &run.plan.tasks[attempt.task as usize];
    let definitions = world.state.pinned(run, &planned.location).unwrap();
    let step = definitions.step(&planned.step).unwrap();
    let mut said = vec![Reported::Started];
    match does {
        Does::Raises => {
            said.push(failed(FailureClass::UserCode));
            return said;
        }
        Does::Nothing => {}
        Does::Well | Does::Judges => {
            let outputs = planned.outputs(step).iter();
            said.extend(outputs.map(|asset| made(asset.as_str())));
            let verdict = does == Does::Well;
            let checks = step.checks.iter();
            said.extend(
                checks
                    .map(|(asset, check)| judged(asset.as_str(), check, verdict, Severity::Error)),
            );
        }
    }
    said.push(Reported::Succeeded);
    said
}

/// Carries a backfill out; the days on which each step's body was called, in order.
fn carry_out(
    world: &mut World,
    id: BackfillId,
    does: impl Fn(&str, u32) -> Does,
) -> BTreeMap<String, Vec<u32>> {
    let mut called: BTreeMap<String, Vec<u32>> = BTreeMap::new();
    for _ in 0..100 {
        if status(world, id).is_terminal() {
            return called;
        }
        backfills::advance(world, id);
        for attempt in world.lease(10) {
            let step = step_of(world, attempt);
            // What judges all at once has no day, and does as on the first.
            let day = day_of(world, attempt).unwrap_or(1);
            let said = says(world, attempt, does(&step, day));
            assert!(world.report(attempt, said).is_empty(), "it is held");
            called.entry(step).or_default().push(day);
        }
    }
    panic!("it does not end: {:?}", backfills::of(world, id).progress);
}

fn six_days(assets: &str) -> Ask {
    Ask {
        assets: assets.into(),
        keys: vec!["2026-01-01...2026-01-06".into()],
        ..Ask::default()
    }
}

#[test]
fn what_counts_as_made_is_what_was_made_and_not_judged_badly() {
    for story in STORIES {
        let about = story.definitions;
        let mut world = World::new(about);
        let id = backfills::create(&mut world, &six_days(story.assets));
        let (step, days, other) = story.body;
        let mut called = carry_out(&mut world, id, |of, day| match of == step {
            true if days.contains(&day) => other,
            _ => Does::Well,
        });
        let mut of_r = called.remove("r").unwrap_or_default();
        of_r.sort_unstable();
        assert_eq!(of_r, story.called, "{about}");
        let backfill = backfills::of(&world, id);
        let tally = backfill.progress.tally();
        let told = (tally.done, tally.failed, tally.skipped);
        assert_eq!(told, story.tally, "{about}");
        let expected = match story.tally.1 {
            0 => BackfillStatus::Succeeded,
            _ => BackfillStatus::Failed,
        };
        assert_eq!(backfill.status, expected, "{about}");
        let (_, only) = backfill::undone(&world.state, backfill);
        let undone: Vec<(&str, Vec<u32>)> = only
            .iter()
            .map(|(asset, days)| {
                let days = days.iter().map(|day| u32::try_from(day).unwrap() + 1);
                (asset.as_str(), days.collect())
            })
            .collect();
        let expected: Vec<(&str, Vec<u32>)> = story
            .retried
            .iter()
            .map(|(asset, days)| (*asset, days.to_vec()))
            .collect();
        assert_eq!(undone, expected, "{about}");
        assert_eq!(world.replayed().hash(), world.state.hash());
    }
}

/// An asset that reads the past of one that is made at once with it: day after day, though nothing else waits.
#[test]
fn what_reads_the_past_of_what_is_made_with_it_goes_day_after_day() {
    for chunks in ["", "chunks=4"] {
        let mut world = World::new(&format!(
            "m daily by=both {chunks}; n daily by=both {chunks} <- yesterday(m)"
        ));
        let all = Ask {
            assets: "m n".into(),
            ..Ask::default()
        };
        let id = backfills::create(&mut world, &all);
        let called = carry_out(&mut world, id, |_, _| Does::Well);
        let january: Vec<u32> = (1..=JANUARY).collect();
        assert_eq!(called["both"], january, "{chunks}");
        assert_eq!(status(&world, id), BackfillStatus::Succeeded);
        // A day that fails holds up those after it.
        let id = backfills::create(&mut world, &all);
        let called = carry_out(&mut world, id, |_, day| match day {
            4 => Does::Raises,
            _ => Does::Well,
        });
        assert_eq!(called["both"], [1, 2, 3, 4], "{chunks}");
    }
}
