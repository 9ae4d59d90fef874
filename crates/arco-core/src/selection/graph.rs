//! What a selection is evaluated on.

use std::collections::BTreeMap;

use super::facts::SelectionFacts;
use crate::AssetKey;
use crate::partition::PartitionsKind;

/// Assets, numbered from 0, and their edges. Whoever keeps definitions implements it.
pub trait SelectionGraph {
    /// How many assets there are.
    fn len(&self) -> usize;
    /// Whether there are none.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }
    /// The key of a node.
    fn key(&self, node: usize) -> &AssetKey;
    /// Its group.
    fn group(&self, node: usize) -> &str;
    /// Its kinds.
    fn kinds(&self, node: usize) -> &[String];
    /// Its tags, without those that stand for kinds.
    fn tags(&self, node: usize) -> &BTreeMap<String, String>;
    /// Its owners.
    fn owners(&self, node: usize) -> &[String];
    /// The code location that defines it.
    fn location(&self, node: usize) -> &str;
    /// Whether it is only known, not made here.
    fn is_external(&self, node: usize) -> bool;
    /// What sort of partitions it has; `None` for an unpartitioned one.
    fn partitions(&self, node: usize) -> Option<PartitionsKind>;
    /// Its direct upstream nodes.
    fn parents(&self, node: usize) -> &[usize];
    /// Its direct downstream nodes.
    fn children(&self, node: usize) -> &[usize];
    /// What happened to the nodes. Where nobody keeps that, the attributes that ask for it are an error.
    fn facts(&self) -> Option<&dyn SelectionFacts> {
        None
    }
    /// The node with a key.
    fn find(&self, key: &AssetKey) -> Option<usize> {
        (0..self.len()).find(|node| self.key(*node) == key)
    }
}
