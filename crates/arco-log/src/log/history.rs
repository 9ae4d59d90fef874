//! Putting history objects, and opening them.

use super::Log;
use crate::error::LogError;
use crate::history::{HistoryObject, HistoryReader, HistoryRef};

impl Log {
    /// Makes a history object durable. It counts once the state names it.
    ///
    /// # Errors
    /// `Unavailable`; putting it again is safe.
    pub async fn put_history(&self, object: HistoryObject) -> Result<HistoryRef, LogError> {
        let path = self.paths().history(&object.reference.name);
        self.store().create_once(&path, object.bytes).await?;
        Ok(object.reference)
    }

    /// A reader of the rows of `at`.
    #[must_use]
    pub fn history(&self, at: HistoryRef) -> HistoryReader {
        HistoryReader::new(self.store().clone(), self.paths(), at)
    }
}
