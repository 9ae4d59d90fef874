use arco_core::{Digest, canonical};
use serde_json::Value;

#[derive(serde::Deserialize)]
struct Vector {
    value: Value,
    canonical: String,
    sha256: String,
}

#[test]
fn values_have_their_canonical_text_and_digest() {
    for vector in crate::read_json::<Vec<Vector>>("canonical.json") {
        assert_eq!(canonical::to_string(&vector.value), vector.canonical);
        assert_eq!(Digest::of_json(&vector.value).to_string(), vector.sha256);
    }
}

#[test]
fn canonical_text_is_a_fixed_point() {
    for vector in crate::read_json::<Vec<Vector>>("canonical.json") {
        let again: Value = serde_json::from_str(&vector.canonical).expect("canonical text is JSON");
        assert_eq!(canonical::to_string(&again), vector.canonical);
    }
}
