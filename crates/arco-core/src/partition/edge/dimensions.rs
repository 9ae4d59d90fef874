//! Mappings between partitions of several dimensions (P-38, P-39), dimension by dimension.
//!
//! A definition with one dimension is taken as one with a single, nameless dimension. A dimension of the
//! parent is either mapped from one of the child, or all of it is needed.

use super::{PartitionEdge, Upstream, words};
use crate::Timestamp;
use crate::partition::def::PartitionsDef;
use crate::partition::error::MappingError;
use crate::partition::key::PartitionKey;
use crate::partition::mapping::PartitionMapping;
use crate::partition::multi_def::MultiPartitions;
use crate::partition::ordinals::Ordinals;

/// Combinations that do not exist are named up to here: with a dimension of a million keys one missing
/// day would name a million.
const NONEXISTENT_MAX: usize = 1000;

/// Edges between dimensions.
#[derive(Debug, Clone)]
pub(super) struct Dimensions {
    child: PartitionsDef,
    parent: PartitionsDef,
    edges: Vec<DimensionEdge>,
}

#[derive(Debug, Clone)]
struct DimensionEdge {
    /// Number of the dimension of the parent.
    up: usize,
    /// Number of the dimension of the child.
    down: usize,
    edge: PartitionEdge,
}

impl Dimensions {
    pub(super) fn new(
        mapping: &PartitionMapping,
        child: Option<&PartitionsDef>,
        parent: &PartitionsDef,
    ) -> Result<Self, MappingError> {
        let child = child.ok_or_else(|| {
            MappingError::Unfit(
                "a mapping of dimensions needs a partitioned child; use another mapping, such as \
                 `AllPartitionMapping`"
                    .into(),
            )
        })?;
        let triples = match mapping {
            PartitionMapping::Multi { dimensions } => {
                let mut out: Vec<(usize, usize, PartitionMapping)> = Vec::new();
                for each in dimensions {
                    let up = position("parent", parent, &each.upstream)?;
                    let down = position("child", child, &each.downstream)?;
                    if out.iter().any(|(u, d, _)| *u == up || *d == down) {
                        return Err(MappingError::Unfit(format!(
                            "the mapping from `{}` to `{}` speaks of a dimension twice; map each once",
                            each.upstream, each.downstream
                        )));
                    }
                    out.push((up, down, each.mapping.clone()));
                }
                out
            }
            PartitionMapping::MultiToSingle { dimension } => {
                vec![single(dimension.as_deref(), child, parent)?]
            }
            _ => Vec::new(),
        };
        let edges = triples.into_iter().map(|(up, down, mapping)| {
            let (parent, child) = (&axes(parent)[up], &axes(child)[down]);
            if let Some(custom) = mapping.custom() {
                return Err(MappingError::Unfit(format!(
                    "`{}` is a mapping of your own, and maps a dimension between static partitions only; map whole \
                     partitions with it, or use another mapping for the dimension",
                    custom.name()
                )));
            }
            let edge = PartitionEdge::new(&mapping, Some(child), parent)?;
            Ok(DimensionEdge { up, down, edge })
        });
        Ok(Self {
            edges: edges.collect::<Result<_, MappingError>>()?,
            child: child.clone(),
            parent: parent.clone(),
        })
    }

    pub(super) fn upstream(&self, ordinal: u64, now: Timestamp) -> Upstream {
        let at = coordinates(&self.child, ordinal);
        let mut there: Vec<Ordinals> = Vec::new();
        let mut missing: Vec<Vec<PartitionKey>> = Vec::new();
        for (up, def) in axes(&self.parent).iter().enumerate() {
            let mapped = match self.edges.iter().find(|each| each.up == up) {
                Some(each) => each.edge.upstream(Some(at[each.down]), now),
                None => Upstream {
                    ordinals: def.existing(now),
                    nonexistent: Vec::new(),
                },
            };
            there.push(mapped.ordinals);
            missing.push(mapped.nonexistent);
        }
        Upstream {
            nonexistent: self.nonexistent(&there, &missing),
            ordinals: product(&self.parent, &there),
        }
    }

    pub(super) fn downstream(&self, ordinal: u64, now: Timestamp) -> Ordinals {
        let at = coordinates(&self.parent, ordinal);
        let fed: Vec<Ordinals> = axes(&self.child)
            .iter()
            .enumerate()
            .map(
                |(down, def)| match self.edges.iter().find(|e| e.down == down) {
                    Some(each) => each.edge.downstream(at[each.up], now),
                    None => def.existing(now),
                },
            )
            .collect();
        product(&self.child, &fed)
    }

    /// The combinations in which some dimension's key does not exist.
    fn nonexistent(&self, there: &[Ordinals], missing: &[Vec<PartitionKey>]) -> Vec<PartitionKey> {
        let mut out = Vec::new();
        let defs = axes(&self.parent);
        for (first, some) in missing
            .iter()
            .enumerate()
            .filter(|(_, some)| !some.is_empty())
        {
            // Each combination once: under its first dimension that is missing.
            let choices: Vec<Vec<PartitionKey>> = (0..defs.len())
                .map(|at| {
                    let exist = defs[at].keys_of(there[at].clone()).take(NONEXISTENT_MAX);
                    match at.cmp(&first) {
                        std::cmp::Ordering::Less => exist.collect(),
                        std::cmp::Ordering::Equal => some.clone(),
                        std::cmp::Ordering::Greater => {
                            exist.chain(missing[at].iter().cloned()).collect()
                        }
                    }
                })
                .collect();
            combine(&self.parent, &choices, &mut Vec::new(), &mut out);
        }
        out
    }
}

