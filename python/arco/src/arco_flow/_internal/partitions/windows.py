"""The instants at which windows begin: hourly, daily, weekly, monthly or by a cron, in a time zone.

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
from arco_flow._internal.partitions.crons import Cron, parse

_DAY = timedelta(days=1)
_HOUR = timedelta(hours=1)
_SECOND = timedelta(seconds=1)
_SPAN = {"daily": 1, "weekly": 7, "monthly": 31, "cron": 4}


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
    cron: str | None = None

    @property
    def repeats_every_hour(self) -> bool:
        """Whether an hour that comes twice has two windows (P-13)."""
        return self.cadence == "hourly" or (self.cron is not None and parse(self.cron).every_hour)

    def has(self, instant: datetime) -> bool:
        """Whether a window begins at this instant."""
        return self.at_or_after(instant) == instant

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
        # Two spans back there is always a tick; a cron may be due less often than that.
        for spans in (2, 26, 300, 3000):
            back = local.date() - timedelta(days=spans * _SPAN[self.cadence] + 2)
            last = None
            for tick in self._from(back):
                if tick >= instant:
                    break
                last = tick
            if last is not None:
                return last
        raise AssertionError(f"no tick before {instant}")  # pragma: no cover

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
        if self.cron is not None:
            yield from self._due(parse(self.cron), day, tz)
            return
        for one in self._days(day):
            yield _instant(datetime(one.year, one.month, one.day, self.hour, self.minute), tz)

    def _due(self, cron: Cron, day: date, tz: tzinfo) -> Iterator[datetime]:
        times = list(cron.times())
        last: datetime | None = None
        while True:
            if cron.is_due_on(day):
                walls = [datetime(day.year, day.month, day.day, *time) for time in times]
                instants = (
                    sorted({one for wall in walls for one in _shown(wall, tz)})
                    if cron.every_hour
                    else [_instant(wall, tz) for wall in walls]
                )
                for instant in instants:
                    if last is None or instant > last:
                        last = instant
                        yield instant
            day += _DAY

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


def _shown(wall: datetime, tz: tzinfo) -> Iterator[datetime]:
    """The instants at which a wall clock shows `wall`: none, one or two, in UTC."""
    for fold in (0, 1):
        instant = wall.replace(tzinfo=tz, fold=fold).astimezone(timezone.utc)
        if instant.astimezone(tz).replace(tzinfo=None, fold=0) == wall:
            yield instant


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
