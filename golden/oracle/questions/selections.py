"""Asset selections: how they print, what they pick (L-1..L-16)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from random import Random
from typing import Any


def ask(rng: Random) -> Iterator[tuple[str, dict[str, Any]]]:
    """The known forms first; then expressions on random graphs, several on each."""
    known = list(known_graphs())
    for number, graph in enumerate(known):
        yield "graph", {"graph": number, "assets": graph["assets"]}
    for text in [*FORMS, *ELSEWISE]:
        if (text not in ELSEWISE and not prints_otherwise(text)) or rng.random() < 0.04:
            yield "parse_selection", {"selection": text}
        yield "resolve_selection", {"graph": 0, "selection": text}
    yield "parse_selection", {"selection": "99999999999999999999+key:b"}
    for number, text in ON_GRAPHS:
        yield "resolve_selection", {"graph": number, "selection": text}
    number = len(known)
    while True:
        assets = random_graph(rng)["assets"]
        yield "graph", {"graph": number, "assets": assets}
        keys = [asset["key"] for asset in assets]
        for _ in range(24):
            text = expression(rng, keys, 2)
            if not prints_otherwise(text) or rng.random() < 0.006:
                yield "parse_selection", {"selection": text}
            yield "resolve_selection", {"graph": number, "selection": text}
            text = expression(rng, keys, 1)
            if not prints_otherwise(text):
                yield "parse_selection", {"selection": text}
        number += 1


def prints_otherwise(text: str) -> bool:
    """Whether Dagster may print a text that means something else (L-15): `not`, depth 0, bare keys, and
    traversals to both sides or of more than one thing. How those print is asked rarely; what they pick always."""
    lower = text.lower()
    if "not" in lower or re.search(r"(?<!\d)0+\s*\+|\+\s*0|partitions:(none|<null>|foo|daily)|\+\s*\(|\(\*\)|<null>", lower):
        return True
    value = r'("[^"]*"|[^\s()+]+)'
    short = re.sub(rf"\w+\s*:\s*{value}(\s*=\s*{value})?", "x:", lower).replace(" ", "")
    bare = re.sub(r"x:|and|or|sinks|roots", "", short)
    both_sides = re.search(r"\+\S*x:\+|\+[^+]*\)\+|\+\*\+", short)
    return re.search("[a-z]", bare) is not None or both_sides is not None


def known_graphs() -> Iterator[dict[str, Any]]:
    day = {"type": "daily", "start": "2024-01-01"}
    yield {"assets": [
        {"key": "raw/src", "external": True, "group": "ext", "tags": {"team": "x"}, "kinds": ["python"], "owners": ["team:core"]},
        {"key": "a", "deps": ["raw/src"], "group": "g1", "tags": {"team": "x", "flag": ""}, "kinds": ["python"],
         "owners": ["team:core", "me@example.com"]},
        {"key": "b", "deps": ["a"], "group": "g1", "kinds": ["dbt"]},
        {"key": "c", "deps": ["a"], "group": "g2", "kinds": ["dbt"]},
        {"key": "d", "deps": ["b", "c"], "group": "g2", "partitions": day},
        {"key": "m/e", "deps": ["d"], "group": "g3/sub"},
        {"key": "lone"},
    ]}
    yield {"assets": [{"key": f"n{i}", "deps": [f"n{i - 1}"] if i else []} for i in range(7)]}
    yield {"assets": [
        {"key": "self", "partitions": day, "deps": [
            {"key": "self", "mapping": {"type": "time_window", "start_offset": -1, "end_offset": -1}}]},
        {"key": "after", "deps": ["self"], "partitions": day},
        {"key": "stat", "partitions": {"type": "static", "keys": ["a", "b"]}, "deps": ["after"]},
    ]}


def random_graph(rng: Random) -> dict[str, Any]:
    day = {"type": "daily", "start": "2024-01-01"}
    assets: list[dict[str, Any]] = []
    for i in range(rng.randrange(8, 13)):
        parts = rng.choice([[], [], ["raw"], ["mart", "x"]])
        key = "/".join([*parts, f"t{i}"])
        before = [a["key"] for a in assets]
        asset: dict[str, Any] = {"key": key, "group": rng.choice(["g1", "g2", "g3/sub", "default"])}
        if i < 3 and rng.random() < 0.5:
            asset["external"] = True
        else:
            asset["deps"] = rng.sample(before, min(len(before), rng.randrange(3)))
            if rng.random() < 0.3:
                asset["partitions"] = rng.choice([day, {"type": "static", "keys": ["a"]}])
        if rng.random() < 0.4:
            asset["tags"] = {"team": rng.choice(["x", "y", ""])}
        if rng.random() < 0.5:
            asset["kinds"] = rng.sample(["python", "dbt", "table"], rng.randrange(1, 3))
        if rng.random() < 0.4:
            asset["owners"] = [rng.choice(["team:core", "me@example.com"])]
        assets.append(asset)
    return {"assets": assets}


FORMS = [
    "*", "+key:d", "*d", "+d", "1+key:d", "2+key:d", "++d", "0+key:d", "key:d+0", "key:a+", "a*", "a+", "key:a+1",
    "+key:b+", "1+key:b+1", "not key:a and key:b", "key:a or key:b and key:c", "(key:a or key:b) and key:b", "sinks(*)",
    "roots(*)", "sinks(group:g1)", "roots(group:g2)", "+sinks(*)", "tag:team", "tag:team=x", "tag:flag", "kind:dbt",
    "kind:<null>", 'kind:"dbt" or kind:python and not key:a', 'group:"g3/sub"', "key:m/*", 'key:"m/*"', "partitions:time",
    "partitions:none", "partitions:static", "partitions:dynamic", "partitions:multipartitions", "partitions:<null>",
    "is:external", "is:materializable", 'is:"external"', "key:raw/src+", "+key:raw/src", "0+key:raw/src", "not (key:a+)",
    "raw/src", "+raw/src", "raw/src+", "raw/src*", "*raw/src*", "+a+", "*a+", "+a*", "++a++", "*+a", " a ", "a", "m/e",
    "lone", "zzz", "+zzz", "key:zzz", "key:zzz+", "key : a", "1 + key:a", "+ key:a +", "key:a+ 1", "key:a+1and key:b",
    "not not key:a", "NOT key:a", "not+key:a", "+(key:a or key:b)", "(*)", "+(*)", "sinks(*)+", "roots(+key:d)",
    "sinks(key:a or key:d)", "roots(key:a or key:d)", "sinks(key:a or key:m/e)", "roots(key:a or key:m/e)", "(key:a)+",
    "((key:a))", "not (key:a or key:b)", "not (key:a and key:b)", "not (not key:a)", "+(not key:a)", "sinks(not key:a)",
    "not (+key:d)", "not roots(*)", "not *", "* and not *", "key:a or (key:b or key:c)", "key:a and (key:b and key:c)",
    "key:*a*", "key:**", "key:r*c+", 'group:"g*"', 'group:"*"', 'kind:"d*"', 'owner:"team:core"', 'owner:"me@example.com"',
    'key:"a b"', 'key:""', 'tag:"team"="x"', "tag:team = x", 'tag:team=""', "tag:team=<null>", "tag:a.b=c d",
    "status:HEALTHY", "column:x", "table_name:t", "column_tag:a=b", "changed_in_branch:NEW",
    "automation_type:x", "sensor:x", "schedule:x", "job:x", "key:a\nor key:b", "key:a AND key:b OR key:c", "01+key:b",
    "kind:sensor", "tag:job=x",
    # what Dagster refuses
    "group:g*", "owner:me@x.io", "owner:team:core", "is:foo", "Key:a", "key:a,key:b", "a and b", "key:a++",
    "++key:a", "+*", "*+", "sinks()", "key:1a", "key:a-b", "key:'a'", "", "  ", "Not key:a", "notkey:a", "key:/a",
    "key:<null>", "is:<null>", "IS:external", "**a", "a b", "key:a key:b", "key:a or", "or key:a", "(key:a", "key:a)",
    "()", "sinks(key:a", "sink(key:a)", "sinks key:a", "key:", "key:a+1+key:b", "key:a.b", "key:é", "key:a // c",
    "key:\"a", "foo:bar", "tag:a=b=c", "key:a and", "and", "+", "a/b/c+d",
]
# Where Arco does otherwise.
ELSEWISE = [
    "partitions:foo", "partitions:daily", "owner:<null>", "tag:<null>", "group:<null>",
    "key:*", "key:sensor", "key:and", "kind:roots", "99999999999999999999+key:b", "code_location:x",
]
ON_GRAPHS = [
    (1, "sinks(key:n1 or key:n5)"), (1, "roots(key:n1 or key:n5)"), (1, "2+key:n5+1"), (2, "sinks(*)"), (2, "roots(*)"),
    (2, "1+key:self"), (2, "self+"), (2, "sinks(key:self)"), (2, "roots(key:self or key:stat)"), (2, "partitions:static"),
    (2, "partitions:time"),
]


def expression(rng: Random, keys: list[str], depth: int) -> str:
    def attribute() -> str:
        key = rng.choice(keys)
        return rng.choice([
            f"key:{key}", f"key:{key}", f'key:"{key}"', "key:raw/*", "key:*1", f"kind:{rng.choice(['python', 'dbt', 'table'])}",
            "kind:<null>", f"group:{rng.choice(['g1', 'g2', 'default', 'g3/sub'])}", 'group:"g*"', "tag:team=x", "tag:team",
            'owner:"team:core"', "is:external", "is:materializable", "partitions:time", "partitions:none", "partitions:static",
        ])

    def operand() -> str:
        roll = rng.random()
        if depth <= 0 or roll < 0.5:
            return attribute()
        inner = expression(rng, keys, depth - 1)
        return rng.choice([f"({inner})", f"({inner})", f"sinks({inner})", f"roots({inner})"])

    def traversal() -> str:
        text = operand()
        up = rng.choice(["", "", "", "+", "1+", "2+", "0+"])
        down = rng.choice(["", "", "", "+", "+1", "+2"])
        return rng.choice([up + text + down] * 9 + ["*"])

    parts = [rng.choice(["", "", "", "not "]) + traversal() for _ in range(rng.choice([1, 1, 2, 2, 3]))]
    text = parts[0]
    for part in parts[1:]:
        text += rng.choice([" and ", " or ", " AND "]) + part
    return text
