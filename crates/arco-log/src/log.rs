//! One workspace's log, opened.
//!
//! A [`Log`] is a cheap handle. What it remembers is little and all of it may be lost: when it last
//! knew the tail to be alive ([`trim`]), which attempts of its own may still land ([`append`]), and
//! the newest snapshots it has heard of ([`hint`]).

pub(crate) mod append;
mod blobs;
mod follow;
mod format;
mod hint;
mod history;
mod orphans;
mod probe;
mod recover;
pub(crate) mod recovery;
pub(crate) mod show;
mod snapshots;
mod trim;
pub(crate) mod verify;

use std::collections::BTreeMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use arco_core::Digest;

use crate::clock::{BootClock, SystemBootClock};
use crate::error::LogError;
use crate::paths::WorkspacePaths;
use crate::segment::READER;
use crate::store::LogStore;

use hint::Remembered;
use trim::Proof;

/// Whether opening may write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Starts a log where there is none, and probes the store with two conditional puts.
    Write,
    /// Touches nothing; the log must be there.
    Read,
}

/// How to open a log. The defaults suit a server.
#[derive(Debug, Clone)]
pub struct LogOptions {
    /// Names this opening of the log. Nonces are made of it, so it must never be used twice.
    pub writer: String,
    /// Time since boot.
    pub clock: Arc<dyn BootClock>,
    /// Whether opening may write.
    pub access: Access,
    /// How long a put is tried before its outcome is unknown. Thirty seconds: longer than the hiccups
    /// of stores, shorter than the patience of clients.
    pub give_up_after: Duration,
    /// Segments fetched at once at recovery. 32 hide 30 ms of latency behind the decoding.
    pub parallel_gets: usize,
    /// The hint is written at most this often: some stores allow one write a second to one name.
    pub hint_interval: Duration,
    /// The reader this is.
    pub reader: u32,
    /// The reader that the segments written here ask for.
    pub min_reader: u32,
}

impl Default for LogOptions {
    fn default() -> Self {
        // The keys of the standard hasher are the one source of randomness in the standard library.
        let random = || RandomState::new().hash_one(0_u8);
        Self {
            writer: format!("w_{:016x}{:016x}", random(), random()),
            clock: Arc::new(SystemBootClock),
            access: Access::Write,
            give_up_after: Duration::from_secs(30),
            parallel_gets: 32,
            hint_interval: Duration::from_secs(10),
            reader: READER,
            min_reader: READER,
        }
    }
}

/// A handle on the log of one workspace. Clones share it.
#[derive(Debug, Clone)]
pub struct Log {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    store: LogStore,
    paths: WorkspacePaths,
    options: LogOptions,
    nonces: AtomicU64,
    volatile: Mutex<Volatile>,
}

/// What the handle remembers between calls.
#[derive(Debug, Default)]
struct Volatile {
    proof: Option<Proof>,
    /// Attempts of ours that may have landed, by segment. Emptied up to a segment once what is in that
    /// slot is known, so it holds one or two.
    outstanding: BTreeMap<u64, Vec<Digest>>,
    remembered: Remembered,
}

impl Log {
    /// Opens the log of `paths` in `store`; with [`Access::Write`], starts it if need be and probes
    /// the store.
    ///
    /// # Errors
    /// `Refused` when the store ignores conditions, `Invalid` when there is no log to read,
    /// `TooNew` or `Corrupt` when what is there is not for this reader.
    pub async fn open(
        store: LogStore,
        paths: WorkspacePaths,
        options: LogOptions,
    ) -> Result<Self, LogError> {
        let log = Self::with(store.clone(), paths.clone(), options.clone());
        match log.inner.options.access {
            Access::Write => {
                log.probe().await?;
                log.create_or_check_format().await?;
            }
            Access::Read => log.check_format().await?,
        }
        let store = store.anchored(&paths.format())?;
        Ok(Self::with(store, paths, options))
    }

    fn with(store: LogStore, paths: WorkspacePaths, options: LogOptions) -> Self {
        Self {
            inner: Arc::new(Inner {
                store,
                paths,
                options,
                nonces: AtomicU64::new(0),
                volatile: Mutex::default(),
            }),
        }
    }

    /// The store.
    #[must_use]
    pub fn store(&self) -> &LogStore {
        &self.inner.store
    }

    /// Where the objects are.
    #[must_use]
    pub fn paths(&self) -> &WorkspacePaths {
        &self.inner.paths
    }

    /// What segments written through this handle call their writer.
    #[must_use]
    pub fn writer(&self) -> &str {
        &self.inner.options.writer
    }

    fn now(&self) -> Duration {
        self.inner.options.clock.now()
    }

    fn volatile(&self) -> MutexGuard<'_, Volatile> {
        // Nothing in there is half-changed by a panic.
        self.inner
            .volatile
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}
