//! What a selection chooses on a graph.

use super::ast::{Attribute, Bare, Depth, PartitionsFilter, Selection};
use super::error::{Problem, SelectionError};
use super::facts::{AssetStatus, SelectionFacts};
use super::graph::SelectionGraph;
use super::set::NodeSet;
use super::suggest::nearest;
use crate::AssetKey;
use crate::partition::PartitionsKind;

/// Evaluates a selection.
pub(super) fn selection(
    selection: &Selection,
    graph: &dyn SelectionGraph,
) -> Result<NodeSet, SelectionError> {
    evaluate(selection, graph)
        .map_err(|problem| SelectionError::new(&selection.to_string(), problem))
}

fn evaluate(selection: &Selection, graph: &dyn SelectionGraph) -> Result<NodeSet, Problem> {
    match selection {
        Selection::All => Ok(made_here(graph)),
        Selection::Attribute(attribute) => attributed(attribute, graph),
        Selection::Bare(asset) => bare(asset, graph),
        Selection::Up(of, depth) => Ok(up(graph, &evaluate(of, graph)?, *depth)),
        Selection::Down(of, depth) => Ok(down(graph, &evaluate(of, graph)?, *depth)),
        Selection::Sinks(of) => {
            let chosen = evaluate(of, graph)?;
            Ok(without_reached(graph, chosen, |node| graph.parents(node)))
        }
        Selection::Roots(of) => {
            let chosen = evaluate(of, graph)?;
            Ok(without_reached(graph, chosen, |node| graph.children(node)))
        }
        Selection::Not(of) => {
            let left_out = evaluate(of, graph)?;
            let mut rest = made_here(graph);
            rest.keep(|node| !left_out.has(node));
            Ok(rest)
        }
        Selection::And(operands) => {
            let mut common = NodeSet::of(graph.len(), |_| true);
            for operand in operands {
                let chosen = evaluate(operand, graph)?;
                common.keep(|node| chosen.has(node));
            }
            Ok(common)
        }
        Selection::Or(operands) => {
            let mut union = NodeSet::empty(graph.len());
            for operand in operands {
                union.unite(&evaluate(operand, graph)?);
            }
            Ok(union)
        }
    }
}

fn made_here(graph: &dyn SelectionGraph) -> NodeSet {
    NodeSet::of(graph.len(), |node| !graph.is_external(node))
}

fn attributed(attribute: &Attribute, graph: &dyn SelectionGraph) -> Result<NodeSet, Problem> {
    let all = |holds: &dyn Fn(usize) -> bool| NodeSet::of(graph.len(), holds);
    // Tags, groups and kinds choose among what is made here; the rest among all assets (L-4).
    let here = |holds: &dyn Fn(usize) -> bool| all(&|node| !graph.is_external(node) && holds(node));
    Ok(match attribute {
        Attribute::Key(pattern) => keyed(pattern, graph),
        Attribute::Tag { key, value } => here(&|node| graph.tags(node).get(key) == Some(value)),
        Attribute::NoTags => here(&|node| graph.tags(node).is_empty()),
        Attribute::Owner(Some(owner)) => all(&|node| graph.owners(node).contains(owner)),
        Attribute::Owner(None) => all(&|node| graph.owners(node).is_empty()),
        Attribute::Group(Some(pattern)) => here(&|node| matches(pattern, graph.group(node))),
        // Every asset has a group.
        Attribute::Group(None) | Attribute::CodeLocation(None) => NodeSet::empty(graph.len()),
        Attribute::Kind(Some(kind)) => here(&|node| graph.kinds(node).contains(kind)),
        Attribute::Kind(None) => here(&|node| graph.kinds(node).is_empty()),
        Attribute::IsExternal(external) => all(&|node| graph.is_external(node) == *external),
        Attribute::Partitions(sort) => {
            let wanted = match sort {
                None | Some(PartitionsFilter::None) => None,
                Some(PartitionsFilter::Static) => Some(PartitionsKind::Static),
                Some(PartitionsFilter::Time) => Some(PartitionsKind::TimeWindow),
                Some(PartitionsFilter::Dynamic) => Some(PartitionsKind::Dynamic),
                Some(PartitionsFilter::Multipartitions) => Some(PartitionsKind::Multi),
            };
            all(&|node| wanted == graph.partitions(node))
        }
        Attribute::CodeLocation(Some(location)) => all(&|node| graph.location(node) == location),
        Attribute::Status(status) => with_status(status.as_deref(), graph)?,
        Attribute::Column(column) => {
            let facts = facts("column", graph)?;
            all(&|node| match column {
                Some(name) => facts.columns(node).iter().any(|c| c.name == *name),
                None => facts.columns(node).is_empty(),
            })
        }
        Attribute::TableName(table) => {
            let facts = facts("table_name", graph)?;
            all(&|node| facts.table_name(node) == *table)
        }
        Attribute::ColumnTag { key, value } => {
            let facts = facts("column_tag", graph)?;
            all(&|node| match key {
                Some(key) => {
                    let columns = facts.columns(node);
                    columns.iter().any(|c| c.tags.get(key) == Some(value))
                }
                None => facts.columns(node).iter().all(|c| c.tags.is_empty()),
            })
        }
        Attribute::Other { name, .. } => {
            return Err(Problem::NotEvaluable {
                attribute: name.name(),
            });
        }
    })
}

