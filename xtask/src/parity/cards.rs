//! The exception cards: what will not be as in Dagster, why, and what would change that.
//!
//! ```text
//! ### EX-01 Title
//! - decision: one sentence
//! - type: permanent | deferral | simplified | deviation
//! - reason: ...
//! - statements: P-4, P-5
//! - revisit: trigger
//! ```

use std::collections::BTreeSet;

use super::fault::Fault;
use super::links::slug;

/// Where the cards lie.
pub(crate) const FILE: &str = "docs/audits/arco-flow-dagster-exception-planning.md";

/// What an exception is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CardType {
    /// Will not be built.
    Permanent,
    /// Later.
    Deferral,
    /// Less, on purpose.
    Simplified,
    /// Different on purpose, built and tested.
    Deviation,
}

impl CardType {
    fn parse(word: &str) -> Option<Self> {
        match word {
            "permanent" => Some(Self::Permanent),
            "deferral" => Some(Self::Deferral),
            "simplified" => Some(Self::Simplified),
            "deviation" => Some(Self::Deviation),
            _ => None,
        }
    }
}

/// One card, as written.
#[derive(Debug, Clone, Default)]
pub(crate) struct Card {
    pub(crate) id: String,
    /// Where its heading can be linked to.
    pub(crate) anchor: String,
    kind: String,
    decision: String,
    reason: String,
    revisit: String,
    pub(crate) statements: Vec<String>,
}

impl Card {
    pub(crate) fn kind(&self) -> Option<CardType> {
        CardType::parse(&self.kind)
    }
}

/// Reads the cards of the page; what stands around them is free text.
pub(crate) fn parse(text: &str) -> Vec<Card> {
    let mut cards: Vec<Card> = Vec::new();
    let mut inside = false;
    // The field a wrapped line continues.
    let mut field = String::new();
    for line in text.lines() {
        if let Some(heading) = line.strip_prefix("### ") {
            inside = heading.starts_with("EX-");
            field.clear();
            if inside {
                cards.push(Card {
                    id: first_word(heading).trim_end_matches([':', '.']).to_owned(),
                    anchor: slug(heading),
                    ..Card::default()
                });
            }
            continue;
        }
        if line.starts_with('#') {
            inside = false;
        }
        let Some(card) = cards.last_mut().filter(|_| inside) else {
            continue;
        };
        let named = line
            .strip_prefix("- ")
            .and_then(|item| item.split_once(':'));
        match named {
            Some((name, value)) => {
                name.trim().clone_into(&mut field);
                card.add(&field, value.trim());
            }
            None if line.starts_with(' ') => card.add(&field, line.trim()),
            None => field.clear(),
        }
    }
    cards
}

fn first_word(text: &str) -> &str {
    text.split(' ').next().unwrap_or_default()
}

impl Card {
    fn add(&mut self, field: &str, value: &str) {
        let text = match field {
            "decision" => &mut self.decision,
            "type" => &mut self.kind,
            "reason" => &mut self.reason,
            "revisit" => &mut self.revisit,
            "statements" => {
                let ids = value.split(',').map(str::trim);
                self.statements.extend(
                    ids.filter(|id| !id.is_empty() && *id != "none")
                        .map(str::to_owned),
                );
                return;
            }
            _ => return,
        };
        if !text.is_empty() && !value.is_empty() {
            text.push(' ');
        }
        text.push_str(value);
    }
}

/// Whether every card says what a card must say.
pub(crate) fn check(cards: &[Card], statements: &BTreeSet<&str>, faults: &mut Vec<Fault>) {
    let mut seen = BTreeSet::new();
    for card in cards {
        if !seen.insert(&card.id) {
            faults.push(Fault::new(
                &card.id,
                "card-unique",
                "two cards have this id; give the newer one the next free number",
            ));
        }
        for (name, value) in [
            ("decision", &card.decision),
            ("reason", &card.reason),
            ("revisit", &card.revisit),
        ] {
            if value.is_empty() {
                let text = format!("the card has no `{name}`; add the line `- {name}: …`");
                faults.push(Fault::new(&card.id, "card-complete", text));
            }
        }
        if card.kind().is_none() {
            let text = format!(
                "type `{}` is not one of permanent, deferral, simplified, deviation",
                card.kind
            );
            faults.push(Fault::new(&card.id, "card-type", text));
        }
        for id in &card.statements {
            if !statements.contains(id.as_str()) {
                let text = format!(
                    "statement `{id}` is not in {}; name one that is",
                    super::statements::FILE
                );
                faults.push(Fault::new(&card.id, "statement-known", text));
            }
        }
    }
}

#[cfg(test)]
mod tests;
