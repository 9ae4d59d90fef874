"""Statements about the data, judged after it was made."""

import arco_flow as dg
import polars as pl

from flights_pipeline.raw import raw_flights
from flights_pipeline.reports import year_summary

NEVER_NULL = ("date", "time_hour", "carrier", "flight", "origin", "dest")


@dg.asset_check(asset=raw_flights, blocking=True)
def covers_the_year(raw_flights: pl.DataFrame) -> dg.AssetCheckResult:
    """Every day of 2013 has flights, and each says who flew whence, whither and when.

    It blocks: without it nothing downstream is worth computing.
    """
    days = raw_flights["date"].n_unique()
    nulls = sum(raw_flights[column].null_count() for column in NEVER_NULL)
    return dg.AssetCheckResult(
        passed=days == 365 and nulls == 0,
        metadata={"rows": raw_flights.height, "days": days, "nulls": nulls},
    )


@dg.asset_check(asset=year_summary, additional_ins={"raw_flights": dg.AssetIn("raw_flights")})
def adds_up(year_summary: pl.DataFrame, raw_flights: pl.LazyFrame) -> dg.AssetCheckResult:
    """No flight was lost or counted twice on the way from the raw table to the summary."""
    expected = raw_flights.select(pl.len()).collect().item()
    sums = dict(year_summary.group_by("dimension").agg(pl.col("flights").sum()).iter_rows())
    return dg.AssetCheckResult(
        passed=sums == {"carrier": expected, "weather": expected},
        metadata={"expected": expected, **sums},
    )
