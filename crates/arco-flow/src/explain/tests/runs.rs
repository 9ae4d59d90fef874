//! Of runs.

use arco_core::event::{RerunKind, RerunOf};
use arco_core::run_retries::RetryStrategy;

use super::*;
use crate::rerun::root_of;

#[test]
fn a_failed_run_names_the_task_the_error_and_what_it_brought_down() {
    let mut world = World::new("a; b <- a; c <- b; d");
    let run = world.run("a b c d");
    pass(&mut world, 2_000);
    let ids = world.lease(2);
    world.report(ids[0], vec![Reported::Started]);
    pass(&mut world, 3_000);
    world.report(ids[0], vec![failed(FailureClass::UserCode)]);
    world.report(ids[1], vec![made("d"), Reported::Succeeded]);
    check_run(&world, "run_failed", run);
    check_task(&world, "task_skipped_upstream_failed", run, 2);
}

#[test]
fn a_succeeded_run_says_who_asked_and_under_which_definitions() {
    let mut world = World::new("a; b <- a");
    let run = world.run("a b");
    pass(&mut world, 500);
    succeed(&mut world, "a");
    succeed(&mut world, "b");
    check_run(&world, "run_succeeded", run);
    pass(&mut world, 60_000);
    world.deploy(&manifest("a; b <- a; c <- b")).unwrap();
    check_task(&world, "task_succeeded_after_waiting", run, 1);
}

#[test]
fn a_cancelled_run_says_who_asked() {
    let mut world = World::new("a; b <- a");
    let run = world.run("a b");
    let id = world.lease(1)[0];
    world.report(id, vec![Reported::Started]);
    pass(&mut world, 10_000);
    world.run_command(&Command::CancelRun(run)).unwrap();
    pass(&mut world, 1_000);
    check_run(&world, "run_canceling", run);
    world.report(id, vec![Reported::Cancelled]);
    check_run(&world, "run_cancelled", run);
    check_task(&world, "task_cancelled_before_it_began", run, 1);
}

#[test]
fn an_asset_of_a_run_that_was_not_selected() {
    let mut world = World::new("a; b <- a; d daily; x external");
    let run = world.run("a");
    let d = run_of(&mut world, "d", &["2026-01-01"]);
    let key = |text| AssetKey::parse(text).unwrap();
    check(&world, "run_without_the_asset", |e| {
        Some(e.asset_of_run(world.state_of(run), &key("b"), None))
    });
    check(&world, "run_without_the_external_asset", |e| {
        Some(e.asset_of_run(world.state_of(run), &key("x"), None))
    });
    let other = slot(&world, "d", "2026-01-02");
    check(&world, "run_without_the_partition", |e| {
        Some(e.asset_of_run(world.state_of(d), &key("d"), other.as_ref()))
    });
    let asked = slot(&world, "d", "2026-01-01");
    let past = Past::default();
    let e = Explainer::new(&world.state, world.now, &past);
    let there = e.asset_of_run(world.state_of(d), &key("d"), asked.as_ref());
    assert!(matches!(there.why.reason, Reason::Task { .. }));
}

#[test]
fn an_empty_run_had_nothing_to_do() {
    let mut world = World::new("m monthly");
    // The first month is not over yet: it is no partition.
    world.now = arco_core::Timestamp::parse_rfc3339("2026-01-15T00:00:00Z").unwrap();
    let request = world.request("m", &PartitionsAsked::All).unwrap();
    let Ok(Answer::Run { run, .. }) = world.ask(request) else {
        panic!("expected a run")
    };
    check_run(&world, "run_with_nothing_to_do", run);
}

/// A log of fold version 2 does not say who cancelled: nobody is named.
#[test]
fn an_old_log_leaves_the_canceller_unknown() {
    let mut world = World::new("a");
    world.state.fold_version = 2;
    let run = world.run("a");
    world.run_command(&Command::CancelRun(run)).unwrap();
    let state = world.state_of(run);
    assert_eq!(state.cancelled, None);
    assert!(
        world.state.assets[&AssetKey::parse("a").unwrap()]
            .unmade
            .is_empty()
    );
    let past = Past::default();
    let answer = Explainer::new(&world.state, world.now, &past).run(state);
    let unknown = Unknown::Canceller;
    assert_eq!(
        answer.why.because[0],
        Why::from(Reason::BeforeHistory { unknown })
    );
}

