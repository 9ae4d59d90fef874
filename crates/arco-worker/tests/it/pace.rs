//! How much a task costs. The bounds are loose, for machines under load; figures are printed.

use std::time::Duration;

use arco_wire::worker::{Isolation, Outcome};

use crate::harness::Bench;
use crate::plane::boottime_ns;

async fn per_task(isolation: Isolation, count: u32) -> Duration {
    let bench = Bench::start(|_| {}).await;
    for _ in 0..20 {
        let warm = bench
            .plane
            .submit("one", |lease| lease.isolation = isolation);
        bench.plane.outcome(warm).await;
    }
    let (begun, cpu_begun) = (boottime_ns(), cpu_time());
    let attempts: Vec<_> = (0..count)
        .map(|_| {
            bench
                .plane
                .submit("one", |lease| lease.isolation = isolation)
        })
        .collect();
    for attempt in attempts {
        assert!(matches!(
            bench.plane.outcome(attempt).await,
            Outcome::Succeeded
        ));
    }
    let took = Duration::from_nanos(boottime_ns() - begun) / count;
    let cpu = (cpu_time() - cpu_begun) / count;
    let exchanges = bench.plane.know().exchanges;
    eprintln!(
        "{isolation:?}: {took:?} per task, {cpu:?} CPU of host and plane; {exchanges} exchanges"
    );
    bench.stop().await.unwrap();
    took
}

/// Processor time of this process: the host, and the plane that it talks to.
fn cpu_time() -> Duration {
    let clock = nix::time::ClockId::CLOCK_PROCESS_CPUTIME_ID;
    Duration::from(nix::time::clock_gettime(clock).unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_tasks_in_reused_children_cost_little() {
    assert!(per_task(Isolation::Reuse, 1_000).await < Duration::from_millis(5));
}

#[tokio::test(flavor = "multi_thread")]
async fn forked_tasks_cost_little() {
    assert!(per_task(Isolation::Fork, 200).await < Duration::from_millis(40));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chain_of_tasks_does_not_wait_for_anything() {
    let bench = Bench::start(|_| {}).await;
    let begun = boottime_ns();
    for _ in 0..40 {
        let attempt = bench.plane.submit("one", |_| {});
        bench.plane.outcome(attempt).await;
    }
    let took = Duration::from_nanos(boottime_ns() - begun);
    eprintln!("chain of 40: {took:?}");
    assert!(took < Duration::from_secs(5), "{took:?}");
    bench.stop().await.unwrap();
}
