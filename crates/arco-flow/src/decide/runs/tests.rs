//! Stopping runs, in each state a run can be in: one by one and all at once.

use arco_core::event::FailureClass;
use arco_core::{AttemptId, HostId, RunId};
use serde_json::json;

use crate::command::{Answer, Command, Reported};
use crate::pending;
use crate::state::RunStatus;
use crate::testing::{World, failed, made};

/// A run in each state, the attempts alive, and what becomes of its tasks when it is stopped.
struct Case {
    name: &'static str,
    run: RunId,
    alive: Option<AttemptId>,
    at_once: &'static str,
    /// What stopping it writes.
    writes: &'static str,
}

/// `d` needs a slot of the pool, which another run holds.
fn cases(world: &mut World) -> Vec<Case> {
    world.limit(&json!({"pools": {"db": {"limit": 1, "granularity": "run"}}}));
    let holder = world.run("d");
    world.lease(1);
    let case = |name, run, alive, at_once, writes| Case {
        name,
        run,
        alive,
        at_once,
        writes,
    };
    let ends = "run.cancel_requested run.finished";
    let waits = world.run("d");
    assert!(world.lease(9).is_empty());
    let leased = world.run("a b");
    let held = world.lease(1)[0];
    let started = world.run("a b");
    let begun = world.lease(1)[0];
    world.report(begun, vec![Reported::Started]);
    let retrying = world.run("a b");
    let fails = world.lease(1)[0];
    world.report(fails, vec![failed(FailureClass::UserCode)]);
    let between = world.run("a b");
    let first = world.lease(1)[0];
    world.report(first, vec![made("a"), Reported::Succeeded]);
    let over = world.run("c");
    let last = world.lease(9);
    // `b` of the run between its tasks, and the only task of the last.
    world.report(last[0], vec![Reported::Released]);
    world.report(last[1], vec![made("c"), Reported::Succeeded]);
    let queued = world.run("a b");
    let _ = holder;
    vec![
        case("queued", queued, None, "a:cancelled b:cancelled", ends),
        case("waiting admission", waits, None, "d:cancelled", ends),
        case(
            "leased",
            leased,
            Some(held),
            "a:leased b:cancelled",
            "run.cancel_requested",
        ),
        case(
            "started",
            started,
            Some(begun),
            "a:running b:cancelled",
            "run.cancel_requested",
        ),
        case("retrying", retrying, None, "a:cancelled b:cancelled", ends),
        case(
            "between tasks",
            between,
            None,
            "a:succeeded b:cancelled",
            ends,
        ),
        case("over", over, None, "c:succeeded", ""),
    ]
}

fn world() -> World {
    World::new("a retry=3; b <- a; c; d pool=db")
}

#[test]
fn cancel_in_each_state() {
    for at in 0..7 {
        let mut world = world();
        let case = cases(&mut world).swap_remove(at);
        let from = world.log.len();
        world.run_command(&Command::CancelRun(case.run)).unwrap();
        assert_eq!(world.kinds(from), case.writes, "{}", case.name);
        assert_eq!(world.tasks(case.run), case.at_once, "{}", case.name);
        let status = |world: &World| world.state_of(case.run).status;
        let told = pending::cancels(&world.state, world.host);
        assert_eq!(
            told,
            case.alive.into_iter().collect::<Vec<_>>(),
            "{}",
            case.name
        );
        match case.alive {
            Some(attempt) => {
                assert_eq!(status(&world), RunStatus::Canceling, "{}", case.name);
                world.report(attempt, vec![Reported::Cancelled]);
                assert_eq!(
                    world.tasks(case.run),
                    "a:cancelled b:cancelled",
                    "{}",
                    case.name
                );
                assert_eq!(status(&world), RunStatus::Canceled, "{}", case.name);
            }
            None if case.name == "over" => assert_eq!(status(&world), RunStatus::Success),
            None => assert_eq!(status(&world), RunStatus::Canceled, "{}", case.name),
        }
        // Terminal states never change.
        let (from, before) = (world.log.len(), world.state.hash());
        world.run_command(&Command::CancelRun(case.run)).unwrap();
        assert_eq!(
            (world.kinds(from), world.state.hash()),
            (String::new(), before)
        );
        assert!(
            world.lease(9).iter().all(|attempt| attempt.run != case.run),
            "nothing of it is tried again: {}",
            case.name
        );
    }
}