fn combine(
    parent: &PartitionsDef,
    choices: &[Vec<PartitionKey>],
    chosen: &mut Vec<PartitionKey>,
    out: &mut Vec<PartitionKey>,
) {
    if out.len() >= NONEXISTENT_MAX {
        return;
    }
    let Some(next) = choices.get(chosen.len()) else {
        let key = match parent {
            PartitionsDef::Multi(multi) => multi.joined(chosen),
            _ => chosen.first().cloned(),
        };
        out.extend(key);
        return;
    };
    for key in next {
        chosen.push(key.clone());
        combine(parent, choices, chosen, out);
        chosen.pop();
    }
}

/// The definitions of the dimensions.
fn axes(def: &PartitionsDef) -> Vec<PartitionsDef> {
    match def {
        PartitionsDef::Multi(multi) => multi.dimensions().iter().map(|d| d.def.clone()).collect(),
        one => vec![one.clone()],
    }
}

fn coordinates(def: &PartitionsDef, ordinal: u64) -> Vec<u64> {
    match def {
        PartitionsDef::Multi(multi) => multi.coordinates(ordinal),
        _ => vec![ordinal],
    }
}

fn product(def: &PartitionsDef, coordinates: &[Ordinals]) -> Ordinals {
    match def {
        PartitionsDef::Multi(multi) => multi.product(coordinates),
        _ => coordinates.first().cloned().unwrap_or_default(),
    }
}

fn position(side: &str, def: &PartitionsDef, name: &str) -> Result<usize, MappingError> {
    let PartitionsDef::Multi(multi) = def else {
        return Err(MappingError::Unfit(format!(
            "a mapping of dimensions needs several dimensions on both sides; the {side} has {}; use \
             `MultiToSingleDimensionPartitionMapping`",
            words(def)
        )));
    };
    multi.position(name).ok_or_else(|| {
        let names: Vec<&str> = multi.dimensions().iter().map(|d| d.name.as_str()).collect();
        MappingError::Unfit(format!(
            "the {side} has no dimension `{name}`; it has {}",
            names.join(", ")
        ))
    })
}

/// Which dimension the single one goes with, and how: the one that is equal, or else the only one of time.
pub(in crate::partition) fn single(
    name: Option<&str>,
    child: &PartitionsDef,
    parent: &PartitionsDef,
) -> Result<(usize, usize, PartitionMapping), MappingError> {
    let (multi, one, parent_is_multi) = match (child, parent) {
        (PartitionsDef::Multi(_), PartitionsDef::Multi(_)) => {
            return Err(MappingError::Unfit(
                "both sides have several dimensions; use `MultiPartitionMapping`".into(),
            ));
        }
        (PartitionsDef::Multi(multi), one) => (multi, one, false),
        (one, PartitionsDef::Multi(multi)) => (multi, one, true),
        _ => {
            return Err(MappingError::Unfit(format!(
                "no side has several dimensions: the child has {}, the parent {}; use another \
                 mapping, such as `IdentityPartitionMapping`",
                words(child),
                words(parent)
            )));
        }
    };
    let (at, mapping) = matching(name, multi, one)?;
    Ok(if parent_is_multi {
        (at, 0, mapping)
    } else {
        (0, at, mapping)
    })
}

fn matching(
    name: Option<&str>,
    multi: &MultiPartitions,
    one: &PartitionsDef,
) -> Result<(usize, PartitionMapping), MappingError> {
    let all = multi.dimensions().iter().enumerate();
    // The name that was given counts (D-30).
    let asked: Vec<_> = all
        .filter(|(_, d)| name.is_none_or(|name| d.name == name))
        .collect();
    if asked.is_empty() {
        let names: Vec<&str> = multi.dimensions().iter().map(|d| d.name.as_str()).collect();
        return Err(MappingError::Unfit(format!(
            "there is no dimension `{}`; there are {}",
            name.unwrap_or_default(),
            names.join(", ")
        )));
    }
    let equal: Vec<usize> = asked
        .iter()
        .filter(|(_, dimension)| dimension.def == *one)
        .map(|(at, _)| *at)
        .collect();
    let of_time: Vec<usize> = asked
        .iter()
        .filter(|(_, dimension)| matches!(dimension.def, PartitionsDef::TimeWindow(_)))
        .map(|(at, _)| *at)
        .collect();
    match (equal.as_slice(), of_time.as_slice(), one) {
        ([at], _, _) => Ok((*at, PartitionMapping::Identity)),
        ([], [at], PartitionsDef::TimeWindow(_)) => {
            Ok((*at, PartitionMapping::infer(Some(one), Some(one))))
        }
        ([], _, _) => Err(MappingError::Unfit(format!(
            "no dimension has the {} of the other side; map its dimensions with \
             `MultiPartitionMapping`, or use `AllPartitionMapping`",
            words(one)
        ))),
        _ => Err(MappingError::Unfit(
            "several dimensions have the partitions of the other side; say which with \
             `partition_dimension_name=`"
                .into(),
        )),
    }
}
