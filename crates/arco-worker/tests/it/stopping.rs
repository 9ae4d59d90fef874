use arco_core::AttemptId;
use arco_wire::worker::{FailureClass, Outcome};

use crate::harness::{Bench, until_dead};
use crate::plane::Knowledge;

fn cancel(bench: &Bench, attempt: AttemptId) {
    bench.plane.turn(|known| known.cancels.push(attempt));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_body_cleans_up() {
    let bench = Bench::start(|_| {}).await;
    let attempt = bench.plane.submit("tidy", |_| {});
    let pid = bench.line("tidy_pid").await;
    cancel(&bench, attempt);
    assert!(matches!(
        bench.plane.outcome(attempt).await,
        Outcome::Cancelled
    ));
    bench.plane.log(attempt, "stdout", "cleaned up").await;
    until_dead(&pid).await;
    bench.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_does_not_let_itself_be_cancelled_is_killed_after_the_grace_time() {
    let bench = Bench::start(|_| {}).await;
    let attempt = bench.plane.submit("stubborn", |_| {});
    let pid = bench.line("stubborn_pid").await;
    cancel(&bench, attempt);
    assert!(matches!(
        bench.plane.outcome(attempt).await,
        Outcome::Cancelled
    ));
    assert_eq!(bench.read("refused").lines().count(), 1);
    until_dead(&pid).await;
    bench.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_swallows_the_cancellation_is_cancelled_all_the_same() {
    let bench = Bench::start(|_| {}).await;
    let attempt = bench.plane.submit("swallows", |_| {});
    bench.line("swallows_pid").await;
    cancel(&bench, attempt);
    assert!(matches!(
        bench.plane.outcome(attempt).await,
        Outcome::Cancelled
    ));
    bench.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_runs_too_long_is_stopped_with_what_it_started() {
    let bench = Bench::start(|_| {}).await;
    let attempt = bench
        .plane
        .submit("slow", |lease| lease.timeout_ms = Some(300));
    let Outcome::Failed { class, error, .. } = bench.plane.outcome(attempt).await else {
        panic!("it failed")
    };
    assert_eq!(class, FailureClass::Timeout);
    assert!(error.message.contains("300 ms"), "{}", error.message);
    until_dead(&bench.line("slow_pid").await).await;
    until_dead(&bench.line("grandchild_pid").await).await;
    bench.stop().await.unwrap();
}

/// A long body with a lease waiting behind it: short bodies first, so that leases are fetched ahead.
async fn long_and_behind(bench: &Bench) -> (AttemptId, AttemptId) {
    for _ in 0..3 {
        let short = bench.plane.submit("one", |_| {});
        bench.plane.outcome(short).await;
    }
    bench.plane.submit_both("slow", "count")
}

#[tokio::test(flavor = "multi_thread")]
async fn cancelling_a_lease_that_waits_reports_it_without_running_it() {
    let bench = Bench::start(|settings| settings.slots = 1).await;
    let (long, behind) = long_and_behind(&bench).await;
    cancel(&bench, behind);
    // It is cancelled in hand, or after it was given back and leased again.
    bench.line("slow_pid").await;
    cancel(&bench, long);
    assert!(matches!(
        bench.plane.outcome(long).await,
        Outcome::Cancelled
    ));
    assert!(matches!(
        bench.plane.outcome(behind).await,
        Outcome::Cancelled
    ));
    assert_eq!(bench.read("ran"), "");
    bench.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn leases_behind_a_long_body_are_given_back() {
    let bench = Bench::start(|settings| settings.slots = 1).await;
    let (long, behind) = long_and_behind(&bench).await;
    let released = |known: &Knowledge| (known.attempts.get(&behind)?.released > 0).then_some(());
    bench.plane.until("the lease to come back", released).await;
    assert_eq!(bench.read("ran"), "");
    cancel(&bench, long);
    // Once there is room it is leased again.
    assert!(matches!(
        bench.plane.outcome(behind).await,
        Outcome::Succeeded
    ));
    bench.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn shutdown_stops_bodies_and_reports_them_as_lost() {
    let bench = Bench::start(|_| {}).await;
    let attempt = bench.plane.submit("tidy", |_| {});
    let pid = bench.line("tidy_pid").await;
    let plane = bench.plane.clone();
    bench.stop().await.unwrap();
    let outcome = plane.know().attempts[&attempt].outcome.clone();
    assert!(
        matches!(
            outcome,
            Some(Outcome::Failed {
                class: FailureClass::WorkerLost,
                ..
            })
        ),
        "{outcome:?}"
    );
    assert!(plane.know().logs[&(attempt, "stdout".into())].starts_with(b"cleaned up"));
    until_dead(&pid).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn shutdown_lets_bodies_finish_within_the_drain_time() {
    let bench = Bench::start(|settings| settings.drain_ms = 20_000).await;
    let attempt = bench.plane.submit("count", |_| {});
    bench.line("ran").await;
    let plane = bench.plane.clone();
    bench.stop().await.unwrap();
    assert!(matches!(
        plane.know().attempts[&attempt].outcome,
        Some(Outcome::Succeeded)
    ));
}
