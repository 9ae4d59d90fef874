//! Every code has a word, a page, and a status that says what to do.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use arco_engine::EngineError;
use arco_flow::Rejection;
use arco_log::LogError;
use axum::http::StatusCode;

use super::{DETAIL_BYTES_MAX, Refusal, cut};
use crate::codes::Code;

fn pages() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/errors")
}

#[test]
fn every_code_has_a_page_that_names_it() {
    for code in Code::ALL {
        let path = pages().join(format!("{}.md", code.page()));
        let text = std::fs::read_to_string(&path).unwrap_or_else(|error| {
            panic!("{} has no page {}: {error}", code.word(), path.display())
        });
        let first = text.lines().next().unwrap_or_default();
        assert_eq!(
            first,
            format!("# `{}`: {}", code.word(), code.title()),
            "{}",
            path.display()
        );
        assert!(
            text.contains(&format!("Status {}", code.status().as_u16())),
            "{} does not say its status {}",
            path.display(),
            code.status()
        );
        assert!(
            text.contains("## What to do"),
            "{} does not say what to do",
            path.display()
        );
    }
}

#[test]
fn every_page_has_a_code_and_the_index_lists_it() {
    let known: BTreeSet<String> = Code::ALL.iter().map(|code| code.page()).collect();
    let index = std::fs::read_to_string(pages().join("README.md")).unwrap();
    for code in Code::ALL {
        assert!(
            index.contains(&format!("({}.md)", code.page())),
            "{} is not in the index",
            code.word()
        );
    }
    for entry in std::fs::read_dir(pages()).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let page = name.trim_end_matches(".md").to_owned();
        assert!(
            name == "README.md" || known.contains(&page),
            "{name} explains no code"
        );
    }
}

#[test]
fn words_are_unique() {
    let words: BTreeSet<&str> = Code::ALL.iter().map(|code| code.word()).collect();
    assert_eq!(words.len(), Code::ALL.len());
}

#[test]
fn what_may_succeed_later_says_when_to_try() {
    for code in Code::ALL
        .iter()
        .filter(|code| code.status() == StatusCode::SERVICE_UNAVAILABLE)
    {
        let response = Refusal::new(*code, "x").render("req_1");
        assert!(
            response.headers().contains_key("retry-after"),
            "{}",
            code.word()
        );
    }
}

/// Refusals that only a broken store, a race or an upgrade brings about.
fn troubles() -> Vec<EngineError> {
    let log = |error: LogError| EngineError::from(error);
    let object = || "log/0/17".to_owned();
    vec![
        EngineError::Unknown("segment 17".into()),
        EngineError::ReadOnly(
            "event kind `a.b` version 9 is newer than this program; upgrade it".into(),
        ),
        EngineError::NotLeader {
            url: "http://10.0.0.2:3000".into(),
        },
        EngineError::LeadInDoubt,
        EngineError::Stopped,
        Rejection::Replan.into(),
        Rejection::Fenced("host_01JD5Z6Q8G7V9K3W2M4N5P6R7S".parse().unwrap()).into(),
        Rejection::TooManyTasks {
            tasks: 300_000,
            max: 200_000,
        }
        .into(),
        Rejection::TooManyPartitions {
            name: "customers".into(),
            keys: 17_000_000,
            max: 16_777_216,
        }
        .into(),
        Rejection::Led {
            epoch: 3,
            holder: "abc".into(),
        }
        .into(),
        log(LogError::Corrupt {
            object: object(),
            problem: "its digest is another".into(),
            mend: "restore it from a version of the bucket".into(),
        }),
        log(LogError::TooNew {
            object: object(),
            needs: 2,
            have: 1,
        }),
        log(LogError::Unavailable {
            doing: "read",
            object: object(),
            source: "connection reset".into(),
        }),
        log(LogError::Refused {
            store: "s3://b".into(),
            problem: "it ignores `if-none-match`".into(),
            mend: "use a store that honours it".into(),
        }),
        log(LogError::Conflict {
            object: object(),
            problem: "other bytes".into(),
        }),
        log(LogError::Invalid {
            problem: "the decision is 5 MiB".into(),
            mend: "ask for less at a time".into(),
        }),
    ]
}

#[tokio::test]
async fn troubles_are_said_in_the_one_shape() {
    let mut shown = Vec::new();
    for error in troubles() {
        let response = Refusal::from(error).render("req_snapshot");
        let headers: BTreeMap<String, String> = response
            .headers()
            .iter()
            .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()))
            .collect();
        let body = axum::body::to_bytes(response.into_body(), usize::MAX)
            .await
            .unwrap();
        let body: serde_json::Value = serde_json::from_slice(&body).unwrap();
        shown.push(serde_json::json!({"headers": headers, "body": body}));
    }
    insta::assert_json_snapshot!(shown);
}

#[test]
fn the_table_of_codes_stands() {
    let row = |code: &Code| {
        format!(
            "{} {}: {}",
            code.status().as_u16(),
            code.word(),
            code.title()
        )
    };
    let mut rows: Vec<String> = Code::ALL.iter().map(row).collect();
    rows.sort();
    insta::assert_snapshot!(rows.join("\n"));
}

#[test]
fn a_detail_repeats_the_beginning_and_the_end_of_a_long_text() {
    let whole = "é".repeat(DETAIL_BYTES_MAX / 2);
    assert_eq!(cut(whole.clone()), whole);
    let long = format!("selection `{}` selects no asset", "é".repeat(450_000));
    let shown = cut(long.clone());
    assert!(shown.len() < DETAIL_BYTES_MAX + 40, "{}", shown.len());
    assert!(shown.starts_with("selection `éé") && shown.ends_with("é` selects no asset"));
    assert!(shown.contains(" bytes…] "), "{shown}");
    assert_eq!(Refusal::new(Code::EmptySelection, long).detail, shown);
}
