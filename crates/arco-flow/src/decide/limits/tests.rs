use arco_core::event::{AttemptOutcome, FailureClass};
use arco_core::limits::TimeLimits;
use arco_core::{AttemptId, RunId};
use serde_json::json;

use crate::command::{Command, Reported};
use crate::pending;
use crate::planner::PartitionsAsked;
use crate::state::{RunStatus, State};
use crate::testing::{World, failed, made};

fn ask(world: &mut World, assets: &str, limits: TimeLimits) -> RunId {
    let mut request = world
        .request(assets, &PartitionsAsked::None)
        .expect("a plan");
    request.time_limits = limits;
    let run = request.run;
    world.ask(request).expect("a run without a key");
    run
}

fn tagged(world: &mut World, tag: &str, value: &str) -> Result<RunId, crate::Rejection> {
    let mut request = world.request("a", &PartitionsAsked::None).expect("a plan");
    request.tags.insert(tag.into(), value.into());
    let run = request.run;
    world.ask(request).map(|_| run)
}

fn after(world: &mut World, ms: u64) {
    world.now = world.now.plus_ms(ms);
    world.run_command(&Command::EnforceTimeLimits).unwrap();
}

fn queue(ms: u64) -> TimeLimits {
    TimeLimits {
        queue_ms: Some(ms),
        ..TimeLimits::default()
    }
}

fn run(ms: u64) -> TimeLimits {
    TimeLimits {
        run_ms: Some(ms),
        ..TimeLimits::default()
    }
}

fn start(ms: u64) -> TimeLimits {
    TimeLimits {
        start_ms: Some(ms),
        ..TimeLimits::default()
    }
}

/// The failure of the last attempt of a run's first task.
fn failure(world: &World, run: RunId) -> (FailureClass, String) {
    let task = world.state_of(run).task(0).unwrap();
    let (class, error) = task.failure().expect("it failed");
    (class, format!("{}: {}", error.kind, error.message))
}

#[test]
fn a_run_that_waits_for_too_long_fails_and_a_later_lease_finds_nothing() {
    let mut world = World::new("a; b <- a");
    let waits = ask(&mut world, "a b", queue(1_000));
    let unlimited = ask(&mut world, "a", TimeLimits::default());
    after(&mut world, 999);
    assert_eq!(world.state_of(waits).status, RunStatus::Queued);
    let from = world.log.len();
    after(&mut world, 1);
    assert_eq!(world.kinds(from), "run.timed_out run.finished");
    let run = world.state_of(waits);
    assert_eq!(run.status, RunStatus::Failure);
    assert_eq!(
        run.timed_out.expect("a time limit did it").message(),
        "the run waited in the queue for longer than its limit of 1000 ms"
    );
    assert_eq!(world.tasks(waits), "a:cancelled b:cancelled");
    assert!(
        world
            .state
            .assets
            .values()
            .all(|asset| asset.in_progress.len() <= 1),
        "nothing of it is planned any more"
    );
    let leased = world.lease(9);
    assert_eq!(leased.len(), 1);
    assert_eq!(leased[0].run, unlimited);
    assert!(world.state.deadlines.is_empty());
    let from = world.log.len();
    after(&mut world, 1_000_000);
    assert_eq!(world.kinds(from), "", "what is over is over");
}

#[test]
fn a_run_that_begins_in_time_waits_no_more() {
    let mut world = World::new("a");
    let id = ask(&mut world, "a", queue(1_000));
    world.lease(1);
    after(&mut world, 5_000);
    assert_eq!(world.state_of(id).status, RunStatus::Started);
}

/// told to cancel, then a failure. What its host says of it in the meantime stands.
#[test]
fn a_run_that_goes_on_for_too_long_is_stopped_and_fails() {
    for (said, class) in [
        (Reported::Cancelled, FailureClass::Timeout),
        (Reported::Released, FailureClass::Timeout),
        (failed(FailureClass::UserCode), FailureClass::UserCode),
    ] {
        let mut world = World::new("a retry=3; b <- a; c");
        let id = ask(&mut world, "a b c", run(60_000));
        let held = world.lease(2);
        world.report(held[1], vec![made("c"), Reported::Succeeded]);
        after(&mut world, 59_999);
        assert!(pending::cancels(&world.state, world.host).is_empty());
        after(&mut world, 1);
        assert_eq!(world.state_of(id).status, RunStatus::Canceling);
        assert_eq!(pending::cancels(&world.state, world.host), [held[0]]);
        assert_eq!(world.tasks(id), "a:leased b:cancelled c:succeeded");
        world.report(held[0], vec![said]);
        assert_eq!(world.state_of(id).status, RunStatus::Failure);
        assert_eq!(world.tasks(id), "a:failed b:cancelled c:succeeded");
        let (found, message) = failure(&world, id);
        assert_eq!(found, class);
        if class == FailureClass::Timeout {
            assert_eq!(
                message,
                "RunTimedOut: the run went on for longer than its limit of 60000 ms"
            );
        }
        assert!(world.state.retrying.is_empty(), "nothing is tried again");
    }
}

#[test]
fn a_run_whose_last_task_succeeds_after_its_time_has_failed_all_the_same() {
    let mut world = World::new("a");
    let id = ask(&mut world, "a", run(1_000));
    let held = world.lease(1)[0];
    after(&mut world, 1_000);
    world.report(held, vec![made("a"), Reported::Succeeded]);
    assert_eq!(world.tasks(id), "a:succeeded", "what was made was made");
    assert_eq!(world.state_of(id).status, RunStatus::Failure);
}

