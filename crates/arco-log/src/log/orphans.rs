//! A log is begun only where none has been: segments without their beginning are the rest of a log,
//! and a new one beside them would run into them after hundreds of commits.

use super::Log;
use crate::error::LogError;

impl Log {
    /// To be called when there is no format object or no first segment. The one list outside of
    /// sweeps and `verify`: it is paid where a log would begin, never by one that has.
    ///
    /// # Errors
    /// `Corrupt` when there are segments whose beginning is missing.
    pub(super) async fn refuse_orphans(&self) -> Result<(), LogError> {
        let is_segment = |path: &_| self.paths().segment_number(path).is_some();
        let log = self.paths().log();
        let Some(orphan) = self.store().any_below(&log, is_segment).await? else {
            return Ok(());
        };
        // Someone else may have begun the log while we looked: format first, then segment 1.
        let whole = self.store().head(&self.paths().format()).await?.is_some()
            && self.store().head(&self.paths().segment(1)).await?.is_some();
        if whole {
            return Ok(());
        }
        Err(LogError::Corrupt {
            object: orphan.to_string(),
            problem: "it is a segment and the beginning of its log is missing".into(),
            mend: format!(
                "if the log was moved, bring both parts together in `{}`; to begin a new one, name \
                 an empty folder",
                self.store()
            ),
        })
    }
}
