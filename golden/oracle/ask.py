"""Asks a real Dagster the questions of the differential corpus and writes its answers.

    python ask.py <dagster_oracle.py> [--seed TEXT] [--out FOLDER] [partition_keys|partition_mappings|selections ...]

Run it with an interpreter that has Dagster 1.13.27, the release that Arco is compared with. The
oracle is the command that answers JSON lines {"op", "args"}; this script imports it. Questions are
random with a fixed seed, so that the same script gives the same files; another seed and folder, named
by ARCO_ORACLE_CORPUS when the tests run, compare on fresh questions. A line is
{"op", "args", "ok", "result" or "error"}; see README.md.
"""

from __future__ import annotations

import argparse
import datetime as dt
import importlib.util
import json
import pathlib
import random
from zoneinfo import ZoneInfo

HERE = pathlib.Path(__file__).parent
DEFAULT_FMT = {"hourly": "%Y-%m-%d-%H:%M"}
ZONES = [
    "UTC", "UTC", "UTC", "America/New_York", "America/New_York", "Europe/Berlin", "Europe/London",
    "Asia/Kolkata", "Asia/Tokyo", "Asia/Kathmandu", "Australia/Sydney", "America/St_Johns",
]
# Changes of the clocks happen at midnight, by half an hour, or by a day.
ODD_ZONES = ["America/Havana", "Australia/Lord_Howe", "Africa/Cairo", "America/Sao_Paulo", "Asia/Beirut"]


def local(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text)


def window_def(rng: random.Random, cadence: str | None = None, zone: str | None = None, around=None):
    """A random definition; `local_start` and `local_end` say in ISO what start and end say in fmt."""
    cadence = cadence or rng.choice(["hourly", "daily", "daily", "weekly", "monthly"])
    zone = zone or rng.choice(ZONES)
    base = around or local(
        rng.choice(["2023-03-10", "2023-11-03", "2024-01-01", "2024-02-27", "2024-03-29", "2024-10-25", "2019-12-29"])
    )
    spec = {"type": cadence, "timezone": zone}
    if rng.random() < 0.5:
        spec["minute_offset"] = rng.choice([0, 15, 30, 45])
    if cadence != "hourly" and rng.random() < 0.4:
        spec["hour_offset"] = rng.choice([0, 1, 2, 3, 6, 23])
    if cadence == "weekly" and rng.random() < 0.6:
        spec["day_offset"] = rng.randrange(7)
    if cadence == "monthly" and rng.random() < 0.6:
        spec["day_offset"] = rng.choice([1, 2, 15, 28, 29, 30, 31])
    if rng.random() < 0.3:
        spec["fmt"] = rng.choice(
            {
                "hourly": ["%Y-%m-%dT%H:%M:%S", "%Y%m%d%H%M", "%Y-%m-%d-%H:%M%z", "%d/%m/%Y %H:%M", "%Y-%j-%I%p:%M"],
                "daily": ["%Y%m%d", "%Y-%m-%d %H:%M", "%d.%m.%Y", "%Y-%j", "%b %d %Y", "%A %Y-%m-%d"],
                "weekly": ["%Y/%m/%d", "%Y-%m-%d %H:%M", "week of %B %d, %Y"],
                "monthly": ["%Y-%m", "%Y%m", "%B %Y", "%Y-%m-%d"],
            }[cadence]
        )
    fmt = spec.get("fmt") or DEFAULT_FMT.get(cadence, "%Y-%m-%d")
    start = base + {
        "hourly": dt.timedelta(hours=rng.randrange(30), minutes=rng.choice([0, 0, 0, 20])),
        "daily": dt.timedelta(days=rng.randrange(6), hours=rng.choice([0, 0, 0, 5])),
        "weekly": dt.timedelta(days=rng.randrange(20)),
        "monthly": dt.timedelta(days=rng.randrange(60)),
    }[cadence]
    text, start = in_fmt(start, fmt, zone)
    spec["start"], spec["local_start"] = text, start.isoformat()
    if rng.random() < 0.25:
        text, end = in_fmt(start + length(cadence, rng.randrange(0, 30)), fmt, zone)
        spec["end"], spec["local_end"] = text, end.isoformat()
    if rng.random() < 0.3:
        spec["end_offset"] = rng.choice([1, 1, 2, 5, -1, -1, -2])
    return spec


