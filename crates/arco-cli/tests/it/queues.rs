//! Messages from a real NATS server: each counts once, whoever is killed before it acknowledges.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_nats::jetstream::{self, consumer, stream};
use serde_json::Value;
use tokio::runtime::Runtime;

use crate::nats_server::NatsServer;
use crate::support::{Dev, Project, events, eventually};

const MESSAGES: usize = 1_000;
const KILLS: usize = 5;

const DEFINITIONS: &str = r#"
import os
from pathlib import Path

import arco_flow as dg

journal = Path(os.environ["TEST_FOLDER"]) / "journal"


@dg.asset
def order(context: dg.AssetExecutionContext):
    with open(journal, "a") as file:
        file.write(f"{context.run.tags['order']}\n")


@dg.push_sensor(target=[order], default_status=dg.DefaultSensorStatus.RUNNING)
def orders(context, message: dg.Message):
    return dg.RunRequest(tags={"order": str(message.data["n"])})


defs = dg.Definitions(assets=[order], sensors=[orders])
"#;

/// A stream of orders, and the way that consumers take to it.
struct Queue {
    runtime: Runtime,
    nats: NatsServer,
    context: jetstream::Context,
    way: Way,
    published: usize,
}

impl Queue {
    fn new() -> Self {
        let runtime = Runtime::new().unwrap();
        let nats = NatsServer::start();
        let context = runtime.block_on(async {
            let context = jetstream::new(async_nats::connect(&nats.url).await.unwrap());
            let config = stream::Config {
                name: "ORDERS".into(),
                subjects: vec!["orders.>".into()],
                ..stream::Config::default()
            };
            context.create_stream(config).await.unwrap();
            context
        });
        let way = Way::to(nats.url.strip_prefix("nats://").unwrap());
        Self {
            runtime,
            nats,
            context,
            way,
            published: 0,
        }
    }

    fn publish(&mut self, count: usize) {
        for n in self.published..self.published + count {
            let mut headers = async_nats::HeaderMap::new();
            // Half of them name themselves.
            if n % 2 == 0 {
                headers.insert("Nats-Msg-Id", format!("order-{n}").as_str());
            }
            let payload = format!("{{\"n\": {n}}}");
            self.runtime.block_on(async {
                let sent = self
                    .context
                    .publish_with_headers("orders.new", headers, payload.into());
                sent.await.unwrap().await.unwrap();
            });
        }
        self.published += count;
    }

    fn consumer(&self) -> consumer::Info {
        self.runtime.block_on(async {
            let stream = self.context.get_stream("ORDERS").await.unwrap();
            stream.consumer_info("arco").await.unwrap()
        })
    }

    /// How many messages were acknowledged.
    fn acknowledged(&self) -> usize {
        let info = self.consumer();
        usize::try_from(info.delivered.stream_sequence).unwrap() - info.num_ack_pending
    }
}

/// A way to a server on which, from a moment on, nothing of a client arrives any more.
struct Way {
    port: u16,
    deaf: Arc<AtomicBool>,
}

impl Way {
    fn to(server: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let way = Self {
            port: listener.local_addr().unwrap().port(),
            deaf: Arc::default(),
        };
        let (server, deaf) = (server.to_owned(), Arc::clone(&way.deaf));
        std::thread::spawn(move || {
            for client in listener.incoming() {
                let (client, server) = (client.unwrap(), TcpStream::connect(&server).unwrap());
                let back = (server.try_clone().unwrap(), client.try_clone().unwrap());
                let deaf = Arc::clone(&deaf);
                std::thread::spawn(move || carry(client, server, &deaf));
                std::thread::spawn(move || carry(back.0, back.1, &AtomicBool::new(false)));
            }
        });
        way
    }

    /// Whether what clients say is swallowed; a connection that lost something stays deaf.
    fn set_deaf(&self, deaf: bool) {
        self.deaf.store(deaf, Ordering::SeqCst);
    }
}

fn carry(mut from: TcpStream, mut to: TcpStream, deaf: &AtomicBool) {
    let mut buffer = [0; 64 * 1024];
    let mut lost = false;
    while let Ok(read) = from.read(&mut buffer)
        && read > 0
    {
        lost |= deaf.load(Ordering::SeqCst);
        if !lost && to.write_all(&buffer[..read]).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Both);
    let _ = from.shutdown(Shutdown::Both);
}

