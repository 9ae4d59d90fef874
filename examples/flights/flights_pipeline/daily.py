"""The daily assets: 365 partitions each.

Every body works on one day, a few hundred rows, and takes a few milliseconds. The raw tables arrive
as lazy frames: only the row groups that can hold the day are read.
"""

import datetime as dt

import arco_flow as dg
import polars as pl

DAYS = dg.DailyPartitionsDefinition(start_date="2013-01-01", end_date="2014-01-01")

LATE_MINUTES = 15
"""A flight that arrives more than this after schedule is late, as the regulator counts."""


@dg.asset(partitions_def=DAYS, group_name="daily", kinds={"polars", "parquet"})
def flights(context: dg.AssetExecutionContext, raw_flights: pl.LazyFrame) -> pl.DataFrame:
    """The flights of one day. A flight without a departure time was cancelled."""
    return (
        raw_flights.filter(pl.col("date") == day_of(context))
        .select(
            "date",
            "time_hour",
            "carrier",
            "flight",
            "tailnum",
            "origin",
            "dest",
            "sched_dep_time",
            "dep_delay",
            "arr_delay",
            "air_time",
            "distance",
            cancelled=pl.col("dep_time").is_null(),
        )
        .collect()
    )


@dg.asset(partitions_def=DAYS, group_name="daily", kinds={"polars", "parquet"})
def weather(context: dg.AssetExecutionContext, raw_weather: pl.LazyFrame) -> pl.DataFrame:
    """The hourly weather of one day, and one word for it."""
    return (
        raw_weather.filter(pl.col("date") == day_of(context))
        .select(
            "date",
            "time_hour",
            "origin",
            "temp",
            "wind_speed",
            "precip",
            "visib",
            conditions=pl.when(pl.col("visib") < 3)
            .then(pl.lit("low visibility"))
            .when(pl.col("precip") > 0)
            .then(pl.lit("precipitation"))
            .when(pl.col("wind_speed") >= 20)
            .then(pl.lit("wind"))
            .otherwise(pl.lit("fair")),
        )
        .collect()
    )


@dg.asset(
    partitions_def=DAYS,
    group_name="daily",
    kinds={"polars", "parquet"},
    check_specs=[
        dg.AssetCheckSpec(
            name="carriers_are_known",
            asset="flights_enriched",
            description="Every flight's carrier is in `airlines`.",
        )
    ],
)
def flights_enriched(
    flights: pl.DataFrame,
    weather: pl.DataFrame,
    airlines: pl.DataFrame,
    airports: pl.DataFrame,
    planes: pl.DataFrame,
) -> dg.MaterializeResult:
    """Each flight with its carrier's name, destination, plane and the weather it left in."""
    enriched = (
        flights.join(airlines.rename({"name": "carrier_name"}), on="carrier", how="left")
        .join(
            airports.select(dest="faa", dest_name="name", dest_lat="lat", dest_lon="lon"),
            on="dest",
            how="left",
        )
        .join(
            planes.select("tailnum", "manufacturer", "model", "seats", built="year"),
            on="tailnum",
            how="left",
        )
        .join(weather.drop("date"), on=["origin", "time_hour"], how="left")
        .with_columns(pl.col("conditions").fill_null("unknown"))
    )
    nameless = enriched.filter(pl.col("carrier_name").is_null())["carrier"].unique().sort()
    return dg.MaterializeResult(
        value=enriched,
        metadata={
            "without_weather": int((enriched["conditions"] == "unknown").sum()),
        },
        check_results=[
            dg.AssetCheckResult(
                check_name="carriers_are_known",
                passed=nameless.is_empty(),
                metadata={"unknown_carriers": nameless.to_list()},
            )
        ],
    )


@dg.asset(partitions_def=DAYS, group_name="daily", kinds={"polars", "parquet"})
def carrier_delays(flights_enriched: pl.DataFrame) -> pl.DataFrame:
    """Counts and sums of delay by carrier: what a month can be added up from."""
    return tally(flights_enriched, "date", "carrier", "carrier_name")


@dg.asset(partitions_def=DAYS, group_name="daily", kinds={"polars", "parquet"})
def airport_weather_delays(flights_enriched: pl.DataFrame) -> pl.DataFrame:
    """Counts and sums of delay by airport and weather."""
    return tally(flights_enriched, "date", "origin", "conditions")


def tally(table: pl.DataFrame, *by: str) -> pl.DataFrame:
    """Counts and sums per group. Means are left to the reports: sums can be added, means cannot."""
    return (
        table.group_by(by)
        .agg(
            flights=pl.len().cast(pl.Int64),
            cancelled=pl.col("cancelled").sum().cast(pl.Int64),
            departed=pl.col("dep_delay").count().cast(pl.Int64),
            dep_delay_minutes=pl.col("dep_delay").sum().cast(pl.Int64),
            arrived=pl.col("arr_delay").count().cast(pl.Int64),
            arr_delay_minutes=pl.col("arr_delay").sum().cast(pl.Int64),
            late=(pl.col("arr_delay") > LATE_MINUTES).sum().cast(pl.Int64),
        )
        .sort(by)
    )


def day_of(context: dg.AssetExecutionContext) -> dt.date:
    """The day of the partition at hand."""
    return context.partition_time_window.start.date()
