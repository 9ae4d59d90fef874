use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::time::Duration;

use super::{ChildGuard, live_groups};
use crate::timing::poll;

/// Starts a shell script and waits for the first line it prints.
fn script(text: &str) -> (ChildGuard, String) {
    let mut shell = Command::new("sh");
    shell.args(["-c", text]).stdout(Stdio::piped());
    let mut guard = ChildGuard::start(shell, "sh").unwrap();
    let mut line = String::new();
    BufReader::new(guard.child.stdout.take().unwrap())
        .read_line(&mut line)
        .unwrap();
    (guard, line.trim().to_owned())
}

/// Whether a process runs; one that nobody has reaped yet does not.
fn runs(process: &str) -> bool {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    stat.rsplit(") ")
        .next()
        .is_some_and(|rest| !rest.is_empty() && !rest.starts_with('Z'))
}

#[test]
fn dropping_the_guard_ends_the_whole_group() {
    let (guard, grandchild) = script("sleep 1000 & echo $!; wait");
    let group = guard.group;
    assert!(runs(&grandchild));
    assert!(live_groups().contains(&group));
    drop(guard);
    let gone = poll(Duration::from_secs(10), Duration::from_millis(5), || {
        (!runs(&grandchild)).then_some(())
    });
    assert_eq!(gone, Some(()), "a process of the group survived");
    assert!(!live_groups().contains(&group));
}

#[test]
fn a_program_that_ignores_the_request_to_end_is_killed() {
    let (mut guard, _) = script("trap '' TERM; echo ready; exec sleep 1000");
    guard.grace = Duration::from_millis(50);
    let status = guard.stop().unwrap();
    assert_eq!(status.code(), None, "a signal ended it: {status}");
    assert!(!runs(&guard.id().to_string()));
}

#[test]
fn what_a_program_printed_is_given_with_how_it_ended() {
    let mut shell = Command::new("sh");
    shell
        .args(["-c", "echo out; exit 3"])
        .stdout(Stdio::piped());
    let (status, out) = ChildGuard::start(shell, "sh")
        .unwrap()
        .wait_with_stdout()
        .unwrap();
    assert_eq!((status.code(), out.as_str()), (Some(3), "out\n"));
}

#[test]
fn a_program_that_is_not_there_is_named() {
    let error =
        ChildGuard::start(Command::new("no-such-program"), "no-such-program -x").unwrap_err();
    assert_eq!(error.to_string(), "start `no-such-program -x`");
}