fn accepted(project: &Project) -> usize {
    events(project, "message.accepted").len()
}

fn written(project: &Project) -> BTreeMap<String, usize> {
    let text = std::fs::read_to_string(project.folder().join("journal")).unwrap_or_default();
    counts(text.lines().map(str::to_owned))
}

fn counts(all: impl Iterator<Item = String>) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for one in all {
        *counts.entry(one).or_default() += 1;
    }
    counts
}

/// Runs with an attempt that failed, and its class.
fn failed(project: &Project) -> BTreeMap<String, String> {
    let finished = events(project, "attempt.finished");
    let failed = finished.iter().filter_map(|event| {
        let payload = &event["payload"];
        let class = payload["outcome"]["failed"]["class"].as_str()?;
        let (run, _) = payload["attempt"].as_str()?.split_once('.')?;
        Some((run.to_owned(), class.to_owned()))
    });
    failed.collect()
}

#[test]
fn a_consumer_killed_before_it_acknowledges_leaves_one_effect_per_message() {
    let mut queue = Queue::new();
    let project = Project::new(DEFINITIONS);
    let consumers = project.folder().join("consumers.toml");
    let text = format!(
        "[[consumer]]\nkind = \"nats\"\nurl = \"nats://127.0.0.1:{}\"\nstream = \"ORDERS\"\ndurable = \"arco\"\nsensor = \"orders\"\nack_wait_seconds = 1\n",
        queue.way.port
    );
    std::fs::write(&consumers, text).unwrap();
    let consume = consumers.display().to_string();
    let mut dev = Dev::start_with(&project, &["--port", "0", "--consume", &consume]);
    dev.wait_for("loaded");
    let port = dev.port();
    let round = MESSAGES / KILLS;
    for _ in 0..KILLS {
        let before = queue.published;
        queue.publish(round / 2);
        eventually("the consumer works", || {
            (accepted(&project) > before).then_some(())
        });
        // From here on it accepts, and its acknowledgements are lost.
        queue.way.set_deaf(true);
        queue.publish(round / 2);
        eventually("some are accepted and not acknowledged", || {
            (accepted(&project) > queue.acknowledged()).then_some(())
        });
        dev.kill();
        let (accepted, acknowledged) = (accepted(&project), queue.acknowledged());
        assert!(accepted > acknowledged, "{accepted} {acknowledged}");
        queue.way.set_deaf(false);
        dev = Dev::start_with(&project, &["--port", &port, "--consume", &consume]);
    }
    eventually("all are acknowledged", || {
        (queue.acknowledged() == MESSAGES && queue.consumer().num_pending == 0).then_some(())
    });
    let sent = usize::try_from(queue.consumer().delivered.consumer_sequence).unwrap();
    assert!(sent > MESSAGES, "nothing was delivered again: {sent}");
    assert_eq!(accepted(&project), MESSAGES);
    // As long as there is progress, a loaded machine may take its time.
    let mut before = usize::MAX;
    while written(&project).len() < MESSAGES && written(&project).len() != before {
        before = written(&project).len();
        eventually("more effects", || {
            let now = written(&project).len();
            (now >= MESSAGES || now >= before + MESSAGES / 10).then_some(())
        });
    }
    let requested = events(&project, "run.requested");
    let order = |event: &Value| {
        event["payload"]["tags"]["order"]
            .as_str()
            .map(str::to_owned)
    };
    let orders = counts(requested.iter().filter_map(order));
    assert_eq!(requested.len(), MESSAGES);
    assert!(orders.values().all(|runs| *runs == 1), "{orders:?}");
    // A body runs again when its host was lost, as the log says, and not otherwise.
    let failed = failed(&project);
    let of_run = |event: &&Value| {
        let class = failed.get(event["payload"]["run"].as_str().unwrap());
        class.is_some_and(|class| class == "worker_lost")
    };
    let again: BTreeSet<String> = requested.iter().filter(of_run).filter_map(order).collect();
    let mut bodies = written(&project);
    assert_eq!(bodies.len(), MESSAGES);
    bodies.retain(|order, times| *times != 1 && !again.contains(order));
    assert!(bodies.is_empty(), "{bodies:?} {failed:?}");
    drop(dev);
    drop(queue.nats);
}
