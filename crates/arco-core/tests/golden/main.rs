//! The golden vectors of the repository, which the Python tests read too, and the answers of a real
//! Dagster that Arco is compared with.

mod asset_key;
mod canonical;
mod oracle;
mod partition_definitions;
mod partition_identity;

use std::path::PathBuf;

/// A file of the folder `golden`.
fn read(name: &str) -> String {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../../golden")
        .join(name);
    std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

fn read_json<T: serde::de::DeserializeOwned>(name: &str) -> T {
    serde_json::from_str(&read(name)).expect("golden files are JSON of the expected shape")
}
