use serde_json::{Value, json};

use super::{Definitions, JobDef};

/// A location with `a → b`, the daily `d → e`, the static `s`, the external `x`, and these jobs.
fn location(jobs: &Value) -> Value {
    let daily = json!({"kind": "time_window", "cadence": "daily", "start": "2026-01-01T00:00:00",
        "timezone": "UTC", "fmt": "%Y-%m-%d", "end_offset": 0, "minute_offset": 0, "hour_offset": 0,
        "day_offset": 0});
    let keys = json!({"kind": "static", "keys": ["k"]});
    let asset = |key: &str, deps: &[&str], partitions: Option<&Value>| {
        let deps: Vec<Value> = deps.iter().map(|dep| json!({"asset": dep})).collect();
        let mut asset = json!({"key": key, "deps": deps});
        if key != "x" {
            asset["step"] = json!(key);
        }
        if let Some(partitions) = partitions {
            asset["partitions"] = partitions.clone();
        }
        asset
    };
    let steps: Vec<Value> = ["a", "b", "d", "e", "s"]
        .map(|key| json!({"name": key, "kind": "asset", "outputs": [key]}))
        .to_vec();
    json!({"format": 1, "location": "loc", "jobs": jobs, "steps": steps, "assets": [
        asset("a", &["x"], None), asset("b", &["a"], None), asset("d", &[], Some(&daily)),
        asset("e", &["d"], Some(&daily)), asset("s", &[], Some(&keys)), asset("x", &[], None),
    ]})
}

/// What a job selects, or why its location is refused.
fn outcome(job: &Value) -> String {
    match Definitions::read("loc", &location(&json!([job]))) {
        Err(error) => error.to_string(),
        Ok(definitions) => {
            let job = definitions.jobs().next().expect("there is a job");
            let assets = job.assets(&definitions).expect("it was accepted");
            let keys: Vec<&str> = assets.iter().map(crate::AssetKey::as_str).collect();
            let shared = job.partitions_of(&definitions, &assets).is_some();
            format!(
                "{}{}",
                keys.join(","),
                if shared { " by partition" } else { "" }
            )
        }
    }
}

#[test]
fn a_job_selects_among_what_its_location_makes() {
    let rows = [
        (json!(["+b"]), "a,b"),
        (json!([r#"+key:"b""#]), "a,b"),
        (json!(["a", "d"]), "a,d by partition"),
        (json!(["d+"]), "d,e by partition"),
        (json!([r#"group:"none""#]), ""),
        (json!([]), ""),
    ];
    for (selection, expected) in rows {
        let job = json!({"name": "j", "selection": selection});
        assert_eq!(outcome(&job), expected, "{selection}");
    }
}

#[test]
fn a_job_that_cannot_stand_says_why_and_the_mend() {
    let rows = [
        (
            json!({"name": "j", "selection": ["zz"]}),
            "job `j` of location `loc` is not valid: selection `zz` names asset `zz`, which is not defined; a \
             pattern such as `key:raw/*` needs no exact name",
        ),
        (
            json!({"name": "j", "selection": ["x"]}),
            "job `j` of location `loc` is not valid: its selection selects `x`, which is external: nothing here \
             makes it; leave it out, for example with `and is:materializable`",
        ),
        (
            json!({"name": "j", "selection": ["*"]}),
            "job `j` of location `loc` is not valid: its assets `d` and `s` have different partitions; make a \
             job for each",
        ),
        (
            json!({"name": "j", "selection": ["d"], "partitions": {"kind": "static", "keys": ["k"]}}),
            "job `j` of location `loc` is not valid: it is given other partitions than its asset `d` has; drop \
             `partitions_def`",
        ),
        (
            json!({"name": "j", "selection": ["a"], "tags": {"for whom": "x"}}),
            "job `j` of location `loc` is not valid: `for whom` is no key of a tag: a key is a name, or a \
             prefix, `/` and a name, each of 1 to 63 of the characters A-Z, a-z, 0-9, `_`, `.` and `-`",
        ),
        (
            json!({"name": "a b", "selection": ["a"]}),
            "job `a b` of location `loc` is not valid: names of jobs consist of letters, digits and `_`",
        ),
        (
            json!({"name": "__ASSET_JOB_0", "selection": ["a"]}),
            "job `__ASSET_JOB_0` of location `loc` is not valid: names that begin with `__ASSET_JOB` are \
             reserved; choose another",
        ),
    ];
    for (job, expected) in rows {
        assert_eq!(outcome(&job), expected);
    }
    let twice = json!([{"name": "j", "selection": ["a"]}, {"name": "j", "selection": ["b"]}]);
    assert_eq!(
        Definitions::read("loc", &location(&twice))
            .unwrap_err()
            .to_string(),
        "job `j` is defined twice in location `loc`; give one of them another name"
    );
}

#[test]
fn the_implicit_job_has_all_that_is_made_here_whatever_its_partitions() {
    let definitions = Definitions::read("loc", &location(&json!([]))).unwrap();
    let job = JobDef::implicit();
    let assets = job.assets(&definitions).unwrap();
    assert_eq!(assets.len(), 5);
    assert_eq!(job.partitions_of(&definitions, &assets), None);
}

#[test]
fn runs_carry_the_tags_of_the_job_unless_it_has_tags_for_runs() {
    let mut job = JobDef::implicit();
    job.tags.insert("team".into(), "core".into());
    assert_eq!(job.tags_of_runs()["team"], "core");
    job.run_tags = Some([("size".to_owned(), "big".to_owned())].into());
    assert_eq!(job.tags_of_runs().keys().collect::<Vec<_>>(), ["size"]);
}
