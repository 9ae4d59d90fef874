//! What people get wrong, and what they read then.

use crate::assert_run;
use crate::support::{Dev, Project, eventually};

#[test]
fn unknown_asset_is_named_with_a_suggestion() {
    let project = Project::usual();
    let dev = Dev::loaded(&project);
    assert_run!(dev.arco(&["run", "number"]), "unknown_asset");
    assert_run!(
        dev.arco(&["assets", "show", "number"]),
        "unknown_asset_shown"
    );
    assert_run!(
        dev.arco(&["partitions", "number"]),
        "unknown_asset_partitions"
    );
}

#[test]
fn bad_selection_shows_where() {
    let project = Project::usual();
    let dev = Dev::loaded(&project);
    assert_run!(dev.arco(&["run", "numbers and or daily"]), "bad_selection");
}

#[test]
fn bad_partition_key_says_what_keys_look_like() {
    let project = Project::usual();
    let dev = Dev::loaded(&project);
    assert_run!(
        dev.arco(&["run", "daily", "--partition", "2026-13-01"]),
        "bad_partition"
    );
    assert_run!(dev.arco(&["run", "daily"]), "missing_partition");
    assert_run!(
        dev.arco(&["run", "daily", "--partition", "2027-01-01"]),
        "partition_out_of_range"
    );
}

#[test]
fn ranges_and_selections_without_anything_in_them_are_refused() {
    let project = Project::usual();
    let dev = Dev::loaded(&project);
    let refused = |arguments: &[&str], says: &str| {
        let answer = dev.arco(arguments);
        assert_eq!(answer.code, 2, "{answer}");
        assert!(answer.stderr.contains(says), "{answer}");
    };
    refused(
        &["run", "daily", "-p", "2026-01-03...2026-01-01"],
        "error: range `2026-01-03...2026-01-01` of `daily` ends before it begins; write FIRST...LAST",
    );
    refused(
        &["plan", "daily", "-p", "2026-01-01..2026-01-03"],
        "a range is written FIRST...LAST, with three dots",
    );
    refused(
        &["run", ""],
        "error: the selection is empty; write the name of an asset",
    );
    refused(
        &["plan", "numbers", "--tag", "a=b"],
        "unexpected argument '--tag'",
    );
    assert_eq!(
        dev.arco(&["runs", "--json"]).good().json()["items"],
        serde_json::json!([])
    );
}

#[test]
fn filters_that_match_nothing_are_no_empty_workspace() {
    let project = Project::usual();
    let dev = Dev::loaded(&project);
    let shown = |arguments: &[&str], code: i32, says: &str| {
        let answer = dev.arco(arguments);
        assert_eq!(answer.code, code, "{answer}");
        assert!(answer.stderr.contains(says), "{answer}");
    };
    shown(&["runs"], 0, "no runs\nhint: arco run SELECTION starts one");
    shown(
        &["runs", "--asset", "numbers"],
        0,
        "no run matches --asset numbers",
    );
    shown(
        &["runs", "--status", "failure,queued", "--tag", "team=core"],
        0,
        "no run matches --status failure,queued --tag team=core",
    );
    shown(&["runs", "--asset", "number"], 2, "did you mean `numbers`?");
    shown(
        &["runs", "--status", "done"],
        2,
        "`status` cannot be `done`; write one of `queued`",
    );
    shown(
        &["assets", "-s", "group:sale"],
        0,
        "no asset matches `group:sale`",
    );
    let state = project.state();
    let log = |arguments: &[&str], code: i32, says: &str| {
        let mut all = vec!["log", "show", "--dir"];
        let state = state.to_string_lossy();
        all.push(&state);
        all.extend(arguments);
        shown(&all, code, says);
    };
    log(
        &["--kind", "bogus."],
        2,
        "no kind of event begins with `bogus.`",
    );
    log(&["--from", "99999"], 0, "no event matches --from 99999.0");
    log(
        &["--kind", "check."],
        0,
        "no event matches --from 1.0 --kind check.",
    );
}