def in_fmt(time: dt.datetime, fmt: str, zone: str = "UTC"):
    """The text of a time in fmt, and the local time that text says."""
    if "%z" in fmt:
        time = time.replace(tzinfo=ZoneInfo(zone))
    text = time.strftime(fmt)
    return text, dt.datetime.strptime(text, fmt).replace(tzinfo=None)


def length(cadence: str, n: int) -> dt.timedelta:
    return n * {
        "hourly": dt.timedelta(hours=1),
        "daily": dt.timedelta(days=1),
        "weekly": dt.timedelta(days=7),
        "monthly": dt.timedelta(days=30),
    }[cadence]


def a_now(rng: random.Random, spec, most: int = 35) -> str:
    start = local(spec["local_start"])
    now = start + length(spec["type"], rng.randrange(-2, most)) + dt.timedelta(
        minutes=rng.choice([0, 0, 0, 0, 30, 61, 719])
    )
    return now.isoformat()


def partition_keys(rng: random.Random):
    static = [
        ["a", "b", "c"], ["c", "a", "b"], ["x|y", "", "z,w"], ["us-east", "eu west", "zürich"], ["a...b"], ["a", "a"],
        ["tab\there"], ["one"],
    ]
    for keys in static:
        definition = {"type": "static", "keys": keys}
        yield "partition_keys", {"definition": definition}
        yield "partition_has", {"definition": definition, "keys": [*keys, "zzz", keys[0] + " "]}
        yield "partition_range", {"definition": definition, "start": keys[0], "end": keys[-1]}
        yield "partition_range", {"definition": definition, "start": keys[-1], "end": keys[0]}
    for _ in range(120):
        spec = window_def(rng)
        now = a_now(rng, spec)
        yield "partition_keys", {"definition": spec, "now": now}
        yield from around_keys(rng, spec, now)
    for zone in ODD_ZONES:
        for cadence, around in [("hourly", "2024-03-09"), ("hourly", "2024-04-06"), ("hourly", "2024-10-05"),
                                ("hourly", "2024-11-02"), ("daily", "2024-03-08"), ("daily", "2024-10-04"),
                                ("daily", "2018-11-02"), ("daily", "2024-04-24")]:
            start = local(around)
            spec = {"type": cadence, "timezone": zone, "minute_offset": rng.choice([0, 30])}
            if cadence == "daily":
                spec["hour_offset"] = rng.choice([0, 0, 1])
            spec["start"], iso = in_fmt(start, DEFAULT_FMT.get(cadence, "%Y-%m-%d"))
            spec["local_start"] = iso.isoformat()
            now = (start + dt.timedelta(days=3)).isoformat()
            yield "partition_keys", {"definition": spec, "now": now}
            yield from around_keys(rng, spec, now)
    # Days that a zone left out, and the faults that are mended (P-10, P-12, P-17).
    apia = {"type": "daily", "timezone": "Pacific/Apia", "start": "2011-12-27", "local_start": "2011-12-27T00:00:00"}
    for offsets in [{}, {"hour_offset": 5}]:
        yield "partition_keys", {"definition": {**apia, **offsets}, "now": "2012-01-04T00:00:00"}
    hourly = {"type": "hourly", "start": "2024-01-01-00:00", "local_start": "2024-01-01T00:00:00"}
    yield "partition_has", {"definition": hourly, "keys": ["2024-01-01-00:30", "2024-01-01-00:00"], "now": "2024-02-10"}
    new_york = {**hourly, "timezone": "America/New_York", "start": "2024-03-09-00:00", "local_start": "2024-03-09T00:00:00"}
    yield "partition_has", {"definition": new_york, "keys": ["2024-03-10-02:00", "2024-03-10-03:00"], "now": "2024-04-10"}
    for fmt, start in [("%Y-%m-%d", "2024-01-01"), ("%Y-%m-%d %M", "2024-01-01 00")]:
        coarse = {**hourly, "fmt": fmt, "start": start}
        yield "partition_keys", {"definition": coarse, "now": "2024-01-01T04:00:00"}
    for spec, now in [
        ({"type": "monthly", "day_offset": 29, "start": "2023-01-01"}, "2023-06-01T00:00:00"),
        ({"type": "monthly", "day_offset": 29, "start": "2024-03-11"}, "2026-10-27T01:01:00"),
        ({"type": "monthly", "day_offset": 31, "start": "2023-01-01"}, "2023-09-15T00:00:00"),
        ({"type": "weekly", "start": "2024-01-05", "end": "2024-01-10", "local_end": "2024-01-10T00:00:00"}, "2024-03-01T00:00:00"),
        ({"type": "daily", "start": "2024-01-10", "end_offset": 2}, "2024-01-08T12:00:00"),
        ({"type": "daily", "start": "2024-01-10", "end_offset": 2}, "2024-01-09T00:00:00"),
        ({"type": "daily", "start": "2024-01-10", "end_offset": 2}, "2024-01-08T00:00:00"),
    ]:
        definition = {**spec, "local_start": spec["start"] + "T00:00:00"}
        yield "partition_keys", {"definition": definition, "now": now}
    years = {"type": "monthly", "fmt": "%Y", "start": "2024", "local_start": "2024-01-01T00:00:00"}
    yield "partition_keys", {"definition": years, "now": "2024-04-01T00:00:00"}


