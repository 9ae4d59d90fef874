use super::*;
use crate::command::{Command, Reported};
use crate::planner::PartitionsAsked;
use crate::testing::{World, made};

/// Lets each step take so many milliseconds once.
fn took(world: &mut World, steps: &[(&str, u64)]) {
    for (step, ms) in steps {
        world.run(step);
        let id = world.lease(1)[0];
        world.report(id, vec![Reported::Started]);
        world.now = world.now.plus_ms(*ms);
        world.report(id, vec![made(step), Reported::Succeeded]);
    }
}

fn estimated(world: &mut World, assets: &str) -> Estimate {
    let plan = world.request(assets, &PartitionsAsked::None).unwrap().plan;
    estimate(&world.state, &plan)
}

#[test]
fn a_diamond_takes_its_longest_chain_and_no_less() {
    let mut world = World::new("a; b <- a; c <- a; d <- b, c");
    took(
        &mut world,
        &[("a", 1_000), ("b", 5_000), ("c", 2_000), ("d", 1_000)],
    );
    let known = estimated(&mut world, "a b c d");
    assert_eq!(known.work_ms, 9_000);
    assert_eq!(known.critical_path_ms, 7_000);
    assert_eq!(known.elapsed_ms, Some(7_000), "four slots are enough");
    assert_eq!(known.stages, [0, 1, 1, 2]);
    assert_eq!(known.unknown(), 0);
}

#[test]
fn slots_bound_what_goes_on_at_once() {
    let mut world = World::new("a; b; c; d; e; f");
    let each = ["a", "b", "c", "d", "e", "f"].map(|step| (step, 1_000));
    took(&mut world, &each);
    let known = estimated(&mut world, "a b c d e f");
    assert_eq!(known.slots["loc"], 4);
    assert_eq!(known.elapsed_ms, Some(2_000), "six tasks, four at once");
    assert_eq!(known.critical_path_ms, 1_000);
    world.run_command(&Command::HostLeft(world.host)).unwrap();
    let without = estimated(&mut world, "a b");
    assert_eq!(without.elapsed_ms, None);
    assert_eq!(without.work_ms, 2_000);
}

#[test]
fn steps_without_history_are_counted_and_not_guessed() {
    let mut world = World::new("a; b <- a; c <- b");
    took(&mut world, &[("b", 3_000)]);
    let some = estimated(&mut world, "a b c");
    assert_eq!(some.tasks, [None, Some(3_000), None]);
    assert_eq!(some.unknown(), 2);
    assert_eq!(some.critical_path_ms, 3_000);
    let empty = estimate(&world.state, &Plan::default());
    assert_eq!(empty.elapsed_ms, Some(0));
}
