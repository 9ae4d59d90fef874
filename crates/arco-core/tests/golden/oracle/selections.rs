use std::collections::BTreeMap;

use arco_core::AssetKey;
use arco_core::partition::PartitionsKind;
use arco_core::selection::{Selection, SelectionGraph};
use serde_json::{Value, json};

use super::{Case, Exception, Line, compare_all, corpus, strings};

#[test]
fn selections_choose_what_dagster_chooses() {
    let graphs: Vec<Graph> = corpus("selections")
        .lines
        .iter()
        .filter(|line| line.op == "graph")
        .map(|line| Graph::of(&line.args["assets"]))
        .collect();
    compare_all("selections", EXCEPTIONS, |line| answers(line, &graphs));
}

const EXCEPTIONS: &[Exception] = &[
    Exception {
        card: "EX-29",
        name: "L-15, D-33: what is printed reads back as the same selection, bare keys as bare keys",
        explains: |case| {
            // Dagster's own text must be the one that means something else.
            let read = |text: &Value| text.as_str().and_then(|text| Selection::parse(text).ok());
            let given = read(&case.line.args["selection"]);
            case.line.op == "parse_selection"
                && given.is_some()
                && read(&case.ours) == given
                && read(&case.theirs) != given
        },
    },
    Exception {
        card: "EX-30",
        name: "L-10: a depth beyond all counting is all counting",
        explains: |case| text(case).starts_with("9999999999"),
    },
    Exception {
        card: "EX-31",
        name: "L-8, D-33: `key:*` is read",
        explains: |case| text(case) == "key:*",
    },
    Exception {
        card: "EX-32",
        name: "L-2: a word of the grammar may be a value",
        explains: |case| ["key:sensor", "key:and", "kind:roots"].contains(&text(case)),
    },
    Exception {
        card: "EX-33",
        name: "L-14: `partitions:` with an unknown word is refused",
        explains: |case| ["partitions:foo", "partitions:daily"].contains(&text(case)),
    },
    Exception {
        card: "EX-34",
        name: "L-7, D-33: `<null>` works for owners and tags too",
        explains: |case| ["owner:<null>", "tag:<null>"].contains(&text(case)),
    },
    Exception {
        card: "EX-35",
        name: "L-3: `code_location:` is answered",
        explains: |case| text(case) == "code_location:x",
    },
];

fn text<'a>(case: &'a Case<'_>) -> &'a str {
    case.line.args["selection"].as_str().unwrap_or_default()
}

fn answers(line: &Line, graphs: &[Graph]) -> Option<(Value, Value)> {
    let read = Selection::parse(line.args["selection"].as_str().unwrap_or_default());
    match line.op.as_str() {
        "parse_selection" => {
            let ours = read.map_or(Value::Null, |selection| json!(selection.to_string()));
            Some((ours, line.result["canonical"].clone()))
        }
        "resolve_selection" => {
            let graph = line.args["graph"].as_u64().expect("a number");
            let graph = &graphs[usize::try_from(graph).expect("small")];
            let ours = read
                .and_then(|selection| selection.evaluate(graph))
                .map_or(Value::Null, |chosen| graph.names(chosen));
            Some((ours, line.result.clone()))
        }
        _ => None,
    }
}

struct Graph {
    nodes: Vec<Node>,
}

#[derive(Default)]
struct Node {
    key: Option<AssetKey>,
    group: String,
    kinds: Vec<String>,
    tags: BTreeMap<String, String>,
    owners: Vec<String>,
    external: bool,
    partitions: Option<PartitionsKind>,
    parents: Vec<usize>,
    children: Vec<usize>,
}

impl Graph {
    fn of(assets: &Value) -> Self {
        let assets = assets.as_array().expect("assets");
        let key = |asset: &Value| asset["key"].as_str().unwrap_or_default().to_owned();
        let keys: Vec<String> = assets.iter().map(key).collect();
        let mut nodes: Vec<Node> = assets
            .iter()
            .map(|asset| Node {
                key: AssetKey::parse(&key(asset)),
                group: asset["group"].as_str().unwrap_or("default").into(),
                kinds: strings(&asset["kinds"]),
                tags: serde_json::from_value(asset["tags"].clone()).unwrap_or_default(),
                owners: strings(&asset["owners"]),
                external: asset["external"] == true,
                partitions: asset["partitions"]["type"].as_str().map(|t| match t {
                    "static" => PartitionsKind::Static,
                    _ => PartitionsKind::TimeWindow,
                }),
                ..Node::default()
            })
            .collect();
        for (node, asset) in assets.iter().enumerate() {
            for dep in asset["deps"].as_array().into_iter().flatten() {
                let name = dep.as_str().or(dep["key"].as_str()).expect("a key");
                let parent = keys.iter().position(|k| k == name).expect("defined");
                nodes[node].parents.push(parent);
                nodes[parent].children.push(node);
            }
        }
        Self { nodes }
    }

    fn names(&self, chosen: impl IntoIterator<Item = usize>) -> Value {
        let mut names: Vec<&str> = chosen.into_iter().map(|n| self.key(n).as_str()).collect();
        names.sort_unstable();
        json!(names)
    }
}

impl SelectionGraph for Graph {
    fn len(&self) -> usize {
        self.nodes.len()
    }
    fn key(&self, node: usize) -> &AssetKey {
        self.nodes[node].key.as_ref().expect("a key")
    }
    fn group(&self, node: usize) -> &str {
        &self.nodes[node].group
    }
    fn kinds(&self, node: usize) -> &[String] {
        &self.nodes[node].kinds
    }
    fn tags(&self, node: usize) -> &BTreeMap<String, String> {
        &self.nodes[node].tags
    }
    fn owners(&self, node: usize) -> &[String] {
        &self.nodes[node].owners
    }
    fn location(&self, _node: usize) -> &str {
        "here"
    }
    fn is_external(&self, node: usize) -> bool {
        self.nodes[node].external
    }
    fn partitions(&self, node: usize) -> Option<PartitionsKind> {
        self.nodes[node].partitions
    }
    fn parents(&self, node: usize) -> &[usize] {
        &self.nodes[node].parents
    }
    fn children(&self, node: usize) -> &[usize] {
        &self.nodes[node].children
    }
}
