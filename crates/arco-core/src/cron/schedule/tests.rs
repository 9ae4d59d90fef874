use proptest::prelude::*;

use super::*;

fn at(text: &str) -> Timestamp {
    Timestamp::parse_rfc3339(text).expect("RFC 3339")
}

fn schedule(cron: &str, zone: &str) -> CronSchedule {
    CronSchedule::parse(&[cron], zone).unwrap_or_else(|error| panic!("{error}"))
}

/// The instants of one local day as `hour:minute` and, where it matters, offset.
fn of_day(cron: &str, zone: &str, day: &str) -> String {
    let zone = jiff::tz::TimeZone::get(zone).expect("a zone");
    let day: jiff::civil::Date = day.parse().expect("a date");
    let begin = day.to_zoned(zone.clone()).expect("in range");
    let end = day
        .tomorrow()
        .and_then(|next| next.to_zoned(zone.clone()))
        .expect("in range")
        .timestamp();
    let name = zone.iana_name().expect("named");
    let schedule = schedule(cron, name);
    let texts: Vec<String> = schedule
        .instants_from(Timestamp(begin.timestamp().as_millisecond()))
        .map(|t| jiff::Timestamp::from_millisecond(t.0).expect("in range"))
        .take_while(|t| *t < end)
        .map(|t| t.to_zoned(zone.clone()).strftime("%H:%M%:::z").to_string())
        .collect();
    texts.join(" ")
}

#[test]
fn an_instant_is_shown_as_the_clock_on_the_wall_shows_it() {
    let shown = |zone: &str, seconds: i64| {
        let schedule = CronSchedule::parse(&["@daily"], zone).expect("it stands");
        schedule.local(crate::Timestamp(seconds * 1000))
    };
    assert_eq!(shown("UTC", 1_700_000_000), "2023-11-14T22:13:20+00:00");
    assert_eq!(
        shown("America/St_Johns", 1_700_000_000),
        "2023-11-14T18:43:20-03:30"
    );
    assert_eq!(
        shown("Asia/Kolkata", 1_700_000_000),
        "2023-11-15T03:43:20+05:30"
    );
}

#[test]
#[rustfmt::skip] // A table reads as rows.
fn clocks_of_new_york_go_forward_and_back() {
    let rows = [
        // cron, 10 March 2024, 3 November 2024 (S-17..S-19)
        ("30 2 * * *", "03:00-04", "02:30-05"),
        ("0 2 * * *", "03:00-04", "02:00-05"),
        ("0 3 * * *", "03:00-04", "03:00-05"),
        ("30 1 * * *", "01:30-05", "01:30-05"),
        ("0 1 * * *", "01:00-05", "01:00-05"),
        ("15,45 2 * * *", "03:00-04", "02:15-05 02:45-05"),
        ("*/20 2 * * *", "03:00-04", "02:00-05 02:20-05 02:40-05"),
        ("0 2-4 * * *", "03:00-04 04:00-04", "02:00-05 03:00-05 04:00-05"),
        ("0 1-3 * * *", "01:00-05 03:00-04", "01:00-05 02:00-05 03:00-05"),
        ("0 0-3 * * *", "00:00-05 01:00-05 03:00-04", "00:00-04 01:00-05 02:00-05 03:00-05"),
        ("0 */8 * * *", "00:00-05 08:00-04 16:00-04", "00:00-04 08:00-05 16:00-05"),
        ("0 0-4/2 * * *", "00:00-05 03:00-04 04:00-04", "00:00-04 02:00-05 04:00-05"),
        ("30 2 * * 1-5", "", ""),
        ("0 2 10 * *", "03:00-04", ""),
        ("0 2 * * 0", "03:00-04", "02:00-05"),
        ("30 2 * 3 *", "03:00-04", ""),
    ];
    for (cron, spring, autumn) in rows {
        assert_eq!(of_day(cron, "America/New_York", "2024-03-10"), spring, "{cron}");
        assert_eq!(of_day(cron, "America/New_York", "2024-11-03"), autumn, "{cron}");
    }
}

