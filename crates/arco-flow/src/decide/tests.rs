use arco_core::event::{FailureClass, Severity};
use arco_core::{HostId, RunId};

use crate::command::{Answer, Command, Reported};
use crate::planner::PartitionsAsked;
use crate::state::RunStatus;
use crate::testing::{World, failed, judged, made, manifest};
use crate::{Rejection, pending};

fn succeed(world: &mut World, asset: &str) {
    let id = world.lease(1)[0];
    let refused = world.report(
        id,
        vec![Reported::Started, made(asset), Reported::Succeeded],
    );
    assert!(refused.is_empty());
}

#[test]
fn a_run_goes_from_request_to_success() {
    let mut world = World::new("a; b <- a");
    let from = world.log.len();
    let run = world.run("a b");
    assert_eq!(world.tasks(run), "a:ready b:waiting");
    assert_eq!(world.state_of(run).status, RunStatus::Queued);
    succeed(&mut world, "a");
    assert_eq!(world.tasks(run), "a:succeeded b:ready");
    succeed(&mut world, "b");
    assert_eq!(world.state_of(run).status, RunStatus::Success);
    assert_eq!(
        world.kinds(from),
        "run.requested attempt.leased asset.materialized attempt.finished \
         attempt.leased asset.materialized attempt.finished run.finished"
    );
}

#[test]
fn a_failure_skips_what_needs_it_and_nothing_else() {
    let mut world = World::new("a; b <- a; c <- b; d");
    let run = world.run("a b c d");
    let ids = world.lease(2);
    world.report(ids[0], vec![failed(FailureClass::UserCode)]);
    assert_eq!(world.tasks(run), "a:failed b:skipped c:skipped d:leased");
    assert_eq!(world.state_of(run).status, RunStatus::Started);
    world.report(ids[1], vec![made("d"), Reported::Succeeded]);
    assert_eq!(world.state_of(run).status, RunStatus::Failure);
}

#[test]
fn a_retry_waits_for_its_time() {
    let mut world = World::new("a retry=1");
    let run = world.run("a");
    let first = world.lease(1)[0];
    world.report(first, vec![failed(FailureClass::UserCode)]);
    assert_eq!(world.tasks(run), "a:retrying");
    assert!(world.lease(1).is_empty(), "the delay is a second");
    let due = pending::next_due(&world.state, world.now).expect("a retry is due some time");
    assert_eq!(due, world.now.plus_ms(1_000));
    world.now = due;
    let second = world.lease(1)[0];
    assert_eq!(
        (second.number, world.state_of(run).tasks[0].failures),
        (2, 1)
    );
    world.report(second, vec![failed(FailureClass::UserCode)]);
    assert_eq!(world.tasks(run), "a:failed");
}

#[test]
fn a_failed_retry_never_hides_a_good_materialization() {
    let mut world = World::new("a; b <- a");
    world.run("a");
    succeed(&mut world, "a");
    let good = world.state.assets.values().next().unwrap().latest.clone();
    world.run("a");
    let id = world.lease(1)[0];
    world.report(id, vec![failed(FailureClass::UserCode)]);
    assert_eq!(world.state.assets.values().next().unwrap().latest, good);
}

#[test]
fn a_blocking_check_stops_what_is_downstream() {
    let rows = [
        (true, Severity::Error, "a:succeeded a__ok:succeeded b:ready"),
        (false, Severity::Warn, "a:succeeded a__ok:succeeded b:ready"),
        (
            false,
            Severity::Error,
            "a:succeeded a__ok:succeeded b:skipped",
        ),
    ];
    for (passed, severity, then) in rows {
        let mut world = World::new("a; b <- a; check a.ok blocking <- a");
        let run = world.run("a b");
        succeed(&mut world, "a");
        let id = world.lease(1)[0];
        world.report(
            id,
            vec![judged("a", "ok", passed, severity), Reported::Succeeded],
        );
        assert_eq!(world.tasks(run), then, "{passed} {severity:?}");
        let failed = world.state_of(run).status == RunStatus::Failure;
        assert_eq!(failed, then.contains("skipped"));
    }
}

#[test]
fn a_blocking_check_that_dies_stops_what_is_downstream() {
    let mut world = World::new("a; b <- a; check a.ok blocking <- a");
    let run = world.run("a b");
    succeed(&mut world, "a");
    let id = world.lease(1)[0];
    world.report(id, vec![failed(FailureClass::UserCode)]);
    assert_eq!(world.tasks(run), "a:succeeded a__ok:failed b:skipped");
}

