//! Facts about assets that a sensor records beside what it asks for (N-17).

use arco_core::AssetKey;
use arco_core::asset_fact::{AssetFact, AssetObservation};
use arco_core::event::{Position, Severity};
use serde_json::json;

use super::*;
use crate::command::Reported;
use crate::evaluation::{AssetEventAsked, DynamicPartitionsAsked};
use crate::testing::{judged, made};

fn fact(said: Reported) -> AssetFact {
    match said {
        Reported::Asset(fact) => fact,
        other => panic!("no fact about an asset: {other:?}"),
    }
}

fn of(fact: AssetFact, partition: &str) -> AssetFact {
    let mut fact = fact;
    match &mut fact {
        AssetFact::Materialized(made) => made.partition = Some(partition.to_owned()),
        AssetFact::Observed(seen) => seen.partition = Some(partition.to_owned()),
        AssetFact::Checked(judged) => judged.partition = Some(partition.to_owned()),
    }
    fact
}

fn seen(asset: &str) -> AssetFact {
    AssetFact::Observed(AssetObservation {
        data_version: Some("v7".into()),
        description: Some("looked".into()),
        ..AssetObservation::new(AssetKey::parse(asset).unwrap())
    })
}

fn recorded(facts: impl IntoIterator<Item = AssetFact>) -> Vec<AssetEventAsked> {
    let asked = |fact| AssetEventAsked {
        fact,
        answers: None,
    };
    facts.into_iter().map(asked).collect()
}

fn with_facts(facts: impl IntoIterator<Item = AssetFact>) -> Wanted {
    Wanted {
        asset_events: recorded(facts),
        ..Wanted::default()
    }
}

fn positions(world: &World) -> Vec<Position> {
    let row = world.state.evaluations_of("s").next_back();
    row.expect("a row").asset_events.clone()
}

fn made_of(world: &World, asset: &str) -> u64 {
    let asset = AssetKey::parse(asset).unwrap();
    world
        .state
        .assets
        .get(&asset)
        .map_or(0, |asset| asset.materializations)
}

#[test]
fn facts_stand_in_the_decision_of_their_evaluation_after_what_it_asks_for() {
    let mut world = world("a; x external; check a.ok <- a", &[sensor(&json!({}))]);
    let from = world.log.len();
    let facts = [
        fact(made("a")),
        seen("x"),
        fact(judged("a", "ok", false, Severity::Warn)),
    ];
    let wanted = Wanted {
        asset_events: recorded(facts),
        cursor: Some("1".into()),
        ..runs(&["k"])
    };
    look(&mut world, wanted);
    assert_eq!(
        world.kinds(from),
        "run.requested asset.materialized asset.observed check.evaluated evaluation.finished"
    );
    assert_eq!(evaluations(&world.state), ["1 runs 1 kept 0"]);
    // The row says where each of them stands, and no attempt made them.
    let told: Vec<&str> = positions(&world)
        .iter()
        .map(|at| {
            let (_, event) = world
                .log
                .iter()
                .find(|(known, _)| known == at)
                .expect("it is in the log");
            event.fact.kind()
        })
        .collect();
    assert_eq!(
        told,
        ["asset.materialized", "asset.observed", "check.evaluated"]
    );
    let a = &world.state.assets[&AssetKey::parse("a").unwrap()];
    assert_eq!(a.latest_of(&None).expect("it was made").attempt, None);
    assert_eq!(row(&world).cursor.as_deref(), Some("1"));
    assert_kept(&world);
}

#[test]
fn one_that_only_records_is_skipped_says_so_and_is_no_idle_look() {
    let mut world = world("a", &[sensor(&json!({}))]);
    look(&mut world, Wanted::default());
    let question = ask(&world);
    let said = Said::Returned(with_facts([fact(made("a"))]));
    let asked = asked(&world);
    let proposal = propose(&world.state, &question, &said, &asked, world.now, &|_| {
        Ok(())
    });
    assert!(!super::super::is_idle(&world.state, &proposal));
    look(&mut world, with_facts([fact(made("a"))]));
    assert_eq!(
        evaluations(&world.state)[1],
        "2 skipped: the function asked for nothing to run, and recorded asset events"
    );
    let with_reason = Wanted {
        skip_reason: Some("it is there already".into()),
        ..with_facts([fact(made("a"))])
    };
    look(&mut world, with_reason);
    assert_eq!(
        evaluations(&world.state)[2],
        "3 skipped: it is there already"
    );
    assert_eq!(made_of(&world, "a"), 2);
    assert_kept(&world);
}

