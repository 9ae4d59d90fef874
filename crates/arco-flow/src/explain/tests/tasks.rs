//! Of tasks.

use arco_core::limits::{Granularity, Limits, PoolLimit};

use super::*;

#[test]
fn a_task_tried_again_tells_its_attempts_and_why_there_is_no_other() {
    let mut world = World::new("a retry=1");
    let run = world.run("a");
    let first = world.lease(1)[0];
    world.report(first, vec![Reported::Started]);
    pass(&mut world, 700);
    world.report(first, vec![failed(FailureClass::OutOfMemory)]);
    pass(&mut world, 400);
    check_task(&world, "task_retrying", run, 0);
    pass(&mut world, 2_000);
    let second = world.lease(1)[0];
    world.report(second, vec![Reported::Started]);
    pass(&mut world, 90_000);
    world.report(second, vec![failed(FailureClass::Crashed)]);
    check_task(&world, "task_failed_retries_used_up", run, 0);
}

#[test]
fn a_timeout_says_the_limit() {
    let mut world = World::new("a");
    let mut definitions = manifest("a");
    definitions["steps"][0]["timeout_ms"] = 60_000.into();
    world.deploy(&definitions).unwrap();
    let run = world.run("a");
    let id = world.lease(1)[0];
    pass(&mut world, 60_000);
    world.report(id, vec![failed(FailureClass::Timeout)]);
    check_task(&world, "task_timed_out", run, 0);
}

#[test]
fn a_lost_worker_and_a_given_back_try_are_no_fault_of_the_task() {
    let mut world = World::new("a");
    let run = world.run("a");
    let id = world.lease(1)[0];
    world.report(id, vec![Reported::Released]);
    pass(&mut world, 1_000);
    let id = world.lease(1)[0];
    world.report(id, vec![Reported::Started]);
    pass(&mut world, 30_000);
    world.run_command(&Command::HostLost(world.host)).unwrap();
    pass(&mut world, 5_000);
    check_task(&world, "task_released_lost_and_without_host", run, 0);
}

#[test]
fn a_task_waits_for_tasks_for_hosts_or_for_its_turn() {
    let mut world = World::new("a; b <- a; c <- b; d; e; f; g");
    let chain = world.run("a b c");
    let leased = world.lease(1)[0];
    world.report(leased, vec![Reported::Started]);
    pass(&mut world, 4_000);
    check_task(&world, "task_waits_for_tasks", chain, 2);
    check_run(&world, "run_goes_on", chain);
    let others = world.run("d e f g");
    assert_eq!(world.lease(3).len(), 3);
    pass(&mut world, 1_000);
    let more = world.run("g");
    check_task(&world, "task_waits_behind_others", more, 0);
    check_run(&world, "run_queued", more);
    assert_ne!(others, more);
}

#[test]
fn a_host_with_room_takes_the_task_with_its_next_call() {
    let mut world = World::new("a");
    let run = world.run("a");
    check_task(&world, "task_about_to_begin", run, 0);
    world.run_command(&Command::HostLeft(world.host)).unwrap();
    check_task(&world, "task_without_host", run, 0);
}

#[test]
fn a_blocking_check_is_named_with_what_it_said() {
    let mut world = World::new("a; b <- a; check a.ok blocking <- a");
    let run = world.run("a b");
    succeed(&mut world, "a");
    let id = world.lease(1)[0];
    world.report(
        id,
        vec![
            judged("a", "ok", false, Severity::Error),
            Reported::Succeeded,
        ],
    );
    assert_eq!(world.tasks(run), "a:succeeded a__ok:succeeded b:skipped");
    check_task(&world, "task_blocked_by_a_check", run, 2);
    // Judged again since: what it said then is not in the state any more, and is not made up.
    let again = world.run("a b");
    succeed(&mut world, "a");
    let id = world.lease(1)[0];
    world.report(
        id,
        vec![
            judged("a", "ok", true, Severity::Error),
            Reported::Succeeded,
        ],
    );
    check_task(&world, "task_blocked_by_a_check_judged_since", run, 2);
    check_task(&world, "task_ready_after_a_check", again, 2);
}

#[test]
fn a_second_host_shares_the_load() {
    let mut world = World::new("a; b; c; d; e");
    let other = HostId::from_parts(0, 2);
    world.register(other).unwrap();
    world.run("a b c d e");
    world.lease(4);
    let run = world.run("a");
    check_task(&world, "task_with_a_host_that_has_room", run, 0);
}

#[test]
fn a_run_waits_for_a_limit_and_a_task_for_its_pool_and_say_who_has_the_slots() {
    let mut world = World::new("a; b; c <- a");
    let mut definitions = manifest("a; b; c <- a");
    for step in definitions["steps"].as_array_mut().unwrap() {
        step["pool"] = "db".into();
    }
    world.deploy(&definitions).unwrap();
    let pool = |limit, granularity| PoolLimit { limit, granularity };
    let mut limits = Limits {
        runs: Some(2),
        pools: [("db".to_owned(), pool(1, Granularity::Task))].into(),
        ..Limits::default()
    };
    world
        .run_command(&Command::SetLimits(limits.clone()))
        .unwrap();
    let first = world.run("a c");
    let second = world.run("b");
    let third = world.run("b");
    assert_eq!(world.lease(4).len(), 1);
    pass(&mut world, 3_000);
    check_run(&world, "run_waits_for_a_pool", second);
    check_run(&world, "run_waits_behind_another", third);
    limits.pools = [("db".to_owned(), pool(5, Granularity::Task))].into();
    world
        .run_command(&Command::SetLimits(limits.clone()))
        .unwrap();
    assert_eq!(world.lease(4).len(), 1, "two runs at once");
    check_run(&world, "run_waits_for_a_limit_on_runs", third);
    check_task(&world, "task_of_a_queued_run", third, 0);
    limits.runs = None;
    limits.pools = [("db".to_owned(), pool(1, Granularity::Task))].into();
    world.run_command(&Command::SetLimits(limits)).unwrap();
    let id = AttemptId {
        run: first,
        task: 0,
        number: 1,
    };
    world.report(id, vec![made("a"), Reported::Succeeded]);
    check_task(&world, "task_waits_for_a_pool", first, 1);
}