#[test]
fn every_hour_crons_follow_real_time() {
    for cron in ["0 * * * *", "0 0-23 * * *", "@hourly"] {
        let spring = of_day(cron, "America/New_York", "2024-03-10");
        assert!(
            spring.starts_with("00:00-05 01:00-05 03:00-04 04:00-04"),
            "{spring}"
        );
        let autumn = of_day(cron, "America/New_York", "2024-11-03");
        assert!(
            autumn.starts_with("00:00-04 01:00-04 01:00-05 02:00-05"),
            "{autumn}"
        );
    }
    let halves = of_day("*/30 * * * *", "America/New_York", "2024-11-03");
    assert!(
        halves.contains("01:00-04 01:30-04 01:00-05 01:30-05 02:00-05"),
        "{halves}"
    );
    let berlin = of_day("0 * * * *", "Europe/Berlin", "2024-10-27");
    assert!(
        berlin.contains("01:00+02 02:00+02 02:00+01 03:00+01"),
        "{berlin}"
    );
    // Local hours also where a zone is no whole hours from UTC (D-25).
    let kolkata = of_day("0 * * * *", "Asia/Kolkata", "2024-01-01");
    assert!(kolkata.starts_with("00:00+05:30 01:00+05:30"), "{kolkata}");
}

#[test]
#[rustfmt::skip] // A table reads as rows.
fn odd_changes_follow_the_same_rule() {
    let rows = [
        // Midnight is left out, then repeated.
        ("30 0 * * *", "America/Havana", "2024-03-10", "01:00-04"),
        ("30 0 * * *", "America/Havana", "2024-11-03", "00:30-05"),
        ("0 0 * * *", "Asia/Beirut", "2024-03-31", "01:00+03"),
        // Half an hour.
        ("15 2 * * *", "Australia/Lord_Howe", "2024-10-06", "02:30+11"),
        ("45 1 * * *", "Australia/Lord_Howe", "2024-04-07", "01:45+10:30"),
        // A day: it has no instants, and those of the next day are not doubled.
        ("0 0 * * *", "Pacific/Apia", "2011-12-31", "00:00+14"),
        ("0 5 * * *", "Pacific/Apia", "2011-12-31", "05:00+14"),
    ];
    for (cron, zone, day, expected) in rows {
        assert_eq!(of_day(cron, zone, day), expected, "{cron} {zone} {day}");
    }
}

#[test]
fn the_start_counts_and_so_does_the_end() {
    let daily = schedule("0 6 * * *", "UTC");
    let six = at("2024-01-01T06:00:00Z");
    assert_eq!(daily.instants_from(six).next(), Some(six));
    assert_eq!(daily.instants_before(six).next(), Some(six));
    let later = Timestamp(six.0 + 1);
    assert_eq!(
        daily.instants_from(later).next(),
        Some(at("2024-01-02T06:00:00Z"))
    );
    assert_eq!(
        daily.instants_before(Timestamp(six.0 - 1)).next(),
        Some(at("2023-12-31T06:00:00Z"))
    );
}

#[test]
fn a_start_in_the_repeated_hour_finds_the_second_pass() {
    let daily = schedule("10 1 * * *", "America/New_York");
    // 01:30 of the first pass: 01:10 of the second is still to come.
    let start = at("2024-11-03T05:30:00Z");
    assert_eq!(
        daily.instants_from(start).next(),
        Some(at("2024-11-03T06:10:00Z"))
    );
    assert_eq!(
        daily.instants_before(start).next(),
        Some(at("2024-11-02T05:10:00Z"))
    );
}

#[test]
fn several_crons_are_their_union() {
    let crons = ["0 0 * * *", "0 */12 * * *", "30 0 1 * *"];
    let schedule = CronSchedule::parse(&crons, "UTC").unwrap();
    let first: Vec<String> = schedule
        .instants_from(at("2024-01-01T00:00:00Z"))
        .take(4)
        .map(Timestamp::to_rfc3339)
        .collect();
    let expected = ["01T00:00", "01T00:30", "01T12:00", "02T00:00"];
    assert_eq!(first, expected.map(|t| format!("2024-01-{t}:00.000Z")));
    assert_eq!(
        CronSchedule::parse(&[] as &[&str], "UTC").unwrap_err(),
        CronError::Empty
    );
    assert!(CronSchedule::parse(&["0 0 * * *", "nonsense"], "UTC").is_err());
}

