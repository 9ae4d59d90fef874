use std::collections::BTreeMap;

use arco_core::backfill::{BackfillOrder, BackfillSettings};
use arco_core::definitions::Definitions;
use arco_core::partition::DynamicKeys;
use arco_core::{AssetKey, BackfillId};
use serde_json::{Value, json};

use super::*;
use crate::Rejection;
use crate::backfill::{self, Selector, TargetAsk};
use crate::command::{Answer, BackfillRequest, Command};
use crate::planner::PartitionsAsked;
use crate::state::inputs;
use crate::testing::{NOW, World, manifest};

const DAY: i64 = 86_400_000;

/// `b` reads days of `a` as code says; another word in `code` is other code.
fn daily(code: &str) -> Value {
    coded("a daily; b daily <- code(a)", code)
}

fn coded(definitions: &str, code: &str) -> Value {
    let mut manifest = manifest(definitions);
    manifest["assets"][1]["deps"][0]["mapping"]["code"] = json!(Digest::of(code.as_bytes()));
    manifest
}

fn world(manifest: &Value) -> World {
    let mut world = World::new("z");
    world
        .deploy(manifest)
        .expect("the definitions hold together");
    world
}

fn edge() -> Edge {
    let key = |text| AssetKey::parse(text).expect("a key");
    (key("b"), key("a"))
}

fn next(world: &World) -> Option<MappingQuestion> {
    question(&world.state, &edge(), world.now, &BTreeSet::new(), KEYS_MAX)
}

fn texts(keys: &[PartitionKey]) -> Vec<String> {
    keys.iter().map(|key| key.display().into_owned()).collect()
}

/// Answers a question by a function of the text of each key.
fn answer(world: &mut World, question: &MappingQuestion, of: impl Fn(&str) -> Vec<String>) {
    let answers = texts(&question.keys).into_iter();
    let said = MappingSaid {
        answers: answers.map(|key| (key.clone(), of(&key))).collect(),
        ..MappingSaid::default()
    };
    record(world, judge(&world.state, question, &said));
}

fn record(world: &mut World, record: MappingRecord) {
    let command = Command::RecordMapping(Box::new(record));
    world
        .run_command(&command)
        .expect("nothing stands against it");
}

/// Answers all that is to be asked.
fn answer_all(world: &mut World, of: impl Fn(&str) -> Vec<String>) -> usize {
    let mut asked = 0;
    while let Some(question) = next(world) {
        asked += question.keys.len();
        answer(world, &question, &of);
    }
    asked
}

/// The day a number of days before.
fn before(key: &str, days: i64) -> Vec<String> {
    let at = Timestamp::parse_rfc3339(&format!("{key}T00:00:00Z")).expect("a day");
    vec![Timestamp(at.0 - days * DAY).to_rfc3339()[..10].to_owned()]
}

fn asked(key: &str) -> PartitionsAsked {
    PartitionsAsked::Keys(vec![key.to_owned()])
}

/// The slots of `a` that a run of `b` reads.
fn reads(world: &mut World, key: &str) -> Result<Vec<String>, Rejection> {
    let request = world.request("b", &asked(key))?;
    let run = request.run;
    world.ask(request)?;
    Ok(reads_of(world, run))
}

fn reads_of(world: &World, run: arco_core::RunId) -> Vec<String> {
    let run = world.state_of(run);
    let inputs = inputs::of_task(&world.state, run, 0, world.now);
    let slots = inputs[0].slots.iter().flatten();
    slots.map(|key| key.display().into_owned()).collect()
}

