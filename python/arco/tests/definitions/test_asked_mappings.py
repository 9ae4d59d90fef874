"""Mappings that user code says between partitions that come while Arco runs: asked in a worker."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Collection
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

import arco_flow as dg
from arco_flow._internal.execution.evaluate import execute_evaluation
from arco_flow._internal.manifest import manifest
from arco_flow._internal.partitions.asked import AskedPartitionMapping

DAYS = dg.DailyPartitionsDefinition("2024-01-01")
PEOPLE = dg.DynamicPartitionsDefinition(name="people")
BOTH = dg.MultiPartitionsDefinition({"day": DAYS, "person": PEOPLE})


class BusinessDayBefore(dg.PartitionMapping):
    def __init__(self, days: int = 1) -> None:
        self.days = days

    def get_upstream_partition_keys(
        self, downstream_partition_key: str, downstream: Any, upstream: Any
    ) -> Collection[str]:
        assert downstream.to_json()
        assert upstream.to_json()
        day = date.fromisoformat(downstream_partition_key.split("|")[0]) - timedelta(self.days)
        while day.weekday() >= 5:
            day -= timedelta(1)
        return [day.isoformat()]


class Says(dg.PartitionMapping):
    def __init__(self, by_key: dict[str, Any]) -> None:
        self.by_key = by_key

    def get_upstream_partition_keys(self, key: str, *_: Any) -> Any:
        answer = self.by_key[key]
        if isinstance(answer, Exception):
            raise answer
        return answer


def definitions(mapping: dg.PartitionMapping, up: Any = DAYS, down: Any = PEOPLE) -> dg.Definitions:
    @dg.asset(partitions_def=up)
    def upper() -> None: ...

    @dg.asset(partitions_def=down, deps=[dg.AssetDep("upper", partition_mapping=mapping)])
    def lower() -> None: ...

    return dg.Definitions(assets=[upper, lower])


def edge(mapping: dg.PartitionMapping, up: Any = DAYS, down: Any = PEOPLE) -> dict[str, Any]:
    assets = manifest(definitions(mapping, up, down), "here")["assets"]
    found = next(one for one in assets if one["key"] == "lower")["deps"][0]["mapping"]
    assert isinstance(found, dict)
    return found


def ask(mapping: dg.PartitionMapping, keys: list[str], **question: Any) -> dict[str, Any]:
    asked = {
        "id": "q",
        "kind": "mapping",
        "downstream": "lower",
        "upstream": "upper",
        "keys": keys,
        "timeout_ms": 60_000,
        "upstream_keys_max": 100_000,
    }
    return execute_evaluation(definitions(mapping), asked | question)


@pytest.mark.parametrize(
    ("up", "down"), [(DAYS, PEOPLE), (PEOPLE, DAYS), (DAYS, BOTH), (BOTH, PEOPLE)]
)
def test_between_others_than_static_partitions_the_manifest_names_the_code(
    up: Any, down: Any
) -> None:
    found = edge(BusinessDayBefore(), up, down)
    assert found["kind"] == "custom"
    assert found["name"] == "BusinessDayBefore"
    assert len(found["code"]) == 64


def test_other_code_and_other_fields_are_another_digest_and_other_processes_are_not(
    tmp_path: Path,
) -> None:
    assert edge(BusinessDayBefore())["code"] == edge(BusinessDayBefore())["code"]
    assert edge(BusinessDayBefore())["code"] != edge(BusinessDayBefore(2))["code"]
    assert edge(Says({}))["code"] != edge(BusinessDayBefore())["code"]
    code = """
import arco_flow as dg
from arco_flow._internal.partitions.asked import AskedPartitionMapping

class Of(dg.PartitionMapping):
    def __init__(self):
        self.kept = {"b", "a", "c"}
        self.other = object()
    def get_upstream_partition_keys(self, *_):
        return ["x"]

