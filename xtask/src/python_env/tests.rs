use std::fs;

use super::{Recipe, strings};
use crate::repo;

fn recipe(name: &str) -> Recipe {
    let folder = repo::path("target/xtask-tests").join(name);
    fs::create_dir_all(&folder).unwrap();
    let input = folder.join("requirements.txt");
    fs::write(&input, "polars==2.1.0\n").unwrap();
    Recipe {
        folder,
        installs: vec![strings(&["--requirement", "x"])],
        inputs: vec![input],
    }
}

#[test]
fn the_stamp_follows_everything_an_environment_is_made_from() {
    let mut recipe = recipe("stamp");
    let first = recipe.stamp("3.11.7").unwrap();
    assert_eq!(recipe.stamp("3.11.7").unwrap(), first);
    assert_ne!(
        recipe.stamp("3.12.0").unwrap(),
        first,
        "another interpreter"
    );
    recipe.installs.push(strings(&["--requirement", "y"]));
    assert_ne!(
        recipe.stamp("3.11.7").unwrap(),
        first,
        "another installation"
    );
    recipe.installs.pop();
    fs::write(&recipe.inputs[0], "polars==2.2.0\n").unwrap();
    assert_ne!(recipe.stamp("3.11.7").unwrap(), first, "other requirements");
}

#[test]
fn a_missing_requirements_file_is_named() {
    let mut recipe = recipe("missing");
    recipe.inputs.push("no/such/file.txt".into());
    let error = recipe.stamp("3.11.7").unwrap_err();
    assert_eq!(error.to_string(), "read no/such/file.txt");
}
