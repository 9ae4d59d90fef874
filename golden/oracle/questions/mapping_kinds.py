"""Mappings of every sort between definitions of every sort, both ways (P-26..P-40)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from random import Random
from typing import Any

from dagster_oracle import partition_keys

from .shapes import day_def, dynamic_def, multi_def, one_def, seldom, static_def, windows
from .windows import Spec, ZONES

Triple = tuple[Spec, Spec, Spec | None]


def ask(rng: Random) -> Iterator[tuple[str, dict[str, Any]]]:
    """What was found once; then random parents, children and mappings, and one key of one side."""
    yield from known()
    while True:
        up, down, mapping = rng.choice(SORTS)(rng)
        if mapping is None and rng.random() < 0.2:
            yield "infer_mapping", {"up_def": up, "down_def": down}
        now = f"2024-01-{rng.randrange(9, 24):02}T{rng.choice(['00:00', '00:00', '13:30'])}:00"
        direction = rng.choice(["up", "down"])
        asked = down if direction == "up" else up
        try:
            keys = partition_keys(asked, now)
        except Exception:
            continue
        if keys:
            question = {"up_def": up, "down_def": down, "mapping": mapping, "keys": [rng.choice(keys)]}
            yield "map_partitions", {**question, "direction": direction, "now": now}


def known() -> Iterator[tuple[str, dict[str, Any]]]:
    """Where Arco does otherwise on purpose, each once."""
    day: Spec = {"type": "daily", "start": "2024-01-01", "local_start": "2024-01-01T00:00:00"}
    later = {**day, "start": "2024-01-05", "local_start": "2024-01-05T00:00:00"}
    month = {**day, "type": "cron", "cron": "0 0 1 * *", "fmt": "%Y-%m-%d"}
    letters: Spec = {"type": "static", "keys": ["a", "b"]}
    now = "2024-02-02T00:00:00"
    up = {"direction": "up", "now": now}
    # A child before the parent's first window, and one around all that the parent has (P-34).
    noon = {"type": "cron", "cron": "0 12 * * *", "fmt": "%Y-%m-%d", "start": "2024-01-05", "local_start": "2024-01-05T00:00:00"}
    yield "map_partitions", {"up_def": noon, "down_def": day, "mapping": None, "keys": ["2024-01-03"], **up}
    few = {**day, "start": "2024-01-10", "local_start": "2024-01-10T00:00:00"}
    early = {"direction": "up", "now": "2024-01-20T00:00:00"}
    ahead = {**month, "end_offset": 1}
    yield "map_partitions", {"up_def": few, "down_def": ahead, "mapping": None, "keys": ["2024-01-01"], **early}
    # A dimension by name where another fits (P-38); one that needs nothing (P-39).
    days: Spec = {"type": "multi", "dimensions": {"one": day, "two": later}}
    named = {"type": "multi_to_single", "dimension": "two"}
    yield "map_partitions", {"up_def": days, "down_def": day, "mapping": named, "keys": ["2024-01-06"], **up}
    grid: Spec = {"type": "multi", "dimensions": {"day": later, "letter": letters}}
    wide: Spec = {"type": "multi", "dimensions": {"day": day, "letter": letters}}
    none: Spec = {"type": "multi", "dimensions": {
        "day": {"downstream": "day", "mapping": {"type": "identity"}},
        "letter": {"downstream": "letter", "mapping": {"type": "static", "pairs": {"a": ["b"]}}},
    }}
    yield "map_partitions", {"up_def": grid, "down_def": wide, "mapping": none, "keys": ["2024-01-02|a"], **up}
    # A window that is left out of the parent, for a child of another cadence (P-35).
    workdays = {**day, "exclusions": ["0 0 * * 6,0"]}
    hour = {"type": "hourly", "start": "2024-01-01-00:00", "local_start": "2024-01-01T00:00:00"}
    yield "map_partitions", {"up_def": workdays, "down_def": hour, "mapping": None, "keys": ["2024-01-06-05:00"], **up}
    # Windows of two kinds with keys that look alike (P-26).
    week = {**day, "type": "weekly"}
    same = {"type": "identity"}
    yield "map_partitions", {"up_def": day, "down_def": week, "mapping": same, "keys": ["2024-01-07"], **up}


def of_windows(rng: Random) -> Triple:
    """By crons and with windows left out."""
    zone = rng.choice(ZONES[:7])
    down = windows(rng, zone)
    # Without an end and an offset, which have questions of their own.
    up = dict(down) if rng.random() < 0.3 else windows(rng, zone)
    for side in (up, down):
        for name in ("end", "local_end", "end_offset"):
            side.pop(name, None)
    mapping = rng.choice([None, None, shift(rng)])
    if up["local_start"] > down["local_start"] and not seldom(rng):
        # Which windows before the parent's start are missed is told otherwise (P-34).
        up, down = down, up
    if up.get("exclusions") and up != down and not seldom(rng):
        # A window left out of the parent serves no other child (P-35).
        del up["exclusions"]
    return up, down, mapping


def shift(rng: Random) -> Spec:
    start = rng.choice([0, -1, -1, -2])
    end = rng.choice([0, 0, -1]) if start else 0
    return {"type": "time_window", "start_offset": start, "end_offset": max(start, end), "allow_nonexistent": rng.random() < 0.3}


def pairs(rng: Random) -> Triple:
    up, down = static_def(rng), static_def(rng)
    listed = {key: rng.sample(down["keys"], rng.randrange(1, 3)) for key in up["keys"] if rng.random() < 0.7}
    if rng.random() < 0.03:
        listed["zzz"] = down["keys"][:1]
    return up, down, {"type": "static", "pairs": listed}


def specific(rng: Random) -> Triple:
    up = rng.choice([static_def(rng), dynamic_def(rng), day_def(rng)])
    keys = partition_keys(up, "2024-01-09T00:00:00") or ["zzz"]
    return up, one_def(rng), {"type": "specific", "keys": rng.sample(keys, min(len(keys), rng.choice([1, 2])))}


def one_of_several(rng: Random) -> Triple:
    """Several dimensions on one side, and mostly one of them on the other."""
    many = multi_def(rng)
    first, second = many["dimensions"].values()
    if first == second and not seldom(rng):
        return one_of_several(rng)
    one: Spec = dict(rng.choice([*many["dimensions"].values(), one_def(rng)]))
    mapping = rng.choice([None, None, {"type": "multi_to_single"}])
    if mapping and rng.random() < 0.5:
        # One that fits: the name of another is not looked at by Dagster (D-30).
        fits = [name for name, each in many["dimensions"].items() if each == one]
        mapping["dimension"] = rng.choice(list(many["dimensions"]) if seldom(rng) else fits or list(many["dimensions"])[:1])
    return (many, one, mapping) if rng.random() < 0.5 else (one, many, mapping)


def several(rng: Random) -> Triple:
    """Dimension by dimension."""
    up, down = multi_def(rng), multi_def(rng)
    if rng.random() < 0.5:
        down = {"type": "multi", "dimensions": dict(up["dimensions"])}
    dimensions: Spec = {}
    theirs = rng.sample(list(down["dimensions"]), 2)
    for (name, mine), other in zip(up["dimensions"].items(), theirs, strict=True):
        if rng.random() < 0.25:
            continue
        dimensions[name] = {"downstream": other, "mapping": between(rng, mine, down["dimensions"][other])}
    return up, down, {"type": "multi", "dimensions": dimensions}


def between(rng: Random, up: Spec, down: Spec) -> Spec:
    timed = {"daily", "weekly"}
    if up["type"] in timed and down["type"] in timed:
        return shift(rng)
    if up["type"] == down["type"] == "static":
        shared = [key for key in up["keys"] if key in down["keys"]]
        if len(shared) < len(down["keys"]) and not seldom(rng):
            # Where a dimension needs nothing, what another lacks is told otherwise (P-39).
            return {"type": "all"}
        return rng.choice([{"type": "identity"}, {"type": "static", "pairs": {key: [key] for key in shared}}])
    return {"type": rng.choice(["all", "all", "last"])} if up["type"] != down["type"] else {"type": "identity"}


def plain(rng: Random) -> Triple:
    up, down = one_def(rng), one_def(rng)
    sort = rng.choice(["identity", "all", "last", None])
    if sort == "identity" or rng.random() < 0.3:
        down = rng.choice([dict(up), dict(up), down])
    if rng.random() < 0.3:
        up = multi_def(rng)
        down = rng.choice([dict(up), down])
    return up, down, {"type": sort} if sort else None


SORTS: list[Callable[[Random], Triple]] = [
    of_windows, of_windows, pairs, specific, one_of_several, one_of_several, several, several, plain,
]
