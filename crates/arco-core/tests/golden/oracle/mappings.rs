use arco_core::partition::{PartitionKey, PartitionMapping, PartitionsDef};
use serde_json::{Value, json};

use super::{
    Case, Exception, Line, adds_before_the_first, compare_all, definition, ends_before_the_first,
    mapping, now, strings,
};

#[test]
fn mappings_are_those_of_dagster() {
    compare_all("partition_mappings", EXCEPTIONS, |line| {
        Some((answer(line), theirs(line)))
    });
}

#[test]
fn mappings_of_every_sort_are_those_of_dagster() {
    compare_all("mapping_kinds", EXCEPTIONS_OF_KINDS, |line| {
        let (mut ours, theirs) = (answer(line), theirs(line));
        by_dimension(line, &mut ours);
        Some((ours, theirs))
    });
}

fn theirs(line: &Line) -> Value {
    match line.op.as_str() {
        "infer_mapping" => line.result.clone(),
        // What Dagster calls invalid it still answers; Arco refuses.
        _ if !line.ok || !line.result["invalid"].is_null() => Value::Null,
        _ if line.args["direction"] == "down" => json!({"keys": line.result["keys"]}),
        _ => json!({"keys": line.result["keys"], "nonexistent": line.result["nonexistent"]}),
    }
}

/// Of several dimensions Dagster names the keys of a dimension that do not exist, Arco the partitions.
fn by_dimension(line: &Line, ours: &mut Value) {
    let sort = &line.args["mapping"]["type"];
    let is_of_dimensions = *sort == "multi" || *sort == "multi_to_single" || sort.is_null();
    let Some(Ok(PartitionsDef::Multi(up))) = definition(&line.args["up_def"]) else {
        return;
    };
    if !is_of_dimensions || ours["nonexistent"].is_null() {
        return;
    }
    let mut missing = std::collections::BTreeSet::new();
    for key in strings(&ours["nonexistent"]) {
        for (dimension, value) in up.dimensions().iter().zip(key.split('|')) {
            let key = dimension.def.parse_key(value);
            if !key.is_ok_and(|key| dimension.def.exists(&key, now(&line.args))) {
                missing.insert(value.to_owned());
            }
        }
    }
    ours["nonexistent"] = json!(missing);
}

const SIDES: [&str; 2] = ["up_def", "down_def"];

const MISSED_TOO: Exception = Exception {
    card: "EX-27",
    name: "P-34: before the parent's start, the parent window in which the child begins is missed too",
    explains: |case| {
        let missed = strings(&case.ours["nonexistent"]);
        let theirs = strings(&case.theirs["nonexistent"]);
        case.line.args["direction"] == "up"
            && offset(case, "start_offset") == 0
            && offset(case, "end_offset") == 0
            && case.ours["keys"] == case.theirs["keys"]
            && missed.len() == theirs.len() + 1
            && theirs.iter().all(|key| missed.contains(key))
    },
};

const EXCEPTIONS_OF_KINDS: &[Exception] = &[
    MISSED_TOO,
    Exception {
        card: "EX-105",
        name: "P-34: around all that the parent has, what exists is not missed",
        explains: |case| {
            let missed = strings(&case.ours["nonexistent"]);
            let kept = strings(&case.ours["keys"]);
            let mut theirs = strings(&case.theirs["nonexistent"]);
            theirs.retain(|key| !kept.contains(key));
            !kept.is_empty() && case.ours["keys"] == case.theirs["keys"] && theirs == missed
        },
    },
    Exception {
        card: "EX-140",
        name: "P-26: an identity goes by the key, whatever the windows",
        explains: |case| {
            let args = &case.line.args;
            let is_windows = |side: &str| {
                let windows = ["hourly", "daily", "weekly", "monthly"];
                windows.iter().any(|cadence| args[side]["type"] == *cadence)
            };
            args["mapping"]["type"] == "identity"
                && case.theirs.is_null()
                && SIDES.iter().all(|side| is_windows(side))
                && args["up_def"]["type"] != args["down_def"]["type"]
        },
    },
    Exception {
        card: "EX-100",
        name: "P-38, D-30: the dimension that is named counts, also when another fits",
        explains: |case| case.line.args["mapping"]["dimension"].is_string(),
    },
    Exception {
        card: "EX-101",
        name: "P-39: where one dimension needs nothing, what another lacks is not missed",
        explains: |case| {
            let needs = |side: &Value| strings(&side["keys"]).len();
            case.line.args["up_def"]["type"] == "multi"
                && needs(&case.ours) + needs(&case.theirs) == 0
                && strings(&case.ours["nonexistent"]).is_empty()
        },
    },
    Exception {
        card: "EX-102",
        name: "P-35: a window of the parent that is left out serves no child, and none before it does instead",
        explains: |case| case.line.args["up_def"]["exclusions"].is_array(),
    },
    Exception {
        card: "EX-104",
        name: "P-28, D-32: a key that a mapping lists and its parent cannot have is refused, one that a set lacks is missed",
        explains: |case| {
            let args = &case.line.args;
            let Some(Ok(parent)) = definition(&args["up_def"]) else {
                return false;
            };
            let of_parent = |key: &String| {
                let key = parent.parse_key(key);
                key.is_ok_and(|key| parent.exists(&key, now(args)))
            };
            let keys = strings(&args["mapping"]["keys"]);
            let missed = strings(&case.ours["nonexistent"]);
            args["mapping"]["type"] == "specific"
                && !keys.iter().all(of_parent)
                && (case.ours.is_null() || keys.iter().all(|key| missed.contains(key)))
        },
    },
    Exception {
        card: "EX-106",
        name: "P-34: what a window feeds is the reverse of what its child needs, also beside windows left out",
        explains: |case| {
            let args = &case.line.args;
            args["direction"] == "down" && args["down_def"]["exclusions"].is_array()
        },
    },
];

