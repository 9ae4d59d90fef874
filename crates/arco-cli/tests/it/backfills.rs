//! Backfills through real processes: asked for, steered, retried, judged by what the bodies wrote down.

use serde_json::Value;

use crate::support::{Dev, Project, eventually};

const DEFINITIONS: &str = r#"
import os
from pathlib import Path

import arco_flow as dg

folder = Path(os.environ["TEST_FOLDER"])
days = dg.StaticPartitionsDefinition([f"d{n}" for n in range(8)])


def note(text):
    with open(folder / "journal", "a") as file:
        file.write(text + "\n")


@dg.asset(partitions_def=days)
def raw(context: dg.AssetExecutionContext):
    note(f"raw {context.partition_key}")
    if context.partition_key == "d5" and not (folder / "mended").exists():
        raise ValueError("d5 is broken")
    return context.partition_key


@dg.asset(partitions_def=days, backfill_policy=dg.BackfillPolicy.multi_run(4))
def clean(context: dg.AssetExecutionContext, raw):
    note(f"clean {raw}")
    return raw


@dg.asset
def total(clean):
    note(f"total of {len(clean)}")


defs = dg.Definitions(assets=[raw, clean, total])
"#;

fn journal(project: &Project) -> Vec<String> {
    let text = std::fs::read_to_string(project.folder().join("journal")).unwrap_or_default();
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    lines.sort();
    lines
}

fn shown(dev: &Dev, backfill: &str) -> Value {
    let answer = dev.arco(&["backfill", "show", backfill, "--json"]).good();
    serde_json::from_str(&answer.stdout).unwrap()
}

fn ended(dev: &Dev, backfill: &str) -> Value {
    eventually("the backfill is over", || {
        let shown = shown(dev, backfill);
        ["succeeded", "failed", "canceled"]
            .contains(&shown["status"].as_str().unwrap())
            .then_some(shown)
    })
}

#[test]
fn a_backfill_is_planned_made_and_what_failed_is_retried() {
    let project = Project::new(DEFINITIONS);
    let dev = Dev::loaded(&project);
    let unsaid = dev.arco(&["backfill", "plan", "raw"]).stderr;
    assert!(
        unsaid.contains("hint: --range KEY or") && !unsaid.contains("--partition"),
        "{unsaid}"
    );
    let plan = dev.arco(&["backfill", "plan", "*", "--all"]).good();
    assert!(
        plan.stdout
            .ends_with("17 materializations of 17 partitions in 11 runs, 3 rounds\n"),
        "{}",
        plan.stdout
    );
    let made = dev
        .arco(&["backfill", "create", "*", "--all", "--title", "all of it"])
        .good();
    let id = made.stdout.trim().to_owned();
    let over = ended(&dev, &id);
    assert_eq!(over["status"], "failed", "{over:#}");
    assert_eq!(
        over["reason"],
        "1 partition failed, 2 were not tried because of what failed"
    );
    // The chunk of the failed partition was made as far as it could be.
    let cleaned: Vec<String> = [0, 1, 2, 3, 4, 6, 7]
        .map(|n| format!("clean d{n}"))
        .to_vec();
    let mut expected = cleaned.clone();
    expected.extend((0..8).map(|n| format!("raw d{n}")));
    assert_eq!(journal(&project), expected);
    let failed = dev
        .arco(&["backfill", "show", "latest", "--partitions", "failed"])
        .good();
    assert!(failed.stdout.contains("d5"), "{}", failed.stdout);
    let none = dev
        .arco(&["backfill", "show", &id, "--partitions", "skipped"])
        .good();
    assert_eq!(
        (none.stdout.as_str(), none.stderr.as_str()),
        ("", "no such partitions\n")
    );
    let first = dev
        .arco(&["backfill", "show", &id, "--partitions", "--limit", "3"])
        .good();
    assert_eq!(first.stdout.lines().count(), 4);
    assert_eq!(
        first.stderr,
        "the first 3 partitions are shown; --limit N shows up to N\n"
    );
    let first = dev.arco(&["partitions", "raw", "--limit", "1"]).good();
    assert_eq!(
        first.stderr,
        "the first partition is shown; --limit N shows up to N\n"
    );
    let chunks = dev
        .arco(&["backfill", "show", &id, "--chunks", "--json"])
        .good();
    let chunks: Value = serde_json::from_str(&chunks.stdout).unwrap();
    assert_eq!(chunks["items"].as_array().unwrap().len(), 10);

    std::fs::write(project.folder().join("mended"), "").unwrap();
    let retry = dev.arco(&["backfill", "retry-failed", &id]).good();
    let child = retry.stdout.trim().to_owned();
    let again = dev.arco(&["backfill", "retry-failed", &id]).good();
    assert_eq!(again.stdout.trim(), child, "asking twice is one retry");
    assert_eq!(ended(&dev, &child)["status"], "succeeded");
    expected.extend(["clean d5", "raw d5", "total of 8"].map(str::to_owned));
    expected.sort();
    assert_eq!(
        journal(&project),
        expected,
        "what was made is not made again"
    );
    let listed = dev
        .arco(&["backfill", "list", "--status", "succeeded", "--json"])
        .good();
    let listed: Value = serde_json::from_str(&listed.stdout).unwrap();
    assert_eq!(listed["items"][0]["parent"], *id);
    // An asset without partitions is made by its own status too.
    let none = dev.arco(&["backfill", "plan", "total", "--failed"]);
    assert!(
        none.stderr.contains("no asset is like that"),
        "{}",
        none.stderr
    );
    let none = dev.arco(&["backfill", "create", "raw", "--missing"]);
    assert!(
        none.stderr.contains("nothing is left to make"),
        "{}",
        none.stderr
    );
}

#[test]
fn a_backfill_is_paused_changed_and_canceled() {
    let project = Project::new(DEFINITIONS);
    let dev = Dev::loaded(&project);
    let create = [
        "backfill",
        "create",
        "raw",
        "--range",
        "d0...d4",
        "--runs-per-minute",
        "1",
    ];
    let made = dev.arco(&create).good();
    let id = made.stdout.trim().to_owned();
    eventually("its first run is over", || {
        (shown(&dev, &id)["progress"]["succeeded"] == 1).then_some(())
    });
    dev.arco(&["backfill", "pause", &id]).good();
    dev.arco(&["backfill", "pause", &id]).good();
    dev.arco(&[
        "backfill",
        "edit",
        &id,
        "--runs-per-minute",
        "0",
        "--order",
        "newest",
    ])
    .good();
    let paused = shown(&dev, &id);
    assert_eq!(
        (&paused["status"], &paused["order"]),
        (&"paused".into(), &"newest".into())
    );
    assert_eq!(paused["progress"]["runs_requested"], 1);
    dev.arco(&["backfill", "resume", &id]).good();
    assert_eq!(ended(&dev, &id)["status"], "succeeded");
    let over = dev.arco(&["backfill", "edit", &id, "--concurrency", "3"]);
    assert!(
        over.stderr.contains("so it cannot be changed"),
        "{}",
        over.stderr
    );

    let made = dev.arco(&create).good();
    let id = made.stdout.trim().to_owned();
    dev.arco(&["backfill", "cancel", &id, "--drain"]).good();
    let canceled = ended(&dev, &id);
    assert_eq!(canceled["status"], "canceled");
    assert!(canceled["progress"]["runs_requested"].as_u64().unwrap() <= 1);
}