def around_keys(rng: random.Random, spec, now: str):
    """Windows, existence and ranges of keys that a definition has, and of texts near to them."""
    try:
        keys = ORACLE.partition_keys(spec, now)
    except Exception:
        return
    if not keys:
        return
    fmt = spec.get("fmt") or DEFAULT_FMT.get(spec["type"], "%Y-%m-%d")
    yield "partition_window", {"definition": spec, "key": rng.choice([rng.choice(keys), keys[-1]])}
    start = local(spec["local_start"])
    near = [
        (start + length(spec["type"], n) + dt.timedelta(minutes=m)).strftime(fmt)
        for n, m in [(-1, 0), (0, 0), (1, 15), (len(keys), 0), (len(keys) + 3, 0)]
    ]
    texts = [rng.choice(keys), keys[0] + " ", keys[0].replace("-0", "-"), "nonsense", "", *near]
    yield "partition_has", {"definition": spec, "keys": sorted(set(texts)), "now": now}
    first, last = sorted([rng.randrange(len(keys)), rng.randrange(len(keys))])
    yield "partition_range", {"definition": spec, "start": keys[first], "end": keys[last], "now": now}


def partition_mappings(rng: random.Random):
    static = {"type": "static", "keys": ["a", "b", "c"]}
    other = {"type": "static", "keys": ["b", "c", "d"]}
    day = {"type": "daily", "start": "2024-01-01", "local_start": "2024-01-01T00:00:00"}
    definitions = [None, static, other, day, {**day, "type": "monthly"}]
    for up in definitions:
        for down in definitions:
            yield "infer_mapping", {"up_def": up, "down_def": down}
    now = "2024-02-10T00:00:00"
    for mapping in [None, {"type": "identity"}, {"type": "all"}, {"type": "last"}, {"type": "time_window"}]:
        for down, keys in [(static, ["a"]), (static, ["c"]), (other, ["d"]), (day, ["2024-01-05"]), (None, None)]:
            for up in [static, other, day, {**day, "start": "2024-01-20", "local_start": "2024-01-20T00:00:00"}]:
                question = {"up_def": up, "down_def": down, "mapping": mapping, "now": now}
                yield "map_partitions", {**question, "keys": keys, "direction": "up"}
        for up, keys in [(static, ["a"]), (static, ["c"]), (other, ["b"]), (day, ["2024-01-05"]), (day, ["2024-02-09"])]:
            for down in [static, day]:
                question = {"up_def": up, "down_def": down, "mapping": mapping, "now": now}
                yield "map_partitions", {**question, "keys": keys, "direction": "down"}
    ended = {**day, "hour_offset": 12, "end": "2024-01-02", "local_end": "2024-01-02T00:00:00", "end_offset": 5}
    yesterday = {"type": "time_window", "start_offset": -1, "end_offset": 0}
    question = {"up_def": ended, "down_def": day, "mapping": yesterday, "now": now}
    yield "map_partitions", {**question, "keys": ["2024-01-01"], "direction": "up"}
    for _ in range(420):
        zone = rng.choice(ZONES)
        around = local(rng.choice(["2024-01-01", "2024-02-26", "2023-03-08", "2023-10-30", "2024-03-28"]))
        cadence = rng.choice(["hourly", "daily", "daily", "weekly", "monthly"])
        down = window_def(rng, cadence, zone, around)
        if rng.random() < 0.25:
            up = dict(down)
            if rng.random() < 0.5:
                moved = local(down["local_start"]) + length(cadence, rng.randrange(-3, 8))
                fmt = down.get("fmt") or DEFAULT_FMT.get(cadence, "%Y-%m-%d")
                up["start"], moved = in_fmt(moved, fmt, zone)
                up["local_start"] = moved.isoformat()
        else:
            up = window_def(rng, None, zone if rng.random() < 0.97 else "Asia/Tokyo", around)
        direction = rng.choice(["up", "up", "down"])
        asked = down if direction == "up" else up
        now = (around + dt.timedelta(days=rng.choice([2, 5, 20, 60]), minutes=rng.choice([0, 0, 0, 90]))).isoformat()
        try:
            keys = ORACLE.partition_keys(asked, now)
        except Exception:
            continue
        if not keys:
            continue
        mapping = rng.choice([None, {}, {}, {}])
        if mapping is not None:
            mapping = {"type": "time_window", "start_offset": rng.choice([0, 0, 0, -1, -1, -2, 1]),
                       "end_offset": rng.choice([0, 0, 0, 0, -1, 1]), "allow_nonexistent": rng.random() < 0.2}
        key = rng.choice([keys[0], keys[-1], rng.choice(keys), rng.choice(keys)])
        yield "map_partitions", {"up_def": up, "down_def": down, "mapping": mapping, "keys": [key],
                                 "direction": direction, "now": now}


