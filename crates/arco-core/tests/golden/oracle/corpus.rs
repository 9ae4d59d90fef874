//! The files of questions and answers.

use std::fs::File;
use std::io::Read;
use std::path::PathBuf;

use flate2::read::GzDecoder;
use serde_json::Value;

/// A folder with fresh questions, instead of the committed ones, when it is set. It need not have all
/// corpora.
const FRESH: &str = "ARCO_ORACLE_CORPUS";

pub(crate) struct Corpus {
    /// The seed of its questions.
    pub(crate) seed: String,
    pub(crate) lines: Vec<Line>,
}

#[derive(serde::Deserialize)]
pub(crate) struct Line {
    pub(crate) op: String,
    pub(crate) args: Value,
    #[serde(default)]
    pub(crate) ok: bool,
    #[serde(default)]
    pub(crate) result: Value,
    #[serde(default)]
    pub(crate) error: String,
}

#[derive(serde::Deserialize)]
struct Header {
    seed: String,
    dagster: String,
}

pub(crate) fn is_fresh() -> bool {
    std::env::var_os(FRESH).is_some()
}

/// A corpus; empty when the folder of fresh questions has none of that name.
pub(crate) fn corpus(name: &str) -> Corpus {
    let file = format!("{name}.jsonl.gz");
    let path = match std::env::var_os(FRESH) {
        Some(folder) => PathBuf::from(folder).join(file),
        None => PathBuf::from(env!("CARGO_MANIFEST_DIR"))
            .join("../../golden/oracle")
            .join(file),
    };
    if is_fresh() && !path.exists() {
        return Corpus {
            seed: String::new(),
            lines: Vec::new(),
        };
    }
    let mut text = String::new();
    let read = File::open(&path).and_then(|file| GzDecoder::new(file).read_to_string(&mut text));
    read.unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let mut lines = text.lines();
    let header: Header = lines
        .next()
        .and_then(|line| serde_json::from_str(line).ok())
        .expect("a corpus begins with its seed and version");
    assert_eq!(header.dagster, "1.13.27", "{} is of it", path.display());
    Corpus {
        seed: header.seed,
        lines: lines
            .map(|line| serde_json::from_str(line).expect("a line of the corpus"))
            .collect(),
    }
}
