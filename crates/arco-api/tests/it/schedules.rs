//! Schedules, as a client sees them.

use std::time::Duration;

use arco_testkit::clock::START;
use arco_testkit::world::deploy;
use arco_testkit::{ManifestBuilder, World, asset};
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::server::{Server, Setup};

const HOUR: Duration = Duration::from_secs(3_600);

fn manifest() -> ManifestBuilder {
    let schedule = |name: &str, extra: Value| {
        let mut schedule = json!({"name": name, "cron": ["0 * * * *"], "selection": ["a"]});
        for (key, value) in extra.as_object().expect("a mapping") {
            schedule[key] = value.clone();
        }
        schedule
    };
    ManifestBuilder::new("main")
        .asset(asset("a"))
        .asset(asset("day").daily("2026-01-01"))
        .schedule(schedule(
            "hourly",
            json!({"default_status": "running", "catch_up": {"policy": "all"}}),
        ))
        .schedule(schedule(
            "daily",
            json!({"cron": ["0 6 * * *"], "timezone": "Europe/Berlin", "selection": ["day"],
                "partitions": "last", "tags": {"team": "core"}, "description": "Every morning."}),
        ))
        .schedule(schedule(
            "broken",
            json!({"selection": ["group:none"], "default_status": "running"}),
        ))
}

async fn server() -> Server {
    let server = Server::start().await;
    deploy(&server.engine, &manifest()).await;
    server
}

/// A server that keeps few ticks in memory.
async fn forgetful() -> Server {
    let world = World::new().with(|settings| {
        settings.ticks_max = 10;
        settings.snapshot_segments = 5;
    });
    let server = Server::in_world(world, Setup::default()).await;
    deploy(&server.engine, &manifest()).await;
    server
}

/// Lets hours pass, one after the other, and wakes the timers at each.
async fn pass(server: &Server, hours: usize) {
    for _ in 0..hours {
        server.world.clock.advance(HOUR);
        server.post("timers/fire", &json!({})).await.ok();
    }
}

fn texts(rows: &[Value], field: &str) -> Vec<String> {
    let text = |row: &Value| row[field].as_str().expect("a text").to_owned();
    rows.iter().map(text).collect()
}

#[tokio::test]
async fn schedules_are_listed_filtered_and_shown() {
    let server = server().await;
    let rows = server.all("schedules", 1).await;
    assert_eq!(texts(&rows, "name"), ["broken", "daily", "hourly"]);
    let stopped = server.all("schedules?status=stopped", 2).await;
    assert_eq!(texts(&stopped, "name"), ["daily"]);
    assert!(
        server
            .all("schedules?location=elsewhere", 2)
            .await
            .is_empty()
    );
    let daily = server.get("schedules/daily").await.ok();
    assert_eq!(daily["location"], "main");
    assert_eq!(daily["status"], "stopped");
    assert_eq!(daily["cron"], json!(["0 6 * * *"]));
    assert_eq!(daily["timezone"], "Europe/Berlin");
    assert_eq!(daily["partitions"], "last");
    assert_eq!(daily["tags"], json!({"team": "core"}));
    assert_eq!(
        daily["catch_up"],
        json!({"policy": "latest", "max_ticks": 100})
    );
    assert!(daily.get("next").is_none() && daily.get("last_tick").is_none());
    let hourly = server.get("schedules/hourly").await.ok();
    assert_eq!(hourly["next"], START.plus_ms(3_600_000).to_rfc3339());
    let status = server.get("status").await.ok();
    assert_eq!(
        (&status["schedules"], &status["schedules_running"]),
        (&json!(3), &json!(2))
    );
    assert_eq!(status["next_due"], hourly["next"]);
    assert!(status.get("clock_off_ms").is_none());
    for path in [
        "schedules/houry",
        "schedules/houry/ticks",
        "schedules/houry/next",
        "schedules/houry/test",
    ] {
        let missing = server.get(path).await;
        assert_eq!(missing.status, StatusCode::NOT_FOUND, "{path}");
        assert_eq!(missing.value()["code"], "unknown_schedule");
        assert!(
            missing.text.contains("did you mean `hourly`?"),
            "{}",
            missing.text
        );
    }
    server.stop().await;
}

