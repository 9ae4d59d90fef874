//! Gate M1 on the decisions: execution invariants, run identity, selection.
//!
//! `cargo test -p arco-flow --test orchestration_parity_gates_m1`
//!
//! The four that must not be got round come first, as properties over random graphs and random lives
//! of a workspace. `docs/parity/bite` holds a mutation for each that must make it fail.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::collections::{BTreeMap, BTreeSet};

use arco_core::definitions::{Catalog, Definitions};
use arco_core::event::{AttemptOutcome, Fact, FailureClass, Severity};
use arco_core::selection::Selection;
use arco_core::{Digest, RunId};
use arco_flow::{Rejection, command, decide, planner, selection_graph, state};
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;

use crate::command::{Answer, Command, Reported, RunRequest};
use crate::gates::cases;
use crate::gates::chosen::{due, run_of, worked_in_order};
use crate::gates::delivery::{decided, effect};
use crate::gates::graph::{assets, name, names};
use crate::gates::keys::{meanwhile, request};
use crate::gates::life::{Life, moves, step_of, work_off};
use crate::gates::model::{self, Facts};
use crate::state::{State, TaskStatus};
use crate::testing::{World, failed, judged, made, manifest};

#[allow(dead_code, reason = "the three gates share it")]
mod gates;
#[allow(dead_code, reason = "shared with the crate's own tests")]
#[path = "../src/testing.rs"]
mod testing;

proptest! {
    #![proptest_config(cases(96))]

    /// SEL-01. What was selected runs, once per partition; nothing downstream of it ever does, also
    /// not what was made before and has new inputs now.
    #[test]
    fn selecting_an_asset_never_runs_its_downstream(assets in assets(8, true), bits in any::<u16>()) {
        let mut world = World::new(&assets.text());
        run_of(&mut world, &assets, &assets.all());
        let everything = { let mut all = work_off(&mut world); all.sort(); all };
        prop_assert_eq!(everything, due(&assets, &assets.all()));
        let one = (0..assets.len()).map(|asset| BTreeSet::from([asset]));
        for chosen in one.chain([assets.some(bits)]) {
            let from = world.log.len();
            let run = run_of(&mut world, &assets, &chosen);
            let mut steps = work_off(&mut world);
            steps.sort();
            prop_assert_eq!(steps, due(&assets, &chosen), "selecting {}", names(&chosen));
            prop_assert!(world.state_of(run).status.is_terminal());
            for (_, event) in &world.log[from..] {
                if let Fact::AssetMaterialized(made) = &event.fact {
                    let known = chosen.iter().any(|asset| name(*asset) == made.asset.as_str());
                    prop_assert!(known, "{} was made by a run of {}", made.asset, names(&chosen));
                }
            }
        }
    }

    /// A run keeps the order of the whole graph, through what is not selected.
    #[test]
    fn a_task_begins_after_every_selected_ancestor(assets in assets(8, false), bits in any::<u16>()) {
        let chosen = assets.some(bits);
        let mut world = World::new(&assets.text());
        run_of(&mut world, &assets, &chosen);
        let order = work_off(&mut world);
        let place = |asset: usize| order.iter().position(|step| *step == name(asset));
        for asset in &chosen {
            for ancestor in assets.ancestors(*asset).intersection(&chosen) {
                prop_assert!(place(*ancestor) < place(*asset), "{order:?}");
            }
        }
    }

    /// The words for neighbours select neighbours of that side, and no others.
    #[test]
    fn selection_texts_select_what_they_say(assets in assets(8, true), which in any::<u16>()) {
        let asset = usize::from(which) % assets.len();
        let read = Definitions::read("loc", &manifest(&assets.text())).expect("definitions");
        let catalog = Catalog::default().with(read.into()).expect("one location");
        let key = name(asset);
        let with = |mut set: BTreeSet<usize>| { set.insert(asset); set };
        let children = assets.all().into_iter().filter(|n| assets.parents(*n).contains(&asset));
        let rest = assets.all().into_iter().filter(|n| *n != asset);
        for (text, expected) in [
            (key.clone(), [asset].into()),
            (format!("key:{key}"), [asset].into()),
            (format!("+{key}"), with(assets.parents(asset))),
            (format!("{key}+"), with(children.collect())),
            (format!("+key:{key}"), with(assets.ancestors(asset))),
            (format!("key:{key}+"), with(assets.descendants(asset))),
            (format!("not key:{key}"), rest.collect()),
        ] {
            let selections = Selection::parse_all(std::slice::from_ref(&text)).expect("it reads");
            let found = selection_graph::select(&catalog, &State::default().assets, &selections).expect("it selects");
            let found: Vec<String> = found.iter().map(ToString::to_string).collect();
            let expected: Vec<String> = expected.iter().map(|n: &usize| name(*n)).collect();
            prop_assert_eq!(found, expected, "{}", text);
        }
    }
}

