use std::path::Path;

use clap::Parser;

use super::{Description, Wanted, arguments, read, survivor, write};
use crate::args::{Arguments, Command};
use crate::command::worker::PythonOptions;

fn wanted() -> Wanted {
    Wanted {
        target: "/p/definitions.py".into(),
        location: "flights".into(),
        python: PythonOptions {
            slots: Some(3),
            python: Some("/p/.venv/bin/python".into()),
            isolation: None,
            grace: 5,
        },
        server: "http://127.0.0.1:3000".into(),
        storage: "/p/.arco/storage".into(),
        working_dir: "/p".into(),
        lease_s: 15,
        verbose: 0,
    }
}

#[test]
fn arguments_are_understood_by_the_worker() {
    let mut line = vec!["arco".to_owned()];
    line.extend(arguments(&wanted(), Path::new("/p/.arco/hosts/flights")));
    let parsed = Arguments::try_parse_from(line).unwrap();
    assert!(matches!(parsed.command, Command::Worker(_)));
}

#[test]
fn description_comes_back_as_written() {
    let folder = tempfile::tempdir().unwrap();
    let description = Description {
        version: "0.1.0".into(),
        arguments: arguments(&wanted(), folder.path()),
        working_dir: "/p".into(),
    };
    assert_eq!(read(folder.path()), None);
    write(folder.path(), &description).unwrap();
    assert_eq!(read(folder.path()), Some(description));
}

#[test]
fn folder_whose_lock_is_free_has_no_survivor() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(survivor(folder.path()), None);
    let lock = arco_log::FolderLock::acquire(folder.path()).unwrap();
    let own = i32::try_from(std::process::id()).unwrap();
    assert_eq!(
        survivor(folder.path()).map(nix::unistd::Pid::as_raw),
        Some(own)
    );
    drop(lock);
    assert_eq!(survivor(folder.path()), None);
}
