//! Gate M2 from outside: what carries backfills, schedules and sensors. Today these are runs over
//! ranges and sets of partitions, the outcome of each partition, and its status afterwards, through
//! HTTP, with a real server on an engine on a store in memory.
//!
//! `cargo test -p arco-api --test orchestration_parity_gates_m2`

use std::collections::{BTreeMap, BTreeSet};

use arco_testkit::random::Random;
use arco_testkit::{ManifestBuilder, asset};
use serde_json::{Value, json};

use crate::gates::seeds;
use crate::host::{FakeHost, failure, success};
use crate::server::Server;

#[allow(dead_code, reason = "the three gates share it")]
mod gates;
#[allow(dead_code, reason = "shared with the API's other tests")]
#[path = "it/host.rs"]
mod host;
#[allow(dead_code, reason = "shared with the API's other tests")]
#[path = "it/server.rs"]
mod server;

/// December of 2025 and the four days of January that exist when a test's world begins.
const EXISTING: u64 = 35;

fn day(n: u64) -> String {
    if n < 31 {
        format!("2025-12-{:02}", n + 1)
    } else {
        format!("2026-01-{:02}", n - 30)
    }
}

/// A daily asset, one that reads the same day of it, and one that reads all of that.
fn sales() -> ManifestBuilder {
    ManifestBuilder::new("main")
        .asset(asset("orders").daily("2025-12-01"))
        .asset(asset("sales").daily("2025-12-01").needs("orders"))
        .asset(asset("report").needs("sales"))
        .asset(asset("size").partitions(&["s", "m", "l"]))
}

/// Works everything off; partitions in `bad` fail. Says how often each was tried, by asset.
async fn work(
    server: &Server,
    host: &mut FakeHost,
    bad: &BTreeSet<String>,
) -> BTreeMap<(String, String), u32> {
    let mut tried = BTreeMap::new();
    let mut reports: Vec<Value> = Vec::new();
    loop {
        let leases = host.exchange(server, json!(reports), 50).await.leases;
        if leases.is_empty() {
            return tried;
        }
        host.live.clear();
        reports.clear();
        for lease in &leases {
            let key = lease.partitions.clone().unwrap_or_default().concat();
            let fails = lease.step == "orders" && bad.contains(&key);
            reports.extend(if fails {
                failure(lease)
            } else {
                success(lease)
            });
            *tried.entry((lease.step.clone(), key)).or_default() += 1;
        }
    }
}

/// Every partition of an asset with its status.
async fn statuses(server: &Server, asset: &str) -> BTreeMap<String, String> {
    let rows = server.all(&format!("assets/{asset}/partitions"), 20).await;
    let word = |value: &Value| value.as_str().expect("text").to_owned();
    rows.iter()
        .map(|row| (word(&row["key"]), word(&row["status"])))
        .collect()
}

/// Those with this status.
fn with(statuses: &BTreeMap<String, String>, status: &str) -> BTreeSet<String> {
    let rows = statuses.iter().filter(|(_, word)| *word == status);
    rows.map(|(key, _)| key.clone()).collect()
}

/// Ranges and single keys in the words of a request, and what they mean.
fn wanted(random: &mut Random) -> (Vec<String>, BTreeSet<String>) {
    let mut texts = Vec::new();
    let mut keys = BTreeSet::new();
    for _ in 0..random.between(1, 4) {
        let first = random.below(EXISTING);
        let last = (first + random.below(6)).min(EXISTING - 1);
        keys.extend((first..=last).map(day));
        texts.push(if first == last {
            day(first)
        } else {
            format!("{}...{}", day(first), day(last))
        });
    }
    (texts, keys)
}