proptest! {
    #![proptest_config(cases(192))]

    /// KEY-01. Whatever happens between requests, and however often one is repeated: one run per
    /// scope and key, and another request under the key is a conflict that names it.
    #[test]
    fn one_run_key_never_makes_two_runs(asks in prop::collection::vec((0_u8..3, 0_u8..2, 0_u8..5, any::<u8>()), 1..30)) {
        let mut world = World::new("a; b <- a");
        let mut known: BTreeMap<(String, String), (Digest, RunId)> = BTreeMap::new();
        let mut runs = Vec::new();
        for (key, scope, body, between) in asks {
            let scope = ["workspace", "sensor:new_files"][usize::from(scope)];
            let key = [None, Some("nightly"), Some("hourly")][usize::from(key)];
            let asked = request(&mut world, body, scope, key);
            let (fingerprint, fresh) = (asked.fingerprint(), asked.run);
            let answer = world.ask(asked);
            let before = key.and_then(|key| known.get(&(scope.to_owned(), key.to_owned())));
            match (before, answer) {
                (None, Ok(Answer::Run { run, created: true })) => {
                    prop_assert_eq!(run, fresh);
                    runs.push(run);
                    if let Some(key) = key {
                        known.insert((scope.to_owned(), key.to_owned()), (fingerprint, run));
                    }
                }
                (Some((same, first)), Ok(Answer::Run { run, created: false })) => {
                    prop_assert_eq!((run, fingerprint), (*first, *same));
                }
                (Some((other, first)), Err(Rejection::RunKeyConflict { run, known, asked, .. })) => {
                    prop_assert_eq!((run, known, asked), (*first, *other, fingerprint));
                    prop_assert_ne!(fingerprint, *other);
                }
                (before, answer) => prop_assert!(false, "{key:?} in {scope}: {before:?}, {answer:?}"),
            }
            meanwhile(&mut world, between, &runs);
        }
        let mut made: BTreeMap<(String, String), u32> = BTreeMap::new();
        for (_, event) in &world.log {
            if let Fact::RunRequested(e) = &event.fact && let Some(key) = &e.run_key {
                *made.entry((e.scope.clone(), key.clone())).or_default() += 1;
            }
        }
        prop_assert!(made.values().all(|runs| *runs == 1), "{made:?}");
        prop_assert_eq!(made.len(), known.len());
    }
}

#[test]
fn of_two_requests_decided_at_once_the_loser_finds_the_winners_run() {
    let mut world = World::new("a; b <- a");
    let one = request(&mut world, 0, "workspace", Some("nightly"));
    let two = request(&mut world, 0, "workspace", Some("nightly"));
    let other = request(&mut world, 1, "workspace", Some("nightly"));
    let ask = |request: &RunRequest| Command::RequestRun(Box::new(request.clone()));
    // Three replicas decide on the same state: each would make the run.
    let before = world.state.clone();
    for request in [&one, &two, &other] {
        let answer = decided(&world, &before, world.now, &ask(request)).map(|d| d.answer);
        let run = request.run;
        assert_eq!(answer, Ok(Answer::Run { run, created: true }));
    }
    // One put wins; the others decide again on what it left.
    world.run_command(&ask(&one)).expect("the winner");
    let same = Answer::Run {
        run: one.run,
        created: false,
    };
    let from = world.log.len();
    assert_eq!(world.run_command(&ask(&two)), Ok(same));
    let lost = world.run_command(&ask(&other)).expect_err("a conflict");
    assert_eq!(lost.code(), "run_key_conflict");
    assert_eq!(world.kinds(from), "", "and nothing is written");
}

