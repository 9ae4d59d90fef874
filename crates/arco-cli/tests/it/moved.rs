//! A state folder that is moved away under a live `arco dev`.

use crate::support::{Dev, Project, arco, run};

/// The folder at another place, and back again whatever becomes of the test: the host that is to be
/// ended with it is found by it.
struct Aside<'a>(&'a Project);

impl<'a> Aside<'a> {
    fn new(project: &'a Project) -> Self {
        std::fs::rename(project.state(), Self::at(project)).unwrap();
        Self(project)
    }

    fn at(project: &Project) -> std::path::PathBuf {
        project.folder().join("moved")
    }
}

impl Drop for Aside<'_> {
    fn drop(&mut self) {
        // A host that was started meanwhile may have made its own.
        let _ = std::fs::remove_dir_all(self.0.state());
        std::fs::rename(Self::at(self.0), self.0.state()).unwrap();
    }
}

fn runs(project: &Project) -> usize {
    let state = project.state().display().to_string();
    let requested = ["log", "show", "--dir", &state, "--kind", "run.requested"];
    arco(&requested).good().stdout.lines().count()
}

#[test]
fn a_moved_state_folder_refuses_what_is_asked_and_loses_nothing() {
    let project = Project::usual();
    let mut dev = Dev::loaded(&project);
    dev.arco(&["run", "numbers"]).good();
    let aside = Aside::new(&project);

    let refused = run(dev.command().args(["run", "numbers"]));
    assert_eq!(refused.code, 2, "{refused}");
    for part in [
        "this process reads only",
        "/.arco/store` is no longer the one that this process opened: it was moved",
        "/moved/store` back to",
        "start it again",
    ] {
        assert!(refused.stderr.contains(part), "{part}: {refused}");
    }
    assert!(!project.state().join("store").exists(), "{refused}");
    assert!(dev.log().contains("this process reads only from here"));

    dev.kill();
    drop(aside);
    let state = project.state().display().to_string();
    arco(&["log", "verify", "--dir", &state]).good();
    assert_eq!(runs(&project), 1);
    let dev = Dev::loaded(&project);
    dev.arco(&["run", "numbers"]).good();
    assert_eq!(runs(&project), 2);
}
