//! What a Rust file defines, found without compiling it.
//!
//! A scan of tokens, not a parser: tests inside macros (`proptest!`) are seen too, and a file that
//! does not compile is somebody else's fault to report. Comments and strings are skipped, so an item
//! that is only mentioned does not count.

mod token;

use self::token::{Token, tokens};

/// Something a file defines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Item {
    /// Names of what it stands in: modules, types of `impl` blocks, traits, enums.
    pub(crate) scopes: Vec<Scope>,
    pub(crate) name: String,
    pub(crate) kind: Kind,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Scope {
    pub(crate) name: String,
    pub(crate) is_module: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A function with an attribute such as `#[test]` or `#[tokio::test]`.
    Test {
        ignored: bool,
    },
    Function,
    Other,
}

impl Item {
    /// Whether `symbol` (`name`, `Type::name`, `module::name`) names it.
    pub(crate) fn is_named(&self, symbol: &str) -> bool {
        let mut own = self
            .scopes
            .iter()
            .map(|scope| scope.name.as_str())
            .chain([self.name.as_str()])
            .rev();
        symbol.rsplit("::").all(|part| own.next() == Some(part))
    }

    /// Its path below the module of the file, as the test harness prints it.
    pub(crate) fn module_path(&self) -> String {
        let modules = self.scopes.iter().filter(|scope| scope.is_module);
        let names = modules.map(|scope| scope.name.as_str());
        names
            .chain([self.name.as_str()])
            .collect::<Vec<_>>()
            .join("::")
    }
}

/// Every item of a file, in its order.
pub(crate) fn items(text: &str) -> Vec<Item> {
    let mut scan = Scan {
        tokens: tokens(text),
        at: 0,
        braces: Vec::new(),
        pending: None,
        attributes: Vec::new(),
        items: Vec::new(),
    };
    scan.run();
    scan.items
}

struct Scan<'a> {
    tokens: Vec<Token<'a>>,
    at: usize,
    /// One entry for each open brace: what it is the body of, when that has a name.
    braces: Vec<Option<Scope>>,
    /// What the next brace opens.
    pending: Option<Scope>,
    /// Of the next item.
    attributes: Vec<Attribute<'a>>,
    items: Vec<Item>,
}

/// `#[tokio::test(flavor = "…")]`: head `tokio test`, rest `flavor`.
struct Attribute<'a> {
    head: Vec<&'a str>,
    rest: Vec<&'a str>,
}

impl<'a> Scan<'a> {
    fn run(&mut self) {
        while let Some(&token) = self.tokens.get(self.at) {
            match token {
                Token::Mark('#') => {
                    self.attribute();
                    continue;
                }
                Token::Mark('{') => {
                    let opened = self.pending.take();
                    self.braces.push(opened);
                    self.attributes.clear();
                }
                Token::Mark('}') => {
                    self.braces.pop();
                    self.attributes.clear();
                }
                Token::Mark(';') => {
                    self.pending = None;
                    self.attributes.clear();
                }
                Token::Word(word) => self.word(word),
                Token::Mark(_) | Token::Literal => {}
            }
            self.at += 1;
        }
    }

    fn word(&mut self, word: &'a str) {
        match word {
            "fn" => {
                if let Some(name) = self.word_at(1) {
                    let kind = self.function_kind();
                    self.add(name, kind);
                }
            }
            "mod" | "trait" | "enum" | "struct" | "union" | "type" => {
                if let Some(name) = self.word_at(1) {
                    self.add(name, Kind::Other);
                    if matches!(word, "mod" | "trait" | "enum") {
                        self.open_with(name, word == "mod");
                    }
                    if word == "enum" {
                        self.variants(name);
                    }
                }
            }
            "const" | "static" => {
                let mutable = usize::from(self.word_at(1) == Some("mut"));
                let name = self.word_at(1 + mutable);
                let is_item = self.tokens.get(self.at + 2 + mutable) == Some(&Token::Mark(':'));
                if let Some(name) = name.filter(|_| is_item) {
                    self.add(name, Kind::Other);
                }
            }
            "macro_rules" if self.tokens.get(self.at + 1) == Some(&Token::Mark('!')) => {
                if let Some(name) = self.word_at(2) {
                    self.add(name, Kind::Other);
                }
            }
            "impl" if self.begins_an_item() => {
                if let Some(name) = self.impl_target() {
                    self.open_with(name, false);
                }
            }
            _ => {}
        }
    }

