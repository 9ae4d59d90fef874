use super::{STAGES, choose};

fn names(wanted: &[&str]) -> Result<Vec<&'static str>, String> {
    let wanted: Vec<String> = wanted.iter().map(|&name| name.to_owned()).collect();
    let chosen = choose(&wanted).map_err(|error| error.to_string())?;
    Ok(chosen.iter().map(|stage| stage.name).collect())
}

#[test]
fn without_names_every_stage_runs() {
    assert_eq!(names(&[]).unwrap().len(), STAGES.len());
}

#[test]
fn named_stages_run_in_the_order_of_the_table() {
    assert_eq!(names(&["demo", "format"]).unwrap(), ["format", "demo"]);
}

#[test]
fn unknown_stage_is_told_the_known_ones() {
    let error = names(&["fromat"]).unwrap_err();
    assert!(
        error.starts_with("there is no stage `fromat`; the stages are tools, format,"),
        "{error}"
    );
}

#[test]
fn every_stage_runs_in_continuous_integration() {
    // The jobs of the workflow name their stages; a stage that none names would never run there.
    let workflow = std::fs::read_to_string(crate::repo::path(".github/workflows/ci.yml")).unwrap();
    let named: Vec<&str> = workflow
        .lines()
        .filter_map(|line| line.trim().strip_prefix("- run: .ci/run "))
        .flat_map(str::split_whitespace)
        .collect();
    for stage in STAGES {
        assert!(
            named.contains(&stage.name),
            "no job of ci.yml runs stage `{}`",
            stage.name
        );
    }
    for name in named {
        assert!(
            choose(&[name.to_owned()]).is_ok(),
            "ci.yml names stage `{name}`, which is not there"
        );
    }
}
