//! What an engine holds is what the log says, whatever became of its puts.

use std::time::Duration;

use arco_engine::RunAsk;
use arco_flow::State;
use arco_flow::command::Reported;
use arco_testkit::replay::{fold, replay, segments};
use arco_testkit::store::{Fault, FaultRates, Op};
use arco_testkit::world::{self, ask};
use arco_testkit::{ManifestBuilder, World, asset};

use crate::support::*;
use arco_core::asset_fact::{AssetFact, AssetMaterialization};

fn keyed(key: &str) -> RunAsk {
    RunAsk {
        run_key: Some(key.into()),
        ..ask("*")
    }
}

#[tokio::test(start_paused = true)]
async fn a_lost_put_is_decided_again_on_what_the_winner_left() {
    // Neither looks at the other's segments on its own.
    let world = World::new().with(|s| s.follow_ms = 1 << 40);
    let (one, _) = ready(&world, &chain()).await;
    let two = world.engine_named("two").await;
    let theirs = world::run(&two, keyed("night")).await;
    assert!(
        one.view().position() < two.view().position(),
        "one has not seen it"
    );
    let same = world::run(&one, keyed("night")).await;
    assert_eq!((same.run, same.created), (theirs.run, false));
    let next = world::run(&one, keyed("morning")).await;
    assert!(next.created);
    assert!(
        one.view().position() > two.view().position(),
        "two has not seen that"
    );
    let hash = replay(&world.store).await.hash();
    assert_eq!(one.view().state.hash(), hash);
    two.catch_up().await.expect("it follows");
    assert_eq!(two.view().state.hash(), hash);
}

#[tokio::test(start_paused = true)]
async fn a_put_that_failed_after_its_work_is_committed_once() {
    let (world, store) = World::faulty();
    let (engine, _) = ready(&world, &chain()).await;
    store.script(Op::Create, Fault::ErrorAfter);
    let made = world::run(&engine, keyed("night")).await;
    assert!(made.created);
    assert_eq!(events(&engine, "run.requested").await.len(), 1);
    assert_eq!(
        engine.view().state.hash(),
        replay(&world.store).await.hash()
    );
}

#[tokio::test(start_paused = true)]
async fn a_put_of_unknown_outcome_that_lands_late_is_found_by_its_key() {
    let (world, store) = World::faulty();
    let (engine, _) = ready(&world, &chain()).await;
    store.script(Op::Create, Fault::LandLater(Duration::from_secs(45)));
    store.set_rates(FaultRates::outage());
    let asked = engine.request_run("client:test", "r", keyed("night")).await;
    let error = asked.expect_err("nothing answers");
    assert_eq!(error.code(), "outcome_unknown");
    assert!(error.retryable());
    store.set_rates(FaultRates::default());
    store.settle().await;
    let again = world::run(&engine, keyed("night")).await;
    assert!(!again.created, "the first request made it after all");
    assert_eq!(
        engine.view().state.hash(),
        replay(&world.store).await.hash()
    );
}

#[tokio::test(start_paused = true)]
async fn a_late_put_may_lose_to_the_next_decision() {
    let (world, store) = World::faulty();
    let (engine, _) = ready(&world, &chain()).await;
    store.script(Op::Create, Fault::LandLater(Duration::from_secs(300)));
    store.set_rates(FaultRates::outage());
    let lost = engine.request_run("client:test", "r", keyed("night")).await;
    assert_eq!(code(lost), "outcome_unknown");
    store.set_rates(FaultRates::default());
    let other = world::run(&engine, keyed("morning")).await;
    assert!(other.created);
    store.settle().await;
    engine.catch_up().await.expect("it follows");
    assert_eq!(events(&engine, "run.requested").await.len(), 1);
    assert_eq!(
        engine.view().state.hash(),
        replay(&world.store).await.hash()
    );
}

#[tokio::test(start_paused = true)]
async fn commands_that_wait_together_are_one_segment() {
    let (world, store) = World::faulty();
    let (engine, _) = ready(&world, &chain()).await;
    store.script(Op::Create, Fault::Delay(Duration::from_secs(1)));
    let before = engine.view().head.segment;
    let asks = (0..50).map(|n| {
        let (engine, key) = (engine.clone(), format!("key {n}"));
        async move { engine.request_run("client:test", "r", keyed(&key)).await }
    });
    let made = futures::future::join_all(asks).await;
    assert!(
        made.iter()
            .all(|made| made.as_ref().is_ok_and(|made| made.created))
    );
    assert!(
        engine.view().head.segment <= before + 2,
        "the first put, and all that came meanwhile"
    );
}

#[tokio::test(start_paused = true)]
async fn a_refused_command_does_not_spoil_its_batch() {
    let (world, store) = World::faulty();
    let (engine, _) = ready(&world, &chain()).await;
    store.script(Op::Create, Fault::Delay(Duration::from_secs(1)));
    let asks = [
        keyed("x"),
        keyed("y"),
        RunAsk {
            selection: vec!["a".into()],
            ..keyed("x")
        },
    ];
    let asks = asks
        .into_iter()
        .map(|ask| engine.request_run("client:test", "r", ask));
    let mut made = futures::future::join_all(asks).await;
    assert_eq!(code(made.pop().expect("three answers")), "run_key_conflict");
    assert!(made.iter().all(Result::is_ok));
}

#[tokio::test(start_paused = true)]
async fn numbers_in_metadata_are_the_same_after_the_log() {
    let world = World::new();
    let manifest = ManifestBuilder::new("main").asset(asset("a"));
    let (engine, mut host) = ready(&world, &manifest).await;
    let mut random = arco_testkit::random::Random::new(1);
    for n in 0..40 {
        run(&engine, "a").await;
        let held = lease(&mut host, &engine).await;
        let values = (0..50).map(|n| {
            let number = f64::from_bits(random.number());
            let number = if number.is_finite() { number } else { 0.1 };
            (
                format!("n{n}"),
                serde_json::json!({"type": "float", "value": number}),
            )
        });
        let made = Reported::Asset(AssetFact::Materialized(AssetMaterialization {
            metadata: values.collect(),
            ..AssetMaterialization::new(held.step.outputs[0].clone())
        }));
        let said = vec![(held.attempt, made), (held.attempt, Reported::Succeeded)];
        host.exchange(&engine, said, 0)
            .await
            .expect("the host is heard");
        let hash = replay(&world.store).await.hash();
        assert_eq!(engine.view().state.hash(), hash, "after {n} runs");
    }
}

#[tokio::test(start_paused = true)]
async fn any_split_of_the_log_gives_the_same_state() {
    let world = World::new();
    let (engine, mut host) = ready(&world, &chain()).await;
    for _ in 0..5 {
        run(&engine, "*").await;
        host.work(&engine, arco_testkit::host::succeeds)
            .await
            .expect("the host is heard");
    }
    let all = segments(&world.store).await.expect("the log reads");
    let whole = fold(State::default(), &all);
    assert_eq!(engine.view().state.hash(), whole.hash());
    for split in 0..=all.len() {
        let first = fold(State::default(), &all[..split]);
        let read = State::from_bytes(&first.to_bytes()).expect("a state is read as it is written");
        assert_eq!(
            fold(read, &all[split..]).hash(),
            whole.hash(),
            "split at {split}"
        );
    }
}
