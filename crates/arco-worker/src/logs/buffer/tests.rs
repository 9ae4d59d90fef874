use super::*;

fn buffer(bytes_max: usize) -> Buffer {
    Buffer::new(bytes_max, |limit| format!("[over {limit}]").into_bytes())
}

#[test]
fn what_is_over_the_limit_is_dropped_and_said_once() {
    let now = Boottime::now();
    let mut buffer = buffer(5);
    for part in ["abc", "def", "ghi"] {
        buffer.push(part.as_bytes(), now);
    }
    assert_eq!(
        buffer.take(now).unwrap(),
        (0, Bytes::from_static(b"abcde[over 5]"))
    );
    assert_eq!(
        (buffer.take(now), buffer.tail().as_str()),
        (None, "abcdefghi")
    );
}

#[test]
fn small_output_waits_for_the_flush_time_and_large_output_does_not() {
    let now = Boottime::now();
    let mut buffer = buffer(10 * CHUNK_BYTES_MAX);
    assert_eq!(buffer.due(1_000), None);
    buffer.push(b"x", now);
    assert_eq!(buffer.due(1_000), Some(now.plus_ms(1_000)));
    buffer.push(&vec![b'x'; CHUNK_BYTES_GOOD], now);
    assert_eq!(buffer.due(1_000), Some(now));
}

#[test]
fn chunks_are_bounded_and_numbered_from_zero() {
    let now = Boottime::now();
    let mut buffer = buffer(10 * CHUNK_BYTES_MAX);
    buffer.push(&vec![b'x'; CHUNK_BYTES_MAX + 1], now);
    let sizes: Vec<_> = std::iter::from_fn(|| buffer.take(now))
        .map(|(n, bytes)| (n, bytes.len()))
        .collect();
    assert_eq!(sizes, [(0, CHUNK_BYTES_MAX), (1, 1)]);
    assert_eq!(buffer.due(1_000), None);
}
