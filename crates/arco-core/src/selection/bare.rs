//! Texts that the grammar does not read and Dagster's older language does (L-11): a bare key with `+`
//! and `*` around it, and `tag:` with anything after it.

use super::ast::{Attribute, Bare, Depth, Selection};

/// Reads such a text.
pub(super) fn read(text: &str) -> Option<Selection> {
    bare(text.trim()).or_else(|| tag(text))
}

fn bare(text: &str) -> Option<Selection> {
    let is_key = |c: char| c.is_alphanumeric() || "./[]?_-".contains(c);
    let from = text.find(is_key)?;
    let to = text
        .rfind(is_key)
        .map(|at| at + text[at..].chars().next().map_or(1, char::len_utf8))?;
    let key = &text[from..to];
    if !key.chars().all(is_key) {
        return None;
    }
    let (before, after) = (&text[..from], &text[to..]);
    let all_before = before.strip_prefix('*');
    let all_after = after.strip_suffix('*');
    Some(Selection::Bare(Bare {
        key: key.into(),
        up: depth(all_before.unwrap_or(before), all_before.is_some())?,
        down: depth(all_after.unwrap_or(after), all_after.is_some())?,
    }))
}

fn depth(plus: &str, all: bool) -> Option<Depth> {
    if !plus.bytes().all(|b| b == b'+') {
        return None;
    }
    Some(if all {
        Depth::All
    } else {
        Depth::Levels(u32::try_from(plus.len()).unwrap_or(u32::MAX))
    })
}

fn tag(text: &str) -> Option<Selection> {
    let rest = text.strip_prefix("tag:")?;
    let (key, value) = rest.split_once('=').unwrap_or((rest, ""));
    let plain = |text: &str| !text.contains(['=', '"', '(', ')', '<', '>']);
    (!key.is_empty() && plain(key) && plain(value)).then(|| {
        Selection::Attribute(Attribute::Tag {
            key: key.into(),
            value: value.into(),
        })
    })
}
