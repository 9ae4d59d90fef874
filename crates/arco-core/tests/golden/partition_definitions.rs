//! What the SDK writes of partitions and mappings in a manifest is what is read here. The same file is
//! held against the SDK (`python/arco/tests/definitions/test_partition_kinds.py`).

use arco_core::partition::{PartitionMapping, PartitionsDef};
use serde_json::Value;

#[test]
fn what_the_sdk_writes_is_read_and_written_again() {
    let golden: Value = super::read_json("partition_definitions.json");
    for json in golden["definitions"].as_array().expect("a list") {
        let def = PartitionsDef::from_json(json).expect("a definition");
        let again = serde_json::to_value(&def).expect("serializes");
        assert_eq!(PartitionsDef::from_json(&again).expect("reads"), def);
    }
    for json in golden["mappings"].as_array().expect("a list") {
        let mapping: PartitionMapping = serde_json::from_value(json.clone()).expect("a mapping");
        assert_eq!(serde_json::to_value(&mapping).expect("serializes"), *json);
    }
}
