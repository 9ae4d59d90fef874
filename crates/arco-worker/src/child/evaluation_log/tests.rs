use super::{LOG_BYTES_MAX, Lines, TAIL_BYTES};

fn written(parts: &[(usize, &str)]) -> Vec<String> {
    let mut lines = Lines::default();
    for (stream, text) in parts {
        lines.write(*stream, text.as_bytes());
    }
    lines.finish()
}

#[test]
fn lines_of_both_streams_stay_whole() {
    let parts = [
        (0, "on"),
        (1, "err\nand"),
        (0, "e\ntwo\r\n\n"),
        (1, " more"),
    ];
    assert_eq!(written(&parts), ["err", "one", "two", "and more"]);
}

#[test]
fn what_is_over_the_limit_is_counted_and_not_kept() {
    let line = "x".repeat(999) + "\n";
    let kept = written(&[(0, line.repeat(100).as_str())]);
    let bytes: usize = kept[..kept.len() - 1].iter().map(String::len).sum();
    assert!(
        (LOG_BYTES_MAX - 1_000..=LOG_BYTES_MAX).contains(&bytes),
        "{bytes}"
    );
    let left = 100 * 999 - bytes;
    let last = kept.last().map(String::as_str).unwrap_or_default();
    assert!(
        last.starts_with(&format!("arco: {left} more bytes")),
        "{last}"
    );
    // One line without an end, cut within a letter of several bytes.
    let kept = written(&[(0, "ä".repeat(LOG_BYTES_MAX).as_str())]);
    assert!(kept[0].len() <= LOG_BYTES_MAX && kept[0].chars().all(|c| c == 'ä'));
    // Empty lines are bounded too.
    assert!(written(&[(0, "\n".repeat(1_000_000).as_str())]).len() <= LOG_BYTES_MAX + 1);
}

#[test]
fn the_last_words_are_kept_however_much_was_said() {
    let mut lines = Lines::default();
    lines.write(1, "y".repeat(200_000).as_bytes());
    lines.write(1, b"last words");
    assert_eq!(lines.stderr.len(), TAIL_BYTES);
    assert!(lines.stderr.ends_with(b"last words"));
}
