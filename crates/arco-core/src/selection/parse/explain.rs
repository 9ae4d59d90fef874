//! What to say when the next token does not fit: what was expected, and the text to write instead.

use super::{AND, ATTRIBUTES, EXPECTED, NOT, OR, Parser};
use crate::selection::ast::{Attribute, NotEvaluable};
use crate::selection::error::Problem;
use crate::selection::suggest::nearest;
use crate::selection::token::What;

impl Parser<'_> {
    pub(super) fn problem(&self, expected: &str, hint: Option<String>) -> Problem {
        Problem::Syntax {
            at: self.token().at,
            expected: expected.into(),
            found: self.peek().describe(),
            hint,
        }
    }

    /// The problem is `tokens` back.
    pub(super) fn back(&mut self, tokens: usize, expected: &str) -> Problem {
        self.next -= tokens;
        self.problem(expected, None)
    }

    pub(super) fn not_an_operand(&self, traversed: bool) -> Problem {
        let expected = match traversed {
            true => "an attribute such as `key:`, `sinks(` or `(` after `+`",
            false => EXPECTED,
        };
        let hint = match self.peek() {
            What::Star if traversed => Some("to go up from all assets, write `+(*)`".into()),
            What::Plus if traversed => Some(
                "`+` is all levels; two levels are `2+key:…`, and `++name` stands alone".into(),
            ),
            What::Word(word) if [AND, OR].concat().contains(&word.as_str()) => None,
            What::Word(word) | What::Wild(word) => match keyword(word) {
                Some(meant) => Some(format!("keywords are lower case: `{meant}`")),
                None => Some(self.as_key()),
            },
            What::Stray('\'') => Some("quotes are double: `key:\"…\"`".into()),
            _ => None,
        };
        self.problem(expected, hint)
    }

    pub(super) fn not_a_value(&self, name: &str) -> Problem {
        let hint = match self.peek() {
            What::Stray('\'') => "quotes are double".into(),
            What::End | What::Unended => format!("such as `{name}:\"…\"`"),
            _ => format!("quote it: `{name}:\"{}\"`", self.rest_of_word()),
        };
        let expected = format!("a value after `{name}:`");
        self.problem(&expected, Some(hint))
    }

    pub(super) fn after_expression(&self) -> Problem {
        let hint = match self.peek() {
            What::Plus => Some("`+` is all levels; two levels are `key:…+2`".into()),
            What::Stray(',') => Some("join selections with `or`".into()),
            What::Word(word) if keyword(word).is_some() => {
                keyword(word).map(|meant| format!("keywords are lower case: `{meant}`"))
            }
            What::Stray(_) | What::Wild(_) | What::Colon if self.touches_the_last() => {
                Some("quote values with other characters than letters, digits, `_` and `/`".into())
            }
            _ => None,
        };
        self.problem("`and`, `or` or the end", hint)
    }

    pub(super) fn unknown_attribute(&self, name: &str) -> Problem {
        let known = ATTRIBUTES
            .iter()
            .copied()
            .chain(NotEvaluable::ALL.map(NotEvaluable::name));
        let hint = nearest(name, known).map(|near| format!("did you mean `{near}:`?"));
        self.problem(
            "`key:`, `tag:`, `owner:`, `group:`, `kind:`, `is:`, `partitions:`, `status:`, `column:` or `code_location:`",
            hint,
        )
    }

    /// Whether there is no blank between the last token and this one.
    fn touches_the_last(&self) -> bool {
        let at = self.token().at;
        at > 0
            && self
                .text
                .chars()
                .nth(at - 1)
                .is_some_and(|c| !c.is_whitespace())
    }

    /// From this token to the next blank or parenthesis.
    fn rest_of_word(&self) -> String {
        self.text
            .chars()
            .skip(self.token().at)
            .take_while(|c| !c.is_whitespace() && !"()\"".contains(*c))
            .collect()
    }

    /// The text to write for the bare word that begins here.
    fn as_key(&self) -> String {
        let word = self.rest_of_word();
        let several: Vec<&str> = word.split(['|', ',']).filter(|w| !w.is_empty()).collect();
        if several.len() > 1 {
            let keys: Vec<String> = several.into_iter().map(key).collect();
            return format!("write `{}`", keys.join(" or "));
        }
        let text = self.text.trim();
        let words: Vec<&str> = text.split_whitespace().collect();
        let of_language = |word: &str| {
            ["and", "or", "not"].contains(&word.to_lowercase().as_str())
                || word.contains([':', '(', ')', '"', '+', '*'])
        };
        if self.next > 0 || words.len() == 1 || words.iter().any(|word| of_language(word)) {
            return format!("write `{}`", key(&word));
        }
        let keys: Vec<String> = words.into_iter().map(key).collect();
        format!(
            "write `{}`, or `{}` for one asset of that name",
            keys.join(" or "),
            key(text)
        )
    }
}

/// `key:` and the name, in quotes where it needs them.
fn key(name: &str) -> String {
    let plain = name
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '/' | '*' | '+'));
    match plain {
        true => format!("key:{name}"),
        false => Attribute::Key(name.into()).to_string(),
    }
}

/// The keyword that a word in other letters means.
fn keyword(word: &str) -> Option<&'static str> {
    let lower = word.to_lowercase();
    [AND, OR, NOT]
        .into_iter()
        .map(|words| words[0])
        .find(|keyword| *keyword == lower && word != *keyword && word != keyword.to_uppercase())
}
