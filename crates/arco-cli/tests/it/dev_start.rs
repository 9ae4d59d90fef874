//! `arco dev` that does not start, and says why.

use std::net::TcpListener;

use crate::assert_run;
use crate::support::{Dev, Process, Project, command, eventually, run};

#[test]
fn busy_port_is_named_with_another() {
    let project = Project::usual();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let answer = run(command()
        .args(["dev", "definitions.py", "--port", &port])
        .current_dir(project.folder()));
    assert_run!(answer, @r"
    exit code: 2
    ── stdout

    ── stderr
    error: port [PORT] of 127.0.0.1 is in use
    hint: arco dev definitions.py --port [PORT]
    ");
}

#[test]
fn busy_port_of_an_arco_is_told_by_its_process() {
    let first = Project::usual();
    let dev = Dev::start(&first);
    let second = Project::usual();
    let answer = run(command()
        .args(["dev", "definitions.py", "--port", &dev.port()])
        .current_dir(second.folder()));
    assert_eq!(answer.code, 2, "{answer}");
    let expected = format!(
        "port {} of 127.0.0.1 is in use by arco (process {})",
        dev.port(),
        dev.id()
    );
    assert!(answer.stderr.contains(&expected), "{answer}");
}

#[test]
fn folder_below_a_file_is_unwritable_for_everyone() {
    let project = Project::usual();
    std::fs::write(project.folder().join("file"), "").unwrap();
    let answer = run(command()
        .args([
            "dev",
            "definitions.py",
            "--port",
            "0",
            "--dir",
            "file/state",
        ])
        .current_dir(project.folder()));
    assert_run!(answer, @r"
    exit code: 2
    ── stdout

    ── stderr
    error: could not lock folder `[FOLDER]/numbers_project/file/state`; it must be a writable folder on a local disk
      caused by: Not a directory (os error 20)
    hint: `--dir FOLDER` names a folder for the state
    ");
}

#[test]
fn second_dev_on_a_folder_is_refused_with_the_owner() {
    let project = Project::usual();
    let dev = Dev::start(&project);
    let answer = run(command()
        .args(["dev", "definitions.py", "--port", "0"])
        .current_dir(project.folder()));
    let owner = format!("process {}", dev.id());
    assert!(answer.stderr.contains(&owner), "{answer}");
    assert_run!(answer, @r"
    exit code: 2
    ── stdout

    ── stderr
    error: folder `[FOLDER]/numbers_project/.arco` is in use by process [PID]; stop that arco, or use another folder
    hint: `--dir FOLDER --port PORT` starts a second arco beside it
    ");
}

#[test]
fn missing_target_is_said_before_anything_starts() {
    let project = Project::usual();
    let answer = run(command()
        .args(["dev", "nowhere.py"])
        .current_dir(project.folder()));
    assert!(!project.state().exists());
    assert_run!(answer, @r"
    exit code: 2
    ── stdout

    ── stderr
    error: could not load `nowhere.py`: it does not exist; name a Python file or a module
    hint: arco dev path/to/definitions.py
    ");
}

#[test]
fn replicas_need_tokens_to_be_reached_from_elsewhere() {
    let project = Project::usual();
    let answer = run(command()
        .args(["serve", "--store", "memory:", "--listen", "0.0.0.0:0"])
        .current_dir(project.folder()));
    assert_run!(answer, @r"
    exit code: 2
    ── stdout

    ── stderr
    error: 0.0.0.0:0 is reached from other machines, and no tokens were given
    hint: `--tokens FILE` names a JSON file with tokens and their roles
    hint: `--listen 127.0.0.1:3000` answers this machine only, without tokens
    ");
}

/// A project whose server has run and stopped, and its log's folder.
fn stopped(project: &Project) -> std::path::PathBuf {
    let mut dev = Dev::loaded(project);
    dev.arco(&["run", "numbers"]).good();
    assert_eq!(dev.stop(), 0, "{}", dev.log());
    project.state().join("store/default/default")
}

fn start_again(project: &Project) -> crate::support::Answer {
    run(command()
        .args(["dev", "definitions.py", "--port", "0"])
        .current_dir(project.folder()))
}

#[test]
fn corrupt_segment_is_named_instead_of_started_on() {
    let project = Project::usual();
    let segment = stopped(&project).join("log/0000000000000000/00000000000000000002");
    let mut bytes = std::fs::read(&segment).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0xff;
    std::fs::write(&segment, bytes).unwrap();
    assert_run!(start_again(&project), "corrupt_segment");
}

#[test]
fn missing_blob_is_named_instead_of_started_on() {
    let project = Project::usual();
    let blobs = stopped(&project).join("blob");
    std::fs::remove_dir_all(blobs).unwrap();
    assert_run!(start_again(&project), "missing_blob");
}

#[test]
fn missing_python_is_named_and_the_server_stays() {
    let project = Project::usual();
    let log = project.folder().join("dev.log");
    let child = command()
        .args([
            "dev",
            "definitions.py",
            "--port",
            "0",
            "--python",
            "/nowhere/python",
        ])
        .current_dir(project.folder())
        .stderr(std::fs::File::create(&log).unwrap())
        .spawn()
        .unwrap();
    let mut dev = Process::new(child);
    let said = eventually("the interpreter is named twice", || {
        let said = std::fs::read_to_string(&log).unwrap();
        (said
            .matches("error: cannot start Python with `/nowhere/python`")
            .count()
            >= 2)
            .then_some(said)
    });
    assert!(said.contains("hint: `--python PATH`"), "{said}");
    assert!(dev.ended().is_none(), "the server stays up");
    dev.signal(nix::sys::signal::Signal::SIGTERM);
    assert!(dev.wait().success());
}