#[test]
fn keys_that_are_arcos_own_are_refused() {
    let mut world = World::new("a; b <- a");
    for key in ["backfill:x", "rerun:x"] {
        let asked = request(&mut world, 0, "workspace", Some(key));
        let refused = world.ask(asked).expect_err("reserved");
        assert_eq!(refused.code(), "reserved");
        assert!(refused.to_string().contains(key), "{refused}");
    }
}

proptest! {
    #![proptest_config(cases(64))]

    /// OPS-01. Every report of a life, delivered again at every later point, changes nothing: reports
    /// of live attempts, of ended ones, of older attempts of a task that is tried again, of hosts that
    /// were given up. Nor does one that comes before its attempt was leased, or from another host.
    #[test]
    fn a_repeated_or_reordered_report_changes_nothing(assets in assets(5, true), moves in moves(70)) {
        let life = Life::live(&assets, &moves);
        for said in &life.said {
            let attempt = said.reports[0].0;
            for (at, on) in life.states.iter().enumerate() {
                let (state, _) = on;
                let task = state.run(attempt.run).and_then(|run| run.task(attempt.task));
                let leased = task.is_some_and(|task| {
                    task.attempts.iter().any(|row| row.number == attempt.number)
                });
                if at >= said.at || !leased {
                    let did = effect(&life, said, said.host, on);
                    prop_assert!(did.is_none(), "{:?} at {}, again at {at}: {did:?}", said.reports, said.at);
                }
                for other in state.hosts.keys().filter(|host| **host != said.host) {
                    let did = effect(&life, said, *other, on);
                    prop_assert!(did.is_none(), "{:?} of another host at {at}: {did:?}", said.reports);
                }
            }
        }
    }

    /// Reports of tasks that are under way together come in any order: every task ends as it would,
    /// and the same partitions are made and failed.
    #[test]
    fn reports_of_different_tasks_may_come_in_any_order(assets in assets(6, true), bad in any::<u16>(), keys in prop::collection::vec(any::<u16>(), 1..40)) {
        prop_assert_eq!(worked_in_order(&assets, bad, &keys), worked_in_order(&assets, bad, &[0]));
    }

    /// STA-01. After every step of a life each place shows the last good materialization it ever had,
    /// whatever failed, was cancelled, retried or lost since; and a place bears the mark of failure
    /// exactly when its last tried task failed and nothing was made after (F-2), the mark of being
    /// made exactly while a run that is not over has it to do (F-3).
    #[test]
    fn a_failure_never_hides_a_good_materialization(assets in assets(5, true), moves in moves(90)) {
        let life = Life::live(&assets, &moves);
        let mut facts = Facts::default();
        let mut heard = 0;
        for (state, _) in &life.states {
            for (at, event) in life.world.log[heard..].iter().take_while(|(at, _)| *at <= state.position) {
                facts.hear(*at, event);
                heard += 1;
            }
            prop_assert_eq!(facts.hidden_in(state), Vec::<String>::new());
            prop_assert_eq!(model::marked_failed(state), facts.failed.clone());
            prop_assert_eq!(model::marked_in_progress(state), model::under_way(state));
        }
    }

    /// A task is in at most one pair of hands, those of its last attempt, and only once all it needs
    /// has succeeded and no blocking check of it said no. A run is over exactly when no task is open.
    #[test]
    fn one_attempt_of_a_task_is_alive_and_only_after_its_needs(assets in assets(6, true), moves in moves(90)) {
        let life = Life::live(&assets, &moves);
        for (state, _) in &life.states {
            let mut alive = BTreeSet::new();
            for run in state.runs.values() {
                for (planned, task) in run.plan.tasks.iter().zip(&run.tasks) {
                    let numbers: Vec<u32> = task.attempts.iter().map(|row| row.number).collect();
                    let last = u32::try_from(numbers.len()).expect("few");
                    prop_assert_eq!(numbers, (1..=last).collect::<Vec<_>>());
                    let open = task.attempts.iter().filter(|row| row.outcome.is_none()).count();
                    prop_assert_eq!(open == 1, task.status.is_held());
                    prop_assert!(open <= 1);
                    if task.status.is_held() || task.status == TaskStatus::Succeeded {
                        for need in &planned.needs {
                            let need = run.task(*need).expect("a task of the run");
                            prop_assert_eq!(need.status, TaskStatus::Succeeded);
                            prop_assert!(!need.blocked, "a blocking check said no");
                        }
                    }
                    alive.extend(task.live().map(|row| (row.host, run.id, row.number)));
                }
                let open = run.tasks.iter().any(|task| !task.status.is_terminal());
                prop_assert_eq!(run.status.is_terminal(), !open);
            }
            let hands: Vec<_> = state.hosts.iter().flat_map(|(host, at)| {
                at.attempts.iter().map(move |id| (*host, id.run, id.number))
            }).collect();
            prop_assert_eq!(hands.into_iter().collect::<BTreeSet<_>>(), alive);
        }
    }

    /// What is over stays as it is: runs, tasks, attempts.
    #[test]
    fn what_is_over_never_changes_again(assets in assets(6, true), moves in moves(90)) {
        let life = Life::live(&assets, &moves);
        for pair in life.states.windows(2) {
            let [(before, _), (after, _)] = pair else { continue };
            for run in before.runs.values() {
                let later = after.run(run.id).expect("nothing leaves memory here");
                prop_assert!(!run.status.is_terminal() || run.status == later.status);
                for (was, is) in run.tasks.iter().zip(&later.tasks) {
                    // What a cancelled task still needed is bookkeeping: its needs may yet end well.
                    let said = |task: &state::Task| {
                        (task.status, task.attempts.clone(), task.skipped.clone(), task.retry_at, task.failures)
                    };
                    prop_assert!(!was.status.is_terminal() || said(was) == said(is), "{was:?}, then {is:?}");
                    let ended = was.attempts.iter().zip(&is.attempts).filter(|(row, _)| row.outcome.is_some());
                    for (row, later) in ended {
                        prop_assert_eq!(row, later);
                    }
                }
            }
        }
    }

    /// The state is its log: a replica that folds it, or that starts from a snapshot taken anywhere on
    /// the way, has the same.
    #[test]
    fn every_replica_has_the_same_state(assets in assets(5, true), moves in moves(60), cut in any::<prop::sample::Index>()) {
        let life = Life::live(&assets, &moves);
        prop_assert_eq!(life.world.replayed().hash(), life.world.state.hash());
        let (middle, _) = &life.states[cut.index(life.states.len())];
        let mut late = State::from_bytes(&middle.to_bytes()).expect("a snapshot reads back");
        for (at, event) in life.world.log.iter().filter(|(at, _)| *at > middle.position) {
            late.apply(*at, event, &life.world.blobs).expect("our own log applies");
        }
        prop_assert_eq!(late.hash(), life.world.state.hash());
    }
}