    fn word_at(&self, ahead: usize) -> Option<&'a str> {
        match self.tokens.get(self.at + ahead) {
            Some(Token::Word(word)) => Some(word),
            _ => None,
        }
    }

    fn open_with(&mut self, name: &str, is_module: bool) {
        self.pending = Some(Scope {
            name: name.to_owned(),
            is_module,
        });
    }

    fn add(&mut self, name: &str, kind: Kind) {
        self.items.push(Item {
            scopes: self.braces.iter().flatten().cloned().collect(),
            name: name.to_owned(),
            kind,
        });
        self.attributes.clear();
    }

    fn function_kind(&self) -> Kind {
        let is_test = self
            .attributes
            .iter()
            .any(|attribute| attribute.head.last() == Some(&"test"));
        if !is_test {
            return Kind::Function;
        }
        let ignored = self.attributes.iter().any(|attribute| {
            attribute.head == ["ignore"]
                || attribute.head == ["cfg_attr"] && attribute.rest.contains(&"ignore")
        });
        Kind::Test { ignored }
    }

    /// Reads `#[…]` or `#![…]` and stands behind it.
    fn attribute(&mut self) {
        self.at += 1;
        let inner = self.tokens.get(self.at) == Some(&Token::Mark('!'));
        self.at += usize::from(inner);
        if self.tokens.get(self.at) != Some(&Token::Mark('[')) {
            return;
        }
        let mut depth = 0_usize;
        let mut attribute = Attribute {
            head: Vec::new(),
            rest: Vec::new(),
        };
        let mut in_head = true;
        while let Some(&token) = self.tokens.get(self.at) {
            self.at += 1;
            match token {
                Token::Mark('[') => depth += 1,
                Token::Mark(']') => {
                    depth -= 1;
                    if depth == 0 {
                        break;
                    }
                }
                Token::Mark('(' | '=' | '{') => in_head = false,
                Token::Word(word) if in_head => attribute.head.push(word),
                Token::Word(word) => attribute.rest.push(word),
                _ => {}
            }
        }
        if !inner {
            self.attributes.push(attribute);
        }
    }

    /// `impl` also stands in types (`x: impl Trait`), where it opens nothing.
    fn begins_an_item(&self) -> bool {
        let before = self.at.checked_sub(1).map(|at| self.tokens[at]);
        matches!(
            before,
            None | Some(
                Token::Mark('}' | '{' | ';' | ']') | Token::Word("unsafe") | Token::Word("default")
            )
        )
    }

    /// `impl<T> Trait<T> for a::Type<T> where …` is of `Type`.
    fn impl_target(&self) -> Option<&'a str> {
        let mut angles = 0_i32;
        let mut last = None;
        let mut before = Token::Literal;
        for &token in &self.tokens[self.at + 1..] {
            match token {
                Token::Mark('{' | ';') | Token::Word("where") => break,
                Token::Mark('<') => angles += 1,
                // Not the head of an arrow.
                Token::Mark('>') if before != Token::Mark('-') => angles -= 1,
                Token::Word("for") if angles == 0 => last = None,
                Token::Word("dyn" | "mut") => {}
                Token::Word(word) if angles == 0 => last = Some(word),
                _ => {}
            }
            before = token;
        }
        last
    }

    /// The variants of the enum whose keyword we stand on.
    fn variants(&mut self, of: &str) {
        let mut depth = 0_usize;
        let mut at_start = false;
        let mut ahead = self.at + 2;
        while let Some(&token) = self.tokens.get(ahead) {
            ahead += 1;
            match token {
                Token::Mark('{' | '(' | '[') => {
                    depth += 1;
                    at_start = depth == 1;
                }
                Token::Mark('}' | ')' | ']') => {
                    // The closing bracket of an attribute of a variant.
                    at_start = token == Token::Mark(']') && depth == 2;
                    depth = depth.saturating_sub(1);
                    if depth == 0 {
                        return;
                    }
                }
                Token::Mark(',') => at_start = depth == 1,
                Token::Mark(';') if depth == 0 => return,
                Token::Word(name) if at_start => {
                    let mut scopes: Vec<Scope> = self.braces.iter().flatten().cloned().collect();
                    scopes.push(Scope {
                        name: of.to_owned(),
                        is_module: false,
                    });
                    self.items.push(Item {
                        scopes,
                        name: name.to_owned(),
                        kind: Kind::Other,
                    });
                    at_start = false;
                }
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests;
