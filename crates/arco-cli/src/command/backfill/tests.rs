use arco_wire::api::{Backfill, BackfillPreview};
use clap::{CommandFactory, Parser};
use serde_json::json;

use super::{create, list, show};
use crate::args::Arguments;
use crate::client::Rows;
use crate::render::Paint;

const ID: &str = "backfill_01JD5Z6Q8G7V9K3W2M4N5P6R7S";

fn backfill() -> Backfill {
    serde_json::from_value(json!({
        "id": ID, "status": "failed", "state_version": 2, "reason": "2 partitions failed",
        "selection": "a+", "assets": ["a", "b"], "assets_count": 2,
        "partitions": "2026-01-01...2026-01-31", "title": "January", "concurrency": 50,
        "priority": 0, "order": "oldest", "runs_per_minute": 60,
        "progress": {"partitions": 31, "succeeded": 28, "failed": 2, "skipped": 0, "remaining": 1,
            "runs": 31, "runs_requested": 30, "runs_active": 0, "per_minute": 12.25},
        "left_out": [{"asset": "b", "partitions": 2, "first": "2026-01-01", "parent": "a", "lacks": "2025-12-31"}],
        "created_by": "client:test", "created": "2026-02-01T00:00:00.000Z"
    }))
    .unwrap()
}

#[test]
fn a_backfill_is_shown_with_how_far_it_is_and_what_is_left_out() {
    let shown = show::render(&backfill(), Paint::new(false));
    insta::assert_snapshot!(shown);
}

#[test]
fn what_people_said_of_a_backfill_is_shown_on_lines_of_its_own() {
    let mut said = backfill();
    said.title = Some("two\nlines".into());
    said.description = Some("why\tso".into());
    said.tags = [
        ("a".to_owned(), "1".to_owned()),
        ("team".into(), "core".into()),
    ]
    .into();
    said.runs_per_minute = Some(1);
    let shown = show::render(&said, Paint::new(false));
    for line in [
        "title         two lines",
        "description   why so",
        "tags          a=1, team=core",
        "goes on       50 at once, priority 0, oldest first, 1 run a minute",
    ] {
        assert!(shown.lines().any(|shown| shown == line), "{line}\n{shown}");
    }
}

#[test]
fn a_list_that_goes_on_says_so() {
    let rows = |n: usize, is_cut| Rows {
        items: vec![(); n],
        is_cut,
    };
    assert_eq!(rows(50, false).rest("chunk"), None);
    assert_eq!(
        rows(50, true).rest("chunk").as_deref(),
        Some("the first 50 chunks are shown; --limit N shows up to N")
    );
    assert_eq!(
        rows(1, true).rest("chunk").as_deref(),
        Some("the first chunk is shown; --limit N shows up to N")
    );
}

#[test]
fn the_help_of_plan_begins_with_what_plan_does() {
    let arco = Arguments::command();
    let backfill = arco.find_subcommand("backfill").expect("a command");
    for (name, begins) in [("plan", "Show what"), ("create", "Make many")] {
        let command = backfill.find_subcommand(name).expect("a command");
        let about = command.get_about().expect("what it does").to_string();
        assert!(about.starts_with(begins), "{about}");
        assert!(command.get_long_about().is_none(), "{name}");
    }
}

#[test]
fn keys_of_a_dimension_say_what_they_look_like() {
    for bad in ["region", "=eu", "region="] {
        let line = ["arco", "backfill", "plan", "a", "--dimension", bad];
        let refused = Arguments::try_parse_from(line)
            .expect_err("refused")
            .to_string();
        assert!(
            refused.contains("the keys of a dimension look like `region=eu,us`"),
            "{refused}"
        );
    }
}

#[test]
fn backfills_are_listed_one_a_line() {
    insta::assert_snapshot!(list::render(&[backfill()], Paint::new(false)));
}

#[test]
fn a_preview_counts_runs_and_rounds() {
    let preview: BackfillPreview = serde_json::from_value(json!({
        "partitions": 33, "materializations": 64, "runs": 32, "rounds": 2,
        "units": [
            {"assets": ["a", "b"], "partitions": 31, "first": "2026-01-01", "last": "2026-01-31",
             "partitions_per_run": 1, "runs": 31, "needs": []},
            {"assets": ["m"], "partitions": 2, "first": "2026-01-01", "last": "2026-02-01",
             "partitions_per_run": 2, "runs": 1, "needs": [0]}
        ],
        "first_rounds": [{"runs": 31, "partitions": 31, "units": [0]}, {"runs": 1, "partitions": 2, "units": [1]}]
    }))
    .unwrap();
    insta::assert_snapshot!(create::render(&preview, Paint::new(false)));
}
