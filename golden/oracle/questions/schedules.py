"""Schedules of partitioned jobs: when they are due and what each tick runs (S-15, S-44..S-47)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from random import Random
from typing import Any

from .windows import Spec, length, local, seldom, window_def

Question = tuple[str, dict[str, Any]]


def ask(rng: Random) -> Iterator[Question]:
    """The examples of the reference first, then random windows and options."""
    yield from known()
    while True:
        if rng.random() < 0.05:
            yield question(static(rng), {"cron_schedule": rng.choice(["0 5 * * *", "@hourly", "*/20 1-3 * * 1"])}, "2024-03-10")
            continue
        spec = window_def(rng)
        yield question(spec, options(rng, spec["type"]), a_start(rng, spec))


def question(definition: Spec, options: Spec, start: str) -> Question:
    return "partitioned_schedule", {"definition": definition, "options": options, "start": start}


def known() -> Iterator[Question]:
    daily: Spec = {"type": "daily", "start": "2024-01-01", "local_start": "2024-01-01T00:00:00"}
    hourly: Spec = {"type": "hourly", "start": "2024-01-01-00:00", "local_start": "2024-01-01T00:00:00"}
    for definition, given, start in [
        (daily, {}, "2024-01-01"),
        ({**daily, "end_offset": 1}, {}, "2024-01-05"),
        (daily, {"hour_of_day": 2}, "2024-01-05"),
        (hourly, {"minute_of_hour": 15}, "2024-01-05T03:00:00"),
        ({**daily, "type": "monthly"}, {"day_of_month": 5}, "2024-03-01"),
        ({**daily, "type": "weekly"}, {"day_of_week": 3}, "2024-01-17"),
        ({**daily, "timezone": "America/New_York"}, {}, "2024-01-05"),
        ({**daily, "timezone": "America/New_York"}, {"hour_of_day": 2, "minute_of_hour": 30}, "2024-03-09"),
        ({**daily, "timezone": "America/New_York"}, {"hour_of_day": 1}, "2024-11-02"),
        # What Arco does otherwise on purpose: `end_offset` before the first window, an `end` within it, and
        # an option that has no meaning.
        ({**daily, "start": "2024-01-10", "local_start": "2024-01-10T00:00:00", "end_offset": 1}, {"hour_of_day": 2}, "2024-01-09"),
        ({**daily, "type": "weekly", "start": "2024-01-05", "local_start": "2024-01-05T00:00:00", "end": "2024-01-10", "local_end": "2024-01-10T00:00:00"}, {}, "2024-01-07"),
        (hourly, {"day_of_week": 1}, "2024-01-05"),
        # Options that do not fit.
        (daily, {"day_of_week": 1}, "2024-01-05"),
        (hourly, {"hour_of_day": 1}, "2024-01-05"),
        (daily, {"cron_schedule": "@daily"}, "2024-01-05"),
        ({"type": "static", "keys": ["x", "y"]}, {}, "2024-01-05"),
        ({"type": "static", "keys": ["x", "y"]}, {"cron_schedule": "@daily"}, "2024-01-05"),
    ]:
        yield question(definition, given, start)


def static(rng: Random) -> Spec:
    return {"type": "static", "keys": rng.sample(["a", "b", "c", "us-east", "eu west", "z"], rng.randrange(1, 5))}


def options(rng: Random, cadence: str) -> Spec:
    found: Spec = {}
    if rng.random() < 0.5:
        found["minute_of_hour"] = rng.choice([0, 1, 15, 30, 59])
    if cadence != "hourly" and rng.random() < 0.5:
        found["hour_of_day"] = rng.choice([0, 1, 2, 3, 12, 23])
    if cadence == "weekly" and rng.random() < 0.5:
        found["day_of_week"] = rng.randrange(7)
    if cadence == "monthly" and rng.random() < 0.5:
        found["day_of_month"] = rng.choice([1, 5, 15, 28])
    if seldom(rng):
        found["day_of_week" if cadence != "weekly" else "day_of_month"] = 1
    return found


def a_start(rng: Random, spec: Spec) -> str:
    # With windows added by `end_offset` not before the first one begins (P-4).
    least = -1 if spec.get("end_offset", 0) <= 0 or seldom(rng) else 3
    start = local(spec["local_start"]) + length(spec["type"], rng.randrange(least, 12))
    return (start + dt.timedelta(minutes=rng.choice([0, 0, 7, 61]))).isoformat()
