//! Limits of a real server, judged by what the bodies wrote down.

use serde_json::{Value, json};

use crate::assert_run;
use crate::support::{Dev, Project, eventually};

/// Bodies that use the database end when the file `go` is there; each notes when it is inside.
const DEFINITIONS: &str = r#"
import os
import time
from pathlib import Path

import arco_flow as dg

folder = Path(os.environ["TEST_FOLDER"])


def note(text):
    with open(folder / "journal", "a") as file:
        file.write(text + "\n")


def use_database(name):
    note(f"in {name}")
    while not (folder / "go").exists():
        time.sleep(0.02)
    note(f"out {name}")


@dg.asset(pool="db")
def orders():
    use_database("orders")


@dg.asset(pool="db")
def customers():
    use_database("customers")


@dg.asset
def report():
    note("report")


defs = dg.Definitions(assets=[orders, customers, report])
"#;

fn journal(project: &Project) -> String {
    std::fs::read_to_string(project.folder().join("journal")).unwrap_or_default()
}

fn ask(dev: &Dev, arguments: &[&str]) -> String {
    let arguments = [&["run", "--detach", "--json"], arguments].concat();
    let run = dev.arco(&arguments).good().json();
    run["id"].as_str().unwrap().to_owned()
}

fn status(dev: &Dev, run: &str) -> Value {
    dev.arco(&["runs", "show", run, "--json"]).good().json()["status"].clone()
}

#[test]
fn limits_are_set_kept_and_explained() {
    let project = Project::new(DEFINITIONS);
    let dev = Dev::loaded(&project);
    assert_run!(dev.arco(&["queue"]), "queue_empty");
    let limits = "queue limits --runs 2 --tag-each team=1 --pool db=1";
    assert_run!(
        dev.arco(&limits.split_whitespace().collect::<Vec<_>>()),
        "queue_limits"
    );

    let both = ask(&dev, &["key:orders or key:customers", "--tag", "team=core"]);
    eventually("the first body is in", || {
        (journal(&project) == "in customers\n").then_some(())
    });
    let same_team = ask(&dev, &["report", "--tag", "team=core"]);
    // What comes later and has room is not held up.
    dev.arco(&["run", "report", "--tag", "team=other"]).good();
    assert_eq!(status(&dev, &same_team), "queued");
    assert_run!(dev.arco(&["queue"]), "queue_waits");
    let rows = dev.arco(&["queue", "--json"]).good().json();
    let row = |at: usize| {
        (
            rows["items"][at]["run"].clone(),
            rows["items"][at]["waits_for"][0]["name"].clone(),
        )
    };
    assert_eq!(row(0), (json!(same_team), json!("tag team=core")));
    assert_eq!(row(1), (json!(both), json!("db")));

    std::fs::write(project.folder().join("go"), "").unwrap();
    for run in [&both, &same_team] {
        eventually("all end", || (status(&dev, run) == "success").then_some(()));
    }
    assert_eq!(
        journal(&project),
        "in customers\nreport\nout customers\nin orders\nout orders\nreport\n",
        "never two in the database, never two of a team"
    );
    assert_run!(
        dev.arco(&[
            "queue",
            "limits",
            "--tag-each",
            "team=none",
            "--pool",
            "db=x"
        ]),
        "queue_limits_refused"
    );
}
