use std::collections::BTreeMap;

use arco_core::RunId;
use arco_wire::worker::{Isolation, StepKind};

use super::*;

fn lease(task: u32) -> Lease {
    let run = RunId::from_parts(0, 1);
    Lease {
        attempt: AttemptId {
            run,
            task,
            number: 1,
        },
        run,
        task,
        number: 1,
        retry_number: 0,
        step: "step".into(),
        kind: StepKind::Asset,
        outputs: Vec::new(),
        checks: Vec::new(),
        partitions: None,
        inputs: Vec::new(),
        op_inputs: Vec::new(),
        mapping_key: None,
        config: serde_json::Value::Null,
        tags: BTreeMap::new(),
        isolation: Isolation::Reuse,
        timeout_ms: None,
        memory_limit_bytes: None,
        token: String::new(),
        time: 0,
    }
}

#[test]
fn a_lease_gets_in_once_even_after_its_end() {
    let now = Boottime::now();
    let mut hands = Hands::default();
    assert!(hands.take(lease(1)));
    assert!(!hands.take(lease(1)));
    hands.begin(0, 5, now);
    assert!(!hands.take(lease(1)));
    assert_eq!(hands.end(5, now), Some(lease(1).attempt));
    assert!(!hands.take(lease(1)));
    assert!(hands.is_empty());
}

#[test]
fn what_was_put_down_may_come_again() {
    let mut hands = Hands::default();
    hands.take(lease(1));
    hands.take(lease(2));
    assert!(hands.put_down(lease(1).attempt));
    assert!(!hands.put_down(lease(1).attempt));
    assert_eq!(hands.put_down_all(), [lease(2).attempt]);
    assert!(hands.take(lease(1)) && hands.take(lease(2)));
}

#[test]
fn what_was_let_go_does_not_come_back() {
    let now = Boottime::now();
    let mut hands = Hands::default();
    hands.take(lease(1));
    hands.begin(0, 5, now);
    assert_eq!(hands.let_go(), [lease(1).attempt]);
    assert_eq!(hands.end(5, now), None);
    assert!(!hands.take(lease(1)));
}

#[test]
fn memory_of_the_ended_is_bounded() {
    let now = Boottime::now();
    let mut hands = Hands::default();
    for task in 0..=u32::try_from(ENDED_MAX).unwrap() {
        hands.take(lease(task));
        hands.begin(0, 5, now);
        hands.end(5, now);
    }
    assert!(hands.take(lease(0)), "the oldest is forgotten");
    assert!(!hands.take(lease(1)));
}