#[test]
fn a_group_is_stopped_by_one_decision_and_the_answer_says_which() {
    let mut world = world();
    let cases = cases(&mut world);
    let runs: Vec<RunId> = cases.iter().map(|case| case.run).collect();
    let unknown = RunId::from_parts(999, 999);
    let group = [runs.clone(), vec![unknown]].concat();
    let answer = world
        .run_command(&Command::CancelRuns(group.clone()))
        .unwrap();
    assert_eq!(
        answer,
        Answer::Stopping(runs[..6].to_vec()),
        "all but the one that is over"
    );
    for case in &cases {
        assert_eq!(world.tasks(case.run), case.at_once, "{}", case.name);
    }
    let from = world.log.len();
    let again = world.run_command(&Command::CancelRuns(group)).unwrap();
    assert_eq!(
        (again, world.kinds(from)),
        (Answer::Stopping(vec![]), String::new())
    );
    assert_eq!(world.replayed().hash(), world.state.hash());
}

/// D-19: what comes after the end changes nothing, and the log says that it came.
#[test]
fn a_late_report_of_a_lost_host_is_refused_and_recorded_once() {
    let mut world = World::new("a");
    let id = world.run("a");
    let held = world.lease(1)[0];
    world.run_command(&Command::CancelRun(id)).unwrap();
    let host = world.host;
    world.run_command(&Command::HostLost(host)).unwrap();
    assert_eq!(world.state_of(id).status, RunStatus::Canceled);
    let from = world.log.len();
    let late = || vec![(held, made("a")), (held, Reported::Succeeded)];
    assert_eq!(
        said(&mut world, host, late()),
        Ok(Answer::Fenced(host)),
        "it hears that it was given up"
    );
    assert_eq!(world.kinds(from), "report.refused");
    said(&mut world, host, late()).unwrap();
    assert_eq!(world.kinds(from), "report.refused", "once");
    assert_eq!(world.tasks(id), "a:cancelled");
    assert_eq!(world.state_of(id).status, RunStatus::Canceled);
    assert_eq!(world.state_of(id).materializations, 0);
    let row = &world.state_of(id).tasks[0].attempts[0];
    assert_eq!(row.late, ["materialized a", "succeeded"]);
    assert!(
        world
            .state
            .assets
            .values()
            .all(|asset| asset.latest.is_empty())
    );
    assert_eq!(world.replayed().hash(), world.state.hash());
    // Without a success there is nothing to record.
    for harmless in [
        vec![],
        vec![(held, Reported::Started), (held, Reported::Cancelled)],
    ] {
        let refused = said(&mut world, host, harmless).expect_err("it was given up");
        assert_eq!(refused, "fenced");
    }
    assert_eq!(world.kinds(from), "report.refused");
}

#[test]
fn a_success_after_another_end_is_refused_and_recorded() {
    let mut world = World::new("a");
    let id = world.run("a");
    let held = world.lease(1)[0];
    world.report(held, vec![made("nobodys"), Reported::Succeeded]);
    assert_eq!(world.tasks(id), "a:failed");
    let row = &world.state_of(id).tasks[0].attempts[0];
    assert_eq!(row.late, ["succeeded"]);
}

fn said(
    world: &mut World,
    host: HostId,
    reports: Vec<(AttemptId, Reported)>,
) -> Result<Answer, &'static str> {
    let exchange = crate::command::HostExchange {
        host,
        reports,
        want: 0,
        live: Vec::new(),
    };
    let heard = world.run_command(&Command::Exchange(exchange));
    heard.map_err(|rejection| rejection.code())
}
