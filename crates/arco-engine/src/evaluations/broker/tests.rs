use std::collections::BTreeSet;
use std::time::Duration;

use arco_core::event::TickId;
use arco_core::{Digest, HostId, Timestamp};
use arco_flow::schedule::TickQuestion;

use super::{Broker, GRACE, Given, IDLE_WRITTEN, NOT_ASKED, NOT_DECIDED, Question, Subject};

const NOW: Duration = Duration::from_secs(1_000);

fn subject() -> Subject {
    Subject::Schedule("s".into())
}

fn host(n: u128) -> HostId {
    HostId::from_parts(0, n)
}

fn question() -> Question {
    Question::Tick(TickQuestion {
        tick: TickId {
            schedule: "s".into(),
            instant: Timestamp(0),
        },
        location: "main".into(),
        version: Digest::of(b"s"),
        judged: Timestamp(0),
        attempt: 1,
        timeout_ms: 60_000,
    })
}

/// A broker that has given its one subject to a host; the question.
fn given(broker: &mut Broker, to: HostId) -> String {
    broker.enter(1);
    assert!(broker.ask(subject(), "main", NOW));
    assert!(!broker.ask(subject(), "main", NOW), "it waits already");
    assert_eq!(broker.next_waiting("other"), None);
    let subject = broker.next_waiting("main").expect("it waits");
    broker.give(Given {
        subject,
        question: question(),
        host: to,
        at: NOW,
        started: Timestamp(0),
        epoch: broker.epoch(),
    })
}

#[test]
fn a_subject_is_in_one_place_at_a_time() {
    let mut broker = Broker::default();
    let id = given(&mut broker, host(1));
    assert!(!broker.ask(subject(), "main", NOW), "a host has it");
    assert_eq!(
        broker.under_way(&subject()).and_then(|at| at.host),
        Some(host(1))
    );
    assert!(
        broker.answered(host(2), &id).is_none(),
        "it is another host's"
    );
    let answered = broker.answered(host(1), &id).expect("its host answers");
    assert!(
        broker.answered(host(1), &id).is_none(),
        "an answer counts once"
    );
    assert!(!broker.ask(subject(), "main", NOW), "it is being decided");
    broker.free(&answered.subject);
    assert!(broker.ask(subject(), "main", NOW));
}

#[test]
fn what_an_earlier_call_gave_and_the_host_does_not_have_is_asked_again() {
    let mut broker = Broker::default();
    let id = given(&mut broker, host(1));
    let first = broker.begin_call(host(1), &BTreeSet::from([id.as_str()]));
    assert!(broker.is_given(&id));
    broker.begin_call(host(2), &BTreeSet::new());
    assert!(
        broker.is_given(&id),
        "another host's calls say nothing of it"
    );
    broker.begin_call(host(1), &BTreeSet::new());
    assert!(!broker.is_latest(host(1), first));
    assert!(!broker.is_given(&id));
    assert!(broker.ask(subject(), "main", NOW));
}

#[test]
fn what_is_with_a_lost_host_or_overdue_is_asked_again() {
    let mut broker = Broker::default();
    given(&mut broker, host(1));
    let overdue = NOW + Duration::from_secs(120) + GRACE;
    assert_eq!(broker.next_deadline(), Some(overdue));
    assert_eq!(
        broker.expire(overdue - Duration::from_millis(1), |_| true),
        0
    );
    assert_eq!(broker.expire(overdue, |_| true), 1);
    given(&mut broker, host(1));
    assert_eq!(broker.expire(NOW, |other| other != host(1)), 1);
    assert!(broker.ask(subject(), "main", NOW));
}

#[test]
fn what_no_host_wanted_waits_a_moment() {
    let mut broker = Broker::default();
    let id = given(&mut broker, host(1));
    let given = broker.answered(host(1), &id).expect("it answers");
    broker.return_subject(given, Some(NOW));
    assert!(!broker.ask(subject(), "main", NOW));
    assert_eq!(broker.next_deadline(), Some(NOW + NOT_ASKED));
    assert!(broker.ask(subject(), "main", NOW + NOT_ASKED));
}

