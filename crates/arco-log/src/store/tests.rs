use super::*;
use crate::lock::FolderLock;
use crate::paths::WorkspacePaths;

#[test]
fn urls_open_a_store_or_say_what_would() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a/b");
    let text = path.display().to_string();
    for url in [
        text.clone(),
        format!("file:{text}"),
        format!("file://{text}"),
    ] {
        let store = LogStore::open(&url).unwrap();
        assert_eq!(store.local_folder(), Some(path.as_path()), "{url}");
    }
    assert_eq!(LogStore::open("memory:").unwrap().local_folder(), None);
    for url in ["s3://bucket/x", "gs://b", "memory:x", "file:", ""] {
        let error = LogStore::open(url).unwrap_err().to_string();
        assert!(
            error.contains("this build supports `memory:`, `file:/path` and a plain path"),
            "{url}: {error}"
        );
    }
}

#[test]
fn opening_to_read_makes_no_folder() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("typo");
    let error = LogStore::open_existing(path.to_str().unwrap()).unwrap_err();
    assert!(error.to_string().contains("there is no folder"), "{error}");
    assert!(!path.exists());
}

#[tokio::test]
async fn leftovers_of_a_crash_are_swept_under_the_lock() {
    let folder = tempfile::tempdir().unwrap();
    let store = LogStore::open(folder.path().to_str().unwrap()).unwrap();
    let paths = WorkspacePaths::new("default", "main").unwrap();
    store
        .create(&paths.segment(1), Bytes::from_static(b"kept"))
        .await
        .unwrap();
    let staged = folder.path().join(format!("{}#1", paths.segment(1)));
    std::fs::write(&staged, b"half").unwrap();
    std::fs::write(folder.path().join(format!("{}#2", paths.hint())), b"h").unwrap();
    let lock = FolderLock::acquire(folder.path()).unwrap();
    assert_eq!(store.sweep_staged(&lock, &paths).unwrap(), 2);
    assert!(!staged.exists());
    assert_eq!(
        store.get(&paths.segment(1)).await.unwrap(),
        Some(Bytes::from_static(b"kept"))
    );
}
