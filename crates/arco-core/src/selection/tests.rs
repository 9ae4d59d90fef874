use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::AssetKey;
use crate::partition::PartitionsKind;

fn refused(text: &str) -> SelectionError {
    Selection::parse(text).expect_err(text)
}

#[test]
fn refusals_point_at_the_place() {
    for (text, expected) in [
        (
            "key:a and",
            "selection `key:a and` cannot be read at column 10: expected an attribute such as `key:`, `not`, \
             `sinks(`, `(` or `*`, found the end\n  key:a and\n           ^",
        ),
        (
            "a and b",
            "selection `a and b` cannot be read at column 1: expected an attribute such as `key:`, `not`, \
             `sinks(`, `(` or `*`, found `a`; write `key:a`\n  a and b\n  ^",
        ),
        (
            "key:a or\nkund:dbt",
            "selection `key:a or\nkund:dbt` cannot be read at column 10: expected `key:`, `tag:`, `owner:`, \
             `group:`, `kind:`, `is:`, `partitions:`, `status:`, `column:` or `code_location:`, found `kund`; did you mean `kind:`?\n  \
             kund:dbt\n  ^",
        ),
    ] {
        assert_eq!(refused(text).pointed(), expected);
    }
}

#[test]
fn an_empty_text_is_told_so() {
    for text in ["", "  "] {
        let shown = refused(text).pointed();
        assert!(
            shown.starts_with("the selection is empty; write "),
            "{shown}"
        );
        assert!(!shown.contains('\n'), "{shown}");
    }
}

#[test]
fn refusals_carry_the_mend() {
    for (text, column, says) in [
        ("key:a-b", 6, "quote values with other characters"),
        ("owner:me@x.io", 9, "quote values"),
        ("owner:team:core", 11, "quote values"),
        ("group:g*", 7, "quote it: `group:\"g*\"`"),
        ("key:1a", 5, "quote it: `key:\"1a\"`"),
        ("key:'a'", 5, "quotes are double"),
        ("key:a,key:b", 6, "join selections with `or`"),
        ("key:a++", 7, "`key:…+2`"),
        ("++key:a", 2, "`2+key:…`"),
        ("+*", 2, "`+(*)`"),
        ("*+", 2, "`(*)+`"),
        ("Not key:a", 1, "keywords are lower case: `not`"),
        ("key:a And key:b", 7, "keywords are lower case: `and`"),
        ("Key:a", 1, "did you mean `key:`?"),
        ("a\\/b/c", 1, "; write `key:\"a\\\\/b/c\"`"),
        ("orders|daily", 1, "; write `key:orders or key:daily`"),
        ("orders,day-1", 1, "; write `key:orders or key:\"day-1\"`"),
        (
            "raw/öl daily",
            1,
            "; write `key:\"raw/öl\" or key:daily`, or `key:\"raw/öl daily\"` for one asset of that name",
        ),
        ("is:foo", 4, "expected `external` or `materializable`"),
        ("partitions:daily", 12, "`static`, `dynamic`, `time`"),
        ("(key:a", 7, "expected `and`, `or` or `)`"),
        ("key:a)", 6, "found `)`"),
        ("sinks()", 7, "found `)`"),
        ("sinks key:a", 7, "`(` after `sinks`"),
        ("2key:a", 2, "`+` after the depth"),
        ("key:\"a", 5, "found a quote without an end"),
        ("column_tag:a=", 14, "a value after `column_tag:`"),
    ] {
        let error = refused(text);
        assert!(error.to_string().contains(says), "{error}");
        assert_eq!(error.column(), Some(column), "{error}");
    }
}

