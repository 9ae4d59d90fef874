use super::*;

fn figures(rounds: &[&str]) -> Figures {
    let mut figures = Figures::default();
    for round in rounds {
        figures.add_text(round).expect("figures");
    }
    figures
}

#[test]
fn rounds_are_added_up() {
    let round =
        r#"{"a": {"cases": 600, "equal": 598, "unexplained": 0, "deviations": {"EX-1": 2}}}"#;
    let figures = figures(&[round, round]);
    assert_eq!(
        (figures.cases(), figures.cases_of(&["a", "b"])),
        (1200, 1200)
    );
    assert!(figures.judge().is_ok());
    let text = figures.to_string();
    assert!(text.contains("1200    1196    0.33%  EX-1 4"), "{text}");
}

#[test]
fn an_unexplained_difference_is_an_error() {
    let round = r#"{"a": {"cases": 2, "equal": 1, "unexplained": 1, "deviations": {}}}"#;
    let figures = figures(&[round]);
    assert!(figures.judge().is_err());
    assert!(figures.to_string().contains("UNEXPLAINED 1"));
}

#[test]
fn more_than_two_of_a_hundred_meant_differences_are_an_error() {
    let round = r#"{"a": {"cases": 500, "equal": 489, "unexplained": 0, "deviations": {"EX-1": 5, "EX-2": 6}}}"#;
    let error = figures(&[round])
        .judge()
        .expect_err("11 of 500")
        .to_string();
    assert!(error.contains("a: 11 of 500"), "{error}");
    let small =
        r#"{"a": {"cases": 20, "equal": 10, "unexplained": 0, "deviations": {"EX-1": 10}}}"#;
    assert!(figures(&[small]).judge().is_ok(), "too small a sample");
}

#[test]
fn figures_of_nothing_are_an_error() {
    assert!(Figures::default().add_text("{}").is_err());
}
