"""Where the tests find the pipeline's output, and the CSV files to judge it by."""

from __future__ import annotations

import zipfile
from pathlib import Path

import duckdb
import pytest
from pipeline import DAILY, RAW, Pipeline

from flights_pipeline import daily, reports, source


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--storage",
        type=Path,
        help="folder a server wrote to; without it the year is materialized in process",
    )


@pytest.fixture(scope="session")
def csv(tmp_path_factory: pytest.TempPathFactory) -> duckdb.DuckDBPyConnection:
    """The CSV files as DuckDB tables: another engine, and none of the pipeline's code."""
    data = source.data_folder()
    unpacked = tmp_path_factory.mktemp("csv")
    with zipfile.ZipFile(data / "flights.csv.zip") as archive:
        archive.extract("flights.csv", unpacked)
    connection = duckdb.connect()
    for table, file in (
        ("flights", unpacked / "flights.csv"),
        ("weather", data / "weather.csv"),
        ("airlines", data / "airlines.csv"),
        ("airports", data / "airports.csv"),
        ("planes", data / "planes.csv"),
    ):
        connection.execute(
            f"create table {table} as "
            f"select * from read_csv('{file}', nullstr='NA', sample_size=-1)"
        )
    return connection


@pytest.fixture(scope="session")
def storage(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the pipeline's output for the whole year."""
    given: Path | None = request.config.getoption("--storage")
    if given is not None:
        assert given.is_dir(), f"there is no folder {given}"
        return given
    folder = tmp_path_factory.mktemp("storage")
    pipeline = Pipeline(folder)
    pipeline.materialize(RAW)
    for day in daily.DAYS.get_partition_keys():
        pipeline.materialize(DAILY, day)
    for month in reports.MONTHS.get_partition_keys():
        pipeline.materialize(["monthly_carrier_report"], month)
    pipeline.materialize(["year_summary"])
    return folder
