use super::*;

#[test]
fn second_lock_names_the_owner_and_a_dropped_one_is_free() {
    let folder = tempfile::tempdir().unwrap();
    let first = FolderLock::acquire(folder.path()).unwrap();
    let error = FolderLock::acquire(folder.path()).unwrap_err();
    assert!(
        matches!(error, LockError::Held { pid: Some(pid), .. } if pid == std::process::id()),
        "{error}"
    );
    drop(first);
    FolderLock::acquire(folder.path()).unwrap();
}

#[test]
fn a_dead_owners_number_does_not_hold_the_folder() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("lock"), "999999999 and a long line\n").unwrap();
    let lock = FolderLock::acquire(folder.path()).unwrap();
    let text = std::fs::read_to_string(lock.folder().join("lock")).unwrap();
    assert_eq!(text, format!("{}\n", std::process::id()));
}
