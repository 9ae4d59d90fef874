use serde_json::{Value, json};

use super::{CatchUpPolicy, DefaultStatus, Schedule, ScheduleDef};
use crate::definitions::Definitions;

fn def(extra: Value) -> ScheduleDef {
    let mut value = json!({"name": "nightly", "cron": ["0 2 * * *"], "selection": ["a"]});
    for (key, given) in extra.as_object().expect("a mapping") {
        match given {
            Value::Null => drop(value.as_object_mut().expect("a mapping").remove(key)),
            _ => value[key] = given.clone(),
        }
    }
    serde_json::from_value(value).expect("the shape of a schedule")
}

fn refused(extra: Value) -> String {
    Schedule::read(&def(extra))
        .expect_err("it cannot stand")
        .to_string()
}

#[test]
fn a_schedule_is_stopped_in_utc_and_catches_up_with_the_latest_unless_it_says_otherwise() {
    let schedule = Schedule::read(&def(json!({}))).expect("it stands");
    assert_eq!(schedule.def().timezone, "UTC");
    assert_eq!(schedule.def().default_status, DefaultStatus::Stopped);
    assert_eq!(schedule.def().catch_up.policy, CatchUpPolicy::Latest);
    assert_eq!(schedule.def().catch_up.max_ticks, 100);
}

#[test]
fn what_cannot_stand_is_refused_with_the_schedules_name_and_a_mend() {
    let cases = [
        (json!({"cron": []}), "needs at least one cron"),
        (json!({"cron": ["0 2 * *"]}), "has 4 fields"),
        (
            json!({"cron": vec!["0 2 * * *"; 51]}),
            "make several schedules",
        ),
        (
            json!({"timezone": "Europe/Berln"}),
            "did you mean `Europe/Berlin`",
        ),
        (json!({"name": "a b"}), "letters, digits and underscores"),
        (json!({"name": ""}), "letters, digits and underscores"),
        (json!({"selection": null}), "give it a job or assets"),
        (json!({"job": "j"}), "give one of the two"),
        (json!({"selection": ["tag:"]}), "selection"),
        (
            json!({"function": true, "partitions": "last"}),
            "its function says which partitions",
        ),
        (
            json!({"function": true, "timeout_seconds": 0}),
            "must be 1 to 3600",
        ),
        (json!({"max_retries": 101}), "may be 100"),
        (
            json!({"selection": null, "jobs": ["a", "b"]}),
            "no function to choose",
        ),
        (
            json!({"selection": null, "job": "a", "jobs": ["b"], "function": true}),
            "give one of the two",
        ),
        (
            json!({"catch_up": {"policy": "all", "max_ticks": 0}}),
            "use the policy `skip`",
        ),
    ];
    for (extra, mend) in cases {
        let message = refused(extra.clone());
        assert!(message.contains("schedule `"), "{extra}: {message}");
        assert!(message.contains(mend), "{extra}: {message}");
    }
}

#[test]
fn only_crons_and_zone_change_the_timing() {
    let read = |extra| Schedule::read(&def(extra)).expect("it stands");
    let first = read(json!({}));
    let other_target = read(json!({"selection": ["b"]}));
    assert_ne!(first.digest(), other_target.digest());
    assert_eq!(first.timing(), other_target.timing());
    for extra in [
        json!({"cron": ["0 3 * * *"]}),
        json!({"timezone": "Europe/Berlin"}),
    ] {
        assert_ne!(first.timing(), read(extra).timing());
    }
}

#[test]
fn one_name_is_one_schedule() {
    let schedule = json!({"name": "nightly", "cron": ["@daily"], "selection": ["a"]});
    let manifest = |location: &str, schedules: Value| json!({"format": 1, "location": location, "schedules": schedules});
    let twice = Definitions::read("loc", &manifest("loc", json!([schedule, schedule])));
    let message = twice.expect_err("two of one name").to_string();
    assert!(
        message.contains("schedule `nightly` is defined twice in location `loc`"),
        "{message}"
    );
    let one = |location: &str| {
        let read = Definitions::read(location, &manifest(location, json!([schedule])));
        std::sync::Arc::new(read.expect("it stands"))
    };
    let catalog = crate::definitions::Catalog::default()
        .with(one("east"))
        .expect("the first");
    assert!(catalog.schedule("nightly").is_some());
    let message = catalog.with(one("west")).expect_err("a second").to_string();
    assert!(
        message.contains("in locations `east` and `west`"),
        "{message}"
    );
}

#[test]
fn a_schedule_names_a_job_of_its_own_location() {
    let with = |job: &str| {
        let schedule = json!({"name": "s", "cron": ["@daily"], "job": job});
        let manifest = json!({"format": 1, "location": "loc", "schedules": [schedule],
            "jobs": [{"name": "nightly", "selection": []}]});
        Definitions::read("loc", &manifest)
    };
    assert!(with("nightly").is_ok());
    assert!(with("__ASSET_JOB").is_ok());
    let message = with("nightyl").expect_err("no such job").to_string();
    assert!(message.contains("did you mean `nightly`?"), "{message}");
}
