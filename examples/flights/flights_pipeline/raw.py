"""The raw tables: each CSV file becomes one Parquet file, once.

Nothing is filtered here. Types are given, not guessed, `NA` becomes null, and the two big tables
get a `date` and are sorted by it, so that the daily assets read their day and skip the rest.
"""

import arco_flow as dg
import polars as pl

from flights_pipeline.source import CsvSource

FLIGHTS = {
    "year": pl.Int32,
    "month": pl.Int8,
    "day": pl.Int8,
    "dep_time": pl.Int32,
    "sched_dep_time": pl.Int32,
    "dep_delay": pl.Int32,
    "arr_time": pl.Int32,
    "sched_arr_time": pl.Int32,
    "arr_delay": pl.Int32,
    "carrier": pl.String,
    "flight": pl.Int32,
    "tailnum": pl.String,
    "origin": pl.String,
    "dest": pl.String,
    "air_time": pl.Int32,
    "distance": pl.Int32,
    "hour": pl.Int32,
    "minute": pl.Int32,
    "time_hour": pl.String,
}

WEATHER = {
    "origin": pl.String,
    "year": pl.Int32,
    "month": pl.Int8,
    "day": pl.Int8,
    "hour": pl.Int32,
    "temp": pl.Float64,
    "dewp": pl.Float64,
    "humid": pl.Float64,
    "wind_dir": pl.Int32,
    "wind_speed": pl.Float64,
    "wind_gust": pl.Float64,
    "precip": pl.Float64,
    "pressure": pl.Float64,
    "visib": pl.Float64,
    "time_hour": pl.String,
}


@dg.asset(group_name="raw", kinds={"csv", "parquet"})
def raw_flights(source: CsvSource) -> pl.DataFrame:
    """All 336,776 flights that left EWR, JFK or LGA in 2013."""
    return by_day(pl.read_csv(source.read("flights"), schema=FLIGHTS, null_values="NA"))


@dg.asset(group_name="raw", kinds={"csv", "parquet"})
def raw_weather(source: CsvSource) -> pl.DataFrame:
    """Hourly weather at the three airports."""
    return by_day(pl.read_csv(source.read("weather"), schema=WEATHER, null_values="NA"))


@dg.asset(group_name="raw", kinds={"csv", "parquet"})
def airlines(source: CsvSource) -> pl.DataFrame:
    """Carrier codes and the names behind them."""
    return pl.read_csv(source.read("airlines"))


@dg.asset(group_name="raw", kinds={"csv", "parquet"})
def airports(source: CsvSource) -> pl.DataFrame:
    """Airports of the United States: code, name, place."""
    return pl.read_csv(source.read("airports"), null_values="NA", infer_schema_length=None)


@dg.asset(group_name="raw", kinds={"csv", "parquet"})
def planes(source: CsvSource) -> pl.DataFrame:
    """Registered planes by tail number."""
    return pl.read_csv(source.read("planes"), null_values="NA", infer_schema_length=None)


def by_day(table: pl.DataFrame) -> pl.DataFrame:
    """Adds the local `date`, reads `time_hour` as UTC, and sorts by date and time."""
    return table.with_columns(
        pl.col("time_hour").str.to_datetime("%Y-%m-%dT%H:%M:%SZ", time_zone="UTC"),
        date=pl.date("year", "month", "day"),
    ).sort("date", "time_hour", maintain_order=True)
