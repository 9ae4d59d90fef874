"""Random time windows, shared by the questions on keys and on mappings."""

from __future__ import annotations

import datetime as dt
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

Spec = dict[str, Any]
DEFAULT_FMT = {"hourly": "%Y-%m-%d-%H:%M"}
ZONES = [
    "UTC", "UTC", "UTC", "America/New_York", "America/New_York", "Europe/Berlin", "Europe/London",
    "Asia/Kolkata", "Asia/Tokyo", "Asia/Kathmandu", "Australia/Sydney", "America/St_Johns",
]


def seldom(rng: Random) -> bool:
    """One in a hundred: where Arco does otherwise on purpose."""
    return rng.random() < 0.01


def local(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text)


def window_def(rng: Random, cadence: str | None = None, zone: str | None = None, around: dt.datetime | None = None) -> Spec:
    """A random definition; `local_start` and `local_end` say in ISO what start and end say in fmt."""
    cadence = cadence or rng.choice(["hourly", "daily", "daily", "weekly", "monthly"])
    zone = zone or rng.choice(ZONES)
    base = around or local(
        rng.choice(["2023-03-10", "2023-11-03", "2024-01-01", "2024-02-27", "2024-03-29", "2024-10-25", "2019-12-29"])
    )
    spec: Spec = {"type": cadence, "timezone": zone}
    if rng.random() < 0.5:
        spec["minute_offset"] = rng.choice([0, 15, 30, 45])
    if cadence != "hourly" and rng.random() < 0.4:
        spec["hour_offset"] = rng.choice([0, 1, 2, 3, 6, 23])
    if cadence == "weekly" and rng.random() < 0.6:
        spec["day_offset"] = rng.randrange(7)
    if cadence == "monthly" and rng.random() < 0.6:
        spec["day_offset"] = 29 if seldom(rng) else rng.choice([1, 2, 15, 28, 30, 31])
    if rng.random() < 0.3:
        spec["fmt"] = rng.choice(
            {
                "hourly": ["%Y-%m-%dT%H:%M:%S", "%Y%m%d%H%M", "%Y-%m-%d-%H:%M%z", "%d/%m/%Y %H:%M", "%Y-%j-%I%p:%M"],
                "daily": ["%Y%m%d", "%Y-%m-%d %H:%M", "%d.%m.%Y", "%Y-%j", "%b %d %Y", "%A %Y-%m-%d"],
                "weekly": ["%Y/%m/%d", "%Y-%m-%d %H:%M", "week of %B %d, %Y"],
                "monthly": ["%Y-%m", "%Y%m", "%B %Y", "%Y-%m-%d"],
            }[cadence]
        )
    fmt = fmt_of(spec)
    start = base + {
        "hourly": dt.timedelta(hours=rng.randrange(30), minutes=rng.choice([0, 0, 0, 20])),
        "daily": dt.timedelta(days=rng.randrange(6), hours=rng.choice([0, 0, 0, 5])),
        "weekly": dt.timedelta(days=rng.randrange(20)),
        "monthly": dt.timedelta(days=rng.randrange(60)),
    }[cadence]
    text, start = in_fmt(start, fmt, zone)
    spec["start"], spec["local_start"] = text, start.isoformat()
    if rng.random() < 0.25:
        text, end = in_fmt(start + length(cadence, rng.randrange(0 if seldom(rng) else 3, 30)), fmt, zone)
        spec["end"], spec["local_end"] = text, end.isoformat()
    if rng.random() < 0.3:
        spec["end_offset"] = rng.choice([1, 1, 2, 5, -1, -1, -2])
    return spec


def fmt_of(spec: Spec) -> str:
    return spec.get("fmt") or DEFAULT_FMT.get(spec["type"], "%Y-%m-%d")


def in_fmt(time: dt.datetime, fmt: str, zone: str = "UTC") -> tuple[str, dt.datetime]:
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


def a_now(rng: Random, spec: Spec, most: int = 35) -> str:
    start = local(spec["local_start"])
    # With windows added by `end_offset` not before the first one begins (P-4).
    least = -2 if spec.get("end_offset", 0) <= 0 or seldom(rng) else 3
    now = start + length(spec["type"], rng.randrange(least, most))
    return (now + dt.timedelta(minutes=rng.choice([0, 0, 0, 0, 30, 61, 719]))).isoformat()
