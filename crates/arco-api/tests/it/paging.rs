//! Lists: every row once, newest first, whatever the page.

use std::collections::BTreeSet;

use arco_engine::EngineSettings;
use arco_testkit::World;
use serde_json::{Value, json};

use crate::host::FakeHost;
use crate::server::{Server, Setup, flights};

fn ids(rows: &[Value]) -> Vec<String> {
    rows.iter()
        .map(|row| row["id"].as_str().expect("an id").to_owned())
        .collect()
}

/// Runs made a millisecond apart, so that ids are in order of making.
async fn runs(server: &Server, count: usize) -> Vec<String> {
    let mut out = Vec::new();
    for n in 0..count {
        server
            .world
            .clock
            .advance(std::time::Duration::from_millis(1));
        let team = if n % 3 == 0 { "core" } else { "edge" };
        let asset = if n % 2 == 0 { "raw/flights" } else { "report" };
        out.push(
            server
                .run(json!({"selection": asset, "tags": {"team": team, "n": n.to_string()}}))
                .await,
        );
    }
    out.reverse();
    out
}

#[tokio::test]
async fn runs_come_newest_first_in_pages_of_any_size() {
    let server = Server::with_flights().await;
    let made = runs(&server, 12).await;
    for limit in [1, 5, 12, 100] {
        assert_eq!(ids(&server.all("runs", limit).await), made, "limit {limit}");
    }
    server.stop().await;
}

#[tokio::test]
async fn a_run_made_meanwhile_moves_no_row() {
    let server = Server::with_flights().await;
    let made = runs(&server, 4).await;
    let first = server.get("runs?limit=2").await.ok();
    runs(&server, 1).await;
    let token = first["next_page_token"].as_str().expect("more");
    let second = server.get(&format!("runs?page_token={token}")).await.ok();
    assert_eq!(ids(second["items"].as_array().expect("rows")), made[2..]);
    server.stop().await;
}

#[tokio::test]
async fn filters_choose_and_travel_in_the_token() {
    let server = Server::start().await;
    let mut host = FakeHost::register(&server, &flights().json()).await;
    let made = runs(&server, 12).await;
    host.exchange(&server, json!([]), 2).await;
    for (filter, count) in [
        ("asset=raw%2Fflights", 6),
        ("tag=team%3Dcore", 4),
        ("tag=team", 12),
        ("tag=nobody", 0),
        ("status=queued", 10),
        ("status=started", 2),
        ("status=queued,started", 12),
        ("status=success", 0),
        ("asset=report&tag=team%3Dcore", 2),
    ] {
        let rows = ids(&server.all(&format!("runs?{filter}"), 3).await);
        assert_eq!(rows.len(), count, "{filter}");
        let order: Vec<&String> = made.iter().filter(|id| rows.contains(id)).collect();
        assert_eq!(rows.iter().collect::<Vec<_>>(), order, "{filter}");
    }
    let page = server.get("runs?asset=report&limit=2").await.ok();
    let token = page["next_page_token"].as_str().expect("more");
    let rest = server
        .get(&format!("runs?page_token={token}&limit=100"))
        .await
        .ok();
    assert_eq!(
        rest["items"].as_array().map(Vec::len),
        Some(4),
        "the token carries the filter"
    );
    let other = server
        .get(&format!("runs?page_token={token}&asset=raw%2Fflights"))
        .await;
    assert_eq!(other.code(), (400, "bad_page_token".into()));
    let elsewhere = server.get(&format!("assets?page_token={token}")).await;
    assert_eq!(elsewhere.code(), (400, "bad_page_token".into()));
    server.stop().await;
}

#[tokio::test]
async fn the_seam_between_memory_and_history_does_not_show() {
    let world = World::new().with(|settings: &mut EngineSettings| {
        settings.ended_runs_max = 5;
        settings.snapshot_segments = 5;
    });
    let server = Server::in_world(world, Setup::default()).await;
    let mut host = FakeHost::register(&server, &flights().json()).await;
    let made = runs(&server, 30).await;
    host.work_off(&server).await;
    let mut views = server.engine.commits();
    let packed = views.wait_for(|view| !view.state.history.is_empty());
    let packed = tokio::time::timeout(std::time::Duration::from_secs(20), packed).await;
    packed
        .expect("old runs leave memory")
        .expect("the engine runs");
    let in_memory = server.engine.view().state.runs.len();
    assert!(in_memory < 30, "{in_memory} runs in memory");
    for limit in [1, 7, 100] {
        assert_eq!(ids(&server.all("runs", limit).await), made, "limit {limit}");
    }
    let oldest = made.last().expect("runs");
    let run = server.get(&format!("runs/{oldest}")).await.ok();
    assert_eq!(run["status"], "success");
    let tasks = server.all(&format!("runs/{oldest}/tasks"), 10).await;
    assert_eq!(tasks.len(), 1);
    let asset = tasks[0]["outputs"][0].as_str().expect("an asset");
    assert!(["raw/flights", "report"].contains(&asset));
    let cancelled = server
        .post(&format!("runs/{oldest}/cancel"), &json!({}))
        .await
        .ok();
    assert_eq!(cancelled["status"], "success");
    server.stop().await;
}

#[tokio::test]
async fn every_list_pages_without_loss() {
    let server = Server::start().await;
    let mut host = FakeHost::register(&server, &flights().json()).await;
    let run = server
        .run(json!({"selection": "*report", "partitions": "all"}))
        .await;
    host.work_off(&server).await;
    for (path, key, count) in [
        (format!("runs/{run}/tasks"), "task", 37),
        ("assets".to_owned(), "key", 4),
        ("assets/daily/partitions".to_owned(), "key", 35),
        ("assets/daily/partitions?order=desc".to_owned(), "key", 35),
        ("assets/daily/materializations".to_owned(), "position", 35),
        ("assets/raw%2Fflights/checks".to_owned(), "name", 1),
    ] {
        for limit in [1, 6, 1_000] {
            let rows = server.all(&path, limit).await;
            let unique: BTreeSet<String> = rows.iter().map(|row| row[key].to_string()).collect();
            assert_eq!(
                (rows.len(), unique.len()),
                (count, count),
                "{path} in pages of {limit}"
            );
        }
    }
    server.stop().await;
}
