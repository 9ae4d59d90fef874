"""Hourly, daily, weekly and monthly partitions (P-1)."""

from __future__ import annotations

from datetime import datetime

from arco_flow._internal.errors import DefinitionError, UnknownPartitionError
from arco_flow._internal.partitions.time_window import TimeWindowPartitionsDefinition
from arco_flow._internal.partitions.windows import zone


class HourlyPartitionsDefinition(TimeWindowPartitionsDefinition):
    """One partition per hour; keys like `2024-01-31-13:00` (P-2).

    Args:
        start_date: Start of the first window: a datetime, or a text in the form of `fmt`.
        end_date: Exclusive end; open when absent.
        minute_offset: Minute at which windows begin.
        timezone: IANA name; UTC when absent.
        fmt: Form of the keys, as `strftime` has it.
        end_offset: Windows added beyond those that have ended; may be negative.
    """

    default_fmt = "%Y-%m-%d-%H:%M"

    def __init__(
        self,
        start_date: datetime | str,
        end_date: datetime | str | None = None,
        minute_offset: int = 0,
        timezone: str | None = None,
        fmt: str | None = None,
        end_offset: int = 0,
        exclusions: None = None,
    ) -> None:
        minute = _offset("minute_offset", minute_offset, 0, 59)
        _build(
            self,
            "hourly",
            start_date,
            end_date,
            timezone,
            fmt,
            end_offset,
            exclusions,
            minute_offset=minute,
        )


class DailyPartitionsDefinition(TimeWindowPartitionsDefinition):
    """One partition per day; keys like `2024-01-31` (P-2).

    Args:
        start_date: Start of the first window: a datetime, or a text in the form of `fmt`.
        end_date: Exclusive end; open when absent.
        minute_offset: Minute at which windows begin.
        hour_offset: Hour at which windows begin.
        timezone: IANA name; UTC when absent.
        fmt: Form of the keys, as `strftime` has it.
        end_offset: Windows added beyond those that have ended; may be negative.
    """

    def __init__(
        self,
        start_date: datetime | str,
        end_date: datetime | str | None = None,
        minute_offset: int = 0,
        hour_offset: int = 0,
        timezone: str | None = None,
        fmt: str | None = None,
        end_offset: int = 0,
        exclusions: None = None,
    ) -> None:
        minute = _offset("minute_offset", minute_offset, 0, 59)
        hour = _offset("hour_offset", hour_offset, 0, 23)
        _build(
            self, "daily", start_date, end_date, timezone, fmt, end_offset, exclusions,
            minute_offset=minute, hour_offset=hour,
        )  # fmt: skip


class WeeklyPartitionsDefinition(TimeWindowPartitionsDefinition):
    """One partition per week; keys like `2024-01-28`, the day the week begins (P-2).

    Args:
        start_date: Start of the first window: a datetime, or a text in the form of `fmt`.
        end_date: Exclusive end; open when absent.
        minute_offset: Minute at which windows begin.
        hour_offset: Hour at which windows begin.
        day_offset: Day on which weeks begin: 0 is Sunday, 6 Saturday.
        timezone: IANA name; UTC when absent.
        fmt: Form of the keys, as `strftime` has it.
        end_offset: Windows added beyond those that have ended; may be negative.
    """

    def __init__(
        self,
        start_date: datetime | str,
        end_date: datetime | str | None = None,
        minute_offset: int = 0,
        hour_offset: int = 0,
        day_offset: int = 0,
        timezone: str | None = None,
        fmt: str | None = None,
        end_offset: int = 0,
        exclusions: None = None,
    ) -> None:
        minute = _offset("minute_offset", minute_offset, 0, 59)
        hour = _offset("hour_offset", hour_offset, 0, 23)
        day = _offset("day_offset", day_offset, 0, 6)
        _build(
            self, "weekly", start_date, end_date, timezone, fmt, end_offset, exclusions,
            minute_offset=minute, hour_offset=hour, day_offset=day,
        )  # fmt: skip


class MonthlyPartitionsDefinition(TimeWindowPartitionsDefinition):
    """One partition per month; keys like `2024-01-01`, the day the month begins (P-2).

    Args:
        start_date: Start of the first window: a datetime, or a text in the form of `fmt`.
        end_date: Exclusive end; open when absent.
        minute_offset: Minute at which windows begin.
        hour_offset: Hour at which windows begin.
        day_offset: Day on which months begin, from 1; months without that day are skipped (P-8).
        timezone: IANA name; UTC when absent.
        fmt: Form of the keys, as `strftime` has it.
        end_offset: Windows added beyond those that have ended; may be negative.
    """

    def __init__(
        self,
        start_date: datetime | str,
        end_date: datetime | str | None = None,
        minute_offset: int = 0,
        hour_offset: int = 0,
        day_offset: int = 1,
        timezone: str | None = None,
        fmt: str | None = None,
        end_offset: int = 0,
        exclusions: None = None,
    ) -> None:
        minute = _offset("minute_offset", minute_offset, 0, 59)
        hour = _offset("hour_offset", hour_offset, 0, 23)
        day = _offset("day_offset", day_offset, 1, 31)
        _build(
            self, "monthly", start_date, end_date, timezone, fmt, end_offset, exclusions,
            minute_offset=minute, hour_offset=hour, day_offset=day,
        )  # fmt: skip


def _offset(what: str, value: int, low: int, high: int) -> int:
    if not isinstance(value, int) or not low <= value <= high:
        raise DefinitionError(f"{what} must be between {low} and {high}, not {value!r}")
    return value


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


def _build(
    self: TimeWindowPartitionsDefinition,
    cadence: str,
    start_date: datetime | str,
    end_date: datetime | str | None,
    timezone_name: str | None,
    fmt: str | None,
    end_offset: int,
    exclusions: object,
    **offsets: int,
) -> None:
    if exclusions is not None:
        raise DefinitionError(
            "exclusions are not supported yet; filter within the asset, or leave those partitions unmade"
        )
    name = timezone_name or "UTC"
    zone(name)
    text = fmt or self.default_fmt
    start = _bound("start_date", start_date, text, name)
    end = None if end_date is None else _bound("end_date", end_date, text, name)
    if end is not None and end < start:
        raise DefinitionError(
            f"end_date {end.isoformat()} is before start_date {start.isoformat()}"
        )
    TimeWindowPartitionsDefinition.__init__(
        self, cadence, start, end, name, text, end_offset=end_offset, **offsets
    )
    if text != self.default_fmt:
        _check_fmt(self)


def _check_fmt(self: TimeWindowPartitionsDefinition) -> None:
    """Refuses a form of keys in which two windows look the same (P-10), or that cannot be read."""
    first = self.first
    following = self.ticks.after(first)
    try:
        start = self.time_window_for_partition_key(self.key_of(following)).start
        # In the hour that autumn repeats, times of two zones are never equal (PEP 495): compare instants.
        distinct = start.timestamp() == following.timestamp()
    except UnknownPartitionError:
        distinct = False
    if not distinct or self.key_of(first) == self.key_of(following):
        raise DefinitionError(
            f"keys in the form `{self.fmt}` do not tell {self.cadence} windows apart, as in "
            f"`{self.key_of(first)}` and `{self.key_of(following)}`; use `{self.default_fmt}` or a finer form"
        )
