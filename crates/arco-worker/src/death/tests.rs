use super::*;

fn witness(text: &str) -> (tempfile::TempDir, PathBuf, MemoryWitness) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("memory.events");
    std::fs::write(&path, text).unwrap();
    let witness = MemoryWitness::over(vec![(path.clone(), "oom_kill")]);
    (folder, path, witness)
}

fn killed_by(signal: i32) -> Exit {
    Exit {
        signal: Some(signal),
        ..Exit::default()
    }
}

#[test]
fn sigkill_with_a_risen_count_is_out_of_memory_once() {
    let (_folder, path, witness) = witness("low 0\noom 1\noom_kill 1\noom_group_kill 0\n");
    std::fs::write(&path, "low 0\noom 2\noom_kill 2\noom_group_kill 0\n").unwrap();
    let first = explain(&killed_by(9), &witness, String::new());
    let second = explain(&killed_by(9), &witness, String::new());
    assert_eq!(
        (first.0, second.0),
        (FailureClass::OutOfMemory, FailureClass::Crashed)
    );
}

#[test]
fn other_deaths_name_their_cause() {
    let (_folder, _path, witness) = witness("oom_kill 0\n");
    let rows = [
        (
            killed_by(11),
            FailureClass::Crashed,
            "killed by SIGSEGV (segmentation fault)",
        ),
        (
            killed_by(9),
            FailureClass::Crashed,
            "killed by SIGKILL, not by the worker host",
        ),
        (
            Exit {
                code: Some(3),
                ..Exit::default()
            },
            FailureClass::Crashed,
            "exited with code 3",
        ),
        (
            Exit {
                with_zygote: Some("exited with code 1".into()),
                ..killed_by(9)
            },
            FailureClass::Infrastructure,
            "went down with the zygote",
        ),
    ];
    for (exit, expected_class, expected) in rows {
        let (class, error) = explain(&exit, &witness, String::new());
        assert_eq!(class, expected_class);
        assert!(error.message.contains(expected), "{}", error.message);
    }
}

#[test]
fn both_cgroup_versions_are_read() {
    let two = sources("0::/user.slice/x.scope\n");
    assert_eq!(
        two[0].0,
        Path::new("/sys/fs/cgroup/user.slice/x.scope/memory.events")
    );
    let one = sources("9:name=systemd:/\n4:memory:/pod/1\n0::/\n");
    assert_eq!(
        one[0].0,
        Path::new("/sys/fs/cgroup/memory/pod/1/memory.oom_control")
    );
}
