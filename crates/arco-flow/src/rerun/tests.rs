use std::collections::BTreeSet;

use arco_core::asset_fact::{AssetFact, AssetMaterialization};
use arco_core::event::{FailureClass, RerunKind, RerunOf, Severity};
use arco_core::{AttemptId, RunId};

use super::root_of;
use crate::command::{Answer, Command, Reported, RunRequest};
use crate::planner::PartitionsAsked;
use crate::state::RunStatus;
use crate::testing::{World, failed, judged, made, manifest, part};
use crate::{Rejection, State};

fn of(world: &World, parent: RunId, kind: RerunKind) -> RerunOf {
    RerunOf {
        parent,
        root: root_of(world.state_of(parent)),
        kind,
        selection: None,
        with_upstream: false,
        with_downstream: false,
        retry: None,
    }
}

/// `b`, `+b` … within the run; `up` and `down` are the closures.
fn subset(world: &World, parent: RunId, selection: &str, closure: &str) -> RerunOf {
    RerunOf {
        selection: Some(selection.into()),
        with_upstream: closure.contains("up"),
        with_downstream: closure.contains("down"),
        ..of(world, parent, RerunKind::Subset)
    }
}

/// The request that the shell makes of it.
fn request(world: &mut World, rerun: &RerunOf, fresh: u64) -> Result<RunRequest, Rejection> {
    Ok(RunRequest {
        run: RunId::from_parts(1_000 + fresh, 7),
        ..world.rerun_request(rerun)?
    })
}

fn rerun(world: &mut World, rerun: &RerunOf, fresh: u64) -> Result<(RunId, bool), Rejection> {
    let request = request(world, rerun, fresh)?;
    match world.ask(request)? {
        Answer::Run { run, created } => Ok((run, created)),
        other => panic!("expected a run, got {other:?}"),
    }
}

/// Carries out everything that can be. `bad` names what goes wrong: `b`, `b[x]` raise, `a__ok!` judges
/// badly.
fn carry_out(world: &mut World, bad: &[&str]) {
    loop {
        let leases = world.lease(10);
        if leases.is_empty() {
            return;
        }
        for attempt in leases {
            let said = said(world, attempt, bad);
            world.report(attempt, said);
        }
    }
}

fn said(world: &World, attempt: AttemptId, bad: &[&str]) -> Vec<Reported> {
    let run = world.state_of(attempt.run);
    let planned = run.planned(attempt.task).unwrap();
    let key = planned
        .partitions
        .first()
        .map(|key| key.display().into_owned());
    let step = &planned.step;
    let name = key
        .as_ref()
        .map_or_else(|| step.clone(), |key| format!("{step}[{key}]"));
    if bad.contains(&name.as_str()) {
        return vec![failed(FailureClass::UserCode)];
    }
    let step = super::step(&world.state.catalog, planned).unwrap();
    let made = planned.outputs(step).iter().map(|asset| {
        Reported::Asset(AssetFact::Materialized(AssetMaterialization {
            partition: key.clone(),
            ..AssetMaterialization::new(asset.clone())
        }))
    });
    let passed = !bad.contains(&format!("{name}!").as_str());
    let checks = step
        .checks
        .iter()
        .map(|(asset, check)| judged(asset.as_str(), check, passed, Severity::Error));
    made.chain(checks).chain([Reported::Succeeded]).collect()
}

fn plan(world: &World, run: RunId) -> String {
    let tasks = &world.state_of(run).plan.tasks;
    let rows = tasks.iter().map(|task| {
        let keys: Vec<_> = task.partitions.iter().map(|key| key.display()).collect();
        let keys = if keys.is_empty() {
            String::new()
        } else {
            format!("[{}]", keys.join(","))
        };
        let needs: Vec<String> = task.needs.iter().map(u32::to_string).collect();
        let needs = if needs.is_empty() {
            String::new()
        } else {
            format!("<{}", needs.join(","))
        };
        format!("{}{}{keys}{needs}", task.step, part(task))
    });
    rows.collect::<Vec<_>>().join(" ")
}

