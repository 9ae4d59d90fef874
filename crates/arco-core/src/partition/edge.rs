//! A mapping made ready for one pair of definitions.
//!
//! An edge speaks in ordinals and ranges of them, so that a plan of a million partitions makes no million
//! lists.

use super::custom::MappingAnswers;
use super::def::PartitionsDef;
use super::error::MappingError;
use super::key::PartitionKey;
use super::mapping::PartitionMapping;
use super::ordinals::Ordinals;
use crate::Timestamp;

mod dimensions;
mod overlap;
mod pairs;

#[cfg(test)]
mod tests;

use dimensions::Dimensions;
pub(super) use dimensions::single as single_dimension;
use overlap::Overlap;
use pairs::Pairs;

/// How partitions of a child and of a partitioned parent belong together. Made once per edge of the
/// asset graph; the child may be unpartitioned.
#[derive(Debug, Clone)]
pub struct PartitionEdge {
    child: Option<PartitionsDef>,
    parent: PartitionsDef,
    rule: Rule,
}

#[derive(Debug, Clone)]
enum Rule {
    All,
    Last,
    /// One definition on both sides: the same ordinal.
    Same,
    Identity,
    Windows(Overlap),
    /// These keys of the parent, whatever the child; some may not be of the definition any more.
    Specific(Vec<PartitionKey>),
    Static(Pairs),
    Dimensions(Box<Dimensions>),
    /// What code answered, by key. Nothing is read of it before it is asked.
    Answered(MappingAnswers),
}

/// What a child partition needs of the parent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Upstream {
    /// Parent partitions that exist.
    pub ordinals: Ordinals,
    /// Parent partitions that are required and do not exist; with several dimensions no more than a
    /// thousand are named.
    pub nonexistent: Vec<PartitionKey>,
}

impl PartitionEdge {
    /// Joins two definitions by a mapping.
    ///
    /// # Errors
    /// When the mapping cannot join them (P-26, P-36).
    pub fn new(
        mapping: &PartitionMapping,
        child: Option<&PartitionsDef>,
        parent: &PartitionsDef,
    ) -> Result<Self, MappingError> {
        let rule = match mapping {
            PartitionMapping::All => Rule::All,
            PartitionMapping::Last => Rule::Last,
            PartitionMapping::Identity => match child {
                Some(child) if child == parent => Rule::Same,
                Some(child) if are_alike(child, parent) => Rule::Identity,
                _ => {
                    return Err(MappingError::NotIdentical {
                        child: child.map_or("no partitions", words),
                        parent: words(parent),
                    });
                }
            },
            PartitionMapping::TimeWindow {
                start_offset,
                end_offset,
                allow_nonexistent_upstream_partitions,
            } => Rule::Windows(Overlap::new(
                child,
                parent,
                i64::from(*start_offset),
                i64::from(*end_offset),
                *allow_nonexistent_upstream_partitions,
            )?),
            PartitionMapping::Specific { keys } => Rule::Specific(specific(keys, parent)?),
            PartitionMapping::Static {
                downstream_keys_by_upstream_key,
            } => Rule::Static(Pairs::new(downstream_keys_by_upstream_key, child, parent)?),
            PartitionMapping::MultiToSingle { .. } | PartitionMapping::Multi { .. } => {
                Rule::Dimensions(Box::new(Dimensions::new(mapping, child, parent)?))
            }
            PartitionMapping::Custom(custom) if child.is_some() => {
                Rule::Answered(custom.answers().clone())
            }
            PartitionMapping::Custom(custom) => {
                return Err(MappingError::Unfit(format!(
                    "`{}` is a mapping of your own, which says what each partition of the child needs, and the child \
                     has no partitions; use another mapping, such as `AllPartitionMapping`",
                    custom.name()
                )));
            }
        };
        Ok(Self {
            child: child.cloned(),
            parent: parent.clone(),
            rule,
        })
    }

    /// Whether both sides have one definition and each partition reads its own.
    #[must_use]
    pub fn is_same(&self) -> bool {
        matches!(self.rule, Rule::Same)
    }

    /// Whether every child partition reads all that exists of the parent.
    #[must_use]
    pub fn reads_all(&self) -> bool {
        matches!(self.rule, Rule::All)
    }

    /// Whether it is known what the child partition with this ordinal needs: not where code says it that did
    /// not answer yet. Nothing may be planned of what is not known.
    #[must_use]
    pub fn is_answered(&self, child: Option<u64>) -> bool {
        let Rule::Answered(answers) = &self.rule else {
            return true;
        };
        let key = child.and_then(|ordinal| self.child.as_ref()?.key_at(ordinal));
        // Of what is no key nothing is asked.
        key.is_none_or(|key| answers.parents(&key).is_some())
    }

    /// The first of some child partitions of which it is not known what they need.
    #[must_use]
    pub fn unanswered(&self, children: &Ordinals) -> Option<u64> {
        match self.rule {
            Rule::Answered(_) => children
                .iter()
                .find(|child| !self.is_answered(Some(*child))),
            _ => None,
        }
    }

    /// What the code of the mapping failed with last, when it did.
    #[must_use]
    pub fn trouble(&self) -> Option<&str> {
        match &self.rule {
            Rule::Answered(answers) => answers.trouble(),
            _ => None,
        }
    }

