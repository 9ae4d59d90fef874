use arco_wire::api::RunsCancelled;
use serde_json::json;

use super::{SHOWN, render};

fn answer(asked: usize, dry_run: bool, canceling: u64, over: u64) -> RunsCancelled {
    let asked: Vec<String> = (0..asked)
        .map(|n| arco_core::RunId::from_parts(1, n as u128).to_string())
        .collect();
    let position = json!("1.0");
    let answer = json!({"position": position, "asked": asked, "dry_run": dry_run, "canceling": canceling, "over": over});
    serde_json::from_value(answer).unwrap()
}

#[test]
fn the_answer_says_what_became_of_every_run() {
    insta::assert_snapshot!(render(&answer(2, false, 1, 3)));
    insta::assert_snapshot!(render(&answer(0, true, 0, 0)), @"0 runs would be asked to stop");
    let many = render(&answer(SHOWN + 5, true, 0, 0));
    assert!(many.ends_with("… and 5 more"), "{many}");
}
