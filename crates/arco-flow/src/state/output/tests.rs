use arco_core::asset_fact::AssetFact;
use arco_core::event::FailureClass;
use arco_core::{AssetKey, RunId};
use proptest::prelude::*;

use crate::command::Reported;
use crate::state::{OutputStatus, RunStatus, TaskStatus};
use crate::testing::{World, failed, made};

/// Carries out everything that can be; an asset is made unless `lacking` has it, a step raises after
/// it made its assets when `bad` has it.
fn carry_out(world: &mut World, lacking: &[&str], bad: &[&str]) {
    while let Some(attempt) = world.lease(1).pop() {
        let run = world.state_of(attempt.run);
        let planned = run.planned(attempt.task).unwrap().clone();
        let definitions = world.state.pinned(run, &planned.location).unwrap();
        let step = definitions.step(&planned.step).unwrap();
        let outputs = planned.outputs(step).iter();
        let key = planned
            .partitions
            .first()
            .map(|key| key.display().into_owned());
        let mut said: Vec<Reported> = outputs
            .filter(|asset| !lacking.contains(&asset.as_str()))
            .map(|asset| {
                let mut said = made(asset.as_str());
                if let Reported::Asset(AssetFact::Materialized(made)) = &mut said {
                    made.partition.clone_from(&key);
                }
                said
            })
            .collect();
        said.push(if bad.contains(&step.name.as_str()) {
            failed(FailureClass::UserCode)
        } else {
            Reported::Succeeded
        });
        assert!(world.report(attempt, said).is_empty());
    }
}

/// Definitions, what is run, what is left unmade, which steps raise, the tasks and the run in the end.
type Row = (
    &'static str,
    &'static str,
    &'static [&'static str],
    &'static [&'static str],
    &'static str,
    RunStatus,
);

/// R-37 to R-39, M-25: which tasks an output left unmade takes along, and how the run ends.
#[test]
fn what_reads_an_output_left_unmade_is_skipped_and_that_is_no_failure() {
    let rows: [Row; 9] = [
        (
            "a optional; b <- a; c <- b; d",
            "a b c d",
            &["a"],
            &[],
            "a:succeeded b:skipped c:skipped d:succeeded",
            RunStatus::Success,
        ),
        (
            "a optional; b <- a",
            "a b",
            &[],
            &[],
            "a:succeeded b:succeeded",
            RunStatus::Success,
        ),
        // One step, outputs with outcomes of their own.
        (
            "a by=m optional; b by=m; ra <- a; rb <- b; both <- a, b",
            "a b ra rb both",
            &["a"],
            &[],
            "m:succeeded both:skipped ra:skipped rb:succeeded",
            RunStatus::Success,
        ),
        // What only comes after it, through what is not made in the run, reads what is stored.
        (
            "a optional; b <- a; c <- b",
            "a c",
            &["a"],
            &[],
            "a:succeeded c:succeeded",
            RunStatus::Success,
        ),
        // The same one step further: d comes after b, which is skipped.
        (
            "a optional; b <- a; c <- b; d <- c",
            "a b d",
            &["a"],
            &[],
            "a:succeeded b:skipped d:succeeded",
            RunStatus::Success,
        ),
        // A check of it is not judged, and does not stop what reads something else.
        (
            "a by=m optional; e by=m; check a.ok blocking <- a; b <- a; f <- e",
            "a e b f",
            &["a"],
            &[],
            "m:succeeded f:succeeded a__ok:skipped b:skipped",
            RunStatus::Success,
        ),
        // A skip wins over a failure of something else (R-38); the run failed all the same.
        (
            "a optional; z; b <- a, z",
            "a z b",
            &["a"],
            &["z"],
            "a:succeeded z:failed b:skipped",
            RunStatus::Failure,
        ),
        // A required output that a body does not report is taken for made, as ever.
        (
            "a; b <- a",
            "a b",
            &["a"],
            &[],
            "a:succeeded b:succeeded",
            RunStatus::Success,
        ),
        (
            "a by=m optional; b by=m optional; c <- a; d <- b",
            "a b c d",
            &["a", "b"],
            &[],
            "m:succeeded c:skipped d:skipped",
            RunStatus::Success,
        ),
    ];
    for (definitions, asked, lacking, bad, then, status) in rows {
        let mut world = World::new(definitions);
        let run = world.run(asked);
        carry_out(&mut world, lacking, bad);
        assert_eq!(world.tasks(run), then, "{definitions}");
        assert_eq!(world.state_of(run).status, status, "{definitions}");
        assert_eq!(world.replayed().hash(), world.state.hash());
    }
}

#[test]
fn partitions_are_left_unmade_one_by_one() {
    let mut world = World::new("a static optional; b static <- a; all <- b");
    let asked = world
        .request("a b all", &crate::planner::PartitionsAsked::All)
        .unwrap();
    let run = asked.run;
    world.ask(asked).unwrap();
    let first = world.lease(1)[0];
    world.report(first, vec![Reported::Succeeded]);
    carry_out(&mut world, &[], &[]);
    assert_eq!(
        world.tasks(run),
        "a[x]:succeeded a[y]:succeeded a[z]:succeeded b[x]:skipped b[y]:succeeded b[z]:succeeded all:skipped"
    );
}