#[tokio::test]
async fn ranges_run_each_of_their_partitions_once_and_show_it() {
    for seed in seeds(10) {
        let mut random = Random::new(seed);
        let (texts, keys) = wanted(&mut random);
        let server = Server::start().await;
        let mut host = FakeHost::register(&server, &sales().json()).await;
        let body = json!({"selection": ["orders", "sales"], "partitions": {"keys": texts}});
        let run = server.run(body).await;
        let before = statuses(&server, "orders").await;
        assert_eq!(with(&before, "in_progress"), keys, "seed {seed}");
        let tried = work(&server, &mut host, &BTreeSet::new()).await;
        let expected: BTreeMap<(String, String), u32> = ["orders", "sales"]
            .iter()
            .flat_map(|step| {
                keys.iter()
                    .map(|key| (((*step).to_owned(), key.clone()), 1))
            })
            .collect();
        assert_eq!(tried, expected, "seed {seed}: {texts:?}");
        for asset in ["orders", "sales"] {
            let after = statuses(&server, asset).await;
            assert_eq!(after.len() as u64, EXISTING);
            assert_eq!(with(&after, "materialized"), keys);
            assert_eq!(
                with(&after, "never_materialized").len(),
                after.len() - keys.len()
            );
        }
        let shown = server.get(&format!("runs/{run}")).await.ok();
        assert_eq!(shown["status"], "success");
        assert_eq!(shown["materializations"], 2 * keys.len());
        server.stop().await;
    }
}

#[tokio::test]
async fn failed_partitions_are_shown_bring_down_their_own_and_are_run_again_alone() {
    for seed in seeds(10) {
        let mut random = Random::new(100 + seed);
        let (texts, keys) = wanted(&mut random);
        let bad: BTreeSet<String> = keys
            .iter()
            .filter(|_| random.chance(400))
            .cloned()
            .collect();
        let good: BTreeSet<String> = keys.difference(&bad).cloned().collect();
        let server = Server::start().await;
        let mut host = FakeHost::register(&server, &sales().json()).await;
        let selection = json!(["orders", "sales"]);
        let body = json!({"selection": selection, "partitions": {"keys": texts}});
        let run = server.run(body).await;
        work(&server, &mut host, &bad).await;

        let orders = statuses(&server, "orders").await;
        assert_eq!(
            (with(&orders, "failed"), with(&orders, "materialized")),
            (bad.clone(), good.clone())
        );
        let sales = statuses(&server, "sales").await;
        assert_eq!(with(&sales, "materialized"), good, "seed {seed}");
        assert_eq!(
            with(&sales, "failed").len(),
            0,
            "what was not tried did not fail"
        );
        let counts = server.get("assets/orders").await.ok()["partitions"]["counts"].clone();
        assert_eq!(
            (&counts["failed"], &counts["materialized"]),
            (&json!(bad.len()), &json!(good.len()))
        );
        let skipped = server
            .all(&format!("runs/{run}/tasks?status=skipped"), 50)
            .await;
        assert_eq!(skipped.len(), bad.len());
        for task in &skipped {
            assert_eq!(
                (&task["step"], &task["skipped"]["because"]),
                (&json!("sales"), &json!("upstream_failed"))
            );
            let cause = server
                .get(&format!("runs/{run}/tasks/{}", task["skipped"]["task"]))
                .await
                .ok();
            assert_eq!(
                (&cause["status"], &cause["partitions"]),
                (&json!("failed"), &task["partitions"])
            );
        }

        if !bad.is_empty() {
            let again: Vec<&String> = bad.iter().collect();
            server
                .run(json!({"selection": selection, "partitions": {"keys": again}}))
                .await;
            let tried = work(&server, &mut host, &BTreeSet::new()).await;
            assert_eq!(tried.len(), 2 * bad.len(), "only what had failed");
        }
        let all = statuses(&server, "sales").await;
        assert_eq!(with(&all, "materialized"), keys);
        server.stop().await;
    }
}

#[tokio::test]
async fn chunks_of_a_range_make_what_the_range_makes() {
    let mut made = Vec::new();
    for chunk in [12, 1, 5] {
        let server = Server::start().await;
        let mut host = FakeHost::register(&server, &sales().json()).await;
        let mut from = 3;
        while from < 15 {
            let to = (from + chunk).min(15) - 1;
            let keys = json!({"keys": [format!("{}...{}", day(from), day(to))]});
            server
                .run(json!({"selection": ["orders", "sales"], "partitions": keys}))
                .await;
            from = to + 1;
        }
        let tried = work(&server, &mut host, &BTreeSet::new()).await;
        assert!(tried.values().all(|times| *times == 1), "{tried:?}");
        let runs = server.all("runs", 50).await;
        assert!(runs.iter().all(|run| run["status"] == "success"));
        made.push((tried, statuses(&server, "sales").await));
        server.stop().await;
    }
    assert_eq!((&made[0], &made[0]), (&made[1], &made[2]));
}

