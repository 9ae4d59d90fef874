//! Who leads. Two engines on one store, each with its own way to it, so that one can be cut off.

use std::sync::Arc;
use std::time::Duration;

use arco_core::event::{Event, Fact, HostLost};
use arco_engine::{Engine, EngineSettings};
use arco_flow::state::HostStatus;
use arco_log::LogStore;
use arco_testkit::replay::{events as logged, replay, segments};
use arco_testkit::store::{Fault, FaultRates, FaultStore, Op};
use arco_testkit::world::deploy;
use arco_testkit::{ScriptedHost, World};
use object_store::memory::InMemory;

use crate::support::*;

const TTL: Duration = Duration::from_secs(30);
const MARGIN: Duration = Duration::from_secs(1);
const MOMENT: Duration = Duration::from_millis(1);

/// Two ways to one store.
struct Pair {
    world: World,
    ways: [Arc<FaultStore>; 2],
    settings: EngineSettings,
}

impl Pair {
    fn new() -> Self {
        let memory = Arc::new(InMemory::new());
        let way = || FaultStore::new(Arc::clone(&memory) as _, 0, FaultRates::default());
        let world = World::on(LogStore::new(Arc::clone(&memory) as _));
        let settings = world.settings.clone();
        Self {
            world,
            ways: [way(), way()],
            settings,
        }
    }

    async fn engine(&self, way: usize) -> Engine {
        self.engine_at(way, ["one", "two"][way]).await
    }

    async fn engine_at(&self, way: usize, name: &str) -> Engine {
        let mut options = self.world.options(name);
        options.store = LogStore::new(Arc::clone(&self.ways[way]) as _);
        options.settings = self.settings.clone();
        Engine::start(options).await.expect("it starts")
    }

    fn cut(&self, way: usize) {
        self.ways[way].set_rates(FaultRates::outage());
    }

    fn heal(&self, way: usize) {
        self.ways[way].set_rates(FaultRates::default());
    }

    fn pass(&self, time: Duration) {
        self.world.clock.advance(time);
    }

    /// The first engine leads, and a host works at a task for it; the second follows.
    async fn working(&self) -> (Engine, Engine, ScriptedHost) {
        let one = self.engine(0).await;
        deploy(&one, &chain()).await;
        let mut host = self.world.host(&one, "main").await;
        run(&one, "*").await;
        lease(&mut host, &one).await;
        let two = self.engine(1).await;
        assert!(one.is_leader() && !two.is_leader());
        (one, two, host)
    }
}

/// Lets every engine look around a few times; the manual clock stands still.
async fn a_while() {
    tokio::time::sleep(Duration::from_secs(5)).await;
}

async fn leads(engine: &Engine) {
    until(engine, "it leads", |view| view.leads).await;
}

fn host_status(engine: &Engine, host: &ScriptedHost) -> HostStatus {
    engine.view().state.hosts[&host.id].status
}

