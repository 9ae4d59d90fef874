use std::fs;
use std::path::Path;

use super::{Copy, Tree, git, hash};

fn checkout() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    git(folder.path())
        .args(&["init", "--quiet"])
        .capture()
        .unwrap();
    write(folder.path(), ".gitignore", "/target\n");
    write(folder.path(), "src/lib.rs", "fn a() {}\n");
    folder
}

fn write(root: &Path, path: &str, text: &str) {
    let file = root.join(path);
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(file, text).unwrap();
}

#[test]
fn tree_holds_what_git_does_not_ignore() {
    let checkout = checkout();
    write(checkout.path(), "target/debug/a", "built");
    fs::write(checkout.path().join("blob"), [0xff, 0xfe]).unwrap();
    let tree = Tree::read(checkout.path()).unwrap();
    let paths: Vec<&str> = tree.paths().collect();
    assert_eq!(paths, [".gitignore", "blob", "src/lib.rs"]);
    assert_eq!(tree.text("src/lib.rs"), Some("fn a() {}\n"));
    assert_eq!(tree.text("blob"), None);
    assert!(tree.has("src") && !tree.has_file("src"));
}

#[test]
fn file_deleted_but_still_in_the_index_is_not_in_the_tree() {
    let checkout = checkout();
    git(checkout.path()).args(&["add", "-A"]).capture().unwrap();
    fs::remove_file(checkout.path().join("src/lib.rs")).unwrap();
    assert!(!Tree::read(checkout.path()).unwrap().has("src/lib.rs"));
}

#[test]
fn hash_follows_the_content_and_only_the_content() {
    let checkout = checkout();
    let first = hash(checkout.path()).unwrap();
    write(checkout.path(), "target/x", "ignored");
    assert_eq!(hash(checkout.path()).unwrap(), first, "ignored files");
    write(checkout.path(), "src/lib.rs", "fn b() {}\n");
    let second = hash(checkout.path()).unwrap();
    assert_ne!(second, first, "an edit");
    write(checkout.path(), "new.rs", "");
    assert_ne!(hash(checkout.path()).unwrap(), second, "a new file");
    fs::remove_file(checkout.path().join("new.rs")).unwrap();
    write(checkout.path(), "src/lib.rs", "fn a() {}\n");
    assert_eq!(hash(checkout.path()).unwrap(), first, "as before");
}

#[test]
fn hash_leaves_the_index_of_the_checkout_alone() {
    let checkout = checkout();
    hash(checkout.path()).unwrap();
    let staged = git(checkout.path()).args(&["ls-files"]).capture().unwrap();
    assert_eq!(staged, "");
    let left: Vec<_> = fs::read_dir(checkout.path().join(".git"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .filter(|name| name.to_string_lossy().starts_with("index"))
        .collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn copy_holds_uncommitted_work_and_is_gone_when_dropped() {
    let checkout = checkout();
    let folder = checkout.path().join("target/copy");
    write(&folder, "left over", "from before");
    let copy = Copy::make(checkout.path(), folder.clone()).unwrap();
    assert_eq!(
        fs::read_to_string(copy.folder().join("src/lib.rs")).unwrap(),
        "fn a() {}\n"
    );
    assert!(!copy.folder().join("left over").exists());
    drop(copy);
    assert!(!folder.exists());
}
