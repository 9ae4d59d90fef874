//! Assets that graphs of ops make, with a fan-out known at run time; by real processes.

use crate::assert_run;
use crate::support::{Dev, Project};

/// `work` raises for what the file `bad` names. Every op notes that it ran.
const DEFINITIONS: &str = r#"
import os
from pathlib import Path

import arco_flow as dg

folder = Path(os.environ["TEST_FOLDER"])


def note(text):
    with open(folder / "journal", "a") as file:
        file.write(text + "\n")


@dg.asset
def names():
    return (folder / "names").read_text().split()


@dg.op(out=dg.DynamicOut())
def split(names):
    note("split")
    for name in names:
        yield dg.DynamicOutput(name, mapping_key=name)


@dg.op(retry_policy=dg.RetryPolicy(max_retries=1))
def work(context: dg.OpExecutionContext, name):
    note(f"work {name} try {context.retry_number}")
    print(f"working on {context.get_mapping_key()}")
    if name in (folder / "bad").read_text().split():
        raise ValueError(f"{name} is bad")
    return name.upper()


@dg.op
def join(words):
    note(f"join {words}")
    return "-".join(words)


@dg.graph_asset
def joined(names):
    return join(split(names).map(work).collect())


@dg.asset
def shout(joined):
    note(f"shout {joined}")


defs = dg.Definitions([names, joined, shout])
"#;

#[test]
fn ops_are_tasks_and_a_fan_out_grows_the_run() {
    let project = Project::new(DEFINITIONS);
    let write = |file: &str, text: &str| {
        std::fs::write(project.folder().join(file), text).unwrap();
    };
    let journal = project.folder().join("journal");
    let said = || {
        let text = std::fs::read_to_string(&journal).unwrap();
        std::fs::remove_file(&journal).unwrap();
        let mut lines: Vec<&str> = text.lines().collect();
        lines.sort_unstable();
        lines.join("\n")
    };
    write("names", "cy ann bob");
    write("bad", "bob");
    let dev = Dev::loaded(&project);

    // Selecting the asset of a graph selects its ops; one branch fails, after its own second try.
    assert_run!(dev.arco(&["run", "*"]), "one_branch_fails");
    insta::assert_snapshot!(said(), @r"
    split
    work ann try 0
    work bob try 0
    work bob try 1
    work cy try 0
    ");
    assert_run!(
        dev.arco(&["runs", "show", "latest", "--tasks"]),
        "one_branch_fails_tasks"
    );

    // From failure: the failed branch alone, with the values of the others.
    write("bad", "");
    dev.arco(&["rerun", "latest", "--from-failure"]).good();
    insta::assert_snapshot!(said(), @r"
    join ['CY', 'ANN', 'BOB']
    shout CY-ANN-BOB
    work bob try 0
    ");
    assert_run!(
        dev.arco(&["runs", "show", "latest", "--tasks"]),
        "mended_tasks"
    );

    // No key: no task, and an empty list.
    write("names", "");
    dev.arco(&["run", "key:names or key:joined"]).good();
    insta::assert_snapshot!(said(), @r"
    join []
    split
    ");
}
