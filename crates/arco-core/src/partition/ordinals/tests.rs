use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;

fn set() -> impl Strategy<Value = BTreeSet<u64>> {
    proptest::collection::btree_set(0..40_u64, 0..20)
}

proptest! {
    #[test]
    fn ranges_are_the_set_they_were_made_of(a in set(), b in set()) {
        let (x, y): (Ordinals, Ordinals) = (a.iter().copied().collect(), b.iter().copied().collect());
        prop_assert_eq!(x.iter().collect::<BTreeSet<_>>(), a.clone());
        prop_assert_eq!(x.len(), a.len() as u64);
        prop_assert_eq!((x.first(), x.last()), (a.first().copied(), a.last().copied()));
        prop_assert!((0..42).all(|n| x.contains(n) == a.contains(&n)));
        prop_assert!(x.ranges().windows(2).all(|pair| pair[0].end < pair[1].start));
        let of = |set: BTreeSet<u64>| set.into_iter().collect::<Ordinals>();
        prop_assert_eq!(x.union(&y), of(&a | &b));
        prop_assert_eq!(x.intersection(&y), of(&a & &b));
        prop_assert_eq!(x.difference(&y), of(&a - &b));
    }
}

/// P-25: keys that follow each other in their definition are one range; a window that is left out is none of
/// its partitions, and breaks no range.
#[test]
fn keys_are_grouped_into_ranges() {
    use crate::partition::{Cadence, PartitionsDef, TimeWindowSpec};

    let days = |exclusions: &[&str]| {
        PartitionsDef::time_window(TimeWindowSpec {
            exclusions: exclusions.iter().map(|text| (*text).to_owned()).collect(),
            ..TimeWindowSpec::of(Cadence::Daily, "2024-01-01T00:00:00")
        })
    };
    let letters = PartitionsDef::fixed(["a", "b", "c", "d"]);
    let rows: [(_, &[&str], &[&str]); 3] = [
        (
            days(&[]),
            &["2024-01-05", "2024-01-01", "2024-01-02"],
            &["2024-01-01...2024-01-02", "2024-01-05...2024-01-05"],
        ),
        (letters, &["a", "b", "d"], &["a...b", "d...d"]),
        // The sixth and seventh are the weekend.
        (
            days(&["0 0 * * 6,0"]),
            &["2024-01-04", "2024-01-05", "2024-01-08"],
            &["2024-01-04...2024-01-08"],
        ),
    ];
    for (def, keys, ranges) in rows {
        let def = def.expect("a definition");
        let ordinal = |key: &&str| def.ordinal_of(&def.parse_key(key).expect("a key"));
        let grouped: Ordinals = keys.iter().filter_map(ordinal).collect();
        let text = |at: u64| def.key_at(at).expect("a key").display().into_owned();
        let found: Vec<String> = grouped
            .ranges()
            .iter()
            .map(|range| format!("{}...{}", text(range.start), text(range.end - 1)))
            .collect();
        assert_eq!(found, ranges);
    }
}
