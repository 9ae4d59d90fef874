use std::collections::BTreeSet;

use super::{CardType, check, parse};

const PAGE: &str = "\
# Exceptions
Text.

### EX-01 Cron: seconds
- decision: no seconds
- type: permanent
- reason: nobody asked,
  and cron has none
- statements: S-1, S-2,
  S-3
- revisit: someone asks

### Something else
- type: deferral

### EX-02
- type: never
- statements: S-9

## After
- decision: not of a card
";

#[test]
fn cards_are_read_with_wrapped_lines() {
    let cards = parse(PAGE);
    let ids: Vec<&str> = cards.iter().map(|card| card.id.as_str()).collect();
    assert_eq!(ids, ["EX-01", "EX-02"]);
    assert_eq!(cards[0].kind(), Some(CardType::Permanent));
    assert_eq!(cards[0].statements, ["S-1", "S-2", "S-3"]);
    assert_eq!(cards[0].reason, "nobody asked, and cron has none");
    assert_eq!(cards[0].anchor, "ex-01-cron-seconds");
}

#[test]
fn card_says_all_that_a_card_must_say() {
    let mut faults = Vec::new();
    let known = BTreeSet::from(["S-1", "S-2", "S-3"]);
    check(&parse(PAGE), &known, &mut faults);
    let told: Vec<String> = faults
        .iter()
        .map(|fault| format!("{} {}", fault.place, fault.rule))
        .collect();
    assert_eq!(
        told,
        [
            "EX-02 card-complete",
            "EX-02 card-complete",
            "EX-02 card-complete",
            "EX-02 card-type",
            "EX-02 statement-known",
        ]
    );
}

#[test]
fn two_cards_of_one_id_are_a_fault() {
    let card = "### EX-01 A\n- decision: d\n- type: deferral\n- reason: r\n- revisit: v\n";
    let mut faults = Vec::new();
    check(
        &parse(&format!("{card}\n{card}")),
        &BTreeSet::new(),
        &mut faults,
    );
    assert_eq!(faults.len(), 1);
    assert_eq!(faults[0].rule, "card-unique");
}
