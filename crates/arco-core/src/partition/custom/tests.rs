use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;

fn key(number: u8) -> PartitionKey {
    PartitionKey::text(&format!("k{number}"))
}

proptest! {
    /// Set and forgotten in any order, both ways say the same pairs, and come back from their text.
    #[test]
    fn both_ways_are_the_same_pairs(
        steps in proptest::collection::vec((0..6_u8, proptest::option::of(proptest::collection::vec(0..5_u8, 0..4))), 0..30),
    ) {
        let mut answers = MappingAnswers::default();
        let mut model: BTreeMap<PartitionKey, BTreeSet<PartitionKey>> = BTreeMap::new();
        for (child, parents) in steps {
            match parents {
                Some(parents) => {
                    answers.set(key(child), parents.iter().copied().map(key));
                    model.insert(key(child), parents.into_iter().map(key).collect());
                }
                None => {
                    answers.forget(&key(child));
                    model.remove(&key(child));
                }
            }
        }
        prop_assert_eq!(answers.len(), model.len());
        for child in (0..6).map(key) {
            let known: Option<Vec<_>> = answers.parents(&child).map(<[_]>::to_vec);
            prop_assert_eq!(known, model.get(&child).map(|set| set.iter().cloned().collect()));
        }
        for parent in (0..5).map(key) {
            let readers: Vec<_> = answers.children(&parent).cloned().collect();
            let expected: Vec<_> =
                model.iter().filter(|(_, set)| set.contains(&parent)).map(|(child, _)| child.clone()).collect();
            prop_assert_eq!(readers, expected);
        }
        let text = serde_json::to_string(&answers).expect("it serialises");
        let back: MappingAnswers = serde_json::from_str(&text).expect("it is read");
        prop_assert_eq!(serde_json::to_string(&back).expect("it serialises"), text);
        prop_assert_eq!(&back, &answers);
        let some = answers.only([key(0), key(1)]);
        prop_assert_eq!(some.parents(&key(0)), answers.parents(&key(0)));
        prop_assert_eq!(some.parents(&key(2)), None);
    }
}
