"""The reports: a month from its days, the year from its months."""

import arco_flow as dg
import polars as pl

from flights_pipeline.picture import calendar

MONTHS = dg.MonthlyPartitionsDefinition(start_date="2013-01-01", end_date="2014-01-01")

COUNTS = (
    "flights",
    "cancelled",
    "departed",
    "dep_delay_minutes",
    "arrived",
    "arr_delay_minutes",
    "late",
)


@dg.asset(partitions_def=MONTHS, group_name="reports", kinds={"polars", "parquet"})
def monthly_carrier_report(
    context: dg.AssetExecutionContext, carrier_delays: pl.DataFrame
) -> pl.DataFrame:
    """How the carriers did in one month: `carrier_delays` holds all days of it."""
    month = pl.lit(context.partition_time_window.start.date()).alias("month")
    return add_up(carrier_delays, "carrier", "carrier_name").select(month, pl.all())


@dg.asset(group_name="reports", kinds={"polars", "parquet", "png"})
def year_summary(
    monthly_carrier_report: pl.DataFrame, airport_weather_delays: pl.DataFrame
) -> dg.MaterializeResult:
    """The year in one table: by carrier and by weather, with a calendar of delays as a picture."""
    summary = pl.concat(
        [
            labelled(add_up(monthly_carrier_report, "carrier_name"), "carrier"),
            labelled(add_up(airport_weather_delays, "conditions"), "weather"),
        ]
    )
    year = add_up(airport_weather_delays).row(0, named=True)
    by_day = add_up(airport_weather_delays, "date")
    worst = by_day.sort("mean_arr_delay", descending=True, nulls_last=True).row(0, named=True)
    return dg.MaterializeResult(
        value=summary,
        metadata={
            "flights": year["flights"],
            "cancelled": year["cancelled"],
            "mean_arr_delay_minutes": round(year["mean_arr_delay"], 2),
            "worst_day": worst["date"].isoformat(),
            "calendar": dg.MetadataValue.png(
                calendar(dict(by_day.select("date", "mean_arr_delay").iter_rows()))
            ),
        },
    )


def add_up(tallies: pl.DataFrame, *by: str) -> pl.DataFrame:
    """Adds tallies up per group and derives the means from the sums."""
    sums = [pl.col(name).sum() for name in COUNTS]
    table = tallies.group_by(by).agg(sums).sort(by) if by else tallies.select(sums)
    return table.with_columns(
        mean_dep_delay=pl.col("dep_delay_minutes") / pl.col("departed"),
        mean_arr_delay=pl.col("arr_delay_minutes") / pl.col("arrived"),
        late_share=pl.col("late") / pl.col("arrived"),
    )


def labelled(table: pl.DataFrame, dimension: str) -> pl.DataFrame:
    """The same table with its first column called `name`, and what that is a name of before it."""
    return table.rename({table.columns[0]: "name"}).select(
        pl.lit(dimension).alias("dimension"), pl.all()
    )
