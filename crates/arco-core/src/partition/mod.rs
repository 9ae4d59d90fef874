//! Partitions: the slices of an asset, how they are named, which exist, and which need which.
//!
//! * [`PartitionKey`] is the identity of a slice. It has one canonical text, by which it is written,
//!   compared and ordered, and one form for people, which is Dagster's.
//! * [`PartitionsDef`] says which slices there are. Keys are numbered by **ordinal** from the first
//!   one on, so that state can be bitmaps; what exists at `now` is always the ordinals `0..count`.
//! * [`PartitionMapping`] says which parent slices a child slice reads. [`PartitionEdge`] is a mapping
//!   made ready for one pair of definitions, in ordinals.
//!
//! Nothing here reads a clock: `now` is a parameter. Time zones come from the database in the binary,
//! so that every replica gives a key the same window.

mod def;
mod edge;
mod error;
mod format;
mod key;
mod mapping;
mod series;
mod static_def;
mod window;

pub use def::{Keys, PartitionsDef, PartitionsKind};
pub use edge::{PartitionEdge, Upstream};
pub use error::{MappingError, PartitionKeyError, PartitionsError};
pub use key::{PartitionKey, PartitionValue};
pub use mapping::{Mapped, PartitionMapping};
pub(crate) use series::{Zone, civil};
pub use window::{Cadence, TimeWindowSpec};
