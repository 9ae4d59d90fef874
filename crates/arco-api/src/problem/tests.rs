//! Every code has a word, a page, and a status that says what to do.

use std::collections::BTreeSet;
use std::path::Path;

use axum::http::StatusCode;

use super::Refusal;
use crate::codes::Code;

fn pages() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/errors")
}

#[test]
fn every_code_has_a_page_that_names_it() {
    for code in Code::ALL {
        let path = pages().join(format!("{}.md", code.page()));
        let text = std::fs::read_to_string(&path)
            .unwrap_or_else(|error| panic!("{} has no page {}: {error}", code.word(), path.display()));
        let first = text.lines().next().unwrap_or_default();
        assert_eq!(first, format!("# `{}`: {}", code.word(), code.title()), "{}", path.display());
        assert!(
            text.contains(&format!("Status {}", code.status().as_u16())),
            "{} does not say its status {}",
            path.display(),
            code.status()
        );
        assert!(text.contains("## What to do"), "{} does not say what to do", path.display());
    }
}

#[test]
fn every_page_has_a_code_and_the_index_lists_it() {
    let known: BTreeSet<String> = Code::ALL.iter().map(|code| code.page()).collect();
    let index = std::fs::read_to_string(pages().join("README.md")).unwrap();
    for code in Code::ALL {
        assert!(index.contains(&format!("({}.md)", code.page())), "{} is not in the index", code.word());
    }
    for entry in std::fs::read_dir(pages()).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let page = name.trim_end_matches(".md").to_owned();
        assert!(name == "README.md" || known.contains(&page), "{name} explains no code");
    }
}

#[test]
fn words_are_unique() {
    let words: BTreeSet<&str> = Code::ALL.iter().map(|code| code.word()).collect();
    assert_eq!(words.len(), Code::ALL.len());
}

#[test]
fn what_may_succeed_later_says_when_to_try() {
    for code in Code::ALL.iter().filter(|code| code.status() == StatusCode::SERVICE_UNAVAILABLE) {
        let response = Refusal::new(*code, "x").render("req_1");
        assert!(response.headers().contains_key("retry-after"), "{}", code.word());
    }
}
