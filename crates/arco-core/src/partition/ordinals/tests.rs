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
