//! What a Python file defines, and which of its tests carry a mark that skips them.
//!
//! Read by logical lines and indentation; strings and comments are blanked first.

mod line;

use self::line::{Line, lines};

/// A function, a class, or a name bound in a module or a class.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Item {
    /// The classes it stands in.
    pub(crate) classes: Vec<String>,
    pub(crate) name: String,
    pub(crate) kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// `skipped`: it, its class or its module is marked to be skipped or to fail.
    Function {
        skipped: bool,
    },
    Other,
}

impl Item {
    /// Whether `symbol` (`name`, `Class::name`, `Class.name`) names it.
    pub(crate) fn is_named(&self, symbol: &str) -> bool {
        let symbol = symbol.replace('.', "::");
        let parts: Vec<&str> = symbol.split("::").collect();
        let own = self
            .classes
            .iter()
            .map(String::as_str)
            .chain([self.name.as_str()]);
        own.eq(parts)
    }
}

struct Block {
    indent: usize,
    name: String,
    is_class: bool,
    skipped: bool,
}

/// Every item of a file. What stands inside a function is its own business.
pub(crate) fn items(text: &str) -> Vec<Item> {
    let lines = lines(text);
    let module_skipped = lines
        .iter()
        .any(|line| line.indent == 0 && marks_the_rest(line));
    let mut open: Vec<Block> = Vec::new();
    let mut decorated = false;
    let mut found = Vec::new();
    for (index, line) in lines.iter().enumerate() {
        while open.last().is_some_and(|block| line.indent <= block.indent) {
            open.pop();
        }
        if line.text.starts_with('@') {
            decorated |= skips(&line.text);
            continue;
        }
        let in_function = open.iter().any(|block| !block.is_class);
        let definition = line.definition();
        if let Some((name, is_class)) = definition {
            let above = open.last().map_or(module_skipped, |block| block.skipped);
            let skipped = above || decorated || is_class && class_is_marked(&lines[index..]);
            if !in_function {
                let kind = if is_class {
                    Kind::Other
                } else {
                    Kind::Function { skipped }
                };
                found.push(item(&open, name, kind));
            }
            open.push(Block {
                indent: line.indent,
                name: name.to_owned(),
                is_class,
                skipped,
            });
        } else if let Some(name) = line.binding().filter(|_| !in_function) {
            found.push(item(&open, name, Kind::Other));
        }
        decorated = false;
    }
    found
}

fn item(open: &[Block], name: &str, kind: Kind) -> Item {
    Item {
        classes: open.iter().map(|block| block.name.clone()).collect(),
        name: name.to_owned(),
        kind,
    }
}

/// `pytestmark = pytest.mark.skip` marks everything beside it.
fn marks_the_rest(line: &Line) -> bool {
    line.binding() == Some("pytestmark") && skips(&line.text)
}

/// Whether the class that begins with the first of the lines marks itself in its body.
fn class_is_marked(lines: &[Line]) -> bool {
    let Some((class, body)) = lines.split_first() else {
        return false;
    };
    body.iter()
        .take_while(|line| line.indent > class.indent)
        .any(marks_the_rest)
}

/// Whether a decorator or a mark says not to run, or to expect failure.
fn skips(text: &str) -> bool {
    let words: Vec<&str> = text
        .split(|character: char| !(character.is_alphanumeric() || character == '_'))
        .collect();
    [
        "skip",
        "skipif",
        "skipIf",
        "skipUnless",
        "xfail",
        "expectedFailure",
    ]
    .iter()
    .any(|word| words.contains(word))
}

#[cfg(test)]
mod tests;
