use std::collections::BTreeSet;

use arco_core::Timestamp;
use arco_core::cron::{CronExpression, CronSchedule};
use serde_json::{Value, json};

use super::{Case, Exception, Line, compare_all, corpus, is_fresh, strings};

#[test]
fn crons_are_valid_and_due_as_in_dagster() {
    compare_all("cron", EXCEPTIONS, |line| {
        let theirs = match line.ok {
            true => line.result.clone(),
            false => Value::Null,
        };
        Some((answer(line), theirs))
    });
}

/// The committed questions ask about days on which the clocks go forward, and about days on which they go
/// back, in thirty zones each.
#[test]
fn thirty_zones_are_asked_on_days_of_both_changes() {
    if is_fresh() {
        return;
    }
    const DAY: jiff::SignedDuration = jiff::SignedDuration::from_hours(25);
    let (mut gaps, mut overlaps) = (BTreeSet::new(), BTreeSet::new());
    for line in corpus("cron").lines {
        if line.op != "cron_ticks" || !line.ok {
            continue;
        }
        let name = line.args["tz"].as_str().expect("a zone").to_owned();
        let zone = jiff::tz::TimeZone::get(&name).expect("a zone");
        for seconds in instants(&line.result) {
            let due = jiff::Timestamp::from_second(seconds as i64).expect("in range");
            let day = due.to_zoned(zone.clone()).start_of_day().expect("a day");
            let changes = zone.following(day.timestamp());
            for change in changes.take_while(|c| c.timestamp() < due + DAY) {
                let at = change.timestamp();
                if at.to_zoned(zone.clone()).date() == day.date() {
                    let before = zone.to_offset(at - jiff::SignedDuration::from_secs(1));
                    let goes_forward = change.offset() > before;
                    let days = if goes_forward {
                        &mut gaps
                    } else {
                        &mut overlaps
                    };
                    days.insert(name.clone());
                }
            }
        }
    }
    assert!(gaps.len() >= 30, "{} zones: {gaps:?}", gaps.len());
    assert!(
        overlaps.len() >= 30,
        "{} zones: {overlaps:?}",
        overlaps.len()
    );
}

const EXCEPTIONS: &[Exception] = &[
    Exception {
        card: "EX-49",
        name: "S-8, D-26: a step larger than its field is refused",
        explains: |case| is_refused(case, "steps over the whole field"),
    },
    Exception {
        card: "EX-49",
        name: "S-9, D-26: a cron that is never due is refused, however it is spelled, and no other",
        explains: |case| {
            let never = |cron: &String| cron == "0 0 30 2 mon";
            is_refused(case, "never due") || crons(&case.line.args).iter().any(never)
        },
    },
    Exception {
        card: "EX-49",
        name: "S-7, D-26: `R` is refused",
        explains: |case| is_refused(case, "is random"),
    },
    Exception {
        card: "EX-49",
        name: "S-8: day 0 is refused at the end of a range too",
        explains: |case| is_refused(case, "-0` is out of range") || is_refused(case, "-0/"),
    },
    Exception {
        card: "EX-50",
        name: "S-10: a day of month counts beside a week of the month",
        explains: |case| {
            crons(&case.line.args)
                .iter()
                .any(|cron| has_day_and_week(cron))
        },
    },
    Exception {
        card: "EX-50",
        name: "S-6: days of every week and days of one week of the month do not mix",
        explains: |case| is_refused(case, "two crons"),
    },
    Exception {
        card: "EX-51",
        name: "S-12: 29 February is found from any start",
        explains: |case| {
            let leap = |cron: &String| cron.ends_with(" 29 2 *");
            passes_over(case) && crons(&case.line.args).iter().any(leap)
        },
    },
    Exception {
        card: "EX-53",
        name: "S-12, S-20: the last days of a month are found backwards and from any start",
        explains: |case| {
            let is_backwards =
                case.line.args["descending"] == true || case.line.error == "CheckError";
            is_backwards
                && passes_over(case)
                && crons(&case.line.args).iter().any(|cron| has_late_day(cron))
        },
    },
    Exception {
        card: "EX-52",
        name: "S-11: several crons are all due, and in order, also in an hour that comes twice",
        explains: |case| {
            case.line.args["cron"].is_array()
                && (!is_in_order(case) || differs_at_changes_only(case))
        },
    },
    Exception {
        card: "EX-26",
        name: "D-25: Lord Howe's hours begin with the local hour, in whatever season one asks",
        explains: |case| {
            zone_is(case, &["Australia/Lord_Howe"])
                && crons(&case.line.args)
                    .iter()
                    .any(|cron| CronExpression::parse(cron).is_ok_and(|c| c.repeats_every_hour()))
        },
    },
    Exception {
        card: "EX-26",
        name: "D-25: changes of the clocks at midnight, by half an hour, by a day or to winter follow the one rule",
        explains: |case| zone_is(case, &ODD_ZONES) && differs_at_changes_only(case),
    },
];

/// The clocks change at midnight, by half an hour, at a quarter to three, or by a day, or the winter is
/// what is not standard time.
const ODD_ZONES: [&str; 9] = [
    "America/Havana",
    "Asia/Beirut",
    "Africa/Cairo",
    "America/Santiago",
    "Atlantic/Azores",
    "Australia/Lord_Howe",
    "Pacific/Chatham",
    "Pacific/Apia",
    "Europe/Dublin",
];

fn zone_is(case: &Case<'_>, zones: &[&str]) -> bool {
    case.line.args["tz"]
        .as_str()
        .is_some_and(|zone| zones.contains(&zone))
}

