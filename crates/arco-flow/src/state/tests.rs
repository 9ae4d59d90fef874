use arco_core::event::{FailureClass, Severity};
use arco_core::{AssetKey, RunId};
use proptest::prelude::*;

use super::{PagedBitmap, RunStatus, State, TaskEvent, TaskStatus};
use crate::command::{Command, Reported};
use crate::testing::{World, failed, judged, made};

#[test]
fn every_legal_transition_is_listed_and_terminal_states_never_change() {
    use TaskEvent as E;
    use TaskStatus as S;
    let legal = [
        (S::Waiting, E::NeedsMet, S::Ready),
        (S::Waiting, E::Skipped, S::Skipped),
        (S::Waiting, E::Cancelled, S::Cancelled),
        (S::Ready, E::Leased, S::Leased),
        (S::Ready, E::Cancelled, S::Cancelled),
        (S::Retrying, E::Leased, S::Leased),
        (S::Retrying, E::Cancelled, S::Cancelled),
        (S::Leased, E::Started, S::Running),
        (S::Leased, E::Succeeded, S::Succeeded),
        (S::Leased, E::FailedWillRetry, S::Retrying),
        (S::Leased, E::Failed, S::Failed),
        (S::Leased, E::Cancelled, S::Cancelled),
        (S::Leased, E::Released, S::Ready),
        (S::Running, E::Succeeded, S::Succeeded),
        (S::Running, E::FailedWillRetry, S::Retrying),
        (S::Running, E::Failed, S::Failed),
        (S::Running, E::Cancelled, S::Cancelled),
        (S::Running, E::Released, S::Ready),
    ];
    let statuses = [
        S::Waiting,
        S::Ready,
        S::Leased,
        S::Running,
        S::Retrying,
        S::Succeeded,
        S::Failed,
        S::Skipped,
        S::Cancelled,
    ];
    let events = [
        E::NeedsMet,
        E::Leased,
        E::Started,
        E::Succeeded,
        E::FailedWillRetry,
        E::Failed,
        E::Released,
        E::Cancelled,
        E::Skipped,
    ];
    for from in statuses {
        for event in events {
            let listed = legal
                .iter()
                .find(|(f, e, _)| (*f, *e) == (from, event))
                .map(|(_, _, to)| *to);
            assert_eq!(from.after(event), listed, "{from:?} {event:?}");
            assert!(
                !from.is_terminal() || listed.is_none(),
                "{from:?} is terminal"
            );
        }
    }
}

proptest! {
    #[test]
    fn a_paged_bitmap_is_a_set(changes in prop::collection::vec((any::<bool>(), 0_u32..20_000), 0..300)) {
        let (mut paged, mut set) = (PagedBitmap::default(), std::collections::BTreeSet::new());
        for (insert, n) in changes {
            let (ours, theirs) = if insert { (paged.insert(n), set.insert(n)) } else { (paged.remove(n), set.remove(&n)) };
            prop_assert_eq!(ours, theirs);
        }
        prop_assert_eq!(paged.len(), set.len() as u64);
        prop_assert_eq!(paged.iter().collect::<Vec<_>>(), set.into_iter().collect::<Vec<_>>());
    }

    /// A random workspace life: the state is the replay of its log, any snapshot in the middle gives
    /// the same end, and the derived indexes are what a full scan finds.
    #[test]
    fn the_state_is_its_log(choices in prop::collection::vec(0_u8..10, 1..60)) {
        let world = live(&choices);
        prop_assert_eq!(world.replayed().hash(), world.state.hash());
        let middle = world.log.len() / 2;
        let mut early = State::default();
        for (at, event) in &world.log[..middle] {
            early.apply(*at, event, &world.blobs).expect("applies");
        }
        let mut late = State::from_bytes(&early.to_bytes()).expect("a snapshot reads back");
        for (at, event) in &world.log[middle..] {
            late.apply(*at, event, &world.blobs).expect("applies");
        }
        prop_assert_eq!(late.hash(), world.state.hash());
        prop_assert_eq!(&late.ready, &world.state.ready);
        prop_assert_eq!(&late.retrying, &world.state.retrying);
        prop_assert_eq!(&late.admission, &world.state.admission);
        check_indexes(&world.state);
    }

    /// Delivering any event a second time, right after the first, changes nothing but the position.
    #[test]
    fn duplicates_change_nothing(choices in prop::collection::vec(0_u8..10, 1..40)) {
        let world = live(&choices);
        let mut state = State::default();
        for (at, event) in &world.log {
            state.apply(*at, event, &world.blobs).expect("applies");
            // A request makes its run anew and a materialization counts: these two are events that
            // the decider never repeats, because their run key, id or attempt is known by then.
            let repeats = matches!(event.fact.kind(), "run.requested" | "asset.materialized" | "check.evaluated" | "host.registered");
            if !repeats {
                state.apply(*at, event, &world.blobs).expect("applies");
            }
        }
        prop_assert_eq!(state.hash(), world.state.hash());
    }
}

