use std::collections::BTreeMap;

use arco_core::event::{FailureClass, RerunKind, RerunOf, Severity};
use arco_core::run_retries::RetryStrategy;
use arco_core::{AttemptId, RunId};

use crate::command::{Answer, Command, Reported, RunRequest};
use crate::planner::PartitionsAsked;
use crate::rerun::root_of;
use crate::state::{RunStatus, State};
use crate::testing::{World, failed, judged, made};
use crate::{Rejection, pending};

fn tagged(world: &mut World, assets: &str, tags: &[(&str, &str)]) -> Result<RunId, Rejection> {
    let own = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
    let request = RunRequest {
        tags: tags.iter().map(own).collect::<BTreeMap<_, _>>(),
        ..world.request(assets, &PartitionsAsked::None).unwrap()
    };
    match world.ask(request)? {
        Answer::Run { run, .. } => Ok(run),
        other => panic!("expected a run, got {other:?}"),
    }
}

fn fail(world: &mut World, class: FailureClass) -> AttemptId {
    let id = world.lease(1)[0];
    world.report(id, vec![failed(class)]);
    id
}

fn succeed(world: &mut World, asset: &str) {
    let id = world.lease(1)[0];
    world.report(id, vec![made(asset), Reported::Succeeded]);
}

fn owed(world: &World) -> Vec<RunId> {
    pending::retries(&world.state).map(|(run, _)| run).collect()
}

fn tag<'w>(world: &'w World, run: RunId, tag: &str) -> Option<&'w str> {
    world.state_of(run).tags.get(tag).map(String::as_str)
}

/// what did not succeed is done again, once, and the tags tell which run and which number.
#[test]
fn a_run_that_fails_is_done_again_from_failure_as_its_tag_says() {
    let mut world = World::new("a; b <- a");
    let first = tagged(&mut world, "a b", &[("dagster/max_retries", "2")]).unwrap();
    succeed(&mut world, "a");
    fail(&mut world, FailureClass::UserCode);
    assert_eq!(world.state_of(first).status, RunStatus::Failure);
    assert_eq!(owed(&world), [first]);
    assert_eq!(tag(&world, first, "dagster/will_retry"), Some("true"));
    let retry = world.retry(first).unwrap();
    assert_eq!(owed(&world), []);
    assert_eq!(world.tasks(retry), "b:ready", "what succeeded stands");
    let text = retry.to_string();
    assert_eq!(
        tag(&world, first, "dagster/auto_retry_run_id"),
        Some(&*text)
    );
    assert_eq!(tag(&world, retry, "dagster/retry_number"), Some("1"));
    let parent = first.to_string();
    assert_eq!(tag(&world, retry, "dagster/parent_run_id"), Some(&*parent));
    assert_eq!(tag(&world, retry, "dagster/max_retries"), Some("2"));
    assert_eq!(tag(&world, retry, "dagster/will_retry"), None);
    // The second retry is the last: it is of the same lineage.
    fail(&mut world, FailureClass::UserCode);
    let second = world.retry(retry).unwrap();
    assert_eq!(tag(&world, second, "dagster/retry_number"), Some("2"));
    assert_eq!(world.state_of(second).rerun.as_ref().unwrap().root, first);
    fail(&mut world, FailureClass::UserCode);
    assert_eq!(world.state_of(second).status, RunStatus::Failure);
    assert_eq!(owed(&world), []);
    assert_eq!(tag(&world, second, "dagster/will_retry"), Some("false"));
    assert_eq!(world.replayed().hash(), world.state.hash());
}

#[test]
fn all_steps_are_done_again_when_the_strategy_says_so() {
    let mut world = World::new("a; b <- a");
    world.retries(1, RetryStrategy::AllSteps, true);
    let first = world.run("a b");
    succeed(&mut world, "a");
    fail(&mut world, FailureClass::UserCode);
    let retry = world.retry(first).unwrap();
    assert_eq!(world.tasks(retry), "a:ready b:waiting");
    assert_eq!(
        world.state_of(retry).rerun.as_ref().unwrap().kind,
        RerunKind::Whole
    );
}

#[test]
fn nothing_is_retried_without_a_setting_nor_when_a_tag_says_none() {
    let mut world = World::new("a");
    world.run("a");
    fail(&mut world, FailureClass::Crashed);
    assert_eq!(owed(&world), []);
    world.retries(3, RetryStrategy::FromFailure, true);
    tagged(&mut world, "a", &[("dagster/max_retries", "0")]).unwrap();
    fail(&mut world, FailureClass::Crashed);
    assert_eq!(owed(&world), []);
    let counted = world.run("a");
    fail(&mut world, FailureClass::Crashed);
    assert_eq!(owed(&world), [counted], "the setting holds for the rest");
}

