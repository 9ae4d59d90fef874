use super::*;

#[test]
fn an_older_answer_never_brings_the_deadline_forward() {
    let start = Boottime::now();
    let mut deadline = Deadline::default();
    assert_eq!(deadline.kill_at(), None);
    deadline.answered(start.plus_ms(1_000), 15_000);
    deadline.answered(start, 15_000);
    assert_eq!(deadline.kill_at(), Some(start.plus_ms(16_000 - 500)));
}

#[test]
fn a_short_lease_keeps_a_margin_in_proportion() {
    let start = Boottime::now();
    let mut deadline = Deadline::default();
    deadline.answered(start, 1_000);
    assert_eq!(deadline.kill_at(), Some(start.plus_ms(750)));
}

#[test]
fn zygotes_are_told_seldom() {
    let start = Boottime::now();
    let mut deadline = Deadline::default();
    let mut told = 0;
    for ms in 0..12_000 {
        deadline.answered(start.plus_ms(ms), 12_000);
        told += usize::from(deadline.due_to_tell().is_some());
    }
    assert_eq!(told, 12);
}
