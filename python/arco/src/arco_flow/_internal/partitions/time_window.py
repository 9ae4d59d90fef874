"""Partitions that are windows of time: hourly, daily, weekly, monthly (P-1 to P-15)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import KW_ONLY, dataclass
from datetime import datetime, timezone
from typing import Any, ClassVar

from arco_flow._internal.errors import UnknownPartitionError
from arco_flow._internal.partitions.base import PartitionKeyRange, PartitionsDefinition, TimeWindow
from arco_flow._internal.partitions.windows import Ticks, zone


@dataclass(frozen=True)
class TimeWindowPartitionsDefinition(PartitionsDefinition):
    """What the four cadences share. Use `DailyPartitionsDefinition` and its siblings.

    A partition is a half-open window; its key is the start printed with `fmt`, in the time zone
    (P-3). It exists when its window has ended; `end_offset=n` adds n windows (P-4). `end` is
    exclusive (P-6). A start off the cadence begins with the next window (P-7).

    Differs from Dagster: cron strings and `exclusions` are not there yet.
    """

    cadence: str
    start: datetime
    end: datetime | None
    timezone: str
    fmt: str
    _: KW_ONLY
    end_offset: int = 0
    minute_offset: int = 0
    hour_offset: int = 0
    day_offset: int = 0

    default_fmt: ClassVar[str] = "%Y-%m-%d"

    @property
    def ticks(self) -> Ticks:
        """The instants at which windows begin."""
        return Ticks(
            self.cadence, self.timezone, self.minute_offset, self.hour_offset, self.day_offset
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
            if self.key_of(start) == partition_key:
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
        bound = ticks.step(bound, self.end_offset)
        if self.end is not None and bound > self.end:
            bound = ticks.at_or_before(self.end)
        return bound

    def windows(self, current_time: datetime | None = None) -> Iterator[TimeWindow]:
        """The windows that exist, in order."""
        bound, ticks, start = self.bound(current_time), self.ticks, self.first
        while (end := ticks.after(start)) <= bound:
            yield TimeWindow(start, end)
            start = end

    def key_of(self, start: datetime) -> str:
        """The key of the window that begins at `start`; a repeated hour gets its offset (P-13)."""
        local = start.astimezone(zone(self.timezone))
        key = local.strftime(self.fmt)
        if self.cadence == "hourly" and local.fold and "%z" not in self.fmt:
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
        if "%z" in self.fmt or self.cadence != "hourly":
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
        return data
