"""A few partitions in process: what a reader would write for a pipeline of their own."""

from __future__ import annotations

import datetime as dt
import zipfile
from pathlib import Path

import polars as pl
import pytest
from pipeline import DAILY, RAW, Pipeline

from flights_pipeline import daily, source
from flights_pipeline.picture import calendar, colour


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("storage")
    Pipeline(folder).materialize(RAW)
    return folder


def test_a_day_holds_the_flights_of_that_day(folder: Path) -> None:
    Pipeline(folder).materialize(DAILY, "2013-07-04")
    flights = pl.read_parquet(folder / "flights" / "2013-07-04.parquet")
    assert flights["date"].unique().to_list() == [dt.date(2013, 7, 4)]
    enriched = pl.read_parquet(folder / "flights_enriched" / "2013-07-04.parquet")
    assert enriched.height == flights.height == 737


def test_a_day_without_weather_still_has_its_flights(folder: Path) -> None:
    """The weather of the data set ends a day before the flights do."""
    Pipeline(folder).materialize(DAILY, "2013-12-31")
    tally = pl.read_parquet(folder / "airport_weather_delays" / "2013-12-31.parquet")
    assert tally["conditions"].unique().to_list() == ["unknown"]
    assert tally["flights"].sum() == 776


def test_a_broken_source_fails_the_blocking_check(tmp_path: Path) -> None:
    broken = tmp_path / "csv"
    broken.mkdir()
    with zipfile.ZipFile(source.data_folder() / "flights.csv.zip") as archive:
        lines = archive.read("flights.csv").splitlines(keepends=True)[:1000]
    (broken / "flights.csv").write_bytes(b"".join(lines))
    pipeline = Pipeline(tmp_path / "storage", source=source.CsvSource(folder=str(broken)))
    result = pipeline.materialize(["raw_flights"], succeeds=False)
    [check] = result.get_asset_check_evaluations()
    assert (check.check_name, check.passed) == ("covers_the_year", False)


def test_an_unknown_carrier_is_found(folder: Path) -> None:
    """The function is called like any other: no server, no context, no storage."""
    Pipeline(folder).materialize(["flights", "weather"], "2013-01-01")
    read = {name: pl.read_parquet(folder / name / "value.parquet") for name in RAW[2:]}
    day = {name: pl.read_parquet(folder / name / "2013-01-01.parquet") for name in DAILY[:2]}
    read["airlines"] = read["airlines"].filter(pl.col("carrier") != "UA")
    result = daily.flights_enriched(**day, **read)
    [check] = result.check_results
    assert not check.passed
    assert check.metadata["unknown_carriers"].value == ["UA"]


def test_late_days_are_redder() -> None:
    reds = [colour(minutes)[1] for minutes in (-15.0, 0.0, 15.0, 60.0, 600.0)]
    assert reds == sorted(reds, reverse=True)
    assert colour(60.0) == colour(600.0)


def test_the_calendar_is_a_picture() -> None:
    days = {dt.date(2013, 1, 1): 5.0, dt.date(2013, 12, 31): None}
    assert calendar(days).startswith(b"\x89PNG\r\n\x1a\n")