/// Plays a life: each number is one thing that happens.
fn live(choices: &[u8]) -> World {
    let mut world = World::new("a retry=1; b <- a; c <- a; d <- b, c; check b.ok blocking <- b");
    let mut runs: Vec<RunId> = Vec::new();
    for choice in choices {
        world.now = world.now.plus_ms(400);
        let held: Vec<_> = world.state.hosts[&world.host]
            .attempts
            .iter()
            .copied()
            .collect();
        let asset = |world: &World, id: arco_core::AttemptId| {
            world.state_of(id.run).plan.tasks[id.task as usize]
                .step
                .clone()
        };
        match (choice, held.first()) {
            (0 | 1, _) => runs.push(world.run("a b c d")),
            (2 | 3, _) => drop(world.lease(2)),
            (4, Some(id)) => drop(world.report(*id, vec![Reported::Started])),
            (5 | 6, Some(id)) => {
                let name = asset(&world, *id);
                let output = match name.strip_suffix("__ok") {
                    Some(of) => judged(of, "ok", *choice == 5, Severity::Error),
                    None => made(&name),
                };
                world.report(*id, vec![output, Reported::Succeeded]);
            }
            (7, Some(id)) => drop(world.report(*id, vec![failed(FailureClass::UserCode)])),
            (8, _) => {
                if let Some(run) = runs.pop() {
                    world
                        .run_command(&Command::CancelRun(run))
                        .expect("known run");
                }
            }
            (9, Some(id)) => drop(world.report(*id, vec![Reported::Cancelled])),
            _ => {}
        }
    }
    world
}

/// Indexes say what a full scan says.
fn check_indexes(state: &State) {
    for run in state.runs.values() {
        for (index, task) in (0..).zip(&run.tasks) {
            let ready = state
                .ready_task(run, index)
                .is_some_and(|t| state.ready.contains(&t));
            let begun = run.status != RunStatus::Queued;
            assert_eq!(ready, begun && task.status == TaskStatus::Ready);
            assert_eq!(task.status.is_held(), task.live().is_some());
            assert!(task.status != TaskStatus::Waiting || !task.unmet.is_empty());
        }
        assert_eq!(run.counts.total() as usize, run.tasks.len());
        assert_eq!(run.status.is_terminal(), run.counts.open() == 0, "{run:?}");
        assert_eq!(
            state.active_runs.contains(&run.id),
            !run.status.is_terminal()
        );
    }
    let held: usize = state.hosts.values().map(|host| host.attempts.len()).sum();
    let live: u32 = state.runs.values().map(|run| run.counts.held()).sum();
    assert_eq!(held, live as usize);
    let planned: usize = state
        .assets
        .values()
        .map(|asset| {
            asset
                .in_progress
                .values()
                .map(imbl::OrdSet::len)
                .sum::<usize>()
        })
        .sum();
    let open: u32 = state
        .runs
        .values()
        .flat_map(|run| run.plan.tasks.iter().zip(&run.tasks))
        .filter(|(planned, task)| !planned.step.contains("__") && !task.status.is_terminal())
        .count()
        .try_into()
        .expect("small");
    assert_eq!(planned, open as usize);
}

#[test]
fn partition_status_follows_attempts_and_materializations() {
    let key = AssetKey::parse("a").unwrap();
    let mut world = World::new("a");
    let status = |world: &World| {
        let Some(asset) = world.state.assets.get(&key) else {
            return "nothing".to_owned();
        };
        format!(
            "made {} failed {} progress {}",
            asset.materialized.len(),
            asset.failed.len(),
            asset.in_progress.len()
        )
    };
    assert_eq!(status(&world), "nothing");
    world.run("a");
    assert_eq!(status(&world), "made 0 failed 0 progress 1");
    let id = world.lease(1)[0];
    world.report(id, vec![failed(FailureClass::UserCode)]);
    assert_eq!(status(&world), "made 0 failed 1 progress 0");
    world.run("a");
    let id = world.lease(1)[0];
    world.report(id, vec![made("a"), Reported::Succeeded]);
    assert_eq!(status(&world), "made 1 failed 0 progress 0");
    world.run("a");
    let id = world.lease(1)[0];
    world.report(id, vec![failed(FailureClass::UserCode)]);
    assert_eq!(
        status(&world),
        "made 1 failed 1 progress 0",
        "the good materialization stays"
    );
    world.run("a");
    let id = world.lease(1)[0];
    world.report(id, vec![made("a"), failed(FailureClass::UserCode)]);
    assert_eq!(
        status(&world),
        "made 1 failed 0 progress 0",
        "what was made before the attempt failed was made (M-21)"
    );
}

#[test]
fn a_redeploy_keeps_what_active_runs_pinned_and_forgets_the_rest() {
    let mut world = World::new("a");
    let first = world.state.locations["loc"].version.unwrap();
    let run = world.run("a");
    world.deploy(&crate::testing::manifest("a v=2")).unwrap();
    assert!(world.state.versions.contains_key(&first));
    let id = world.lease(1)[0];
    world.report(id, vec![made("a"), Reported::Succeeded]);
    assert!(world.state_of(run).status.is_terminal());
    assert!(!world.state.versions.contains_key(&first));
}
