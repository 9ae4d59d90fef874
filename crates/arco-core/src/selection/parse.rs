//! Reading a selection.
//!
//! ```text
//! query     := or END
//! or        := and (OR and)*
//! and       := not (AND not)*
//! not       := NOT not | DIGITS? '+' operand ('+' DIGITS?)? | operand ('+' DIGITS?)? | '*'
//! operand   := attribute | ('sinks' | 'roots') '(' or ')' | '(' or ')'
//! attribute := NAME ':' value ('=' value)?
//! ```

use super::ast::{Attribute, NotEvaluable, PartitionsFilter, Selection};
use super::bare;
use super::error::{Problem, SelectionError};
use super::token::{Token, What, tokens};

mod explain;

/// How deep parentheses and `not` may nest: far more than people write, far less than the stack.
const NESTING_MAX: u32 = 200;

const AND: &[&str] = &["and", "AND"];
const OR: &[&str] = &["or", "OR"];
const NOT: &[&str] = &["not", "NOT"];
const FUNCTIONS: &[&str] = &["sinks", "roots"];
const ATTRIBUTES: &[&str] = &[
    "key",
    "tag",
    "owner",
    "group",
    "kind",
    "is",
    "code_location",
    "partitions",
    "status",
    "column",
    "table_name",
    "column_tag",
];
const EXPECTED: &str = "an attribute such as `key:`, `not`, `sinks(`, `(` or `*`";

/// Reads a selection by the grammar or, when that fails, by the older language of bare keys.
pub(super) fn selection(text: &str) -> Result<Selection, SelectionError> {
    if text.trim().is_empty() {
        return Err(SelectionError::new(text, Problem::Empty));
    }
    let mut parser = Parser {
        text,
        tokens: tokens(text),
        next: 0,
        nesting: 0,
    };
    parser
        .query()
        .or_else(|problem| bare::read(text).ok_or_else(|| SelectionError::new(text, problem)))
}

struct Parser<'a> {
    text: &'a str,
    tokens: Vec<Token>,
    next: usize,
    nesting: u32,
}

type Parsed = Result<Selection, Problem>;

