use super::*;

fn edges(text: &str) -> BTreeMap<String, Vec<String>> {
    let mut out: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for edge in text.split_whitespace() {
        let (from, to) = edge.split_once('>').expect("edges look like a>b");
        out.entry(from.into()).or_default().push(to.into());
        out.entry(to.into()).or_default();
    }
    out
}

#[test]
fn cycles_are_shown_as_a_path_from_their_smallest_node() {
    let cases = [
        ("a>b b>c", None),
        ("a>b b>c a>c", None),
        ("a>a", Some("a a")),
        ("b>a a>b", Some("a b a")),
        ("x>c c>d d>b b>c", Some("b c d b")),
    ];
    for (given, then) in cases {
        assert_eq!(
            cycle(&edges(given)).map(|p| p.join(" ")).as_deref(),
            then,
            "{given}"
        );
    }
}

#[test]
fn a_long_chain_does_not_end_the_process() {
    let chain: BTreeMap<u32, Vec<u32>> = (0..100_000).map(|n| (n, vec![n + 1])).collect();
    assert_eq!(cycle(&chain), None);
}

#[test]
fn reachability_stops_at_the_depth() {
    let graph = edges("a>b b>c c>d");
    let down = |n: &String| graph[n].clone();
    let set = |depth| {
        reachable(["a".to_owned()], depth, down)
            .into_iter()
            .collect::<String>()
    };
    assert_eq!(set(Some(0)), "a");
    assert_eq!(set(Some(2)), "abc");
    assert_eq!(set(None), "abcd");
}

#[test]
fn slips_of_the_pen_are_recognised_and_other_words_are_not() {
    let known = ["flights", "weather", "airports"];
    assert_eq!(did_you_mean("flihgts", known), Some("flights"));
    assert_eq!(did_you_mean("airport", known), Some("airports"));
    assert_eq!(did_you_mean("sales", known), None);
}
