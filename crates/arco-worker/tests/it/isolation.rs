use arco_wire::worker::{Isolation, Outcome};

use crate::harness::{Bench, is_alive};

async fn pids(bench: &Bench, isolation: Isolation, count: usize) -> Vec<String> {
    for _ in 0..count {
        let attempt = bench
            .plane
            .submit("pid", |lease| lease.isolation = isolation);
        assert!(matches!(
            bench.plane.outcome(attempt).await,
            Outcome::Succeeded
        ));
    }
    bench.read("pids").lines().map(str::to_owned).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn reused_children_run_many_tasks() {
    let bench = Bench::start(|settings| settings.slots = 1).await;
    let mut pids = pids(&bench, Isolation::Reuse, 5).await;
    pids.dedup();
    assert_eq!(pids.len(), 1);
    bench.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn forked_and_spawned_children_run_one_task_each() {
    for isolation in [Isolation::Fork, Isolation::Spawn] {
        let bench = Bench::start(|_| {}).await;
        let mut pids = pids(&bench, isolation, 3).await;
        crate::harness::until_dead(&pids[2]).await;
        pids.sort();
        pids.dedup();
        assert_eq!(pids.len(), 3, "{isolation:?}");
        bench.stop().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reused_child_is_replaced_after_its_number_of_tasks() {
    let bench = Bench::start(|settings| {
        settings.slots = 1;
        settings.tasks_per_child_max = 2;
    })
    .await;
    let mut pids = pids(&bench, Isolation::Reuse, 6).await;
    pids.dedup();
    assert_eq!(pids.len(), 3);
    bench.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reused_child_is_replaced_when_it_has_grown() {
    let bench = Bench::start(|settings| {
        settings.slots = 1;
        settings.child_growth_bytes_max = 32 * 1024 * 1024;
    })
    .await;
    for _ in 0..3 {
        let attempt = bench.plane.submit("grows", |_| {});
        bench.plane.outcome(attempt).await;
    }
    let text = bench.read("grows_pids");
    let pids: Vec<_> = text.lines().collect();
    // The first task sets the mark, the second is over it.
    assert!(pids[0] == pids[1] && pids[1] != pids[2], "{pids:?}");
    bench.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn code_that_is_unsafe_to_fork_runs_in_spawned_children() {
    let code = format!(
        "{}\nimport threading\nthreading.Thread(target=time.sleep, args=(600,), daemon=True, \
         name='watcher').start()\n",
        crate::harness::DEFINITIONS
    );
    let bench = Bench::start_with(&code, |settings| settings.slots = 1).await;
    let mut pids = pids(&bench, Isolation::Reuse, 2).await;
    pids.dedup();
    assert_eq!(pids.len(), 1, "reuse still means reuse");
    assert!(is_alive(&pids[0]));
    let status = bench.handle.status().borrow().clone();
    let text = format!("{status:?}");
    assert!(
        text.contains("fork_safe: false") && text.contains("watcher"),
        "{text}"
    );
    bench.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_override_the_isolation_of_leases() {
    let bench = Bench::start(|settings| settings.isolation = Some(Isolation::Fork)).await;
    let mut pids = pids(&bench, Isolation::Reuse, 3).await;
    pids.sort();
    pids.dedup();
    assert_eq!(pids.len(), 3);
    bench.stop().await.unwrap();
}
