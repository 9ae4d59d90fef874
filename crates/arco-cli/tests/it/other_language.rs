//! A worker that is not Python: `examples/perl-worker` speaks the protocol with Perl's core modules.

use std::process::{Command, Stdio};

use crate::support::{Process, command, eventually, run};

#[test]
fn a_worker_in_another_language_carries_out_a_task() {
    let mut child = command()
        .args([
            "--json",
            "serve",
            "--listen",
            "127.0.0.1:0",
            "--store",
            "memory:",
        ])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let url = crate::serving::ready(&mut child);
    let _server = Process::new(child);
    let script = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../examples/perl-worker/worker.pl"
    );
    let worker = Command::new("perl")
        .args([script, &url, "1"])
        .stdout(Stdio::null())
        .spawn()
        .expect("perl is installed: git needs it too");
    let mut worker = Process::new(worker);

    let arco = |arguments: &[&str]| {
        run(command()
            .args(["--json"])
            .args(arguments)
            .args(["--server", &url]))
    };
    eventually("the perl location is there", || {
        let assets = arco(&["assets", "list"]);
        (assets.code == 0 && assets.stdout.contains("greeting")).then_some(())
    });
    arco(&["run", "greeting"]).good();
    let shown = arco(&["assets", "show", "greeting"]).good();
    assert!(shown.stdout.contains("hello from perl, task 0"), "{shown}");
    assert!(worker.wait().success());
}
