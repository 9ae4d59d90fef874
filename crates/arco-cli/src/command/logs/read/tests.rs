use super::*;

#[test]
fn output_of_an_attempt_that_just_ended_is_waited_for() {
    let mut quiet = Quiet::default();
    assert_eq!(quiet.patience(Some(60_000)), Duration::ZERO);
    assert_eq!(quiet.patience(Some(50)), Duration::from_millis(200));
    quiet.waited = Duration::from_millis(200);
    quiet.heard(MORE_BEHIND_BYTES);
    assert_eq!(
        quiet.waited,
        Duration::ZERO,
        "what came begins the wait anew"
    );
    assert_eq!(quiet.patience(Some(50)), Duration::from_secs(2));
    assert_eq!(quiet.patience(None), Duration::from_secs(2));
    assert_eq!(quiet.patience(Some(60_000)), Duration::ZERO);
}
