"""Windows by cron, windows left out, several dimensions, and their mappings."""

from __future__ import annotations

import pickle
from datetime import datetime, timezone
from typing import Any

import pytest

import arco_flow as dg
from arco_flow._internal.partitions import infer_mapping

NOW = datetime(2024, 1, 10, tzinfo=timezone.utc)
QUARTERS = dg.TimeWindowPartitionsDefinition(
    "2024-01-01-00:00", "%Y-%m-%d-%H:%M", cron_schedule="*/15 * * * *"
)
WORKDAYS = dg.DailyPartitionsDefinition(
    "2024-01-01", exclusions=["0 0 * * 6,0", datetime(2024, 1, 2)]
)
REGIONS = dg.StaticPartitionsDefinition(["eu", "us"])
PEOPLE = dg.DynamicPartitionsDefinition(name="people")
SALES = dg.MultiPartitionsDefinition({"region": REGIONS, "date": WORKDAYS})
MAPPINGS = [
    dg.SpecificPartitionsPartitionMapping(["eu"]),
    dg.StaticPartitionMapping({"eu": ["x", "y"], "us": "x"}),
    dg.MultiToSingleDimensionPartitionMapping(),
    dg.MultiToSingleDimensionPartitionMapping("region"),
    dg.MultiPartitionMapping(
        {"date": dg.DimensionPartitionMapping("day", dg.TimeWindowPartitionMapping(-1, -1))}
    ),
]


def test_manifests_have_what_the_control_plane_reads(golden) -> None:
    assert golden("partition_definitions.json") == {
        "definitions": [one.to_json() for one in (QUARTERS, WORKDAYS, REGIONS, PEOPLE, SALES)],
        "mappings": [one.to_json() for one in MAPPINGS],
    }


def test_a_schedule_type_is_a_cadence() -> None:
    weekly = dg.TimeWindowPartitionsDefinition(
        datetime(2024, 1, 1), "%Y-%m-%d", schedule_type="WEEKLY", day_offset=1
    )
    assert list(weekly.get_partition_keys(NOW)) == ["2024-01-01"]
    assert weekly.to_json()["cadence"] == "weekly"


def test_windows_that_are_left_out_are_no_keys() -> None:
    days = ["2024-01-01", "2024-01-03", "2024-01-04", "2024-01-05", "2024-01-08", "2024-01-09"]
    assert list(WORKDAYS.get_partition_keys(NOW)) == days
    assert (
        WORKDAYS.get_last_partition_key(datetime(2024, 1, 8, tzinfo=timezone.utc)) == "2024-01-05"
    )
    assert not WORKDAYS.has_partition_key("2024-01-06", NOW)


def test_keys_of_several_dimensions_are_texts_that_know_their_dimensions() -> None:
    key = dg.MultiPartitionKey({"region": "eu", "date": "2024-01-03"})
    assert key == "2024-01-03|eu"
    assert pickle.loads(pickle.dumps(key)).keys_by_dimension == key.keys_by_dimension
    assert SALES.partition_dimension_names == ["date", "region"]
    assert SALES.has_partition_key(key, NOW)
    assert SALES.get_num_partitions(NOW) == 12
    found = SALES.get_partition_keys_in_range(
        dg.PartitionKeyRange("2024-01-05|eu", "2024-01-08|us")
    )
    assert list(found) == ["2024-01-05|eu", "2024-01-05|us", "2024-01-08|eu", "2024-01-08|us"]


def test_keys_of_a_set_are_the_workspace_s() -> None:
    assert dg.DynamicPartitionsDefinition(name="people") == PEOPLE
    assert PEOPLE.has_partition_key("ann")
    assert not PEOPLE.has_partition_key("a...b")
    with pytest.raises(dg.UsageError, match="`arco partitions show people` lists them"):
        PEOPLE.get_partition_keys()

    @dg.asset(partitions_def=PEOPLE)
    def letter(context: dg.AssetExecutionContext):
        return context.partition_key.title()

    assert dg.materialize([letter], partition_key="ann").output_for_node("letter") == "Ann"


def test_more_than_two_dimensions() -> None:
    two = dg.StaticPartitionsDefinition(["0", "1"])
    cube = dg.MultiPartitionsDefinition({"a": two, "b": two, "c": two})
    assert len(cube.get_partition_keys()) == 8
    assert type(infer_mapping(cube, REGIONS)).__name__ == "IdentityPartitionMapping"
    assert infer_mapping(REGIONS, SALES) == dg.MultiToSingleDimensionPartitionMapping()


def test_a_task_knows_the_dimensions_of_its_partition(worker) -> None:
    seen: dict[str, Any] = {}

    @dg.asset(partitions_def=SALES)
    def sales(context: dg.AssetExecutionContext):
        assert isinstance(context.partition_key, dg.MultiPartitionKey)
        seen.update(context.partition_key.keys_by_dimension, window=context.partition_time_window)
        return 1

    made, _ = worker(dg.Definitions([sales]), "sales", partitions=["2024-01-03|eu"])
    assert made["partition"] == "2024-01-03|eu"
    window = dg.TimeWindow(
        datetime(2024, 1, 3, tzinfo=timezone.utc), datetime(2024, 1, 4, tzinfo=timezone.utc)
    )
    assert seen == {"date": "2024-01-03", "region": "eu", "window": window}


def test_an_asset_may_read_its_own_past_in_one_dimension() -> None:
    past = dg.MultiPartitionMapping(
        {
            "date": dg.DimensionPartitionMapping("date", dg.TimeWindowPartitionMapping(-1, -1)),
            "region": dg.DimensionPartitionMapping("region", dg.IdentityPartitionMapping()),
        }
    )

    @dg.asset(partitions_def=SALES, deps=[dg.AssetDep("balance", partition_mapping=past)])
    def balance(): ...

    assert dg.Definitions([balance])


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (lambda: dg.DynamicPartitionsDefinition(), "dynamic partitions have a name"),
        (lambda: dg.DynamicPartitionsDefinition(lambda _: ["a"]), "partition_fn is not supported"),
        (lambda: dg.MultiPartitionsDefinition({"a b": REGIONS}), "letters, digits and underscores"),
        (
            lambda: dg.MultiPartitionsDefinition({"a": SALES}),
            "a partitions definition of one dimension",
        ),
        (
            lambda: dg.MultiPartitionsDefinition({"a": dg.StaticPartitionsDefinition(["x|y"])}),
            "has the key `x|y`",
        ),
        (
            lambda: dg.TimeWindowPartitionsDefinition("2024-01-01", "%Y-%m-%d"),
            "windows need a cron",
        ),
        (
            lambda: dg.TimeWindowPartitionsDefinition(
                "2024-01-01", "%Y-%m-%d", cron_schedule="0 */6 * * *"
            ),
            "do not tell cron windows apart",
        ),
        (
            lambda: dg.TimeWindowPartitionsDefinition(
                "2024-01-01", "%Y-%m-%d", cron_schedule="0 0 * * *", hour_offset=1
            ),
            "leave out schedule_type and the offsets",
        ),
        (lambda: dg.DailyPartitionsDefinition("2024-01-01", exclusions="0 0 * * 0"), "is a list"),
        (lambda: dg.DailyPartitionsDefinition("2024-01-01", exclusions=["Sunday"]), "five fields"),
    ],
)
def test_what_cannot_stand_is_told(bad, message) -> None:
    with pytest.raises(dg.DefinitionError, match=message.replace("|", r"\|")):
        bad()
