use super::{FORBIDDEN, names, reachable};

#[test]
fn names_are_read_from_a_tree() {
    let tree = "arco-core v0.1.0 (/src/crates/arco-core)\nserde v1.0.2\nserde v1.0.2 (*)\n\n";
    let found: Vec<String> = names(tree).into_iter().collect();
    assert_eq!(found, ["arco-core", "serde"]);
}

#[test]
fn an_edge_that_exists_is_seen() {
    // The check would pass for ever if it looked at the wrong thing.
    assert!(reachable("arco-engine").unwrap().contains("arco-core"));
}

#[test]
fn rules_of_one_crate_stand_together() {
    let mut crates: Vec<&str> = FORBIDDEN.iter().map(|(from, _)| *from).collect();
    crates.dedup();
    let runs = crates.len();
    crates.sort_unstable();
    crates.dedup();
    assert_eq!(runs, crates.len(), "each crate's tree is read once");
}
