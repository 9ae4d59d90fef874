//! The shapes that are easy to get wrong by hand.

use arco_core::Timestamp;
use arco_core::event::Position;
use serde_json::json;

use super::{CreateRun, LogPosition, PartitionsWanted, SelectionText, Time};

#[test]
fn positions_read_what_they_write() {
    let position = LogPosition(Position {
        segment: 1207,
        index: 3,
    });
    assert_eq!(position.to_string(), "1207.3");
    assert_eq!("1207.3".parse(), Ok(position));
    for bad in ["", "1207", "1207.", ".3", "-1.3", "+1.3", "1.2.3", "a.b"] {
        assert!(bad.parse::<LogPosition>().is_err(), "{bad}");
    }
}

#[test]
fn positions_order_by_number_not_by_text() {
    let low: LogPosition = "9.2".parse().unwrap();
    let high: LogPosition = "10.1".parse().unwrap();
    assert!(low < high);
    assert!(low < low.next());
}

#[test]
fn times_are_rfc_3339() {
    let time = Time(Timestamp(1_767_225_600_000));
    let text = serde_json::to_value(time).unwrap();
    assert_eq!(text, json!("2026-01-01T00:00:00.000Z"));
    assert_eq!(serde_json::from_value::<Time>(text).unwrap(), time);
}

#[test]
fn a_run_is_asked_for_with_a_selection_or_several() {
    let one: CreateRun = serde_json::from_value(json!({"selection": "a or b"})).unwrap();
    assert_eq!(one.selection, SelectionText::One("a or b".into()));
    let many: CreateRun =
        serde_json::from_value(json!({"selection": ["a", "b"], "partitions": "all"})).unwrap();
    assert_eq!(many.selection.into_list(), ["a", "b"]);
    assert_eq!(many.partitions, Some(PartitionsWanted::All));
    let keys: CreateRun = serde_json::from_value(
        json!({"selection": "a", "partitions": {"keys": ["2026-01-01...2026-01-31"]}}),
    )
    .unwrap();
    assert_eq!(
        keys.partitions,
        Some(PartitionsWanted::Keys(vec![
            "2026-01-01...2026-01-31".into()
        ]))
    );
}

#[test]
fn a_misspelt_field_is_refused() {
    let error = serde_json::from_value::<CreateRun>(json!({"selection": "a", "partition": "x"}))
        .expect_err("`partition` is not a field");
    assert!(
        error.to_string().contains("unknown field `partition`"),
        "{error}"
    );
}

#[test]
fn absent_fields_are_left_out() {
    let run = CreateRun {
        selection: SelectionText::One("a".into()),
        ..CreateRun::default()
    };
    assert_eq!(
        serde_json::to_value(run).unwrap(),
        json!({"selection": "a", "priority": 0})
    );
}