#[tokio::test]
async fn all_partitions_are_those_that_exist_by_now() {
    let server = Server::start().await;
    FakeHost::register(&server, &sales().json()).await;
    let body = json!({"selection": "orders", "partitions": "all"});
    for days in [0, 1, 27] {
        let day = std::time::Duration::from_secs(24 * 3_600);
        server.world.clock.advance(day * days);
        let plan = server.post("plan", &body).await.ok();
        let count = statuses(&server, "orders").await.len();
        assert_eq!(plan["task_count"], count);
    }
    assert_eq!(
        statuses(&server, "orders").await.len() as u64,
        EXISTING + 28
    );
    // The first host was silent for a month.
    let mut host = FakeHost::register(&server, &sales().json()).await;
    server.run(body).await;
    let tried = work(&server, &mut host, &BTreeSet::new()).await;
    assert_eq!(tried.len() as u64, EXISTING + 28);
    server.stop().await;
}

#[tokio::test]
async fn partitions_that_are_none_are_refused_with_the_mend() {
    let server = Server::start().await;
    FakeHost::register(&server, &sales().json()).await;
    for (selection, partitions, code, says) in [
        (
            "orders",
            json!({"keys": ["2026-01-05"]}),
            "bad_partition",
            "2026-01-05",
        ),
        (
            "orders",
            json!({"keys": ["2025-11-30"]}),
            "bad_partition",
            "2025-11-30",
        ),
        (
            "orders",
            json!({"keys": ["2025-12-1x"]}),
            "bad_partition",
            "daily partitions look like",
        ),
        (
            "orders",
            json!({"keys": ["2026-01-03...2026-01-09"]}),
            "bad_partition",
            "2026-01-05",
        ),
        ("orders", Value::Null, "partition_missing", "2025-12-01"),
        (
            "report",
            json!({"keys": ["2025-12-01"]}),
            "partition_unused",
            "leave the partition out",
        ),
        ("size", json!({"keys": ["xl"]}), "bad_partition", "`xl`"),
    ] {
        let mut body = json!({"selection": selection, "run_key": "nightly"});
        if !partitions.is_null() {
            body["partitions"] = partitions.clone();
        }
        let refused = server.post("runs", &body).await;
        assert_eq!(refused.code(), (422, code.into()), "{partitions}");
        let detail = refused.problem().detail;
        assert!(detail.contains(says), "{partitions}: {detail}");
    }
    assert_eq!(
        server.all("runs", 10).await.len(),
        0,
        "nothing was begun, no key was taken"
    );
    let good = json!({"selection": "size", "partitions": {"keys": ["m"]}, "run_key": "nightly"});
    server.run(good).await;
    server.stop().await;
}

#[tokio::test]
async fn what_reads_all_partitions_waits_for_those_of_its_run() {
    let server = Server::start().await;
    let mut host = FakeHost::register(&server, &sales().json()).await;
    let keys = json!({"keys": ["2025-12-01...2025-12-06"]});
    let run = server
        .run(json!({"selection": "+key:report", "partitions": keys}))
        .await;
    let order: Vec<String> = host
        .work_off(&server)
        .await
        .into_iter()
        .map(|lease| lease.step)
        .collect();
    assert_eq!(order.len(), 13);
    assert_eq!(order.iter().position(|step| step == "report"), Some(12));
    let keys = json!({"keys": ["2025-12-01...2025-12-06"]});
    let again = server
        .run(json!({"selection": "+key:report", "partitions": keys}))
        .await;
    work(&server, &mut host, &[day(2)].into()).await;
    let runs = [(run, "success", "succeeded"), (again, "failure", "skipped")];
    for (run, status, report) in runs {
        let shown = server.get(&format!("runs/{run}")).await.ok();
        assert_eq!(shown["status"], status);
        let tasks = server.all(&format!("runs/{run}/tasks"), 50).await;
        let last = tasks.iter().find(|task| task["step"] == "report");
        assert_eq!(last.map(|task| &task["status"]), Some(&json!(report)));
    }
    server.stop().await;
}
