use super::Workflow;
use crate::parity::test_name::{Target, Test};

const WORKFLOW: &str = "\
name: ci
on:
  push:
    branches: [main]
jobs:
  # Everything.
  all:
    steps:
      - uses: actions/checkout@v4
      - run: .ci/run
  rust:
    steps:
      - run: .ci/run build rust
  python:
    steps:
      - run: .ci/run python
  gates:
    steps:
      - name: gates
        run: |
          set -e
          cargo test --locked -p a --test gate && cargo test -p b \\
            --test other -- --nocapture
      - run: echo done
  filtered:
    steps:
      - run: cargo test -p a --test gate some_name
  off:
    if: ${{ false }}
    steps:
      - run: .ci/run
  lenient:
    continue-on-error: true
    steps:
      - run: .ci/run
  swallowed:
    steps:
      - run: .ci/run rust || true
";

fn rust(package: &str, binary: &str) -> Test {
    Test::Rust {
        package: package.into(),
        target: Target::Integration(binary.into()),
        name: "holds".into(),
    }
}

fn python(root: &str) -> Test {
    Test::Python {
        root: root.into(),
        file: "tests/test_x.py".into(),
        classes: Vec::new(),
        name: "test_x".into(),
    }
}

fn jobs_of(test: &Test) -> Vec<String> {
    let workflow = Workflow::parse(WORKFLOW);
    workflow
        .keys()
        .filter(|key| workflow.job(key).unwrap().runs(test))
        .map(str::to_owned)
        .collect()
}

#[test]
fn jobs_are_found_by_their_keys() {
    let workflow = Workflow::parse(WORKFLOW);
    let keys: Vec<&str> = workflow.keys().collect();
    assert_eq!(
        keys,
        [
            "all",
            "filtered",
            "gates",
            "lenient",
            "off",
            "python",
            "rust",
            "swallowed"
        ]
    );
}

#[test]
fn rust_test_runs_in_its_stage_and_in_a_gate_of_its_binary() {
    assert_eq!(jobs_of(&rust("a", "gate")), ["all", "gates", "rust"]);
    assert_eq!(jobs_of(&rust("b", "other")), ["all", "gates", "rust"]);
    assert_eq!(jobs_of(&rust("b", "gate")), ["all", "rust"]);
    assert_eq!(jobs_of(&rust("a", "it")), ["all", "rust"]);
}

#[test]
fn python_test_runs_in_its_own_stage() {
    assert_eq!(jobs_of(&python("python/arco")), ["all", "python"]);
    assert_eq!(jobs_of(&python("examples/flights")), ["all"]);
}

#[test]
fn workflow_of_the_repository_is_read() {
    let text = std::fs::read_to_string(crate::repo::path(super::FILE)).unwrap();
    let workflow = Workflow::parse(&text);
    assert!(workflow.job("rust").unwrap().runs(&rust("arco-api", "it")));
    assert!(workflow.job("python").unwrap().runs(&python("python/arco")));
    assert!(!workflow.job("lint").unwrap().runs(&rust("arco-api", "it")));
}
