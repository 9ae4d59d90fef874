use super::super::PartitionsDef;
use super::*;

fn new_york(spec: TimeWindowSpec) -> PartitionsDef {
    PartitionsDef::time_window(TimeWindowSpec {
        timezone: "America/New_York".into(),
        ..spec
    })
    .expect("valid")
}

fn at(text: &str) -> Timestamp {
    Timestamp::parse_rfc3339(text).expect("RFC 3339")
}

fn keys(def: &PartitionsDef, now: &str) -> Vec<String> {
    def.keys(at(now))
        .map(|k| k.display().into_owned())
        .collect()
}

fn window(def: &PartitionsDef, key: &str) -> (String, String) {
    let key = def.parse_key(key).expect("a key");
    let (from, to) = def.window(&key).expect("a time key");
    (from.to_rfc3339(), to.to_rfc3339())
}

#[test]
fn spring_has_no_hour_that_the_clock_leaves_out() {
    let def = new_york(TimeWindowSpec::hourly("2024-03-10"));
    assert_eq!(
        keys(&def, "2024-03-10T09:00:00Z"),
        [
            "2024-03-10-00:00",
            "2024-03-10-01:00",
            "2024-03-10-03:00",
            "2024-03-10-04:00"
        ]
    );
    assert_eq!(
        window(&def, "2024-03-10-01:00"),
        (
            "2024-03-10T06:00:00.000Z".into(),
            "2024-03-10T07:00:00.000Z".into()
        )
    );
    assert_eq!(
        def.parse_key("2024-03-10-02:00")
            .expect_err("left out")
            .to_string(),
        "partition `2024-03-10-02:00` is not the key of an hourly partition; did you mean `2024-03-10-03:00`?"
    );
}

#[test]
fn autumn_has_the_repeated_hour_twice() {
    let def = new_york(TimeWindowSpec::hourly("2024-11-03"));
    assert_eq!(
        keys(&def, "2024-11-03T08:00:00Z"),
        [
            "2024-11-03-00:00",
            "2024-11-03-01:00",
            "2024-11-03-01:00-0500",
            "2024-11-03-02:00"
        ]
    );
    assert!(def.parse_key("2024-11-03-01:00-0400").is_err());
    assert!(def.parse_key("2024-11-03-02:00-0500").is_err());
}

#[test]
fn days_of_change_have_23_and_25_hours() {
    let def = new_york(TimeWindowSpec::daily("2024-01-01"));
    let hours = |key: &str| {
        let (from, to) = def
            .window(&def.parse_key(key).expect("a key"))
            .expect("a window");
        to.ms_since(from) / 3_600_000
    };
    assert_eq!(hours("2024-03-10"), 23);
    assert_eq!(hours("2024-11-03"), 25);
    assert_eq!(hours("2024-11-04"), 24);
}

#[test]
fn days_begin_after_the_gap_and_at_the_second_of_two_times() {
    let at_two = new_york(TimeWindowSpec {
        hour_offset: 2,
        ..TimeWindowSpec::daily("2024-03-09")
    });
    assert_eq!(window(&at_two, "2024-03-10").0, "2024-03-10T07:00:00.000Z");
    let at_half_past_two = new_york(TimeWindowSpec {
        hour_offset: 2,
        minute_offset: 30,
        ..TimeWindowSpec::daily("2024-03-09")
    });
    assert_eq!(
        window(&at_half_past_two, "2024-03-10").0,
        "2024-03-10T07:00:00.000Z"
    );
    let at_half_past_one = new_york(TimeWindowSpec {
        hour_offset: 1,
        minute_offset: 30,
        ..TimeWindowSpec::daily("2024-11-01")
    });
    assert_eq!(
        window(&at_half_past_one, "2024-11-03").0,
        "2024-11-03T06:30:00.000Z"
    );
}

#[test]
fn specs_that_cannot_stand_say_what_to_change() {
    let daily = || TimeWindowSpec::daily("2024-01-01");
    let rows: [(TimeWindowSpec, &str); 9] = [
        (
            TimeWindowSpec::daily("2024-13-01"),
            "start `2024-13-01` of the partitions is not a time; write a local time such as `2024-01-01T00:00:00`",
        ),
        (
            TimeWindowSpec::daily("0999-01-01"),
            "outside the years 1000 to 9999",
        ),
        (
            TimeWindowSpec {
                end: Some("soon".into()),
                ..daily()
            },
            "end `soon`",
        ),
        (
            TimeWindowSpec {
                timezone: "Europe/Berlim".into(),
                ..daily()
            },
            "time zone `Europe/Berlim` is not known; did you mean `Europe/Berlin`?",
        ),
        (
            TimeWindowSpec {
                timezone: "europe/berlin".into(),
                ..daily()
            },
            "did you mean `Europe/Berlin`?",
        ),
        (
            TimeWindowSpec {
                minute_offset: 60,
                ..daily()
            },
            "minute_offset=60 does not fit daily partitions; use 0 to 59",
        ),
        (
            TimeWindowSpec {
                hour_offset: 1,
                ..TimeWindowSpec::hourly("2024-01-01")
            },
            "leave it out",
        ),
        (
            TimeWindowSpec {
                day_offset: 7,
                ..TimeWindowSpec::weekly("2024-01-01")
            },
            "0 (Sunday) to 6",
        ),
        (
            TimeWindowSpec {
                day_offset: 0,
                ..TimeWindowSpec::monthly("2024-01-01")
            },
            "use 1 to 31",
        ),
    ];
    for (spec, says) in rows {
        let error = PartitionsDef::time_window(spec)
            .expect_err(says)
            .to_string();
        assert!(error.contains(says), "{error}");
    }
}

