use super::*;

fn plan(deep: bool, minutes: Option<u64>) -> Plan {
    Plan {
        corpora: Corpus::ALL.to_vec(),
        seed: "s".into(),
        patience: minutes.map(|minutes| Duration::from_secs(60 * minutes)),
        deep,
    }
}

#[test]
fn a_default_run_is_one_round() {
    let none = Figures::default();
    let default = plan(false, Some(4));
    assert_eq!(default.still_to_ask(&none, Duration::ZERO), Corpus::ALL);
    let deep = plan(true, None);
    assert_eq!(deep.still_to_ask(&none, Duration::ZERO), Corpus::ALL);
}

/// A full comparison of selections is 10,000 pairs of a graph and an expression; how expressions print is
/// not counted.
#[test]
fn a_deep_run_goes_on_until_each_corpus_has_been_asked_enough() {
    let deep = plan(true, None);
    let asked = |op: &str, cases: usize| {
        let mut figures = Figures::default();
        let row =
            serde_json::json!({"cases": cases, "equal": cases, "unexplained": 0, "deviations": {}});
        let round = serde_json::json!({ op: row }).to_string();
        figures.add_text(&round).expect("figures");
        deep.still_to_ask(&figures, Duration::ZERO)
    };
    let short = |left: Vec<Corpus>| left.contains(&Corpus::Selections);
    assert!(short(asked("parse_selection", 20_000)));
    assert!(short(asked("resolve_selection", 9_999)));
    assert!(!short(asked("resolve_selection", 10_000)));
    assert!(!asked("dequeue", 2_000).contains(&Corpus::Queue));
}

#[test]
fn later_rounds_have_seeds_of_their_own() {
    assert_eq!(seed_of_round("s", 0), "s");
    assert_eq!(seed_of_round("s", 3), "s.3");
    assert_ne!(new_seed(), new_seed());
}

#[test]
fn the_corpora_are_those_of_the_asking_script() {
    let script = repo::path("golden/oracle/questions/__init__.py");
    let script = fs::read_to_string(script).expect("the script");
    for corpus in Corpus::ALL {
        assert!(script.contains(&format!("\"{0}\": {0}.ask", corpus.name())));
    }
}
