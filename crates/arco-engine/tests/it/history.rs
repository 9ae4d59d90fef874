//! Ended runs leave memory, and nobody notices.

use arco_core::RunId;
use arco_engine::{Engine, RunAsk};
use arco_flow::state::Run;
use arco_testkit::World;
use arco_testkit::host::succeeds;
use arco_testkit::world::{self, ask};

use crate::support::*;

const RUNS: usize = 60;

async fn packed(world: &World) -> (Engine, Vec<Run>) {
    let (engine, mut host) = ready(world, &chain()).await;
    let mut made = Vec::new();
    for n in 0..RUNS {
        world.clock.advance(std::time::Duration::from_millis(10));
        let ask = RunAsk {
            run_key: Some(format!("run {n}")),
            ..ask("a")
        };
        let id = world::run(&engine, ask).await.run;
        host.work(&engine, succeeds)
            .await
            .expect("the host is heard");
        made.push(
            engine
                .view()
                .state
                .run(id)
                .expect("it is in memory")
                .as_ref()
                .clone(),
        );
    }
    until(&engine, "runs are packed", |view| {
        view.state.history.len() > 2
    })
    .await;
    (engine, made)
}

fn world() -> World {
    World::new().with(|s| {
        s.snapshot_segments = 10;
        s.ended_runs_max = 10;
    })
}

/// All runs, newest first, as a reader pages through memory and history together.
async fn pages(engine: &Engine, size: usize) -> Vec<RunId> {
    let mut out: Vec<RunId> = Vec::new();
    loop {
        let before = out.last().copied();
        let view = engine.view();
        let below = |id: &RunId| before.is_none_or(|before| *id < before);
        let mut page: Vec<RunId> = view.state.runs.keys().copied().filter(below).collect();
        let past = engine.past_runs(before, size).await.expect("history reads");
        page.extend(past.iter().map(|run| run.id));
        page.sort_by_key(|id| std::cmp::Reverse(*id));
        page.truncate(size);
        if page.is_empty() {
            return out;
        }
        out.extend(page);
    }
}

#[tokio::test(start_paused = true)]
async fn the_seam_between_memory_and_history_does_not_show() {
    let world = world();
    let (engine, made) = packed(&world).await;
    let mut newest_first: Vec<RunId> = made.iter().map(|run| run.id).collect();
    newest_first.sort_by_key(|id| std::cmp::Reverse(*id));
    for size in [1, 7, 50, 1_000] {
        assert_eq!(pages(&engine, size).await, newest_first, "pages of {size}");
    }
    assert!(
        engine.view().state.runs.len() <= 25,
        "most have left memory"
    );
    for run in &made {
        let kept = engine
            .view()
            .state
            .run(run.id)
            .map(|run| run.as_ref().clone());
        let past = engine.past_run(run.id).await.expect("history reads");
        assert!(
            kept.is_none() || past.is_none(),
            "{} is in one place",
            run.id
        );
        let found = kept.or(past).expect("it is somewhere");
        let as_json = |run: &Run| serde_json::to_value(run).expect("runs serialise");
        assert_eq!(as_json(&found), as_json(run));
    }
    let nobody = RunId::from_parts(5, 5);
    assert!(
        engine
            .past_run(nobody)
            .await
            .expect("history reads")
            .is_none()
    );
}

#[tokio::test(start_paused = true)]
async fn history_is_found_again_after_a_start() {
    let world = world();
    let (engine, made) = packed(&world).await;
    let before = pages(&engine, 9).await;
    engine.shutdown().await;
    let again = world.engine_named("again").await;
    assert_eq!(pages(&again, 9).await, before);
    assert_eq!(before.len(), made.len());
}

#[tokio::test(start_paused = true)]
async fn a_run_key_outlives_its_run_in_memory() {
    let world = world();
    let (engine, made) = packed(&world).await;
    let first = &made[0];
    assert!(engine.view().state.run(first.id).is_none());
    let again = RunAsk {
        run_key: Some("run 0".into()),
        ..ask("a")
    };
    let again = world::run(&engine, again).await;
    assert_eq!((again.run, again.created), (first.id, false));
}
