use arco_core::RunId;
use arco_wire::worker::Outcome;

use super::*;

fn attempt(task: u32) -> AttemptId {
    AttemptId {
        run: RunId::from_parts(0, 1),
        task,
        number: 1,
    }
}

fn ended() -> Fact {
    Fact::Finished {
        outcome: Outcome::Succeeded,
    }
}

/// Tasks of the reports, in order.
fn tasks(exchange: &Exchange) -> Vec<u32> {
    exchange
        .reports
        .iter()
        .map(|report| report.attempt.task)
        .collect()
}

#[test]
fn a_beginning_lingers_and_an_end_goes_at_once_unless_more_work_waits() {
    let now = Boottime::now();
    let mut outbox = Outbox::default();
    assert_eq!(outbox.due(false), None);
    outbox.push(attempt(1), Fact::Started, now);
    assert_eq!(outbox.due(false), Some(now.plus_ms(25)));
    outbox.push(attempt(1), ended(), now.plus_ms(1));
    assert_eq!(outbox.due(false), Some(now));
    assert_eq!(outbox.due(true), Some(now.plus_ms(2)));
    outbox.next(0, 0, Vec::new());
    assert_eq!(outbox.due(false), None);
}

#[test]
fn an_unanswered_call_is_kept_as_it_was_and_counts_as_undelivered() {
    let now = Boottime::now();
    let mut outbox = Outbox::default();
    outbox.push(attempt(1), ended(), now);
    let sent = serde_json::to_value(outbox.next(2, 0, vec![])).unwrap();
    outbox.push(attempt(2), ended(), now);
    outbox.drop_wish();
    assert_eq!(
        serde_json::to_value(outbox.unanswered().unwrap()).unwrap(),
        sent
    );
    assert_eq!(
        outbox.undelivered().into_iter().collect::<Vec<_>>(),
        [attempt(1), attempt(2)]
    );
    outbox.answered();
    let next = outbox.next(2, 0, vec![]);
    assert_eq!((next.seq, tasks(next)), (2, vec![2]));
}

#[test]
fn a_call_that_only_asked_is_not_repeated() {
    let mut outbox = Outbox::default();
    outbox.next(2, 10_000, vec![]);
    outbox.drop_wish();
    assert!(outbox.is_empty());
    assert_eq!(outbox.next(2, 10_000, vec![]).seq, 2);
}

#[test]
fn what_does_not_fit_into_a_call_stays_alive() {
    let now = Boottime::now();
    let mut outbox = Outbox::default();
    for task in 0..=u32::try_from(REPORTS_MAX).unwrap() {
        outbox.push(attempt(task), ended(), now);
    }
    let last = attempt(u32::try_from(REPORTS_MAX).unwrap());
    let first = outbox.next(0, 0, vec![]);
    assert_eq!(
        (first.reports.len(), &first.live[..]),
        (REPORTS_MAX, &[last][..])
    );
    assert_eq!(outbox.due(false), Some(now));
}

#[test]
fn a_refused_call_is_split_until_the_culprit_is_alone() {
    let now = Boottime::now();
    let mut outbox = Outbox::default();
    for task in [1, 2, 1] {
        outbox.push(attempt(task), Fact::Started, now);
    }
    outbox.next(2, 0, vec![attempt(7)]);
    assert_eq!(outbox.split(now), None);
    let alone = outbox.unanswered().unwrap();
    assert_eq!(tasks(alone), [1, 1]);
    assert_eq!(alone.live, [attempt(7), attempt(2)]);
    outbox.answered();
    outbox.next(2, 0, vec![]);
    assert_eq!(outbox.split(now), Some(attempt(2)));
    assert!(outbox.is_empty());
}

#[test]
fn facts_of_an_attempt_that_is_not_ours_are_forgotten() {
    let now = Boottime::now();
    let mut outbox = Outbox::default();
    outbox.push(attempt(1), ended(), now);
    outbox.forget(attempt(1));
    assert_eq!((outbox.is_empty(), outbox.due(false)), (true, None));
}
