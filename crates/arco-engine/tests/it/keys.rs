//! Run keys and idempotency keys: at most one run, and a conflict that shows both.

use arco_engine::RunAsk;
use arco_testkit::World;
use arco_testkit::world::{self, ask};

use crate::support::*;

fn keyed(selection: &str, key: &str) -> RunAsk {
    RunAsk {
        run_key: Some(key.into()),
        ..ask(selection)
    }
}

#[tokio::test(start_paused = true)]
async fn the_same_run_key_and_request_is_the_same_run() {
    let (engine, _) = ready(&World::new(), &chain()).await;
    let first = world::run(&engine, keyed("*", "night")).await;
    let second = world::run(&engine, keyed("key:a or key:b or key:c", "night")).await;
    assert!(first.created && !second.created);
    assert_eq!(
        first.run, second.run,
        "what counts are the assets, not how they were selected"
    );
    assert_eq!(events(&engine, "run.requested").await.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn the_same_run_key_and_another_request_is_a_conflict_that_shows_both() {
    let (engine, _) = ready(&World::new(), &chain()).await;
    let first = world::run(&engine, keyed("*", "night")).await;
    let others = [
        keyed("a", "night"),
        RunAsk {
            config: serde_json::json!({"ops": {}}),
            ..keyed("*", "night")
        },
        RunAsk {
            tags: [("team".into(), "x".into())].into(),
            ..keyed("*", "night")
        },
    ];
    for other in others {
        let refused = engine
            .request_run("client:test", "r", other)
            .await
            .expect_err("a conflict");
        assert_eq!(refused.code(), "run_key_conflict");
        assert!(
            refused.to_string().contains(&first.run.to_string()),
            "{refused}"
        );
    }
    let elsewhere = RunAsk {
        scope: "sensor:x".into(),
        ..keyed("a", "night")
    };
    assert!(
        world::run(&engine, elsewhere).await.created,
        "another scope is another key"
    );
}

#[tokio::test(start_paused = true)]
async fn reserved_run_keys_are_refused() {
    let (engine, _) = ready(&World::new(), &chain()).await;
    for key in ["backfill:x", "rerun:x"] {
        let asked = engine
            .request_run("client:test", "r", keyed("*", key))
            .await;
        assert_eq!(code(asked), "reserved");
    }
}

#[tokio::test(start_paused = true)]
async fn a_repeated_request_with_an_idempotency_key_makes_one_run() {
    let (engine, _) = ready(&World::new(), &chain()).await;
    let with_key = |selection| RunAsk {
        idempotency_key: Some("k1".into()),
        ..ask(selection)
    };
    let first = world::run(&engine, with_key("*")).await;
    let second = world::run(&engine, with_key("*")).await;
    assert_eq!((first.run, false), (second.run, second.created));
    let other = engine.request_run("client:test", "r", with_key("a")).await;
    assert_eq!(code(other), "idempotency_conflict");
}

#[tokio::test(start_paused = true)]
async fn keys_hold_across_replicas_that_race() {
    let world = World::new();
    let (one, _) = ready(&world, &chain()).await;
    let two = world.engine_named("two").await;
    two.catch_up().await.expect("it follows");
    let asks = (0..20).map(|n| {
        let engine = if n % 2 == 0 { one.clone() } else { two.clone() };
        let key = format!("key {}", n / 4);
        async move {
            engine
                .request_run("client:test", "r", keyed("*", &key))
                .await
        }
    });
    let made = futures::future::join_all(asks).await;
    let made: Vec<_> = made
        .into_iter()
        .map(|made| made.expect("no conflict"))
        .collect();
    for four in made.chunks(4) {
        assert!(four.iter().all(|run| run.run == four[0].run));
        assert_eq!(four.iter().filter(|run| run.created).count(), 1);
    }
    assert_eq!(events(&one, "run.requested").await.len(), 5);
}
