//! Every bound of the API, next to its reason.

use std::time::Duration;

/// Body of an ordinary command: configuration and tags, written by people and their programs.
pub(crate) const COMMAND_BYTES_MAX: usize = 1024 * 1024;

/// Body of a registration: the manifest. 10,000 assets with descriptions and metadata are some 10 MB.
pub(crate) const MANIFEST_BYTES_MAX: usize = 32 * 1024 * 1024;

/// Body of an exchange. Its reports are one atomic decision, and a segment is at most 4 MiB.
pub(crate) const EXCHANGE_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Body of a call about evaluations. Each answer is a decision of its own; a thousand runs with their
/// configuration are some megabytes.
pub(crate) const EVALUATIONS_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Questions given to a host at once: more than it works on, so that none waits for the next call.
pub(crate) const QUESTIONS_MAX: usize = 100;

/// One chunk of an attempt's output: small enough to keep a slow link busy for a moment only.
pub(crate) const LOG_CHUNK_BYTES_MAX: usize = 1024 * 1024;

/// Chunks of one stream: a chunk a second for eleven days.
pub(crate) const LOG_CHUNKS_MAX: u64 = 1_000_000;

/// One answer with output of an attempt: eight chunks in memory at once.
pub(crate) const LOG_ANSWER_BYTES_MAX: usize = 8 * 1024 * 1024;

/// Attempts whose output one stream follows at once; more join as these end. Each is looked at in the
/// store now and then.
pub(crate) const FOLLOWED_ATTEMPTS_MAX: usize = 512;

/// Attempts that were over before a stream of output began and that it shows: reading one is up to
/// three requests to the store or more, and who follows wants the present.
pub(crate) const PAST_ATTEMPTS_MAX: usize = 200;

/// Chunks that one stream of output holds in memory: as many megabytes.
pub(crate) const FOLLOWED_CHUNKS: usize = 8;

/// A line of output, which is held until its end has come; longer ones are sent in pieces.
pub(crate) const LINE_BYTES_MAX: usize = 256 * 1024;

/// Uploads announced to a follower that has not looked; beyond that it looks at everything.
pub(crate) const UPLOADS_ANNOUNCED: usize = 1_024;

/// The id of an event of output. Clients send it back in a header, and common proxies take 8 KiB.
pub(crate) const CURSOR_BYTES_MAX: usize = 4 * 1024;

/// Rows of a page when none are asked for: a screen.
pub(crate) const PAGE_DEFAULT: usize = 50;

/// Rows of a page, at most: about a megabyte of JSON.
pub(crate) const PAGE_MAX: usize = 1_000;

/// Rows a filter looks at for one page, at most: some milliseconds of work.
pub(crate) const SCAN_MAX: usize = 10_000;

/// Past runs a filter reads from history objects for one page, at most: each is decoded whole.
pub(crate) const PAST_SCAN_MAX: usize = 1_000;

/// JSON text of one page of events, about.
pub(crate) const EVENT_PAGE_BYTES: usize = 4 * 1024 * 1024;

/// Payload of one event on the API. Bigger ones are plans, which the run's tasks show page by page.
pub(crate) const EVENT_PAYLOAD_BYTES_MAX: usize = 256 * 1024;

/// Events read from the log at a time for a stream.
pub(crate) const STREAM_BATCH: usize = 500;

/// Longest wait for work that a host may ask for: under the idle timeout of common proxies (60 s).
pub(crate) const EXCHANGE_WAIT_MAX: Duration = Duration::from_secs(30);

/// Reports of one exchange: a bound on how long one decision takes (some 100 ms).
pub(crate) const REPORTS_MAX: usize = 10_000;

/// Attempts a host may say it holds: far over any number of slots.
pub(crate) const LIVE_MAX: usize = 10_000;

/// Keys of dynamic partitions in one request: they are one event, and a segment is at most 4 MiB.
pub(crate) const DYNAMIC_KEYS_MAX: usize = 10_000;

/// Length of a run key, an idempotency key, a tag's key: they are kept in memory and shown in lists.
pub(crate) const KEY_CHARS_MAX: usize = 512;

/// Length of a tag's value.
pub(crate) const TAG_VALUE_CHARS_MAX: usize = 4_096;

/// Tags of a run.
pub(crate) const TAGS_MAX: usize = 100;

/// Selections of one request.
pub(crate) const SELECTIONS_MAX: usize = 10_000;

/// Runs that one request names to stop them.
pub(crate) const CANCELS_MAX: usize = 10_000;

/// Runs stopped by one decision: each is two events, and a segment is at most 50,000.
pub(crate) const CANCELS_OF_DECISION: usize = 1_000;

/// Partition keys and ranges of one request.
pub(crate) const PARTITION_KEYS_MAX: usize = 200_000;

/// A request's head must have arrived after this: a peer that sends a byte a minute holds a socket.
pub(crate) const HEAD_TIMEOUT: Duration = Duration::from_secs(20);

/// A request's body must have arrived after this, see [`HEAD_TIMEOUT`].
pub(crate) const BODY_TIMEOUT: Duration = Duration::from_secs(60);
