//! The life of a run: asked for, carried out, over.

use arco_core::asset_fact::{AssetCheckResult, AssetFact, AssetMaterialization};
use arco_core::event::Severity;
use arco_flow::command::Reported;
use arco_flow::planner::PartitionsAsked;
use arco_flow::state::{RunStatus, TaskStatus};
use arco_testkit::host::{makes, succeeds};
use arco_testkit::world::{self, ask};
use arco_testkit::{ManifestBuilder, World, asset, check};

use crate::support::*;

#[tokio::test(start_paused = true)]
async fn a_chain_is_carried_out_in_order() {
    let world = World::new();
    let (engine, mut host) = ready(&world, &chain()).await;
    let id = run(&engine, "*").await;
    assert_eq!(run_status(&engine, id), RunStatus::Queued);
    let mut steps = Vec::new();
    let done = host.work(&engine, |lease| {
        steps.push(lease.step.name.clone());
        succeeds(lease)
    });
    assert_eq!(done.await.expect("the host is heard").len(), 3);
    assert_eq!(steps, ["a", "b", "c"]);
    assert_eq!(run_status(&engine, id), RunStatus::Success);
    assert_eq!(tasks(&engine, id), [TaskStatus::Succeeded; 3]);
    let one = ["attempt.leased", "asset.materialized", "attempt.finished"];
    let all = ["run.requested"]
        .into_iter()
        .chain(one)
        .chain(one)
        .chain(one);
    let expected: Vec<&str> = all.chain(["run.finished"]).collect();
    assert_eq!(story(&engine).await, expected);
    let state = &engine.view().state;
    assert!(state.active_runs.is_empty());
    assert!(state.ready.is_empty());
    assert!(state.hosts.values().all(|host| host.attempts.is_empty()));
    assert!(
        state
            .assets
            .values()
            .all(|asset| asset.in_progress.is_empty())
    );
}

#[tokio::test(start_paused = true)]
async fn finishing_a_task_and_leasing_the_next_is_one_commit() {
    let world = World::new();
    let (engine, mut host) = ready(&world, &chain()).await;
    run(&engine, "*").await;
    let first = lease(&mut host, &engine).await;
    let before = engine.view().head.segment;
    let said = succeeds(&first)
        .into_iter()
        .map(|said| (first.attempt, said))
        .collect();
    let work = host
        .exchange(&engine, said, 1)
        .await
        .expect("the host is heard");
    assert_eq!(work.leases.len(), 1);
    assert_eq!(engine.view().head.segment, before + 1);
}

#[tokio::test(start_paused = true)]
async fn a_materialization_records_what_was_read() {
    let world = World::new();
    let (engine, mut host) = ready(&world, &chain()).await;
    run(&engine, "*").await;
    host.work(&engine, succeeds)
        .await
        .expect("the host is heard");
    let state = engine.view().state.clone();
    let last = |key: &str| {
        let key = arco_core::AssetKey::parse(key).expect("a key");
        state.assets[&key]
            .recent
            .last()
            .expect("it was made")
            .clone()
    };
    let (a, b) = (last("a"), last("b"));
    assert!(a.2.inputs.is_empty());
    assert_eq!(b.2.inputs.len(), 1);
    assert_eq!(b.2.inputs[0].data_version, a.2.data_version);
    assert_eq!(b.2.inputs[0].position, a.0);
}

#[tokio::test(start_paused = true)]
async fn partitions_are_tasks_of_their_own() {
    let world = World::new();
    let manifest = ManifestBuilder::new("main")
        .asset(asset("day").daily("2026-01-01"))
        .asset(asset("sum").needs("day"));
    let (engine, mut host) = ready(&world, &manifest).await;
    let everything = arco_engine::RunAsk {
        partitions: PartitionsAsked::All,
        ..ask("*")
    };
    let id = world::run(&engine, everything).await.run;
    let mut seen = Vec::new();
    let done = host.work(&engine, |lease| {
        seen.push(lease.partitions.clone().unwrap_or_default().join(","));
        succeeds(lease)
    });
    done.await.expect("the host is heard");
    let days = ["2026-01-01", "2026-01-02", "2026-01-03", "2026-01-04", ""];
    assert_eq!(
        seen, days,
        "four days are over by 5 January, and the sum comes last"
    );
    assert_eq!(run_status(&engine, id), RunStatus::Success);
    let state = &engine.view().state;
    let day = &state.assets[&arco_core::AssetKey::parse("day").expect("a key")];
    assert_eq!(day.materialized.len(), 4);
}

#[tokio::test(start_paused = true)]
async fn what_needs_a_failed_task_is_skipped() {
    let world = World::new();
    let (engine, mut host) = ready(&world, &chain()).await;
    let id = run(&engine, "*").await;
    let first = lease(&mut host, &engine).await;
    fail(&mut host, &engine, first.attempt, UserCode).await;
    use TaskStatus::{Failed, Skipped};
    assert_eq!(tasks(&engine, id), [Failed, Skipped, Skipped]);
    assert_eq!(run_status(&engine, id), RunStatus::Failure);
    assert!(
        host.ask(&engine, 1)
            .await
            .expect("the host is heard")
            .is_empty()
    );
}

fn verdict(passed: bool, severity: Severity) -> Reported {
    Reported::Asset(AssetFact::Checked(AssetCheckResult {
        severity,
        ..AssetCheckResult::new(
            arco_core::AssetKey::parse("a").expect("a key"),
            "good",
            passed,
        )
    }))
}