#[tokio::test]
async fn an_operator_stands_over_the_code_until_reset() {
    let server = server().await;
    let tell = async |schedule: &str, verb: &str| {
        let path = format!("schedules/{schedule}/{verb}");
        server.post(&path, &json!({})).await.ok()
    };
    let started = tell("daily", "start").await;
    assert_eq!(
        (&started["status"], &started["set"]["status"]),
        (&json!("running"), &json!("running"))
    );
    assert!(started["next"].is_string() && started["set"]["by"].is_string());
    assert_eq!(
        tell("daily", "start").await,
        started,
        "saying it again changes nothing"
    );
    let stopped = tell("hourly", "stop").await;
    assert_eq!(
        (&stopped["status"], &stopped["default_status"]),
        (&json!("stopped"), &json!("running"))
    );
    let reset = tell("hourly", "reset").await;
    assert_eq!(reset["status"], "running");
    assert!(reset.get("set").is_none());
    let missing = server.post("schedules/nobody/start", &json!({})).await;
    assert_eq!(missing.status, StatusCode::NOT_FOUND);
    server.stop().await;
}

#[tokio::test]
async fn ticks_are_listed_newest_first_and_lead_to_their_runs_and_back() {
    let server = server().await;
    pass(&server, 3).await;
    let ticks = server.all("schedules/hourly/ticks", 2).await;
    let ids: Vec<String> = (1..=3)
        .rev()
        .map(|hour| format!("hourly:2026-01-05T0{hour}:00:00Z"))
        .collect();
    assert_eq!(texts(&ticks, "id"), ids);
    assert_eq!(texts(&ticks, "status"), ["success"; 3]);
    let run = ticks[0]["runs"][0].as_str().expect("a run");
    let run = server.get(&format!("runs/{run}")).await.ok();
    assert_eq!(run["tick"], ticks[0]["id"]);
    assert_eq!(run["scope"], "schedule:hourly");
    assert_eq!(run["tags"]["dagster/schedule_name"], "hourly");
    let shown = server.get("schedules/hourly").await.ok();
    assert_eq!(shown["last_tick"], ticks[0]);
    let tagged = server
        .all("runs?tag=dagster/schedule_name=hourly", 10)
        .await;
    assert_eq!(tagged.len(), 3);
    let range = "schedules/hourly/ticks?from=2026-01-05T02:00:00Z&to=2026-01-05T03:00:00Z";
    assert_eq!(texts(&server.all(range, 10).await, "id"), ids[1..2]);
    assert!(
        server
            .all("schedules/hourly/ticks?status=failure,skipped", 10)
            .await
            .is_empty()
    );
    let failed = server.all("schedules/broken/ticks?status=failure", 1).await;
    assert_eq!(failed.len(), 3);
    assert!(
        failed[0]["error"]["message"]
            .as_str()
            .expect("a message")
            .contains("selects no asset")
    );
    for query in ["status=late", "from=noon", "limit=0"] {
        let refused = server.get(&format!("schedules/hourly/ticks?{query}")).await;
        assert_eq!(refused.value()["code"], "invalid_query", "{query}");
    }
    server.stop().await;
}