const EXCEPTIONS: &[Exception] = &[
    MISSED_TOO,
    Exception {
        card: "EX-23",
        name: "P-8: day 29 skips a short February; Dagster fails on it",
        explains: |case| {
            let day = |side: &str| case.line.args[side]["day_offset"].as_i64();
            case.line.error == "CheckError"
                && [day("up_def"), day("down_def")]
                    .iter()
                    .flatten()
                    .any(|day| *day == 29)
        },
    },
    Exception {
        card: "EX-25",
        name: "P-4, P-5: `end_offset` adds windows to those that have ended, also before the first has begun",
        explains: |case| {
            let args = &case.line.args;
            SIDES
                .iter()
                .any(|side| adds_before_the_first(&args[side], now(args)))
        },
    },
    Exception {
        card: "EX-24",
        name: "P-6: a window that has not ended by `end` is no partition, not even the first",
        explains: |case| {
            SIDES
                .iter()
                .any(|side| ends_before_the_first(&case.line.args[side]))
        },
    },
];

fn offset(case: &Case<'_>, name: &str) -> i64 {
    case.line.args["mapping"][name].as_i64().unwrap_or(0)
}

fn answer(line: &Line) -> Value {
    let args = &line.args;
    let side = |name: &str| definition(&args[name]).map(|def| def.expect("valid definitions"));
    let (up, down) = (side("up_def"), side("down_def"));
    if line.op == "infer_mapping" {
        return json!(name(&PartitionMapping::infer(down.as_ref(), up.as_ref())));
    }
    let up = up.expect("a partitioned parent");
    let mapping = match &args["mapping"] {
        Value::Null => PartitionMapping::infer(down.as_ref(), Some(&up)),
        given => mapping(given),
    };
    let asked = strings(&args["keys"]);
    let key = |def: &PartitionsDef| def.parse_key(&asked[0]).ok();
    if args["direction"] == "up" {
        let key = down.as_ref().map(key);
        // A key that Dagster has and Arco has not.
        if key == Some(None) {
            return Value::Null;
        }
        let key = key.flatten();
        return mapping
            .upstream(down.as_ref(), key.as_ref(), &up, now(args))
            .map_or(Value::Null, |mapped| {
                json!({"keys": sorted(&mapped.keys), "nonexistent": sorted(&mapped.nonexistent)})
            });
    }
    let down = down.expect("a partitioned child");
    let Some(key) = key(&up) else {
        return Value::Null;
    };
    mapping
        .downstream(&up, &key, &down, now(args))
        .map_or(Value::Null, |keys| json!({"keys": sorted(&keys)}))
}

fn name(mapping: &PartitionMapping) -> &'static str {
    match mapping {
        PartitionMapping::Identity => "IdentityPartitionMapping",
        PartitionMapping::TimeWindow { .. } => "TimeWindowPartitionMapping",
        PartitionMapping::All => "AllPartitionMapping",
        PartitionMapping::Last => "LastPartitionMapping",
        PartitionMapping::MultiToSingle { .. } => "MultiToSingleDimensionPartitionMapping",
        PartitionMapping::Specific { .. } => "SpecificPartitionsPartitionMapping",
        PartitionMapping::Static { .. } => "StaticPartitionMapping",
        PartitionMapping::Multi { .. } => "MultiPartitionMapping",
        PartitionMapping::Custom(_) => "PartitionMapping",
    }
}

fn sorted(keys: &[PartitionKey]) -> Vec<String> {
    let mut texts: Vec<String> = keys.iter().map(|key| key.display().into_owned()).collect();
    texts.sort();
    texts
}