impl Parser<'_> {
    fn query(&mut self) -> Parsed {
        let selection = self.or()?;
        match self.peek() {
            What::End => Ok(selection),
            _ => Err(self.after_expression()),
        }
    }

    fn or(&mut self) -> Parsed {
        self.operands(OR, Self::and, Selection::Or)
    }

    fn and(&mut self) -> Parsed {
        self.operands(AND, Self::not, Selection::And)
    }

    /// Operands joined by a word; lists within lists are one list, as in Dagster.
    fn operands(
        &mut self,
        word: &[&str],
        operand: fn(&mut Self) -> Parsed,
        join: fn(Vec<Selection>) -> Selection,
    ) -> Parsed {
        let first = operand(self)?;
        if !self.peek().is_word(word) {
            return Ok(first);
        }
        let mut operands = Vec::new();
        flatten(first, word, &mut operands);
        while self.take_word(word) {
            flatten(operand(self)?, word, &mut operands);
        }
        Ok(join(operands))
    }

    fn not(&mut self) -> Parsed {
        if self.take_word(NOT) {
            return self
                .nested(Self::not)
                .map(|of| Selection::Not(Box::new(of)));
        }
        if *self.peek() == What::Star {
            self.next += 1;
            return match self.peek() {
                What::Plus => Err(self.problem(
                    "`and`, `or` or the end",
                    Some("to go on from all assets, write `(*)+`".into()),
                )),
                _ => Ok(Selection::All),
            };
        }
        self.traversal()
    }

    fn traversal(&mut self) -> Parsed {
        let up = match self.peek() {
            What::Digits(digits) => {
                let depth = depth(digits);
                self.next += 1;
                self.expect(&What::Plus, "`+` after the depth")?;
                Some(Some(depth))
            }
            What::Plus => {
                self.next += 1;
                Some(None)
            }
            _ => None,
        };
        let operand = self.operand(up.is_some())?;
        let down = (*self.peek() == What::Plus).then(|| {
            self.next += 1;
            let What::Digits(digits) = self.peek() else {
                return None;
            };
            let depth = depth(digits);
            self.next += 1;
            Some(depth)
        });
        let of = |operand: &Selection| Box::new(operand.clone());
        Ok(match (up, down) {
            (None, None) => operand,
            (Some(up), None) => Selection::Up(of(&operand), up),
            (None, Some(down)) => Selection::Down(of(&operand), down),
            (Some(up), Some(down)) => Selection::Or(vec![
                Selection::Up(of(&operand), up),
                Selection::Down(of(&operand), down),
            ]),
        })
    }

    fn operand(&mut self, traversed: bool) -> Parsed {
        match self.peek().clone() {
            What::Open => {
                self.next += 1;
                self.parenthesised()
            }
            What::Word(word) if FUNCTIONS.contains(&word.as_str()) && !self.colon_follows() => {
                self.next += 1;
                self.expect(&What::Open, &format!("`(` after `{word}`"))?;
                let of = Box::new(self.parenthesised()?);
                Ok(if word == "sinks" {
                    Selection::Sinks(of)
                } else {
                    Selection::Roots(of)
                })
            }
            What::Word(word) if self.colon_follows() => self.attribute(&word),
            _ => Err(self.not_an_operand(traversed)),
        }
    }

    fn parenthesised(&mut self) -> Parsed {
        let inner = self.nested(Self::or)?;
        match self.peek() {
            What::Close => {
                self.next += 1;
                Ok(inner)
            }
            What::End => Err(self.problem("`and`, `or` or `)`", None)),
            _ => Err(self.after_expression()),
        }
    }

    fn nested(&mut self, inner: fn(&mut Self) -> Parsed) -> Parsed {
        self.nesting += 1;
        if self.nesting > NESTING_MAX {
            return Err(self.problem(
                &format!("at most {NESTING_MAX} levels of `(` and `not`"),
                Some("split the selection into a list".into()),
            ));
        }
        let parsed = inner(self)?;
        self.nesting -= 1;
        Ok(parsed)
    }

    fn attribute(&mut self, name: &str) -> Parsed {
        let at = self.next;
        self.next += 2;
        let attribute = match name {
            "key" => Attribute::Key(self.pattern()?),
            "tag" => match self.value(name)? {
                Some(key) => Attribute::Tag {
                    key,
                    value: self.second(name)?,
                },
                None => Attribute::NoTags,
            },
            "owner" => Attribute::Owner(self.value(name)?),
            "group" => Attribute::Group(self.value(name)?),
            "kind" => Attribute::Kind(self.value(name)?),
            "code_location" => Attribute::CodeLocation(self.value(name)?),
            "is" => match self.value(name)?.as_deref() {
                Some("external") => Attribute::IsExternal(true),
                Some("materializable") => Attribute::IsExternal(false),
                _ => return Err(self.back(1, "`external` or `materializable`")),
            },
            "partitions" => Attribute::Partitions(match self.value(name)? {
                None => None,
                Some(word) => {
                    let sort = PartitionsFilter::ALL.into_iter().find(|s| s.word() == word);
                    let expected = "`none`, `static`, `dynamic`, `time` or `multipartitions`";
                    Some(sort.ok_or_else(|| self.back(1, expected))?)
                }
            }),
            "status" => Attribute::Status(self.value(name)?),
            "column" => Attribute::Column(self.value(name)?),
            "table_name" => Attribute::TableName(self.value(name)?),
            "column_tag" => Attribute::ColumnTag {
                key: self.value(name)?,
                value: self.second(name)?,
            },
            other => {
                let known = NotEvaluable::ALL.into_iter().find(|a| a.name() == other);
                let Some(name) = known else {
                    self.next = at;
                    return Err(self.unknown_attribute(other));
                };
                Attribute::Other {
                    value: self.value(other)?,
                    name,
                }
            }
        };
        Ok(Selection::Attribute(attribute))
    }

    /// The value of `key:`, which may have wildcards.
    fn pattern(&mut self) -> Result<String, Problem> {
        let pattern = match self.peek() {
            What::Star => "*".to_owned(),
            What::Word(text) | What::Wild(text) | What::Quoted(text) => text.clone(),
            _ => return Err(self.not_a_value("key")),
        };
        self.next += 1;
        Ok(pattern)
    }

    fn value(&mut self, name: &str) -> Result<Option<String>, Problem> {
        let value = match self.peek() {
            What::Word(text) | What::Quoted(text) => Some(text.clone()),
            What::Null => None,
            _ => return Err(self.not_a_value(name)),
        };
        self.next += 1;
        Ok(value)
    }

    /// What follows `=`; empty when nothing does.
    fn second(&mut self, name: &str) -> Result<String, Problem> {
        if *self.peek() != What::Equal {
            return Ok(String::new());
        }
        self.next += 1;
        Ok(self.value(name)?.unwrap_or_default())
    }

    fn peek(&self) -> &What {
        &self.token().what
    }

    fn token(&self) -> &Token {
        // The last token is the end, and nothing goes past it.
        &self.tokens[self.next.min(self.tokens.len() - 1)]
    }

    fn colon_follows(&self) -> bool {
        self.tokens
            .get(self.next + 1)
            .is_some_and(|token| token.what == What::Colon)
    }

    fn take_word(&mut self, words: &[&str]) -> bool {
        let taken = self.peek().is_word(words);
        self.next += usize::from(taken);
        taken
    }

    fn expect(&mut self, what: &What, expected: &str) -> Result<(), Problem> {
        if self.peek() != what {
            return Err(self.problem(expected, None));
        }
        self.next += 1;
        Ok(())
    }
}

fn depth(digits: &str) -> u32 {
    // More digits than fit are more levels than there are assets.
    digits.parse().unwrap_or(u32::MAX)
}

fn flatten(selection: Selection, word: &[&str], into: &mut Vec<Selection>) {
    match selection {
        Selection::And(inner) if word == AND => into.extend(inner),
        Selection::Or(inner) if word == OR => into.extend(inner),
        other => into.push(other),
    }
}
