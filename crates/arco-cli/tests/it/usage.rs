//! Help, and commands that cannot be understood or have nobody to ask.

use crate::assert_run;
use crate::support::{arco, command, run};

const COMMANDS: [&[&str]; 27] = [
    &[],
    &["dev"],
    &["serve"],
    &["worker"],
    &["run"],
    &["rerun"],
    &["runs"],
    &["runs", "list"],
    &["runs", "show"],
    &["runs", "retries"],
    &["logs"],
    &["cancel"],
    &["plan"],
    &["why"],
    &["assets"],
    &["assets", "list"],
    &["assets", "show"],
    &["partitions"],
    &["partitions", "list"],
    &["partitions", "show"],
    &["partitions", "add"],
    &["partitions", "remove"],
    &["status"],
    &["definitions"],
    &["log", "show"],
    &["log", "verify"],
    &["version"],
];

/// The guide is the snapshot of every help text: it is made from the command line and committed.
#[test]
fn help_of_every_command_is_in_the_guide() {
    let guide = include_str!("../../../../docs/guide/cli.md");
    for words in COMMANDS {
        let answer = run(command().args(words).arg("--help")).good();
        let help: Vec<&str> = answer
            .stdout
            .trim_end()
            .lines()
            .map(str::trim_end)
            .collect();
        assert!(
            guide.contains(&help.join("\n")),
            "{words:?}:\n{}",
            answer.stdout
        );
        assert_eq!(answer.stderr, "");
    }
}

#[test]
fn short_help_names_every_command() {
    assert_run!(arco(&["-h"]), "short_help");
}

#[test]
fn unknown_flag_suggests_the_known_one() {
    assert_run!(arco(&["run", "flights", "--all-partition"]), @r"
    exit code: 2
    ── stdout

    ── stderr
    error: unexpected argument '--all-partition' found

      tip: a similar argument exists: '--all-partitions'

    Usage: arco run --all-partitions <SELECTION>...

    For more information, try '--help'.
    ");
}

#[test]
fn unknown_command_suggests_the_known_one() {
    assert_run!(arco(&["asets"]), @r"
    exit code: 2
    ── stdout

    ── stderr
    error: unrecognized subcommand 'asets'

      tip: some similar subcommands exist: 'sensor', 'status', 'assets'

    Usage: arco [OPTIONS] <COMMAND>

    For more information, try '--help'.
    ");
}

#[test]
fn bad_run_id_says_what_ids_look_like() {
    assert_run!(arco(&["cancel", "run_1"]), @r"
    exit code: 2
    ── stdout

    ── stderr
    error: invalid value 'run_1' for '[RUN]...': `run_1` is not a run id; run ids look like `run_[ID......................]`, or `latest`

    For more information, try '--help'.
    ");
}

#[test]
fn unreachable_server_is_named_with_what_to_do() {
    // Nothing listens on port 1 of any machine these tests run on.
    let answer = run(command()
        .args(["status"])
        .env("ARCO_SERVER", "http://127.0.0.1:1"));
    assert_eq!(answer.code, 2);
    insta::assert_snapshot!(answer.stderr.trim_end(), @r"
    error: could not reach the control plane at http://127.0.0.1:1
      caused by: Connection refused (os error 111)
    hint: start one with `arco dev definitions.py`, or name another with `--server URL`
    ");
}

#[test]
fn server_that_is_no_address_is_refused() {
    assert_run!(arco(&["status", "--server", "localhost:3000"]), @r"
    exit code: 2
    ── stdout

    ── stderr
    error: `localhost:3000` is not the address of a server
    hint: a server is given as `http://127.0.0.1:3000` or `https://arco.example.com`
    ");
}

#[test]
fn version_is_one_document() {
    let version = arco(&["version", "--json"]).good().json();
    assert_eq!(version["version"], env!("CARGO_PKG_VERSION"));
    assert!(version["log_reader"].is_u64());
}

#[test]
fn missing_token_file_is_named() {
    assert_run!(arco(&["status", "--token-file", "/nowhere/token"]), @r"
    exit code: 2
    ── stdout

    ── stderr
    error: could not read the token file `/nowhere/token`
      caused by: No such file or directory (os error 2)
    ");
}