#[test]
fn a_lost_host_ends_a_run_that_is_over_its_time() {
    let mut world = World::new("a");
    let id = ask(&mut world, "a", run(1_000));
    world.lease(1);
    after(&mut world, 1_000);
    let host = world.host;
    world.run_command(&Command::HostLost(host)).unwrap();
    assert_eq!(world.state_of(id).status, RunStatus::Failure);
    assert_eq!(failure(&world, id).0, FailureClass::Timeout);
}

#[test]
fn stopped_by_a_person_is_stopped_and_not_timed_out() {
    let mut world = World::new("a");
    let id = ask(&mut world, "a", run(1_000));
    let held = world.lease(1)[0];
    world.run_command(&Command::CancelRun(id)).unwrap();
    after(&mut world, 5_000);
    world.report(held, vec![Reported::Cancelled]);
    assert_eq!(world.state_of(id).status, RunStatus::Canceled);
    assert_eq!(world.state_of(id).timed_out, None);
}

/// The host is asked first: until it has stopped the attempt, no other may begin.
#[test]
fn an_attempt_that_does_not_begin_in_time_is_stopped_and_tried_elsewhere() {
    let mut world = World::new("a retry=1");
    let id = ask(&mut world, "a", start(1_000));
    let held = world.lease(1)[0];
    after(&mut world, 1_000);
    assert_eq!(pending::cancels(&world.state, world.host), [held]);
    assert_eq!(world.tasks(id), "a:leased");
    after(&mut world, 5_000);
    assert!(world.lease(1).is_empty(), "the host still holds it");
    // It began in the meantime: too late.
    world.report(held, vec![Reported::Started]);
    assert_eq!(pending::cancels(&world.state, world.host), [held]);
    world.report(held, vec![Reported::Cancelled]);
    assert_eq!(world.tasks(id), "a:retrying");
    assert_eq!(
        failure(&world, id),
        (
            FailureClass::Timeout,
            "StartTimedOut: the host did not begin the task within its limit of 1000 ms".into()
        )
    );
    after(&mut world, 1_000);
    let again = world.lease(1)[0];
    assert_eq!(again.number, 2);
    world.report(again, vec![Reported::Started]);
    after(&mut world, 5_000);
    assert!(
        pending::cancels(&world.state, world.host).is_empty(),
        "what began is not waited for"
    );
    world.report(again, vec![made("a"), Reported::Succeeded]);
    assert_eq!(world.state_of(id).status, RunStatus::Success);
}

#[test]
fn a_host_that_is_lost_before_it_began_costs_no_try() {
    let mut world = World::new("a");
    let id = ask(&mut world, "a", start(1_000));
    let held = world.lease(1)[0];
    after(&mut world, 1_000);
    let host = world.host;
    world.run_command(&Command::HostLost(host)).unwrap();
    let row = &world.state_of(id).task(held.task).unwrap().attempts[0];
    assert!(matches!(
        &row.outcome,
        Some(AttemptOutcome::Failed {
            class: FailureClass::WorkerLost,
            ..
        })
    ));
    assert_eq!(world.tasks(id), "a:retrying");
}

#[test]
fn the_workspace_has_limits_for_runs_that_say_nothing_also_for_those_that_are_there() {
    let mut world = World::new("a");
    let says_nothing = ask(&mut world, "a", TimeLimits::default());
    let longer = ask(&mut world, "a", queue(10_000));
    let none = ask(&mut world, "a", queue(0));
    world.limit(&json!({"times": {"queue_ms": 1_000}}));
    after(&mut world, 1_000);
    let status = |world: &World, run| world.state_of(run).status;
    assert_eq!(status(&world, says_nothing), RunStatus::Failure);
    assert_eq!(status(&world, longer), RunStatus::Queued);
    after(&mut world, 9_000);
    assert_eq!(status(&world, longer), RunStatus::Failure);
    world.limit(&json!({"times": {"run_ms": 500}}));
    let held: Vec<AttemptId> = world.lease(9);
    assert_eq!(held[0].run, none);
    after(&mut world, 500);
    assert_eq!(status(&world, none), RunStatus::Canceling);
}

#[test]
fn dagsters_tag_is_read_and_refused_when_it_is_no_number() {
    let mut world = World::new("a");
    let id = tagged(&mut world, "dagster/max_runtime", "2").expect("seconds");
    world.lease(1);
    after(&mut world, 2_000);
    assert_eq!(world.state_of(id).status, RunStatus::Canceling);
    let from = world.log.len();
    let refused = tagged(&mut world, "dagster/max_runtime", "soon").expect_err("no number");
    assert_eq!(refused.code(), "bad_limits");
    assert_eq!(world.kinds(from), "", "nothing changed");
}

#[test]
fn limits_survive_a_snapshot_and_a_replay() {
    let mut world = World::new("a; b");
    ask(&mut world, "a", queue(1_000));
    world.lease(1);
    ask(&mut world, "b", start(2_000));
    ask(&mut world, "b", run(3_000));
    world.lease(1);
    ask(&mut world, "a", queue(4_000));
    assert_eq!(world.state.deadlines.len(), 2);
    let built = State::from_bytes(&world.state.to_bytes()).unwrap();
    assert_eq!(built.deadlines, world.state.deadlines);
    after(&mut world, 100_000);
    let replayed = world.replayed();
    assert_eq!(replayed.hash(), world.state.hash());
    assert_eq!(replayed.deadlines, world.state.deadlines);
}

#[test]
fn many_limits_that_end_at_once_are_enforced_by_several_decisions() {
    let mut world = World::new("a");
    for _ in 0..super::ENFORCED_MAX + 1 {
        ask(&mut world, "a", queue(1));
    }
    after(&mut world, 1);
    assert_eq!(world.state.deadlines.len(), 1);
    after(&mut world, 0);
    assert!(world.state.deadlines.is_empty() && world.state.active_runs.is_empty());
}
