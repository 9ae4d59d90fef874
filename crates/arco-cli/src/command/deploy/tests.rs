use arco_core::Digest;
use arco_wire::api::{Changes, Deployed};

use super::render;
use crate::render::Paint;

fn deployed(previous: Option<Digest>) -> Deployed {
    Deployed {
        location: "sales".into(),
        version: Digest::of(b"new"),
        previous,
        deployed: true,
        assets: Changes {
            added: vec!["orders".into(), "returns".into()],
            added_count: 2,
            removed: vec!["old".into()],
            removed_count: 1,
            ..Changes::default()
        },
        checks: Changes::default(),
        jobs: Changes {
            changed: vec!["nightly".into()],
            changed_count: 1,
            ..Changes::default()
        },
        resources: Changes::default(),
    }
}

#[test]
fn what_changes_is_said_in_a_line_each() {
    insta::assert_snapshot!(render(
        &deployed(Some(Digest::of(b"old"))),
        false,
        Paint::new(false)
    ));
    let first = render(&deployed(None), true, Paint::new(false));
    assert!(first.starts_with("location sales: definitions"), "{first}");
    assert!(
        first
            .lines()
            .next()
            .unwrap()
            .ends_with("would be its first"),
        "{first}"
    );
}
