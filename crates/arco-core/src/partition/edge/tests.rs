use proptest::prelude::*;

use super::super::{Cadence, TimeWindowSpec};
use super::*;

fn definition() -> impl Strategy<Value = PartitionsDef> {
    let cadence = proptest::sample::select(vec![
        Cadence::Hourly,
        Cadence::Daily,
        Cadence::Weekly,
        Cadence::Monthly,
    ]);
    (
        cadence,
        1..29_u32,
        0..24_u8,
        0..60_u8,
        -2..3_i32,
        proptest::option::of(1..28_u32),
    )
        .prop_map(|(cadence, day, hour, minute, end_offset, end)| {
            let spec = TimeWindowSpec::of(cadence, &format!("2024-02-{day:02}"));
            PartitionsDef::time_window(TimeWindowSpec {
                timezone: "America/New_York".into(),
                hour_offset: if cadence == Cadence::Hourly { 0 } else { hour },
                minute_offset: minute,
                end_offset,
                end: end.map(|day| format!("2024-04-{day:02}")),
                ..spec
            })
            .expect("valid")
        })
}

fn mapping() -> impl Strategy<Value = PartitionMapping> {
    prop_oneof![
        1 => Just(PartitionMapping::All),
        1 => Just(PartitionMapping::Last),
        1 => Just(PartitionMapping::Identity),
        6 => (-3..4_i32, -3..4_i32, any::<bool>()).prop_map(|(start_offset, end_offset, allow)| {
            PartitionMapping::TimeWindow {
                start_offset,
                end_offset,
                allow_nonexistent_upstream_partitions: allow,
            }
        }),
    ]
}

// From February to June, over the change of the clocks in March.
fn instant() -> impl Strategy<Value = Timestamp> {
    (1_706_745_600..1_717_200_000_i64).prop_map(|second| Timestamp(second * 1000))
}

proptest! {
    #[test]
    fn who_needs_and_who_feeds_are_the_same_pairs(
        child in definition(), parent in definition(), mapping in mapping(), now in instant(),
        some in any::<proptest::sample::Index>(),
    ) {
        let edge = PartitionEdge::new(&mapping, Some(&child), &parent).expect("they fit");
        let (children, parents) = (child.count(now), parent.count(now));
        if children > 0 {
            let c = some.index(usize::try_from(children).expect("small")) as u64;
            let needs = edge.upstream(Some(c), now).ordinals;
            prop_assert!(needs.end <= parents);
            for p in [needs.start, needs.end.saturating_sub(1)] {
                if needs.contains(&p) {
                    prop_assert!(edge.downstream(p, now).contains(&c), "{} is read by {}", p, c);
                }
            }
            for p in [needs.start.checked_sub(1), Some(needs.end)].into_iter().flatten() {
                if p < parents && !needs.contains(&p) {
                    prop_assert!(!edge.downstream(p, now).contains(&c), "{} is not read by {}", p, c);
                }
            }
        }
        if parents > 0 {
            let p = some.index(usize::try_from(parents).expect("small")) as u64;
            let feeds = edge.downstream(p, now);
            prop_assert!(feeds.end <= children);
            for c in [feeds.start, feeds.end.saturating_sub(1)] {
                if feeds.contains(&c) {
                    prop_assert!(edge.upstream(Some(c), now).ordinals.contains(&p));
                }
            }
        }
    }

    #[test]
    fn what_is_needed_overlaps_or_does_not_exist(
        child in definition(), parent in definition(), now in instant(),
        some in any::<proptest::sample::Index>(),
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
            prop_assert_eq!(upstream.ordinals.contains(&p), begin < to && from < end);
        }
        for key in &upstream.nonexistent {
            prop_assert!(!parent.exists(key, now));
        }
        // Together they cover the child's window.
        if upstream.nonexistent.is_empty() {
            let (first, _) = window(&parent, upstream.ordinals.start).expect("it exists");
            let (_, last) = window(&parent, upstream.ordinals.end - 1).expect("it exists");
            prop_assert!(first <= from && to <= last);
        }
    }

    #[test]
    fn one_row_is_no_other_answer(
        child in definition(), start in -2..3_i32, end in -2..3_i32, now in instant(),
        some in any::<proptest::sample::Index>(),
    ) {
        let mapping = PartitionMapping::TimeWindow {
            start_offset: start, end_offset: end, allow_nonexistent_upstream_partitions: false,
        };
        let mut edge = PartitionEdge::new(&mapping, Some(&child), &child).expect("they fit");
        let c = some.index(60) as u64;
        let quick = (edge.upstream(Some(c), now), edge.downstream(c, now));
        if let Rule::Windows(overlap) = &mut edge.rule {
            prop_assert!(std::mem::replace(&mut overlap.one_row, false));
        }
        // Without offsets that leave nothing over; there the long way keeps the window of the instant.
        if start <= end {
            prop_assert_eq!(quick, (edge.upstream(Some(c), now), edge.downstream(c, now)));
        }
    }
}