#[test]
fn canonical_text_keeps_the_meaning() {
    for (text, canonical) in [
        ("not (key:a and key:b)", r#"not (key:"a" and key:"b")"#),
        (
            "not key:a and key:b or key:c",
            r#"((not key:"a") and key:"b") or key:"c""#,
        ),
        (
            "key:a or (key:b or key:c)",
            r#"key:"a" or key:"b" or key:"c""#,
        ),
        ("+key:a+2", r#"+key:"a" or key:"a"+2"#),
        ("0+key:a", r#"0+key:"a""#),
        ("+(1+key:a)", r#"+(1+key:"a")"#),
        ("+(*)", "+(*)"),
        ("sinks( not  * )", "sinks(not *)"),
        ("tag:a=b", r#"tag:"a"="b""#),
        ("tag:a=\"\"", r#"tag:"a""#),
        ("tag:a.b=c d", r#"tag:"a.b"="c d""#),
        (r#"key:"a\"\\b""#, r#"key:"a\"\\b""#),
        ("*+a++", "*a++"),
        (" raw/a.b ", "raw/a.b"),
        ("column_tag:a=b", r#"column_tag:"a"="b""#),
        ("kind:<null>", "kind:<null>"),
    ] {
        let selection = Selection::parse(text).expect(text);
        assert_eq!(selection.to_string(), canonical);
        assert_eq!(Selection::parse(canonical), Ok(selection));
    }
}

#[test]
fn nesting_has_a_bound() {
    let nested = |depth: usize| format!("{}key:a{}", "(".repeat(depth), ")".repeat(depth));
    assert!(Selection::parse(&nested(150)).is_ok());
    let error = refused(&nested(100_000)).to_string();
    assert!(error.contains("at most 200 levels"));
    assert!(Selection::parse(&"not ".repeat(100_000)).is_err());
}

#[test]
fn long_lists_are_flat() {
    let text = vec!["key:a"; 20_000].join(" or ");
    let Ok(Selection::Or(operands)) = Selection::parse(&text) else {
        panic!("a list of operands");
    };
    assert_eq!(operands.len(), 20_000);
}

/// `src` (external) → a → {b, c} → d; d reads its own past.
struct Five {
    keys: Vec<AssetKey>,
    tags: BTreeMap<String, String>,
    facts: Option<Happened>,
}

const PARENTS: [&[usize]; 5] = [&[], &[0], &[1], &[1], &[2, 3, 4]];
const CHILDREN: [&[usize]; 5] = [&[1], &[2, 3], &[4], &[4], &[4]];

impl SelectionGraph for Five {
    fn len(&self) -> usize {
        5
    }
    fn key(&self, node: usize) -> &AssetKey {
        &self.keys[node]
    }
    fn group(&self, _: usize) -> &str {
        "default"
    }
    fn kinds(&self, _: usize) -> &[String] {
        &[]
    }
    fn tags(&self, _: usize) -> &BTreeMap<String, String> {
        &self.tags
    }
    fn owners(&self, _: usize) -> &[String] {
        &[]
    }
    fn location(&self, node: usize) -> &str {
        if node < 2 { "first" } else { "second" }
    }
    fn is_external(&self, node: usize) -> bool {
        node == 0
    }
    fn partitions(&self, node: usize) -> Option<PartitionsKind> {
        (node == 4).then_some(PartitionsKind::TimeWindow)
    }
    fn parents(&self, node: usize) -> &[usize] {
        PARENTS[node]
    }
    fn children(&self, node: usize) -> &[usize] {
        CHILDREN[node]
    }
    fn facts(&self) -> Option<&dyn SelectionFacts> {
        self.facts
            .as_ref()
            .map(|facts| facts as &dyn SelectionFacts)
    }
}

/// `raw/a` is a failed table `raw.a` with columns `id` and `mail` (`pii=yes`), `b` one of column `id`
/// that is under way; `c` is materialized.
struct Happened;

impl SelectionFacts for Happened {
    fn status(&self, node: usize) -> AssetStatus {
        [
            AssetStatus::NeverMaterialized,
            AssetStatus::Failed,
            AssetStatus::InProgress,
            AssetStatus::Materialized,
            AssetStatus::NeverMaterialized,
        ][node]
    }
    fn columns(&self, node: usize) -> Vec<Column> {
        let column = |name: &str, tag: Option<&str>| Column {
            name: name.into(),
            tags: tag
                .map(|tag| ("pii".into(), tag.into()))
                .into_iter()
                .collect(),
        };
        match node {
            1 => vec![column("id", None), column("mail", Some("yes"))],
            2 => vec![column("id", Some(""))],
            _ => Vec::new(),
        }
    }
    fn table_name(&self, node: usize) -> Option<String> {
        (node == 1).then(|| "raw.a".into())
    }
}

fn five() -> Five {
    let keys = ["src", "raw/a", "b", "c", "daily_d"];
    Five {
        keys: keys
            .map(|key| AssetKey::parse(key).expect("a key"))
            .to_vec(),
        tags: BTreeMap::new(),
        facts: Some(Happened),
    }
}

fn chosen(text: &str) -> String {
    chosen_on(&five(), text)
}

fn chosen_on(graph: &Five, text: &str) -> String {
    match Selection::parse(text).expect(text).evaluate(graph) {
        Ok(nodes) => nodes
            .into_iter()
            .map(|node| graph.key(node).as_str())
            .collect::<Vec<_>>()
            .join(" "),
        Err(error) => error.to_string(),
    }
}

#[test]
fn what_is_chosen() {
    for (text, expected) in [
        ("*", "raw/a b c daily_d"),
        ("key:*", "src raw/a b c daily_d"),
        ("+daily_d", "b c daily_d"),
        ("+key:daily_d", "raw/a b c daily_d"),
        ("sinks(*)", "daily_d"),
        ("roots(*)", "raw/a"),
        ("roots(key:raw/a or key:daily_d)", "raw/a"),
        ("key:src+1", "src raw/a"),
        ("+key:src", ""),
        ("key:raw/*", "raw/a"),
        ("key:*a*_*", "daily_d"),
        ("key:daily*d*", "daily_d"),
        ("key:*aily_dd", ""),
        ("partitions:time", "daily_d"),
        ("partitions:<null>", "src raw/a b c"),
        ("code_location:second", "b c daily_d"),
        ("group:default and not key:b", "raw/a c daily_d"),
        ("key:nothing", ""),
    ] {
        assert_eq!(chosen(text), expected, "{text}");
    }
}

#[test]
fn what_cannot_be_chosen_says_why() {
    for (text, expected) in [
        (
            "daly_d",
            "selection `daly_d` names asset `daly_d`, which is not defined; did you mean `daily_d`?",
        ),
        (
            "+zzz",
            "selection `+zzz` names asset `zzz`, which is not defined; a pattern such as `key:raw/*` needs no exact name",
        ),
        (
            "/raw/a",
            "selection `/raw/a` names asset `/raw/a`, which is not defined; did you mean `raw/a`?",
        ),
    ] {
        assert_eq!(chosen(text), expected);
    }
    assert_eq!(
        chosen("key:b or status:FRESH"),
        "selection `key:\"b\" or status:\"FRESH\"` asks for status `FRESH`, which no asset has; the statuses \
         are `in_progress`, `failed`, `materialized`, `never_materialized`"
    );
    assert!(
        chosen("key:b or automation_type:sensor")
            .contains("uses `automation_type:`, which nothing answers here")
    );
}

#[test]
fn what_happened_is_chosen() {
    for (text, expected) in [
        ("status:failed", "raw/a"),
        ("status:IN_PROGRESS", "b"),
        ("status:materialized", "c"),
        ("status:missing", "daily_d"),
        (
            "status:never_materialized or status:failed",
            "raw/a daily_d",
        ),
        ("status:failed and not column:id", ""),
        ("not status:failed", "b c daily_d"),
        ("status:<null>", ""),
        ("column:id", "raw/a b"),
        ("column:<null>", "src c daily_d"),
        ("table_name:\"raw.a\"+1", "raw/a b c"),
        ("table_name:<null>", "src b c daily_d"),
        ("column_tag:pii=yes", "raw/a"),
        ("column_tag:pii", "b"),
        ("column_tag:<null>", "src c daily_d"),
    ] {
        assert_eq!(chosen(text), expected, "{text}");
    }
}

#[test]
fn where_nothing_is_kept_of_what_happened_it_cannot_be_asked() {
    let graph = Five {
        facts: None,
        ..five()
    };
    for name in ["status", "column", "table_name", "column_tag"] {
        let said = chosen_on(&graph, &format!("{name}:failed"));
        assert!(
            said.contains(&format!("uses `{name}:`, which nothing answers here")),
            "{said}"
        );
    }
}

#[test]
fn a_list_is_a_union() {
    let graph = five();
    let list = Selection::parse_all(&["b", "key:c"]).expect("both can be read");
    assert_eq!(list.evaluate(&graph).expect("defined").len(), 2);
    assert!(Selection::parse_all(&["b", "key:"]).is_err());
    let json = serde_json::to_string(&list).expect("texts");
    assert_eq!(json, r#"["b","key:\"c\""]"#);
    assert_eq!(
        serde_json::from_str::<Selections>(&json).expect("texts"),
        list
    );
}

fn attribute() -> impl Strategy<Value = Attribute> {
    let value = || prop_oneof!["[a-z_/*]{1,6}", any::<String>()];
    let optional = move || proptest::option::of(value());
    prop_oneof![
        value().prop_map(Attribute::Key),
        (value(), value()).prop_map(|(key, value)| Attribute::Tag { key, value }),
        Just(Attribute::NoTags),
        optional().prop_map(Attribute::Owner),
        optional().prop_map(Attribute::Group),
        optional().prop_map(Attribute::Kind),
        any::<bool>().prop_map(Attribute::IsExternal),
        proptest::option::of(proptest::sample::select(PartitionsFilter::ALL.to_vec()))
            .prop_map(Attribute::Partitions),
        optional().prop_map(Attribute::CodeLocation),
        optional().prop_map(Attribute::Status),
        optional().prop_map(Attribute::Column),
        optional().prop_map(Attribute::TableName),
        (optional(), value()).prop_map(|(key, value)| Attribute::ColumnTag { key, value }),
        (
            proptest::sample::select(NotEvaluable::ALL.to_vec()),
            optional()
        )
            .prop_map(|(name, value)| Attribute::Other { name, value }),
    ]
}

fn expression() -> impl Strategy<Value = Selection> {
    let leaf = prop_oneof![
        1 => Just(Selection::All),
        8 => attribute().prop_map(Selection::Attribute),
    ];
    leaf.prop_recursive(5, 40, 3, |inner| {
        let depth = || proptest::option::of(0..4_u32);
        let list = |inner| proptest::collection::vec(inner, 2..4);
        prop_oneof![
            (inner.clone(), depth()).prop_map(|(of, depth)| Selection::Up(Box::new(of), depth)),
            (inner.clone(), depth()).prop_map(|(of, depth)| Selection::Down(Box::new(of), depth)),
            inner.clone().prop_map(|of| Selection::Sinks(Box::new(of))),
            inner.clone().prop_map(|of| Selection::Roots(Box::new(of))),
            inner.clone().prop_map(|of| Selection::Not(Box::new(of))),
            list(inner.clone()).prop_map(|operands| {
                Selection::And(flat(operands, |s| match s {
                    Selection::And(inner) => Ok(inner),
                    other => Err(other),
                }))
            }),
            list(inner).prop_map(|operands| {
                Selection::Or(flat(operands, |s| match s {
                    Selection::Or(inner) => Ok(inner),
                    other => Err(other),
                }))
            }),
        ]
    })
}

fn flat(
    operands: Vec<Selection>,
    open: impl Fn(Selection) -> Result<Vec<Selection>, Selection>,
) -> Vec<Selection> {
    operands
        .into_iter()
        .flat_map(|operand| open(operand).unwrap_or_else(|other| vec![other]))
        .collect()
}

proptest! {
    #[test]
    fn what_is_printed_is_read_back(selection in expression()) {
        prop_assert_eq!(Selection::parse(&selection.to_string()), Ok(selection));
    }

    #[test]
    fn any_text_is_read_or_pointed_at(text in "\\PC{0,24}|[a-d:*+()\"= ]{0,24}|(key|tag|not|and|or|sinks|:|a|\\(|\\)|\\+|1| ){0,12}") {
        match Selection::parse(&text) {
            Ok(selection) => prop_assert_eq!(Selection::parse(&selection.to_string()), Ok(selection)),
            Err(_) if text.trim().is_empty() => {}
            Err(error) => {
                let column = error.column().expect("a place");
                prop_assert!(column <= text.chars().count() + 1);
                prop_assert!(error.pointed().ends_with('^'));
            }
        }
    }
}
