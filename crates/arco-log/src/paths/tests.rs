use super::*;

#[test]
fn paths_are_spelled_so_for_ever() {
    let paths = WorkspacePaths::new("default", "main").unwrap();
    let digest = Digest::of(b"x");
    let cases = [
        (paths.format(), "default/main/format"),
        (paths.hint(), "default/main/hint"),
        (
            paths.segment(1),
            "default/main/log/0000000000000000/00000000000000000001",
        ),
        (
            paths.segment(10_000),
            "default/main/log/0000000000000001/00000000000000010000",
        ),
        (paths.tombstone(3), "default/main/gc/0000000000000003"),
        (
            paths.snapshot(&SnapshotRef { segment: 7, digest }),
            "default/main/snap/00000000000000000007-2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881",
        ),
        (
            paths.blob(&digest),
            "default/main/blob/2d/2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881",
        ),
        (
            paths.attempt_log("run_1.2.3", "stdout", 4),
            "default/main/runlog/run_1.2.3/stdout/00000004",
        ),
    ];
    for (path, expected) in cases {
        assert_eq!(path.as_ref(), expected);
    }
}

#[test]
fn segment_number_reads_back_only_its_own_paths() {
    let paths = WorkspacePaths::new("default", "main").unwrap();
    for number in [1, 9_999, 10_000, 123_456_789] {
        assert_eq!(paths.segment_number(&paths.segment(number)), Some(number));
    }
    let misplaced = Path::from("default/main/log/0000000000000000/00000000000000010000");
    assert_eq!(paths.segment_number(&misplaced), None);
}

#[test]
fn names_that_are_no_folders_are_refused_with_the_rule() {
    for name in ["", "A", "a/b", "..", "-a", "a b", &"x".repeat(64)] {
        let error = WorkspacePaths::new("default", name)
            .unwrap_err()
            .to_string();
        assert!(error.contains("is not a workspace name"), "{error}");
    }
}
