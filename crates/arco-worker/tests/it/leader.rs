//! A host and replicas of the control plane of which one leads.

use arco_wire::worker::Outcome;

use crate::harness::Bench;
use crate::plane::Plane;

#[tokio::test(flavor = "multi_thread")]
async fn a_host_follows_the_leader_and_comes_back_when_that_is_gone() {
    let leader = Plane::start(15_000, 200).await;
    let bench = Bench::start_following(&leader).await;
    let registered = |known: &crate::plane::Knowledge| known.registrations.first().map(drop);
    leader.until("a registration", registered).await;
    let attempt = leader.submit("talks", |_| {});
    let outcome = leader.outcome(attempt).await;
    assert!(matches!(outcome, Outcome::Succeeded), "{outcome:?}");
    leader.log(attempt, "stdout", "from print").await;
    assert!(bench.plane.know().registrations.is_empty());
    // The other one leads when this one is gone.
    bench.plane.turn(|known| known.leader = None);
    leader.turn(|known| known.down = true);
    bench.plane.until("a registration", registered).await;
    let attempt = bench.plane.submit("talks", |_| {});
    let outcome = bench.plane.outcome(attempt).await;
    assert!(matches!(outcome, Outcome::Succeeded), "{outcome:?}");
    bench.stop().await.unwrap();
}
