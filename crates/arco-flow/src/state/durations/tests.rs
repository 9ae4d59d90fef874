use super::*;
use crate::command::Reported;
use crate::testing::{World, failed, made, manifest};

fn of(ms: &[u64]) -> Durations {
    let mut durations = Durations::default();
    ms.iter().for_each(|ms| durations.add(*ms));
    durations
}

#[test]
fn the_median_of_the_last_ones_is_told() {
    assert_eq!(of(&[]).median_ms(), None);
    assert_eq!(of(&[7]).median_ms(), Some(7));
    assert_eq!(of(&[9, 1, 5]).median_ms(), Some(5));
    assert_eq!(of(&[1, 2, 3, 4]).median_ms(), Some(3));
    assert_eq!(of(&[1, u64::MAX]).median_ms(), Some(u64::from(u32::MAX)));
    let many: Vec<u64> = (0..100).collect();
    assert_eq!(of(&many).count(), KEPT);
    assert_eq!(of(&many).median_ms(), Some(92));
}

#[test]
fn successes_count_from_the_beginning_of_the_body_and_failures_do_not() {
    let mut world = World::new("a retry=3");
    world.run("a");
    let first = world.lease(1)[0];
    world.now = world.now.plus_ms(10_000);
    world.report(first, vec![Reported::Started]);
    world.now = world.now.plus_ms(90_000);
    world.report(
        first,
        vec![failed(arco_core::event::FailureClass::UserCode)],
    );
    let key = ("loc".to_owned(), "a".to_owned());
    assert_eq!(world.state.durations.get(&key), None);
    world.now = world.now.plus_ms(5_000);
    let second = world.lease(1)[0];
    world.now = world.now.plus_ms(2_000);
    world.report(second, vec![Reported::Started]);
    world.now = world.now.plus_ms(700);
    world.report(second, vec![made("a"), Reported::Succeeded]);
    assert_eq!(world.state.durations[&key].median_ms(), Some(700));
    assert_eq!(world.replayed().durations, world.state.durations);
    let snapshot = State::from_bytes(&world.state.to_bytes()).unwrap();
    assert_eq!(snapshot.durations, world.state.durations);
}

#[test]
fn a_step_that_is_gone_is_forgotten() {
    let mut world = World::new("a; b");
    world.run("a b");
    for attempt in world.lease(2) {
        let asset = ["a", "b"][attempt.task as usize];
        world.report(attempt, vec![made(asset), Reported::Succeeded]);
    }
    assert_eq!(world.state.durations.len(), 2);
    world.deploy(&manifest("b; c")).expect("it deploys");
    let known: Vec<&str> = world
        .state
        .durations
        .keys()
        .map(|(_, step)| step.as_str())
        .collect();
    assert_eq!(known, ["b"]);
    assert_eq!(world.replayed().durations, world.state.durations);
}