#[test]
fn wrong_configuration_is_told_by_its_path() {
    let project = Project::usual();
    let dev = Dev::loaded(&project);
    let config = r#"{"ops": {"limited": {"config": {"rows": "many"}}}}"#;
    assert_run!(
        dev.arco(&["run", "limited", "--config", config]),
        "wrong_config"
    );
}

#[test]
fn unknown_run_and_unknown_task_are_named() {
    let project = Project::usual();
    let dev = Dev::loaded(&project);
    assert_run!(dev.arco(&["runs", "show", "latest"]), "no_run_yet");
    assert_run!(
        dev.arco(&["runs", "show", "run_01JD5Z6Q8G7V9K3W2M4N5P6R7S"]),
        "unknown_run"
    );
    dev.arco(&["run", "numbers"]).good();
    assert_run!(dev.arco(&["logs", "latest", "nothing"]), "unknown_task");
    assert_run!(dev.arco(&["logs", "latest", "99"]), "unknown_task_number");
}

#[test]
fn import_error_shows_the_traceback_and_the_server_stays() {
    let project = Project::new("import arco_flow as dg\nimport no_such_module\n");
    let dev = Dev::start(&project);
    let failed = dev.wait_for("load_failed");
    assert_eq!(failed["error"]["type"], "ModuleNotFoundError", "{failed}");
    let shown = dev.arco(&["definitions"]).good();
    assert!(
        shown.stdout.contains("No module named 'no_such_module'"),
        "{shown}"
    );
    assert!(shown.stdout.contains("definitions.py\", line 2"), "{shown}");
    let refused = dev.arco(&["run", "numbers"]);
    assert_eq!(refused.code, 2);
    assert!(
        refused
            .stderr
            .contains("did not load (ModuleNotFoundError)"),
        "{refused}"
    );

    // Mending the file is enough.
    dev.save(&project, "import arco_flow as dg\n\n@dg.asset\ndef numbers():\n    return 1\n\ndefs = dg.Definitions(assets=[numbers])\n", "loaded");
    dev.arco(&["run", "numbers"]).good();
}

#[test]
fn old_definitions_stay_when_new_code_does_not_load() {
    let project = Project::usual();
    let dev = Dev::loaded(&project);
    dev.save(
        &project,
        "raise RuntimeError('half a change')\n",
        "load_failed",
    );
    dev.arco(&["run", "numbers"]).good();
    let definitions = dev.arco(&["definitions", "--json"]).good().json();
    assert_eq!(
        definitions["locations"][0]["failure"]["error"]["message"],
        "half a change"
    );
    assert!(definitions["locations"][0]["version"].is_string());
}

#[test]
fn cycle_is_shown_as_a_path() {
    let project = Project::new(
        "import arco_flow as dg\n\n@dg.asset(deps=['b'])\ndef a(): ...\n\n@dg.asset(deps=['a'])\ndef b(): ...\n\n\
         defs = dg.Definitions(assets=[a, b])\n",
    );
    let text = refused(&project);
    assert!(text.contains("a → b → a"), "{text}");
}

#[test]
fn duplicate_asset_is_named() {
    let project = Project::new(
        "import arco_flow as dg\n\n@dg.asset(key='x')\ndef a(): ...\n\n@dg.asset(key='x')\ndef b(): ...\n\n\
         defs = dg.Definitions(assets=[a, b])\n",
    );
    let text = refused(&project);
    assert!(text.contains("`x`") && text.contains("twice"), "{text}");
}

/// What `arco definitions` says of a project whose definitions do not hold together.
fn refused(project: &Project) -> String {
    let dev = Dev::start(project);
    eventually("the refusal is shown", || {
        let shown = dev.arco(&["definitions"]);
        shown
            .stdout
            .contains("did not load")
            .then(|| shown.stdout.clone())
    })
}
