//! Sets of nodes.

/// A set of nodes of one graph.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct NodeSet(Vec<bool>);

impl NodeSet {
    pub(super) fn empty(len: usize) -> Self {
        Self(vec![false; len])
    }

    pub(super) fn of(len: usize, holds: impl FnMut(usize) -> bool) -> Self {
        Self((0..len).map(holds).collect())
    }

    pub(super) fn has(&self, node: usize) -> bool {
        self.0[node]
    }

    /// Whether the node was new.
    pub(super) fn add(&mut self, node: usize) -> bool {
        !std::mem::replace(&mut self.0[node], true)
    }

    pub(super) fn keep(&mut self, mut holds: impl FnMut(usize) -> bool) {
        for (node, member) in self.0.iter_mut().enumerate() {
            *member = *member && holds(node);
        }
    }

    pub(super) fn unite(&mut self, other: &Self) {
        for (member, others) in self.0.iter_mut().zip(&other.0) {
            *member |= *others;
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = usize> + '_ {
        self.0
            .iter()
            .enumerate()
            .filter_map(|(node, member)| member.then_some(node))
    }
}