/// Snapshot and replay are the state, and the log's own text says all of it.
fn check_same(world: &World) {
    let bytes = world.state.to_bytes();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert_eq!(text(&world.replayed().to_bytes()), text(&bytes), "replayed");
    let restored = State::from_bytes(&bytes).expect("a state");
    assert_eq!(text(&restored.to_bytes()), text(&bytes), "restored");
    let plans = |state: &State| -> Vec<(usize, Option<String>)> {
        let edges = state.catalog.custom_edges();
        let custom = edges.filter_map(|(_, _, dep)| dep.mapping.as_ref()?.custom());
        custom
            .map(|custom| {
                (
                    custom.answers().len(),
                    custom.answers().trouble().map(Into::into),
                )
            })
            .collect()
    };
    assert_eq!(
        plans(&restored),
        plans(&world.state),
        "the catalog has the answers"
    );
    assert_eq!(plans(&world.replayed()), plans(&world.state));
}

#[test]
fn what_exists_is_asked_and_the_next_windows_and_nothing_twice() {
    let mut world = world(&daily("1"));
    let first = next(&world).expect("nothing is answered");
    assert_eq!(first.keys.len(), 31 + 2);
    assert_eq!(
        texts(&first.keys)[..3],
        ["2026-02-02", "2026-02-01", "2026-01-31"],
        "newest first"
    );
    assert_eq!(answer_all(&mut world, |key| before(key, 1)), 33);
    assert_eq!(next(&world), None);
    // The window that is over now was asked about ahead.
    world.now = NOW.plus_ms(DAY as u64);
    assert_eq!(texts(&next(&world).expect("one more").keys), ["2026-02-03"]);
    assert_eq!(
        reads(&mut world, "2026-02-01").expect("answered"),
        ["2026-01-31"]
    );
    check_same(&world);
}

#[test]
fn a_question_is_about_so_many_and_not_about_those_held_back() {
    let world = world(&daily("1"));
    let some = question(&world.state, &edge(), world.now, &BTreeSet::new(), 2).expect("due");
    let held: BTreeSet<PartitionKey> = some.keys.iter().cloned().collect();
    let others = question(&world.state, &edge(), world.now, &held, 2).expect("due");
    assert_eq!(texts(&others.keys), ["2026-01-31", "2026-01-30"]);
    assert_eq!(edges(&world.state).count(), 1);
}

#[test]
fn nothing_is_planned_of_what_is_not_answered_and_the_reason_says_why() {
    let mut world = world(&daily("1"));
    let refused = reads(&mut world, "2026-01-10").expect_err("nothing is answered");
    assert_eq!(refused.code(), "mapping_unanswered");
    let told = refused.to_string();
    assert!(
        told.contains("`b[2026-01-10]`") && told.contains("`Code`"),
        "{told}"
    );
    // So is a run of both, a backfill, and one of all partitions.
    let both = world
        .request("a b", &asked("2026-01-10"))
        .expect_err("as well");
    assert_eq!(both.code(), "mapping_unanswered");
    assert!(backfill_of(&world, "a b").is_err());
    let question = next(&world).expect("due");
    let error = ErrorInfo {
        kind: "KeyError".into(),
        message: "no calendar".into(),
        traceback: String::new(),
    };
    let from = world.log.len();
    record(&mut world, failed(&question, &error));
    record(&mut world, failed(&question, &error));
    assert_eq!(
        world.kinds(from),
        "partitions.unmapped",
        "what is no news is not written"
    );
    let refused = reads(&mut world, "2026-01-10").expect_err("it failed");
    assert!(refused.to_string().contains("no calendar"), "{refused}");
    check_same(&world);
    assert!(next(&world).is_some(), "it is still to be asked");
    answer_all(&mut world, |key| before(key, 1));
    assert_eq!(
        reads(&mut world, "2026-01-10").expect("answered"),
        ["2026-01-09"]
    );
    assert!(world.state.mappings[&edge()].failure.is_none());
    // What is read and does not exist is missed by name, as with every mapping.
    let gone = world
        .request("a b", &asked("2026-01-01"))
        .expect_err("it reads December");
    assert_eq!(gone.code(), "nonexistent_upstream");
    let plan = world.request("a b", &asked("2026-01-05"));
    assert_eq!(plan.expect("planned").plan.tasks.len(), 2);
    check_same(&world);
}