/// the failed and the never reached; what succeeded is not done again.
#[test]
fn from_failure_does_the_unsuccessful_tasks_again_and_no_other() {
    let rows: [(&str, &str, &[&str], &str); 8] = [
        ("a; b <- a; c <- b; d", "a b c d", &["b"], "b c<0"),
        (
            "a; b <- a; c <- b; d",
            "a b c d",
            &["a", "d"],
            "a b<0 c<1 d",
        ),
        ("a; b <- a; c <- a; d <- b, c", "a b c d", &["c"], "c d<0"),
        // Order follows reachability, also through what is not of the run.
        ("a; b <- a; c <- b", "a c", &["a"], "a c<0"),
        // Of thirty partitions the one that failed, and what stands on it.
        ("a static; b static <- a", "a b", &["a[y]"], "a[y] b[y]<0"),
        ("a static; b <- a", "a b", &["a[y]"], "a[y] b<0"),
        // A check that died judges again, and its asset's readers wait for it.
        (
            "a; b <- a; check a.ok blocking <- a",
            "a b",
            &["a__ok"],
            "a__ok b<0",
        ),
        // A blocking check that failed: the asset is not good, so it is made again (D-39).
        (
            "a; b <- a; check a.ok blocking <- a",
            "a b",
            &["a__ok!"],
            "a a__ok<0 b<0,1",
        ),
    ];
    for (definitions, asked, bad, then) in rows {
        let mut world = World::new(definitions);
        let partitions = if definitions.contains("static") {
            PartitionsAsked::All
        } else {
            PartitionsAsked::None
        };
        let asked = world.request(asked, &partitions).unwrap();
        let parent = asked.run;
        world.ask(asked).unwrap();
        carry_out(&mut world, bad);
        assert_eq!(world.state_of(parent).status, RunStatus::Failure, "{bad:?}");
        let before = world.state_of(parent).clone();
        let failed = of(&world, parent, RerunKind::FromFailure);
        let (again, created) = rerun(&mut world, &failed, 1).unwrap();
        assert!(created);
        assert_eq!(plan(&world, again), then, "{definitions} {bad:?}");
        carry_out(&mut world, &[]);
        assert_eq!(world.state_of(again).status, RunStatus::Success);
        assert_eq!(*world.state_of(parent), before, "the parent stays as it is");
    }
}

/// What a failed task made is not made again where its step can do without, and what was skipped because
/// an output was left unmade is no failure.
#[test]
fn from_failure_makes_what_was_not_made() {
    let rows: [(&str, &str, &[&str], &str); 4] = [
        (
            "a by=m subset; b by=m; c <- a; d <- b",
            "a b c d",
            &["a"],
            "m{b} c d<0",
        ),
        (
            "a by=m; b by=m; c <- a; d <- b",
            "a b c d",
            &["a"],
            "m c<0 d<0",
        ),
        // It raised after it had made all of them: all are made again.
        (
            "a by=m subset; b by=m; c <- a",
            "a b c",
            &["a", "b"],
            "m c<0",
        ),
        // A part of a part.
        (
            "a by=m subset; b by=m; e by=m; d <- b",
            "a b d",
            &["a"],
            "m{b} d<0",
        ),
    ];
    for (definitions, asked, done, then) in rows {
        let mut world = World::new(definitions);
        let parent = world.run(asked);
        let first = world.lease(1)[0];
        let mut said: Vec<Reported> = done.iter().map(|asset| made(asset)).collect();
        said.push(failed(FailureClass::UserCode));
        world.report(first, said);
        let failed = of(&world, parent, RerunKind::FromFailure);
        let (again, _) = rerun(&mut world, &failed, 1).unwrap();
        assert_eq!(plan(&world, again), then, "{definitions}");
        carry_out(&mut world, &[]);
        assert_eq!(world.state_of(again).status, RunStatus::Success);
    }
    let mut world = World::new("a optional; b <- a; z; c <- b, z");
    let parent = world.run("a b c z");
    for _ in 0..2 {
        let id = world.lease(1)[0];
        let step = world
            .state_of(parent)
            .planned(id.task)
            .unwrap()
            .step
            .clone();
        let end = match step.as_str() {
            "z" => failed(FailureClass::UserCode),
            _ => Reported::Succeeded,
        };
        world.report(id, vec![end]);
    }
    let failed = of(&world, parent, RerunKind::FromFailure);
    let (again, _) = rerun(&mut world, &failed, 1).unwrap();
    assert_eq!(
        plan(&world, again),
        "z c<0",
        "b was left out for no failure"
    );
}

