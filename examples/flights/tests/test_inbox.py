"""The sensor of the inbox, called as a function: no server, no worker."""

from __future__ import annotations

import os
from pathlib import Path

import arco_flow as dg
import pytest

from definitions import defs
from flights_pipeline.inbox import Inbox, month_files, month_of


def drop(folder: Path, name: str, at: int) -> None:
    (folder / name).write_text("")
    os.utime(folder / name, ns=(at, at))


def look(folder: Path, cursor: str | None = None) -> dg.SensorExecutionData:
    context = dg.build_sensor_context(
        cursor=cursor, resources={"inbox": Inbox(folder=str(folder))}, sensor_name="month_files"
    )
    return month_files.evaluate_tick(context)


def partitions(data: dg.SensorExecutionData) -> list[str | None]:
    return [request.partition_key for request in data.run_requests]


def test_each_file_is_one_run_and_is_seen_once(tmp_path: Path) -> None:
    assert partitions(look(tmp_path / "not there yet")) == []
    drop(tmp_path, "2013-03.csv", at=2)
    drop(tmp_path, "2013-01.csv", at=1)
    first = look(tmp_path)
    assert partitions(first) == ["2013-01-01", "2013-03-01"]
    second = look(tmp_path, first.cursor)
    assert (partitions(second), second.cursor) == ([], first.cursor)
    drop(tmp_path, "2013-02.csv", at=3)
    drop(tmp_path, "2013-01.csv", at=4)
    third = look(tmp_path, first.cursor)
    assert partitions(third) == ["2013-02-01", "2013-01-01"]
    keys = {request.run_key for data in (first, third) for request in data.run_requests}
    assert len(keys) == 4


def test_another_file_is_told_and_stops_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    drop(tmp_path, "notes.csv", at=1)
    drop(tmp_path, "2014-01.csv", at=2)
    drop(tmp_path, "2013-12.csv", at=3)
    assert partitions(look(tmp_path)) == ["2013-12-01"]
    assert "notes.csv is not named after a month of 2013" in caplog.text


@pytest.mark.parametrize(
    ("name", "month"),
    [("2013-07.csv", "2013-07-01"), ("2013-13.csv", None), ("2013-07-04.csv", None)],
)
def test_a_file_is_named_after_its_month(name: str, month: str | None) -> None:
    assert month_of(name) == month


def test_what_it_runs_is_one_report() -> None:
    [sensor] = defs.to_manifest("flights")["sensors"]
    assert sensor["selection"] == ['key:"monthly_carrier_report"']
    assert (sensor["kind"], sensor["minimum_interval_seconds"]) == ("poll", 5)