days = dg.DailyPartitionsDefinition("2024-01-01")
"""
    module = tmp_path / "mapped.py"

    def digest(text: str) -> str:
        module.write_text(text)
        print_it = (
            "import mapped as m; print(m.AskedPartitionMapping(m.Of(), m.days, m.days, '').code)"
        )
        return subprocess.run(
            [
                sys.executable,
                "-B",
                "-c",
                f"import sys; sys.path.insert(0, {str(tmp_path)!r}); {print_it}",
            ],
            check=True,
            capture_output=True,
            text=True,
        ).stdout

    first = digest(code)
    assert first == digest(code)
    assert first != digest(code.replace('"x"', '"y"'))


def test_a_question_is_answered_key_by_key() -> None:
    said = ask(BusinessDayBefore(), ["2024-01-09", "2024-01-08"])
    assert said["said"] == "mapped"
    assert said["id"] == "q"
    assert said["answers"] == {"2024-01-09": ["2024-01-08"], "2024-01-08": ["2024-01-05"]}
    assert "failed" not in said
    mapping = Says(
        {"a": ["x", "x", "y"], "b": ValueError("no such day"), "c": "z", "d": 3, "e": (), "f": [1]}
    )
    said = ask(mapping, ["a", "b", "c", "d", "e", "f"])
    assert said["answers"] == {"a": ["x", "y"], "c": ["z"], "e": []}
    assert said["failed"] == ["b", "d", "f"]
    assert "no such day" in said["error"]["message"]


def test_keys_for_which_there_is_no_time_or_room_are_left_out() -> None:
    mapping = Says({key: ["x", "y", "z"] for key in "abc"})
    assert list(ask(mapping, list("abc"), upstream_keys_max=4)["answers"]) == ["a", "b"]
    assert list(ask(mapping, list("abc"), timeout_ms=0)["answers"]) == ["a"]


def test_a_question_of_other_definitions_is_not_answered() -> None:
    mapping = BusinessDayBefore()
    own = edge(mapping)["code"]
    assert ask(mapping, ["2024-01-09"], code=own)["said"] == "mapped"
    assert ask(mapping, ["2024-01-09"], code="0" * 64)["said"] == "not_asked"
    assert ask(mapping, ["2024-01-09"], downstream="upper")["said"] == "not_asked"
    assert ask(dg.AllPartitionMapping(), ["2024-01-09"])["said"] == "not_asked"


def test_materialize_in_a_test_loads_what_a_run_would(tmp_path: Path) -> None:
    @dg.asset(partitions_def=DAYS)
    def price(context: dg.AssetExecutionContext) -> str:
        return context.partition_key

    @dg.asset(partitions_def=DAYS, ins={"price": dg.AssetIn(partition_mapping=BusinessDayBefore())})
    def back(price: str) -> str:
        return f"{price}!"

    storage = str(tmp_path)
    dg.materialize([price], partition_key="2024-01-05", storage=storage)
    made = dg.materialize(
        [price, back], selection="back", partition_key="2024-01-08", storage=storage
    )
    assert made.asset_value("back") == "2024-01-05!"
    with pytest.raises(dg.ArcoError, match="2023-12-29"):
        dg.materialize([price, back], selection="back", partition_key="2024-01-01", storage=storage)


def test_what_cannot_be_asked_is_refused() -> None:
    with pytest.raises(dg.DefinitionError, match="needs partitions on both sides"):
        edge(BusinessDayBefore(), down=None)
    with pytest.raises(dg.DefinitionError, match="say in its method get_upstream_partition_keys"):
        edge(dg.PartitionMapping())
    dimension = dg.MultiPartitionMapping(
        {"day": dg.DimensionPartitionMapping("day", BusinessDayBefore())}
    )
    with pytest.raises(dg.DefinitionError, match="a dimension between static partitions only"):
        edge(dimension, BOTH, BOTH)

    @dg.asset(partitions_def=DAYS)
    def day() -> None: ...

    @dg.asset(partitions_def=DAYS)
    def judged() -> None: ...

    @dg.asset_check(
        asset=judged,
        partitions_def=DAYS,
        additional_ins={"day": dg.AssetIn(partition_mapping=BusinessDayBefore())},
    )
    def fine(day: Any) -> dg.AssetCheckResult:
        return dg.AssetCheckResult(passed=True)

    with pytest.raises(dg.DefinitionError, match="which only assets do"):
        manifest(dg.Definitions(assets=[day, judged], asset_checks=[fine]), "here")


def test_a_mapping_is_told_by_its_code() -> None:
    asked = definitions(BusinessDayBefore()).graph().assets[dg.AssetKey("lower")].edges[0].mapping
    assert isinstance(asked, AskedPartitionMapping)
    assert asked.code == edge(BusinessDayBefore())["code"]
