use std::collections::BTreeSet;

use proptest::prelude::*;
use proptest::sample::{Index, select};

use super::super::{Cadence, CustomMapping, DimensionMapping, MappingAnswers, TimeWindowSpec};
use super::*;

/// Windows from February on, some with crons and some with windows left out.
fn windows() -> impl Strategy<Value = PartitionsDef> {
    let cadence = select(vec![
        Cadence::Hourly,
        Cadence::Daily,
        Cadence::Weekly,
        Cadence::Monthly,
        Cadence::Cron,
    ]);
    let exclusions = select(vec![
        vec![],
        vec![],
        vec!["0 0 * * 6,0"],
        vec!["2024-03-10", "2024-03-11", "30 */3 * * *"],
    ]);
    let cron = select(vec![
        "0 */6 * * *",
        "0 0 * * 1-5",
        "30 5 1,15 * *",
        "15 3 * * *",
    ]);
    (
        (cadence, cron, exclusions),
        1..29_u32,
        0..24_u8,
        select(vec![0_u8, 30]),
        -2..3_i32,
        proptest::option::of(1..28_u32),
    )
        .prop_filter_map("exclusions that leave something", |parts| {
            let ((cadence, cron, exclusions), day, hour, minute, end_offset, end) = parts;
            let spec = TimeWindowSpec::of(cadence, &format!("2024-02-{day:02}"));
            let is_cron = cadence == Cadence::Cron;
            PartitionsDef::time_window(TimeWindowSpec {
                timezone: "America/New_York".into(),
                cron: is_cron.then(|| cron.into()),
                fmt: "%Y-%m-%d-%H:%M".into(),
                exclusions: exclusions.into_iter().map(Into::into).collect(),
                hour_offset: if is_cron || cadence == Cadence::Hourly {
                    0
                } else {
                    hour
                },
                minute_offset: if is_cron { 0 } else { minute },
                end_offset,
                end: end.map(|day| format!("2024-04-{day:02}")),
                ..spec
            })
            .ok()
        })
}

fn shift() -> impl Strategy<Value = PartitionMapping> {
    (-3..4_i32, -3..4_i32, any::<bool>()).prop_map(|(start_offset, end_offset, allow)| {
        PartitionMapping::TimeWindow {
            start_offset,
            end_offset,
            allow_nonexistent_upstream_partitions: allow,
        }
    })
}

/// As code might answer: of the days from February to May that are no multiple of four, the day before and that of
/// a week before; or a letter, and one that is not there.
fn answers_of(days: bool) -> impl Strategy<Value = PartitionMapping> {
    (0..3_i64).prop_map(move |zone| {
        let mut answers = MappingAnswers::default();
        for day in (0..90_i64).filter(|day| day % 4 != 0) {
            for hour in 0..24 {
                let key = |day: i64| {
                    let at = Timestamp((1_706_745_600 + day * 86_400 + hour * 3600) * 1000);
                    let text = at.to_rfc3339();
                    PartitionKey::time(&format!("{}-{}:{}0", &text[..10], &text[11..13], zone * 3))
                };
                let letter = |day: i64| PartitionKey::text(["a", "b", "c", "d"][day as usize % 4]);
                let parents = match days {
                    true => vec![key(day - 7), key(day - 1)],
                    false => vec![letter(day), letter(day + 1)],
                };
                answers.set(key(day), parents);
            }
        }
        PartitionMapping::Custom(CustomMapping::new("Before", None)).resolved(&answers)
    })
}

fn letters(keys: &str) -> PartitionsDef {
    PartitionsDef::fixed(keys.chars().map(String::from)).expect("valid")
}

fn table(dimensions: &[(&str, &PartitionsDef)]) -> PartitionsDef {
    let each = dimensions
        .iter()
        .map(|(name, def)| ((*name).to_owned(), (*def).clone()));
    PartitionsDef::multi(each).expect("valid")
}

