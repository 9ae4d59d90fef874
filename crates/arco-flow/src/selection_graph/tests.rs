use std::collections::BTreeMap;

use arco_core::AssetKey;
use arco_core::asset_fact::AssetFact;
use arco_core::event::FailureClass;
use arco_core::selection::Selection;
use serde_json::{Value, json};

use crate::command::Reported;
use crate::planner::PartitionsAsked;
use crate::selection_graph::select;
use crate::testing::{World, failed, made, manifest};

fn chosen(world: &World, text: &str) -> String {
    let selections = Selection::parse_all(&[text]).expect(text);
    let state = &world.state;
    let keys = select(&state.catalog, &state.assets, &selections).expect(text);
    let keys: Vec<&str> = keys.iter().map(AssetKey::as_str).collect();
    keys.join(" ")
}

#[test]
fn a_status_is_the_one_that_lists_show() {
    let mut world = World::new("a; b; c; out external");
    world.run("a b");
    assert_eq!(chosen(&world, "status:in_progress"), "a b");
    let leased = world.lease(2);
    world.report(
        leased[0],
        vec![Reported::Started, made("a"), Reported::Succeeded],
    );
    world.report(
        leased[1],
        vec![Reported::Started, failed(FailureClass::UserCode)],
    );
    assert_eq!(chosen(&world, "status:materialized"), "a");
    assert_eq!(chosen(&world, "status:failed"), "b");
    assert_eq!(
        chosen(&world, "status:missing"),
        "c",
        "external assets have no status"
    );
    assert_eq!(chosen(&world, "status:in_progress"), "");
}

#[test]
fn partitions_of_an_earlier_definition_have_no_status() {
    let mut world = World::new("a static");
    let partitions = PartitionsAsked::Keys(vec!["x".into()]);
    let request = world.request("a", &partitions).expect("a good request");
    world.ask(request).expect("a run");
    let leased = world.lease(1);
    world.report(
        leased[0],
        vec![Reported::Started, failed(FailureClass::UserCode)],
    );
    assert_eq!(chosen(&world, "status:failed"), "a");
    world.deploy(&manifest("a daily")).expect("it deploys");
    assert_eq!(chosen(&world, "status:missing"), "a");
}

fn schema(columns: &Value) -> Value {
    json!({"type": "table_schema", "value": {"columns": columns}})
}

#[test]
fn columns_are_those_of_the_last_materialization_that_says_them() {
    let mut definitions = manifest("a; b; c");
    let defined = schema(&json!([{"name": "id", "type": "int", "tags": {"pii": ""}}]));
    definitions["assets"][0]["metadata"] = json!({"dagster/column_schema": defined,
        "dagster/table_name": {"type": "text", "value": "raw.a"}});
    definitions["assets"][1]["metadata"] =
        json!({"dagster/column_schema": {"type": "text", "value": "none"}});
    let mut world = World::new("a");
    world.deploy(&definitions).expect("it deploys");
    assert_eq!(chosen(&world, "column:id"), "a");
    assert_eq!(chosen(&world, "column_tag:pii"), "a");
    assert_eq!(chosen(&world, "table_name:\"raw.a\""), "a");
    assert_eq!(chosen(&world, "column:<null>"), "b c");

    let columns = schema(&json!([{"name": "mail", "type": "string"}]));
    let materialize = |world: &mut World, metadata: BTreeMap<String, Value>| {
        world.run("a");
        let leased = world.lease(1);
        let mut made = made("a");
        if let Reported::Asset(AssetFact::Materialized(made)) = &mut made {
            made.metadata = metadata;
        }
        world.report(
            leased[0],
            vec![Reported::Started, made, Reported::Succeeded],
        );
    };
    materialize(
        &mut world,
        BTreeMap::from([("dagster/column_schema".into(), columns)]),
    );
    materialize(&mut world, BTreeMap::new());
    assert_eq!(chosen(&world, "column:mail"), "a");
    assert_eq!(chosen(&world, "column:id"), "");
    assert_eq!(chosen(&world, "table_name:\"raw.a\""), "a");
}
