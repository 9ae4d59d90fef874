//! Words and marks of Rust source, without comments and without what strings say.

/// The smallest part of a source that matters here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Token<'a> {
    /// An identifier or a keyword.
    Word(&'a str),
    /// Any other character.
    Mark(char),
    /// A string, a character, a number or a lifetime.
    Literal,
}

/// Splits a source.
pub(crate) fn tokens(text: &str) -> Vec<Token<'_>> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let (token, length) = if first.is_whitespace() {
            (None, first.len_utf8())
        } else if rest.starts_with("//") {
            (None, rest.find('\n').unwrap_or(rest.len()))
        } else if rest.starts_with("/*") {
            (None, block_comment(rest))
        } else if let Some(length) = string(rest) {
            (Some(Token::Literal), length)
        } else if first == '\'' {
            (Some(Token::Literal), character_or_lifetime(rest))
        } else if first.is_ascii_digit() {
            (Some(Token::Literal), word(rest))
        } else if is_word(first) {
            let raw = if rest.starts_with("r#") { 2 } else { 0 };
            let length = raw + word(&rest[raw..]);
            (Some(Token::Word(&rest[raw..length])), length)
        } else {
            (Some(Token::Mark(first)), first.len_utf8())
        };
        found.extend(token);
        // Never stand still, whatever the source looks like.
        rest = &rest[length.max(first.len_utf8())..];
    }
    found
}

fn is_word(character: char) -> bool {
    character == '_' || character.is_alphanumeric()
}

fn word(text: &str) -> usize {
    text.find(|character| !is_word(character))
        .unwrap_or(text.len())
}

/// Block comments nest.
fn block_comment(text: &str) -> usize {
    let mut depth = 0_usize;
    let mut at = 0;
    while at < text.len() {
        let rest = &text.as_bytes()[at..];
        if rest.starts_with(b"/*") {
            depth += 1;
            at += 2;
        } else if rest.starts_with(b"*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += 1;
        }
    }
    text.len()
}

/// The length of the string that begins here, if one does: `"…"`, `b"…"`, `r#"…"#`, `br"…"`.
fn string(text: &str) -> Option<usize> {
    let prefix = ["br", "cr", "b", "c", "r", ""].into_iter().find(|prefix| {
        text.strip_prefix(prefix)
            .is_some_and(|rest| rest.trim_start_matches('#').starts_with('"'))
    })?;
    let hashes = text[prefix.len()..]
        .chars()
        .take_while(|&c| c == '#')
        .count();
    let begin = prefix.len() + hashes + 1;
    if prefix.ends_with('r') {
        let end = format!("\"{}", "#".repeat(hashes));
        let found = text[begin..].find(&end);
        return Some(found.map_or(text.len(), |at| begin + at + end.len()));
    }
    if hashes > 0 {
        return None;
    }
    Some(begin + quoted(&text[begin..], '"'))
}

/// The length up to and with the closing quote.
fn quoted(text: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, character) in text.char_indices() {
        match character {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if character == quote => return at + 1,
            _ => {}
        }
    }
    text.len()
}

/// `'x'`, `'\n'` or `'a` as in `&'a str`.
fn character_or_lifetime(text: &str) -> usize {
    let inside = &text[1..];
    let mut characters = inside.chars();
    match characters.next() {
        Some('\\') => 1 + quoted(inside, '\''),
        Some(first) if characters.next() == Some('\'') => 2 + first.len_utf8(),
        _ => 1 + word(inside),
    }
}