#[test]
fn a_subset_of_a_step_that_can_is_a_part_of_it() {
    for (definitions, then) in [
        ("a by=m subset; b by=m; c <- a", "m{a} c<0"),
        ("a by=m; b by=m; c <- a", "m c<0"),
    ] {
        let mut world = World::new(definitions);
        let parent = world.run("a b c");
        carry_out(&mut world, &[]);
        let asked = subset(&world, parent, "a", "down");
        let (again, _) = rerun(&mut world, &asked, 1).unwrap();
        assert_eq!(plan(&world, again), then);
    }
}

#[test]
fn what_was_cancelled_or_never_begun_is_done_again() {
    let mut world = World::new("a; b <- a; c <- b");
    let parent = world.run("a b c");
    let first = world.lease(1)[0];
    let reports = said(&world, first, &[]);
    world.report(first, reports);
    let second = world.lease(1)[0];
    world.run_command(&Command::CancelRun(parent)).unwrap();
    world.report(second, vec![Reported::Cancelled]);
    assert_eq!(world.tasks(parent), "a:succeeded b:cancelled c:cancelled");
    let failed = of(&world, parent, RerunKind::FromFailure);
    let (again, _) = rerun(&mut world, &failed, 1).unwrap();
    assert_eq!(plan(&world, again), "b c<0");
}

/// L-1 to L-15 over the run's own tasks, and the closures within its plan.
#[test]
fn a_subset_is_selected_among_the_runs_own_tasks() {
    let rows = [
        // selection · closure → tasks; the run is of a, c, d and e, of a → b → c → d and e
        ("c", "", "c"),
        ("+c", "", "a c<0"),
        ("c+", "", "c d<0"),
        ("c", "up", "a c<0"),
        ("c", "down", "c d<0"),
        ("c", "up down", "a c<0 d<1"),
        ("d or e", "", "d e"),
        ("*", "", "a c<0 d<1 e"),
        ("key:a and not key:e", "down", "a c<0 d<1"),
    ];
    for (selection, closure, then) in rows {
        let selection = selection.replace("d or e", "key:d or key:e");
        let mut world = World::new("a; b <- a; c <- b; d <- c; e");
        let parent = world.run("a c d e");
        carry_out(&mut world, &["c"]);
        let asked = subset(&world, parent, &selection, closure);
        let (again, _) = rerun(&mut world, &asked, 1).unwrap();
        assert_eq!(plan(&world, again), then, "{selection} {closure}");
    }
}

#[test]
fn a_closure_follows_partitions() {
    let mut world = World::new("a static; b static <- a; c <- b");
    let asked = world.request("a b c", &PartitionsAsked::All).unwrap();
    let parent = asked.run;
    world.ask(asked).unwrap();
    carry_out(&mut world, &["a[y]"]);
    let failed = of(&world, parent, RerunKind::FromFailure);
    let (first, _) = rerun(&mut world, &failed, 1).unwrap();
    assert_eq!(plan(&world, first), "a[y] b[y]<0 c<1");
    assert_eq!(world.state_of(first).partitions.as_deref(), Some("y"));
    carry_out(&mut world, &[]);
    // A rerun of the rerun has the rerun's tasks, not the first run's.
    let asked = subset(&world, first, "b", "down");
    let (second, _) = rerun(&mut world, &asked, 2).unwrap();
    assert_eq!(plan(&world, second), "b[y] c<0");
}

#[test]
fn a_whole_rerun_does_every_task_again() {
    let mut world = World::new("a; b <- a; check a.ok <- a");
    let parent = world.run("a b");
    carry_out(&mut world, &[]);
    let whole = of(&world, parent, RerunKind::Whole);
    let (again, _) = rerun(&mut world, &whole, 1).unwrap();
    assert_eq!(plan(&world, again), plan(&world, parent));
    assert_eq!(world.state_of(again).assets, world.state_of(parent).assets);
}

