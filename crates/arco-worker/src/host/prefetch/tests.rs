use super::*;

fn after(bodies_ms: &[u64]) -> u32 {
    let mut prefetch = Prefetch::default();
    for ms in bodies_ms {
        prefetch.body_took(Duration::from_millis(*ms));
    }
    prefetch.extra(16)
}

#[test]
fn only_short_bodies_are_fetched_ahead() {
    let rows: [(&[u64], u32); 5] = [
        (&[], 0),
        (&[1], 16),
        (&[50, 50], 0),
        (&[1, 1, 1, 500], 0),
        (&[500, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1], 16),
    ];
    for (bodies, extra) in rows {
        assert_eq!(after(bodies), extra, "{bodies:?}");
    }
}

#[test]
fn a_long_running_body_ends_it_at_once() {
    let mut prefetch = Prefetch::default();
    prefetch.body_took(Duration::from_millis(1));
    prefetch.found_long();
    assert_eq!(prefetch.extra(16), 0);
}
