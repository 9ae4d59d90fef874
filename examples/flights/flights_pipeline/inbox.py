"""What is made when a file arrives: the report of its month."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import arco_flow as dg

from flights_pipeline.reports import MONTHS


class Inbox(dg.ConfigurableResource):
    """A folder into which others drop files named after a month, such as `2013-03.csv`.

    The name alone counts: the file says that the figures of its month are complete.
    """

    folder: str

    def arrivals(self) -> list[tuple[str, str]]:
        """A stamp that grows with time, and the name, of each file, oldest first."""
        folder = Path(self.folder)
        files = folder.glob("*.csv") if folder.is_dir() else ()
        return sorted((f"{file.stat().st_mtime_ns:020d} {file.name}", file.name) for file in files)


@dg.sensor(target="monthly_carrier_report", minimum_interval_seconds=5)
def month_files(context: dg.SensorEvaluationContext, inbox: Inbox) -> Iterator[dg.RunRequest]:
    """Makes the report of each month whose file was dropped, and again when it has changed."""
    seen = context.cursor or ""
    for stamp, name in inbox.arrivals():
        if stamp <= seen:
            continue
        context.update_cursor(stamp)
        month = month_of(name)
        if month is None:
            context.log.warning("%s is not named after a month of 2013, like 2013-03.csv", name)
        else:
            yield dg.RunRequest(run_key=stamp, partition_key=month, tags={"file": name})


def month_of(name: str) -> str | None:
    """The partition of a file's month; None when there is none."""
    try:
        month = dt.datetime.strptime(name, "%Y-%m.csv").strftime("%Y-%m-%d")
    except ValueError:
        return None
    return month if MONTHS.has_partition_key(month) else None
