//! Small graph questions that definitions and plans both ask.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::selection::suggest::nearest;

/// A cycle among `edges` (from → to) as a path that starts and ends at the same node, or `None`.
/// Deterministic: the smallest node of the first cycle met in order comes first.
#[must_use]
pub fn cycle<N: Ord + Clone>(edges: &BTreeMap<N, Vec<N>>) -> Option<Vec<N>> {
    let mut done: BTreeSet<N> = BTreeSet::new();
    for start in edges.keys() {
        if let Some(mut path) = cycle_from(start, edges, &mut done) {
            rotate_to_smallest(&mut path);
            path.push(path[0].clone());
            return Some(path);
        }
    }
    None
}

/// Depth-first walk with its own stack: a chain of 100,000 assets must not end the process.
fn cycle_from<N: Ord + Clone>(
    start: &N,
    edges: &BTreeMap<N, Vec<N>>,
    done: &mut BTreeSet<N>,
) -> Option<Vec<N>> {
    if done.contains(start) {
        return None;
    }
    let mut path: Vec<(N, usize)> = vec![(start.clone(), 0)];
    let mut on_path: BTreeSet<N> = BTreeSet::from([start.clone()]);
    while let Some((node, next)) = path.last_mut() {
        let child = edges.get(node).and_then(|to| to.get(*next)).cloned();
        *next += 1;
        match child {
            None => {
                let (node, _) = path.pop().expect("the path has a last node: just seen");
                on_path.remove(&node);
                done.insert(node);
            }
            Some(child) if on_path.contains(&child) => {
                let from = path.iter().position(|(n, _)| *n == child).unwrap_or(0);
                return Some(path[from..].iter().map(|(n, _)| n.clone()).collect());
            }
            Some(child) if done.contains(&child) => {}
            Some(child) => {
                on_path.insert(child.clone());
                path.push((child, 0));
            }
        }
    }
    None
}

fn rotate_to_smallest<N: Ord>(path: &mut [N]) {
    let smallest = (0..path.len()).min_by(|a, b| path[*a].cmp(&path[*b]));
    path.rotate_left(smallest.unwrap_or(0));
}

/// Everything reachable from `from` along `edges`, `from` included, at most `depth` edges away.
#[must_use]
pub fn reachable<N: Ord + Clone>(
    from: impl IntoIterator<Item = N>,
    depth: Option<u32>,
    edges: impl Fn(&N) -> Vec<N>,
) -> BTreeSet<N> {
    let mut seen: BTreeSet<N> = from.into_iter().collect();
    let mut queue: VecDeque<(N, u32)> = seen.iter().cloned().map(|n| (n, 0)).collect();
    while let Some((node, at)) = queue.pop_front() {
        if depth.is_some_and(|max| at >= max) {
            continue;
        }
        for next in edges(&node) {
            if seen.insert(next.clone()) {
                queue.push_back((next, at + 1));
            }
        }
    }
    seen
}

/// The word of `known` closest to `word`, when it is close enough to be a slip of the pen.
#[must_use]
pub fn did_you_mean<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    nearest(word, known.into_iter())
}

#[cfg(test)]
mod tests;
