"""The instants at which windows begin: hourly, daily, weekly or monthly, in a time zone.

Daylight saving (S-17 to S-19): daily, weekly and monthly windows follow the wall clock; a wall time
that the clock jumps over begins at the first instant after the jump, a repeated one at its second
occurrence. Hourly windows are real hours.

Instants here are in UTC: arithmetic and comparison of datetimes in one local zone follow its wall
clock, which is wrong where the clock changes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone, tzinfo
from functools import lru_cache

from arco_flow._internal.errors import DefinitionError

_DAY = timedelta(days=1)
_HOUR = timedelta(hours=1)
_SECOND = timedelta(seconds=1)
_SPAN = {"daily": 1, "weekly": 7, "monthly": 31}


@lru_cache(maxsize=64)
def zone(name: str):  # type: ignore[no-untyped-def]
    """The time zone of an IANA name."""
    if name == "UTC":
        return timezone.utc
    from zoneinfo import ZoneInfo

    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise DefinitionError(
            f"time zone `{name}` is not known; give an IANA name like `Europe/Berlin`"
        ) from error


@dataclass(frozen=True)
class Ticks:
    """All instants at which a window of this cadence begins, from the far past to the far future."""

    cadence: str
    timezone: str
    minute: int
    hour: int
    day: int

    def at_or_after(self, instant: datetime) -> datetime:
        """The first tick that is not before `instant`, in UTC."""
        instant = instant.astimezone(timezone.utc)
        if self.cadence == "hourly":
            return self._hour_at_or_after(instant)
        local = instant.astimezone(zone(self.timezone))
        return next(t for t in self._from(local.date() - _DAY) if t >= instant)

    def at_or_before(self, instant: datetime) -> datetime:
        """The last tick that is not after `instant`, in UTC."""
        return self.before(instant.astimezone(timezone.utc) + _SECOND)

    def before(self, instant: datetime) -> datetime:
        """The last tick that is before `instant`, in UTC."""
        instant = instant.astimezone(timezone.utc)
        if self.cadence == "hourly":
            tick = self._hour_at_or_after(instant - 2 * _HOUR)
            while (following := self._hour_at_or_after(tick + _SECOND)) < instant:
                tick = following
            return tick
        local = instant.astimezone(zone(self.timezone))
        back = local.date() - timedelta(days=2 * _SPAN[self.cadence] + 2)
        last = None
        for tick in self._from(back):
            if tick >= instant:
                break
            last = tick
        if last is None:  # pragma: no cover - two spans back there is always a tick.
            raise AssertionError(f"no tick before {instant}")
        return last

    def after(self, tick: datetime) -> datetime:
        """The tick that follows `tick`."""
        return self.at_or_after(tick.astimezone(timezone.utc) + _SECOND)

    def step(self, tick: datetime, count: int) -> datetime:
        """The tick `count` after `tick`, or before it when negative."""
        for _ in range(abs(count)):
            tick = self.after(tick) if count > 0 else self.before(tick)
        return tick

    def _from(self, day: date) -> Iterator[datetime]:
        """Ticks on `day` and later."""
        tz = zone(self.timezone)
        for one in self._days(day):
            yield _instant(datetime(one.year, one.month, one.day, self.hour, self.minute), tz)

    def _days(self, day: date) -> Iterator[date]:
        if self.cadence == "monthly":
            year, month = day.year, day.month
            while True:
                one = _day_of_month(year, month, self.day)
                if one is not None and one >= day:
                    yield one
                year, month = (year, month + 1) if month < 12 else (year + 1, 1)
        if self.cadence == "weekly":
            day += timedelta(days=(self.day - day.isoweekday()) % 7)
        stride = timedelta(days=_SPAN[self.cadence])
        while True:
            yield day
            day += stride

    def _hour_at_or_after(self, instant: datetime) -> datetime:
        tz = zone(self.timezone)
        tick = instant
        # The second round is for the rare change of offset by part of an hour in between.
        for _ in range(2):
            local = tick.astimezone(tz)
            tick += timedelta(
                minutes=(self.minute - local.minute) % 60,
                seconds=-local.second,
                microseconds=-local.microsecond,
            )
            if tick < instant:
                tick += _HOUR
        return tick


def _day_of_month(year: int, month: int, day: int) -> date | None:
    """That day, or None in a month that is too short for it (P-8)."""
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _instant(wall: datetime, tz: tzinfo) -> datetime:
    """The instant a wall clock shows `wall`, in UTC, with the rules for jumps and repeats."""
    second = wall.replace(tzinfo=tz, fold=1)
    if tz is timezone.utc:
        return second
    first = wall.replace(tzinfo=tz, fold=0)
    before, after = first.utcoffset(), second.utcoffset()
    if before is None or after is None or before >= after:
        return second.astimezone(timezone.utc)  # Plain, or repeated: the second occurrence.
    # Jumped over: before the jump one offset holds, after it the other; look where they meet.
    low, high = second.astimezone(timezone.utc), first.astimezone(timezone.utc)
    while high - low > _SECOND:
        middle = low + (high - low) // 2
        if middle.astimezone(tz).utcoffset() == before:
            low = middle
        else:
            high = middle
    return high.replace(microsecond=0)
