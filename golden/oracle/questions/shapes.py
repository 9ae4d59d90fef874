"""Random definitions of every sort: windows by cron, with some left out, dynamic, several dimensions."""

from __future__ import annotations

import datetime as dt
from random import Random
from typing import Any

from dagster_oracle import cron_ticks, instant

from .windows import ZONES, Spec, in_fmt, local, seldom, window_def

CRONS = [
    "0 */6 * * *", "0 0 * * 1-5", "*/30 * * * *", "0 8-18 * * 1-5", "0 0 1,15 * *", "15 3 * * *", "0 12 * * 0",
    "0 0 1 */3 *", "30 * * * *", "45 5 10 * *",
]
# Some windows of theirs take weeks.
COARSE = {"0 0 1,15 * *", "0 0 1 */3 *", "45 5 10 * *", "0 12 * * 0"}
EXCLUSIONS = ["0 0 * * 6,0", "0 0 1 * *", "0 */6 * * *", "0 12 * * *", "0 0 * * 1"]
FINE = "%Y-%m-%d-%H:%M"


def cron_def(rng: Random, zone: str | None = None, around: str | None = None) -> Spec:
    """Windows by cron; sometimes some are left out."""
    zone = zone or rng.choice(ZONES)
    begin = local(around or rng.choice(["2024-01-01", "2023-03-10", "2023-11-03", "2024-02-27"]))
    spec: Spec = {"type": "cron", "cron": rng.choice(CRONS), "timezone": zone, "fmt": FINE}
    spec["start"], begin = in_fmt(begin + dt.timedelta(hours=rng.choice([0, 0, 5, 30])), FINE, zone)
    spec["local_start"] = begin.isoformat()
    if rng.random() < 0.2 and spec["cron"] not in COARSE:
        spec["end"], end = in_fmt(begin + dt.timedelta(days=rng.randrange(100, 130)), FINE, zone)
        spec["local_end"] = end.isoformat()
    if rng.random() < 0.2 and spec["cron"] not in COARSE:
        spec["end_offset"] = rng.choice([1, 2, -1])
    if rng.random() < 0.3:
        exclude(rng, spec, begin)
    return spec


def exclude(rng: Random, spec: Spec, begin: dt.datetime) -> None:
    """Leaves out some windows. Dagster looks for ever for the first one when there is none."""
    cadence = {"daily": "0 0 * * *", "hourly": "0 * * * *"}.get(spec["type"]) or spec["cron"]
    chosen = exclusions(rng, begin)
    starts = cron_ticks(cadence, spec["timezone"], spec["local_start"], 60)
    out = {instant(text, spec["timezone"]).timestamp() for text in chosen if " " not in text}
    for cron in chosen:
        if " " in cron:
            out |= {at for at in starts if cron_ticks(cron, spec["timezone"], in_utc(at), 1) == [at]}
    if len(set(starts) - out) > 10:
        spec["exclusions"] = chosen


def in_utc(seconds: float) -> str:
    return dt.datetime.fromtimestamp(seconds, dt.timezone.utc).isoformat()


def exclusions(rng: Random, begin: dt.datetime) -> list[str]:
    day = begin.replace(hour=0, minute=0) + dt.timedelta(days=rng.randrange(9))
    times = [day.isoformat(), (day + dt.timedelta(hours=6)).isoformat()]
    return rng.sample([*EXCLUSIONS, *times], rng.choice([1, 1, 2]))


def excluding_def(rng: Random, zone: str | None = None) -> Spec:
    """Days or hours of which some are left out."""
    cadence = rng.choice(["daily", "hourly"])
    spec: Spec = {"type": cadence, "timezone": zone or rng.choice(ZONES)}
    begin = local(rng.choice(["2024-01-01", "2024-01-03"]))
    spec["start"] = begin.strftime("%Y-%m-%d" if cadence == "daily" else FINE)
    spec["local_start"] = begin.isoformat()
    exclude(rng, spec, begin)
    return spec


def static_def(rng: Random, letters: str = "abcdefg") -> Spec:
    return {"type": "static", "keys": rng.sample(letters, rng.randrange(2, 5))}


def dynamic_def(rng: Random) -> Spec:
    # A name stands for one set of keys, so a set is named after its keys.
    keys = rng.sample(["ann", "bob", "cid", "dot", "eve", "fay"], rng.randrange(5))
    return {"type": "dynamic", "name": "_".join(["names", *keys]), "keys": keys}


def day_def(rng: Random, zone: str = "UTC") -> Spec:
    begin = local("2024-01-01") + dt.timedelta(days=rng.randrange(4))
    cadence = rng.choice(["daily", "daily", "weekly"])
    return {"type": cadence, "timezone": zone, "start": begin.strftime("%Y-%m-%d"), "local_start": begin.isoformat()}


def one_def(rng: Random) -> Spec:
    """One dimension."""
    return rng.choice([static_def, static_def, day_def, day_def, dynamic_def])(rng)


def multi_def(rng: Random) -> Spec:
    names = rng.sample(["a", "day", "kind", "zone", "B"], 2)
    return {"type": "multi", "dimensions": {name: one_def(rng) for name in names}}


def any_def(rng: Random) -> Spec:
    return rng.choice([cron_def, cron_def, excluding_def, dynamic_def, multi_def, multi_def])(rng)


def a_time(rng: Random, spec: Spec) -> str:
    """When some of it exists, and not too much."""
    begin = local(spec.get("local_start", "2024-01-01"))
    days = rng.randrange(40, 99) if spec.get("cron") in COARSE else rng.randrange(4, 12)
    return (begin + dt.timedelta(days=days, minutes=rng.choice([0, 0, 30, 61, 719]))).isoformat()


def windows(rng: Random, zone: str) -> Spec:
    """Windows of time around the new year of 2024."""
    sort: Any = rng.choice([cron_def, cron_def, excluding_def, window_def, window_def])
    if sort is cron_def:
        return cron_def(rng, zone, "2024-01-01")
    if sort is excluding_def:
        return excluding_def(rng, zone)
    spec = window_def(rng, rng.choice(["hourly", "daily", "weekly"]), zone, local("2024-01-01"))
    for name in ("end", "local_end", "end_offset"):
        spec.pop(name, None)
    return spec


__all__ = [
    "a_time", "any_def", "cron_def", "day_def", "dynamic_def", "excluding_def", "multi_def", "one_def",
    "seldom", "static_def", "windows",
]
