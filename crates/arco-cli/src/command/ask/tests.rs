use serde_json::{Value, json};

use crate::args::Ask;
use crate::render::Paint;

fn ask(config: Option<&str>) -> Ask {
    Ask {
        selection: vec!["flights".into()],
        partitions: Vec::new(),
        job: None,
        location: None,
        checks: Vec::new(),
        no_checks: false,
        all_partitions: false,
        config: config.map(str::to_owned),
    }
}

fn refusal(config: &str) -> String {
    ask(Some(config))
        .wire_config()
        .unwrap_err()
        .render(Paint::new(false))
}

#[test]
fn configuration_is_text_or_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("config.json");
    std::fs::write(&file, r#"{"ops": {}}"#).unwrap();
    assert_eq!(ask(None).wire_config().unwrap(), Value::Null);
    assert_eq!(
        ask(Some(r#" {"ops": {}}"#)).wire_config().unwrap(),
        json!({"ops": {}})
    );
    assert_eq!(
        ask(Some(&file.to_string_lossy())).wire_config().unwrap(),
        json!({"ops": {}})
    );
}

#[test]
fn bad_configuration_says_where_and_what_it_looks_like() {
    insta::assert_snapshot!(refusal(r#"{"ops": }"#), @r#"
    error: the text after `--config` is not JSON
      caused by: expected value at line 1 column 9
    hint: a configuration looks like {"ops": {"flights": {"config": {"limit": 10}}}}
    "#);
    insta::assert_snapshot!(refusal("[]"), @r#"
    error: the text after `--config` is not a JSON object
    hint: a configuration looks like {"ops": {"flights": {"config": {"limit": 10}}}}
    "#);
    insta::assert_snapshot!(refusal("/nowhere.yaml"), @r"
    error: could not read the run configuration `/nowhere.yaml`
      caused by: No such file or directory (os error 2)
    hint: the configuration is JSON; YAML is not read
    ");
    insta::assert_snapshot!(refusal("/nowhere.json"), @r"
    error: could not read the run configuration `/nowhere.json`
      caused by: No such file or directory (os error 2)
    ");
}
