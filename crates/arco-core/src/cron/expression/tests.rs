use super::*;

fn parse(text: &str) -> CronExpression {
    CronExpression::parse(text).unwrap_or_else(|error| panic!("{error}"))
}

fn message(text: &str) -> String {
    CronExpression::parse(text).expect_err(text).to_string()
}

/// Days of a month of 2024 on which a cron is due.
fn days_of(text: &str, month: u8) -> Vec<i64> {
    let cron = parse(text);
    let first = civil::days(2024, month, 1);
    let length = i64::from(civil::days_in_month(2024, month));
    (1..=length)
        .filter(|day| cron.is_due_on(first + day - 1))
        .collect()
}

#[test]
fn five_fields_with_any_white_space() {
    parse("  0\t0  * *   * ");
    for (text, count) in [
        ("* * * *", 4),
        ("0 0 * * * *", 6),
        ("", 0),
        ("* * * * * * 2030", 7),
    ] {
        let error = CronExpression::parse(text).expect_err(text);
        assert_eq!(
            error,
            CronError::Fields {
                text: text.into(),
                count
            }
        );
    }
    assert!(message("* * * *").contains("needs five"));
}

#[test]
fn aliases_stand_for_their_fields() {
    for (alias, plain) in [
        ("@hourly", "0 * * * *"),
        ("@DAILY", "0 0 * * *"),
        ("@midnight", "0 0 * * *"),
        ("@weekly", "0 0 * * sun"),
        ("@monthly", "0 0 1 * *"),
        ("@yearly", "0 0 1 jan *"),
        ("@annually", "0 0 1 1 *"),
    ] {
        let (alias, plain) = (parse(alias), parse(plain));
        assert_eq!(alias.minutes, plain.minutes);
        assert_eq!(
            (alias.day, alias.month, alias.weekday),
            (plain.day, plain.month, plain.weekday)
        );
    }
    assert!(message("@reboot").contains("@hourly"));
    assert!(message("@every 5m").contains("@hourly"));
}

#[test]
fn errors_name_cron_field_and_mend() {
    assert_eq!(
        message("0 24 * * *"),
        "cron `0 24 * * *`: hour `24` is out of range; write a number from 0 to 23"
    );
    assert_eq!(
        message("0 0 * * monday"),
        "cron `0 0 * * monday`: day of week `monday` is not a value; write a number from 0 to 6, \
         or `sun` to `sat`; 0 and 7 are Sunday"
    );
    assert_eq!(
        message("*/90 * * * *"),
        "cron `*/90 * * * *`: minute `*/90` steps over the whole field and would not be due every \
         90; a step is at most 59 here, so write the values one by one, as in `0,59`"
    );
}

#[test]
fn a_cron_that_is_never_due_is_refused_however_it_is_spelled() {
    for text in [
        "0 0 31 2 *",
        "0 0 30 feb *",
        "0 0 30,31 2 *",
        "0 0 31 4,6,9,11 *",
    ] {
        assert!(message(text).contains("never due"), "{text}");
    }
    for text in [
        "0 0 29 2 *",
        "0 0 29-31 2 *",
        "0 0 31 2,3 *",
        "0 0 30 2 mon",
        "0 0 * 2 mon#5",
    ] {
        parse(text);
    }
}

#[test]
#[rustfmt::skip] // A table reads as rows.
fn days_are_those_of_the_month_or_of_the_week() {
    let mondays = [5, 12, 19, 26];
    assert_eq!(days_of("0 0 * * mon", 2), mondays);
    assert_eq!(days_of("0 0 ? * 1", 2), mondays);
    assert_eq!(days_of("0 0 1 * 1", 2), [1, 5, 12, 19, 26]);
    assert_eq!(days_of("0 0 L * *", 2), [29]);
    assert_eq!(days_of("0 0 1,L * *", 4), [1, 30]);
    assert!(days_of("0 0 31 * *", 4).is_empty());
    assert_eq!(days_of("0 0 * * L5", 2), [23]);
    assert_eq!(days_of("0 0 * * mon#1,thu#5", 2), [5, 29]);
    assert_eq!(days_of("0 0 15 * mon#1", 2), [5, 15]);
    assert!(days_of("0 0 * 3 *", 2).is_empty());
    // A field that lists all its values restricts, unless the other one has a star.
    assert_eq!(days_of("0 0 1-31 * mon", 2).len(), 29);
    assert_eq!(days_of("0 0 */1 * mon", 2).len(), 29);
    assert_eq!(days_of("0 0 */1 * */3", 2), [3, 4, 7, 10, 11, 14, 17, 18, 21, 24, 25, 28]);
    assert_eq!(days_of("0 0 */10 * 0-6", 2), [1, 11, 21]);
}

#[test]
fn every_hour_is_a_star_or_all_hours() {
    for hours in ["*", "*/1", "0-23", "0-11,12-23", "5-5"] {
        assert!(
            parse(&format!("0 {hours} * * *")).repeats_every_hour(),
            "{hours}"
        );
    }
    for hours in ["0-22", "*/2", "1-23"] {
        assert!(
            !parse(&format!("0 {hours} * * *")).repeats_every_hour(),
            "{hours}"
        );
    }
}

#[test]
fn the_search_ends_with_the_calendar() {
    let cron = parse("0 0 29 2 *");
    assert_eq!(cron.at_or_after(i64::MAX / 2), None);
    assert_eq!(cron.at_or_before(i64::MIN / 2), None);
    assert!(cron.at_or_after(i64::MIN / 2).is_some());
    assert!(cron.at_or_before(i64::MAX / 2).is_some());
}
