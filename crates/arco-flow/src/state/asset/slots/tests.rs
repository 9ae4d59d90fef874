use std::collections::HashMap;

use arco_core::PartitionKey;
use proptest::prelude::*;

use super::{BUCKET, Slots};
use crate::state::Slot;

fn day(n: u32) -> Slot {
    Some(PartitionKey::text(&format!("day {n}")))
}

#[test]
fn each_slot_keeps_the_number_it_was_given_first() {
    let mut slots = Slots::default();
    assert_eq!(slots.ordinal(&None), None, "nothing was spoken of");
    for n in 0..20_000 {
        assert_eq!(slots.intern(&day(n)), n);
    }
    assert_eq!(
        slots.intern(&None),
        20_000,
        "the asset was partitioned only later"
    );
    for n in 0..20_000 {
        assert_eq!(slots.ordinal(&day(n)), Some(n));
        assert_eq!(slots.get(n), Some(day(n)));
        assert_eq!(slots.intern(&day(n)), n);
    }
    assert_eq!((slots.len(), slots.get(20_001)), (20_001, None));
}

#[test]
fn no_bucket_is_long_however_many_slots_there_are() {
    let mut slots = Slots::default();
    for n in 0..50_000 {
        slots.intern(&day(n));
    }
    let longest = slots.index.buckets.iter().map(|bucket| bucket.len()).max();
    assert!(longest < Some(6 * BUCKET), "{longest:?} in one bucket");
}

#[test]
fn a_clone_does_not_see_what_comes_after_it() {
    let mut slots = Slots::default();
    slots.intern(&day(1));
    let before = slots.clone();
    slots.intern(&day(2));
    assert_eq!((before.len(), before.ordinal(&day(2))), (1, None));
    assert_eq!(slots.ordinal(&day(2)), Some(1));
}

proptest! {
    /// Whatever is asked in whatever order, it is a map from slots to the order of their first appearance, and
    /// comes back from a snapshot as it was.
    #[test]
    fn slots_are_a_dictionary(asked in prop::collection::vec(prop::option::of(0_u32..400), 0..600)) {
        let mut slots = Slots::default();
        let mut known: HashMap<Slot, u32> = HashMap::new();
        for slot in asked {
            let slot = slot.and_then(day);
            let next = u32::try_from(known.len()).unwrap();
            let expected = *known.entry(slot.clone()).or_insert(next);
            prop_assert_eq!(slots.intern(&slot), expected);
        }
        let text = serde_json::to_string(&slots).unwrap();
        let read: Slots = serde_json::from_str(&text).unwrap();
        prop_assert_eq!(&read, &slots);
        for (slot, ordinal) in known {
            prop_assert_eq!(read.ordinal(&slot), Some(ordinal));
            prop_assert_eq!(read.get(ordinal), Some(slot));
        }
    }
}
