//! `arco log verify`: reads everything and says what does not hold. Goes on after a finding, so one
//! report tells the whole damage. The one place besides sweeps that lists.

use std::collections::BTreeSet;

use arco_core::{Digest, Timestamp};
use futures::StreamExt;
use serde::Serialize;

use super::Log;
use crate::error::LogError;
use crate::paths::first_of_block;
use crate::segment::{Head, Segment};

/// Findings kept; a log with more of them needs a backup, not a longer list.
const MAX_FINDINGS: usize = 1000;

/// Something that does not hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The object.
    pub object: String,
    /// What is wrong, and the way back where there is one.
    pub problem: String,
}

/// What a walk over the whole log found.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct VerifyReport {
    /// First segment that is not trimmed.
    pub first: u64,
    /// Last segment.
    pub last: u64,
    /// Its digest, when it reads.
    pub digest: Option<Digest>,
    /// Segments read.
    pub segments: u64,
    /// Events in them.
    pub events: u64,
    /// Different blobs they cite, all of them read.
    pub blobs: u64,
    /// Snapshots that headers cite, and that were there and whole.
    pub snapshots: u64,
    /// What does not hold. Missing snapshots are not in here: they are a cache.
    pub findings: Vec<Finding>,
}

impl VerifyReport {
    /// Whether everything holds.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.findings.is_empty()
    }

    fn add(&mut self, object: impl ToString, problem: impl Into<String>) {
        if self.findings.len() < MAX_FINDINGS {
            self.findings.push(Finding {
                object: object.to_string(),
                problem: problem.into(),
            });
        }
    }
}

/// What one segment must agree with.
struct Before {
    head: Option<Head>,
    /// Of the last header.
    written: Option<Timestamp>,
    /// Of the last event.
    time: Option<Timestamp>,
}

impl Before {
    fn unknown() -> Self {
        Self {
            head: None,
            written: None,
            time: None,
        }
    }
}

impl Log {
    /// Walks the whole log: the chain of digests, footers, counts, times, blobs, snapshots, gaps.
    ///
    /// # Errors
    /// `Unavailable` and `TooNew`. What is damaged is in the report.
    pub async fn verify(&self) -> Result<VerifyReport, LogError> {
        let mut live = 0;
        while self.is_tombstoned(live).await? {
            live += 1;
        }
        let first = first_of_block(live);
        let mut numbers: Vec<u64> = self
            .store()
            .list(&self.paths().log())
            .await?
            .iter()
            .filter_map(|path| self.paths().segment_number(path))
            .filter(|number| *number >= first)
            .collect();
        numbers.sort_unstable();
        let mut report = VerifyReport {
            first,
            ..VerifyReport::default()
        };
        let mut before = Before {
            head: (first == 1).then(Head::genesis),
            ..Before::unknown()
        };
        let mut cited = BTreeSet::new();
        let mut snapshots = BTreeSet::new();
        let mut reads = futures::stream::iter(numbers)
            .map(|number| async move { (number, self.fetch_segment(number).await) })
            .buffered(self.inner.options.parallel_gets);
        let mut expected = first;
        while let Some((number, read)) = reads.next().await {
            if expected < number {
                let problem = match number - 1 - expected {
                    0 => "it is missing and later ones are there".to_owned(),
                    _ => format!(
                        "segments {expected} to {} are missing and later ones are there",
                        number - 1
                    ),
                };
                report.add(self.paths().segment(expected), problem);
                // What comes after a gap may be of another log: nothing before it says anything of it.
                before = Before::unknown();
            }
            expected = number + 1;
            report.last = number;
            match read {
                Ok(Some(segment)) => {
                    self.check(&segment, &mut before, &mut report);
                    cited.extend(segment.blobs.iter().map(|(digest, _)| *digest));
                    snapshots.extend(segment.header.snapshot);
                }
                Ok(None) => {
                    report.add(self.paths().segment(number), "it vanished while being read")
                }
                Err(error) if error.retryable() => return Err(error),
                Err(error @ LogError::TooNew { .. }) => return Err(error),
                Err(LogError::Corrupt {
                    object,
                    problem,
                    mend,
                }) => {
                    report.add(object, format!("{problem}; {mend}"));
                    before.head = None;
                }
                Err(error) => report.add(self.paths().segment(number), error.to_string()),
            }
        }
        report.blobs = u64::try_from(cited.len()).unwrap_or(u64::MAX);
        for reference in snapshots {
            let found = self.get_snapshot(&reference).await;
            match found.and_then(|found| found.read(|_| ())) {
                Ok(()) => report.snapshots += 1,
                Err(error) if error.retryable() => return Err(error),
                Err(error) => tracing::warn!(%error, "snapshot not usable"),
            }
        }
        Ok(report)
    }

    fn check(&self, segment: &Segment, before: &mut Before, report: &mut VerifyReport) {
        let path = self.paths().segment(segment.number());
        if let Some(head) = before.head
            && segment.header.prev != head.digest
        {
            report.add(
                &path,
                format!(
                    "it follows a segment with digest {} and segment {} has {}",
                    segment.header.prev.short(),
                    head.segment,
                    head.digest.short()
                ),
            );
        }
        let back = |last: Option<Timestamp>, time: Timestamp| last.is_some_and(|last| time < last);
        if back(before.written, segment.header.time) {
            let time = segment.header.time.to_rfc3339();
            report.add(&path, format!("its header goes back in time to {time}"));
        }
        before.written = before.written.max(Some(segment.header.time));
        for (position, event) in segment.positions() {
            if back(before.time, event.time) {
                let time = event.time.to_rfc3339();
                report.add(
                    &path,
                    format!("event {position} goes back in time to {time}"),
                );
            }
            before.time = before.time.max(Some(event.time));
        }
        before.head = Some(segment.head());
        report.digest = Some(segment.digest);
        report.segments += 1;
        report.events += u64::try_from(segment.events.len()).unwrap_or(u64::MAX);
    }
}