#[test]
fn an_unknown_zone_is_refused_with_a_neighbour() {
    let error = CronSchedule::parse(&["@daily"], "Europe/Berln").unwrap_err();
    assert!(
        error.to_string().contains("did you mean `Europe/Berlin`"),
        "{error}"
    );
}

#[test]
#[rustfmt::skip] // A table reads as rows.
fn the_smallest_interval_is_that_of_the_calendar() {
    const MINUTE: u64 = 60;
    const DAY: u64 = 1440 * MINUTE;
    let rows: &[(&[&str], u64)] = &[
        (&["* * * * *"], MINUTE), (&["*/7 * * * *"], 4 * MINUTE), (&["0 * * * *"], 60 * MINUTE),
        (&["0 0 * * *"], DAY), (&["0 0 * * mon,wed"], 2 * DAY), (&["0 0 1 * *"], 28 * DAY),
        (&["0 0 31 * *"], 31 * DAY), (&["0 0 1 1 *"], 365 * DAY), (&["0 0 29 2 *"], 1461 * DAY),
        (&["0 1,23 * * *"], 120 * MINUTE), (&["0 0 L * *", "0 0 1 * *"], DAY),
        (&["0 0 * * *", "59 23 * * fri"], MINUTE), (&["0 0 * * *", "@daily"], DAY),
    ];
    for (crons, expected) in rows {
        let schedule = CronSchedule::parse(crons, "UTC").unwrap();
        assert_eq!(schedule.smallest_interval_seconds(), *expected, "{crons:?}");
    }
}

const ZONES: [&str; 10] = [
    "UTC",
    "America/New_York",
    "Europe/Berlin",
    "Asia/Kolkata",
    "Australia/Lord_Howe",
    "America/Havana",
    "Pacific/Apia",
    "America/St_Johns",
    "Africa/Casablanca",
    "Asia/Pyongyang",
];

fn any_schedule() -> impl Strategy<Value = CronSchedule> {
    let minute = prop::sample::select(vec!["0", "30", "*/20", "7-50/13", "15,45"]);
    let hour = prop::sample::select(vec!["*", "0", "0-3", "*/2", "22-4", "1,23"]);
    let day = prop::sample::select(vec!["*", "*", "*", "1", "L", "28-2"]);
    let weekday = prop::sample::select(vec!["*", "*", "*", "sun", "fri-mon", "mon#1", "L5"]);
    let zone = prop::sample::select(ZONES.to_vec());
    (minute, hour, day, weekday, zone).prop_map(|(minute, hour, day, weekday, zone)| {
        schedule(&format!("{minute} {hour} {day} * {weekday}"), zone)
    })
}

proptest! {
    // From 1970 to 2060.
    #[test]
    fn backwards_is_forwards_backwards(schedule in any_schedule(), start in 0..2_840_000_000_i64) {
        let forwards: Vec<Timestamp> = schedule.instants_from(Timestamp(start * 1000)).take(20).collect();
        let last = *forwards.last().expect("there is always a next one");
        let mut backwards: Vec<Timestamp> = schedule.instants_before(last).take(20).collect();
        backwards.reverse();
        prop_assert_eq!(&forwards, &backwards);
        prop_assert!(forwards.windows(2).all(|pair| pair[0] < pair[1]));
        prop_assert!(forwards[0].0 >= start * 1000);
    }

    #[test]
    fn a_walk_does_not_depend_on_where_it_starts(schedule in any_schedule(), start in 0..2_840_000_000_i64, later in 0..400_000_i64) {
        let later = Timestamp((start + later) * 1000);
        let walked = schedule.instants_from(Timestamp(start * 1000)).find(|t| *t >= later);
        prop_assert_eq!(walked, schedule.instants_from(later).next());
    }
}
