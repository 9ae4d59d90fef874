use arco_wire::worker::{FailureClass, Outcome};

use crate::harness::{Bench, until_dead};

async fn failure(bench: &Bench, step: &str) -> (FailureClass, String, String) {
    let attempt = bench.plane.submit(step, |_| {});
    match bench.plane.outcome(attempt).await {
        Outcome::Failed { class, error, .. } => (class, error.message, error.traceback),
        other => panic!("{step}: {other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_death_costs_one_task_and_says_its_cause() {
    let bench = Bench::start(|settings| settings.slots = 1).await;
    let rows = [
        ("os_exit", "exited with code 3"),
        ("segfault", "killed by SIGSEGV (segmentation fault)"),
        ("kills_itself", "killed by SIGKILL, not by the worker host"),
        ("speaks_nonsense", "broke the worker protocol"),
    ];
    for (step, cause) in rows {
        let (class, message, _) = failure(&bench, step).await;
        assert_eq!(class, FailureClass::Crashed, "{step}: {message}");
        assert!(message.contains(cause), "{step}: {message}");
        let next = bench.plane.submit("one", |_| {});
        assert!(
            matches!(bench.plane.outcome(next).await, Outcome::Succeeded),
            "after {step}"
        );
    }
    bench.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_over_its_memory_limit_is_killed_and_the_figures_are_told() {
    const LIMIT: u64 = 300 * 1024 * 1024;
    let bench = Bench::start(|settings| settings.slots = 1).await;
    for (step, pid) in [("outgrows", "grows_pid"), ("grows_below", "below_pid")] {
        let attempt = bench
            .plane
            .submit(step, |lease| lease.memory_limit_bytes = Some(LIMIT));
        let Outcome::Failed {
            class,
            error,
            allow_retries,
            ..
        } = bench.plane.outcome(attempt).await
        else {
            panic!("{step} failed")
        };
        assert_eq!(
            (class, allow_retries),
            (FailureClass::OutOfMemory, true),
            "{step}"
        );
        assert_eq!(error.kind, "MemoryLimitExceeded");
        assert!(
            error.message.contains("its limit is 300 MiB"),
            "{}",
            error.message
        );
        let used = error.message.split(" of memory").next().unwrap();
        let used = used.trim_start_matches("the task used ");
        let number: f64 = used.split(' ').next().unwrap().parse().unwrap();
        assert!(
            (300.0..1_000.0).contains(&number) && used.ends_with("MiB"),
            "{used}"
        );
        until_dead(&bench.line(pid).await).await;
    }
    // The same body with room enough is not touched, and one without a limit is not looked at.
    let next = bench
        .plane
        .submit("one", |lease| lease.memory_limit_bytes = Some(LIMIT));
    assert!(matches!(
        bench.plane.outcome(next).await,
        Outcome::Succeeded
    ));
    let (class, message, _) = failure(&bench, "memory_error").await;
    assert_eq!(
        (class, message.as_str()),
        (FailureClass::OutOfMemory, "no room")
    );
    bench.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn last_words_on_stderr_come_with_the_cause() {
    let bench = Bench::start(|_| {}).await;
    let (_, _, traceback) = failure(&bench, "segfault").await;
    assert!(traceback.contains("last words"), "{traceback}");
    assert!(
        traceback.contains("in segfault"),
        "where Python was: {traceback}"
    );
    bench.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn sys_exit_fails_the_task_and_the_next_one_runs() {
    let bench = Bench::start(|settings| settings.slots = 1).await;
    let (_, message, _) = failure(&bench, "sys_exit").await;
    assert!(message.contains("sys.exit"), "{message}");
    let next = bench.plane.submit("one", |_| {});
    assert!(matches!(
        bench.plane.outcome(next).await,
        Outcome::Succeeded
    ));
    bench.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_zygote_that_dies_is_replaced_and_its_tasks_are_reported() {
    let bench = Bench::start(|_| {}).await;
    let attempt = bench.plane.submit("slow", |_| {});
    let pid = bench.line("slow_pid").await;
    let grandchild = bench.line("grandchild_pid").await;
    kill(&parent(&pid));
    let Outcome::Failed { class, error, .. } = bench.plane.outcome(attempt).await else {
        panic!("it failed")
    };
    assert_eq!(class, FailureClass::Infrastructure);
    assert!(error.message.contains("zygote"), "{}", error.message);
    until_dead(&pid).await;
    until_dead(&grandchild).await;
    let next = bench.plane.submit("one", |_| {});
    assert!(matches!(
        bench.plane.outcome(next).await,
        Outcome::Succeeded
    ));
    bench.stop().await.unwrap();
}

pub(crate) fn parent(pid: &str) -> String {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    stat.rsplit(") ")
        .next()
        .unwrap()
        .split(' ')
        .nth(1)
        .unwrap()
        .to_owned()
}

fn kill(pid: &str) {
    let pid = nix::unistd::Pid::from_raw(pid.parse().unwrap());
    nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGKILL).unwrap();
}
