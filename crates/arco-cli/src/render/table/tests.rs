use super::{Column, Table};
use crate::render::Paint;

fn sample() -> Table {
    let mut table = Table::new([
        Column::text("asset"),
        Column::number("tasks"),
        Column::status("status"),
    ]);
    table.row(["flights".into(), "365".into(), "success".into()]);
    table.row(["été".into(), "1".into(), "failure".into()]);
    table
}

#[test]
fn columns_are_as_wide_as_their_widest_cell() {
    insta::assert_snapshot!(sample().render(Paint::new(false)), @r"
    ASSET    TASKS  STATUS
    flights    365  success
    été          1  failure
    ");
}

#[test]
fn colour_does_not_move_columns() {
    let painted = sample().render(Paint::new(true));
    let bare: String = strip(&painted);
    assert_eq!(bare, sample().render(Paint::new(false)));
    assert!(painted.contains("\u{1b}[32msuccess\u{1b}[0m"));
}

#[test]
fn control_characters_of_user_data_do_not_reach_the_terminal() {
    let mut table = Table::new([Column::text("message")]);
    table.row(["one\ntwo\u{1b}[31m".into()]);
    assert_eq!(table.render(Paint::new(false)), "MESSAGE\none two [31m");
}

fn strip(text: &str) -> String {
    let mut out = String::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        if c == '\u{1b}' {
            chars.by_ref().find(|c| *c == 'm');
        } else {
            out.push(c);
        }
    }
    out
}
