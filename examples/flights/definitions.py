"""The definitions of the example: `arco dev examples/flights/definitions.py`."""

import os

# One thread per process: a day is a few hundred rows, and the tasks themselves run side by side.
# Polars reads this once, when it is imported.
os.environ.setdefault("POLARS_MAX_THREADS", "1")

import arco_flow as dg

from flights_pipeline import checks, daily, raw, reports
from flights_pipeline.source import CsvSource

defs = dg.Definitions(
    assets=[
        raw.raw_flights,
        raw.raw_weather,
        raw.airlines,
        raw.airports,
        raw.planes,
        daily.flights,
        daily.weather,
        daily.flights_enriched,
        daily.carrier_delays,
        daily.airport_weather_delays,
        reports.monthly_carrier_report,
        reports.year_summary,
    ],
    asset_checks=[checks.covers_the_year, checks.adds_up],
    resources={"io_manager": dg.ParquetIOManager(), "source": CsvSource()},
)
