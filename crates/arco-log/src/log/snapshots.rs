//! Putting and getting snapshots.

use std::io::{self, Write};

use super::Log;
use crate::error::LogError;
use crate::snapshot::{self, EncodedSnapshot, Snapshot, SnapshotAt, SnapshotRef};

impl Log {
    /// Packs folded state as `state` writes it. Takes about a second for 100 MB: run it off the loop.
    ///
    /// # Errors
    /// `Invalid` when `state` fails to write.
    pub fn encode_snapshot(
        &self,
        at: SnapshotAt,
        state: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> Result<EncodedSnapshot, LogError> {
        snapshot::encode(self.paths().name(), at, state)
    }

    /// Makes a snapshot durable. Segments put afterwards name it in their header.
    ///
    /// # Errors
    /// `Unavailable`; putting it again is safe.
    pub async fn put_snapshot(&self, snapshot: EncodedSnapshot) -> Result<SnapshotRef, LogError> {
        let reference = snapshot.reference;
        let path = self.paths().snapshot(&reference);
        match self.store().create_once(&path, snapshot.bytes).await {
            // Same name, other bytes: another version of zstd packed the same state.
            Ok(()) | Err(LogError::Conflict { .. }) => {}
            Err(error) => return Err(error),
        }
        self.volatile().remembered.note(reference);
        Ok(reference)
    }

    /// The newest snapshot this handle knows of.
    #[must_use]
    pub fn newest_snapshot(&self) -> Option<SnapshotRef> {
        self.volatile().remembered.newest()
    }

    /// Finds a snapshot and reads its header; [`Snapshot::read`] reads the state.
    ///
    /// # Errors
    /// `Corrupt` when it is missing or not what its name says.
    pub async fn get_snapshot(&self, at: &SnapshotRef) -> Result<Snapshot, LogError> {
        let path = self.paths().snapshot(at);
        let Some(bytes) = self.store().get(&path).await? else {
            return Err(LogError::Corrupt {
                object: path.to_string(),
                problem: "it is missing".into(),
                mend: "an older snapshot and the log make up for it".into(),
            });
        };
        snapshot::open(bytes, self.paths().name(), *at, path.as_ref())
    }
}
