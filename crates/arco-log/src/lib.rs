//! The log: a totally ordered chain of immutable segments on an object store.
//!
//! **The problem.** Everything Arco knows must survive any process, be the same for all replicas,
//! and be decided once; and there is no database. **The approach.** Segment N+1 is created only if
//! it does not exist. That one conditional put is a compare-and-swap on the whole state: what was
//! decided on the state at N is published only if nothing else was. Everything else here exists to
//! keep that true when stores answer wrongly or not at all, when writers stall for days, and when
//! old segments are deleted.
//!
//! ```text
//!   engine ──append──►  create-only put of N+1 ──Ok──► committed
//!                          │ anything else
//!                          ▼
//!                       GET N+1 ── our nonce ──► committed
//!                          │   ├── another's ──► lost: apply it, decide again
//!                          │   └── absent ─────► the same bytes again, ≤ 30 s, else unknown
//!                          ▼
//!         proof older than an hour? tombstone of the block ── there ──► reload from a snapshot
//! ```
//!
//! - [`LogStore`] is what is asked of a store: create, get, head; lists are for `verify` alone.
//! - [`Log`] appends, follows, recovers without a list, keeps blobs, snapshots and history.
//! - [`FolderLock`] keeps two servers off one folder; safety does not need it.
//!
//! **What it will never do**: swap an object in place, trust an error, retry a create blindly, list
//! on the way to an answer, or decode a payload (that is the fold's). The order of reads and writes
//! and the bug each prevents are told in `log/append.rs`, `log/follow.rs` and `log/trim.rs`; the
//! model in `tests/it/model.rs` checks them.

mod clock;
mod error;
mod history;
mod lock;
mod log;
mod paths;
mod segment;
mod snapshot;
mod store;

pub use clock::{BootClock, ManualBootClock, SystemBootClock};
pub use error::{Cause, LogError};
pub use history::{HistoryObject, HistoryReader, HistoryRef, HistoryWriter};
pub use lock::{FolderLock, LockError};
pub use log::append::AppendOutcome;
pub use log::recovery::Recovery;
pub use log::show::EventCursor;
pub use log::verify::{Finding, VerifyReport};
pub use log::{Access, Log, LogOptions};
pub use object_store::path::Path as ObjectPath;
pub use paths::{BLOCK, WorkspacePaths, block_of};
pub use segment::{
    BATCH_TEXT, Blobs, Draft, EncodedSegment, Head, Header, MAX_EVENTS, MAX_OBJECT, MAX_TEXT,
    READER, Segment, text_len,
};
pub use snapshot::{EncodedSnapshot, Snapshot, SnapshotAt, SnapshotRef};
pub use store::{LogStore, ObjectInfo, Unsure};
