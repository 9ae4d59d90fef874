use arco_wire::worker::{Fact, FailureClass, Outcome};

use crate::harness::Bench;

#[tokio::test(flavor = "multi_thread")]
async fn a_task_runs_and_its_facts_arrive_in_order() {
    let bench = Bench::start(|_| {}).await;
    let attempt = bench.plane.submit("metadata", |_| {});
    assert!(matches!(
        bench.plane.outcome(attempt).await,
        Outcome::Succeeded
    ));
    let facts = bench.plane.know().attempts[&attempt].facts.clone();
    match &facts[..] {
        [
            Fact::Started,
            Fact::Materialized(made),
            Fact::Finished { .. },
        ] => {
            assert_eq!(made.asset.as_str(), "metadata");
            assert_eq!(made.metadata["rows"]["value"], 7);
            assert_eq!(made.data_version.as_deref(), Some("v7"));
        }
        other => panic!("{other:#?}"),
    }
    bench.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_exception_is_a_failure_with_its_traceback() {
    let bench = Bench::start(|_| {}).await;
    let attempt = bench.plane.submit("raises", |_| {});
    let Outcome::Failed {
        class,
        error,
        allow_retries,
        ..
    } = bench.plane.outcome(attempt).await
    else {
        panic!("it failed")
    };
    assert_eq!((class, allow_retries), (FailureClass::UserCode, true));
    assert_eq!(
        (error.kind.as_str(), error.message.as_str()),
        ("ValueError", "seven is not a prime of nine")
    );
    assert!(
        error.traceback.contains("definitions.py"),
        "{}",
        error.traceback
    );
    bench.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn shutdown_leaves_the_control_plane_and_no_process() {
    let bench = Bench::start(|_| {}).await;
    let attempt = bench.plane.submit("pid", |_| {});
    bench.plane.outcome(attempt).await;
    let pid = bench.line("pids").await;
    let plane = bench.plane.clone();
    bench.stop().await.unwrap();
    assert!(!crate::harness::is_alive(&pid));
    assert_eq!(plane.know().left.len(), 1);
}