#[test]
fn what_is_not_defined_fails_the_evaluation_as_a_whole() {
    let mut world = world(
        "a; b static; report; check a.ok <- a",
        &[sensor(&json!({}))],
    );
    let cases = [
        (fact(made("reprot")), "did you mean `report`?"),
        (seen("other"), "asset `other` is not defined"),
        (fact(made("b")), "partition"),
        (of(fact(made("b")), "q"), "partition `q` of `b`"),
        (of(fact(made("a")), "x"), "partition"),
        (
            fact(judged("a", "okk", true, Severity::Error)),
            "did you mean `ok`?",
        ),
    ];
    let from = world.log.len();
    for (number, (bad, mend)) in (1..).zip(cases) {
        let question = ask(&world);
        let wanted = Wanted {
            asset_events: recorded([fact(made("a")), bad]),
            cursor: Some("9".into()),
            ..runs(&["k"])
        };
        say(&mut world, &question, &Said::Returned(wanted)).expect("nothing came in between");
        let told = evaluations(&world.state).pop().expect("a row");
        assert!(
            told.starts_with(&format!("{number} failed")) && told.contains(mend),
            "{told}"
        );
        assert!(positions(&world).is_empty());
    }
    assert_eq!(
        world.kinds(from),
        ["evaluation.finished"; 6].join(" "),
        "nothing is half done"
    );
    assert_eq!(row(&world).cursor, None);
    assert_kept(&world);
}

#[test]
fn a_partition_that_the_evaluation_adds_may_be_recorded_by_it() {
    let mut manifest = with("a; d", &[sensor(&json!({}))]);
    manifest["assets"][1]["partitions"] = json!({"kind": "dynamic", "name": "files"});
    let mut world = World::new("a");
    world.deploy(&manifest).expect("it holds together");
    let wanted = Wanted {
        dynamic_partitions: vec![DynamicPartitionsAsked {
            name: "files".into(),
            add: vec!["new".into()],
            remove: Vec::new(),
            answers: None,
        }],
        ..with_facts([of(fact(made("d")), "new")])
    };
    look(&mut world, wanted);
    assert_eq!(made_of(&world, "d"), 1);
    look(&mut world, with_facts([of(fact(made("d")), "other")]));
    assert!(evaluations(&world.state)[1].contains("2 failed"));
    assert_kept(&world);
}

#[test]
fn an_answer_that_counts_no_more_records_nothing() {
    let mut world = world("a", &[sensor(&json!({}))]);
    let question = ask(&world);
    look(&mut world, runs(&["k"]));
    let late = say(
        &mut world,
        &question,
        &Said::Returned(with_facts([fact(made("a"))])),
    );
    assert!(is_superseded(&late));
    assert_eq!(made_of(&world, "a"), 0);
}

#[test]
fn of_a_queue_each_fact_belongs_to_its_message_and_a_bad_one_fails_that_alone() {
    let mut world = world("a", &[sensor(&json!({"kind": "push"}))]);
    for id in ["m1", "m2", "m3"] {
        send(&mut world, id).expect("it is taken");
    }
    let question = ask(&world);
    let event = |asset: &str, item| AssetEventAsked {
        fact: fact(made(asset)),
        answers: Some(item),
    };
    let wanted = Wanted {
        asset_events: vec![event("a", 0), event("gone", 1), event("a", 2)],
        taken: 3,
        ..Wanted::default()
    };
    say(&mut world, &question, &Said::Returned(wanted)).expect("nothing came in between");
    let told = evaluations(&world.state);
    assert!(
        told.len() == 2 && told[0].starts_with("1 skipped") && told[1].starts_with("2 failed 1"),
        "{told:?}"
    );
    assert_eq!(made_of(&world, "a"), 1, "that of the first");
    assert_eq!(row(&world).queue.len(), 2, "the others wait");
    assert_kept(&world);
}

#[test]
fn too_many_of_several_messages_are_no_fault_of_the_last() {
    let mut world = world("a", &[sensor(&json!({"kind": "push"}))]);
    for id in ["m1", "m2"] {
        send(&mut world, id).expect("it is taken");
    }
    let question = ask(&world);
    let many = |item: usize, count: usize| {
        let event = AssetEventAsked {
            fact: seen("a"),
            answers: Some(item),
        };
        vec![event; count]
    };
    let wanted = Wanted {
        asset_events: [many(0, 600), many(1, 600)].concat(),
        taken: 2,
        ..Wanted::default()
    };
    say(&mut world, &question, &Said::Returned(wanted)).expect("nothing came in between");
    assert_eq!(evaluations(&world.state).len(), 1, "the first counts");
    assert_eq!(positions(&world).len(), 600);
    // One alone that gives too many is to blame.
    let question = ask(&world);
    let wanted = Wanted {
        asset_events: many(0, 1_001),
        taken: 1,
        ..Wanted::default()
    };
    say(&mut world, &question, &Said::Returned(wanted)).expect("nothing came in between");
    let told = evaluations(&world.state).pop().expect("a row");
    assert!(
        told.contains("failed 1: it gave more than 1000 asset events"),
        "{told}"
    );
}

#[test]
fn a_materialization_that_a_sensor_records_is_handed_to_those_who_watch() {
    let watcher = sensor(&json!({"name": "w", "kind": "asset", "assets": ["a"]}));
    let mut world = world("a; b", &[sensor(&json!({})), watcher]);
    look(&mut world, with_facts([fact(made("a")), fact(made("b"))]));
    let queue = &world.state.sensors["w"].queue;
    assert_eq!(queue.len(), 1);
    assert_eq!(Some(queue[0].at), positions(&world).first().copied());
    assert_kept(&world);
}
