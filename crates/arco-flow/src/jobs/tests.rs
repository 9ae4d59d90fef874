use arco_core::definitions::Catalog;
use arco_core::event::FailureClass;
use serde_json::{Value, json};

use super::{JobAsk, resolve};
use crate::planner::PartitionsAsked;
use crate::state::State;
use crate::testing::{World, failed, manifest};

/// Definitions with jobs, some of them in a second location.
fn catalog(places: &[(&str, &str, Value)]) -> Catalog {
    places.iter().fold(Catalog::default(), |catalog, place| {
        let (location, assets, jobs) = place;
        let mut document = manifest(assets);
        document["location"] = json!(location);
        document["jobs"] = jobs.clone();
        let read = arco_core::definitions::Definitions::read(location, &document);
        catalog.with(read.unwrap().into()).unwrap()
    })
}

fn two_locations() -> Catalog {
    let jobs = json!([
        {"name": "nightly", "selection": ["+b"], "tags": {"team": "core"}, "config": {"ops": {}}},
        {"name": "none", "selection": ["group:\"nothing\""]},
    ]);
    let other =
        json!([{"name": "nightly", "selection": ["c"]}, {"name": "weekly", "selection": ["*"]}]);
    catalog(&[
        ("loc", "a; b <- a", jobs),
        ("other", "b external; c <- b", other),
    ])
}

/// `assets of job`, or why not.
fn outcome(name: &str, location: Option<&str>, selection: &[&str]) -> String {
    let ask = JobAsk {
        name: name.into(),
        location: location.map(Into::into),
    };
    let selection: Vec<String> = selection.iter().map(|text| (*text).to_owned()).collect();
    let state = State {
        catalog: two_locations().into(),
        ..State::default()
    };
    match resolve(&state, &ask, &selection) {
        Err(error) => error.to_string(),
        Ok(run) => {
            let keys: Vec<&str> = run.assets.iter().map(arco_core::AssetKey::as_str).collect();
            let job = run.job.map(|job| format!("{}/{}", job.location, job.name));
            format!(
                "{} of {}",
                keys.join(","),
                job.unwrap_or_else(|| "no job".into())
            )
        }
    }
}

#[test]
fn a_job_is_found_by_its_name_and_selects_in_its_own_location() {
    let rows: &[(&str, Option<&str>, &[&str], &str)] = &[
        ("weekly", None, &[], "c of other/weekly"),
        ("nightly", Some("loc"), &[], "a,b of loc/nightly"),
        ("nightly", Some("loc"), &["b"], "b of loc/nightly"),
        ("nightly", Some("loc"), &["a+"], "a,b of loc/nightly"),
        (
            "nightly",
            None,
            &[],
            "several locations define a job `nightly`: `loc`, `other`; say which (`--location NAME`)",
        ),
        (
            "weakly",
            None,
            &[],
            "job `weakly` is not defined; did you mean `weekly`?",
        ),
        (
            "weekly",
            Some("loc"),
            &[],
            "job `weekly` is not defined in location `loc`; `arco jobs` lists what there is",
        ),
        (
            "none",
            None,
            &[],
            "job `none` selects no asset, so there is nothing to run; `arco jobs show none` shows its selection",
        ),
        (
            "nightly",
            Some("loc"),
            &["c"],
            "the selection `c` selects nothing of job `nightly`; its assets are `a`, `b`",
        ),
        (
            "nightly",
            Some("loc"),
            &["zz"],
            "selection `zz` names asset `zz`, which is not defined; a pattern such as `key:raw/*` needs no exact name",
        ),
    ];
    for (name, location, selection, expected) in rows {
        assert_eq!(outcome(name, *location, selection), *expected);
    }
}

#[test]
fn the_implicit_job_is_all_that_is_made_and_no_job() {
    assert_eq!(outcome("__ASSET_JOB", None, &[]), "a,b,c of no job");
    assert_eq!(outcome("__ASSET_JOB", Some("other"), &[]), "c of no job");
    assert_eq!(
        outcome("__ASSET_JOB", Some("elsewhere"), &[]),
        "job `__ASSET_JOB` is not defined; there is no location `elsewhere`, `arco definitions` lists them"
    );
}

#[test]
fn a_step_without_a_policy_is_tried_again_as_the_job_of_its_run_says() {
    let mut document = manifest("a; b retry=0");
    document["jobs"] = json!([{"name": "j", "selection": ["*"], "retry": {"max_retries": 1}}]);
    let mut world = World::new("a");
    world.deploy(&document).unwrap();
    let mut request = world.request("a b", &PartitionsAsked::None).unwrap();
    request.job = Some(arco_core::event::JobRef {
        location: "loc".into(),
        name: "j".into(),
    });
    let run = request.run;
    world.ask(request).unwrap();
    for attempt in world.lease(2) {
        world.report(attempt, vec![failed(FailureClass::UserCode)]);
    }
    // Only `b` has a policy of its own, and it says no.
    assert_eq!(world.tasks(run), "a:retrying b:failed");
    assert_eq!(world.state_of(run).job.as_ref().unwrap().name, "j");
    assert_eq!(world.replayed().run(run), world.state.run(run));
}
