use arco_core::Timestamp;
use arco_core::cron::CronSchedule;
use serde_json::{Value, json};

use super::{Exception, Line, adds_before_the_first, compare_all, definition, strings};

/// The cron follows from the partitions in the SDK (`python/arco/tests/golden`); here it is given, and
/// compared are its instants and what each runs.
#[test]
fn partitioned_schedules_run_the_partitions_of_dagster() {
    compare_all("schedules", EXCEPTIONS, |line| {
        let theirs = line.ok.then(|| line.result["ticks"].clone())?;
        let run_keys_are_keys = theirs
            .as_array()
            .into_iter()
            .flatten()
            .all(|tick| tick[1] == tick[2]);
        assert!(run_keys_are_keys, "S-45: {}", line.args);
        Some((answer(line), theirs))
    });
}

const EXCEPTIONS: &[Exception] = &[Exception {
    card: "EX-25",
    name: "P-4, P-5: `end_offset` adds windows to those that have ended, also before the first has begun",
    explains: |case| {
        let ticks = case.theirs.as_array().into_iter().flatten();
        let spec = &case.line.args["definition"];
        ticks
            .into_iter()
            .any(|tick| instant(tick).is_some_and(|instant| adds_before_the_first(spec, instant)))
    },
}];

fn instant(tick: &Value) -> Option<Timestamp> {
    let seconds = tick[0].as_f64()?;
    Some(Timestamp(seconds as i64 * 1000))
}

/// Arco's ticks from Dagster's first one on.
fn answer(line: &Line) -> Value {
    let Some(Ok(def)) = definition(&line.args["definition"]) else {
        return Value::Null;
    };
    let cron = match &line.result["cron"] {
        Value::String(one) => vec![one.clone()],
        several => strings(several),
    };
    let zone = line.result["timezone"].as_str().expect("a zone");
    let schedule = CronSchedule::parse(&cron, zone).expect("Dagster took it");
    let ticks = line.result["ticks"].as_array().expect("ticks");
    let Some(first) = ticks.first().and_then(instant) else {
        return json!([]);
    };
    let ours = schedule.instants_from(first).take(ticks.len());
    ours.map(|instant| {
        let keys = def.keys_of(def.latest(instant));
        let keys: Vec<String> = keys.map(|key| key.display().into_owned()).collect();
        json!([instant.0 as f64 / 1000.0, keys, keys])
    })
    .collect()
}