#[tokio::test(start_paused = true)]
async fn an_idle_workspace_writes_nothing() {
    let pair = Pair::new();
    let one = pair.engine(0).await;
    let two = pair.engine(1).await;
    deploy(&one, &chain()).await;
    let host = pair.world.host(&one, "main").await;
    let head = one.view().head.segment;
    for _ in 0..1_000 {
        pair.pass(Duration::from_secs(5));
        host.heartbeat(&one).await.expect("the leader answers");
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    two.catch_up().await.expect("it follows");
    assert_eq!(two.view().head.segment, head);
    assert!(one.is_leader());
}

#[tokio::test(start_paused = true)]
async fn another_leads_only_after_the_ttl() {
    let pair = Pair::new();
    let (one, two, _) = pair.working().await;
    pair.cut(0);
    a_while().await;
    pair.pass(TTL + MARGIN);
    a_while().await;
    assert!(!two.is_leader());
    pair.pass(MOMENT);
    leads(&two).await;
    assert_eq!(two.view().state.leadership.epoch, 2);
    assert_eq!(two.view().state.leadership.url, "http://two");
    pair.heal(0);
    until(&one, "it sees who leads", |view| {
        view.state.leadership.epoch == 2
    })
    .await;
    assert!(!one.is_leader());
}

#[tokio::test(start_paused = true)]
async fn a_busy_leader_keeps_the_lead() {
    let pair = Pair::new();
    let (one, two, host) = pair.working().await;
    for _ in 0..100 {
        pair.pass(Duration::from_secs(5));
        a_while().await;
        host.heartbeat(&one).await.expect("the leader answers");
    }
    assert!(one.is_leader() && !two.is_leader());
    assert_eq!(one.view().state.leadership.epoch, 1);
}

#[tokio::test(start_paused = true)]
async fn a_released_lead_is_taken_at_once_and_not_by_the_one_that_released_it() {
    let pair = Pair::new();
    let (one, two, _) = pair.working().await;
    one.shutdown().await;
    leads(&two).await;
    assert_eq!(two.view().state.leadership.epoch, 2);
    let all = segments(&pair.world.store).await.expect("the log reads");
    let taken: Vec<_> = logged(&all)
        .filter(|(_, _, e)| matches!(e.fact, Fact::LeaseTaken(_)))
        .collect();
    assert_eq!(taken.len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_leader_cut_off_from_the_store_stops_answering_before_another_may_lead() {
    let pair = Pair::new();
    let (one, two, host) = pair.working().await;
    pair.cut(0);
    pair.pass(TTL - MARGIN - MOMENT);
    host.heartbeat(&one)
        .await
        .expect("nobody else can lead yet");
    pair.pass(MOMENT);
    host.heartbeat(&one)
        .await
        .expect_err("it cannot prove that it leads");
    a_while().await;
    assert!(!two.is_leader());
}

#[tokio::test(start_paused = true)]
async fn a_slow_put_proves_the_lead_from_when_it_was_sent() {
    let pair = Pair::new();
    let (one, _two, host) = pair.working().await;
    let slow = Duration::from_secs(3);
    pair.ways[0].script(Op::Create, Fault::Delay(slow));
    let sending = one.clone();
    let put = tokio::spawn(async move { run(&sending, "a").await });
    tokio::time::sleep(slow / 2).await;
    // The put is on its way; nothing after it gets through.
    pair.cut(0);
    for _ in 0..2 {
        pair.pass(Duration::from_secs(10));
        host.heartbeat(&one)
            .await
            .expect("nobody else can lead yet");
    }
    put.await.expect("it is made");
    pair.pass(Duration::from_secs(8));
    host.heartbeat(&one)
        .await
        .expect("the put was sent 28 seconds ago");
    pair.pass(Duration::from_secs(1));
    let refused = host.heartbeat(&one).await;
    assert_ne!(
        code(refused),
        "fenced",
        "29 seconds: it cannot prove that it leads"
    );
}

#[tokio::test(start_paused = true)]
async fn a_new_leader_gives_every_host_a_whole_lease() {
    let pair = Pair::new();
    let (_one, two, mut host) = pair.working().await;
    pair.cut(0);
    pair.pass(TTL + MARGIN * 2);
    leads(&two).await;
    pair.pass(Duration::from_secs(16));
    a_while().await;
    assert_eq!(host_status(&two, &host), HostStatus::Alive);
    assert_eq!(
        host.register(&two).await.expect("it may").len(),
        1,
        "it keeps what it holds"
    );
    pair.pass(Duration::from_secs(17));
    until(&two, "the host is lost", |view| {
        view.state.hosts[&host.id].status == HostStatus::Lost
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_lead_whose_put_landed_late_gives_every_host_a_whole_lease_too() {
    let pair = Pair::new();
    let (_one, two, host) = pair.working().await;
    pair.cut(0);
    pair.ways[1].script(Op::Create, Fault::LandLater(Duration::from_secs(33)));
    pair.pass(TTL + MARGIN * 2);
    a_tick(&pair, 1).await;
    pair.cut(1);
    // The first try is given up after 30 seconds, the second is under way when the first lands.
    pair.ways[1].settle().await;
    pair.heal(1);
    leads(&two).await;
    assert_eq!(two.view().state.leadership.epoch, 2);
    a_while().await;
    assert_eq!(host_status(&two, &host), HostStatus::Alive);
    pair.pass(Duration::from_secs(17));
    until(&two, "the host is lost", |view| {
        view.state.hosts[&host.id].status == HostStatus::Lost
    })
    .await;
}

/// Waits until a way has been used to create something more.
async fn a_tick(pair: &Pair, way: usize) {
    let before = pair.ways[way].counts().create;
    while pair.ways[way].counts().create == before {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_take_over_falls_when_the_leader_wrote_after_all() {
    let pair = Pair::new();
    let (one, two, _) = pair.working().await;
    // Nothing was heard of the leader for its ttl, and the put of the take-over is slow.
    pair.ways[1].script(Op::Create, Fault::Delay(Duration::from_secs(3)));
    pair.ways[0].script(Op::Create, Fault::Delay(Duration::from_millis(100)));
    let sending = one.clone();
    pair.pass(TTL + MARGIN * 2);
    a_tick(&pair, 1).await;
    run(&sending, "a").await;
    a_while().await;
    assert!(one.is_leader());
    assert!(!two.is_leader(), "what it rested on was no longer so");
    assert_eq!(two.view().state.leadership.epoch, 1);
}

#[tokio::test(start_paused = true)]
async fn a_stale_leader_declares_no_host_lost() {
    let pair = Pair::new();
    let (one, two, mut host) = pair.working().await;
    pair.cut(0);
    pair.pass(TTL + MARGIN * 2);
    leads(&two).await;
    host.register(&two).await.expect("it may");
    // The old leader wakes up, believes to lead, and has heard nothing of the host for a long time.
    pair.heal(0);
    until(&one, "it sees who leads", |view| {
        view.state.leadership.epoch == 2
    })
    .await;
    a_while().await;
    assert_eq!(host_status(&two, &host), HostStatus::Alive);
    assert_eq!(events(&two, "host.lost").await.len(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_stale_leader_leases_nothing() {
    let mut pair = Pair::new();
    pair.settings.follow_ms = 1 << 40;
    let one = pair.engine(0).await;
    deploy(&one, &chain()).await;
    let mut host = pair.world.host(&one, "main").await;
    run(&one, "*").await;
    pair.settings.follow_ms = 1_000;
    let two = pair.engine(1).await;
    pair.pass(TTL + MARGIN * 2);
    // The first does not notice the second: it neither writes nor looks.
    one_is_held_up(&pair);
    leads(&two).await;
    pair.heal(0);
    assert!(one.is_leader(), "so it believes");
    host.ask(&one, 1)
        .await
        .expect_err("its put loses, and then it leads no longer");
    assert_eq!(events(&two, "attempt.leased").await.len(), 0);
    let next = lease(&mut host, &two).await;
    assert_eq!(next.attempt.number, 1);
}

fn one_is_held_up(pair: &Pair) {
    pair.cut(0);
}

#[tokio::test(start_paused = true)]
async fn the_fold_ignores_a_controller_of_a_past_epoch() {
    let pair = Pair::new();
    let (one, two, mut host) = pair.working().await;
    one.shutdown().await;
    leads(&two).await;
    host.register(&two).await.expect("it may");
    let view = two.view();
    let event = |epoch| Event {
        time: view.state.time,
        principal: "controller:hosts".into(),
        cause: arco_core::event::Cause::Command("x".into()),
        epoch: Some(epoch),
        definitions: None,
        fact: Fact::HostLost(HostLost { host: host.id }),
    };
    let mut state = view.state.clone();
    for (epoch, status) in [(1, HostStatus::Alive), (2, HostStatus::Lost)] {
        let at = arco_core::event::Position {
            segment: view.head.segment + 1,
            index: 0,
        };
        state
            .apply(at, &event(epoch), &arco_flow::state::NoBlobs)
            .expect("it applies");
        assert_eq!(state.hosts[&host.id].status, status);
    }
}

#[tokio::test(start_paused = true)]
async fn a_process_that_starts_beside_a_silent_leader_waits() {
    for snapshots in [1, 1_000] {
        let mut pair = Pair::new();
        pair.settings.snapshot_segments = snapshots;
        let one = pair.engine(0).await;
        deploy(&one, &chain()).await;
        run(&one, "*").await;
        if snapshots == 1 {
            // Then the whole log is under a snapshot, and there is no segment to tell its age by.
            let head = one.view().head;
            while one
                .log()
                .newest_snapshot()
                .is_none_or(|at| at.segment < head.segment)
            {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            pair.pass(Duration::from_secs(11));
            one.log().refresh_hint(head).await;
        }
        let two = pair.engine(1).await;
        a_while().await;
        assert!(!two.is_leader());
        assert!(one.is_leader());
    }
}

#[tokio::test(start_paused = true)]
async fn a_process_that_starts_where_the_leader_was_leads_at_once() {
    let pair = Pair::new();
    let (_one, _two, mut host) = pair.working().await;
    pair.cut(0);
    let again = pair.engine_at(1, "one").await;
    assert!(again.is_leader());
    assert_eq!(host.register(&again).await.expect("it may").len(), 1);
    // Should the first live after all, it may tell the host to go on until its ttl.
    pair.pass(TTL + Duration::from_secs(16));
    a_while().await;
    assert_eq!(host_status(&again, &host), HostStatus::Alive);
    pair.pass(MOMENT);
    until(&again, "the host is lost", |view| {
        view.state.hosts[&host.id].status == HostStatus::Lost
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_host_that_finds_no_leader_brings_about_one() {
    let pair = Pair::new();
    let one = pair.engine(0).await;
    deploy(&one, &chain()).await;
    let two = pair.engine(1).await;
    pair.cut(0);
    pair.pass(TTL * 10);
    a_while().await;
    assert!(!two.is_leader(), "there is nothing to lead");
    let mut host = ScriptedHost::new(pair.world.new_host(), "main");
    for _ in 0..60 {
        if host.register(&two).await.is_ok() {
            break;
        }
        pair.pass(Duration::from_secs(1));
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    assert!(two.is_leader());
    run(&two, "a").await;
    lease(&mut host, &two).await;
}

#[tokio::test(start_paused = true)]
async fn one_call_gone_astray_moves_no_lead() {
    let pair = Pair::new();
    let one = pair.engine(0).await;
    deploy(&one, &chain()).await;
    let two = pair.engine(1).await;
    let mut host = ScriptedHost::new(pair.world.new_host(), "main");
    for _ in 0..5 {
        pair.pass(TTL * 10);
        assert_eq!(code(host.register(&two).await), "not_leader");
        a_while().await;
    }
    assert!(one.is_leader() && !two.is_leader());
}

#[tokio::test(start_paused = true)]
async fn replicas_agree_with_each_other_and_with_the_log() {
    let pair = Pair::new();
    let (one, two, mut host) = pair.working().await;
    host.live.clear();
    host.work(&one, arco_testkit::host::succeeds)
        .await
        .expect("the host is heard");
    run(&two, "b").await;
    one.catch_up().await.expect("it follows");
    two.catch_up().await.expect("it follows");
    let hash = replay(&pair.world.store).await.hash();
    assert_eq!(one.view().state.hash(), hash);
    assert_eq!(two.view().state.hash(), hash);
}