#[test]
fn answers_are_judged_key_by_key() {
    let world = world(&daily("1"));
    let question = question(&world.state, &edge(), world.now, &BTreeSet::new(), 5).expect("due");
    let keys = texts(&question.keys);
    let many = vec!["2026-01-01".to_owned(); PARENTS_MAX + 1];
    let said = MappingSaid {
        answers: BTreeMap::from([
            (
                keys[0].clone(),
                vec!["2025-12-24".into(), "2030-01-01".into()],
            ),
            (keys[1].clone(), vec!["yesterday".into()]),
            (keys[2].clone(), many),
            ("2026-01-02".into(), vec!["2026-01-01".into()]),
        ]),
        failed: BTreeSet::from([keys[3].clone()]),
        error: None,
    };
    let judged = judge(&world.state, &question, &said);
    assert_eq!(
        texts(&judged.answers.keys().cloned().collect::<Vec<_>>()),
        keys[..1],
        "beyond is well formed"
    );
    let failed: Vec<PartitionKey> = question.keys[1..4].iter().rev().cloned().collect();
    assert_eq!(
        judged.failed.into_iter().collect::<Vec<_>>(),
        failed,
        "the last is asked again"
    );
    let told = judged.error.expect("why").message;
    assert!(
        told.contains(&keys[1]) && told.contains("yesterday"),
        "{told}"
    );
    let silent = judge(&world.state, &question, &MappingSaid::default());
    assert_eq!(silent.failed.len(), 5, "who says nothing is held back");
}

#[test]
fn other_code_is_asked_again_while_what_was_answered_stands() {
    let mut world = world(&daily("1"));
    answer_all(&mut world, |key| before(key, 1));
    let old = world.request("b", &asked("2026-01-20")).expect("answered");
    let run = old.run;
    world.ask(old).expect("a run");
    let late = question(&world.state, &edge(), world.now, &BTreeSet::new(), 1);
    assert_eq!(late, None);
    world.deploy(&daily("2")).expect("other code");
    assert_eq!(
        reads(&mut world, "2026-01-20").expect("it stands"),
        ["2026-01-19"]
    );
    let all = next(&world).expect("all is asked again");
    assert_eq!(all.keys.len(), 33);
    answer(&mut world, &all, |key| before(key, 2));
    assert_eq!(
        reads(&mut world, "2026-01-20").expect("answered"),
        ["2026-01-18"]
    );
    assert_eq!(
        reads_of(&world, run),
        ["2026-01-19"],
        "a run keeps what its own code said"
    );
    check_same(&world);
    // What earlier code says late is nothing.
    let mut stale = all.clone();
    stale.version = Digest::of(b"another");
    assert!(!is_asked(&world.state, &stale));
    let from = world.log.len();
    answer(&mut world, &stale, |key| before(key, 5));
    assert_eq!(world.kinds(from), "");
    // The edge is gone: so is what was answered, once no run needs it.
    world
        .deploy(&manifest("a daily; b daily <- a"))
        .expect("another mapping");
    assert_eq!(edges(&world.state).count(), 0);
    assert_eq!(reads_of(&world, run), ["2026-01-19"]);
    check_same(&world);
    let active: Vec<_> = world.state.active_runs.iter().copied().collect();
    world
        .run_command(&Command::CancelRuns(active))
        .expect("they stop");
    assert!(
        world.state.mappings.is_empty(),
        "{:?}",
        world.state.mappings
    );
    check_same(&world);
}

#[test]
fn other_partitions_of_the_parent_are_asked_from_the_start() {
    let mut world = world(&daily("1"));
    answer_all(&mut world, |key| before(key, 1));
    world
        .deploy(&coded("a static; b daily <- code(a)", "1"))
        .expect("another parent");
    assert!(
        reads(&mut world, "2026-01-20").is_err(),
        "days are no keys of it"
    );
    answer_all(&mut world, |_| vec!["y".into()]);
    assert_eq!(reads(&mut world, "2026-01-20").expect("answered"), ["y"]);
}

