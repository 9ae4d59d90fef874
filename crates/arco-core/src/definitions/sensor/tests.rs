use serde_json::{Value, json};

use super::{RunKeyPolicy, Sensor, SensorDef};
use crate::definitions::{DefaultStatus, Definitions};

fn def(extra: Value) -> SensorDef {
    let mut value = json!({"name": "drop", "kind": "poll"});
    for (key, given) in extra.as_object().expect("a mapping") {
        value[key] = given.clone();
    }
    serde_json::from_value(value).expect("the shape of a sensor")
}

fn refused(extra: Value) -> String {
    Sensor::read(&def(extra))
        .expect_err("it cannot stand")
        .to_string()
}

#[test]
fn a_sensor_is_stopped_looks_every_30_seconds_and_runs_a_key_once_unless_it_says_otherwise() {
    let sensor = Sensor::read(&def(json!({}))).expect("it stands");
    assert_eq!(sensor.interval_ms(), Some(30_000));
    assert_eq!(sensor.timeout_ms(), 60_000);
    assert_eq!(sensor.def().max_attempts, 5);
    assert_eq!(sensor.def().run_keys, RunKeyPolicy::Once);
    assert_eq!(sensor.def().default_status, DefaultStatus::Stopped);
    let push = Sensor::read(&def(json!({"kind": "push"}))).expect("it stands");
    assert_eq!(push.interval_ms(), None);
}

#[test]
fn what_cannot_stand_is_refused_with_the_sensors_name_and_a_mend() {
    let cases = [
        (json!({"name": "a b"}), "letters, digits and underscores"),
        (json!({"timeout_seconds": 0}), "must be 1 to 3600"),
        (json!({"max_attempts": 0}), "must be 1 to 100"),
        (json!({"minimum_interval_seconds": 0}), "must be 1 to 86400"),
        (
            json!({"jobs": ["j"], "selection": ["a"]}),
            "give one of the two",
        ),
        (json!({"selection": ["tag:"]}), "selection"),
        (
            json!({"run_keys": {"policy": "window", "seconds": 0}}),
            "holds no run key",
        ),
        (json!({"kind": "asset", "assets": []}), "watches no asset"),
        (
            json!({"kind": "run_status", "statuses": []}),
            "waits for no status",
        ),
        (
            json!({"kind": "run_status", "statuses": ["failed"], "monitored_jobs": ["j"],
                   "monitor_all_code_locations": true}),
            "give one of the two",
        ),
    ];
    for (extra, mend) in cases {
        let message = refused(extra.clone());
        assert!(message.contains("sensor `"), "{extra}: {message}");
        assert!(message.contains(mend), "{extra}: {message}");
    }
}

#[test]
fn names_of_sensors_and_schedules_are_unique_and_their_jobs_are_there() {
    let with = |sensors: Value, schedules: Value| {
        let manifest = json!({"format": 1, "location": "loc", "sensors": sensors,
                              "schedules": schedules, "jobs": [{"name": "nightly"}]});
        Definitions::read("loc", &manifest).map_err(|error| error.to_string())
    };
    let sensor = json!({"name": "drop", "kind": "poll", "jobs": ["nightly"]});
    let stands = with(json!([sensor]), json!([])).expect("it stands");
    assert!(stands.sensor("drop").is_some());
    let twice = with(json!([sensor, sensor]), json!([])).expect_err("one name twice");
    assert!(
        twice.starts_with("sensor `drop` is defined twice in location `loc`"),
        "{twice}"
    );
    let schedule = json!({"name": "drop", "cron": ["@daily"], "job": "nightly"});
    let both = with(json!([sensor]), json!([schedule])).expect_err("a schedule and a sensor");
    assert!(
        both.starts_with("schedule or sensor `drop` is defined twice"),
        "{both}"
    );
    let other = json!({"name": "drop", "kind": "push", "jobs": ["nightyl"]});
    let unknown = with(json!([other]), json!([])).expect_err("no such job");
    assert!(unknown.contains("did you mean `nightly`?"), "{unknown}");
    let watches = json!({"name": "alarm", "kind": "run_status", "statuses": ["failed"],
                         "monitored_jobs": ["nope"]});
    let unknown = with(json!([watches]), json!([])).expect_err("no such job");
    assert!(
        unknown.contains("its job `nope` is not defined"),
        "{unknown}"
    );
}
