//! Steps of several assets: parts of them, assets left unmade, and failures in between; by real
//! processes.

use crate::assert_run;
use crate::support::{Dev, Project};

/// The file `lacking` names assets that `m` leaves unmade; it raises after the asset in `raises_after`.
const DEFINITIONS: &str = r#"
import os
from pathlib import Path

import arco_flow as dg

folder = Path(os.environ["TEST_FOLDER"])


def words(file):
    return (folder / file).read_text().split() if (folder / file).exists() else []


@dg.multi_asset(
    specs=[dg.AssetSpec("a"), dg.AssetSpec("b", deps=["a"]), dg.AssetSpec("c")],
    can_subset=True,
)
def m(context: dg.AssetExecutionContext):
    selected = sorted(key.to_user_string() for key in context.selected_asset_keys)
    with open(folder / "journal", "a") as file:
        file.write(f"m {' '.join(selected)}\n")
    for key in selected:
        if key not in words("lacking"):
            yield dg.MaterializeResult(asset_key=key, value=key * 2)
        if key in words("raises_after"):
            raise ValueError(f"after {key}")


@dg.asset
def reads_a(a):
    return a


@dg.asset
def reads_b(b):
    return b


@dg.asset
def last(reads_b, reads_a):
    return reads_b


@dg.asset(output_required=False)
def perhaps():
    if words("lacking"):
        return
    yield dg.Output(1)


@dg.asset(deps=[perhaps])
def after_perhaps(): ...


@dg.multi_asset(outs={"left": dg.AssetOut(), "right": dg.AssetOut()})
def both():
    return 1, 2


defs = dg.Definitions([m, reads_a, reads_b, last, perhaps, after_perhaps, both])
"#;

#[test]
fn outputs_of_one_step_are_selected_left_out_and_done_again_apart() {
    let project = Project::new(DEFINITIONS);
    let dev = Dev::loaded(&project);
    let journal = project.folder().join("journal");
    let said = || {
        let text = std::fs::read_to_string(&journal).unwrap();
        std::fs::remove_file(&journal).unwrap();
        text
    };
    let write = |file: &str, text: &str| {
        std::fs::write(project.folder().join(file), text).unwrap();
    };

    // A selection of some plans those.
    dev.arco(&["run", "key:b or key:c"]).good();
    assert_eq!(said(), "m b c\n");
    assert_run!(dev.arco(&["run", "left"]), "refused");

    // What is left unmade takes its readers along, and is no failure.
    write("lacking", "b");
    assert_run!(
        dev.arco(&["run", "not (key:left or key:right)"]),
        "left_out"
    );
    assert_eq!(said(), "m a b c\n");
    assert_run!(
        dev.arco(&["runs", "show", "latest", "--tasks"]),
        "left_out_tasks"
    );
    let shown = dev
        .arco(&["runs", "show", "latest", "--tasks", "--json"])
        .good()
        .json();
    let tasks = shown["task_list"].as_array().unwrap();
    let of = |step: &str| tasks.iter().find(|task| task["step"] == step).unwrap();
    assert_eq!(
        of("m")["output_statuses"],
        serde_json::json!([
            {"asset": "a", "status": "materialized"},
            {"asset": "b", "status": "not_made"},
            {"asset": "c", "status": "materialized"},
        ])
    );
    assert_eq!(of("last")["skipped"]["because"], "output_not_made");
    assert_eq!(of("last")["skipped"]["asset"], "b");

    // What was made before the failure stays made, and is not made again.
    write("lacking", "");
    write("raises_after", "b");
    assert_run!(
        dev.arco(&["run", "key:a or key:b or key:c or key:reads_a"]),
        "failed"
    );
    assert_run!(
        dev.arco(&["runs", "show", "latest", "--tasks"]),
        "failed_tasks"
    );
    assert_eq!(said(), "m a b c\n");
    write("raises_after", "");
    dev.arco(&["rerun", "latest", "--from-failure"]).good();
    assert_eq!(said(), "m c\n");
    let rerun = dev
        .arco(&["runs", "show", "latest", "--json"])
        .good()
        .json();
    assert_eq!(rerun["assets"], serde_json::json!(["c", "reads_a"]));
}
