use std::collections::BTreeMap;

use arco_core::partition::{Keys, PartitionsDef};
use serde_json::{Value, json};

use super::{
    Case, Exception, Line, adds_before_the_first, compare_all, definition, ends_before_the_first,
    now,
};

#[test]
fn partition_keys_are_those_of_dagster() {
    compare_all("partition_keys", EXCEPTIONS, |line| {
        let theirs = match line.ok {
            true => line.result.clone(),
            false => Value::Null,
        };
        Some((answer(line), theirs))
    });
}

#[test]
fn partitions_of_every_sort_are_those_of_dagster() {
    compare_all("partition_kinds", &[], |line| {
        let theirs = match line.ok {
            true => line.result.clone(),
            false => Value::Null,
        };
        Some((answer(line), theirs))
    });
}

/// Zones that change at midnight, by half an hour, or by a day.
const ODD_ZONES: [&str; 6] = [
    "America/Havana",
    "America/Sao_Paulo",
    "Africa/Cairo",
    "Asia/Beirut",
    "Australia/Lord_Howe",
    "Pacific/Apia",
];

const EXCEPTIONS: &[Exception] = &[
    Exception {
        card: "EX-21",
        name: "P-17, D-27: a text between two windows is no key, also of hourly and daily windows",
        explains: |case| {
            case.line.op == "partition_has"
                && differing_keys(case).all(|key| {
                    let def = definition(&case.line.args["definition"]);
                    let refusal = def
                        .and_then(Result::ok)
                        .and_then(|def| def.parse_key(key).err());
                    refusal.is_some_and(|e| e.to_string().contains("did you mean"))
                })
        },
    },
    Exception {
        card: "EX-22",
        name: "D-28: a format that gives several windows one key is refused",
        explains: |case| {
            let def = definition(&case.line.args["definition"]);
            def.is_some_and(|d| d.is_err_and(|e| e.to_string().contains("too coarse")))
        },
    },
    Exception {
        card: "EX-23",
        name: "P-8: day 29 skips a short February; Dagster fails on it",
        explains: |case| {
            let day = &case.line.args["definition"]["day_offset"];
            case.line.error == "CheckError" && day == 29
        },
    },
    Exception {
        card: "EX-24",
        name: "P-6: a window that has not ended by `end` is no partition, not even the first",
        explains: |case| ends_before_the_first(&case.line.args["definition"]),
    },
    Exception {
        card: "EX-25",
        name: "P-4, P-5: `end_offset` adds windows to those that have ended, also before the first has begun",
        explains: |case| adds_before_the_first(&case.line.args["definition"], now(&case.line.args)),
    },
    Exception {
        card: "EX-26",
        name: "D-25: changes of the clocks at midnight, by half an hour or by a day follow the one rule",
        explains: |case| {
            let zone = case.line.args["definition"]["timezone"].as_str();
            zone.is_some_and(|zone| ODD_ZONES.contains(&zone))
        },
    },
];

/// Keys of which one says they exist and the other that they do not.
fn differing_keys<'a>(case: &'a Case<'_>) -> impl Iterator<Item = &'a str> {
    case.ours
        .as_object()
        .into_iter()
        .flatten()
        .filter(|(key, has)| case.theirs.get(key.as_str()) != Some(has))
        .map(|(key, _)| key.as_str())
}

/// Arco's answer, null for a refusal.
fn answer(line: &Line) -> Value {
    let args = &line.args;
    let Some(Ok(def)) = definition(&args["definition"]) else {
        return Value::Null;
    };
    let text = |name: &str| args[name].as_str().expect("text");
    match line.op.as_str() {
        "partition_keys" => displayed(def.keys(now(args))),
        "partition_has" => {
            let has: BTreeMap<String, bool> = super::strings(&args["keys"])
                .into_iter()
                .map(|key| {
                    let exists = def
                        .parse_key(&key)
                        .is_ok_and(|parsed| def.exists(&parsed, now(args)));
                    (key, exists)
                })
                .collect();
            json!(has)
        }
        "partition_range" => {
            let range = def.parse_key(text("start")).and_then(|from| {
                let to = def.parse_key(text("end"))?;
                def.range(&from, &to)
            });
            range.map_or(Value::Null, displayed)
        }
        "partition_window" => window(&def, text("key"), &line.result),
        other => panic!("no answer to {other}"),
    }
}

fn displayed(keys: Keys<'_>) -> Value {
    keys.map(|key| key.display().into_owned()).collect()
}

/// Windows are compared by their instants; the local texts are Dagster's own.
fn window(def: &PartitionsDef, key: &str, theirs: &Value) -> Value {
    let Some((from, to)) = def.parse_key(key).ok().and_then(|key| def.window(&key)) else {
        return Value::Null;
    };
    let mut ours = theirs.clone();
    ours["start"] = json!(from.0 as f64 / 1000.0);
    ours["end"] = json!(to.0 as f64 / 1000.0);
    ours
}
