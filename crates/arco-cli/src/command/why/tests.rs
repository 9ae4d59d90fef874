//! What people read: every answer that the fold's stories gave (`golden/explanations`), as text.

use std::path::Path;

use arco_wire::api::Explanation;

use clap::Parser;

use super::tree::render;
use super::{Options, Subject};
use crate::command::runs::RunName;
use crate::command::task_name::TaskName;
use crate::render::Paint;

const RUN: &str = "run_01JD5Z6Q8G7V9K3W2M4N5P6R7S";

#[derive(Debug, Parser)]
struct Asked {
    #[command(flatten)]
    options: Options,
}

fn subject(words: &str) -> Result<Subject, String> {
    let words = ["why"].into_iter().chain(words.split_whitespace());
    let asked = Asked::try_parse_from(words).map_err(|error| error.to_string())?;
    Subject::of(&asked.options).map_err(|failure| failure.render(Paint::new(false)))
}

#[test]
fn what_is_asked_about_is_told_from_its_form() {
    let run = || RunName::Id(RUN.to_owned());
    let of = |run, task| Ok(Subject::Run { run, task });
    let step = |step: &str, partition: Option<&str>| {
        Some(TaskName::Step {
            step: step.to_owned(),
            keys: partition.into_iter().map(str::to_owned).collect(),
        })
    };
    let asset = |partition: Option<&str>| {
        Ok(Subject::Asset {
            key: "raw/sales".to_owned(),
            partition: partition.map(str::to_owned),
        })
    };
    assert_eq!(subject("latest"), of(RunName::Latest, None));
    assert_eq!(subject(RUN), of(run(), None));
    let number = || Some(TaskName::Number(12));
    assert_eq!(subject(&format!("{RUN} 12")), of(run(), number()));
    assert_eq!(subject(&format!("{RUN}.12")), of(run(), number()));
    assert_eq!(subject(&format!("{RUN}.12.3")), of(run(), number()));
    assert_eq!(
        subject(&format!("{RUN} daily[2026-01-01]")),
        of(run(), step("daily", Some("2026-01-01")))
    );
    assert_eq!(
        subject("latest daily"),
        of(RunName::Latest, step("daily", None))
    );
    assert_eq!(subject("raw/sales"), asset(None));
    assert_eq!(subject("raw/sales 2026-01-01"), asset(Some("2026-01-01")));
    assert_eq!(
        subject("raw/sales -p 2026-01-01"),
        asset(Some("2026-01-01"))
    );
    for (words, says) in [
        (format!("{RUN} -p 2026-01-01"), "no partition of its own"),
        (format!("{RUN}.12 13"), "is one task already"),
        (format!("{RUN} daily[2026"), "has no `]`"),
        (
            "a 2026-01-01 -p 2026-01-02".to_owned(),
            "cannot be used with",
        ),
    ] {
        let refused = subject(&words).unwrap_err();
        assert!(refused.contains(says), "{words}: {refused}");
    }
}

#[test]
fn every_kind_of_question_has_an_answer_a_person_can_read() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../golden/explanations");
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    let mut all = Vec::new();
    for file in &files {
        let text = std::fs::read_to_string(file).unwrap();
        let explanation: Explanation = serde_json::from_str(&text).unwrap();
        let question = file.file_stem().unwrap().to_string_lossy();
        let shown = render(&explanation, Paint::new(false));
        all.push(format!("── {question}\n{shown}"));
    }
    assert!(files.len() >= 10, "ten kinds of question at least");
    insta::assert_snapshot!(all.join("\n\n"));
}
