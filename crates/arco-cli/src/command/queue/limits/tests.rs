use clap::Parser;

use super::{Limits, Options, render};

#[derive(Debug, Parser)]
struct Line {
    #[command(flatten)]
    options: Options,
}

fn edited(limits: Limits, flags: &str) -> Limits {
    let line = Line::try_parse_from(["limits"].into_iter().chain(flags.split_whitespace()));
    line.expect("flags").options.edit(limits)
}

#[test]
fn flags_change_what_they_name_and_nothing_else() {
    let flags = "--runs 10 --tag team=3 --tag team=core=2 --tag-each store=1 --pool db=2 --run-pool gpu=1 --pool-default 4 --queue-timeout 600 --max-runtime 1.5";
    let limits = edited(Limits::default(), flags);
    assert_eq!(limits.check(), Ok(()));
    insta::assert_snapshot!(render(&limits), @r"
    runs: 10 at once
    runs tagged team, all values: 3 at once
    runs tagged team=core: 2 at once
    runs tagged store, each value: 1 at once
    pool db: 2 tasks at once
    pool gpu: 1 run at once
    every other pool: 4 tasks at once
    a run waits in the queue: at most 10 min 00 s
    a run goes on: at most 1.50 s
    ");
    assert_eq!(edited(limits.clone(), ""), limits);
    let fewer = edited(
        limits,
        "--runs none --tag team=none --tag store=none --pool db=none --pool-default none --queue-timeout none --max-runtime none",
    );
    insta::assert_snapshot!(render(&fewer), @r"
    runs: no limit
    runs tagged team=core: 2 at once
    runs tagged store, each value: 1 at once
    pool gpu: 1 run at once
    ");
}

#[test]
fn a_limit_that_is_no_number_is_refused() {
    for flags in [
        "--runs many",
        "--pool db",
        "--tag team=x",
        "--max-runtime soon",
    ] {
        let line = ["limits"].into_iter().chain(flags.split_whitespace());
        let error = Line::try_parse_from(line).expect_err(flags).to_string();
        assert!(error.contains("none"), "{error}");
    }
}