fn facts<'g>(
    attribute: &'static str,
    graph: &'g dyn SelectionGraph,
) -> Result<&'g dyn SelectionFacts, Problem> {
    graph.facts().ok_or(Problem::NotEvaluable { attribute })
}

/// Assets that are made here with a status; every one has one.
fn with_status(word: Option<&str>, graph: &dyn SelectionGraph) -> Result<NodeSet, Problem> {
    let facts = facts("status", graph)?;
    let Some(word) = word else {
        return Ok(NodeSet::empty(graph.len()));
    };
    let wanted = AssetStatus::parse(word).ok_or_else(|| Problem::UnknownStatus {
        status: word.into(),
    })?;
    Ok(NodeSet::of(graph.len(), |node| {
        !graph.is_external(node) && facts.status(node) == wanted
    }))
}

/// Assets by key or pattern. An unknown key chooses nothing (L-12).
fn keyed(pattern: &str, graph: &dyn SelectionGraph) -> NodeSet {
    if pattern.contains('*') {
        return NodeSet::of(graph.len(), |node| {
            matches(pattern, graph.key(node).as_str())
        });
    }
    let mut chosen = NodeSet::empty(graph.len());
    // A text that is not the text of its key (`a\b`) is the text of none.
    let key = AssetKey::parse(pattern).filter(|key| key.as_str() == pattern);
    if let Some(node) = key.and_then(|key| graph.find(&key)) {
        chosen.add(node);
    }
    chosen
}

fn bare(asset: &Bare, graph: &dyn SelectionGraph) -> Result<NodeSet, Problem> {
    let found = AssetKey::parse(&asset.key).and_then(|key| graph.find(&key));
    let Some(node) = found else {
        return Err(Problem::UnknownAsset {
            key: asset.key.clone(),
            near: nearest(
                &asset.key,
                (0..graph.len()).map(|node| graph.key(node).as_str()),
            )
            .map(str::to_owned),
        });
    };
    let mut only = NodeSet::empty(graph.len());
    only.add(node);
    let levels = |depth| match depth {
        Depth::All => None,
        Depth::Levels(levels) => Some(levels),
    };
    let mut chosen = NodeSet::empty(graph.len());
    let (has_up, has_down) = (asset.up != Depth::Levels(0), asset.down != Depth::Levels(0));
    if has_up {
        chosen.unite(&up(graph, &only, levels(asset.up)));
    }
    if has_down {
        chosen.unite(&down(graph, &only, levels(asset.down)));
    }
    Ok(if has_up || has_down { chosen } else { only })
}

/// With ancestors; external assets are walked through and left out (L-5).
fn up(graph: &dyn SelectionGraph, from: &NodeSet, depth: Option<u32>) -> NodeSet {
    let mut chosen = reach(from, depth, |node| graph.parents(node));
    chosen.keep(|node| !graph.is_external(node));
    chosen
}

fn down(graph: &dyn SelectionGraph, from: &NodeSet, depth: Option<u32>) -> NodeSet {
    reach(from, depth, |node| graph.children(node))
}

/// `from` and what lies at most `depth` steps away.
fn reach<'g>(from: &NodeSet, depth: Option<u32>, next: impl Fn(usize) -> &'g [usize]) -> NodeSet {
    let mut reached = from.clone();
    let mut level: Vec<usize> = from.iter().collect();
    let mut left = depth.unwrap_or(u32::MAX);
    while !level.is_empty() && left > 0 {
        let mut beyond = Vec::new();
        for node in level {
            for &neighbour in next(node) {
                if reached.add(neighbour) {
                    beyond.push(neighbour);
                }
            }
        }
        level = beyond;
        left -= 1;
    }
    reached
}

/// Leaves out the members that another member reaches, over any number of steps. An edge from an asset
/// to itself (yesterday's partition) does not count.
fn without_reached<'g>(
    graph: &dyn SelectionGraph,
    chosen: NodeSet,
    next: impl Fn(usize) -> &'g [usize],
) -> NodeSet {
    let mut first = NodeSet::empty(graph.len());
    for node in chosen.iter() {
        for &neighbour in next(node) {
            if neighbour != node {
                first.add(neighbour);
            }
        }
    }
    let reached = reach(&first, None, next);
    let mut rest = chosen;
    rest.keep(|node| !reached.has(node));
    rest
}

/// Whether `text` is `pattern`, where `*` stands for any text.
fn matches(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(mut rest) = parts.next().and_then(|head| text.strip_prefix(head)) else {
        return false;
    };
    let Some(tail) = parts.next_back() else {
        return rest.is_empty();
    };
    // What is leftmost leaves the most for the rest, so the first place of each part will do.
    for part in parts {
        let Some(at) = rest.find(part) else {
            return false;
        };
        rest = &rest[at + part.len()..];
    }
    rest.ends_with(tail)
}
