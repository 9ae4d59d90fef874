//! What is wrong, where, and by which rule.

use std::fmt;

/// One broken rule. Printed as `<row id>: <rule>: <what is wrong, and the mend>`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    /// Id of the row; a card, a page or a number of the feature table where no row is to blame.
    pub(crate) place: String,
    /// Name of the rule.
    pub(crate) rule: &'static str,
    /// What is wrong, and the mend.
    pub(crate) text: String,
}

impl Fault {
    pub(crate) fn new(
        place: impl Into<String>,
        rule: &'static str,
        text: impl Into<String>,
    ) -> Self {
        Self {
            place: place.into(),
            rule,
            text: text.into(),
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}: {}", self.place, self.rule, self.text)
    }
}
