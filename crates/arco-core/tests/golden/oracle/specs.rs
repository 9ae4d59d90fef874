//! Definitions and mappings as the questions say them.

use arco_core::Timestamp;
use arco_core::partition::{
    Cadence, DimensionMapping, DynamicKeys, PartitionMapping, PartitionsDef, PartitionsError,
    TimeWindowSpec,
};
use serde_json::Value;

/// The definition of a question; `None` for an unpartitioned side.
pub(crate) fn definition(spec: &Value) -> Option<Result<PartitionsDef, PartitionsError>> {
    let text = |name: &str| spec[name].as_str().map(str::to_owned);
    let number = |name: &str| spec[name].as_i64().map(|n| u8::try_from(n).expect("small"));
    let cadence = match spec["type"].as_str()? {
        "static" => {
            let keys = strings(&spec["keys"]);
            return Some(PartitionsDef::fixed(keys));
        }
        "hourly" => Cadence::Hourly,
        "daily" => Cadence::Daily,
        "weekly" => Cadence::Weekly,
        "monthly" => Cadence::Monthly,
        "cron" => Cadence::Cron,
        "dynamic" => {
            let name = text("name").expect("a name");
            return Some(dynamic(&name, &strings(&spec["keys"])));
        }
        "multi" => {
            let dimensions = spec["dimensions"].as_object().expect("dimensions");
            let each: Result<Vec<_>, _> = dimensions
                .iter()
                .map(|(name, one)| Ok((name.clone(), definition(one).expect("partitioned")?)))
                .collect();
            return Some(each.and_then(PartitionsDef::multi));
        }
        other => panic!("no definition of type {other}"),
    };
    let start = text("local_start").unwrap_or_else(|| "2024-01-01".into());
    let default = TimeWindowSpec::of(cadence, &start);
    Some(PartitionsDef::time_window(TimeWindowSpec {
        cron: text("cron"),
        exclusions: strings(&spec["exclusions"]),
        end: text("local_end"),
        timezone: text("timezone").unwrap_or(default.timezone.clone()),
        fmt: text("fmt").unwrap_or(default.fmt.clone()),
        end_offset: i32::try_from(spec["end_offset"].as_i64().unwrap_or(0)).expect("small"),
        minute_offset: number("minute_offset").unwrap_or(0),
        hour_offset: number("hour_offset").unwrap_or(0),
        day_offset: number("day_offset").unwrap_or(default.day_offset),
        ..default
    }))
}

/// Dynamic partitions with the keys they have now.
fn dynamic(name: &str, keys: &[String]) -> Result<PartitionsDef, PartitionsError> {
    let mut set = DynamicKeys::default();
    for key in keys {
        set.add(DynamicKeys::read(key)?);
    }
    let sets = [(name.to_owned(), set)].into();
    Ok(PartitionsDef::dynamic(name)?.resolved(&sets).into_owned())
}

/// The mapping of a question.
pub(crate) fn mapping(spec: &Value) -> PartitionMapping {
    let offset = |name: &str| i32::try_from(spec[name].as_i64().unwrap_or(0)).expect("small");
    match spec["type"].as_str().expect("a type") {
        "identity" => PartitionMapping::Identity,
        "all" => PartitionMapping::All,
        "last" => PartitionMapping::Last,
        "specific" => PartitionMapping::Specific {
            keys: strings(&spec["keys"]),
        },
        "static" => PartitionMapping::Static {
            downstream_keys_by_upstream_key: spec["pairs"]
                .as_object()
                .expect("pairs")
                .iter()
                .map(|(up, downs)| (up.clone(), strings(downs)))
                .collect(),
        },
        "multi_to_single" => PartitionMapping::MultiToSingle {
            dimension: spec["dimension"].as_str().map(str::to_owned),
        },
        "multi" => PartitionMapping::Multi {
            dimensions: spec["dimensions"]
                .as_object()
                .expect("dimensions")
                .iter()
                .map(|(upstream, each)| DimensionMapping {
                    upstream: upstream.clone(),
                    downstream: each["downstream"].as_str().expect("a name").to_owned(),
                    mapping: mapping(&each["mapping"]),
                })
                .collect(),
        },
        _ => PartitionMapping::TimeWindow {
            start_offset: offset("start_offset"),
            end_offset: offset("end_offset"),
            allow_nonexistent_upstream_partitions: spec["allow_nonexistent"] == true,
        },
    }
}

/// When a question is asked.
pub(crate) fn now(args: &Value) -> Timestamp {
    let Some(text) = args["now"].as_str() else {
        return Timestamp(0);
    };
    let text = if text.contains('T') {
        format!("{text}Z")
    } else {
        format!("{text}T00:00:00Z")
    };
    Timestamp::parse_rfc3339(&text).expect("the corpus has RFC 3339 times")
}

/// The texts of a list.
pub(crate) fn strings(value: &Value) -> Vec<String> {
    value
        .as_array()
        .into_iter()
        .flatten()
        .map(|text| text.as_str().expect("text").to_owned())
        .collect()
}
