//! Rules of backfills, one at a time.

use std::collections::BTreeSet;

use arco_core::backfill::{BackfillSettings, BackfillStatus};
use arco_core::event::Severity;

use crate::backfill_stories::{ask, to_the_end};
use crate::backfills::{self, Ask};
use crate::command::{BackfillSteer, Command, Reported, SettingsEdit, Steer};
use crate::days_of;
use crate::gates::life::step_of;
use crate::testing::{World, made};

#[test]
fn a_request_for_a_backfill_under_one_key_is_one_backfill() {
    let mut world = World::new("a daily");
    let mut asked = ask(0, 3, None);
    asked.assets = "a".into();
    asked.key = Some("nightly".into());
    let first = backfills::request(&mut world, &asked).unwrap();
    let again = backfills::request(&mut world, &asked).unwrap();
    assert_ne!(first.backfill, again.backfill);
    assert_eq!(
        backfills::send(&mut world, &first).unwrap(),
        (first.backfill, true)
    );
    assert_eq!(
        backfills::send(&mut world, &again).unwrap(),
        (first.backfill, false)
    );
    asked.per_run = Some(2);
    let other = backfills::request(&mut world, &asked).unwrap();
    let refused = backfills::send(&mut world, &other).unwrap_err();
    assert_eq!(refused.code(), "idempotency_conflict");
}

#[test]
fn a_failed_blocking_check_is_never_shown_as_success() {
    let mut world = World::new("a daily; check a.ok blocking <- a; m monthly <- a");
    let id = backfills::create(
        &mut world,
        &Ask {
            assets: "a m".into(),
            ..Ask::default()
        },
    );
    for _ in 0..40 {
        backfills::advance(&mut world, id);
        for attempt in world.lease(10) {
            let step = step_of(&world, attempt);
            let said = match step.as_str() {
                "a__ok" => vec![
                    crate::testing::judged("a", "ok", false, Severity::Error),
                    Reported::Succeeded,
                ],
                step => vec![made(step), Reported::Succeeded],
            };
            world.report(attempt, said);
        }
    }
    let backfill = backfills::of(&world, id);
    assert_eq!(backfill.status, BackfillStatus::Failed);
    let tally = backfill.progress.tally();
    assert_eq!(
        (tally.done, tally.failed),
        (0, 31),
        "made, and judged bad; m was not tried"
    );
    assert_eq!(
        backfill.reason.as_deref(),
        Some("31 partitions failed, 1 was not tried because of what failed")
    );
}

#[test]
fn a_throttled_backfill_begins_so_many_runs_a_minute() {
    let mut world = World::new("a daily");
    let settings = BackfillSettings {
        runs_per_minute: Some(6),
        ..BackfillSettings::default()
    };
    let id = backfills::create(
        &mut world,
        &Ask {
            assets: "a".into(),
            settings,
            ..Ask::default()
        },
    );
    let mut begun = Vec::new();
    for _ in 0..30 {
        backfills::advance(&mut world, id);
        begun.push(backfills::asked_for(&world, id).len());
        world.now = world.now.plus_ms(1_000);
    }
    assert_eq!((begun[0], begun[9], begun[10], begun[29]), (1, 1, 2, 3));
}

#[test]
fn what_is_no_setting_or_no_state_is_refused_with_the_mend() {
    let mut world = World::new("a daily");
    let id = backfills::create(
        &mut world,
        &Ask {
            assets: "a".into(),
            ..Ask::default()
        },
    );
    let none = SettingsEdit {
        concurrency: Some(0),
        ..SettingsEdit::default()
    };
    assert_eq!(
        backfills::edit(&mut world, id, none).unwrap_err().code(),
        "bad_backfill"
    );
    let seen = BackfillSteer {
        backfill: id,
        state_version: Some(7),
        to: Steer::Pause,
    };
    let refused = world
        .run_command(&Command::SteerBackfill(seen))
        .unwrap_err();
    assert_eq!(refused.code(), "backfill_moved");
    to_the_end(&mut world, id, &BTreeSet::new());
    let refused = backfills::steer(&mut world, id, Steer::Pause).unwrap_err();
    assert_eq!(
        refused.to_string(),
        format!(
            "backfill {id} is succeeded, so it cannot be paused; `arco backfill retry-failed {id}` makes what it left undone"
        )
    );
    assert!(
        backfills::retry_request(&mut world, id).is_none(),
        "nothing was left undone"
    );
}

/// B-20, better: what is gone from the definitions is named, and the rest goes on.
#[test]
fn partitions_that_go_while_it_goes_on_fail_by_name() {
    let mut world = World::new("a daily");
    let mut asked = Ask {
        assets: "a".into(),
        keys: vec!["2026-01-01...2026-01-04".into()],
        ..Ask::default()
    };
    asked.settings.concurrency = 1;
    let id = backfills::create(&mut world, &asked);
    let mut later = crate::testing::manifest("a daily");
    later["assets"][0]["partitions"]["start"] = serde_json::json!("2026-01-03T00:00:00");
    world.deploy(&later).unwrap();
    to_the_end(&mut world, id, &BTreeSet::new());
    let backfill = backfills::of(&world, id);
    assert_eq!(backfill.status, BackfillStatus::Failed);
    let tally = backfill.progress.tally();
    assert_eq!((tally.done, tally.failed), (2, 2));
    assert!(
        backfill.dropped[0].1.contains("2026-01-01"),
        "{:?}",
        backfill.dropped
    );
    assert_eq!(days_of(&world.state, "a").made, BTreeSet::from([3, 4]));
}