/// Whether Dagster accepts and Arco refuses one of the crons for a reason.
fn is_refused(case: &Case<'_>, reason: &str) -> bool {
    case.line.ok
        && case.theirs != json!(false)
        && crons(&case.line.args).iter().any(|cron| {
            CronExpression::parse(cron).is_err_and(|error| error.to_string().contains(reason))
        })
}

/// Both answers as far as both go; the last instants of the longer one are cut off.
fn common(case: &Case<'_>) -> (Vec<f64>, Vec<f64>) {
    let ahead = ahead(case);
    let ours = instants(&case.ours);
    let theirs = instants(&case.theirs);
    let end = |instants: &[f64]| instants.last().map_or(0.0, |last| last * ahead);
    let end = end(&ours).min(end(&theirs));
    let cut = |instants: Vec<f64>| instants.into_iter().filter(|i| i * ahead <= end).collect();
    (cut(ours), cut(theirs))
}

fn instants(answer: &Value) -> Vec<f64> {
    serde_json::from_value(answer.clone()).unwrap_or_default()
}

fn ahead(case: &Case<'_>) -> f64 {
    match case.line.args["descending"] == true {
        true => -1.0,
        false => 1.0,
    }
}

/// Whether Dagster's instants follow each other in real time.
fn is_in_order(case: &Case<'_>) -> bool {
    let ahead = ahead(case);
    instants(&case.theirs)
        .windows(2)
        .all(|pair| (pair[1] - pair[0]) * ahead > 0.0)
}

/// Whether Dagster gave no answer, or one that lacks some of ours and has no others.
fn passes_over(case: &Case<'_>) -> bool {
    let (ours, theirs) = common(case);
    case.theirs.is_null() || theirs.iter().all(|instant| ours.contains(instant))
}

/// Whether all instants that only one has are within a day of a change of the clocks.
fn differs_at_changes_only(case: &Case<'_>) -> bool {
    let zone = case.line.args["tz"].as_str().expect("a zone");
    let zone = jiff::tz::TimeZone::get(zone).expect("a zone");
    let at = |seconds: f64| jiff::Timestamp::from_second(seconds as i64).expect("in range");
    let is_near_a_change = |instant: &f64| {
        const DAY: f64 = 25.0 * 3600.0;
        let next = zone.following(at(instant - DAY)).next();
        next.is_some_and(|change| change.timestamp() <= at(instant + DAY))
    };
    if case.theirs.is_null() {
        return is_near_a_change(&(start(&case.line.args).0 as f64 / 1000.0));
    }
    let (ours, theirs) = common(case);
    let only = |a: &[f64], b: &[f64]| -> Vec<f64> {
        a.iter().filter(|i| !b.contains(i)).copied().collect()
    };
    only(&ours, &theirs)
        .iter()
        .chain(&only(&theirs, &ours))
        .all(is_near_a_change)
}

/// Whether a cron is due on the 29th or later, and not on every day.
fn has_late_day(cron: &str) -> bool {
    let day = cron
        .split_whitespace()
        .nth(2)
        .unwrap_or_default()
        .to_lowercase();
    // Each item that is more than one day before the 29th.
    !matches!(day.as_str(), "*" | "?")
        && day
            .split(',')
            .any(|item| item.parse::<u8>().map_or(true, |day| day >= 29))
}

/// `0 0 1 * mon#1` and the like.
fn has_day_and_week(cron: &str) -> bool {
    let lower = cron.to_lowercase();
    let fields: Vec<&str> = lower.split_whitespace().collect();
    let &[_, _, day, _, weekday] = fields.as_slice() else {
        return false;
    };
    !matches!(day, "*" | "?") && (weekday.contains('#') || weekday.contains('l'))
}

/// Arco's answer, null for a refusal.
fn answer(line: &Line) -> Value {
    let args = &line.args;
    let crons = crons(args);
    match line.op.as_str() {
        "cron_valid" => json!(CronSchedule::parse(&crons, "UTC").is_ok()),
        "cron_ticks" => ticks(args, &crons),
        "cron_smallest_interval" => CronSchedule::parse(&crons, "UTC")
            .map_or(Value::Null, |s| json!(s.smallest_interval_seconds() as f64)),
        other => panic!("no answer to {other}"),
    }
}

fn ticks(args: &Value, crons: &[String]) -> Value {
    let zone = args["tz"].as_str().expect("a zone");
    let Ok(schedule) = CronSchedule::parse(crons, zone) else {
        return Value::Null;
    };
    let start = start(args);
    let count = usize::try_from(args["n"].as_u64().unwrap_or(8)).expect("small");
    let seconds = |t: Timestamp| t.0 as f64 / 1000.0;
    let ticks: Vec<f64> = match args["descending"] == true {
        false => schedule
            .instants_from(start)
            .take(count)
            .map(seconds)
            .collect(),
        true => schedule
            .instants_before(start)
            .take(count)
            .map(seconds)
            .collect(),
    };
    json!(ticks)
}

/// An instant, or a local time of the zone, which the corpus asks about only where it is one instant.
fn start(args: &Value) -> Timestamp {
    let text = args["start"].as_str().expect("a start");
    if let Some(instant) = Timestamp::parse_rfc3339(text) {
        return instant;
    }
    let local: jiff::civil::DateTime = text.parse().expect("a local time");
    let zoned = local.in_tz(args["tz"].as_str().expect("a zone"));
    Timestamp(zoned.expect("in range").timestamp().as_millisecond())
}

fn crons(args: &Value) -> Vec<String> {
    match args["cron"].as_str() {
        Some(text) => vec![text.to_owned()],
        None => strings(&args["cron"]),
    }
}
