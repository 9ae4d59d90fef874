"""Mappings between partitions, both ways (P-25..P-40)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from random import Random
from typing import Any

from dagster_oracle import partition_keys, partition_window

from .windows import ZONES, Spec, fmt_of, in_fmt, length, local, seldom, window_def


def ask(rng: Random) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every pair of simple definitions first, then random windows."""
    static: Spec = {"type": "static", "keys": ["a", "b", "c"]}
    other: Spec = {"type": "static", "keys": ["b", "c", "d"]}
    day: Spec = {"type": "daily", "start": "2024-01-01", "local_start": "2024-01-01T00:00:00"}
    question: Spec
    mapping: Spec | None
    definitions: list[Spec | None] = [None, static, other, day, {**day, "type": "monthly"}]
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
    ended: Spec = {**day, "hour_offset": 12, "end": "2024-01-02", "local_end": "2024-01-02T00:00:00", "end_offset": 5}
    yesterday: Spec = {"type": "time_window", "start_offset": -1, "end_offset": 0}
    question = {"up_def": ended, "down_def": day, "mapping": yesterday, "now": now}
    yield "map_partitions", {**question, "keys": ["2024-01-01"], "direction": "up"}
    # Met once: day 29 in a short February (P-8), `end_offset` before the first window (P-4).
    late: Spec = {"type": "monthly", "day_offset": 29, "start": "2024-04-17", "local_start": "2024-04-17T00:00:00"}
    spring = {"type": "daily", "start": "2024-03-28", "local_start": "2024-03-28T00:00:00"}
    question = {"up_def": late, "down_def": spring, "mapping": {**yesterday, "allow_nonexistent": True}}
    yield "map_partitions", {**question, "keys": ["2024-03-28"], "direction": "up", "now": "2024-03-30T01:30:00"}
    ahead: Spec = {"type": "monthly", "day_offset": 31, "start": "2024-04-01", "local_start": "2024-04-01T00:00:00", "end_offset": 2}
    hours = {"type": "hourly", "start": "2024-02-27-00:00", "local_start": "2024-02-27T00:00:00"}
    question = {"up_def": ahead, "down_def": hours, "mapping": {**yesterday, "end_offset": 1}}
    yield "map_partitions", {**question, "keys": ["2024-03-11-22:00"], "direction": "up", "now": "2024-03-17T00:00:00"}
    while True:
        zone = rng.choice(ZONES)
        around = local(rng.choice(["2024-01-01", "2024-02-26", "2023-03-08", "2023-10-30", "2024-03-28"]))
        cadence = rng.choice(["hourly", "daily", "daily", "weekly", "monthly"])
        down = window_def(rng, cadence, zone, around)
        if rng.random() < 0.25:
            up = dict(down)
            if rng.random() < 0.5:
                moved = local(down["local_start"]) + length(cadence, rng.randrange(-3, 8))
                up["start"], moved = in_fmt(moved, fmt_of(down), zone)
                up["local_start"] = moved.isoformat()
                if "end" in up and local(up["local_end"]) < moved:
                    del up["end"], up["local_end"]
        else:
            up = window_def(rng, None, zone if rng.random() < 0.97 else "Asia/Tokyo", around)
        direction = rng.choice(["up", "up", "down"])
        asked = down if direction == "up" else up
        now = (around + dt.timedelta(days=rng.choice([2, 5, 20, 60]), minutes=rng.choice([0, 0, 0, 90]))).isoformat()
        for side in (up, down):
            if side.get("end_offset", 0) > 0 and not seldom(rng):
                # Before its first window `end_offset` has a fault (P-4): mostly later than that.
                begin = local(side["local_start"]) + length(side["type"], 2)
                now = max(now, begin.isoformat())
        try:
            keys = partition_keys(asked, now)
        except Exception:
            continue
        if not keys:
            continue
        mapping = rng.choice([None, {}, {}, {}])
        if mapping is not None:
            mapping = {"type": "time_window", "start_offset": rng.choice([0, 0, 0, -1, -1, -2, 1]),
                       "end_offset": rng.choice([0, 0, 0, 0, -1, 1]), "allow_nonexistent": rng.random() < 0.2}
        key = rng.choice([keys[0], keys[-1], rng.choice(keys), rng.choice(keys)])
        question = {"up_def": up, "down_def": down, "mapping": mapping, "keys": [key], "direction": direction, "now": now}
        # Which windows before the parent's start are missed is told otherwise (P-34): asked, but rarely.
        if not begins_early(question) or rng.random() < 0.05:
            yield "map_partitions", question


def begins_early(question: dict[str, Any]) -> bool:
    """Whether a child's window may begin before its parent's first."""
    mapping, up = question["mapping"] or {}, question["up_def"]
    if question["direction"] == "down" or mapping.get("start_offset") or mapping.get("end_offset"):
        return False
    begin = partition_window(question["down_def"], question["keys"][0])["start"]
    first = local(up["local_start"]) + length(up["type"], 1) + dt.timedelta(days=1)
    return bool(begin < first.replace(tzinfo=dt.timezone.utc).timestamp())