#[tokio::test(start_paused = true)]
async fn only_a_blocking_check_that_fails_with_error_stops_what_is_downstream() {
    use RunStatus::{Failure, Success};
    let rows = [
        // blocking, passed, severity → the run, b
        (true, false, Severity::Error, Failure, TaskStatus::Skipped),
        (true, false, Severity::Warn, Success, TaskStatus::Succeeded),
        (true, true, Severity::Error, Success, TaskStatus::Succeeded),
        (
            false,
            false,
            Severity::Error,
            Success,
            TaskStatus::Succeeded,
        ),
    ];
    for (blocking, passed, severity, outcome, b) in rows {
        for inside in [false, true] {
            let mut good = check("a", "good");
            good = if blocking { good.blocking() } else { good };
            good = if inside { good.inside() } else { good };
            let manifest = ManifestBuilder::new("main")
                .asset(asset("a"))
                .check(good)
                .asset(asset("b").needs("a"));
            let (engine, mut host) = ready(&World::new(), &manifest).await;
            let id = run(&engine, "*").await;
            let body = |lease: &arco_engine::LeasePlan| {
                let mut said = vec![Reported::Started];
                said.extend(makes(lease));
                if !lease.step.checks.is_empty() {
                    said.push(verdict(passed, severity));
                }
                said.push(Reported::Succeeded);
                said
            };
            host.work(&engine, body).await.expect("the host is heard");
            let row = format!("{blocking} {passed} {severity:?} {inside}");
            assert_eq!(run_status(&engine, id), outcome, "{row}");
            assert_eq!(tasks(&engine, id).last(), Some(&b), "{row}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_check_that_passes_on_the_next_try_blocks_no_more() {
    let manifest = ManifestBuilder::new("main")
        .asset(asset("a").retries(1, 0))
        .check(check("a", "good").blocking().inside())
        .asset(asset("b").needs("a"));
    let (engine, mut host) = ready(&World::new(), &manifest).await;
    let id = run(&engine, "*").await;
    let body = |lease: &arco_engine::LeasePlan| {
        let first_try = lease.attempt.number == 1 && lease.step.name == "a";
        let mut said = vec![Reported::Started];
        said.extend(makes(lease));
        if lease.step.name == "a" {
            said.push(verdict(!first_try, Severity::Error));
        }
        said.push(if first_try {
            arco_testkit::host::failed(UserCode)
        } else {
            Reported::Succeeded
        });
        said
    };
    host.work(&engine, body).await.expect("the host is heard");
    assert_eq!(run_status(&engine, id), RunStatus::Success);
}

#[tokio::test(start_paused = true)]
async fn a_waiting_host_is_woken_by_a_run() {
    let world = World::new();
    let (engine, mut host) = ready(&world, &chain()).await;
    let asking = engine.clone();
    let wait = std::time::Duration::from_secs(30);
    let waiting = tokio::spawn(async move {
        host.exchange_waiting(&asking, Vec::new(), 1, wait)
            .await
            .map(|work| work.leases.len())
    });
    tokio::task::yield_now().await;
    run(&engine, "a").await;
    assert_eq!(
        waiting
            .await
            .expect("it does not panic")
            .expect("the host is heard"),
        1
    );
}

#[tokio::test(start_paused = true)]
async fn a_report_about_something_the_task_does_not_make_ends_it() {
    let manifest = ManifestBuilder::new("main")
        .asset(asset("day").daily("2026-01-01").retries(3, 0))
        .asset(asset("other"));
    let made = |asset: &str, partition: Option<&str>| {
        Reported::Asset(AssetFact::Materialized(AssetMaterialization {
            partition: partition.map(str::to_owned),
            ..AssetMaterialization::new(arco_core::AssetKey::parse(asset).expect("a key"))
        }))
    };
    let rows = [
        (made("other", None), "asset `other`"),
        (made("day", Some("2026-01-03")), "partition `2026-01-03`"),
        (made("day", Some("?")), "partition `?`"),
        (verdict(true, Severity::Error), "check `good` of asset `a`"),
        (made("day", None), ""),
        (made("day", Some("2026-01-02")), ""),
    ];
    for (said, wrong) in rows {
        let (engine, mut host) = ready(&World::new(), &manifest).await;
        let keys = PartitionsAsked::Keys(vec!["2026-01-02".into()]);
        let one_day = arco_engine::RunAsk {
            partitions: keys,
            ..ask("day")
        };
        let id = world::run(&engine, one_day).await.run;
        let body = |_: &arco_engine::LeasePlan| vec![said.clone(), Reported::Succeeded];
        host.work(&engine, body).await.expect("the host is heard");
        let view = engine.view();
        let task = view.state.run(id).expect("it is known").tasks[0].clone();
        let made = events(&engine, "asset.materialized").await.len();
        if wrong.is_empty() {
            assert_eq!((task.status, made), (TaskStatus::Succeeded, 1));
        } else {
            let (_, error) = task.failure().expect("it failed");
            assert!(error.message.contains(wrong), "{}", error.message);
            assert_eq!((task.status, made), (TaskStatus::Failed, 0));
            assert_eq!(task.attempts.len(), 1, "the same again would say the same");
        }
    }
}
