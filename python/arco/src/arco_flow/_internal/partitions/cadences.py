"""Hourly, daily, weekly and monthly partitions (P-1)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from arco_flow._internal.errors import DefinitionError
from arco_flow._internal.partitions.time_window import TimeWindowPartitionsDefinition, _set


class HourlyPartitionsDefinition(TimeWindowPartitionsDefinition):
    """One partition per hour; keys like `2024-01-31-13:00` (P-2).

    Args:
        start_date: Start of the first window: a datetime, or a text in the form of `fmt`.
        end_date: Exclusive end; open when absent.
        minute_offset: Minute at which windows begin.
        timezone: IANA name; UTC when absent.
        fmt: Form of the keys, as `strftime` has it.
        end_offset: Windows added beyond those that have ended; may be negative.
        exclusions: Crons, and starts of windows as datetimes: windows that are no partitions (P-9).
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
        exclusions: Sequence[str | datetime] | None = None,
    ) -> None:
        minute = _offset("minute_offset", minute_offset, 0, 59)
        _set(
            self,
            "hourly",
            start_date,
            end_date,
            timezone,
            fmt,
            end_offset,
            exclusions,
            None,
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
        exclusions: Crons, and starts of windows as datetimes: windows that are no partitions (P-9).
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
        exclusions: Sequence[str | datetime] | None = None,
    ) -> None:
        minute = _offset("minute_offset", minute_offset, 0, 59)
        hour = _offset("hour_offset", hour_offset, 0, 23)
        _set(
            self, "daily", start_date, end_date, timezone, fmt, end_offset, exclusions,
            None, minute_offset=minute, hour_offset=hour,
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
        exclusions: Crons, and starts of windows as datetimes: windows that are no partitions (P-9).
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
        exclusions: Sequence[str | datetime] | None = None,
    ) -> None:
        minute = _offset("minute_offset", minute_offset, 0, 59)
        hour = _offset("hour_offset", hour_offset, 0, 23)
        day = _offset("day_offset", day_offset, 0, 6)
        _set(
            self, "weekly", start_date, end_date, timezone, fmt, end_offset, exclusions,
            None, minute_offset=minute, hour_offset=hour, day_offset=day,
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
        exclusions: Crons, and starts of windows as datetimes: windows that are no partitions (P-9).
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
        exclusions: Sequence[str | datetime] | None = None,
    ) -> None:
        minute = _offset("minute_offset", minute_offset, 0, 59)
        hour = _offset("hour_offset", hour_offset, 0, 23)
        day = _offset("day_offset", day_offset, 1, 31)
        _set(
            self, "monthly", start_date, end_date, timezone, fmt, end_offset, exclusions,
            None, minute_offset=minute, hour_offset=hour, day_offset=day,
        )  # fmt: skip


def _offset(what: str, value: int, low: int, high: int) -> int:
    if not isinstance(value, int) or not low <= value <= high:
        raise DefinitionError(f"{what} must be between {low} and {high}, not {value!r}")
    return value