def graphs(rng: random.Random):
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
    for _ in range(3):
        assets = []
        for i in range(rng.randrange(8, 13)):
            parts = rng.choice([[], [], ["raw"], ["mart", "x"]])
            key = "/".join([*parts, f"t{i}"])
            before = [a["key"] for a in assets]
            asset = {"key": key, "group": rng.choice(["g1", "g2", "g3/sub", "default"])}
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
        yield {"assets": assets}


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
    "code_location:x", "status:HEALTHY", "column:x", "table_name:t", "column_tag:a=b", "changed_in_branch:NEW",
    "automation_type:x", "sensor:x", "schedule:x", "job:x", "key:a\nor key:b", "key:a AND key:b OR key:c", "01+key:b",
    "99999999999999999999+key:b", "kind:sensor", "tag:job=x",
    # what Dagster refuses
    "key:*", "group:g*", "owner:me@x.io", "owner:team:core", "is:foo", "Key:a", "key:a,key:b", "a and b", "key:a++",
    "++key:a", "+*", "*+", "sinks()", "key:1a", "key:a-b", "key:'a'", "", "  ", "Not key:a", "notkey:a", "key:/a",
    "key:<null>", "is:<null>", "IS:external", "**a", "a b", "key:a key:b", "key:a or", "or key:a", "(key:a", "key:a)",
    "()", "sinks(key:a", "sink(key:a)", "sinks key:a", "key:", "key:a+1+key:b", "key:a.b", "key:é", "key:a // c",
    "key:\"a", "foo:bar", "tag:a=b=c", "key:a and", "and", "+", "a/b/c+d", "key:sensor", "key:and", "kind:roots",
    # where Arco differs
    "partitions:foo", "partitions:daily", "owner:<null>", "tag:<null>", "group:<null>",
]