/// Also when another run judged the same check in between.
#[test]
fn a_verdict_that_is_said_again_counts_once() {
    let mut world = World::new("a; check a.ok <- a");
    for _ in 0..2 {
        world.run("a");
    }
    for attempt in world.lease(2) {
        world.report(attempt, vec![made("a"), Reported::Succeeded]);
    }
    let judges = world.lease(2);
    let verdict = || vec![judged("a", "ok", true, Severity::Error)];
    let mut events = |attempt| {
        let from = world.log.len();
        world.report(attempt, verdict());
        world.kinds(from)
    };
    assert_eq!(events(judges[0]), "check.evaluated");
    assert_eq!(events(judges[0]), "", "said again at once");
    assert_eq!(events(judges[1]), "check.evaluated");
    assert_eq!(events(judges[0]), "", "said again after another's");
}

/// Lives in which nothing happens would prove nothing.
#[test]
fn the_lives_of_these_gates_are_eventful() {
    let mut seen: BTreeMap<String, u32> = BTreeMap::new();
    let mut runner = TestRunner::deterministic();
    for _ in 0..128 {
        let drawn = (assets(5, true), moves(90)).new_tree(&mut runner);
        let (assets, moves) = drawn.expect("a life can be drawn").current();
        let life = Life::live(&assets, &moves);
        let mut good = BTreeSet::new();
        for (_, event) in &life.world.log {
            let what = match &event.fact {
                Fact::AttemptFinished(e) => match (&e.outcome, e.retry_at) {
                    (AttemptOutcome::Failed { .. }, Some(_)) => "failed, to be tried again",
                    (AttemptOutcome::Failed { .. }, None) => "failed for good",
                    (AttemptOutcome::Succeeded, _) => "succeeded",
                    (AttemptOutcome::Cancelled, _) => "cancelled",
                    (AttemptOutcome::Released, _) => "released",
                },
                Fact::AssetMaterialized(e)
                    if !good.insert((e.asset.clone(), e.partition.clone())) =>
                {
                    "made again"
                }
                Fact::CheckEvaluated(e) if !e.passed => "judged bad",
                fact => fact.kind(),
            };
            *seen.entry(what.to_owned()).or_default() += 1;
        }
    }
    for what in [
        "failed, to be tried again",
        "failed for good",
        "succeeded",
        "cancelled",
        "released",
        "made again",
        "judged bad",
        "host.lost",
        "host.left",
        "tasks.skipped",
        "run.cancel_requested",
        "attempt.started",
        "run.finished",
    ] {
        let times = seen.get(what).copied().unwrap_or_default();
        assert!(times >= 8, "{what}: {times} times; {seen:?}");
    }
}

