use super::*;

fn values(field: Field, text: &str) -> Vec<u32> {
    let values = field
        .parse(text)
        .unwrap_or_else(|p| panic!("{text}: {}", p.what));
    (0..64).filter(|v| values.bits >> v & 1 == 1).collect()
}

#[test]
#[rustfmt::skip] // A table reads as rows.
fn items_are_values_ranges_and_steps() {
    use Field::{Day, Hour, Minute, Month, Weekday};
    let rows: &[(Field, &str, &[u32])] = &[
        (Minute, "0", &[0]),
        (Minute, "05,5,59", &[5, 59]),
        (Minute, "10-13", &[10, 11, 12, 13]),
        (Minute, "*/20", &[0, 20, 40]),
        (Minute, "5/15", &[5, 20, 35, 50]),
        (Minute, "50-10/5", &[0, 5, 10, 50, 55]),
        (Hour, "22-4", &[0, 1, 2, 3, 4, 22, 23]),
        (Hour, "1-9/4", &[1, 5, 9]),
        (Day, "28-2", &[1, 2, 28, 29, 30, 31]),
        (Day, "29-l", &[29, 30, 31]),
        (Month, "jan,mar-may", &[1, 3, 4, 5]),
        (Month, "apr-jan/3", &[1, 4, 7, 10]),
        (Weekday, "0,7", &[0]),
        (Weekday, "fri-mon", &[0, 1, 5, 6]),
        (Weekday, "5-7", &[0, 5, 6]),
        (Weekday, "0-7", &[0, 1, 2, 3, 4, 5, 6]),
        // Dagster counts one too far where a step crosses the end of the field.
        (Hour, "22-4/5", &[4, 22]),
        // From a value to itself is the whole cycle.
        (Weekday, "sun-sun", &[0, 1, 2, 3, 4, 5, 6]),
        (Month, "12/3", &[1, 4, 7, 10]),
    ];
    for (field, text, expected) in rows {
        assert_eq!(values(*field, text), *expected, "{field:?} {text}");
    }
}

#[test]
fn weeks_of_the_month_are_kept_apart() {
    let weeks = |text| Field::Weekday.parse(text).map(|v| v.weeks);
    assert_eq!(weeks("mon#1").unwrap(), [0, 2, 0, 0, 0, 0, 0]);
    assert_eq!(weeks("l5,7#2").unwrap(), [4, 0, 0, 0, 0, LAST_WEEK, 0]);
    assert_eq!(weeks("fri-sun#3").unwrap(), [8, 0, 0, 0, 0, 8, 8]);
    assert!(weeks("mon,fri#1").is_err());
    assert!(Field::Day.parse("l").unwrap().last);
}

#[test]
#[rustfmt::skip] // A table reads as rows.
fn what_cannot_be_read_is_refused_with_a_mend() {
    use Field::{Day, Hour, Minute, Month, Weekday};
    let rows = [
        (Minute, "60", "out of range"), (Hour, "24", "out of range"), (Day, "0", "out of range"),
        (Day, "32", "out of range"), (Month, "13", "out of range"), (Month, "0-3", "out of range"),
        (Weekday, "8", "out of range"), (Day, "5-0", "out of range"), (Minute, "99999999999", "out of range"),
        (Minute, "-5", "not a value"), (Minute, "5-", "not a value"), (Minute, "1-2-3", "not a value"),
        (Minute, "*-5", "not a value"), (Minute, "**", "not a value"), (Minute, "*5", "not a value"),
        (Minute, "5,,6", "is empty"), (Minute, "/5", "not a value"), (Minute, "+5", "not a value"),
        (Minute, "mon", "not a value"), (Weekday, "monday", "not a value"), (Weekday, "jan", "not a value"),
        (Minute, "?", "not a value"), (Minute, "l", "not a value"), (Hour, "5-l", "not a value"),
        (Day, "5l", "not a value"), (Day, "l5", "not a value"), (Day, "15w", "not a value"),
        (Day, "lw", "not a value"), (Day, "l-5", "not a value"), (Day, "l/2", "not a value"),
        (Day, "?/2", "not a value"), (Weekday, "l", "not a value"),
        (Minute, "r", "random"), (Minute, "h/5", "random"),
        (Minute, "*/0", "steps by nothing"), (Minute, "*/", "no number after"), (Minute, "*/x", "no number after"),
        (Minute, "*/5/2", "no number after"), (Minute, "*/60", "steps over the whole field"),
        (Day, "*/32", "steps over the whole field"), (Weekday, "*/8", "steps over the whole field"),
        (Weekday, "mon#0", "names no week"), (Weekday, "mon#6", "names no week"), (Weekday, "mon#", "names no week"),
        (Weekday, "1-5#2", "too much before"), (Weekday, "*#1", "too much before"), (Weekday, "#1", "not a value"),
        (Weekday, "l8", "out of range"), (Weekday, "*,mon#1", "two crons"),
    ];
    for (field, text, problem) in rows {
        let refused = field.parse(text).expect_err(text);
        assert!(refused.what.contains(problem), "{text}: {}", refused.what);
    }
}
