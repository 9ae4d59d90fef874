//! Long texts, shortened for people. `--json` gives them whole.

use std::borrow::Cow;

#[cfg(test)]
mod tests;

/// As much of one text as a screen is worth.
const CHARS_MAX: usize = 2_000;

/// The text, or its beginning and its end: of an error the end says as much as the beginning.
pub(crate) fn cut(text: &str) -> Cow<'_, str> {
    let count = text.chars().count();
    if count <= CHARS_MAX {
        return Cow::Borrowed(text);
    }
    let half = CHARS_MAX / 2;
    let begin: String = text.chars().take(half).collect();
    let end: String = text.chars().skip(count - half).collect();
    let left_out = count - 2 * half;
    Cow::Owned(format!(
        "{begin} […{left_out} characters; --json shows all…] {end}"
    ))
}
