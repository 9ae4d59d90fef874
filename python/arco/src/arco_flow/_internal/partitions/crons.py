"""Crons of windows: when a day has an instant. What the control plane reads, read again (S-3 to S-8), so
that windows can be told without it. It refuses what is wrong with a full message when definitions load.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache

from arco_flow._internal.errors import DefinitionError

_MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
_DAYS = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"]
_MACROS = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
}


@dataclass(frozen=True)
class Cron:
    """A parsed cron."""

    text: str
    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    last_day: bool
    months: frozenset[int]
    weekdays: frozenset[int]
    # Pairs of a weekday and a week of the month; 0 is the last.
    weeks: frozenset[tuple[int, int]]
    any_day: bool
    any_weekday: bool
    every_hour: bool
    """Whether it follows real time and not the clock on the wall (S-19)."""

    def times(self) -> Iterator[tuple[int, int]]:
        """Hours and minutes of a day on which it is due, in order."""
        for hour in sorted(self.hours):
            for minute in sorted(self.minutes):
                yield hour, minute

    def is_due_on(self, day: date) -> bool:
        """Whether it is due on a day. Of two restricted fields for days one is enough (S-6)."""
        if day.month not in self.months:
            return False
        by_day = day.day in self.days or (self.last_day and (day + timedelta(1)).day == 1)
        weekday = day.isoweekday() % 7
        is_last = (day + timedelta(7)).month != day.month
        by_weekday = (
            weekday in self.weekdays
            or (weekday, (day.day - 1) // 7 + 1) in self.weeks
            or (is_last and (weekday, 0) in self.weeks)
        )
        if self.any_day or self.any_weekday:
            return (self.any_day or by_day) and (self.any_weekday or by_weekday)
        return by_day or by_weekday


@lru_cache(maxsize=256)
def parse(text: str) -> Cron:
    """Reads a cron of five fields.

    Raises:
        DefinitionError: When it is none.
    """
    fields = _MACROS.get(text.strip().lower(), text).lower().split()
    if len(fields) != 5:
        raise DefinitionError(f"cron `{text}` does not have five fields, as `0 */6 * * *` has")
    minute, hour, day, month, weekday = fields
    try:
        weeks, plain = _weeks(weekday)
        days = [item for item in day.split(",") if item != "l"]
        return Cron(
            text=text,
            minutes=_values(minute, 0, 59),
            hours=_values(hour, 0, 23),
            days=_values(",".join(days), 1, 31) if days else frozenset(),
            last_day=len(days) < len(day.split(",")),
            months=_values(month, 1, 12, _MONTHS),
            weekdays=_values(plain, 0, 6, _DAYS) if plain else frozenset(),
            weeks=weeks,
            any_day=_is_any(day),
            any_weekday=_is_any(weekday),
            every_hour=hour == "*" or ("*" not in hour and len(_values(hour, 0, 23)) == 24),
        )
    except ValueError as error:
        raise DefinitionError(f"cron `{text}` cannot be read: {error}") from error


def _is_any(field: str) -> bool:
    return "*" in field.split(",") or field == "?"


def _weeks(field: str) -> tuple[frozenset[tuple[int, int]], str]:
    """Items such as `mon#1` and `l5`, and the rest."""
    weeks: set[tuple[int, int]] = set()
    plain = []
    for item in field.split(","):
        if "#" in item:
            days, week = item.split("#")
            weeks |= {(day, int(week)) for day in _values(days, 0, 6, _DAYS)}
        elif re.fullmatch(r"l\d", item):
            weeks.add((int(item[1:]) % 7, 0))
        else:
            plain.append(item)
    return frozenset(weeks), ",".join(plain)


def _values(field: str, low: int, high: int, names: list[str] | None = None) -> frozenset[int]:
    found: set[int] = set()
    for item in field.split(","):
        span, slash, step = item.partition("/")
        by = int(step) if slash else 1
        if not 1 <= by <= max(high, 7):
            raise ValueError(f"`{item}` steps by {by}")
        if span in ("*", "?"):
            found.update(range(low, high + 1, by))
            continue
        first, dash, last = span.partition("-")
        begin = _value(first, low, high, names)
        if not dash and not slash:
            found.add(begin)
            continue
        end = high if not dash or last == "l" else _value(last, low, high, names)
        if begin < end or not dash:
            found.update(range(begin, end + 1, by))
        elif begin == end:
            found.update(range(low, high + 1, by))
        else:
            # Past the end of the field it goes on, one step later than round a circle (S-5).
            found.update(range(begin, high + 1, by))
            left = (high - begin) % by
            found.update(range(low if by == left + 1 else low + by - left, end + 1, by))
    return frozenset(found)


def _value(text: str, low: int, high: int, names: list[str] | None) -> int:
    if names and text in names:
        return low + names.index(text)
    value = int(text)
    if names is _DAYS and value == 7:
        return 0
    if not low <= value <= high:
        raise ValueError(f"`{text}` is not between {low} and {high}")
    return value
