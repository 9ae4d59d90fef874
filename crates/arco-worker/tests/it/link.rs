use std::time::Duration;

use arco_core::AttemptId;
use arco_wire::worker::{Fact, FailureClass, Outcome};

use crate::harness::{Bench, until_dead};

#[tokio::test(flavor = "multi_thread")]
async fn lost_answers_run_nothing_twice() {
    let bench = Bench::start(|_| {}).await;
    let mut attempts = Vec::new();
    for _ in 0..8 {
        bench.plane.turn(|known| known.lose_answers = 1);
        attempts.push(bench.plane.submit("count", |_| {}));
        tokio::task::yield_now().await;
    }
    for attempt in &attempts {
        assert!(matches!(
            bench.plane.outcome(*attempt).await,
            Outcome::Succeeded
        ));
    }
    check_nothing_twice(&bench, &attempts);
    bench.stop().await.unwrap();
}

fn check_nothing_twice(bench: &Bench, attempts: &[AttemptId]) {
    let known = bench.plane.know();
    assert!(
        known.repeats + known.given_again as u64 > 0,
        "no answer was lost"
    );
    assert!(known.refused.is_empty(), "{:?}", known.refused);
    let ran = bench.read("ran");
    let mut runs: Vec<_> = ran.lines().collect();
    runs.sort_unstable();
    runs.dedup();
    assert_eq!((runs.len(), ran.lines().count()), (8, 8));
    for attempt in attempts {
        let finished = known.attempts[attempt]
            .facts
            .iter()
            .filter(|fact| matches!(fact, Fact::Finished { .. }))
            .count();
        assert_eq!((known.attempts[attempt].leased, finished), (1, 1));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_control_plane_that_was_away_finds_its_tasks_again() {
    let bench = Bench::start(|_| {}).await;
    let long = bench.plane.submit("tidy", |_| {});
    let short = bench.plane.submit("count", |_| {});
    let pid = bench.line("tidy_pid").await;
    bench.line("ran").await;
    bench.plane.turn(|known| known.down = true);
    tokio::time::sleep(Duration::from_secs(3)).await;
    // It comes back having forgotten who was there, as after a restart.
    bench.plane.forget_hosts();
    bench.plane.turn(|known| known.down = false);
    assert!(matches!(
        bench.plane.outcome(short).await,
        Outcome::Succeeded
    ));
    {
        let known = bench.plane.know();
        let [first, .., last] = &known.registrations[..] else {
            panic!("it registers again")
        };
        assert_eq!(first.host, last.host);
        assert!(last.attempts.contains(&long));
    }
    assert!(crate::harness::is_alive(&pid), "it goes on");
    assert_eq!(bench.read("ran").lines().count(), 1);
    bench.plane.turn(|known| known.cancels.push(long));
    assert!(matches!(
        bench.plane.outcome(long).await,
        Outcome::Cancelled
    ));
    bench.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_hears_nothing_for_a_lease_kills_its_tasks_and_reports_them_later() {
    let bench = Bench::start_with(crate::harness::DEFINITIONS, |_| {}).await;
    bench.plane.turn(|known| known.ttl_ms = 1_000);
    let attempt = bench.plane.submit("slow", |_| {});
    let pid = bench.line("slow_pid").await;
    let grandchild = bench.line("grandchild_pid").await;
    bench.plane.turn(|known| known.down = true);
    until_dead(&pid).await;
    until_dead(&grandchild).await;
    let (heard, ttl) = (bench.plane.know().heard_ns, 1_000_000_000);
    let stamps = bench.read("stamps");
    let last: u64 = stamps.lines().last().unwrap().parse().unwrap();
    assert!(
        last < heard + ttl,
        "alive {} ms after the lease",
        (last - heard - ttl) / 1_000_000
    );
    bench.plane.turn(|known| known.down = false);
    let outcome = bench.plane.outcome(attempt).await;
    assert!(
        matches!(
            outcome,
            Outcome::Failed {
                class: FailureClass::WorkerLost,
                ..
            }
        ),
        "{outcome:?}"
    );
    let next = bench.plane.submit("one", |_| {});
    assert!(matches!(
        bench.plane.outcome(next).await,
        Outcome::Succeeded
    ));
    bench.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fenced_host_kills_its_tasks_and_comes_back_as_another() {
    let bench = Bench::start(|_| {}).await;
    let attempt = bench.plane.submit("slow", |_| {});
    let pid = bench.line("slow_pid").await;
    bench.plane.started(attempt).await;
    let first = bench.plane.know().registrations[0].host;
    bench.plane.fence(first);
    until_dead(&pid).await;
    let next = bench.plane.submit("one", |_| {});
    assert!(matches!(
        bench.plane.outcome(next).await,
        Outcome::Succeeded
    ));
    let last = bench.plane.know().registrations.last().cloned().unwrap();
    assert!(last.host != first && last.attempts.is_empty());
    let outcome = bench.plane.know().attempts[&attempt].outcome.clone();
    assert!(outcome.is_none(), "what it did is void");
    bench.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_attempt_that_belongs_to_someone_else_is_killed() {
    let bench = Bench::start(|_| {}).await;
    let attempt = bench.plane.submit("slow", |_| {});
    let pid = bench.line("slow_pid").await;
    bench.plane.started(attempt).await;
    bench
        .plane
        .turn(|known| known.attempts.get_mut(&attempt).unwrap().host = None);
    until_dead(&pid).await;
    bench.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_that_is_refused_fails_its_own_task_alone() {
    let bench = Bench::start(|_| {}).await;
    let bad = bench.plane.submit("count", |_| {});
    let good = bench.plane.submit("count", |_| {});
    bench.plane.turn(|known| known.refuse_attempt = Some(bad));
    assert!(matches!(
        bench.plane.outcome(good).await,
        Outcome::Succeeded
    ));
    let outcome = bench.plane.outcome(bad).await;
    assert!(
        matches!(&outcome, Outcome::Failed { error, .. } if error.message.contains("to our liking")),
        "{outcome:?}"
    );
    let next = bench.plane.submit("one", |_| {});
    assert!(matches!(
        bench.plane.outcome(next).await,
        Outcome::Succeeded
    ));
    bench.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_finished_task_is_reported_while_another_call_waits_for_work() {
    let bench = Bench::start(|settings| settings.wait_ms = 25_000).await;
    // One of two slots is free, so a call waits for work for longer than this test may take.
    let attempt = bench.plane.submit("count", |_| {});
    assert!(matches!(
        bench.plane.outcome(attempt).await,
        Outcome::Succeeded
    ));
    bench.stop().await.unwrap();
}