#[test]
fn outputs_of_one_step_have_outcomes_of_their_own() {
    let mut world = World::new("a by=m optional; b by=m; c by=m retry=1; r <- a");
    let run = world.run("a b c r");
    let key = |text: &str| AssetKey::parse(text).unwrap();
    let outcomes = |world: &World| {
        let task = &world.state_of(run).tasks[0];
        ["a", "b", "c"].map(|asset| task.output(&key(asset)))
    };
    use OutputStatus::{Failed, Materialized, NotMade, Pending};
    assert_eq!(outcomes(&world), [Pending, Pending, Pending]);
    let first = world.lease(1)[0];
    world.report(first, vec![made("b"), failed(FailureClass::UserCode)]);
    // The step has the retry policy of its first asset: none.
    assert_eq!(outcomes(&world), [Failed, Materialized, Failed]);
    assert_eq!(world.tasks(run), "m:failed r:skipped");
    let failed_slots = |asset: &str| !world.state.assets[&key(asset)].failed.is_empty();
    assert!(failed_slots("a") && failed_slots("c") && !failed_slots("b"));
    let again = world.run("a b c");
    let second = world.lease(1)[0];
    world.report(second, vec![made("b"), made("c"), Reported::Succeeded]);
    let task = &world.state_of(again).tasks[0];
    assert_eq!(
        ["a", "b", "c"].map(|asset| task.output(&key(asset))),
        [NotMade, Materialized, Materialized]
    );
}

/// As in Dagster: what an attempt made before it failed stands, and its readers go on when a later
/// attempt succeeds without it.
#[test]
fn an_earlier_attempt_may_have_made_it() {
    let mut world = World::new("a by=m optional retry=1; b by=m; r <- a");
    let run = world.run("a b r");
    let first = world.lease(1)[0];
    world.report(first, vec![made("a"), failed(FailureClass::UserCode)]);
    world.now = world.now.plus_ms(2_000);
    let second = world.lease(1)[0];
    world.report(second, vec![made("b"), Reported::Succeeded]);
    assert_eq!(world.tasks(run), "m:succeeded r:ready");
}

#[test]
fn a_log_of_an_older_fold_keeps_no_account() {
    let mut world = World::new("a optional; b <- a");
    world.state.fold_version = 2;
    let run = world.run("a b");
    carry_out(&mut world, &["a"], &[]);
    assert_eq!(world.tasks(run), "a:succeeded b:succeeded");
    let tasks = &world.state_of(run).tasks;
    assert!(
        tasks
            .iter()
            .all(|task| task.made.is_empty() && task.left_out.is_empty())
    );
}

proptest! {
    /// Whatever is left unmade and whatever fails, a task is skipped for no failure exactly when
    /// something it reads directly was not made by a task that did not fail, and every run ends.
    #[test]
    fn a_task_is_left_out_exactly_when_something_it_reads_is(
        parents in prop::collection::vec(any::<u8>(), 2..7),
        lacking in any::<u8>(),
        bad in any::<u8>(),
    ) {
        let name = |n: usize| format!("n{n}");
        let reads = |n: usize| (0..n).filter(|p| parents[n] >> p & 1 == 1).collect::<Vec<_>>();
        let text: Vec<String> = (0..parents.len()).map(|n| {
            let deps: Vec<String> = reads(n).into_iter().map(name).collect();
            format!("{} optional <- {}", name(n), deps.join(", "))
        }).collect();
        let all: Vec<String> = (0..parents.len()).map(name).collect();
        let of = |bits: u8| all.iter().enumerate().filter(|(n, _)| bits >> n & 1 == 1)
            .map(|(_, name)| name.as_str()).collect::<Vec<_>>();
        let mut world = World::new(&text.join("; "));
        let run: RunId = world.run(&all.join(" "));
        carry_out(&mut world, &of(lacking), &of(bad));
        let run = world.state_of(run);
        prop_assert!(run.status.is_terminal());
        let task = |n: usize| {
            let at = run.plan.tasks.iter().position(|t| t.step == name(n)).unwrap();
            &run.tasks[at]
        };
        let key = |n: usize| AssetKey::parse(&name(n)).unwrap();
        for n in 0..parents.len() {
            let left_out = task(n).status == TaskStatus::Skipped && !task(n).is_brought_down();
            let lacks = reads(n).into_iter().any(|p| {
                let up = task(p);
                up.output(&key(p)) == OutputStatus::NotMade
                    || (up.status == TaskStatus::Skipped && !up.is_brought_down())
            });
            let fails = reads(n).into_iter().any(|p| {
                task(p).status == TaskStatus::Failed || task(p).is_brought_down()
            });
            prop_assert!(!left_out || lacks, "{} was left out for nothing", name(n));
            prop_assert_eq!(task(n).status == TaskStatus::Skipped, lacks || fails, "{}", name(n));
        }
        let failed = (0..parents.len()).any(|n| task(n).status == TaskStatus::Failed);
        prop_assert_eq!(run.status == RunStatus::Failure, failed);
        prop_assert_eq!(world.replayed().hash(), world.state.hash());
    }
}
