//! Partitions of several dimensions, and keys that come and go, through real processes: judged by what the
//! bodies wrote down.

use crate::support::{Dev, Project};

const DEFINITIONS: &str = r#"
import os
from pathlib import Path

import arco_flow as dg

folder = Path(os.environ["TEST_FOLDER"])
people = dg.DynamicPartitionsDefinition(name="people")
languages = dg.StaticPartitionsDefinition(["de", "fr"])
both = dg.MultiPartitionsDefinition({"person": people, "language": languages})


def note(text):
    with open(folder / "journal", "a") as file:
        file.write(text + "\n")


@dg.asset(partitions_def=people)
def person(context: dg.AssetExecutionContext):
    note(f"person {context.partition_key}")
    return context.partition_key.title()


@dg.asset(partitions_def=both)
def letter(context: dg.AssetExecutionContext, person):
    note(f"letter to {person} in {context.partition_key.keys_by_dimension['language']}")
    return person


@dg.asset(
    partitions_def=languages,
    ins={"letter": dg.AssetIn(partition_mapping=dg.MultiToSingleDimensionPartitionMapping("language"))},
)
def bundle(context: dg.AssetExecutionContext, letter):
    note(f"bundle {context.partition_key} of {sorted(letter)}")
    return len(letter)


defs = dg.Definitions(assets=[person, letter, bundle])
"#;

#[test]
fn keys_that_were_added_are_made_with_all_their_combinations() {
    let project = Project::new(DEFINITIONS);
    let dev = Dev::loaded(&project);
    let journal = project.folder().join("journal");
    let said = || {
        let text = std::fs::read_to_string(&journal).unwrap_or_default();
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        lines.sort();
        lines
    };
    let sets = dev.arco(&["partitions", "list"]).good().stdout;
    assert!(sets.contains("people  0"), "{sets}");
    let shown = dev.arco(&["partitions", "show", "people"]).good().stderr;
    assert!(shown.contains("`people` has no keys"), "{shown}");
    let shown = dev.arco(&["partitions", "show", "bundle"]).good().stderr;
    assert!(
        shown.contains("no asset is defined with dynamic partitions `bundle`"),
        "{shown}"
    );
    let stray = dev.arco(&["partitions", "add", "poeple", "ann"]).good();
    assert!(
        stray
            .stderr
            .contains("no asset is defined with dynamic partitions `poeple`"),
        "{}",
        stray.stderr
    );
    dev.arco(&["partitions", "remove", "poeple", "ann"]).good();
    let none = dev.arco(&["run", "person", "--partition", "ann"]);
    assert!(
        none.stderr
            .contains("`arco partitions add people KEY` adds one"),
        "{}",
        none.stderr
    );
    let added = dev
        .arco(&["partitions", "add", "people", "bob", "ann"])
        .good();
    assert_eq!(
        added.stdout.trim(),
        "2 keys added to `people`, which has 2 now"
    );
    assert_eq!(
        dev.arco(&["partitions", "show", "people"]).good().stdout,
        "bob\nann\n"
    );
    dev.arco(&["run", "person", "letter", "bundle", "--all-partitions"])
        .good();
    assert_eq!(
        said(),
        [
            "bundle de of ['de|ann', 'de|bob']",
            "bundle fr of ['fr|ann', 'fr|bob']",
            "letter to Ann in de",
            "letter to Ann in fr",
            "letter to Bob in de",
            "letter to Bob in fr",
            "person ann",
            "person bob",
        ]
    );
    let one = dev
        .arco(&["run", "letter", "--partition", "fr|bob", "--json"])
        .good()
        .json();
    assert_eq!(one["status"], "success");
    dev.arco(&["partitions", "remove", "people", "bob"]).good();
    let letters = dev.arco(&["partitions", "letter", "--json"]).good().json();
    let keys: Vec<_> = letters["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| &row["key"])
        .collect();
    assert_eq!(keys, ["de|ann", "fr|ann"]);
    let sets = dev.arco(&["partitions", "list", "--json"]).good().json();
    assert_eq!(sets["items"][0]["keys"], 1);
}
