//! The canonical text of a selection. Reading it gives the same selection again: that is the one
//! promise, and the property test that keeps it found Dagster's fault with `not` (L-15).

use std::fmt::{self, Display, Formatter, Write as _};

use super::ast::{Attribute, Bare, Depth, Selection};

impl Display for Selection {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => f.write_str("*"),
            Self::Attribute(attribute) => attribute.fmt(f),
            Self::Bare(bare) => bare.fmt(f),
            Self::Up(of, depth) => {
                depth.map_or(Ok(()), |depth| write!(f, "{depth}"))?;
                f.write_char('+')?;
                traversed(of, f)
            }
            Self::Down(of, depth) => {
                traversed(of, f)?;
                f.write_char('+')?;
                depth.map_or(Ok(()), |depth| write!(f, "{depth}"))
            }
            Self::Sinks(of) => write!(f, "sinks({of})"),
            Self::Roots(of) => write!(f, "roots({of})"),
            Self::Not(of) => match **of {
                Self::And(_) | Self::Or(_) => write!(f, "not ({of})"),
                _ => write!(f, "not {of}"),
            },
            Self::And(operands) => joined(operands, " and ", f),
            Self::Or(operands) => joined(operands, " or ", f),
        }
    }
}

/// An operand of `+`, which takes attributes, functions and parentheses only.
fn traversed(of: &Selection, f: &mut Formatter<'_>) -> fmt::Result {
    match of {
        Selection::Attribute(_) | Selection::Sinks(_) | Selection::Roots(_) => of.fmt(f),
        _ => write!(f, "({of})"),
    }
}

fn joined(operands: &[Selection], word: &str, f: &mut Formatter<'_>) -> fmt::Result {
    for (index, operand) in operands.iter().enumerate() {
        if index > 0 {
            f.write_str(word)?;
        }
        match operand {
            Selection::And(_) | Selection::Or(_) | Selection::Not(_) => write!(f, "({operand})")?,
            _ => operand.fmt(f)?,
        }
    }
    Ok(())
}

impl Display for Attribute {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key(pattern) => write!(f, "key:{}", Quoted(pattern)),
            Self::Tag { key, value } => {
                write!(f, "tag:{}", Quoted(key))?;
                second(value, f)
            }
            Self::NoTags => f.write_str("tag:<null>"),
            Self::Owner(owner) => named("owner", owner.as_deref(), f),
            Self::Group(group) => named("group", group.as_deref(), f),
            Self::Kind(kind) => named("kind", kind.as_deref(), f),
            Self::CodeLocation(location) => named("code_location", location.as_deref(), f),
            Self::Partitions(sort) => named("partitions", sort.map(|sort| sort.word()), f),
            Self::IsExternal(true) => f.write_str("is:external"),
            Self::IsExternal(false) => f.write_str("is:materializable"),
            Self::Status(status) => named("status", status.as_deref(), f),
            Self::Column(column) => named("column", column.as_deref(), f),
            Self::TableName(table) => named("table_name", table.as_deref(), f),
            Self::ColumnTag { key, value } => {
                named("column_tag", key.as_deref(), f)?;
                second(value, f)
            }
            Self::Other { name, value } => named(name.name(), value.as_deref(), f),
        }
    }
}

fn named(name: &str, value: Option<&str>, f: &mut Formatter<'_>) -> fmt::Result {
    match value {
        Some(value) => write!(f, "{name}:{}", Quoted(value)),
        None => write!(f, "{name}:<null>"),
    }
}

fn second(value: &str, f: &mut Formatter<'_>) -> fmt::Result {
    if value.is_empty() {
        return Ok(());
    }
    write!(f, "={}", Quoted(value))
}

struct Quoted<'a>(&'a str);

impl Display for Quoted<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_char('"')?;
        for c in self.0.chars() {
            if matches!(c, '"' | '\\') {
                f.write_char('\\')?;
            }
            f.write_char(c)?;
        }
        f.write_char('"')
    }
}

impl Display for Bare {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.up.fmt(f)?;
        f.write_str(&self.key)?;
        self.down.fmt(f)
    }
}

impl Display for Depth {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => f.write_char('*'),
            Self::Levels(levels) => (0..*levels).try_for_each(|_| f.write_char('+')),
        }
    }
}
