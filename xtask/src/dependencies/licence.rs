//! SPDX licence expressions, as far as packages use them: names, `AND`, `OR`, `WITH`, parentheses.

use std::collections::BTreeSet;

/// The allowed licences under which `expression` may be used; `None` when it may not, or does not parse.
pub(super) fn satisfied_by(
    expression: &str,
    allowed: &BTreeSet<String>,
) -> Option<BTreeSet<String>> {
    // Before SPDX, "MIT/Apache-2.0" meant a choice.
    let spaced = expression
        .replace('/', " OR ")
        .replace('(', " ( ")
        .replace(')', " ) ");
    let mut words = spaced.split_whitespace().peekable();
    let used = either(&mut words, allowed)?;
    if words.next().is_some() {
        return None;
    }
    used
}

type Words<'a> = std::iter::Peekable<std::str::SplitWhitespace<'a>>;

/// The outer option is "parses", the inner one "is allowed".
type Verdict = Option<Option<BTreeSet<String>>>;

fn either(words: &mut Words<'_>, allowed: &BTreeSet<String>) -> Verdict {
    let mut used = both(words, allowed)?;
    while words.next_if_eq(&"OR").is_some() {
        let other = both(words, allowed)?;
        used = used.or(other);
    }
    Some(used)
}

fn both(words: &mut Words<'_>, allowed: &BTreeSet<String>) -> Verdict {
    let mut used = one(words, allowed)?;
    while words.next_if_eq(&"AND").is_some() {
        let other = one(words, allowed)?;
        used = used.zip(other).map(|(mut all, more)| {
            all.extend(more);
            all
        });
    }
    Some(used)
}

fn one(words: &mut Words<'_>, allowed: &BTreeSet<String>) -> Verdict {
    let word = words.next()?;
    if word == "(" {
        let used = either(words, allowed)?;
        words.next_if_eq(&")")?;
        return Some(used);
    }
    // `MPL-2.0+` is MPL-2.0 or any later one: the one we know will do.
    let mut name = word.trim_end_matches('+').to_owned();
    if words.next_if_eq(&"WITH").is_some() {
        name = format!("{name} WITH {}", words.next()?);
    }
    Some(allowed.contains(&name).then(|| BTreeSet::from([name])))
}