#[test]
fn refusals_say_why() {
    let mut world = World::new("a; b <- a");
    let running = world.run("a b");
    world.lease(1);
    let good = world.run("b");
    for kind in [RerunKind::Whole, RerunKind::FromFailure] {
        let asked = of(&world, running, kind);
        let refused = rerun(&mut world, &asked, 1).unwrap_err();
        assert_eq!(
            refused,
            Rejection::RunNotOver {
                run: running,
                status: "started"
            }
        );
    }
    let attempt = world.lease(1)[0];
    let reports = said(&world, attempt, &[]);
    world.report(attempt, reports);
    let asked = of(&world, good, RerunKind::FromFailure);
    let refused = rerun(&mut world, &asked, 1).unwrap_err();
    assert_eq!(refused, Rejection::NothingFailed(good));
    let asked = subset(&world, good, "key:a", "");
    let refused = rerun(&mut world, &asked, 1).unwrap_err();
    assert!(
        refused.to_string().contains("selects nothing of run")
            && refused.to_string().contains("`b`"),
        "{refused}"
    );
}

/// the plan is of the code of now; what vanished is an error.
#[test]
fn a_rerun_goes_by_the_definitions_of_now() {
    let rows = [
        // definitions by then → tasks, or why not
        ("a v=2; b v=2 <- a", Ok("b")),
        ("a; c; b <- a, c", Ok("b")),
        ("a", Err("step `b` of location `loc` is no longer defined")),
        (
            "a; b static <- a",
            Err("step `b` of location `loc` is partitioned by now"),
        ),
    ];
    for (definitions, then) in rows {
        let mut world = World::new("a; b <- a");
        let parent = world.run("a b");
        carry_out(&mut world, &["b"]);
        world.deploy(&manifest(definitions)).unwrap();
        let failed = of(&world, parent, RerunKind::FromFailure);
        match (rerun(&mut world, &failed, 1), then) {
            (Ok((again, _)), Ok(tasks)) => {
                assert_eq!(plan(&world, again), tasks);
                let now = world.state.locations["loc"].version.unwrap();
                assert_eq!(world.state_of(again).definitions["loc"], now);
            }
            (Err(refused), Err(why)) => {
                assert_eq!(refused.code(), "step_gone");
                assert!(refused.to_string().contains(why), "{refused}");
            }
            (got, _) => panic!("{definitions}: {got:?}"),
        }
    }
    // What is gone and need not be done again does not matter.
    let mut world = World::new("a; b <- a");
    let parent = world.run("a b");
    carry_out(&mut world, &["b"]);
    world.deploy(&manifest("b; z")).unwrap();
    let failed = of(&world, parent, RerunKind::FromFailure);
    let (again, _) = rerun(&mut world, &failed, 1).unwrap();
    assert_eq!(plan(&world, again), "b");
}

#[test]
fn a_lineage_holds_all_generations() {
    let mut world = World::new("a");
    let root = world.run("a");
    let mut parent = root;
    let mut all = BTreeSet::new();
    for generation in 1..=3 {
        carry_out(&mut world, &["a"]);
        let asked = of(&world, parent, RerunKind::FromFailure);
        let (again, _) = rerun(&mut world, &asked, generation).unwrap();
        let run = world.state_of(again);
        let known = run.rerun.as_ref().unwrap();
        assert_eq!((known.parent, known.root), (parent, root));
        assert_eq!(run.tags["dagster/parent_run_id"], parent.to_string());
        assert_eq!(run.tags["dagster/root_run_id"], root.to_string());
        assert_eq!(run.tags["dagster/is_resume_retry"], "true");
        all.insert(again);
        parent = again;
    }
    let known: BTreeSet<RunId> = world.state.lineages[&root].iter().copied().collect();
    assert_eq!(known, all);
    assert_eq!(world.replayed().hash(), world.state.hash());
    let restored = State::from_bytes(&world.state.to_bytes()).unwrap();
    assert_eq!(restored.lineages, world.state.lineages);
    assert_eq!(restored.hash(), world.state.hash());
}

/// Until the log activates the version that knows lineages, every replica folds as the oldest does.
#[test]
fn an_older_log_keeps_no_lineage() {
    let mut world = World::new("a");
    let root = world.run("a");
    carry_out(&mut world, &["a"]);
    world.state.fold_version = 1;
    let asked = of(&world, root, RerunKind::Whole);
    let (again, _) = rerun(&mut world, &asked, 1).unwrap();
    assert_eq!(world.state_of(again).rerun, None);
    assert!(world.state.lineages.is_empty());
}

