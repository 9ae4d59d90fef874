use super::*;

fn place(chunk: u64, offset: usize) -> Option<Place> {
    Some(Place { chunk, offset })
}

fn cursor(open: Vec<OpenAttempt>) -> Cursor {
    Cursor {
        next: Position {
            segment: 7,
            index: 2,
        },
        open,
    }
}

#[test]
fn an_id_says_where_to_go_on() {
    let begun = OpenAttempt {
        places: [place(3, 20), place(0, 0), None],
        ..OpenAttempt::new(12, 2)
    };
    let known = cursor(vec![OpenAttempt::new(0, 1), begun]);
    let text = known.write().unwrap();
    assert_eq!(text, "1_7.2_0.1_12.2:3+20,0,-");
    assert_eq!(Cursor::read(&text).unwrap(), known);
    assert_eq!(Cursor::read("1_7.2").unwrap(), cursor(Vec::new()));
}

#[test]
fn an_id_that_would_be_too_long_is_none() {
    let many = (0..2_000).map(|task| OpenAttempt::new(task, 1)).collect();
    assert_eq!(cursor(many).write(), None);
    let some = (0..100).map(|task| OpenAttempt::new(task, 1)).collect();
    assert!(cursor(some).write().unwrap().len() < CURSOR_BYTES_MAX);
}

#[test]
fn what_is_no_id_is_refused() {
    let long = format!("1_7.2{}", "_1.1".repeat(10_000));
    for text in [
        "7.2",
        "2_7.2",
        "1_7",
        "1_7.2_",
        "1_7.2_1",
        "1_7.2_1.1:",
        "1_7.2_1.1:1,2",
        "1_7.2_1.1:1,2,3,4",
        "1_7.2_1.1:a,0,0",
        "1_7.2_1.1:1+,0,0",
        "1_7.2_1.1:-1,0,0",
        &long,
    ] {
        assert!(Cursor::read(text).is_err(), "{text:.40}");
    }
}
