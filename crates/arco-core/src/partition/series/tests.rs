use proptest::prelude::*;

use super::*;

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

fn series() -> impl Strategy<Value = Series> {
    let cadence = prop_oneof![
        Just(Cadence::Hourly),
        Just(Cadence::Daily),
        Just(Cadence::Weekly),
        Just(Cadence::Monthly)
    ];
    (cadence, 0..ZONES.len(), 0..60_u8, 0..24_u8, 1..32_u8).prop_map(
        |(cadence, zone, minute, hour, day)| {
            let spec = TimeWindowSpec {
                minute_offset: minute,
                hour_offset: hour,
                day_offset: if cadence == Cadence::Weekly {
                    day % 7
                } else {
                    day
                },
                ..TimeWindowSpec::of(cadence, "1970-01-01")
            };
            let spec = TimeWindowSpec {
                hour_offset: if cadence == Cadence::Hourly { 0 } else { hour },
                ..spec
            };
            Series::plain(&spec, Zone::find(ZONES[zone]).expect("a zone"), 0)
        },
    )
}

fn at(text: &str) -> i64 {
    crate::Timestamp::parse_rfc3339(text).expect("RFC 3339").0 / 1000
}

proptest! {
    // From 1970 to 2060.
    #[test]
    fn every_instant_lies_in_one_window(series in series(), instant in 0..2_840_000_000_i64) {
        let slot = series.floor(instant);
        prop_assert!(series.start(slot) <= instant);
        prop_assert!(instant < series.start(slot + 1));
        prop_assert_eq!(series.floor(series.start(slot)), slot);
        prop_assert_eq!(series.ceil(series.start(slot)), slot);
        prop_assert_eq!(series.ceil(series.start(slot) + 1), slot + 1);
    }

    #[test]
    fn windows_begin_one_after_the_other(series in series(), instant in 0..2_840_000_000_i64) {
        let slot = series.floor(instant);
        for slot in slot - 40..slot + 40 {
            prop_assert!(series.start(slot) < series.start(slot + 1), "slot {}", slot);
        }
    }

    #[test]
    fn dates_and_days_are_one_to_one(day in -5_000_000..5_000_000_i64) {
        let (year, month, of_month) = civil::date(day);
        prop_assert_eq!(civil::days(year, month, of_month), day);
        prop_assert!((1..=civil::days_in_month(year, month)).contains(&of_month));
    }
}

#[test]
fn bounds_do_not_overflow() {
    for cadence in [
        Cadence::Hourly,
        Cadence::Daily,
        Cadence::Weekly,
        Cadence::Monthly,
    ] {
        for zone in ZONES {
            let spec = TimeWindowSpec {
                day_offset: 1,
                ..TimeWindowSpec::of(cadence, "1970-01-01")
            };
            let series = Series::plain(&spec, Zone::find(zone).expect("a zone"), 0);
            for slot in [i64::MIN, -SLOT_BOUND, SLOT_BOUND, i64::MAX] {
                series.start(slot);
            }
            for instant in [i64::MIN / 2, i64::MAX / 2, -62_000_000_000, 250_000_000_000] {
                series.floor(instant);
            }
        }
    }
}

#[test]
fn lord_howe_moves_by_half_an_hour_and_keeps_its_minute() {
    let spec = TimeWindowSpec::hourly("2024-01-01");
    let series = Series::plain(&spec, Zone::find("Australia/Lord_Howe").expect("a zone"), 0);
    // 2024-04-06T15:00Z is 02:00+11:00; the clock goes back to 01:30+10:30.
    let slot = series.floor(at("2024-04-06T14:00:00Z"));
    let starts: Vec<i64> = (0..4).map(|n| series.start(slot + n)).collect();
    let expected = [
        "2024-04-06T14:00:00Z",
        "2024-04-06T15:30:00Z",
        "2024-04-06T16:30:00Z",
        "2024-04-06T17:30:00Z",
    ];
    assert_eq!(starts, expected.map(at));
}

#[test]
fn days_that_a_zone_left_out_have_no_window() {
    let apia = Zone::find("Pacific/Apia").expect("a zone");
    let left_out = civil::days(2011, 12, 30);
    assert_eq!(apia.days_left_out(0), [left_out]);
    assert_eq!(apia.days_left_out(5 * 3600), [left_out]);
    let pyongyang = Zone::find("Asia/Pyongyang").expect("a zone");
    assert!(pyongyang.days_left_out(0).is_empty());
    assert_eq!(
        pyongyang.days_left_out(23 * 3600 + 45 * 60),
        [civil::days(2018, 5, 4)]
    );
}

#[test]
fn local_times_are_read_strictly() {
    assert_eq!(civil::parse("1970-01-02"), Some(86_400));
    assert_eq!(civil::parse("1970-01-02T01:02:03"), Some(86_400 + 3723));
    assert_eq!(civil::parse("1970-01-02T01:02"), Some(86_400 + 3720));
    for text in [
        "",
        "1970-1-2",
        "1970-02-30",
        "1970-01-01T24:00:00",
        "1970-01-01T00:00:00Z",
        "1970-01-01 00:00:00",
        "1970-01-01T00:00:00.5",
        "1970-01-01T",
        "70-01-01",
        "1970-01-01-00",
    ] {
        assert_eq!(civil::parse(text), None, "{text}");
    }
}