#[tokio::test]
async fn missed_instants_are_one_row_with_their_number_and_reason() {
    let server = server().await;
    server.post("schedules/hourly/stop", &json!({})).await.ok();
    let mut latest = manifest().json();
    latest["schedules"][2]["catch_up"] = json!({"policy": "latest"});
    let deployed = server
        .engine
        .deploy("client:test", "deploy", "main", &latest)
        .await;
    deployed.expect("it stands");
    server.post("schedules/hourly/start", &json!({})).await.ok();
    server.world.clock.advance(5 * HOUR);
    let fired = server.post("timers/fire", &json!({})).await.ok();
    assert_eq!(
        (&fired["leads"], fired["next_due"].is_string()),
        (&json!(true), true)
    );
    let ticks = server.all("schedules/hourly/ticks", 10).await;
    assert_eq!(texts(&ticks, "status"), ["success", "missed"]);
    assert_eq!(ticks[1]["instant"], "2026-01-05T04:00:00.000Z");
    let missed = json!({"first": "2026-01-05T01:00:00.000Z", "count": 4, "reason": "not_latest"});
    assert_eq!(ticks[1]["missed"], missed);
    assert!(
        ticks[1]["reason"]
            .as_str()
            .expect("words")
            .contains("catch-up policy is `latest`")
    );
    server.stop().await;
}

#[tokio::test]
async fn what_is_to_come_and_what_would_be_done_are_shown_and_nothing_is_done() {
    let server = server().await;
    let before = server.engine.view().position();
    let next = server
        .get("schedules/daily/next?limit=2&from=2026-03-28T00:00:00Z")
        .await
        .ok();
    assert_eq!(next["status"], "stopped");
    let instants = json!([
        {"instant": "2026-03-28T05:00:00.000Z", "local": "2026-03-28T06:00:00+01:00"},
        {"instant": "2026-03-29T04:00:00.000Z", "local": "2026-03-29T06:00:00+02:00"},
    ]);
    assert_eq!(next["instants"], instants);
    let trial = server
        .get("schedules/daily/test?instant=2026-01-03T12:00:00Z")
        .await
        .ok();
    assert_eq!(trial["status"], "success");
    assert_eq!(trial["runs"][0]["partitions"], "2026-01-02");
    assert_eq!(trial["runs"][0]["tasks"], 1);
    let skipped = server
        .get("schedules/daily/test?instant=2026-01-01T12:00:00Z")
        .await
        .ok();
    assert_eq!(skipped["status"], "skipped");
    let failed = server.get("schedules/broken/test").await.ok();
    assert_eq!(failed["status"], "failure");
    let refused = server.get("schedules/daily/test?instant=tomorrow").await;
    assert_eq!(refused.value()["code"], "invalid_query");
    assert_eq!(server.engine.view().position(), before);
    server.stop().await;
}

#[tokio::test]
async fn a_wall_clock_that_was_set_shows_in_the_status() {
    let server = server().await;
    server.world.clock.set_wall(START.plus_ms(86_400_000));
    let fired = server.post("timers/fire", &json!({})).await.ok();
    assert_eq!(fired["steps"], 0);
    let status = server.get("status").await.ok();
    assert_eq!(status["clock_off_ms"], 86_400_000);
    server.stop().await;
}

#[tokio::test]
async fn the_seam_between_ticks_in_memory_and_in_history_does_not_show() {
    let server = forgetful().await;
    pass(&server, 40).await;
    let mut views = server.engine.commits();
    let packed = views.wait_for(|view| !view.state.tick_history.is_empty());
    let packed = tokio::time::timeout(Duration::from_secs(20), packed).await;
    packed.expect("ticks are packed").expect("the engine runs");
    for size in [3, 1_000] {
        let ticks = server.all("schedules/hourly/ticks", size).await;
        assert_eq!(ticks.len(), 40, "pages of {size}");
        let instants = texts(&ticks, "instant");
        assert!(instants.windows(2).all(|pair| pair[0] > pair[1]));
    }
    let first = server
        .get("schedules/hourly/ticks?to=2026-01-05T03:00:00Z&status=success")
        .await
        .ok();
    let rows = first["items"].as_array().expect("a list");
    assert_eq!(
        texts(rows, "instant"),
        ["2026-01-05T02:00:00.000Z", "2026-01-05T01:00:00.000Z"]
    );
    server.stop().await;
}
