//! Several code locations, each with its own host and versions, by real processes.

use std::path::Path;

use crate::support::{Dev, Project, command, eventually, python, python_path, run};

/// Notes what it did in `journal`, and waits for the file `go` when it is told to.
const UPSTREAM: &str = r#"
import os, time
from pathlib import Path

import arco_flow as dg

folder = Path(os.environ["TEST_FOLDER"])
VERSION = "one"


def note(text):
    with open(folder / "journal", "a") as file:
        file.write(text + "\n")


@dg.asset
def orders(context: dg.AssetExecutionContext):
    note(f"orders {VERSION} by {os.getppid()}")
    while context.has_tag("slow") and not (folder / "go").exists():
        time.sleep(0.02)
    note(f"orders {VERSION} done")
    return [1, 2, 3]


@dg.asset(deps=[orders])
def checked():
    note(f"checked {VERSION}")


defs = dg.Definitions(assets=[orders, checked], jobs=[dg.define_asset_job("nightly", "*checked")])
"#;

/// Reads an asset of the other location.
const DOWNSTREAM: &str = r#"
import os
from pathlib import Path

import arco_flow as dg

folder = Path(os.environ["TEST_FOLDER"])


@dg.asset
def report(orders):
    with open(folder / "journal", "a") as file:
        file.write(f"report of {len(orders)} by {os.getppid()}\n")


defs = dg.Definitions(
    assets=[dg.AssetSpec("orders"), report], jobs=[dg.define_asset_job("nightly", [report])]
)
"#;

fn written(folder: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(folder.join("journal")).unwrap_or_default();
    let _ = std::fs::remove_file(folder.join("journal"));
    text.lines().map(str::to_owned).collect()
}

#[test]
fn a_run_goes_over_several_locations_and_a_reload_loses_nothing_in_flight() {
    let project = Project::new(UPSTREAM);
    let folder = project.folder();
    std::fs::create_dir(folder.join("reports")).unwrap();
    std::fs::write(folder.join("reports/reports.py"), DOWNSTREAM).unwrap();
    std::fs::write(
        folder.join("arco.toml"),
        "[[location]]\ntarget = \"definitions.py\"\nname = \"shop\"\n\n\
         [[location]]\ntarget = \"reports/reports.py\"\n",
    )
    .unwrap();
    let dev = Dev::start_without_target(&project, &["--port", "0"]);
    dev.wait_for("loaded");
    dev.wait_for("loaded");
    let shown = dev.arco(&["definitions", "--json"]).good().json();
    let names: Vec<&str> = shown["locations"]
        .as_array()
        .unwrap()
        .iter()
        .map(|location| location["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["reports", "shop"]);

    // One run over both: upstream first, each task by the host of its own location.
    dev.arco(&["run", "*report"]).good();
    let lines = written(&folder);
    assert_eq!(lines.len(), 3, "{lines:?}");
    assert!(lines[0].starts_with("orders one by ") && lines[2].starts_with("report of 3 by "));
    let host = |line: &str| line.rsplit(' ').next().unwrap().to_owned();
    assert_ne!(host(&lines[0]), host(&lines[2]), "two zygotes");

    // Both have a job of this name: which one must be said.
    let both = dev.arco(&["run", "--job", "nightly"]);
    assert!(
        both.stderr
            .contains("several locations define a job `nightly`"),
        "{both}"
    );
    dev.arco(&["run", "--job", "nightly", "--location", "reports"])
        .good();
    written(&folder);

    // While a run is under way its code changes. The run goes on with what it was planned with.
    let made = dev
        .arco(&[
            "run",
            "--job",
            "nightly",
            "--location",
            "shop",
            "--tag",
            "slow=yes",
            "--detach",
            "--json",
        ])
        .good()
        .json();
    let id = made["id"].as_str().unwrap();
    eventually("it runs", || {
        let text = std::fs::read_to_string(folder.join("journal")).unwrap_or_default();
        text.contains("orders one by").then_some(())
    });
    let versions = |run: &str| {
        let shown = dev.arco(&["runs", "show", run, "--json"]).good().json();
        shown["definitions"]["shop"].as_str().unwrap().to_owned()
    };
    let pinned = versions(id);
    let changed = UPSTREAM
        .replace("\"one\"", "\"two\"")
        .replace(
            "@dg.asset(deps=[orders])",
            "@dg.asset\ndef extra():\n    pass\n\n\n@dg.asset(deps=[orders])",
        )
        .replace("assets=[orders,", "assets=[orders, extra,");
    dev.save(&project, &changed, "loaded");
    std::fs::write(folder.join("go"), "").unwrap();
    eventually("it ends", || {
        let shown = dev.arco(&["runs", "show", id, "--json"]).good().json();
        (shown["status"] == "success").then_some(())
    });
    let lines = written(&folder);
    assert!(
        lines.contains(&"orders one done".to_owned()),
        "the task in flight finished: {lines:?}"
    );
    assert_eq!(versions(id), pinned);
    assert_eq!(
        lines
            .iter()
            .filter(|line| line.starts_with("checked"))
            .count(),
        1,
        "{lines:?}"
    );

    // The next run has the new code; the other location was not touched.
    dev.arco(&["run", "orders", "extra"]).good();
    assert!(written(&folder)[0].starts_with("orders two by "));
    assert_ne!(versions("latest"), pinned);
}

#[test]
fn a_new_project_runs_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("daily_sales");
    let made = run(command().arg("new").arg(&place)).good();
    assert!(made.stdout.contains("made project `daily_sales`"), "{made}");
    let again = run(command().arg("new").arg(&place));
    assert_eq!(again.code, 2, "{again}");
    assert!(
        again.stderr.contains("it is there already, and not empty"),
        "{again}"
    );

    let project = Project::at(&place, "daily_sales/definitions.py");
    let dev = Dev::loaded(&project);
    dev.arco(&["run", "*", "--partition", "2026-01-02"]).good();
    let shown = dev
        .arco(&["runs", "show", "latest", "--json"])
        .good()
        .json();
    assert_eq!(
        (shown["status"].as_str(), shown["checks_passed"].as_u64()),
        (Some("success"), Some(1))
    );
    dev.arco(&["run", "--job", "daily", "--partition", "2026-01-03"])
        .good();
    let tests = std::process::Command::new(python())
        .args(["-m", "pytest", "-q", "-p", "no:cacheprovider"])
        .current_dir(&place)
        .env("PYTHONPATH", python_path())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&tests.stdout);
    assert!(
        tests.status.success() && said.contains("2 passed"),
        "{said}"
    );
}