#[test]
fn a_million_hours_are_listed() {
    let def = new_york(TimeWindowSpec::hourly("1910-01-01"));
    let now = at("2026-01-01T00:00:00Z");
    let listed = def
        .keys(now)
        .take(1_000_000)
        .map(|key| key.as_str().len())
        .sum::<usize>();
    assert!(listed > 20_000_000);
    assert_eq!(
        def.last_key(now).expect("some").display(),
        "2025-12-31-18:00"
    );
}

fn by_cron(cron: &str, exclusions: &[&str]) -> PartitionsDef {
    PartitionsDef::time_window(TimeWindowSpec {
        exclusions: exclusions.iter().map(|text| (*text).to_owned()).collect(),
        ..TimeWindowSpec::cron(cron, "2024-01-01", "%Y-%m-%d-%H:%M")
    })
    .expect("valid")
}

#[test]
fn windows_lie_between_the_instants_of_a_cron() {
    // P-11: Friday's window lasts to Monday.
    let weekdays = by_cron("0 0 * * 1-5", &[]);
    assert_eq!(
        window(&weekdays, "2024-01-05-00:00"),
        (
            "2024-01-05T00:00:00.000Z".into(),
            "2024-01-08T00:00:00.000Z".into()
        )
    );
    let quarters = by_cron("*/15 * * * *", &[]);
    assert_eq!(quarters.count(at("2024-01-31T00:00:00Z")), 30 * 96);
    assert_eq!(quarters.noun(), "cron");
}

#[test]
fn a_cron_of_plain_numbers_is_its_cadence() {
    for (cron, spec) in [
        (
            "30 * * * *",
            TimeWindowSpec {
                minute_offset: 30,
                ..TimeWindowSpec::hourly("2024-01-01")
            },
        ),
        (
            "30 6 * * *",
            TimeWindowSpec {
                minute_offset: 30,
                hour_offset: 6,
                ..TimeWindowSpec::daily("2024-01-01")
            },
        ),
        ("0 0 * * 7", TimeWindowSpec::weekly("2024-01-01")),
        (
            "0 0 15 * *",
            TimeWindowSpec {
                day_offset: 15,
                ..TimeWindowSpec::monthly("2024-01-01")
            },
        ),
    ] {
        let plain = new_york(TimeWindowSpec {
            fmt: "%Y-%m-%d-%H:%M".into(),
            ..spec
        });
        let cron = new_york(TimeWindowSpec::cron(cron, "2024-01-01", "%Y-%m-%d-%H:%M"));
        assert_eq!(
            keys(&cron, "2024-12-01T00:00:00Z"),
            keys(&plain, "2024-12-01T00:00:00Z")
        );
    }
}

#[test]
fn windows_that_are_left_out_are_no_partitions() {
    // P-9: the neighbours keep their windows.
    let daily = PartitionsDef::time_window(TimeWindowSpec {
        exclusions: vec!["2024-01-02".into(), "0 0 * * 6,0".into()],
        end_offset: 1,
        ..TimeWindowSpec::daily("2024-01-01")
    })
    .expect("valid");
    assert_eq!(
        keys(&daily, "2024-01-06T12:00:00Z"),
        [
            "2024-01-01",
            "2024-01-03",
            "2024-01-04",
            "2024-01-05",
            "2024-01-08"
        ],
        "`end_offset` counts no window that is left out"
    );
    assert_eq!(window(&daily, "2024-01-01").1, "2024-01-02T00:00:00.000Z");
    let refused = daily
        .parse_key("2024-01-06")
        .expect_err("left out")
        .to_string();
    assert_eq!(
        refused,
        "partition `2024-01-06` is left out by the exclusions of its definition"
    );
    assert_eq!(
        daily.count(at("2034-01-01T00:00:00Z")),
        2610,
        "ten years of weekdays"
    );
}

#[test]
fn crons_and_exclusions_that_cannot_stand_are_refused() {
    let refused = |spec| {
        PartitionsDef::time_window(spec)
            .expect_err("refused")
            .to_string()
    };
    let of = |cron, fmt| TimeWindowSpec::cron(cron, "2024-01-01", fmt);
    let daily = TimeWindowSpec::daily("2024-01-01");
    let rows = [
        (
            of("0 */6 * * *", "%Y-%m-%d"),
            "partition format `%Y-%m-%d` is too coarse for these windows: those that begin at \
             2024-01-01T00:00:00.000Z and 2024-01-01T06:00:00.000Z would have one key; add what tells \
             them apart, such as `%H:%M`",
        ),
        (
            of("0 0 31 2 *", "%Y-%m-%d"),
            "the windows cannot begin so: cron `0 0 31 2 *` is never due",
        ),
        (
            TimeWindowSpec {
                cron: Some("0 0 * * *".into()),
                ..daily.clone()
            },
            "daily partitions have the cron `0 0 * * *` too; give one or the other",
        ),
        (
            TimeWindowSpec {
                hour_offset: 3,
                ..of("0 0 * * 1-5", "%Y-%m-%d")
            },
            "hour_offset=3 does not fit cron partitions; say it in the cron",
        ),
        (
            TimeWindowSpec {
                exclusions: vec!["Sunday".into()],
                ..daily.clone()
            },
            "an exclusion is a local time or a cron; cron `Sunday` has 1 fields",
        ),
        (
            TimeWindowSpec {
                exclusions: vec!["0 0 * * *".into()],
                ..daily
            },
            "the exclusions leave out each of the first 1000 windows; leave out fewer",
        ),
    ];
    for (spec, says) in rows {
        let said = refused(spec);
        assert!(said.starts_with(says), "{said}");
    }
}