/// The parent is of another location, whose definitions move alone.
#[test]
fn a_parent_elsewhere_that_gets_other_partitions_is_asked_about_from_the_start() {
    let mut world = world(&coded("a daily external; b daily <- code(a)", "1"));
    answer_all(&mut world, |key| before(key, 1));
    for (elsewhere, stands) in [
        ("a daily", true),
        ("a daily; c", true),
        ("a monthly", false),
    ] {
        let mut other = manifest(elsewhere);
        other["location"] = json!("other");
        let definitions = Definitions::read("other", &other).expect("they hold together");
        let text = arco_core::canonical::to_vec(&other);
        world.blobs.insert(definitions.version(), text);
        let deploy = Command::Deploy(std::sync::Arc::new(definitions));
        world
            .run_command(&deploy)
            .expect("nothing stands against it");
        assert_eq!(next(&world).is_none(), stands, "{elsewhere}");
        assert_eq!(
            reads(&mut world, "2026-01-20").is_ok(),
            stands,
            "{elsewhere}"
        );
    }
    answer_all(&mut world, |_| vec!["2026-01-01".into()]);
    assert!(reads(&mut world, "2026-01-20").is_ok());
    check_same(&world);
}

fn people(world: &mut World, add: bool, keys: &[&str]) {
    let (name, keys) = (
        "people".to_owned(),
        keys.iter()
            .map(|key| DynamicKeys::read(key).expect("a key"))
            .collect(),
    );
    let command = match add {
        true => Command::AddPartitions { name, keys },
        false => Command::RemovePartitions { name, keys },
    };
    world.run_command(&command).expect("they fit");
}

#[test]
fn keys_of_dynamic_sets_are_asked_as_they_come_and_go() {
    let mut definitions = coded("a static; b daily <- code(a)", "1");
    definitions["assets"][1]["partitions"] = json!({"kind": "dynamic", "name": "people"});
    let mut world = world(&definitions);
    assert_eq!(next(&world), None);
    people(&mut world, true, &["ann", "bob", "cid"]);
    let letter = |key: &str| {
        vec![if key < "c" {
            "x".to_owned()
        } else {
            "z".to_owned()
        }]
    };
    assert_eq!(answer_all(&mut world, letter), 3);
    people(&mut world, true, &["dot"]);
    assert_eq!(texts(&next(&world).expect("due").keys), ["dot"]);
    assert_eq!(reads(&mut world, "cid").expect("answered"), ["z"]);
    // Those after it have other ordinals now.
    people(&mut world, false, &["ann"]);
    assert_eq!(texts(&next(&world).expect("due").keys), ["dot"]);
    assert_eq!(world.state.mappings[&edge()].answers.len(), 2);
    people(&mut world, true, &["ann"]);
    assert_eq!(texts(&next(&world).expect("due").keys), ["ann", "dot"]);
    assert!(reads(&mut world, "ann").is_err());
    // An answer about one that left meanwhile is passed over.
    let late = next(&world).expect("due");
    people(&mut world, false, &["dot"]);
    answer(&mut world, &late, letter);
    assert_eq!(next(&world), None);
    assert_eq!(world.state.mappings[&edge()].answers.len(), 3);
    check_same(&world);
}

