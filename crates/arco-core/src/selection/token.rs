//! Words and signs of a selection text.

/// A token and where it stands, in characters from the start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) what: What,
    pub(super) at: usize,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum What {
    /// A name, a keyword, or a value without quotes.
    Word(String),
    /// A value without quotes that has a `*` in it.
    Wild(String),
    Quoted(String),
    Digits(String),
    /// `*` alone.
    Star,
    Plus,
    Colon,
    Equal,
    Open,
    Close,
    Null,
    /// A quote that never ends.
    Unended,
    /// A character that the language does not use outside of quotes.
    Stray(char),
    End,
}

/// The tokens of `text`, the last one [`What::End`].
pub(super) fn tokens(text: &str) -> Vec<Token> {
    let chars: Vec<char> = text.chars().collect();
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(&c) = chars.get(at) {
        if c.is_whitespace() {
            at += 1;
            continue;
        }
        let (what, length) = token(c, &chars[at..]);
        tokens.push(Token { what, at });
        at += length;
    }
    tokens.push(Token {
        what: What::End,
        at: chars.len(),
    });
    tokens
}

fn token(first: char, rest: &[char]) -> (What, usize) {
    let sign = match first {
        '+' => What::Plus,
        ':' => What::Colon,
        '=' => What::Equal,
        '(' => What::Open,
        ')' => What::Close,
        '"' => return quoted(rest),
        '<' if rest.starts_with(&['<', 'n', 'u', 'l', 'l', '>']) => return (What::Null, 6),
        c if c.is_ascii_digit() => {
            let length = run(rest, |c| c.is_ascii_digit());
            return (What::Digits(rest[..length].iter().collect()), length);
        }
        c if c.is_ascii_alphabetic() || c == '_' || c == '*' => {
            let length = run(rest, |c| {
                c.is_ascii_alphanumeric() || matches!(c, '_' | '*' | '/')
            });
            let word: String = rest[..length].iter().collect();
            let what = match word.as_str() {
                "*" => What::Star,
                wild if wild.contains('*') => What::Wild(word),
                _ => What::Word(word),
            };
            return (what, length);
        }
        stray => What::Stray(stray),
    };
    (sign, 1)
}

/// Text in double quotes. A backslash makes the next character plain.
fn quoted(rest: &[char]) -> (What, usize) {
    let mut value = String::new();
    let mut at = 1;
    while let Some(&c) = rest.get(at) {
        match c {
            '"' => return (What::Quoted(value), at + 1),
            '\\' if at + 1 < rest.len() => {
                value.push(rest[at + 1]);
                at += 2;
            }
            other => {
                value.push(other);
                at += 1;
            }
        }
    }
    (What::Unended, rest.len())
}

fn run(rest: &[char], belongs: impl Fn(char) -> bool) -> usize {
    rest.iter().take_while(|c| belongs(**c)).count()
}

impl What {
    /// The token in words, for an error.
    pub(super) fn describe(&self) -> String {
        match self {
            Self::Word(text) | Self::Wild(text) | Self::Digits(text) => format!("`{text}`"),
            Self::Quoted(text) => format!("`\"{text}\"`"),
            Self::Star => "`*`".into(),
            Self::Plus => "`+`".into(),
            Self::Colon => "`:`".into(),
            Self::Equal => "`=`".into(),
            Self::Open => "`(`".into(),
            Self::Close => "`)`".into(),
            Self::Null => "`<null>`".into(),
            Self::Unended => "a quote without an end".into(),
            Self::Stray(c) => format!("`{c}`"),
            Self::End => "the end".into(),
        }
    }

    pub(super) fn is_word(&self, words: &[&str]) -> bool {
        matches!(self, Self::Word(word) if words.contains(&word.as_str()))
    }
}
