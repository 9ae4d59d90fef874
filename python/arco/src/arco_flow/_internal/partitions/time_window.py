"""Partitions that are windows of time (P-1 to P-15)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any, ClassVar

from arco_flow._internal.errors import DefinitionError, UnknownPartitionError
from arco_flow._internal.partitions.base import PartitionKeyRange, PartitionsDefinition, TimeWindow
from arco_flow._internal.partitions.crons import parse
from arco_flow._internal.partitions.windows import Ticks, zone


@dataclass(frozen=True, init=False)
class TimeWindowPartitionsDefinition(PartitionsDefinition):
    """Windows of time that begin at the instants of a cron, or of one of the four cadences (P-1).

    A partition is a half-open window; its key is the start printed with `fmt`, in the time zone
    (P-3). It exists when its window has ended; `end_offset=n` adds n windows (P-4). `end` is
    exclusive (P-6). A start off the cadence begins with the next window (P-7).

    Args:
        start: Start of the first window: a datetime, or a text in the form of `fmt`.
        fmt: Form of the keys, as `strftime` has it; fine enough to tell windows apart.
        end: Exclusive end; open when absent.
        schedule_type: `hourly`, `daily`, `weekly` or `monthly`, instead of a cron.
        timezone: IANA name; UTC when absent.
        end_offset: Windows added beyond those that have ended; may be negative.
        minute_offset: Minute at which windows begin, with a `schedule_type`.
        hour_offset: Hour at which windows begin, with a `schedule_type`.
        day_offset: Day on which weeks or months begin, with a `schedule_type`.
        cron_schedule: A cron of five fields; each of its instants begins a window.
        exclusions: Crons, and starts of windows as datetimes: windows that are no partitions (P-9).
    """

    cadence: str
    start: datetime
    end: datetime | None
    timezone: str
    fmt: str
    end_offset: int
    minute_offset: int
    hour_offset: int
    day_offset: int
    cron_schedule: str | None
    exclusions: tuple[str | datetime, ...]

    default_fmt: ClassVar[str] = "%Y-%m-%d"

    def __init__(
        self,
        start: datetime | str,
        fmt: str,
        end: datetime | str | None = None,
        schedule_type: object = None,
        timezone: str | None = None,
        end_offset: int = 0,
        minute_offset: int | None = None,
        hour_offset: int | None = None,
        day_offset: int | None = None,
        cron_schedule: str | None = None,
        exclusions: Sequence[str | datetime] | None = None,
    ) -> None:
        offsets = {
            "minute_offset": minute_offset,
            "hour_offset": hour_offset,
            "day_offset": day_offset,
        }
        given = {name: value for name, value in offsets.items() if value}
        if cron_schedule is None:
            word = str(getattr(schedule_type, "value", schedule_type)).lower()
            if word not in ("hourly", "daily", "weekly", "monthly"):
                raise DefinitionError(
                    'windows need a cron; write cron_schedule="0 */6 * * *", or schedule_type="daily"'
                )
            if word == "monthly":
                given.setdefault("day_offset", 1)
            _set(self, word, start, end, timezone, fmt, end_offset, exclusions, None, **given)
            return
        if schedule_type is not None or given:
            raise DefinitionError(
                "cron_schedule says when windows begin; leave out schedule_type and the offsets"
            )
        _set(self, "cron", start, end, timezone, fmt, end_offset, exclusions, cron_schedule)

    @property
    def ticks(self) -> Ticks:
        """The instants at which windows begin, left out or not."""
        return Ticks(
            self.cadence,
            self.timezone,
            self.minute_offset,
            self.hour_offset,
            self.day_offset,
            self.cron_schedule,
        )

    def is_excluded(self, start: datetime) -> bool:
        """Whether the window that begins at `start` is left out (P-9)."""
        return any(
            Ticks("cron", self.timezone, 0, 0, 0, one).has(start)
            if isinstance(one, str)
            else one == start
            for one in self.exclusions
        )

    def get_partition_keys(self, current_time: datetime | None = None) -> Sequence[str]:
        """All keys whose windows have ended at `current_time`, in order (P-4)."""
        return [self.key_of(window.start) for window in self.windows(current_time)]

    def get_first_partition_key(self, current_time: datetime | None = None) -> str | None:
        """The first key, or None when no window has ended."""
        first = next(self.windows(current_time), None)
        return self.key_of(first.start) if first else None

    def get_last_partition_key(self, current_time: datetime | None = None) -> str | None:
        """The last key, or None when no window has ended."""
        bound = self.bound(current_time)
        start = self.ticks.before(bound) if bound > self.first else None
        while start is not None and self.is_excluded(start):
            start = self.ticks.before(start) if start > self.first else None
        return self.key_of(start) if start is not None and start >= self.first else None

    def has_partition_key(self, partition_key: str, current_time: datetime | None = None) -> bool:
        """Whether this exact text is a key that exists (P-17)."""
        try:
            window = self.time_window_for_partition_key(partition_key)
        except UnknownPartitionError:
            return False
        return window.start >= self.first and window.end <= self.bound(current_time)

    def time_window_for_partition_key(self, partition_key: str) -> TimeWindow:
        """The window of a key, `[start, end)`, aware datetimes in the time zone.

        Raises:
            UnknownPartitionError: When the text is not a key.
        """
        parsed = self._parse(partition_key)
        if parsed is not None:
            start = self.ticks.at_or_after(parsed)
            if self.key_of(start) == partition_key and not self.is_excluded(start):
                tz = zone(self.timezone)
                return TimeWindow(start.astimezone(tz), self.ticks.after(start).astimezone(tz))
        raise UnknownPartitionError(
            f"`{partition_key}` is no key of {self.cadence} partitions; {self.keys_look_like()}"
        )

    def get_partition_keys_in_range(self, partition_key_range: PartitionKeyRange) -> Sequence[str]:
        """The keys from start to end, inclusive; not cut at now (P-18)."""
        start = self.time_window_for_partition_key(partition_key_range.start).start
        end = self.time_window_for_partition_key(partition_key_range.end).end
        return self.get_partition_keys_in_time_window(TimeWindow(start, end))

    def get_partition_keys_in_time_window(self, time_window: TimeWindow) -> Sequence[str]:
        """The keys of the windows that begin within a span."""
        keys, tick = [], self.ticks.at_or_after(time_window.start)
        while tick < time_window.end:
            if not self.is_excluded(tick):
                keys.append(self.key_of(tick))
            tick = self.ticks.after(tick)
        return keys

    @property
    def first(self) -> datetime:
        """Where the first window begins."""
        return self.ticks.at_or_after(self.start)

    def bound(self, current_time: datetime | None) -> datetime:
        """Where the last window that exists ends, or any instant before the first ends."""
        now = current_time or datetime.now(timezone.utc)
        if now.tzinfo is None:
            now = now.replace(tzinfo=zone(self.timezone))
        ticks = self.ticks
        bound = ticks.at_or_before(now)
        bound = self.shifted(bound, self.end_offset)
        if self.end is not None and bound > self.end:
            bound = ticks.at_or_before(self.end)
        return bound

    def windows(self, current_time: datetime | None = None) -> Iterator[TimeWindow]:
        """The windows that exist, in order."""
        bound, ticks, start = self.bound(current_time), self.ticks, self.first
        while (end := ticks.after(start)) <= bound:
            if not self.is_excluded(start):
                yield TimeWindow(start, end)
            start = end

    def shifted(self, tick: datetime, count: int) -> datetime:
        """An end or a begin of windows, moved over `count` windows; those left out do not count. Forwards
        it lands on an end, backwards on a begin."""
        while count:
            following = self.ticks.after(tick) if count > 0 else self.ticks.before(tick)
            if not self.is_excluded(tick if count > 0 else following):
                count -= 1 if count > 0 else -1
            tick = following
        return tick

    def key_of(self, start: datetime) -> str:
        """The key of the window that begins at `start`; a repeated hour gets its offset (P-13)."""
        local = start.astimezone(zone(self.timezone))
        key = local.strftime(self.fmt)
        if local.fold and self.ticks.repeats_every_hour and "%z" not in self.fmt:
            key += local.strftime("%z")
        return key

    def _parse(self, key: str) -> datetime | None:
        for fmt in self._forms():
            try:
                parsed = datetime.strptime(key, fmt)
            except (ValueError, TypeError):
                continue
            return parsed if parsed.tzinfo else parsed.replace(tzinfo=zone(self.timezone))
        return None

    def _forms(self) -> tuple[str, ...]:
        """How keys may be written: a repeated hour has its offset appended (P-13)."""
        if "%z" in self.fmt or not self.ticks.repeats_every_hour:
            return (self.fmt,)
        return self.fmt, self.fmt + "%z"

    def keys_look_like(self) -> str:
        """The shape of the keys, with the first as an example."""
        return f"{self.cadence} keys look like `{self.key_of(self.first)}`"

    def to_json(self) -> dict[str, Any]:
        """The definition as it stands in a manifest; instants as wall time in the time zone."""
        tz = zone(self.timezone)
        data: dict[str, Any] = {
            "kind": "time_window",
            "cadence": self.cadence,
            "start": self.start.astimezone(tz).replace(tzinfo=None).isoformat(timespec="seconds"),
            "timezone": self.timezone,
            "fmt": self.fmt,
            "end_offset": self.end_offset,
            "minute_offset": self.minute_offset,
            "hour_offset": self.hour_offset,
            "day_offset": self.day_offset,
        }
        if self.end is not None:
            data["end"] = self.end.astimezone(tz).replace(tzinfo=None).isoformat(timespec="seconds")
        if self.cron_schedule is not None:
            data["cron"] = self.cron_schedule
        if self.exclusions:
            data["exclusions"] = [
                one
                if isinstance(one, str)
                else one.astimezone(tz).replace(tzinfo=None).isoformat(timespec="seconds")
                for one in self.exclusions
            ]
        return data


def _bound(what: str, value: datetime | str, fmt: str, timezone_name: str) -> datetime:
    if isinstance(value, str):
        try:
            value = datetime.strptime(value, fmt)
        except ValueError as error:
            raise DefinitionError(
                f"{what} `{value}` does not have the form `{fmt}`; give one that has, or a datetime"
            ) from error
    if not isinstance(value, datetime):
        raise DefinitionError(f"{what} is a text or a datetime, not {value!r}")
    return value if value.tzinfo else value.replace(tzinfo=zone(timezone_name))


def _set(
    self: TimeWindowPartitionsDefinition,
    cadence: str,
    start_date: datetime | str,
    end_date: datetime | str | None,
    timezone_name: str | None,
    fmt: str | None,
    end_offset: int,
    exclusions: Sequence[str | datetime] | None,
    cron_schedule: str | None,
    **offsets: int,
) -> None:
    """Fills a definition in, and refuses what cannot stand."""
    name = timezone_name or "UTC"
    tz = zone(name)
    text = fmt or self.default_fmt
    date = "" if type(self) is TimeWindowPartitionsDefinition else "_date"
    start = _bound("start" + date, start_date, text, name)
    end = None if end_date is None else _bound("end" + date, end_date, text, name)
    if end is not None and end < start:
        raise DefinitionError(
            f"end{date} {end.isoformat()} is before start{date} {start.isoformat()}"
        )
    if cron_schedule is not None:
        parse(cron_schedule)
    values: dict[str, Any] = {
        "cadence": cadence, "start": start, "end": end, "timezone": name, "fmt": text,
        "end_offset": end_offset, "minute_offset": 0, "hour_offset": 0, "day_offset": 0,
        **offsets, "cron_schedule": cron_schedule, "exclusions": tuple(_excluded(exclusions, tz)),
    }  # fmt: skip
    for field, value in values.items():
        object.__setattr__(self, field, value)
    if text != self.default_fmt or cron_schedule is not None:
        _check_fmt(self)


def _excluded(exclusions: Sequence[str | datetime] | None, tz: Any) -> Iterator[str | datetime]:
    if isinstance(exclusions, str):
        raise DefinitionError(f"exclusions is a list; write exclusions=[{exclusions!r}]")
    for one in exclusions or ():
        if isinstance(one, str):
            parse(one)
            yield one
        elif isinstance(one, datetime):
            yield one.replace(tzinfo=tz)
        else:
            raise DefinitionError(f"an exclusion is a cron or a datetime, not {one!r}")


def _check_fmt(self: TimeWindowPartitionsDefinition) -> None:
    """Refuses a form of keys in which two windows look the same (P-10), or that cannot be read."""
    seen: dict[str, datetime] = {}
    tick = self.first
    for _ in range(50 if self.cadence == "cron" else 2):
        key = self.key_of(tick)
        read = self._parse(key)
        # In the hour that autumn repeats, times of two zones are never equal (PEP 495): compare instants.
        is_read = read is not None and self.ticks.at_or_after(read).timestamp() == tick.timestamp()
        if key in seen or not is_read:
            raise DefinitionError(
                f"keys in the form `{self.fmt}` do not tell {self.cadence} windows apart, as in "
                f"`{key}`; use `{self.default_fmt}` or a finer form"
            )
        seen[key] = tick
        tick = self.ticks.after(tick)