#[test]
fn late_foreign_and_repeated_reports_change_nothing() {
    let mut world = World::new("a; b");
    world.run("a b");
    let ids = world.lease(2);
    world.report(ids[0], vec![made("a"), Reported::Succeeded]);
    let before = world.state.hash();
    assert!(
        world
            .report(ids[0], vec![made("a"), Reported::Succeeded])
            .is_empty(),
        "said before by this host"
    );
    let other = HostId::from_parts(0, 2);
    world.register(other).unwrap();
    let registered = world.state.hash();
    assert_ne!(before, registered);
    let reports = vec![
        (ids[0], Reported::Succeeded),
        (ids[1], failed(FailureClass::UserCode)),
    ];
    let (_, refused) = world.exchange(other, reports, 0, &[]).unwrap();
    assert_eq!(refused, ids);
    let unknown = arco_core::AttemptId {
        run: RunId::from_parts(99, 99),
        ..ids[0]
    };
    assert_eq!(
        world.report(unknown, vec![Reported::Succeeded]),
        vec![unknown]
    );
    assert_eq!(world.state.hash(), registered);
}

#[test]
fn a_lease_whose_answer_was_lost_is_given_again() {
    let mut world = World::new("a; b");
    world.run("a b");
    let first = world.exchange(world.host, vec![], 1, &[]).unwrap().0;
    let again = world.exchange(world.host, vec![], 1, &[]).unwrap().0;
    assert_eq!(first, again, "the host did not say that it holds it");
    let more = world.exchange(world.host, vec![], 1, &first).unwrap().0;
    assert_ne!(first, more);
}

#[test]
fn a_lost_host_is_fenced_and_its_tasks_are_tried_elsewhere() {
    let mut world = World::new("a");
    let run = world.run("a");
    let first = world.lease(1)[0];
    world.run_command(&Command::HostLost(world.host)).unwrap();
    let late = world.exchange(world.host, vec![(first, Reported::Succeeded)], 1, &[]);
    assert_eq!(late, Err(Rejection::Fenced(world.host)));
    assert_eq!(
        world.register(world.host),
        Err(Rejection::Fenced(world.host))
    );
    world.host = HostId::from_parts(0, 2);
    world.register(world.host).unwrap();
    let second = world.lease(1)[0];
    assert_eq!((second.task, second.number), (first.task, 2));
    world.report(second, vec![made("a"), Reported::Succeeded]);
    assert_eq!(world.state_of(run).status, RunStatus::Success);
}

#[test]
fn cancelling_works_in_every_state() {
    let mut world = World::new("a retry=3; b <- a; c");
    let queued = world.run("a b c");
    world.run_command(&Command::CancelRun(queued)).unwrap();
    assert_eq!(world.tasks(queued), "a:cancelled b:cancelled c:cancelled");
    assert_eq!(world.state_of(queued).status, RunStatus::Canceled);

    let started = world.run("a b c");
    let ids = world.lease(2);
    world.run_command(&Command::CancelRun(started)).unwrap();
    assert_eq!(world.state_of(started).status, RunStatus::Canceling);
    assert_eq!(pending::cancels(&world.state, world.host), ids);
    world.report(ids[0], vec![Reported::Cancelled]);
    assert_eq!(world.tasks(started), "a:cancelled b:cancelled c:leased");
    world.report(ids[1], vec![made("c"), Reported::Succeeded]);
    assert_eq!(world.tasks(started), "a:cancelled b:cancelled c:succeeded");
    assert_eq!(world.state_of(started).status, RunStatus::Canceled);

    let retrying = world.run("a");
    let id = world.lease(1)[0];
    world.report(id, vec![failed(FailureClass::UserCode)]);
    world.run_command(&Command::CancelRun(retrying)).unwrap();
    assert_eq!(world.tasks(retrying), "a:cancelled");

    let from = world.log.len();
    for over in [queued, started, retrying] {
        world.run_command(&Command::CancelRun(over)).unwrap();
    }
    assert_eq!(world.kinds(from), "", "what is over stays as it is");
}

#[test]
fn a_host_that_stops_a_task_unasked_costs_no_policy_retry() {
    let mut world = World::new("a");
    let run = world.run("a");
    let id = world.lease(1)[0];
    world.report(id, vec![Reported::Cancelled]);
    assert_eq!(world.tasks(run), "a:retrying");
    let id = world.lease(1)[0];
    world.report(id, vec![Reported::Released]);
    assert_eq!(world.tasks(run), "a:ready");
    assert_eq!(world.state_of(run).tasks[0].failures, 1);
}

