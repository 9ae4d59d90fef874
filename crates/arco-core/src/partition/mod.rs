//! Partitions: the slices of an asset, how they are named, which exist, and which need which.
//!
//! * [`PartitionKey`] is the identity of a slice. It has one canonical text, by which it is written,
//!   compared and ordered, and one form for people, which is Dagster's.
//! * [`PartitionsDef`] says which slices there are. Keys are numbered by **ordinal**, so that a set of
//!   them is a few ranges ([`Ordinals`]).
//! * [`PartitionMapping`] says which parent slices a child slice reads. [`PartitionEdge`] is a mapping
//!   made ready for one pair of definitions, in ordinals.
//!
//! Nothing here reads a clock: `now` is a parameter. Time zones come from the database in the binary,
//! so that every replica gives a key the same window.

mod custom;
mod def;
mod dynamic_def;
mod edge;
mod error;
mod format;
mod key;
mod mapping;
mod multi_def;
mod ordinals;
mod series;
mod static_def;
mod window;

pub use custom::{CustomMapping, MappingAnswers};
pub use def::{Keys, PartitionsDef, PartitionsKind};
pub use dynamic_def::{DynamicKeys, DynamicPartitions, DynamicSets};
pub use edge::{PartitionEdge, Upstream};
pub use error::{MappingError, PartitionKeyError, PartitionsError};
pub use key::{PartitionKey, PartitionValue};
pub use mapping::{DimensionMapping, Mapped, PartitionMapping};
pub use multi_def::{Dimension, MultiPartitions};
pub use ordinals::Ordinals;
pub(crate) use series::{Zone, civil};
pub use window::{Cadence, TimeWindowSpec};