#[test]
fn a_pause_that_is_over_wakes_nobody_though_its_subject_is_never_due_again() {
    let mut broker = Broker::default();
    let id = given(&mut broker, host(1));
    broker.take_back(&id, Some(NOW));
    let over = NOW + NOT_ASKED;
    broker.expire(over - Duration::from_millis(1), |_| true);
    assert_eq!(broker.next_deadline(), Some(over));
    broker.expire(over, |_| true);
    assert_eq!(broker.next_deadline(), None);
}

#[test]
fn what_could_not_be_decided_waits_before_user_code_runs_again() {
    let mut broker = Broker::default();
    let id = given(&mut broker, host(1));
    let answered = broker.answered(host(1), &id).expect("it answers");
    broker.settled(&answered, Some(NOW));
    assert_eq!(broker.under_way(&subject()), None);
    let again = NOW + NOT_DECIDED;
    assert!(!broker.ask(subject(), "main", again - Duration::from_millis(1)));
    assert_eq!(broker.next_deadline(), Some(again));
    assert!(broker.ask(subject(), "main", again));
    // What was decided may be due again at once.
    let subject = broker.next_waiting("main").expect("it waits");
    let answered = Given {
        subject,
        ..answered
    };
    broker.settled(&answered, None);
    assert!(broker.ask(answered.subject.clone(), "main", again));
    // Another leadership asks for itself.
    broker.enter(2);
    assert!(broker.ask(answered.subject.clone(), "main", again));
    broker.settled(&answered, Some(again));
    assert!(broker.under_way(&answered.subject).is_some());
}

#[test]
fn another_leadership_knows_nothing_of_this_one() {
    let mut broker = Broker::default();
    let id = given(&mut broker, host(1));
    broker.idle("x", 1, Timestamp(5), None, NOW);
    assert!(!broker.enter(1));
    assert!(broker.enter(2));
    assert!(broker.answered(host(1), &id).is_none());
    assert_eq!(broker.looked("x", 1), None);
    assert_ne!(given_again(&mut broker), id);
}

fn given_again(broker: &mut Broker) -> String {
    broker.ask(subject(), "main", NOW);
    let subject = broker.next_waiting("main").expect("it waits");
    broker.give(Given {
        subject,
        question: question(),
        host: host(1),
        at: NOW,
        started: Timestamp(0),
        epoch: broker.epoch(),
    })
}

#[test]
fn looks_that_find_nothing_are_counted_until_they_are_written() {
    let mut broker = Broker::default();
    broker.enter(1);
    for second in 1..=3 {
        let at = Timestamp(second * 1000);
        broker.idle("s", 4, at, Some(second.to_string()), NOW);
    }
    assert_eq!(broker.looked("s", 4), Some(Timestamp(3000)));
    assert_eq!(broker.looked("s", 5), None, "something was decided since");
    assert!(broker.take_old_idle(NOW).is_empty());
    assert_eq!(broker.next_deadline(), Some(NOW + IDLE_WRITTEN));
    let old = broker.take_old_idle(NOW + IDLE_WRITTEN);
    let [(sensor, 4, idle)] = old.as_slice() else {
        panic!("{old:?}")
    };
    assert_eq!((sensor.as_str(), idle.count), ("s", 3));
    assert_eq!((idle.first, idle.last), (Timestamp(1000), Timestamp(3000)));
    assert_eq!(idle.reason.as_deref(), Some("3"));
    assert_eq!(
        broker.looked("s", 4),
        Some(Timestamp(3000)),
        "it looked, though it is written"
    );
    assert_eq!(broker.take_idle("s", 4), None);
    // Of another life of the sensor nothing is added up.
    broker.idle("s", 4, Timestamp(4000), None, NOW);
    broker.idle("s", 5, Timestamp(5000), None, NOW);
    assert_eq!(broker.take_idle("s", 4), None);
    assert_eq!(broker.take_idle("s", 5).expect("one").count, 1);
}