/// Child, parent and a mapping that fits them.
fn joined() -> impl Strategy<Value = (PartitionsDef, PartitionsDef, PartitionMapping)> {
    let of_time = (windows(), windows(), shift());
    let plain = select(vec![
        PartitionMapping::All,
        PartitionMapping::Last,
        PartitionMapping::Identity,
    ]);
    let pairs = PartitionMapping::Static {
        downstream_keys_by_upstream_key: [
            ("a".to_owned(), vec!["x".to_owned(), "y".to_owned()]),
            ("c".to_owned(), vec!["y".to_owned()]),
        ]
        .into(),
    };
    let in_pairs = pairs.clone();
    prop_oneof![
        4 => of_time,
        1 => (windows(), windows(), plain),
        1 => Just((letters("xyz"), letters("abc"), pairs)),
        2 => (windows(), windows(), answers_of(true)),
        2 => (windows(), Just(letters("abc")), answers_of(false)),
        1 => (windows(), Just(letters("abc")), Just(PartitionMapping::Specific {
            keys: vec!["c".into(), "a".into()],
        })),
        // Several dimensions on either side, or on both.
        1 => (windows(), any::<bool>()).prop_map(|(day, up)| {
            let many = table(&[("a", &letters("abc")), ("b", &day), ("c", &letters("xy"))]);
            let (child, parent) = if up { (day, many) } else { (many, day) };
            let mapping = PartitionMapping::infer(Some(&child), Some(&parent));
            assert_eq!(mapping, PartitionMapping::MultiToSingle { dimension: None });
            (child, parent, mapping)
        }),
        2 => (windows(), windows(), shift()).prop_map(move |(mine, theirs, shift)| {
            let child = table(&[("day", &mine), ("kind", &letters("xyz"))]);
            let parent = table(&[("kind", &letters("abc")), ("when", &theirs), ("z", &letters("pq"))]);
            let of = |up: &str, down: &str, mapping: &PartitionMapping| DimensionMapping {
                upstream: up.into(), downstream: down.into(), mapping: mapping.clone(),
            };
            let dimensions = vec![of("when", "day", &shift), of("kind", "kind", &in_pairs)];
            (child, parent, PartitionMapping::Multi { dimensions })
        }),
    ]
}

// From February to May, over the change of the clocks in March.
fn instant() -> impl Strategy<Value = Timestamp> {
    (1_706_745_600..1_714_200_000_i64).prop_map(|second| Timestamp(second * 1000))
}

/// Some of the ordinals: the ends, and a few between.
fn some_of(all: &Ordinals, which: &[Index]) -> BTreeSet<u64> {
    let Ok(count @ 1..) = usize::try_from(all.len()) else {
        return BTreeSet::new();
    };
    let chosen = which
        .iter()
        .filter_map(|index| all.iter().nth(index.index(count)));
    chosen.chain(all.first()).chain(all.last()).collect()
}

#[test]
fn what_code_did_not_answer_is_not_nothing() {
    let (child, parent) = (letters("wxyz"), letters("abc"));
    let text = |text: &str| PartitionKey::text(text);
    let mut answers = MappingAnswers::default();
    answers.set(text("w"), [text("b"), text("a"), text("b"), text("q")]);
    answers.set(text("x"), []);
    let mapping = PartitionMapping::Custom(CustomMapping::new("Of", None));
    let now = Timestamp(0);
    let bare = PartitionEdge::new(&mapping, Some(&child), &parent).expect("they fit");
    assert_eq!(bare.unanswered(&child.existing(now)), Some(0));
    let mapping = mapping.resolved(&answers);
    let edge = PartitionEdge::new(&mapping, Some(&child), &parent).expect("they fit");
    let answered: Vec<bool> = (0..4).map(|at| edge.is_answered(Some(at))).collect();
    assert_eq!(answered, [true, true, false, false]);
    assert_eq!(edge.unanswered(&Ordinals::from(0..2)), None);
    assert_eq!(edge.unanswered(&Ordinals::from(0..4)), Some(2));
    let of_w = Upstream {
        ordinals: Ordinals::from(0..2),
        nonexistent: vec![text("q")],
    };
    assert_eq!(edge.upstream(Some(0), now), of_w);
    assert_eq!(edge.upstream(Some(1), now), Upstream::default());
    assert_eq!(edge.downstream(1, now), Ordinals::one(0));
    assert_eq!(edge.downstream(2, now), Ordinals::default());
    // Answered again, it is that alone.
    answers.set(text("w"), [text("c")]);
    let edge = PartitionEdge::new(&mapping.resolved(&answers), Some(&child), &parent);
    let edge = edge.expect("they fit");
    assert_eq!(edge.downstream(1, now), Ordinals::default());
    assert_eq!(edge.downstream(2, now), Ordinals::one(0));
    assert!(
        PartitionEdge::new(&mapping, None, &parent).is_err(),
        "a child without partitions"
    );
    let table = table(&[("a", &child), ("b", &parent)]);
    let dimensions = vec![DimensionMapping {
        upstream: "a".into(),
        downstream: "a".into(),
        mapping,
    }];
    let multi = PartitionMapping::Multi { dimensions };
    let refused = PartitionEdge::new(&multi, Some(&table), &table).expect_err("a dimension");
    assert!(
        refused.to_string().contains("static partitions only"),
        "{refused}"
    );
}

