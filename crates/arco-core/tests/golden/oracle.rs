//! Arco's answers beside those of Dagster 1.13.27 (`golden/oracle/README.md`).
//!
//! A difference is either a fault of Arco or deliberate. Deliberate ones cite their card in
//! `docs/audits/arco-flow-dagster-exception-planning.md` and the statements they rest on; one that no
//! line of the committed corpus needs is a failure too, so that the list stays true. At most two of a
//! hundred answers to an operation may differ on purpose.

mod corpus;
mod cron;
mod keys;
mod mappings;
mod schedules;
mod selections;
mod tally;

use std::collections::BTreeSet;

use arco_core::Timestamp;
use arco_core::partition::{Cadence, DynamicKeys, PartitionsDef, PartitionsError, TimeWindowSpec};
use serde_json::Value;

use corpus::{Corpus, Line, corpus, is_fresh};
use tally::Tally;

/// One deliberate difference: what Arco does and why, and whether it explains a line.
struct Exception {
    /// Its card.
    card: &'static str,
    /// Statement numbers, then the difference in a sentence.
    name: &'static str,
    explains: fn(&Case<'_>) -> bool,
}

/// A line on which Arco's answer is another one than Dagster's; null stands for a refusal.
struct Case<'a> {
    line: &'a Line,
    ours: Value,
    theirs: Value,
}

/// Compares line by line; `answers` gives Arco's and Dagster's answer in one shape.
fn compare_all(
    name: &str,
    exceptions: &[Exception],
    answers: impl Fn(&Line) -> Option<(Value, Value)>,
) {
    let Corpus { seed, lines } = corpus(name);
    let mut unused: BTreeSet<&str> = exceptions.iter().map(|e| e.name).collect();
    let mut faults = Vec::new();
    let mut tally = Tally::default();
    for (index, line) in lines.iter().enumerate() {
        let Some((ours, theirs)) = answers(line) else {
            continue;
        };
        if ours == theirs {
            tally.equal(&line.op);
            continue;
        }
        let case = Case { line, ours, theirs };
        if let Some(exception) = exceptions.iter().find(|e| (e.explains)(&case)) {
            tally.deviation(&line.op, exception.card);
            unused.remove(exception.name);
            continue;
        }
        tally.unexplained(&line.op);
        // After the header, which is the first line of the file.
        let number = index + 2;
        faults.push(format!(
            "{name}:{number} {} {}\n  dagster {} {}\n  arco    {}",
            line.op, line.args, case.theirs, line.error, case.ours,
        ));
    }
    tally.report(name);
    let count = faults.len();
    assert!(
        faults.is_empty(),
        "{count} differences, seed `{seed}`\n{}",
        faults.join("\n")
    );
    let too_different = tally.too_different(is_fresh());
    assert!(
        too_different.is_empty(),
        "more than two of a hundred answers differ on purpose: {too_different:?}"
    );
    assert!(
        unused.is_empty() || is_fresh(),
        "exceptions without a case: {unused:?}"
    );
}

/// The definition of a question; `None` for an unpartitioned side.
fn definition(spec: &Value) -> Option<Result<PartitionsDef, PartitionsError>> {
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

/// P-6: whether `end` comes before the end of the first window, which Dagster counts nevertheless.
fn ends_before_the_first(spec: &Value) -> bool {
    let def = definition(spec).and_then(Result::ok);
    spec["end"].is_string() && def.is_some_and(|def| def.key_at(0).is_none())
}

/// P-4, P-5: whether `end_offset` adds windows at a time when the first has not begun, where Dagster
/// adds one too many.
fn adds_before_the_first(spec: &Value, now: Timestamp) -> bool {
    let def = definition(spec).and_then(Result::ok);
    let first = def.and_then(|def| def.window(&def.key_at(0)?));
    spec["end_offset"].as_i64() > Some(0) && first.is_some_and(|(begin, _)| now < begin)
}

fn now(args: &Value) -> Timestamp {
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

fn strings(value: &Value) -> Vec<String> {
    value
        .as_array()
        .into_iter()
        .flatten()
        .map(|text| text.as_str().expect("text").to_owned())
        .collect()
}
