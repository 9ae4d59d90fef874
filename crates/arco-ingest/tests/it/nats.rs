//! A real JetStream: nothing is lost and nothing acknowledged that was not accepted.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::time::Duration;

use arco_ingest::{Accepted, ConsumerSetting, Message, NotAccepted, Sink, consume};
use async_nats::jetstream::{self, stream};
use async_trait::async_trait;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::nats_server::NatsServer;

/// A log in memory: the first message under an id counts.
#[derive(Default)]
struct Log {
    accepted: Mutex<BTreeMap<String, Message>>,
    /// Deliveries, duplicates among them.
    deliveries: Mutex<usize>,
    /// So many are turned away before any is taken.
    turned_away: Mutex<usize>,
}

#[async_trait]
impl Sink for Log {
    async fn accept(
        &self,
        sensor: &str,
        messages: Vec<Message>,
    ) -> Vec<Result<Accepted, NotAccepted>> {
        assert_eq!(sensor, "orders");
        let one = |message: Message| {
            *self.deliveries.lock().unwrap() += 1;
            let mut away = self.turned_away.lock().unwrap();
            if *away > 0 {
                *away -= 1;
                return Err(NotAccepted::Later("not now".into()));
            }
            let id = message.id.clone().expect("an id");
            let duplicate = self.accepted.lock().unwrap().insert(id, message).is_some();
            Ok(Accepted { duplicate })
        };
        messages.into_iter().map(one).collect()
    }
}

impl Log {
    async fn reaches(&self, count: usize) {
        for _ in 0..6_000 {
            if self.accepted.lock().unwrap().len() >= count {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("{} of {count}", self.accepted.lock().unwrap().len());
    }
}

fn setting(url: &str) -> ConsumerSetting {
    serde_json::from_value(
        json!({"kind": "nats", "url": url, "stream": "ORDERS", "durable": "arco",
        "subject": "orders.>", "sensor": "orders", "ack_wait_seconds": 1}),
    )
    .expect("a setting")
}

async fn connect(server: &NatsServer) -> jetstream::Context {
    let client = async_nats::connect(&server.url)
        .await
        .expect("a connection");
    jetstream::new(client)
}

async fn with_stream(server: &NatsServer) -> jetstream::Context {
    let context = connect(server).await;
    let config = stream::Config {
        name: "ORDERS".into(),
        subjects: vec!["orders.>".into(), "other".into()],
        ..stream::Config::default()
    };
    context.create_stream(config).await.expect("a stream");
    context
}

async fn publish(context: &jetstream::Context, headers: &[(&str, &str)], payload: &str) {
    let mut map = async_nats::HeaderMap::new();
    for (name, value) in headers {
        map.insert(*name, *value);
    }
    let sent = context.publish_with_headers("orders.new", map, payload.to_owned().into());
    sent.await.expect("sent").await.expect("stored");
}

/// How many messages the server still holds for the consumer, delivered or not.
async fn unacknowledged(context: &jetstream::Context) -> u64 {
    let stream = context.get_stream("ORDERS").await.expect("the stream");
    let info = stream.consumer_info("arco").await.expect("the consumer");
    info.num_pending + info.num_ack_pending as u64
}

async fn all_acknowledged(context: &jetstream::Context) {
    for _ in 0..1_000 {
        if unacknowledged(context).await == 0 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("{} are not acknowledged", unacknowledged(context).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_dialect_has_its_id_and_other_subjects_are_left_alone() {
    let server = NatsServer::start();
    let context = with_stream(&server).await;
    publish(&context, &[("Nats-Msg-Id", "given")], r#"{"n": 1}"#).await;
    publish(&context, &[], "text").await;
    let event = [
        ("ce-specversion", "1.0"),
        ("ce-id", "7"),
        ("ce-source", "/shop"),
        ("ce-type", "order"),
        ("content-type", "application/json"),
    ];
    publish(&context, &event, r#"{"n": 3}"#).await;
    let broken = [("content-type", "application/cloudevents+json")];
    publish(&context, &broken, "{}").await;
    context
        .publish("other", "x".into())
        .await
        .expect("sent")
        .await
        .expect("stored");
    let (log, stop) = (Log::default(), CancellationToken::new());
    let setting = setting(&server.url);
    let looking = async {
        log.reaches(3).await;
        // The broken one is given up, not kept for ever.
        all_acknowledged(&context).await;
        stop.cancel();
    };
    tokio::join!(consume(&setting, &log, &stop), looking);
    let accepted = log.accepted.lock().unwrap();
    let data: BTreeSet<(String, String)> = accepted
        .iter()
        .map(|(id, message)| {
            (
                id.split(':').take(2).collect::<Vec<_>>().join(":"),
                message.data.to_string(),
            )
        })
        .collect();
    let wanted = [
        ("/shop|7", json!({"n": 3})),
        ("ORDERS:2", Value::from("text")),
        ("given", json!({"n": 1})),
    ];
    assert_eq!(
        data,
        wanted
            .map(|(id, data)| (id.to_owned(), data.to_string()))
            .into()
    );
    assert_eq!(accepted["given"].attributes["nats-subject"], "orders.new");
    assert_eq!(accepted["/shop|7"].attributes["type"], "order");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_accepted_is_delivered_again_and_a_server_that_restarts_loses_nothing() {
    let mut server = NatsServer::start();
    let context = with_stream(&server).await;
    for n in 0..100 {
        publish(&context, &[], &n.to_string()).await;
    }
    let (log, stop) = (Log::default(), CancellationToken::new());
    *log.turned_away.lock().unwrap() = 3;
    let setting = setting(&server.url);
    let looking = async {
        log.reaches(97).await;
        assert!(
            unacknowledged(&context).await >= 3,
            "those turned away are still there"
        );
        server.restart();
        let again = connect(&server).await;
        for n in 100..200 {
            publish(&again, &[], &n.to_string()).await;
        }
        log.reaches(200).await;
        all_acknowledged(&again).await;
        stop.cancel();
    };
    tokio::join!(consume(&setting, &log, &stop), looking);
    let said: BTreeSet<u64> = log
        .accepted
        .lock()
        .unwrap()
        .values()
        .filter_map(|m| m.data.as_u64())
        .collect();
    assert_eq!(said, (0..200).collect());
    assert!(*log.deliveries.lock().unwrap() >= 203);
}
