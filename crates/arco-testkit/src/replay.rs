//! The log folded again from nothing, beside the engines that wrote it.

use arco_core::Digest;
use arco_core::event::{Event, Position};
use arco_flow::State;
use arco_flow::state::Blobs;
use arco_log::{Access, Log, LogError, LogOptions, LogStore, Segment, WorkspacePaths};

/// A segment's blobs, for `apply`.
struct Hydrated<'a>(&'a arco_log::Blobs);

impl Blobs for Hydrated<'_> {
    fn get(&self, digest: &Digest) -> Option<&[u8]> {
        self.0.get(digest).map(AsRef::as_ref)
    }
}

/// Every segment of the log of `default/default`, without any snapshot.
///
/// # Errors
/// When a segment is missing or does not read.
pub async fn segments(store: &LogStore) -> Result<Vec<Segment>, LogError> {
    let paths = WorkspacePaths::new("default", "default")?;
    let options = LogOptions {
        access: Access::Read,
        ..LogOptions::default()
    };
    let log = Log::open(store.clone(), paths, options).await?;
    let mut recovery = log.recover(&mut |_| false).await?;
    let mut out = Vec::new();
    while let Some(segment) = recovery.next().await? {
        out.push(segment);
    }
    let mut head = recovery.head();
    while let Some(segment) = log.follow(head.segment + 1, head.digest).await? {
        head = segment.head();
        out.push(segment);
    }
    Ok(out)
}

/// Folds segments on top of a state.
///
/// # Panics
/// When an event does not decode or does not apply.
pub fn fold<'a>(state: State, segments: impl IntoIterator<Item = &'a Segment>) -> State {
    fold_watched(state, segments, &mut |_, _| {})
}

/// As [`fold`]; `watch` sees each event and the state before it.
///
/// # Panics
/// When an event does not decode or does not apply.
pub fn fold_watched<'a>(
    mut state: State,
    segments: impl IntoIterator<Item = &'a Segment>,
    watch: &mut dyn FnMut(&State, &Event),
) -> State {
    for segment in segments {
        for (at, raw) in segment.positions() {
            let event = Event::from_raw(raw).unwrap_or_else(|e| panic!("event {at}: {e}"));
            watch(&state, &event);
            state
                .apply(at, &event, &Hydrated(&segment.blobs))
                .unwrap_or_else(|e| panic!("event {at}: {e}"));
        }
    }
    state
}

/// The whole log folded.
pub async fn replay(store: &LogStore) -> State {
    let segments = segments(store)
        .await
        .unwrap_or_else(|e| panic!("the log does not read: {e}"));
    fold(State::default(), &segments)
}

/// All events of segments, decoded, with the writer of their segment.
pub fn events<'a>(
    segments: &'a [Segment],
) -> impl Iterator<Item = (Position, &'a str, Event)> + 'a {
    segments.iter().flat_map(|segment| {
        segment.positions().map(|(at, raw)| {
            let event = Event::from_raw(raw).unwrap_or_else(|e| panic!("event {at}: {e}"));
            (at, segment.header.writer.as_str(), event)
        })
    })
}
