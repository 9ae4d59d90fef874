use proptest::prelude::*;

use super::*;

fn compile(fmt: &str, cadence: Cadence) -> Result<Format, String> {
    Format::compile(fmt, cadence).map_err(|e| e.to_string())
}

#[test]
fn instants_are_written_as_python_writes_them() {
    // 2024-03-05T14:07:09, a Tuesday, at +05:30.
    let (offset, local) = (19_800, civil::days(2024, 3, 5) * 86_400 + 50_829);
    for (fmt, expected) in [
        ("%Y-%m-%d", "2024-03-05"),
        ("%Y-%m-%d-%H:%M", "2024-03-05-14:07"),
        ("%Y-%m-%dT%H:%M:%S.%f%z", "2024-03-05T14:07:09.000000+0530"),
        ("%A %d %B %Y", "Tuesday 05 March 2024"),
        ("%a %d %b %Y", "Tue 05 Mar 2024"),
        ("%Y-%j %I %p", "2024-065 02 PM"),
        ("100%% %Y%m%d", "100% 20240305"),
    ] {
        let format = compile(fmt, Cadence::Daily).expect("valid");
        assert_eq!(format.print(local - offset, offset, false), expected);
    }
}

#[test]
fn the_second_of_two_equal_times_has_its_offset() {
    let instant = civil::days(2024, 11, 3) * 86_400 + 6 * 3600;
    let plain = compile("%Y-%m-%d-%H:%M", Cadence::Hourly).expect("valid");
    assert_eq!(plain.print(instant, -18_000, true), "2024-11-03-01:00-0500");
    assert_eq!(
        plain.parse("2024-11-03-01:00-0500"),
        Some(Parsed {
            local: instant - 18_000,
            offset: Some(-18_000)
        })
    );
    let with_offset = compile("%Y-%m-%d-%H%z", Cadence::Hourly).expect("valid");
    assert_eq!(
        with_offset.print(instant, -18_000, true),
        "2024-11-03-01-0500"
    );
}

#[test]
fn formats_that_cannot_stand_are_refused() {
    for (fmt, cadence, says) in [
        (
            "%Y-%m-%d",
            Cadence::Hourly,
            "too coarse for hourly partitions",
        ),
        ("%Y-%m-%d %I", Cadence::Hourly, "add the hour"),
        ("%Y-%m", Cadence::Daily, "add the day"),
        ("%Y-%d", Cadence::Weekly, "add the day"),
        ("%Y", Cadence::Monthly, "add the month"),
        ("%m-%d", Cadence::Daily, "add the year"),
        ("%y-%m-%d", Cadence::Daily, "use `%Y`"),
        ("%Y-%U", Cadence::Weekly, "cannot be read back"),
        ("%Y-%m-%d%", Cadence::Daily, "ends in `%`"),
        ("%Y...%m-%d", Cadence::Daily, "has `...`"),
        ("%Y\t%m-%d", Cadence::Daily, "control character"),
        ("", Cadence::Daily, "add the year"),
    ] {
        let error = compile(fmt, cadence).expect_err(fmt);
        assert!(error.contains(says), "{fmt}: {error}");
    }
}

#[test]
fn reading_is_lenient_and_whole() {
    let format = compile("%Y-%m-%d", Cadence::Daily).expect("valid");
    let day = |y, m, d| {
        Some(Parsed {
            local: civil::days(y, m, d) * 86_400,
            offset: None,
        })
    };
    assert_eq!(format.parse("2024-1-5"), day(2024, 1, 5));
    assert_eq!(format.parse("2024-02-29"), day(2024, 2, 29));
    for text in [
        "2024-13-01",
        "2023-02-29",
        "2024-02-29 ",
        "",
        "24-02-29",
        "2024-02",
        "２０２４-01-01",
    ] {
        assert_eq!(format.parse(text), None, "{text}");
    }
}

proptest! {
    #[test]
    fn what_is_written_is_read(instant in 0..2_840_000_000_i64, offset in -56..57_i64) {
        let offset = offset * 900;
        let instant = instant.div_euclid(60) * 60;
        let fmts = ["%Y-%m-%d-%H:%M", "%d %B %Y, %I:%M %p", "%Y%j%H%M", "%a %b %d %H.%M %Y", "%Y-%m-%dT%H:%M:%S%z"];
        for fmt in fmts {
            let format = compile(fmt, Cadence::Hourly).expect("valid");
            for repeated in [false, true] {
                let parsed = format.parse(&format.print(instant, offset, repeated));
                prop_assert_eq!(parsed.map(|p| p.local), Some(instant + offset));
            }
        }
    }

    #[test]
    fn any_text_is_read_or_refused(text in "\\PC{0,24}|[0-9:+-]{0,24}") {
        for fmt in ["%Y-%m-%d", "%A %d %B %Y %I%p%z", "%Y%m%d%H%M%S%f"] {
            if let Ok(format) = compile(fmt, Cadence::Daily) {
                format.parse(&text);
            }
        }
    }
}
