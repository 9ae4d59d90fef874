//! Mappings of one's own through real processes: asked in a worker, and judged by what the bodies were given.

use crate::support::{Dev, Project, eventually};

/// A day reads the business day before it, and a person the city that stands in a table.
const DEFINITIONS: &str = r#"
import os
from datetime import date, timedelta
from pathlib import Path

import arco_flow as dg

folder = Path(os.environ["TEST_FOLDER"])
days = dg.DailyPartitionsDefinition("2024-01-01", end_date="2024-02-01")
people = dg.DynamicPartitionsDefinition(name="people")
cities = dg.StaticPartitionsDefinition(["bern", "rome"])


def note(text):
    with open(folder / "journal", "a") as file:
        file.write(text + "\n")


class BusinessDayBefore(dg.PartitionMapping):
    def get_upstream_partition_keys(self, key, downstream, upstream):
        day = date.fromisoformat(key) - timedelta(days=BACK)
        while day.weekday() >= 5:
            day -= timedelta(days=1)
        return [day.isoformat()]


class CityOf(dg.PartitionMapping):
    def get_upstream_partition_keys(self, key, downstream, upstream):
        if key == "nobody":
            raise LookupError(f"{key} lives nowhere")
        return ["rome" if key < "c" else "bern"]


@dg.asset(partitions_def=days)
def prices(context: dg.AssetExecutionContext):
    return context.partition_key


@dg.asset(partitions_def=days, ins={"prices": dg.AssetIn(partition_mapping=BusinessDayBefore())})
def returns(context: dg.AssetExecutionContext, prices):
    note(f"{context.partition_key} reads {prices}")


@dg.asset(partitions_def=cities)
def city(context: dg.AssetExecutionContext):
    return context.partition_key


@dg.asset(partitions_def=people, ins={"city": dg.AssetIn(partition_mapping=CityOf())})
def person(context: dg.AssetExecutionContext, city):
    note(f"{context.partition_key} lives in {city}")


defs = dg.Definitions(assets=[prices, returns, city, person])
"#;

fn journal(project: &Project) -> Vec<String> {
    let text = std::fs::read_to_string(project.folder().join("journal")).unwrap_or_default();
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    lines.sort();
    lines
}

/// Runs as soon as the mapping is answered.
fn run(dev: &Dev, args: &[&str]) {
    let args: Vec<&str> = std::iter::once("run").chain(args.iter().copied()).collect();
    let answer = eventually("the mapping is answered", || {
        let answer = dev.arco(&args);
        (!answer.stderr.contains("is a mapping of your own")).then_some(answer)
    });
    answer.good();
}

#[test]
fn a_run_loads_what_code_says_and_other_code_says_otherwise() {
    let project = Project::new(&DEFINITIONS.replace("BACK", "1"));
    let dev = Dev::loaded(&project);
    // Both in one run: Monday reads Friday, and comes after it.
    run(&dev, &["prices", "--partition", "2024-01-04...2024-01-09"]);
    run(
        &dev,
        &[
            "prices",
            "returns",
            "--partition",
            "2024-01-05...2024-01-08",
        ],
    );
    assert_eq!(
        journal(&project),
        [
            "2024-01-05 reads 2024-01-04",
            "2024-01-06 reads 2024-01-05",
            "2024-01-07 reads 2024-01-05",
            "2024-01-08 reads 2024-01-05",
        ]
    );
    // A backfill follows it too.
    std::fs::remove_file(project.folder().join("journal")).expect("it was written");
    let create = [
        "backfill",
        "create",
        "returns",
        "--range",
        "2024-01-08...2024-01-09",
    ];
    let id = dev.arco(&create).good().stdout.trim().to_owned();
    eventually("the backfill is over", || {
        let shown = dev.arco(&["backfill", "show", &id, "--json"]).good().json();
        (shown["status"] == "succeeded").then_some(())
    });
    assert_eq!(
        journal(&project),
        ["2024-01-08 reads 2024-01-05", "2024-01-09 reads 2024-01-08"]
    );
    std::fs::remove_file(project.folder().join("journal")).expect("it was written");
    // Other code: nothing else changed.
    run(&dev, &["returns", "--partition", "2024-01-10"]);
    assert_eq!(journal(&project), ["2024-01-10 reads 2024-01-09"]);
    dev.save(&project, &DEFINITIONS.replace("BACK", "3"), "loaded");
    eventually("the new code answered", || {
        run(&dev, &["returns", "--partition", "2024-01-10"]);
        let said = journal(&project);
        said.contains(&"2024-01-10 reads 2024-01-05".to_owned())
            .then_some(())
    });
}

#[test]
fn keys_that_were_added_are_asked_about_and_a_failure_is_told() {
    let project = Project::new(&DEFINITIONS.replace("BACK", "1"));
    let dev = Dev::loaded(&project);
    run(&dev, &["city", "--all-partitions"]);
    dev.arco(&["partitions", "add", "people", "ann", "dora"])
        .good();
    run(&dev, &["person", "--partition", "ann"]);
    run(&dev, &["person", "--partition", "dora"]);
    assert_eq!(
        journal(&project),
        ["ann lives in rome", "dora lives in bern"]
    );
    dev.arco(&["partitions", "add", "people", "nobody", "bob"])
        .good();
    run(&dev, &["person", "--partition", "bob"]);
    let told = eventually("the failure is told", || {
        let answer = dev.arco(&["run", "person", "--partition", "nobody"]);
        answer.stderr.contains("failed when").then_some(answer)
    });
    assert_ne!(told.code, 0, "{}", told.stderr);
    assert!(told.stderr.contains("`person[nobody]`"), "{}", told.stderr);
    assert!(
        told.stderr.contains("nobody lives nowhere"),
        "{}",
        told.stderr
    );
    assert_eq!(
        journal(&project).len(),
        3,
        "it did not run without its city"
    );
}