    /// What the child partition with this ordinal needs at `now`; `None` asks for an unpartitioned
    /// child. The child partition itself need not exist yet. Nothing, where [`Self::is_answered`] says no.
    #[must_use]
    pub fn upstream(&self, child: Option<u64>, now: Timestamp) -> Upstream {
        let ordinals = match (&self.rule, child) {
            (Rule::Last, _) => self.last(now).map(Ordinals::one).unwrap_or_default(),
            (Rule::Same | Rule::Identity, Some(ordinal)) => return self.identical(ordinal, now),
            (Rule::Windows(overlap), Some(ordinal)) => return overlap.upstream(ordinal, now),
            (Rule::Specific(keys), _) => return self.listed(keys, now),
            (Rule::Static(pairs), Some(ordinal)) => pairs.upstream(ordinal),
            (Rule::Dimensions(dimensions), Some(ordinal)) => {
                return dimensions.upstream(ordinal, now);
            }
            (Rule::Answered(answers), Some(ordinal)) => {
                let key = self.child.as_ref().and_then(|def| def.key_at(ordinal));
                let keys = key.and_then(|key| answers.parents(&key));
                return self.listed(keys.unwrap_or_default(), now);
            }
            (Rule::All, _) | (_, None) => self.parent.existing(now),
        };
        Upstream {
            ordinals,
            nonexistent: Vec::new(),
        }
    }

    /// The child partitions that exist at `now` and read the parent partition with this ordinal.
    /// Empty for an unpartitioned child, which is not a partition.
    #[must_use]
    pub fn downstream(&self, parent: u64, now: Timestamp) -> Ordinals {
        let Some(child) = &self.child else {
            return Ordinals::default();
        };
        let all_if = |holds: bool| match holds {
            true => child.existing(now),
            false => Ordinals::default(),
        };
        match &self.rule {
            Rule::All => child.existing(now),
            Rule::Last => all_if(self.last(now) == Some(parent)),
            Rule::Same if self.is_in_a_row() && parent < child.count(now) => Ordinals::one(parent),
            Rule::Same => only(child, child.key_at(parent).as_ref(), now),
            Rule::Identity => only(child, self.parent.key_at(parent).as_ref(), now),
            Rule::Windows(overlap) => overlap.downstream(parent, child.count(now)).into(),
            Rule::Specific(keys) => {
                let key = self.parent.key_at(parent);
                all_if(key.is_some_and(|key| keys.contains(&key)))
            }
            Rule::Static(pairs) => pairs.downstream(parent),
            Rule::Dimensions(dimensions) => dimensions.downstream(parent, now),
            Rule::Answered(answers) => {
                let key = self.parent.key_at(parent);
                let readers = key.iter().flat_map(|key| answers.children(key));
                let there = readers.filter_map(|key| child.existing_ordinal_of(key, now));
                there.collect()
            }
        }
    }

    /// The last parent partition that exists.
    fn last(&self, now: Timestamp) -> Option<u64> {
        let count = self.parent.count(now);
        self.parent.nth(count.checked_sub(1)?, now)
    }

    fn identical(&self, child: u64, now: Timestamp) -> Upstream {
        if matches!(self.rule, Rule::Same) && self.is_in_a_row() && child < self.parent.count(now) {
            return Upstream {
                ordinals: Ordinals::one(child),
                nonexistent: Vec::new(),
            };
        }
        let key = self.child.as_ref().and_then(|def| def.key_at(child));
        let ordinals = only(&self.parent, key.as_ref(), now);
        Upstream {
            nonexistent: match key {
                Some(key) if ordinals.is_empty() => vec![key],
                _ => Vec::new(),
            },
            ordinals,
        }
    }

    /// Whether what exists of the parent is all from 0 on.
    fn is_in_a_row(&self) -> bool {
        !matches!(self.parent, PartitionsDef::Multi(_))
    }

    fn listed(&self, keys: &[PartitionKey], now: Timestamp) -> Upstream {
        let mut upstream = Upstream::default();
        let mut there = Vec::new();
        for key in keys {
            match self.parent.existing_ordinal_of(key, now) {
                Some(ordinal) => there.push(ordinal),
                None => upstream.nonexistent.push(key.clone()),
            }
        }
        upstream.ordinals = there.into_iter().collect();
        upstream
    }
}

/// The partition with a key, if it exists.
fn only(def: &PartitionsDef, key: Option<&PartitionKey>, now: Timestamp) -> Ordinals {
    let ordinal = key.and_then(|key| def.existing_ordinal_of(key, now));
    ordinal.map(Ordinals::one).unwrap_or_default()
}

/// Whether keys of one can be keys of the other.
fn are_alike(child: &PartitionsDef, parent: &PartitionsDef) -> bool {
    match (child, parent) {
        (PartitionsDef::Multi(child), PartitionsDef::Multi(parent)) => {
            let names = |multi: &super::MultiPartitions| -> Vec<String> {
                multi.dimensions().iter().map(|d| d.name.clone()).collect()
            };
            names(child) == names(parent)
        }
        _ => child.kind() == parent.kind(),
    }
}

/// The keys of a specific mapping. Those of a definition are checked (D-32); keys of dynamic partitions
/// come and go, so they may be unknown now.
fn specific(texts: &[String], parent: &PartitionsDef) -> Result<Vec<PartitionKey>, MappingError> {
    let is_fixed = parent.dynamic_names().next().is_none();
    let read = |text: &String| match parent.parse_key(text) {
        Err(error) if is_fixed => Err(error.into()),
        parsed => Ok(parsed.unwrap_or_else(|_| PartitionKey::text(text))),
    };
    texts.iter().map(read).collect()
}

fn words(def: &PartitionsDef) -> &'static str {
    match def {
        PartitionsDef::Static(_) => "static partitions",
        PartitionsDef::TimeWindow(_) => "time windows",
        PartitionsDef::Dynamic(_) => "dynamic partitions",
        PartitionsDef::Multi(_) => "partitions of several dimensions",
    }
}
