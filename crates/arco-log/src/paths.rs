//! Where the objects of a workspace are: the one place that spells a path.
//!
//! ```text
//! <root>/<tenant>/<workspace>/
//!   format                        create-only, identity and log format
//!   log/<block>/<segment>         segments, create-only, consecutive from 1, 20 digits
//!   gc/<block>                    tombstone of a block of 10,000 segments, create-only, for ever
//!   snap/<segment>-<digest>       folded state after a segment; a cache, safe to delete
//!   hist/<kind>/<segment>-<digest>  ended things, packed and indexed; rebuildable
//!   blob/<xx>/<sha256>            content-addressed, durable before the segment that cites it
//!   runlog/<attempt>/<stream>/<chunk>  what attempts printed; never read by the fold
//!   probe/<writer>                start-up probe, deleted at once
//!   hint                          overwritten, lossy, never trusted
//! ```

use arco_core::Digest;
use object_store::path::Path;

use crate::error::LogError;
use crate::snapshot::SnapshotRef;

/// Segments per folder, and the unit of trimming: some file systems slow down beyond this many
/// names in one folder, and a tombstone for each segment would cost as much as the segment.
pub const BLOCK: u64 = 10_000;

/// The block a segment lives in.
#[must_use]
pub fn block_of(segment: u64) -> u64 {
    segment / BLOCK
}

/// The first segment of a block. Segments count from 1, so block 0 is one short.
#[must_use]
pub(crate) fn first_of_block(block: u64) -> u64 {
    (block * BLOCK).max(1)
}

/// The paths of one workspace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkspacePaths {
    name: String,
}

impl WorkspacePaths {
    /// The paths of `workspace` of `tenant`.
    ///
    /// # Errors
    /// `Invalid` when a name could not be a folder name everywhere.
    pub fn new(tenant: &str, workspace: &str) -> Result<Self, LogError> {
        for (what, name) in [("tenant", tenant), ("workspace", workspace)] {
            let good = !name.is_empty()
                && name.len() <= 63
                && name
                    .bytes()
                    .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || b"-_".contains(&c))
                && !name.starts_with(['-', '_']);
            if !good {
                return Err(LogError::invalid(
                    format!("`{name}` is not a {what} name"),
                    "use up to 63 lower-case letters, digits, `-` and `_`, starting with a letter \
                     or digit",
                ));
            }
        }
        Ok(Self {
            name: format!("{tenant}/{workspace}"),
        })
    }

    /// `tenant/workspace`, as segment headers say it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    fn at(&self, rest: std::fmt::Arguments<'_>) -> Path {
        Path::from(format!("{}/{rest}", self.name))
    }

    /// The folder of the workspace.
    #[must_use]
    pub fn root(&self) -> Path {
        Path::from(self.name.as_str())
    }

    /// The object that says what this is.
    #[must_use]
    pub fn format(&self) -> Path {
        self.at(format_args!("format"))
    }

    /// The object that says where to look first.
    #[must_use]
    pub fn hint(&self) -> Path {
        self.at(format_args!("hint"))
    }

    /// The folder of all segments.
    #[must_use]
    pub fn log(&self) -> Path {
        self.at(format_args!("log"))
    }

    /// Segment `number`.
    #[must_use]
    pub fn segment(&self, number: u64) -> Path {
        self.at(format_args!("log/{:016}/{number:020}", block_of(number)))
    }

    /// The segment number in a path that [`Self::segment`] made.
    #[must_use]
    pub fn segment_number(&self, path: &Path) -> Option<u64> {
        let number = path.filename()?.parse().ok()?;
        (self.segment(number) == *path).then_some(number)
    }

    /// The tombstone of `block`.
    #[must_use]
    pub fn tombstone(&self, block: u64) -> Path {
        self.at(format_args!("gc/{block:016}"))
    }

    /// A snapshot.
    #[must_use]
    pub fn snapshot(&self, at: &SnapshotRef) -> Path {
        self.at(format_args!("snap/{:020}-{}", at.segment, at.digest))
    }

    /// A blob.
    #[must_use]
    pub fn blob(&self, digest: &Digest) -> Path {
        let digest = digest.to_string();
        self.at(format_args!("blob/{}/{digest}", &digest[..2]))
    }

    /// A history object, by the name its reference carries.
    #[must_use]
    pub fn history(&self, name: &str) -> Path {
        self.at(format_args!("hist/{name}"))
    }

    /// A chunk of what an attempt wrote. The log itself never reads it; it is here because every
    /// path of a workspace is.
    #[must_use]
    pub fn attempt_log(&self, attempt: &str, stream: &str, chunk: u64) -> Path {
        self.at(format_args!("runlog/{attempt}/{stream}/{chunk:08}"))
    }

    /// All chunks of a stream of an attempt, for listing.
    #[must_use]
    pub fn attempt_logs(&self, attempt: &str, stream: &str) -> Path {
        self.at(format_args!("runlog/{attempt}/{stream}"))
    }

    pub(crate) fn probe(&self, key: &str) -> Path {
        self.at(format_args!("probe/{key}"))
    }
}

#[cfg(test)]
mod tests;