/// failures of user code are not retried when only those of the platform are to be.
#[test]
fn failures_of_user_code_are_told_from_failures_of_processes() {
    let mut world = World::new("a; check a.ok blocking <- a");
    world.retries(9, RetryStrategy::FromFailure, false);
    for (class, retried) in [
        (FailureClass::UserCode, false),
        (FailureClass::Timeout, false),
        (FailureClass::Io, false),
        (FailureClass::OutOfMemory, true),
        (FailureClass::Crashed, true),
    ] {
        let run = world.run("a");
        fail(&mut world, class);
        assert_eq!(owed(&world).contains(&run), retried, "{class:?}");
    }
    let judged_badly = |world: &mut World| {
        let run = world.run("a");
        succeed(world, "a");
        let id = world.lease(1)[0];
        let verdict = judged("a", "ok", false, Severity::Error);
        world.report(id, vec![verdict, Reported::Succeeded]);
        assert_eq!(world.state_of(run).status, RunStatus::Failure);
        owed(world).contains(&run)
    };
    assert!(
        !judged_badly(&mut world),
        "data quality is not the platform"
    );
    world.retries(9, RetryStrategy::FromFailure, true);
    assert!(judged_badly(&mut world));
}

/// what was stopped is not retried, and reruns by hand count.
#[test]
fn a_stopped_run_is_not_retried_and_reruns_by_hand_count() {
    let mut world = World::new("a; b <- a");
    world.retries(1, RetryStrategy::FromFailure, true);
    let stopped = world.run("a b");
    let id = world.lease(1)[0];
    world.run_command(&Command::CancelRun(stopped)).unwrap();
    world.report(id, vec![failed(FailureClass::UserCode)]);
    assert_eq!(world.state_of(stopped).status, RunStatus::Canceled);
    assert_eq!(owed(&world), []);
    let by_hand = RerunOf {
        parent: stopped,
        root: root_of(world.state_of(stopped)),
        kind: RerunKind::FromFailure,
        selection: None,
        with_upstream: false,
        with_downstream: false,
        retry: None,
    };
    let request = world.rerun_request(&by_hand).unwrap();
    world.ask(request).unwrap();
    fail(&mut world, FailureClass::UserCode);
    assert_eq!(
        owed(&world),
        [],
        "one rerun was allowed, and was made by hand"
    );
}

/// Whoever makes the retry twice, after a lost answer or a change of the lead, finds the first.
#[test]
fn a_retry_is_made_once() {
    let mut world = World::new("a");
    world.retries(5, RetryStrategy::FromFailure, true);
    let first = world.run("a");
    fail(&mut world, FailureClass::UserCode);
    let owes = world.state.clone();
    let retry = world.retry(first).unwrap();
    assert_eq!(world.retry(first).unwrap(), retry, "the key finds it");
    assert_eq!(world.state.runs.len(), 2);
    // A snapshot taken in between owes it still.
    let restored = State::from_bytes(&owes.to_bytes()).unwrap();
    assert_eq!(pending::retries(&restored).count(), 1);
    assert_eq!(restored.run_retries, world.state.run_retries);
    // Nobody gets one that is not owed.
    fail(&mut world, FailureClass::UserCode);
    let reason = "a test".to_owned();
    let command = Command::DropRetry { run: retry, reason };
    world.run_command(&command).unwrap();
    assert_eq!(owed(&world), []);
    assert_eq!(world.retry(retry), Err(Rejection::NoRetryOwed(retry)));
    let events = world.log.len();
    world.run_command(&command).unwrap();
    assert_eq!(world.log.len(), events, "dropped once");
}

#[test]
fn tags_that_mean_nothing_and_tags_that_arco_writes_are_refused() {
    let mut world = World::new("a");
    for (key, value, code) in [
        ("dagster/max_retries", "many", "bad_tag"),
        ("dagster/retry_strategy", "SOME_STEPS", "bad_tag"),
        ("dagster/retry_on_asset_or_op_failure", "no", "bad_tag"),
        ("dagster/retry_number", "1", "reserved"),
        ("dagster/will_retry", "true", "reserved"),
        ("dagster/auto_retry_run_id", "x", "reserved"),
    ] {
        let refused = tagged(&mut world, "a", &[(key, value)]).unwrap_err();
        assert_eq!(refused.code(), code, "{key}={value}");
    }
    assert!(world.state.runs.is_empty());
}

/// A replica of an older program folds the same log: until all read retries, nobody owes any.
#[test]
fn an_old_log_owes_nothing() {
    let mut world = World::new("a");
    world.retries(5, RetryStrategy::FromFailure, true);
    world.state.fold_version = 2;
    world.run("a");
    fail(&mut world, FailureClass::UserCode);
    assert_eq!(owed(&world), []);
}
