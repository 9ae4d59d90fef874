use arco_wire::evaluation::{Ask, EvaluationAnswer, EvaluationQuestion, Said};
use serde_json::json;

use super::{EVALUATORS_MAX, Evaluating, has_functions};

fn question(id: &str) -> EvaluationQuestion {
    EvaluationQuestion {
        id: id.into(),
        timeout_ms: 1_000,
        ask: Ask::Schedule {
            name: "s".into(),
            instant: "2026-01-01T00:00:00Z".into(),
        },
    }
}

fn said(evaluating: &Evaluating) -> Vec<(&str, bool)> {
    let answers = evaluating.answers.iter();
    answers
        .map(|answer| (answer.id.as_str(), matches!(answer.said, Said::NotAsked)))
        .collect()
}

fn answer(id: &str) -> Option<Box<EvaluationAnswer>> {
    Some(Box::new(EvaluationAnswer {
        said: Said::Returned(arco_wire::evaluation::Wanted::default()),
        ..super::not_asked(id.into())
    }))
}

/// `a` and `b` are with children 1 and 2, `c` waits.
fn under_way() -> Evaluating {
    let mut evaluating = Evaluating::default();
    evaluating.running.insert(1, "a".into());
    evaluating.running.insert(2, "b".into());
    evaluating.take(question("c"));
    evaluating
}

#[test]
fn a_question_is_taken_once() {
    let mut evaluating = under_way();
    for id in ["a", "b", "c"] {
        evaluating.take(question(id));
    }
    assert_eq!(evaluating.busy(), ["a", "b", "c"]);
    assert_eq!(evaluating.room(), EVALUATORS_MAX - 3);
    evaluating.answered(1, answer("a"));
    evaluating.take(question("a"));
    assert_eq!(evaluating.busy(), ["b", "c"]);
}

#[test]
fn new_code_gives_back_what_was_not_begun() {
    let mut evaluating = under_way();
    evaluating.not_asked();
    assert_eq!(said(&evaluating), [("c", true)]);
    evaluating.answered(2, answer("b"));
    assert_eq!(said(&evaluating), [("c", true), ("b", false)]);
    assert!(!evaluating.is_delivered());
}

#[test]
fn a_stop_gives_back_everything_and_late_answers_do_not_count() {
    let mut evaluating = under_way();
    assert_eq!(evaluating.stop(), [1, 2]);
    evaluating.answered(1, answer("a"));
    assert_eq!(said(&evaluating), [("c", true), ("a", true), ("b", true)]);
}

#[test]
fn what_was_killed_with_its_lease_says_nothing() {
    let mut evaluating = under_way();
    evaluating.let_go();
    evaluating.answered(1, answer("a"));
    assert!(evaluating.busy().is_empty() && evaluating.is_delivered());
}

#[test]
fn what_nobody_waits_for_is_dropped() {
    let mut evaluating = under_way();
    assert_eq!(evaluating.drop_one("c"), None);
    assert_eq!(evaluating.drop_one("b"), Some(2));
    assert_eq!(evaluating.drop_one("z"), None);
    assert_eq!(evaluating.busy(), ["a"]);
}

#[test]
fn only_code_with_functions_is_asked_about() {
    for (manifest, asked) in [
        (json!({}), false),
        (json!({"sensors": [], "schedules": [{"name": "s"}]}), false),
        (json!({"sensors": [{"name": "s"}]}), true),
        (json!({"schedules": [{}, {"function": true}]}), true),
    ] {
        assert_eq!(has_functions(&manifest), asked, "{manifest}");
    }
}
