"""Tasks over one partition, over several, and what they load."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

import pytest

import arco_flow as dg

DAILY = dg.DailyPartitionsDefinition("2024-01-01")
UTC = timezone.utc
seen: dict[str, Any] = {}


@dg.asset(partitions_def=DAILY)
def day(context: dg.AssetExecutionContext):
    if len(context.partition_keys) > 1:
        return {key: key[-2:] for key in context.partition_keys}
    return context.partition_key[-2:]


@dg.asset(partitions_def=dg.MonthlyPartitionsDefinition("2024-01-01"))
def month(context: dg.AssetExecutionContext, day):
    seen.update(
        day=day,
        window=context.partition_time_window,
        range=context.asset_partition_key_range_for_input("day"),
        span=context.asset_partitions_time_window_for_input("day"),
        keys=context.asset_partition_keys_for_input("day"),
    )


defs = dg.Definitions([day, month])
MONTH = ["2024-01-01"]


def test_one_partition_is_told_and_stored(worker) -> None:
    made, _ = worker(defs, "day", partitions=["2024-01-05"])
    assert made["partition"] == "2024-01-05"
    assert (worker.storage / "day" / "2024-01-05.pickle").exists()


def test_several_upstream_partitions_are_a_dict(worker) -> None:
    keys = ["2024-01-01", "2024-01-02"]
    for key in keys:
        worker(defs, "day", partitions=[key])
    assert worker(defs, "month", partitions=MONTH, inputs={"day": ("day", keys)})[-1]["ok"]
    assert seen == {
        "day": {"2024-01-01": "01", "2024-01-02": "02"},
        "window": dg.TimeWindow(datetime(2024, 1, 1, tzinfo=UTC), datetime(2024, 2, 1, tzinfo=UTC)),
        "range": dg.PartitionKeyRange("2024-01-01", "2024-01-02"),
        "span": dg.TimeWindow(datetime(2024, 1, 1, tzinfo=UTC), datetime(2024, 1, 3, tzinfo=UTC)),
        "keys": keys,
    }


@pytest.mark.parametrize(("keys", "value"), [(["2024-01-01"], "01"), ([], {})])
def test_one_upstream_partition_is_its_value_and_none_an_empty_dict(worker, keys, value) -> None:
    worker(defs, "day", partitions=["2024-01-01"])

    @dg.asset
    def last(day):
        seen["day"] = day

    both = dg.Definitions([day, last])
    assert worker(both, "last", inputs={"day": ("day", keys)})[-1]["ok"]
    assert seen["day"] == value


def test_a_task_over_several_partitions_stores_each(worker) -> None:
    keys = ["2024-01-01", "2024-01-02", "2024-01-04"]
    *made, result = worker(defs, "day", partitions=keys)
    assert result["ok"]
    assert [one["partition"] for one in made] == keys
    assert sorted(p.name for p in (worker.storage / "day").iterdir()) == [
        f"{key}.pickle" for key in keys
    ]


def test_a_task_over_several_partitions_needs_a_value_for_each(worker) -> None:
    bad = dg.asset(name="bad", partitions_def=DAILY)(lambda: 5)
    result = worker(dg.Definitions([bad]), "bad", partitions=["2024-01-01", "2024-01-02"])[-1]
    assert result["class"] == "io"
    assert (
        "return a dict with a value for each key of context.partition_keys"
        in result["error"]["message"]
    )


def test_metadata_of_one_partition_of_several(worker) -> None:
    @dg.asset(partitions_def=DAILY)
    def a(context: dg.AssetExecutionContext):
        context.add_asset_metadata({"all": 1})
        context.add_asset_metadata({"rows": 2}, partition_key="2024-01-02")
        return dg.MaterializeResult()

    first, second, _ = worker(dg.Definitions([a]), "a", partitions=["2024-01-01", "2024-01-02"])
    assert set(first["metadata"]) == {"all"}
    assert set(second["metadata"]) == {"all", "rows"}


def test_a_custom_io_manager_is_called_once_for_several_partitions(worker) -> None:
    calls = []

    class Table(dg.IOManager):
        def handle_output(self, context, obj) -> None:
            calls.append(
                (obj, list(context.asset_partition_keys), context.asset_partitions_time_window)
            )

        def load_input(self, context): ...

    a = dg.asset(name="a", partitions_def=DAILY)(lambda: "rows")
    keys = ["2024-01-01", "2024-01-02"]
    worker(dg.Definitions([a], resources={"io_manager": Table()}), "a", partitions=keys)
    window = dg.TimeWindow(datetime(2024, 1, 1, tzinfo=UTC), datetime(2024, 1, 3, tzinfo=UTC))
    assert calls == [("rows", keys, window)]


@pytest.mark.parametrize("partitions", [None, ["2024-01-01", "2024-01-02"]])
def test_asking_for_the_one_partition_of_none_or_several_is_told(worker, partitions) -> None:
    @dg.asset(partitions_def=DAILY)
    def a(context: dg.AssetExecutionContext):
        return context.partition_key

    lease = {} if partitions is None else {"partitions": partitions}
    message = worker(dg.Definitions([a]), "a", **lease)[-1]["error"]["message"]
    assert (
        "is not partitioned" if partitions is None else "makes 2 partitions; use partition_keys"
    ) in message


def test_any_text_is_a_partition(worker) -> None:
    keys = ["a/b", "..", "", "x|y", "ü", "." * 300 + "z", "CON:1"]
    a = dg.asset(
        name="a", partitions_def=dg.StaticPartitionsDefinition([k for k in keys if "..." not in k])
    )(lambda context: context.partition_key)

    @dg.asset
    def back(a):
        seen["back"] = a

    both = dg.Definitions([a, back])
    for key in keys:
        assert worker(both, "a", partitions=[key])[-1]["ok"]
    assert worker(both, "back", inputs={"a": ("a", keys)})[-1]["ok"]
    assert seen["back"] == {key: key for key in keys}
    assert {p.parent for p in worker.storage.rglob("*.pickle")} == {
        worker.storage / "a",
        worker.storage / "back",
    }
