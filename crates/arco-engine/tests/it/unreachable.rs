//! Code that cannot be reached: no host, hosts that go, hosts that say nothing. A tick waits for it without
//! limit, and none of that is a try (S-29, EX-120).

use std::time::Duration;

use arco_engine::{Engine, HostAsk, HostQuestion};
use arco_flow::command::Command;
use arco_flow::evaluation::{RunAsked, Wanted};
use arco_flow::state::TickRow;
use arco_testkit::world::deploy;
use arco_testkit::{ManifestBuilder, ScriptedHost, World, asset};
use serde_json::json;

use crate::sensors::{a_while, call, question, raised, said, wants};
use crate::support::*;

const HOUR: Duration = Duration::from_secs(3_600);

fn attempt(question: &HostQuestion) -> u32 {
    match &question.ask {
        HostAsk::Tick(tick) => tick.attempt,
        HostAsk::Sensor { .. } | HostAsk::Mapping(_) => panic!("no sensor"),
    }
}

async fn leaves(engine: &Engine, host: &ScriptedHost) {
    engine
        .submit("worker:main", "leave", Command::HostLeft(host.id))
        .await
        .expect("it is there");
}

#[tokio::test(start_paused = true)]
async fn a_tick_waits_for_code_that_cannot_be_reached_and_none_of_it_is_a_try() {
    let schedule = json!({"name": "f", "cron": ["0 * * * *"], "selection": ["a"], "function": true,
        "default_status": "running"});
    let manifest = ManifestBuilder::new("main")
        .asset(asset("a"))
        .schedule(schedule);
    let world = World::new();
    let engine = world.engine().await;
    deploy(&engine, &manifest).await;
    let before = engine.view().head.segment;
    world.clock.advance(HOUR);
    a_while().await;
    assert!(engine.view().state.ticks.is_empty(), "it waits for a host");
    // Hosts come, take it, and go.
    for _ in 0..20 {
        let host = world.host(&engine, "main").await;
        let asked = question(&engine, &host).await;
        assert_eq!(attempt(&asked), 1);
        leaves(&engine, &host).await;
        let late = wants(&asked.id, Wanted::default());
        let nobody = engine
            .evaluations(
                host.id,
                arco_engine::EvaluationsCall {
                    answers: vec![late],
                    want: 0,
                    busy: Vec::new(),
                },
                Duration::ZERO,
            )
            .await;
        assert!(nobody.is_err(), "a host that left says nothing any more");
    }
    // One takes it and does not answer for longer than the function may take.
    let host = world.host(&engine, "main").await;
    let mut asked = question(&engine, &host).await;
    for _ in 0..3 {
        for _ in 0..13 {
            world.clock.advance(Duration::from_secs(10));
            engine.heartbeat(host.id, &[]).await.expect("it lives");
            call(&engine, &host, Vec::new(), &[&asked.id], Duration::ZERO).await;
        }
        a_while().await;
        asked = question(&engine, &host).await;
        assert_eq!(attempt(&asked), 1);
    }
    let view = engine.view();
    assert!(view.state.ticks.is_empty() && view.state.schedules["f"].retry.is_none());
    assert!(view.head.segment > before, "hosts came and went");
    // It is fired for its instant at last, as a first try.
    let one = Wanted {
        runs: vec![RunAsked::default()],
        ..Wanted::default()
    };
    call(&engine, &host, vec![wants(&asked.id, one)], &[], HOUR).await;
    until(&engine, "it fires", |view| view.state.ticks.len() == 1).await;
    let view = engine.view();
    let tick = view.state.ticks.values().next().expect("one");
    assert!(matches!(&tick.outcome, TickRow::Success { runs, .. } if runs.len() == 1));
    assert_eq!(tick.attempt, None, "it was tried once");
    // And what fails after all that waiting fails as a first try too: there are none left after it.
    world.clock.advance(HOUR);
    let host = world.host(&engine, "main").await;
    let asked = question(&engine, &host).await;
    call(&engine, &host, vec![said(&asked.id, raised())], &[], HOUR).await;
    until(&engine, "it failed", |view| view.state.ticks.len() == 2).await;
    let view = engine.view();
    let tick = view.state.ticks.values().next_back().expect("one");
    assert!(matches!(&tick.outcome, TickRow::Failure { error } if error.message == "no"));
    assert_eq!(tick.attempt, None);
}
