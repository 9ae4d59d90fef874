use super::{Case, PeerCase, Row, Unit};

fn case(value: f64, unit: Unit, target: f64) -> Case {
    Case {
        id: "steps/deep/reuse/per_task",
        value,
        unit,
        target: Some(target),
    }
}

fn peer(id: &'static str) -> PeerCase {
    PeerCase {
        id,
        system: "dagster 1.13.27".into(),
        value: 159.0,
    }
}

fn row(case: Case, peers: Vec<PeerCase>) -> Row {
    Row::join("steps", vec![case], peers).remove(0)
}

#[test]
fn json_line_has_four_fields_and_the_peer_a_line_of_its_own() {
    let ours = r#"{"bench":"steps","case":"steps/deep/reuse/per_task","unit":"ms","value":1.235}"#;
    let alone = row(case(1.23456, Unit::Milliseconds, 2.0), vec![]);
    assert_eq!(alone.json(), ours);
    let beside = row(
        case(1.23456, Unit::Milliseconds, 2.0),
        vec![peer("steps/deep/reuse/per_task")],
    );
    let mut lines = beside.json().lines().map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(lines.remove(0), ours);
    assert!(
        lines[0].contains(r#""system":"dagster 1.13.27""#),
        "{}",
        lines[0]
    );
}

#[test]
fn a_figure_of_another_case_is_not_put_beside() {
    let row = row(
        case(1.0, Unit::Milliseconds, 2.0),
        vec![peer("steps/wide/reuse/per_task")],
    );
    assert_eq!(row.peer, None);
}

#[test]
fn a_missed_target_is_said_in_the_right_direction() {
    for (value, unit, target, missed) in [
        (1.0, Unit::Milliseconds, 2.0, false),
        (3.0, Unit::Milliseconds, 2.0, true),
        (61.0, Unit::Megabytes, 60.0, true),
        (300.0, Unit::RunsPerSecond, 200.0, false),
        (100.0, Unit::RunsPerSecond, 200.0, true),
    ] {
        let text = row(case(value, unit, target), vec![]).text(false);
        assert_eq!(text.contains("MISSED"), missed, "{text}");
    }
}