fn rerun(world: &mut World, parent: RunId, kind: RerunKind, selection: Option<&str>) -> RunId {
    let again = RerunOf {
        parent,
        root: root_of(world.state_of(parent)),
        kind,
        selection: selection.map(str::to_owned),
        with_upstream: false,
        with_downstream: false,
        retry: None,
    };
    let request = world.rerun_request(&again).unwrap();
    match world.ask(request) {
        Ok(Answer::Run { run, .. }) => run,
        other => panic!("expected a run, got {other:?}"),
    }
}

#[test]
fn a_rerun_says_which_run_it_does_again_and_who_asked_for_that_one() {
    let mut world = World::new("a; b <- a; c <- b");
    let first = world.run("a b c");
    succeed(&mut world, "a");
    let id = world.lease(1)[0];
    world.report(id, vec![failed(FailureClass::UserCode)]);
    pass(&mut world, 60_000);
    let second = rerun(&mut world, first, RerunKind::FromFailure, None);
    pass(&mut world, 1_000);
    let id = world.lease(1)[0];
    world.report(id, vec![failed(FailureClass::Io)]);
    pass(&mut world, 60_000);
    let third = rerun(&mut world, second, RerunKind::Whole, None);
    check_run(&world, "run_does_another_again", third);
    let subset = rerun(&mut world, first, RerunKind::Subset, Some("a"));
    check_run(&world, "run_does_some_assets_again", subset);
    let past = pack(&mut world);
    check_run(&world, "run_does_one_again_that_left_memory", third);
    let missing = |past| {
        let explainer = Explainer::new(&world.state, world.now, past);
        explainer.missing_of_run(world.state_of(third))
    };
    assert_eq!(missing(&past), Missing::default());
    assert_eq!(missing(&Past::default()).runs, [second]);
}

#[test]
fn a_run_that_failed_says_whether_it_is_done_again_by_itself() {
    let mut world = World::new("a; b <- a");
    world.retries(1, RetryStrategy::FromFailure, true);
    let first = world.run("a b");
    let id = world.lease(1)[0];
    world.report(id, vec![failed(FailureClass::OutOfMemory)]);
    check_run(&world, "run_about_to_be_retried", first);
    pass(&mut world, 500);
    let retry = world.retry(first).unwrap();
    check_run(&world, "run_retried", first);
    let id = world.lease(1)[0];
    world.report(id, vec![failed(FailureClass::Crashed)]);
    check_run(&world, "run_retries_used_up", retry);
    world.retries(5, RetryStrategy::AllSteps, false);
    let other = world.run("a");
    let id = world.lease(1)[0];
    world.report(id, vec![failed(FailureClass::UserCode)]);
    check_run(&world, "run_not_retried_because_user_code_failed", other);
    let gone = world.run("a");
    let id = world.lease(1)[0];
    world.report(id, vec![failed(FailureClass::Crashed)]);
    let reason = "step `a` is no longer defined".to_owned();
    let command = Command::DropRetry { run: gone, reason };
    world.run_command(&command).unwrap();
    check_run(&world, "run_retry_dropped", gone);
}

#[test]
fn a_run_that_took_too_long_says_how_long_it_may() {
    let mut world = World::new("a; b <- a");
    let mut request = world.request("a b", &PartitionsAsked::None).unwrap();
    request.tags = [("dagster/max_runtime".to_owned(), "90".to_owned())].into();
    let Ok(Answer::Run { run, .. }) = world.ask(request) else {
        panic!("expected a run")
    };
    let id = world.lease(1)[0];
    pass(&mut world, 89_999);
    world.run_command(&Command::EnforceTimeLimits).unwrap();
    assert!(!world.state_of(run).is_canceling(), "not yet");
    pass(&mut world, 1);
    world.run_command(&Command::EnforceTimeLimits).unwrap();
    check_run(&world, "run_timed_out_canceling", run);
    pass(&mut world, 700);
    world.report(id, vec![Reported::Cancelled]);
    check_run(&world, "run_timed_out", run);
}
