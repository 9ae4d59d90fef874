use std::collections::BTreeMap;

use arco_core::event::Position;
use arco_core::{AttemptId, Digest, RunId, Timestamp};
use proptest::prelude::*;

use super::{Made, Row};
use crate::state::Materialization;

fn made() -> impl Strategy<Value = Materialization> {
    let attempt = prop::option::of((0_u64..500, 0_u32..5, 1_u32..4));
    let code = prop::option::of(0_u32..300);
    (attempt, any::<u32>(), any::<bool>(), code).prop_map(|(attempt, data, digest, code)| {
        Materialization {
            position: Position {
                segment: u64::from(data) << 8,
                index: data % 50_000,
            },
            time: Timestamp(i64::from(data) - 1_000),
            attempt: attempt.map(|(run, task, number)| AttemptId {
                run: RunId::from_parts(run, u128::from(run)),
                task,
                number,
            }),
            data_version: if digest {
                Digest::of(&data.to_le_bytes()).to_string().into()
            } else {
                format!("etag {}", data % 300).into()
            },
            code_version: code.map(|code| format!("v{code}").into()),
        }
    })
}

#[test]
fn a_row_is_small() {
    assert_eq!(size_of::<Row>(), 64);
}

#[test]
fn a_page_that_was_cut_short_is_refused() {
    let text = r#"[{"present":3,"rows":""}]"#;
    let error = serde_json::from_str::<Made>(text).unwrap_err();
    assert!(error.to_string().contains("is not whole"), "{error}");
}

#[test]
fn rows_of_an_earlier_version_are_read() {
    let text = r#"{"2":{"position":[7,1],"time":5,"attempt":null,"data_version":"v1","code_version":null}}"#;
    let rows: Made = serde_json::from_str(text).unwrap();
    let made = rows.get(2).expect("it was made");
    assert_eq!(
        (made.position, &*made.data_version),
        (
            Position {
                segment: 7,
                index: 1
            },
            "v1"
        )
    );
    assert_eq!(rows.iter().count(), 1);
}

proptest! {
    /// It is a map from ordinals to what was last put there, whatever runs and versions come and go; and the
    /// same rows are the same bytes, however they came to be.
    #[test]
    fn rows_are_a_map(puts in prop::collection::vec((0_u32..200, made()), 0..1_500)) {
        let mut rows = Made::default();
        let mut known = BTreeMap::new();
        for (ordinal, made) in puts {
            rows.insert(ordinal, &made);
            known.insert(ordinal, made);
        }
        prop_assert_eq!(rows.iter().collect::<BTreeMap<_, _>>(), known.clone());
        let mut fresh = Made::default();
        for (ordinal, made) in &known {
            prop_assert_eq!(rows.get(*ordinal), Some(made.clone()));
            fresh.insert(*ordinal, made);
        }
        prop_assert_eq!(&fresh, &rows);
        let text = serde_json::to_string(&rows).unwrap();
        prop_assert_eq!(&text, &serde_json::to_string(&fresh).unwrap());
        let read: Made = serde_json::from_str(&text).unwrap();
        prop_assert_eq!(&read, &rows);
    }
}
