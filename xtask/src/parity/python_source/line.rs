//! Logical lines of Python: brackets joined, strings and comments blanked.

/// One logical line.
#[derive(Debug)]
pub(crate) struct Line {
    pub(crate) indent: usize,
    /// Without indentation, comments, and what strings say.
    pub(crate) text: String,
}

impl Line {
    /// The name and whether it is a class, when it begins a function or a class.
    pub(crate) fn definition(&self) -> Option<(&str, bool)> {
        let text = self.text.strip_prefix("async ").unwrap_or(&self.text);
        let (rest, is_class) = match text.trim_start().strip_prefix("def ") {
            Some(rest) => (rest, false),
            None => (text.strip_prefix("class ")?, true),
        };
        let name = word(rest.trim_start());
        (!name.is_empty()).then_some((name, is_class))
    }

    /// `NAME = …`, `NAME: type`, `NAME: type = …`.
    pub(crate) fn binding(&self) -> Option<&str> {
        let name = word(&self.text);
        let rest = self.text[name.len()..].trim_start();
        let binds = rest.starts_with(':') || rest.starts_with('=') && !rest.starts_with("==");
        let keyword = matches!(name, "else" | "try" | "finally" | "lambda" | "");
        (binds && !keyword).then_some(name)
    }
}

fn word(text: &str) -> &str {
    let end = text
        .find(|character: char| !(character.is_alphanumeric() || character == '_'))
        .unwrap_or(text.len());
    &text[..end]
}

/// Splits a source. Blank lines and comments give none.
pub(crate) fn lines(text: &str) -> Vec<Line> {
    let mut found = Vec::new();
    let mut current = String::new();
    let mut depth = 0_usize;
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '#' => rest.find('\n').unwrap_or(rest.len()),
            '"' | '\'' => {
                current.push('"');
                string(rest, first)
            }
            '\\' if rest[1..].starts_with('\n') => 2,
            '\n' => {
                if depth == 0 {
                    push(&mut found, &current);
                    current.clear();
                } else {
                    current.push(' ');
                }
                1
            }
            _ => {
                match first {
                    '(' | '[' | '{' => depth += 1,
                    ')' | ']' | '}' => depth = depth.saturating_sub(1),
                    _ => {}
                }
                current.push(first);
                first.len_utf8()
            }
        };
        rest = &rest[length..];
    }
    push(&mut found, &current);
    found
}

fn push(lines: &mut Vec<Line>, text: &str) {
    let trimmed = text.trim();
    if !trimmed.is_empty() {
        lines.push(Line {
            indent: text.len() - text.trim_start().len(),
            text: trimmed.to_owned(),
        });
    }
}

/// The length of the string that begins here. A backslash hides a quote in raw strings too.
fn string(text: &str, quote: char) -> usize {
    let triple = quote.to_string().repeat(3);
    let is_triple = text.starts_with(&triple);
    let begin = if is_triple { 3 } else { 1 };
    let mut escaped = false;
    for (at, character) in text[begin..].char_indices() {
        let here = begin + at;
        match character {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if is_triple && text[here..].starts_with(&triple) => return here + 3,
            _ if !is_triple && character == quote => return here + 1,
            // Not closed: leave the line break to the caller.
            '\n' if !is_triple => return here,
            _ => {}
        }
    }
    text.len()
}