#[test]
fn one_run_key_never_makes_two_runs() {
    let mut world = World::new("a; b");
    let mut request = world.request("a", &PartitionsAsked::None).unwrap();
    request.run_key = Some("nightly".into());
    let first = world.ask(request.clone()).unwrap();
    request.run = RunId::from_parts(50, 50);
    let again = world.ask(request.clone()).unwrap();
    let Answer::Run { run, created: true } = first else {
        panic!("{first:?}")
    };
    assert_eq!(
        again,
        Answer::Run {
            run,
            created: false
        }
    );
    let mut other = world.request("b", &PartitionsAsked::None).unwrap();
    other.run_key = Some("nightly".into());
    let conflict = world.ask(other.clone()).unwrap_err();
    assert!(matches!(&conflict, Rejection::RunKeyConflict { run: known, .. } if *known == run));
    let text = conflict.to_string();
    assert!(text.contains(&request.fingerprint().to_string()), "{text}");
    assert!(text.contains(&other.fingerprint().to_string()), "{text}");
    other.scope = "sensor:x".into();
    assert!(matches!(
        world.ask(other),
        Ok(Answer::Run { created: true, .. })
    ));
}

#[test]
fn one_idempotency_key_is_one_request() {
    let mut world = World::new("a; b");
    let mut request = world.request("a", &PartitionsAsked::None).unwrap();
    request.idempotency_key = Some("k".into());
    let first = world.ask(request.clone()).unwrap();
    request.run = RunId::from_parts(50, 50);
    let Answer::Run { run, .. } = first else {
        panic!("{first:?}")
    };
    assert_eq!(
        world.ask(request),
        Ok(Answer::Run {
            run,
            created: false
        })
    );
    let mut other = world.request("b", &PartitionsAsked::None).unwrap();
    other.idempotency_key = Some("k".into());
    assert!(matches!(
        world.ask(other),
        Err(Rejection::IdempotencyConflict { .. })
    ));
}

#[test]
fn reserved_run_keys_are_refused() {
    let mut world = World::new("a");
    let mut request = world.request("a", &PartitionsAsked::None).unwrap();
    request.run_key = Some("backfill:x".into());
    assert!(matches!(
        world.ask(request),
        Err(Rejection::Reserved { .. })
    ));
}

#[test]
fn a_plan_made_with_old_definitions_is_made_again() {
    let mut world = World::new("a");
    let request = world.request("a", &PartitionsAsked::None).unwrap();
    world.deploy(&manifest("a v=2")).unwrap();
    assert_eq!(world.ask(request), Err(Rejection::Replan));
}

#[test]
fn the_same_definitions_again_are_no_event() {
    let mut world = World::new("a");
    let from = world.log.len();
    world.deploy(&manifest("a")).unwrap();
    assert_eq!(world.kinds(from), "");
}

#[test]
fn priority_goes_first_then_the_order_of_asking() {
    let mut world = World::new("a");
    let low = world.run("a");
    let middle = world.run("a");
    let mut request = world.request("a", &PartitionsAsked::None).unwrap();
    request.priority = 5;
    let high = request.run;
    world.ask(request).unwrap();
    let order: Vec<RunId> = world.lease(3).iter().map(|id| id.run).collect();
    assert_eq!(order, [high, low, middle]);
}

#[test]
fn inputs_are_those_of_the_moment_of_the_lease() {
    let mut world = World::new("a v=1; b v=1 <- a");
    world.run("a");
    succeed(&mut world, "a");
    world.run("b");
    let b = world.lease(1)[0];
    world.run("a");
    succeed(&mut world, "a");
    world.report(b, vec![made("b"), Reported::Succeeded]);
    let asset = &world.state.assets[&arco_core::AssetKey::parse("b").unwrap()];
    let (_, _, made) = &**asset.recent.back().unwrap();
    let first_a = world
        .log
        .iter()
        .find(|(_, e)| e.fact.kind() == "asset.materialized")
        .unwrap()
        .0;
    assert_eq!(
        made.inputs[0].position, first_a,
        "a was made again after b had begun"
    );
}

#[test]
fn data_versions_follow_code_and_inputs() {
    let version = |world: &World, asset: &str| {
        let key = arco_core::AssetKey::parse(asset).unwrap();
        world.state.assets[&key]
            .latest_of(&None)
            .unwrap()
            .data_version
            .clone()
    };
    let mut world = World::new("a v=1; b <- a; c v=1 <- a");
    for _ in 0..2 {
        world.run("a b c");
        succeed(&mut world, "a");
        let ids = world.lease(2);
        world.report(ids[0], vec![made("b"), Reported::Succeeded]);
        world.report(ids[1], vec![made("c"), Reported::Succeeded]);
    }
    let (a, b, c) = (
        version(&world, "a"),
        version(&world, "b"),
        version(&world, "c"),
    );
    world.run("a b c");
    succeed(&mut world, "a");
    let ids = world.lease(2);
    world.report(ids[0], vec![made("b"), Reported::Succeeded]);
    world.report(ids[1], vec![made("c"), Reported::Succeeded]);
    assert_eq!(
        version(&world, "a"),
        a,
        "same code, same inputs: same version"
    );
    assert_eq!(version(&world, "c"), c);
    assert_ne!(
        version(&world, "b"),
        b,
        "without a code version nobody knows (F-15)"
    );
}
