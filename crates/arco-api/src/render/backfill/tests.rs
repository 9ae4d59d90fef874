use super::rate;

#[test]
fn a_backfill_that_was_over_at_once_has_no_rate() {
    assert_eq!(rate(Some(900.0), Some(9_999)), None);
    assert_eq!(rate(Some(900.0), Some(10_000)), Some(900.0));
    // One that goes on has, as soon as there is one.
    assert_eq!(rate(Some(900.0), None), Some(900.0));
    assert_eq!(rate(None, None), None);
}
