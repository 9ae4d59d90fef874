"""The definitions of the example: `arco dev examples/flights/definitions.py`."""

import os
from pathlib import Path

# One thread per process: a day is a few hundred rows, and the tasks themselves run side by side.
# Polars reads this once, when it is imported.
os.environ.setdefault("POLARS_MAX_THREADS", "1")

import arco_flow as dg

from flights_pipeline import checks, daily, inbox, raw, reports, schedules
from flights_pipeline.source import CsvSource

defs = dg.Definitions(
    assets=dg.load_assets_from_modules([raw, daily, reports]),
    asset_checks=dg.load_asset_checks_from_modules([checks]),
    schedules=[schedules.daily_flights],
    sensors=[inbox.month_files],
    resources={
        "io_manager": dg.ParquetIOManager(),
        "source": CsvSource(),
        "inbox": inbox.Inbox(folder=str(Path(__file__).parent / "inbox")),
    },
)
