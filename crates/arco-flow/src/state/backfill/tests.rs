use arco_core::backfill::{BackfillTarget, TargetNeed, TargetUnit};
use arco_core::partition::{Ordinals, PartitionMapping, PartitionsDef};
use proptest::prelude::*;

use super::*;
use crate::state::PagedBitmap;
use crate::testing::NOW;

fn unit(members: Ordinals, chunk_size: u32, needs: Vec<TargetNeed>) -> TargetUnit {
    let keys: Vec<String> = (0..200).map(|n| format!("k{n}")).collect();
    TargetUnit {
        assets: vec![AssetKey::parse("a").unwrap()],
        partitions: Some(PartitionsDef::fixed(keys).unwrap()),
        members,
        chunk_size,
        needs,
        ready: Ordinals::default(),
    }
}

proptest! {
    /// Members are the ordinals in order, and ranges of ordinals are ranges of members.
    #[test]
    fn members_number_the_ordinals(
        ordinals in prop::collection::btree_set(0_u64..200, 0..60),
        from in 0_u64..210,
        len in 0_u64..60,
    ) {
        let set: Ordinals = ordinals.iter().copied().collect();
        let target = BackfillTarget {
            now: NOW,
            sets: Default::default(),
            units: vec![unit(set.clone(), 3, Vec::new())],
            left_out: Vec::new(),
        };
        let shape = Shape::of(&target).unwrap();
        let members = &shape.units[0].members;
        prop_assert_eq!(u64::from(members.count()), set.len());
        for (n, ordinal) in (0_u32..).zip(&ordinals) {
            prop_assert_eq!(members.ordinal(n), Some(*ordinal));
            prop_assert_eq!(members.member(*ordinal), Some(n));
        }
        prop_assert_eq!(members.ordinal(members.count()), None);
        let within: Vec<u32> = members.within(from..from + len).flatten().collect();
        let known: Vec<u32> = (0_u32..)
            .zip(&ordinals)
            .filter(|(_, ordinal)| (from..from + len).contains(ordinal))
            .map(|(n, _)| n)
            .collect();
        prop_assert_eq!(within, known);
        // Chunks are all members in order, each once, and their numbers lead back to them.
        let chunks = shape.units[0].chunks();
        let all: Vec<u32> = (0..chunks).flat_map(|chunk| shape.units[0].members_of(chunk)).collect();
        prop_assert_eq!(all, (0..members.count()).collect::<Vec<_>>());
        for chunk in 0..chunks {
            prop_assert_eq!(shape.place(shape.number(0, chunk)), Some((0, chunk)));
        }
        prop_assert_eq!(shape.place(shape.chunks()), None);
    }
}

#[test]
fn a_chunk_opens_with_the_last_of_what_it_reads() {
    let mut parent = unit(Ordinals::from(0..4), 1, Vec::new());
    parent.ready = Ordinals::from(0..4);
    let needs = vec![TargetNeed {
        unit: 0,
        mapping: Some(PartitionMapping::Identity),
        answers: arco_core::partition::MappingAnswers::default(),
        assets: Vec::new(),
    }];
    let target = BackfillTarget {
        now: NOW,
        sets: Default::default(),
        units: vec![parent, unit(Ordinals::from(0..4), 2, needs)],
        left_out: Vec::new(),
    };
    let shape = Shape::of(&target).unwrap();
    let mut progress = Progress::new(&shape, &target);
    assert_eq!(progress.open(), 4);
    progress.settle(&shape, 0, 0, Settled::Done);
    assert!(
        progress.units[1].open.is_empty(),
        "half of its first chunk waits"
    );
    progress.settle(&shape, 0, 1, Settled::Done);
    progress.settle(&shape, 0, 1, Settled::Done);
    assert_eq!(progress.units[1].open.iter().collect::<Vec<_>>(), [0]);
    progress.settle(&shape, 0, 2, Settled::Done);
    progress.settle(&shape, 0, 3, Settled::Failed);
    progress.settle(&shape, 0, 3, Settled::Done);
    assert_eq!(
        progress.units[1].open.iter().collect::<Vec<_>>(),
        [0],
        "failed stays failed"
    );
    for chunk in 0..4 {
        progress.plan(0, chunk);
    }
    progress.plan(1, 0);
    assert_eq!(progress.rest(&shape).collect::<Vec<_>>(), [(1, 1)]);
    assert_eq!(
        progress.members(&shape, 1, 1),
        [2],
        "what the failed one feeds is left alone"
    );
}

#[test]
fn ranges_of_a_bitmap_are_what_one_by_one_would_be() {
    let mut bits = PagedBitmap::of_range(10..10_000);
    assert_eq!(bits.len(), 9_990);
    assert!(bits.contains_range(10..10_000) && !bits.contains_range(9..11));
    assert!(!bits.contains_range(9_999..10_001) && bits.contains_range(5..5));
    bits.remove(4_096);
    assert!(!bits.contains_range(4_000..4_200));
    assert_eq!((bits.count(4_000..4_200), bits.count(0..20)), (199, 10));
    bits.insert_range(4_096..4_097);
    assert_eq!(bits, PagedBitmap::of_range(10..10_000));
    assert_eq!(bits.iter_rev().take(2).collect::<Vec<_>>(), [9_999, 9_998]);
}
