use arco_wire::worker::{Isolation, Outcome};

use crate::harness::{Bench, until_dead};

#[tokio::test(flavor = "multi_thread")]
async fn output_is_kept_whoever_writes_it() {
    let bench = Bench::start(|_| {}).await;
    for isolation in [Isolation::Reuse, Isolation::Fork, Isolation::Spawn] {
        let attempt = bench
            .plane
            .submit("talks", |lease| lease.isolation = isolation);
        assert!(matches!(
            bench.plane.outcome(attempt).await,
            Outcome::Succeeded
        ));
        let out = bench.plane.log(attempt, "stdout", "grandchild").await;
        let mut lines: Vec<_> = out.lines().collect();
        lines.sort_unstable();
        let expected = [
            "from a grandchild",
            "from os.write",
            "from print",
            "from puts",
        ];
        assert_eq!(lines, expected, "{isolation:?}");
        let err = bench.plane.log(attempt, "stderr", "its stderr").await;
        assert_eq!(
            err, "from print to stderr\nand its stderr\n",
            "{isolation:?}"
        );
        let records = bench.plane.log(attempt, "log", "logging").await;
        let record: serde_json::Value = serde_json::from_str(records.trim()).unwrap();
        assert_eq!(record["level"], "WARNING");
        assert_eq!(
            (&record["message"], &record["logger"]),
            (&"from logging 7".into(), &"my.library".into())
        );
    }
    bench.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_says_nothing_makes_no_call() {
    let bench = Bench::start(|_| {}).await;
    let attempt = bench.plane.submit("one", |_| {});
    bench.plane.outcome(attempt).await;
    let plane = bench.plane.clone();
    bench.stop().await.unwrap();
    assert_eq!(plane.know().log_calls, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn output_arrives_while_the_body_runs_and_with_the_attempts_own_token() {
    let bench = Bench::start(|settings| settings.log_flush_ms = 100).await;
    let attempt = bench.plane.submit("tail", |_| {});
    bench.plane.log(attempt, "stdout", "early").await;
    assert!(bench.plane.know().attempts[&attempt].outcome.is_none());
    assert_eq!(bench.plane.know().log_tokens, ["Bearer attempt-token-1"]);
    bench.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn too_much_output_is_cut_and_the_body_is_not_held_up() {
    let bench = Bench::start(|settings| settings.log_bytes_max = 1_500_000).await;
    let attempt = bench.plane.submit("floods", |_| {});
    assert!(matches!(
        bench.plane.outcome(attempt).await,
        Outcome::Succeeded
    ));
    let text = bench
        .plane
        .log(attempt, "stdout", "was dropped from here on")
        .await;
    assert!(
        (1_500_000..1_500_200).contains(&text.len()),
        "{}",
        text.len()
    );
    bench.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn logs_wait_for_a_control_plane_that_is_away() {
    let bench = Bench::start(|_| {}).await;
    let attempt = bench.plane.submit("tail", |_| {});
    bench.line("tail_pid").await;
    bench.plane.turn(|known| {
        known.down = true;
        known.logs.clear();
    });
    bench.plane.turn(|known| known.down = false);
    bench.plane.log(attempt, "stdout", "early").await;
    bench.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_left_behind_does_not_hold_up_the_end_of_the_task() {
    let bench = Bench::start(|settings| settings.slots = 1).await;
    let attempt = bench.plane.submit("daemon", |_| {});
    assert!(matches!(
        bench.plane.outcome(attempt).await,
        Outcome::Succeeded
    ));
    bench.plane.log(attempt, "stdout", "daemon is here").await;
    let next = bench.plane.submit("one", |_| {});
    assert!(matches!(
        bench.plane.outcome(next).await,
        Outcome::Succeeded
    ));
    let daemon = bench.line("daemon_pid").await;
    bench.stop().await.unwrap();
    until_dead(&daemon).await;
}
