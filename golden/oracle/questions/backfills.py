"""Backfills of random graphs, carried out to their end (B-5, B-8..B-17)."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Any

from dagster_backfills import backfill_target
from dagster_oracle import partition_keys

from .windows import Spec, seldom

Question = tuple[str, dict[str, Any]]

YESTERDAY: Spec = {"type": "time_window", "start_offset": -1, "end_offset": -1}


def windows(cadence: str, start: str = "2024-01-01") -> Spec:
    text = f"{start}-00:00" if cadence == "hourly" else start
    return {"type": cadence, "timezone": "UTC", "start": text, "local_start": f"{start}T00:00:00"}


DAY, HOUR, WEEK = windows("daily"), windows("hourly"), windows("weekly", "2023-12-31")
LATER = windows("daily", "2024-01-03")
LETTERS: Spec = {"type": "static", "keys": ["x", "y", "z"]}
OTHERS: Spec = {"type": "static", "keys": ["x", "p", "q"]}
NAMES: Spec = {"type": "dynamic", "name": "names", "keys": ["ann", "bob"]}
GRID: Spec = {"type": "multi", "dimensions": {"day": DAY, "letter": {"type": "static", "keys": ["x", "y"]}}}

# What the assets of one graph are partitioned by, and when one asks.
FAMILIES: list[tuple[list[Spec | None], list[str]]] = [
    ([DAY], ["2024-01-04", "2024-01-06"]),
    ([DAY, None], ["2024-01-04", "2024-01-05"]),
    ([DAY, WEEK], ["2024-01-14", "2024-01-17"]),
    ([DAY, HOUR], ["2024-01-02", "2024-01-02"]),
    ([DAY, LATER], ["2024-01-05", "2024-01-08"]),
    ([DAY, LETTERS], ["2024-01-04"]),
    ([DAY, LETTERS, None], ["2024-01-04"]),
    ([LETTERS], ["2024-01-04"]),
    ([LETTERS, OTHERS, None], ["2024-01-04"]),
    ([NAMES, DAY], ["2024-01-04"]),
    ([GRID, DAY], ["2024-01-03", "2024-01-04"]),
    ([GRID, GRID["dimensions"]["letter"], None], ["2024-01-03"]),
    ([None], ["2024-01-04"]),
]


def ask(rng: Random) -> Iterator[Question]:
    """For a random graph: what of it can be made, and how that is made; with parents that do not exist also
    what is refused."""
    yield from known()
    while True:
        family, days = rng.choice(FAMILIES)
        graph = a_graph(rng, family)
        names = [asset["key"] for asset in graph["assets"]]
        chosen = names if rng.random() < 0.5 else sorted(rng.sample(names, rng.randrange(1, len(names) + 1)))
        now = f"{rng.choice(days)}T00:00:00"
        question = {"graph": graph, "assets": chosen, "now": now, **which(rng, graph, chosen, now)}
        try:
            found = backfill_target(**question)
        except Exception:
            continue
        targeted, makeable = found["targeted"], found["makeable"]
        if not any(keys is None or keys for keys in makeable.values()):
            continue
        if targeted != makeable:
            yield "backfill_target", question
            yield "backfill", {**question, "fail": []}
            question["target"] = {name: keys for name, keys in makeable.items() if keys != []}
            question["assets"] = list(question["target"])
            question.pop("keys", None)
        elif rng.random() < 0.3:
            yield "backfill_target", question
        yield "backfill", {**question, "fail": failing(rng, makeable)}


def known() -> Iterator[Question]:
    """Where Arco does otherwise on purpose, each once."""

    def question(assets: list[Spec], **asked: Any) -> Question:
        names = [asset["key"] for asset in assets]
        now = "2024-01-08T00:00:00"
        return "backfill", {"graph": {"assets": assets}, "assets": names, "now": now, "fail": [], **asked}

    def asset(key: str, definition: Spec | None, *deps: str | Spec, **more: Any) -> Spec:
        reads = [{"key": dep, "mapping": None} if isinstance(dep, str) else dep for dep in deps]
        return {"key": key, "partitions": definition, "deps": reads, **more}

    # What is reached through an asset that is not asked for, in one run, when it fails.
    chain = [
        asset("a", LETTERS, backfill_policy={"max": 2}),
        asset("b", DAY, {"key": "a", "mapping": {"type": "all"}}),
        asset("c", LETTERS, {"key": "a", "mapping": {"type": "identity"}}, {"key": "b", "mapping": {"type": "all"}}, backfill_policy={"max": 2}),
    ]
    two = {"a": ["x", "y"], "c": ["x", "y"]}
    op, asked = question(chain, target=two)
    yield op, {**asked, "assets": ["a", "c"], "fail": [["a", "x"]]}
    # An asset without partitions in between; a child that is asked for more than its parent; gaps under a
    # policy; what is ready at the same time by chance.
    yield question([asset("a", LETTERS), asset("b", None, "a"), asset("c", LETTERS, "b")], keys=["z"])
    some_days = [f"2024-01-0{day}" for day in range(1, 6)]
    yield question([asset("a", DAY), asset("b", DAY, "a")], target={"a": some_days[:2], "b": some_days})
    all_in_one = {"backfill_policy": {"max": None}}
    yield question([asset("a", DAY, **all_in_one)], keys=["2024-01-01", "2024-01-03"])
    first = {"a": some_days[:1], "b": some_days[:1]}
    yield question([asset("a", DAY), asset("b", DAY, {"key": "a", "mapping": YESTERDAY})], target=first)


def a_graph(rng: Random, family: list[Spec | None]) -> Spec:
    assets: list[Spec] = []
    policies: list[Spec | None] = [None]
    if rng.random() < 0.2:
        policies = rng.choice([[{"max": None}], [{"max": 2}], [{"max": 3}], [None, {"max": None}], [{"max": 2}, None]])
    has_past = rng.random() < 0.05
    for name in "abcdef"[: rng.choice([1, 2, 2, 3, 3, 4, 5, 6])]:
        asset: Spec = {"key": name, "partitions": rng.choice([family[0], *family]), "deps": []}
        if has_past and assets and not seldom(rng):
            # What else is made by days is made with it in one run, or not, by rules of the two (B-12).
            asset["partitions"] = rng.choice([HOUR, WEEK, None])
        policy = rng.choice(policies)
        # Ranges of several dimensions are cut in another way (B-9).
        if policy and asset["partitions"] and (asset["partitions"]["type"] != "multi" or seldom(rng)):
            asset["backfill_policy"] = policy
        above = rng.sample(assets, min(len(assets), rng.choice([0, 1, 1, 1, 2, 2])))
        for up in sorted(above, key=lambda up: up["key"]):
            asset["deps"].append({"key": up["key"], "mapping": between(rng, up["partitions"], asset["partitions"])})
        if has_past and asset["partitions"] == DAY:
            asset["deps"].append({"key": name, "mapping": YESTERDAY})
        assets.append(asset)
    return {"assets": assets}


def between(rng: Random, up: Spec | None, down: Spec | None) -> Spec | None:
    if up is None or down is None:
        return None
    timed = {"daily", "hourly", "weekly"}
    if up["type"] in timed and down["type"] in timed:
        if rng.random() < 0.8:
            return None
        start = rng.choice([-1, -1, -2])
        return {**YESTERDAY, "start_offset": start, "end_offset": rng.choice([-1, 0]), "allow_nonexistent": rng.random() < 0.3}
    if up == down:
        return rng.choice([None, None, None, {"type": "identity"}, {"type": "all"}, {"type": "last"}])
    if "multi" in (up["type"], down["type"]):
        return rng.choice([None, None, {"type": "all"}])
    if up["type"] == down["type"] == "static":
        pairs = {key: rng.sample(down["keys"], rng.randrange(1, 3)) for key in up["keys"] if rng.random() < 0.8}
        return rng.choice([{"type": "static", "pairs": pairs}, {"type": "all"}, {"type": "specific", "keys": up["keys"][:1]}])
    return {"type": rng.choice(["all", "all", "last"])}


def which(rng: Random, graph: Spec, chosen: list[str], now: str) -> Spec:
    """Everything, some keys of the first assets, or some of each."""
    definitions = {asset["key"]: asset["partitions"] for asset in graph["assets"] if asset["key"] in chosen}
    # A run of several partitions has no gaps in Dagster (B-9).
    has_gaps = not any(asset.get("backfill_policy") for asset in graph["assets"]) or seldom(rng)
    roll = rng.random()
    if roll < 0.3:
        return {}
    if roll < 0.65 and any(definitions.values()) and (not is_whole_between(graph, chosen) or seldom(rng)):
        first = next(one for one in definitions.values() if one)
        keys = some(rng, partition_keys(first, now), has_gaps)
        return {"keys": keys} if keys else {}
    given: Spec = {}
    same: dict[str, list[str]] = {}
    for name, definition in definitions.items():
        if definition is None:
            given[name] = None
            continue
        kind = str(definition)
        # A child that is asked for more than its parent waits for all of the parent in Dagster (D-15).
        if kind not in same or rng.random() < 0.05:
            same[kind] = some(rng, partition_keys(definition, now), has_gaps)
        if same[kind]:
            given[name] = same[kind]
    return {"target": given} if given else {}


def is_whole_between(graph: Spec, chosen: list[str]) -> bool:
    """Whether an asset without partitions reads one that has some, and another that has some reads it: what of
    that one is made is asked for in another way."""
    definitions = {asset["key"]: asset["partitions"] for asset in graph["assets"]}
    whole_below = {
        asset["key"]
        for asset in graph["assets"]
        if asset["partitions"] is None and any(definitions[dep["key"]] for dep in asset["deps"] if dep["key"] in chosen)
    }
    return any(
        asset["partitions"] and any(dep["key"] in whole_below for dep in asset["deps"]) for asset in graph["assets"]
    )


def some(rng: Random, keys: list[str], has_gaps: bool) -> list[str]:
    """Neighbours mostly."""
    if not keys:
        return []
    if not has_gaps or rng.random() < 0.75:
        first, last = sorted(rng.choices(range(len(keys)), k=2))
        return keys[first : last + 1]
    return [key for key in keys if rng.random() < 0.5] or keys[:1]


def failing(rng: Random, makeable: Spec) -> list[list[Any]]:
    slots = [[name, key] for name, keys in makeable.items() for key in ([None] if keys is None else keys)]
    if rng.random() < 0.55:
        return []
    return rng.sample(slots, min(len(slots), rng.choice([1, 1, 2, 3])))
