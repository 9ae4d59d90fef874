use super::{CHARS_MAX, cut};

#[test]
fn long_texts_keep_both_ends() {
    let whole = "é".repeat(CHARS_MAX);
    assert_eq!(cut(&whole), whole);
    let long = format!("begin{}end", "é".repeat(3_000_000));
    let shown = cut(&long);
    assert!(shown.starts_with("beginé") && shown.ends_with("éend"));
    assert!(shown.contains("[…2998008 characters; --json shows all…]"));
    assert!(shown.chars().count() < CHARS_MAX + 60);
}