#[test]
fn a_task_is_tried_as_often_as_its_policy_says() {
    for retries in 0..4 {
        let mut world = World::new(&format!("a retry={retries}; b <- a"));
        let run = world.run("a b");
        let mut tries = 0;
        while let Some(attempt) = world.lease(2).first().copied() {
            assert_eq!(step_of(&world, attempt), "a", "b waits for a good a");
            tries += 1;
            world.report(attempt, vec![failed(FailureClass::UserCode)]);
            world.now = world.now.plus_ms(60_000);
        }
        assert_eq!(tries, retries + 1);
        assert_eq!(world.tasks(run), "a:failed b:skipped");
    }
}

#[test]
fn a_leader_that_was_followed_decides_nothing_any_more() {
    let mut world = World::new("a");
    let run = world.run("a");
    let attempt = world.lease(1)[0];
    let before = world.state.hash();
    let take = |after| Command::TakeLead {
        after,
        holder: "another".into(),
        url: "http://other".into(),
        ttl_ms: 30_000,
    };
    assert!(world.run_command(&take(0)).is_err(), "epoch 1 is held");
    assert_eq!(world.state.hash(), before);
    world.run_command(&take(1)).expect("the next epoch");
    let from = world.log.len();
    let stale = Command::AsLeader {
        epoch: 1,
        command: Box::new(Command::HostLost(world.host)),
    };
    let refused = world.run_command(&stale).expect_err("epoch 2 began");
    assert_eq!((refused.code(), world.kinds(from)), ("led", String::new()));
    world.report(attempt, vec![made("a"), Reported::Succeeded]);
    assert_eq!(world.tasks(run), "a:succeeded", "the host was not given up");
}
