use arco_core::Timestamp;

use super::{duration, instant, plural};

#[test]
fn durations_have_the_digits_that_matter() {
    let rows = [
        (0, "0.00 s"),
        (421, "0.42 s"),
        (9_999, "9.99 s"),
        (12_345, "12.3 s"),
        (125_000, "2 min 05 s"),
        (12_000_000, "3 h 20 min"),
    ];
    for (ms, text) in rows {
        assert_eq!(duration(ms), text, "{ms} ms");
    }
}

#[test]
fn one_thing_is_singular() {
    assert_eq!(plural(1, "task"), "1 task");
    assert_eq!(plural(0, "task"), "0 tasks");
    assert_eq!(plural(2, "pass"), "2 passes");
}

#[test]
fn instants_lose_their_fraction() {
    assert_eq!(instant(Timestamp(1_769_832_306_789)), "2026-01-31 04:05:06");
}