def expression(rng: random.Random, keys, depth: int) -> str:
    def attribute():
        key = rng.choice(keys)
        return rng.choice([
            f"key:{key}", f"key:{key}", f'key:"{key}"', "key:raw/*", "key:*1", f"kind:{rng.choice(['python', 'dbt', 'table'])}",
            "kind:<null>", f"group:{rng.choice(['g1', 'g2', 'default', 'g3/sub'])}", 'group:"g*"', "tag:team=x", "tag:team",
            'owner:"team:core"', "is:external", "is:materializable", "partitions:time", "partitions:none", "partitions:static",
        ])

    def operand():
        roll = rng.random()
        if depth <= 0 or roll < 0.5:
            return attribute()
        inner = expression(rng, keys, depth - 1)
        return rng.choice([f"({inner})", f"({inner})", f"sinks({inner})", f"roots({inner})"])

    def traversal():
        text = operand()
        up = rng.choice(["", "", "", "+", "1+", "2+", "0+"])
        down = rng.choice(["", "", "", "+", "+1", "+2"])
        return rng.choice([up + text + down] * 9 + ["*"])

    parts = [rng.choice(["", "", "", "not "]) + traversal() for _ in range(rng.choice([1, 1, 2, 2, 3]))]
    text = parts[0]
    for part in parts[1:]:
        text += rng.choice([" and ", " or ", " AND "]) + part
    return text


def selections(rng: random.Random):
    all_graphs = list(graphs(rng))
    for number, graph in enumerate(all_graphs):
        yield "graph", {"graph": number, "assets": graph["assets"]}
    for text in FORMS:
        yield "parse_selection", {"selection": text}
        yield "resolve_selection", {"graph": 0, "selection": text}
    for graph, text in [(1, "sinks(key:n1 or key:n5)"), (1, "roots(key:n1 or key:n5)"), (1, "2+key:n5+1"),
                        (2, "sinks(*)"), (2, "roots(*)"), (2, "1+key:self"), (2, "self+"), (2, "sinks(key:self)"),
                        (2, "roots(key:self or key:stat)"), (2, "partitions:static"), (2, "partitions:time")]:
        yield "resolve_selection", {"graph": graph, "selection": text}
    for _ in range(250):
        number = rng.randrange(len(all_graphs))
        text = expression(rng, [asset["key"] for asset in all_graphs[number]["assets"]], 2)
        yield "parse_selection", {"selection": text}
        yield "resolve_selection", {"graph": number, "selection": text}


def answer(op: str, args, all_graphs):
    line = {"op": op, "args": args}
    if op == "graph":
        all_graphs[args["graph"]] = {"assets": args["assets"]}
        return line
    if op == "resolve_selection":
        args = {**args, "graph": all_graphs[args["graph"]]}
    try:
        return {**line, "ok": True, "result": ORACLE.OPS[op](**args)}
    except Exception as error:
        return {**line, "ok": False, "error": type(error).__name__}


QUESTIONS = {"partition_keys": partition_keys, "partition_mappings": partition_mappings, "selections": selections}

if __name__ == "__main__":
    arguments = argparse.ArgumentParser()
    arguments.add_argument("oracle")
    arguments.add_argument("--seed", default="arco")
    arguments.add_argument("--out", type=pathlib.Path, default=HERE)
    arguments.add_argument("corpora", nargs="*", default=list(QUESTIONS))
    given = arguments.parse_args()
    spec = importlib.util.spec_from_file_location("dagster_oracle", given.oracle)
    ORACLE = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(ORACLE)
    for name in given.corpora:
        all_graphs: dict[int, dict] = {}
        with open(given.out / f"{name}.jsonl", "w", encoding="utf-8") as out:
            for op, args in QUESTIONS[name](random.Random(f"{given.seed} {name}")):
                out.write(json.dumps(answer(op, args, all_graphs), ensure_ascii=False) + "\n")