#[test]
fn a_deploy_loads_here_and_shows_what_it_changes() {
    let project = Project::new(UPSTREAM);
    let dev = Dev::loaded(&project);
    let elsewhere = Project::new(DOWNSTREAM);
    let deploy = |arguments: &[&str]| {
        let mut command = dev.command();
        command
            .args(["deploy", "definitions.py", "--name", "reports", "--python"])
            .arg(python())
            .args(arguments)
            .env("PYTHONPATH", python_path())
            .env("TEST_FOLDER", elsewhere.folder())
            .current_dir(elsewhere.folder());
        run(&mut command)
    };
    let dry = deploy(&["--dry-run"]).good();
    assert!(dry.stdout.contains("would be its first"), "{dry}");
    assert!(
        dry.stdout.contains("2 assets added: orders, report"),
        "{dry}"
    );
    let first = deploy(&["--json"]).good().json();
    assert_eq!(first["deployed"], true);
    // `orders` is made by the other location, which speaks for it.
    let shown = dev
        .arco(&["assets", "show", "report", "--json"])
        .good()
        .json();
    assert_eq!(
        (shown["location"].as_str(), &shown["deps"][0]),
        (Some("reports"), &"orders".into())
    );

    elsewhere.write(
        &DOWNSTREAM
            .replace("def report(orders)", "def summary(orders)")
            .replace("[report]", "[summary]")
            .replace("report]", "summary]")
            .replace("report,", "summary,"),
    );
    let second = deploy(&[]).good();
    assert!(second.stdout.contains("1 asset added: summary"), "{second}");
    assert!(
        second.stdout.contains("1 asset removed: report"),
        "{second}"
    );
    elsewhere.write("import arco_flow as dg\nraise ValueError('not today')\n");
    let refused = deploy(&[]);
    assert_eq!(refused.code, 2, "{refused}");
    assert!(
        refused.stderr.contains("not today") && refused.stderr.contains("nothing was deployed"),
        "{refused}"
    );
    elsewhere.write(
        &DOWNSTREAM
            .replace("def report(orders)", "def orders(report)")
            .replace(
                "dg.AssetSpec(\"orders\"), report",
                "dg.AssetSpec(\"report\"), orders",
            )
            .replace("[report]", "[orders]"),
    );
    let twice = deploy(&[]);
    assert!(
        twice.stderr.contains("is defined twice in locations"),
        "{twice}"
    );
    let shown = dev
        .arco(&["assets", "show", "summary", "--json"])
        .good()
        .json();
    assert_eq!(shown["location"], "reports", "the former definitions stay");
}