#[test]
fn the_same_rerun_is_one_run_until_it_is_over() {
    let mut world = World::new("a; b <- a");
    let parent = world.run("a b");
    carry_out(&mut world, &["b"]);
    let asked = of(&world, parent, RerunKind::FromFailure);
    let (first, created) = rerun(&mut world, &asked, 1).unwrap();
    assert!(created);
    assert_eq!(rerun(&mut world, &asked, 2).unwrap(), (first, false));
    let key = |world: &World, run| world.state_of(run).run_key.clone().unwrap();
    assert_eq!(key(&world, first), format!("rerun:{parent}:from-failure:1"));
    let whole = of(&world, parent, RerunKind::Whole);
    let (other, created) = rerun(&mut world, &whole, 3).unwrap();
    assert!(created, "another part of it is another rerun");
    assert_eq!(key(&world, other), format!("rerun:{parent}:whole:1"));
    carry_out(&mut world, &["b"]);
    let (second, created) = rerun(&mut world, &asked, 4).unwrap();
    assert!(created);
    assert_eq!(
        key(&world, second),
        format!("rerun:{parent}:from-failure:2")
    );
}

/// The key is the request's own: what differs is named, whichever kind of request it stands for.
#[test]
fn conflicts_name_the_fields_that_differ() {
    let mut world = World::new("a; b");
    let parent = world.run("a b");
    carry_out(&mut world, &["b"]);
    let plain = |world: &mut World| {
        let mut request = world.request("a", &PartitionsAsked::None).unwrap();
        request.run_key = Some("k".into());
        request.idempotency_key = Some("i".into());
        request
    };
    let first = plain(&mut world);
    let run = first.run;
    world.ask(first).unwrap();
    type Change = fn(&mut World, RunRequest) -> RunRequest;
    let rows: [(Change, &str); 4] = [
        (
            |_, mut r| {
                r.config = serde_json::json!({"ops": {}});
                r
            },
            "config",
        ),
        (
            |_, mut r| {
                r.tags.insert("team".into(), "core".into());
                r
            },
            "tags",
        ),
        (
            |world, r| {
                let mut other = world.request("b", &PartitionsAsked::None).unwrap();
                other.run_key = r.run_key;
                other.idempotency_key = r.idempotency_key;
                other.tags.insert("team".into(), "core".into());
                other
            },
            "assets, tags",
        ),
        (
            |world, r| {
                let parent = *world.state.runs.keys().next().unwrap();
                let asked = of(world, parent, RerunKind::Whole);
                let mut other = request(world, &asked, 9).unwrap();
                other.run_key = r.run_key;
                other.idempotency_key = r.idempotency_key;
                other
            },
            "assets, partitions, rerun",
        ),
    ];
    assert_eq!(world.state.runs.keys().next(), Some(&parent));
    for (change, fields) in rows {
        let asked = plain(&mut world);
        let mut asked = change(&mut world, asked);
        let by_idempotency = world.ask(asked.clone()).unwrap_err();
        asked.idempotency_key = None;
        let by_key = world.ask(asked).unwrap_err();
        for (refused, code) in [
            (by_idempotency, "idempotency_conflict"),
            (by_key, "run_key_conflict"),
        ] {
            assert_eq!(refused.code(), code);
            let text = refused.to_string();
            assert!(
                text.contains(&format!("(they differ in {fields})")),
                "{text}"
            );
            assert!(text.contains(&run.to_string()), "{text}");
        }
    }
}

#[test]
fn nobody_else_may_write_the_tags_of_a_lineage() {
    for tag in super::LINEAGE_TAGS {
        let mut world = World::new("a");
        let mut asked = world.request("a", &PartitionsAsked::None).unwrap();
        asked.tags.insert(tag.into(), "x".into());
        let refused = world.ask(asked).unwrap_err();
        assert_eq!(refused.code(), "reserved");
        assert!(refused.to_string().contains(tag), "{refused}");
    }
}

#[test]
fn tags_of_chunks_are_given_to_no_other_run() {
    let mut world = World::new("a");
    for tag in ["dagster/backfill", "arco/chunk"] {
        let mut asked = world
            .request("a", &PartitionsAsked::None)
            .expect("a good request");
        asked.tags = [(tag.to_owned(), "7".to_owned())].into();
        let refused = world.ask(asked.clone()).expect_err("it is reserved");
        assert_eq!(refused, Rejection::ChunkTag(tag.into()));
        assert_eq!(refused.code(), "reserved");
        // Those that begin like it are anybody's.
        asked.tags = [(format!("{tag}s"), "7".to_owned())].into();
        world.ask(asked).expect("it means nothing");
    }
}