fn backfill_of(world: &World, assets: &str) -> Result<BackfillRequest, Rejection> {
    let assets: BTreeSet<AssetKey> = assets
        .split_whitespace()
        .filter_map(AssetKey::parse)
        .collect();
    let ask = TargetAsk {
        assets: assets.clone(),
        selector: Selector::keys(vec!["2026-01-10...2026-01-12".into()]),
        policy: None,
        refuse_left_out: false,
    };
    let resolved = backfill::resolve(&world.state, &ask, world.now)?;
    Ok(BackfillRequest {
        backfill: BackfillId::from_parts(1, 1),
        idempotency_key: None,
        selection: None,
        assets: resolved.assets,
        selector: arco_core::backfill::BackfillSelector::All,
        title: None,
        description: None,
        tags: BTreeMap::new(),
        config: Value::Null,
        settings: BackfillSettings {
            order: BackfillOrder::Oldest,
            ..BackfillSettings::default()
        },
        policy: None,
        parent: None,
        frees_key: false,
        target: std::sync::Arc::new(resolved.target),
        target_blob: None,
        definitions: resolved.definitions,
        fingerprint: Digest::of(b"f"),
    })
}

fn chunks(world: &World) -> Vec<String> {
    let chunks = backfill::next(&world.state, BackfillId::from_parts(1, 1), world.now, 50);
    let told = chunks.iter().map(|chunk| {
        let keys = chunk.keys.as_deref().unwrap_or_default();
        format!("{}[{}]", chunk.assets[0], texts(keys).join(" "))
    });
    told.collect()
}

#[test]
fn a_backfill_follows_what_was_answered_and_waits_for_what_was_not() {
    let mut world = world(&daily("1"));
    answer_all(&mut world, |key| before(key, 1));
    let request = backfill_of(&world, "a b").expect("all is answered");
    let units: Vec<(usize, u64)> = request
        .target
        .units
        .iter()
        .map(|unit| (unit.needs.len(), unit.members.len()))
        .collect();
    assert_eq!(
        units,
        [(0, 3), (1, 3)],
        "of three days the three that read them, apart"
    );
    let made = world.run_command(&Command::CreateBackfill(Box::new(request)));
    assert!(matches!(made, Ok(Answer::Backfill { .. })), "{made:?}");
    assert_eq!(
        chunks(&world),
        ["a[2026-01-10]", "a[2026-01-11]", "a[2026-01-12]"]
    );
    check_same(&world);
    // `a` is read by code from now on, which was not asked: its chunks wait.
    let mut reads_c = coded("c daily; a daily <- code(c); b daily <- a", "9");
    reads_c["assets"][2]["deps"][0]["mapping"] = json!({"kind": "custom", "name": "Code",
        "code": Digest::of(b"1")});
    world.deploy(&reads_c).expect("it holds together");
    assert_eq!(chunks(&world), [""; 0], "they wait");
    let backfill = &world.state.backfills[&BackfillId::from_parts(1, 1)];
    assert!(!backfill.is_exhausted() && backfill.status.plans());
    let key = |text| AssetKey::parse(text).expect("a key");
    let of_a = (key("a"), key("c"));
    let all = question(&world.state, &of_a, world.now, &BTreeSet::new(), KEYS_MAX).expect("due");
    let (one, others): (Vec<_>, Vec<_>) = all
        .keys
        .iter()
        .cloned()
        .partition(|key| key.display() == "2026-01-11");
    let mut ask = all;
    ask.keys = one;
    answer(&mut world, &ask, |key| before(key, 3));
    assert_eq!(
        chunks(&world),
        ["a[2026-01-11]"],
        "what is answered goes on"
    );
    ask.keys = others;
    answer(&mut world, &ask, |key| before(key, 3));
    assert_eq!(chunks(&world).len(), 3);
    check_same(&world);
}

#[test]
fn what_code_cannot_map_is_refused_with_the_definitions() {
    let mut world = World::new("z");
    let rows = [
        ("a daily; b <- code(a)", "has no partitions"),
        (
            "a daily; check a.ok daily <- code(a)",
            "which only assets do",
        ),
        ("a daily; b daily <- code(a), a", "give both the same"),
        ("b daily <- code(b)", "cycle"),
    ];
    for (definitions, says) in rows {
        let refused = world.deploy(&manifest(definitions)).expect_err(definitions);
        assert!(
            refused.to_string().contains(says),
            "{definitions}: {refused}"
        );
    }
}
