use std::collections::BTreeSet;

use proptest::prelude::*;
use proptest::sample::{Index, select};

use super::super::{Cadence, DimensionMapping, TimeWindowSpec};
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
