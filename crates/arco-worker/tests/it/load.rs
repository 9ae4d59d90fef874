use arco_wire::worker::Outcome;
use arco_worker::{HostError, HostStatus};

use crate::harness::{Bench, DEFINITIONS, until_dead};

fn write(bench: &Bench, code: &str) {
    std::fs::write(bench.path("definitions.py"), code).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_error_at_start_is_told_and_ends_the_host() {
    let bench = Bench::start_with("import nowhere_to_be_found\n", |_| {}).await;
    let plane = bench.plane.clone();
    let error = bench.ended().await.unwrap_err();
    assert!(matches!(error, HostError::Load { .. }), "{error}");
    assert!(error.to_string().contains("nowhere_to_be_found"), "{error}");
    let failed = plane
        .until("the failed load", |known| {
            known.failed_loads.first().cloned()
        })
        .await;
    assert_eq!(
        (failed.location.as_str(), failed.error.kind.as_str()),
        ("test", "ModuleNotFoundError")
    );
    assert!(
        failed.error.traceback.contains("definitions.py"),
        "{}",
        failed.error.traceback
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_interpreter_that_ends_while_loading_says_what_it_wrote() {
    let code = "import os, sys\nprint('about to go')\nsys.stdout.flush()\nos._exit(9)\n";
    let error = Bench::start_with(code, |_| {})
        .await
        .ended()
        .await
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("exited with code 9") && error.contains("about to go"),
        "{error}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_interpreter_without_arco_flow_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let bare = folder.path().join("python");
    // Without `site` an interpreter has no installed packages.
    let script = format!(
        "#!/bin/sh\nexec {} -S \"$@\"\n",
        crate::harness::python().display()
    );
    std::fs::write(&bare, script).unwrap();
    std::fs::set_permissions(&bare, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let bench = Bench::start_with(DEFINITIONS, |settings| {
        settings.python = bare;
        settings.environment.clear();
    })
    .await;
    let error = bench.ended().await.unwrap_err().to_string();
    assert!(error.contains("No module named 'arco_flow'"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_interpreter_that_is_not_there_is_named() {
    let bench = Bench::start_with(DEFINITIONS, |settings| {
        settings.python = "/no/python".into()
    })
    .await;
    let error = bench.ended().await.unwrap_err();
    assert!(error.to_string().contains("`/no/python`"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_token_ends_the_host_with_the_role_it_needs() {
    let token = arco_worker::Token::new("a wrong one");
    let bench = Bench::start_with(DEFINITIONS, |settings| settings.token = token).await;
    let error = bench.ended().await.unwrap_err().to_string();
    assert!(error.contains("`worker:test`"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn changed_code_takes_over_and_running_tasks_finish_on_the_old() {
    let bench = Bench::start(|_| {}).await;
    let old = bench.plane.submit("tidy", |_| {});
    let pid = bench.line("tidy_pid").await;
    write(
        &bench,
        &format!("{DEFINITIONS}\n@dg.asset\ndef fresh():\n    return 1\n"),
    );
    bench.handle.reload();
    bench
        .plane
        .until("a new registration", |known| {
            known.registrations.get(1).map(drop)
        })
        .await;
    {
        let known = bench.plane.know();
        assert_eq!(known.registrations[0].host, known.registrations[1].host);
        assert_eq!(known.registrations[1].attempts, [old]);
        assert!(
            known.registrations[1]
                .manifest
                .to_string()
                .contains("\"fresh\"")
        );
    }
    let new = bench.plane.submit("fresh", |_| {});
    let outcome = bench.plane.outcome(new).await;
    assert!(matches!(outcome, Outcome::Succeeded), "{outcome:?}");
    assert!(crate::harness::is_alive(&pid));
    let zygote = crate::deaths::parent(&pid);
    bench.plane.turn(|known| known.cancels.push(old));
    assert!(matches!(bench.plane.outcome(old).await, Outcome::Cancelled));
    until_dead(&zygote).await;
    bench.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn code_that_does_not_load_leaves_the_old_at_work() {
    let bench = Bench::start(|_| {}).await;
    write(&bench, "raise RuntimeError('half-way through an edit')\n");
    bench.handle.reload();
    let failed = bench
        .plane
        .until("it", |known| known.failed_loads.first().cloned())
        .await;
    assert_eq!(failed.error.message, "half-way through an edit");
    assert!(failed.error.traceback.contains("definitions.py"));
    let mut status = bench.handle.status();
    status
        .wait_for(|status| matches!(status, HostStatus::LoadFailed(_)))
        .await
        .unwrap();
    let attempt = bench.plane.submit("one", |_| {});
    assert!(matches!(
        bench.plane.outcome(attempt).await,
        Outcome::Succeeded
    ));
    bench.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn definitions_that_are_refused_leave_the_old_at_work() {
    let bench = Bench::start(|_| {}).await;
    bench
        .plane
        .turn(|known| known.refuse_definitions = Some("a cycle: a → b → a".into()));
    write(&bench, &format!("{DEFINITIONS}\n# changed\n"));
    bench.handle.reload();
    let mut status = bench.handle.status();
    status
        .wait_for(|status| matches!(status, HostStatus::Refused(why) if why.contains("cycle")))
        .await
        .unwrap();
    let attempt = bench.plane.submit("one", |_| {});
    assert!(matches!(
        bench.plane.outcome(attempt).await,
        Outcome::Succeeded
    ));
    bench.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn watched_code_is_loaded_when_it_changes_even_if_it_never_did() {
    let bench = Bench::start_with("import nowhere_to_be_found\n", |settings| {
        settings.watch = true;
        settings.exit_on_failed_load = false;
    })
    .await;
    bench
        .plane
        .until("the failed load", |known| {
            known.failed_loads.first().map(drop)
        })
        .await;
    // The watcher needs one look at the file as it was.
    tokio::time::sleep(std::time::Duration::from_millis(700)).await;
    write(&bench, DEFINITIONS);
    let attempt = bench.plane.submit("one", |_| {});
    assert!(matches!(
        bench.plane.outcome(attempt).await,
        Outcome::Succeeded
    ));
    bench.stop().await.unwrap();
}
