"""What the pipeline wrote, against the same figures computed by DuckDB straight from the CSV.

The SQL below shares nothing with the pipeline: other engine, other code, other input. Tables are
compared row by row in both directions, so a row too many is found as surely as one too few.
"""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import duckdb
import pytest

DAYS = [dt.date(2013, 1, 1) + dt.timedelta(days=n) for n in range(365)]
MONTHS = [dt.date(2013, month, 1) for month in range(1, 13)]
DAILY = ("flights", "weather", "flights_enriched", "carrier_delays", "airport_weather_delays")

CONDITIONS = """case when visib < 3 then 'low visibility' when precip > 0 then 'precipitation'
    when wind_speed >= 20 then 'wind' else 'fair' end"""

JOINED = f"""
    select make_date(f.year, f.month, f.day) as date, f.*, a.name as carrier_name,
           p.name as dest_name, t.manufacturer, t.seats,
           case when w.origin is null then 'unknown' else {CONDITIONS} end as conditions
    from flights f
    left join airlines a on a.carrier = f.carrier
    left join airports p on p.faa = f.dest
    left join planes t on t.tailnum = f.tailnum
    left join weather w on w.origin = f.origin and w.time_hour = f.time_hour
        and (w.year, w.month, w.day) = (f.year, f.month, f.day)"""

TALLY = """count(*) as flights, count(*) filter (dep_time is null) as cancelled,
    count(dep_delay) as departed, coalesce(sum(dep_delay), 0) as dep_delay_minutes,
    count(arr_delay) as arrived, coalesce(sum(arr_delay), 0) as arr_delay_minutes,
    count(*) filter (arr_delay > 15) as late"""

TALLIED = "flights, cancelled, departed, dep_delay_minutes, arrived, arr_delay_minutes, late"

MEANS = """round(sum(dep_delay) / count(dep_delay), 9) as mean_dep_delay,
    round(sum(arr_delay) / count(arr_delay), 9) as mean_arr_delay,
    round(count(*) filter (arr_delay > 15) / count(arr_delay), 9) as late_share"""

ROUNDED = """round(mean_dep_delay, 9) as mean_dep_delay, round(mean_arr_delay, 9) as mean_arr_delay,
    round(late_share, 9) as late_share"""


EXPECTED = {
    "raw_flights": (
        "date, carrier, flight, tailnum, origin, dest, dep_time, arr_time, air_time, distance",
        """select make_date(year, month, day), carrier, flight, tailnum, origin, dest, dep_time,
               arr_time, air_time, distance from flights""",
    ),
    "raw_weather": (
        "date, origin, hour, temp, dewp, humid, wind_dir, wind_speed, precip, pressure, visib",
        """select make_date(year, month, day), origin, hour, temp, dewp, humid, wind_dir,
               wind_speed, precip, pressure, visib from weather""",
    ),
    "airlines": ("carrier, name", "select carrier, name from airlines"),
    "airports": ("faa, name, lat, lon", "select faa, name, lat, lon from airports"),
    "planes": (
        "tailnum, year, manufacturer, seats",
        "select tailnum, year, manufacturer, seats from planes",
    ),
    "flights": (
        "date, carrier, flight, origin, dest, dep_delay, arr_delay, distance, cancelled",
        """select make_date(year, month, day), carrier, flight, origin, dest, dep_delay, arr_delay,
               distance, dep_time is null from flights""",
    ),
    "weather": (
        "date, origin, time_hour, temp, wind_speed, precip, visib, conditions",
        f"""select make_date(year, month, day), origin, time_hour, temp, wind_speed, precip, visib,
               {CONDITIONS} from weather""",
    ),
    "flights_enriched": (
        """date, carrier, flight, sched_dep_time, carrier_name, dest_name, manufacturer, seats,
           conditions""",
        f"""select date, carrier, flight, sched_dep_time, carrier_name, dest_name, manufacturer,
               seats, conditions from ({JOINED})""",
    ),
    "carrier_delays": (
        f"date, carrier, carrier_name, {TALLIED}",
        f"select date, carrier, carrier_name, {TALLY} from ({JOINED}) group by all",
    ),
    "airport_weather_delays": (
        f"date, origin, conditions, {TALLIED}",
        f"select date, origin, conditions, {TALLY} from ({JOINED}) group by all",
    ),
    "monthly_carrier_report": (
        f"month, carrier, carrier_name, {TALLIED}, {ROUNDED}",
        f"""select make_date(year, month, 1) as month, carrier, carrier_name, {TALLY}, {MEANS}
            from ({JOINED}) group by all""",
    ),
    "year_summary": (
        f"dimension, name, {TALLIED}, {ROUNDED}",
        f"""select 'carrier', carrier_name, {TALLY}, {MEANS} from ({JOINED}) group by all
            union all
            select 'weather', conditions, {TALLY}, {MEANS} from ({JOINED}) group by all""",
    ),
}
"""By asset: the columns that are compared, and the query that computes them from the CSV."""


@pytest.mark.parametrize("asset", EXPECTED)
def test_rows_are_those_of_the_csv(
    csv: duckdb.DuckDBPyConnection, storage: Path, asset: str
) -> None:
    columns, expected = EXPECTED[asset]
    written = f"select {columns} from read_parquet({files(storage, asset)})"
    [(count,)] = csv.execute(f"select count(*) from ({written})").fetchall()
    assert count > 0
    missing = csv.execute(f"({expected}) except all ({written}) limit 5").fetchall()
    surplus = csv.execute(f"({written}) except all ({expected}) limit 5").fetchall()
    assert (missing, surplus) == ([], [])


@pytest.mark.parametrize("asset", DAILY)
def test_each_day_has_a_file_and_each_row_is_in_the_file_of_its_day(
    csv: duckdb.DuckDBPyConnection, storage: Path, asset: str
) -> None:
    names = sorted(file.stem for file in (storage / asset).glob("*.parquet"))
    assert names == [day.isoformat() for day in DAYS]
    strays = csv.execute(
        f"select distinct date, filename from read_parquet({files(storage, asset)}, filename=true) "
        "where not ends_with(filename, strftime(date, '/%Y-%m-%d.parquet'))"
    ).fetchall()
    assert strays == []


def test_each_month_has_a_file(storage: Path) -> None:
    names = sorted(file.stem for file in (storage / "monthly_carrier_report").glob("*.parquet"))
    assert names == [month.isoformat() for month in MONTHS]


def test_figures_known_from_the_data_set_hold(
    csv: duckdb.DuckDBPyConnection, storage: Path
) -> None:
    """Published facts about the data, so that a wrong copy of the CSV is noticed as well."""
    [figures] = csv.execute(
        "select sum(flights), sum(cancelled), count(distinct carrier) "
        f"from read_parquet({files(storage, 'carrier_delays')})"
    ).fetchall()
    assert figures == (336_776, 8_255, 16)


def files(storage: Path, asset: str) -> str:
    """The files of an asset, one a partition, as a SQL literal."""
    return f"'{storage / asset}/*.parquet'"