proptest! {
    #[test]
    fn who_needs_and_who_feeds_are_the_same_pairs(
        (child, parent, mapping) in joined(), now in instant(),
        which in proptest::collection::vec(any::<Index>(), 6),
    ) {
        let edge = PartitionEdge::new(&mapping, Some(&child), &parent).expect("they fit");
        let (children, parents) = (child.existing(now), parent.existing(now));
        prop_assert_eq!(children.len(), child.count(now));
        for c in some_of(&children, &which) {
            let needs = edge.upstream(Some(c), now).ordinals;
            prop_assert!(needs.difference(&parents).is_empty(), "it exists");
            for p in some_of(&parents, &which) {
                let fed = edge.downstream(p, now);
                prop_assert_eq!(fed.contains(c), needs.contains(p), "{} reads {}: {:?}", c, p, mapping);
                prop_assert!(fed.difference(&children).is_empty(), "it exists");
            }
        }
    }

    #[test]
    fn what_is_needed_overlaps_or_does_not_exist(
        child in windows(), parent in windows(), now in instant(), some in any::<Index>(),
    ) {
        let children = child.count(now);
        if children == 0 {
            return Ok(());
        }
        let mapping = PartitionMapping::infer(Some(&child), Some(&parent));
        let edge = PartitionEdge::new(&mapping, Some(&child), &parent).expect("they fit");
        let c = some.index(usize::try_from(children).expect("small")) as u64;
        let window = |def: &PartitionsDef, ordinal| def.window(&def.key_at(ordinal)?);
        let (from, to) = window(&child, c).expect("it exists");
        let upstream = edge.upstream(Some(c), now);
        for p in 0..parent.count(now) {
            let (begin, end) = window(&parent, p).expect("it exists");
            prop_assert_eq!(upstream.ordinals.contains(p), begin < to && from < end);
        }
        for key in &upstream.nonexistent {
            prop_assert!(!parent.exists(key, now));
        }
    }

    #[test]
    fn ordinals_and_keys_are_one_to_one(
        (child, _, _) in joined(), now in instant(), which in proptest::collection::vec(any::<Index>(), 6),
    ) {
        let existing = child.existing(now);
        for (n, ordinal) in existing.iter().enumerate().step_by(7) {
            prop_assert_eq!(child.nth(n as u64, now), Some(ordinal));
        }
        prop_assert_eq!(child.nth(existing.len(), now), None);
        for ordinal in some_of(&existing, &which) {
            let key = child.key_at(ordinal).expect("it exists");
            prop_assert_eq!(child.require(&key, now).ok(), Some(ordinal));
            prop_assert_eq!(child.parse_key(&key.display()).ok(), Some(key.clone()));
            prop_assert_eq!(PartitionKey::parse(key.as_str()).ok(), Some(key));
        }
    }

    #[test]
    fn one_row_is_no_other_answer(
        child in windows(), start in -2..3_i32, end in -2..3_i32, now in instant(),
        some in any::<Index>(),
    ) {
        let mapping = PartitionMapping::TimeWindow {
            start_offset: start, end_offset: end, allow_nonexistent_upstream_partitions: false,
        };
        let mut edge = PartitionEdge::new(&mapping, Some(&child), &child).expect("they fit");
        let c = some.index(60) as u64;
        let quick = (edge.upstream(Some(c), now), edge.downstream(c, now));
        if let Rule::Windows(overlap) = &mut edge.rule {
            overlap.one_row = false;
        }
        // Without offsets that leave nothing over; there the long way keeps the window of the instant.
        if start <= end {
            prop_assert_eq!(quick, (edge.upstream(Some(c), now), edge.downstream(c, now)));
        }
    }
}
