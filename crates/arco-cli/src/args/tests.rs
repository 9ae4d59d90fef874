use clap::{CommandFactory, Parser};

use super::{Arguments, Command, guide};

#[test]
fn arguments_hold_together() {
    Arguments::command().debug_assert();
}

#[test]
fn partitions_do_not_swallow_selections() {
    let parsed =
        Arguments::try_parse_from(["arco", "run", "-p", "2013-01-01", "flights", "weather"])
            .unwrap();
    let Command::Run(options) = parsed.command else {
        panic!("run")
    };
    assert_eq!(options.ask.selection, ["flights", "weather"]);
    assert_eq!(options.ask.partitions, ["2013-01-01"]);
}

#[test]
fn bad_tag_says_what_tags_look_like() {
    let error = Arguments::try_parse_from(["arco", "run", "a", "--tag", "team"]).unwrap_err();
    assert!(
        error.to_string().contains("tags look like `team=core`"),
        "{error}"
    );
}

#[test]
fn all_partitions_and_a_partition_exclude_each_other() {
    let error =
        Arguments::try_parse_from(["arco", "run", "a", "--all-partitions", "-p", "x"]).unwrap_err();
    assert_eq!(error.exit_code(), 2);
}

#[test]
fn guide_is_what_the_command_line_says() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/guide/cli.md");
    let expected = guide::markdown();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(path, &expected).unwrap();
    }
    let committed = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        committed == expected,
        "docs/guide/cli.md is not what the command line says; UPDATE_DOCS=1 cargo test -p arco-cli guide"
    );
}
