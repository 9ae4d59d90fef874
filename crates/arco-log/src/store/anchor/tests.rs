use std::path::{Path as FilePath, PathBuf};

use object_store::path::Path;

use super::Anchor;

fn write(folder: &FilePath, object: &str) {
    let path = folder.join(object);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, object).unwrap();
}

/// An anchored folder; whether it was moved away, what stands in its place, and whether that is left
/// after the put of `late/1` is taken back.
fn left(moved: bool, in_its_place: &[&str]) -> bool {
    let place = tempfile::tempdir().unwrap();
    let folder: PathBuf = place.path().join("store");
    write(&folder, "meta");
    let anchor = Anchor::new(&folder, &Path::from("meta")).unwrap();
    if moved {
        std::fs::rename(&folder, place.path().join("aside")).unwrap();
    }
    in_its_place
        .iter()
        .for_each(|object| write(&folder, object));
    anchor.take_back(&Path::from("late/1"));
    folder.exists()
}

#[test]
fn a_folder_that_only_a_late_put_made_goes_again() {
    assert!(!left(true, &["late/1"]));
    assert!(!left(true, &[]));
}

#[test]
fn what_holds_anything_else_stays() {
    assert!(left(false, &["late/1"]));
    assert!(left(true, &["late/1", "late/2"]));
    assert!(left(true, &["late/1", "other"]));
}
