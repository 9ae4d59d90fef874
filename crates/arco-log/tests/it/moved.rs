//! Folders that are moved, removed or replaced under an open log, and what is left of a log.

use std::path::{Path, PathBuf};

use arco_log::{Access, AppendOutcome, Head, Log, LogError, LogOptions, LogStore};
use bytes::Bytes;

use crate::support::{append, grow, open, options, paths, recover};

struct Opened {
    place: tempfile::TempDir,
    folder: PathBuf,
    log: Log,
    head: Head,
}

/// A log of three segments in a folder.
async fn opened() -> Opened {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path().join("store");
    let store = LogStore::open(folder.to_str().unwrap()).unwrap();
    let log = open(&store, "w").await;
    let head = grow(&log, Head::genesis(), 3).await;
    Opened {
        place,
        folder,
        log,
        head,
    }
}

/// Every way to write and to find nothing is refused; gives the words.
async fn refused(opened: &Opened) -> String {
    let Opened { log, head, .. } = opened;
    let errors = [
        append(log, *head, "lost").await.unwrap_err(),
        log.follow(head.segment + 1, head.digest).await.unwrap_err(),
        log.put_blob(Bytes::from_static(b"lost")).await.unwrap_err(),
        log.store().get(&log.paths().segment(9)).await.unwrap_err(),
        log.store().delete(&log.paths().hint()).await.unwrap_err(),
        log.store()
            .overwrite(&log.paths().hint(), Bytes::new())
            .await
            .unwrap_err(),
    ];
    for error in &errors {
        assert!(matches!(error, LogError::Moved { .. }), "{error}");
        assert!(!error.retryable());
    }
    errors[0].to_string()
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

#[tokio::test]
async fn a_moved_folder_takes_nothing_and_nothing_is_made_in_its_place() {
    let opened = opened().await;
    let aside = opened.place.path().join("aside");
    std::fs::rename(&opened.folder, &aside).unwrap();
    let text = refused(&opened).await;
    let (from, to) = (opened.folder.display(), aside.display());
    let root = opened.place.path().canonicalize().unwrap();
    let expected = format!(
        "folder `{from}` is no longer the one that this process opened: it was moved; stop arco, move \
         `{to}` back to `{from}` and start it again"
    );
    assert_eq!(
        text.replace(
            &root.display().to_string(),
            &opened.place.path().display().to_string()
        ),
        expected
    );
    assert!(!opened.folder.exists());
    // Put back, nothing was lost.
    std::fs::rename(&aside, &opened.folder).unwrap();
    grow(&opened.log, opened.head, 1).await;
    assert_eq!(recover(&opened.log).await.unwrap().head.segment, 4);
}

#[tokio::test]
async fn a_removed_folder_is_not_made_again() {
    let opened = opened().await;
    std::fs::remove_dir_all(&opened.folder).unwrap();
    let text = refused(&opened).await;
    assert!(text.contains("it was moved, removed or replaced"), "{text}");
    assert!(!opened.folder.exists());
}

#[tokio::test]
async fn a_copy_in_its_place_is_another_folder() {
    let opened = opened().await;
    let aside = opened.place.path().join("aside");
    std::fs::rename(&opened.folder, &aside).unwrap();
    copy(&aside, &opened.folder);
    let error = append(&opened.log, opened.head, "lost").await.unwrap_err();
    assert!(matches!(error, LogError::Moved { .. }), "{error}");
    assert!(!opened.folder.join(paths().segment(4).as_ref()).exists());
}

#[tokio::test]
async fn no_log_is_begun_beside_the_segments_of_another() {
    for (gone, access) in [
        (vec![paths().format()], Access::Write),
        (vec![paths().format()], Access::Read),
        (vec![paths().format(), paths().segment(1)], Access::Write),
        (vec![paths().segment(1)], Access::Write),
    ] {
        let store = LogStore::memory();
        let log = open(&store, "w").await;
        grow(&log, Head::genesis(), 3).await;
        for path in &gone {
            store.delete(path).await.unwrap();
        }
        let again = LogOptions {
            access,
            ..options("x")
        };
        let begun = match Log::open(store.clone(), paths(), again).await {
            Ok(log) => recover(&log).await.map(|_| ()),
            Err(error) => Err(error),
        };
        let text = begun.unwrap_err().to_string();
        assert!(
            text.contains(
                "it is a segment and the beginning of its log is missing; if the log was moved"
            ),
            "{gone:?}: {text}"
        );
    }
}

#[tokio::test]
async fn a_log_that_another_begins_meanwhile_is_no_orphan() {
    let store = LogStore::memory();
    let (one, two) = (open(&store, "one").await, open(&store, "two").await);
    grow(&one, Head::genesis(), 1).await;
    assert_eq!(recover(&two).await.unwrap().head.segment, 1);
    let lost = append(&two, Head::genesis(), "late").await.unwrap();
    assert!(matches!(lost, AppendOutcome::Lost { .. }), "{lost:?}");
}
