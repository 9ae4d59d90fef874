"""Keys of partitions, their windows, which exist, and ranges (P-1..P-24)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from random import Random
from typing import Any

from dagster_oracle import partition_keys

from .windows import DEFAULT_FMT, Spec, a_now, fmt_of, in_fmt, length, local, seldom, window_def

Question = tuple[str, dict[str, Any]]

# Changes of the clocks happen at midnight, by half an hour, or by a day.
ODD_ZONES = ["America/Havana", "Australia/Lord_Howe", "Africa/Cairo", "America/Sao_Paulo", "Asia/Beirut"]
ODD_DAYS = [
    ("hourly", "2024-03-09"), ("hourly", "2024-04-06"), ("hourly", "2024-10-05"), ("hourly", "2024-11-02"),
    ("daily", "2024-03-08"), ("daily", "2024-10-04"), ("daily", "2018-11-02"), ("daily", "2024-04-24"),
]


def ask(rng: Random) -> Iterator[Question]:
    """Lists of keys and known windows first, then random windows."""
    static = [
        ["a", "b", "c"], ["c", "a", "b"], ["x|y", "", "z,w"], ["us-east", "eu west", "zürich"], ["a...b"], ["a", "a"],
        ["tab\there"], ["one"],
    ]
    for keys in static:
        definition: Spec = {"type": "static", "keys": keys}
        yield "partition_keys", {"definition": definition}
        yield "partition_has", {"definition": definition, "keys": [*keys, "zzz", keys[0] + " "]}
        yield "partition_range", {"definition": definition, "start": keys[0], "end": keys[-1]}
        yield "partition_range", {"definition": definition, "start": keys[-1], "end": keys[0]}
    yield from known()
    while True:
        if rng.random() < 0.03:
            keys = rng.sample(["a", "b", "c", "x|y", "", "z,w", "us-east", "eu west", "zürich", "a...b", "tab\there"], 4)
            definition = {"type": "static", "keys": keys}
            yield "partition_keys", {"definition": definition}
            yield "partition_has", {"definition": definition, "keys": [*keys, "zzz", keys[0] + " "]}
            continue
        odd = rng.random() < 0.006
        spec = odd_def(rng) if odd else window_def(rng)
        now = (local(spec["local_start"]) + dt.timedelta(days=3)).isoformat() if odd else a_now(rng, spec)
        yield "partition_keys", {"definition": spec, "now": now}
        yield from around_keys(rng, spec, now)


def odd_def(rng: Random) -> Spec:
    """Windows around a change of the clocks that Dagster gets wrong (D-25)."""
    (cadence, around), zone = rng.choice(ODD_DAYS), rng.choice(ODD_ZONES)
    spec: Spec = {"type": cadence, "timezone": zone, "minute_offset": rng.choice([0, 30])}
    if cadence == "daily":
        spec["hour_offset"] = rng.choice([0, 0, 1])
    spec["start"], start = in_fmt(local(around), DEFAULT_FMT.get(cadence, "%Y-%m-%d"))
    spec["local_start"] = start.isoformat()
    return spec


def known() -> Iterator[Question]:
    """What was found once."""
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
    known_windows: list[tuple[Spec, str]] = [
        ({"type": "monthly", "day_offset": 29, "start": "2023-01-01"}, "2023-06-01T00:00:00"),
        ({"type": "monthly", "day_offset": 29, "start": "2024-03-11"}, "2026-10-27T01:01:00"),
        ({"type": "monthly", "day_offset": 31, "start": "2023-01-01"}, "2023-09-15T00:00:00"),
        ({"type": "weekly", "start": "2024-01-05", "end": "2024-01-10", "local_end": "2024-01-10T00:00:00"}, "2024-03-01T00:00:00"),
        ({"type": "daily", "start": "2024-01-10", "end_offset": 2}, "2024-01-08T12:00:00"),
        ({"type": "daily", "start": "2024-01-10", "end_offset": 2}, "2024-01-09T00:00:00"),
        ({"type": "daily", "start": "2024-01-10", "end_offset": 2}, "2024-01-08T00:00:00"),
    ]
    for spec, now in known_windows:
        definition = {**spec, "local_start": spec["start"] + "T00:00:00"}
        yield "partition_keys", {"definition": definition, "now": now}
    # The second window begins in the hour that comes twice.
    autumn = {"type": "daily", "timezone": "America/New_York", "hour_offset": 1, "fmt": "%b %d %Y", "start": "Nov 04 2023"}
    definition = {**autumn, "local_start": "2023-11-04T00:00:00"}
    yield "partition_keys", {"definition": definition, "now": "2023-11-07T00:00:00"}
    years = {"type": "monthly", "fmt": "%Y", "start": "2024", "local_start": "2024-01-01T00:00:00"}
    yield "partition_keys", {"definition": years, "now": "2024-04-01T00:00:00"}


def around_keys(rng: Random, spec: Spec, now: str) -> Iterator[Question]:
    """Windows, existence and ranges of keys that a definition has, and of texts near to them."""
    try:
        keys = partition_keys(spec, now)
        later = partition_keys(spec, (local(now) + length(spec["type"], 5)).isoformat())
    except Exception:
        return
    if not keys:
        return
    yield "partition_window", {"definition": spec, "key": rng.choice([rng.choice(keys), keys[-1]])}
    texts = [rng.choice(keys), keys[0] + " ", keys[0].replace("-0", "-"), "nonsense", "", *later[-3:]]
    if seldom(rng):
        # Texts between two windows, which Dagster takes for keys (P-17).
        start = local(spec["local_start"])
        texts += [
            (start + length(spec["type"], n) + dt.timedelta(minutes=m)).strftime(fmt_of(spec))
            for n, m in [(-1, 0), (0, 0), (1, 15), (len(keys), 0), (len(keys) + 3, 0)]
        ]
    yield "partition_has", {"definition": spec, "keys": sorted(set(texts)), "now": now}
    first, last = sorted([rng.randrange(len(keys)), rng.randrange(len(keys))])
    yield "partition_range", {"definition": spec, "start": keys[first], "end": keys[last], "now": now}
