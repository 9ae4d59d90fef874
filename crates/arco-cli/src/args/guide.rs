//! The guide to the command line, made from the command line itself.

use std::fmt::Write as _;

use clap::CommandFactory;

use super::Arguments;
use crate::env_vars;

/// Wide enough for the longest flag, narrow enough for a page.
const WIDTH: usize = 100;

/// `docs/guide/cli.md`.
pub(crate) fn markdown() -> String {
    let mut root = Arguments::command();
    root.build();
    let mut page = String::from(INTRODUCTION);
    page.push_str("\n## Environment\n\nFlags win over variables.\n\n| variable | since | what it does |\n|---|---|---|\n");
    for variable in env_vars::ALL {
        let _ = writeln!(
            page,
            "| `{}` | {} | {} |",
            variable.name, variable.since, variable.purpose
        );
    }
    page.push_str("\n## Commands\n");
    section(&mut page, &root);
    page
}

fn section(page: &mut String, command: &clap::Command) {
    let name = command.get_bin_name().unwrap_or_else(|| command.get_name());
    let _ = write!(page, "\n### {name}\n\n```text\n{}\n```\n", help(name));
    let subcommands = command.get_subcommands();
    for sub in subcommands.filter(|sub| sub.get_name() != "help" && !sub.is_hide_set()) {
        section(page, sub);
    }
}

/// What a person reads who asks for it: clap decides between a long and a short form only then.
fn help(name: &str) -> String {
    let line = name.split(' ').chain(["--help"]);
    let asked = Arguments::command()
        .term_width(WIDTH)
        .try_get_matches_from(line);
    let help = asked
        .expect_err("`--help` is an answer, not a match")
        .to_string();
    let lines: Vec<&str> = help.trim_end().lines().map(str::trim_end).collect();
    lines.join("\n")
}

const INTRODUCTION: &str = "\
# The command line

<!-- Made from the command line itself: `UPDATE_DOCS=1 cargo test -p arco-cli guide` writes it, a test compares it. -->

One binary, `arco`. `dev`, `serve` and `worker` run something; `log` reads a store; all others ask a control plane over
HTTP.

- Data goes to stdout, everything else to stderr. With `--json` stdout holds one JSON document, or one a line where there
  are many (`logs`, `log show`, the notices of `dev` and `serve`).
- Errors say what was attempted, on what, and the mend; `hint:` lines are commands to try next.
- Exit codes: 0 it worked; 1 it worked and what it reports on did not (a failed run, a damaged log); 2 it was refused or
  could not be asked for; 130 it was broken off by Ctrl-C
  (`dev`, `serve` and `worker` end with 0 when they were asked once and could stop in order).
- Runs are named by id or `latest`; tasks of a run by number, `step` or `step[partition]`.
";
