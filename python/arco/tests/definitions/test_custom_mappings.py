"""Mappings that user code says: asked when it is loaded, pairs from then on."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Any

import pytest

import arco_flow as dg
from arco_flow._internal.manifest import manifest

CITIES = dg.StaticPartitionsDefinition(["berlin", "bern", "paris"])
COUNTRIES = dg.StaticPartitionsDefinition(["ch", "de", "fr"])
OF = {"berlin": "de", "bern": "ch", "paris": "fr"}


class CityOf(dg.PartitionMapping):
    """A country needs its cities."""

    def get_upstream_partition_keys(
        self,
        downstream_partition_key: str,
        downstream_partitions_def: dg.StaticPartitionsDefinition,
        upstream_partitions_def: dg.StaticPartitionsDefinition,
    ) -> Collection[str]:
        keys = upstream_partitions_def.partition_keys
        return [key for key in keys if OF.get(key) == downstream_partition_key]


class Answers(dg.PartitionMapping):
    def __init__(self, answer: Any) -> None:
        self.answer = answer

    def get_upstream_partition_keys(self, *_: Any) -> Any:
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def edge(mapping: dg.PartitionMapping, up: Any = CITIES, down: Any = COUNTRIES) -> Any:
    @dg.asset(partitions_def=up)
    def city() -> None: ...

    @dg.asset(partitions_def=down, deps=[dg.AssetDep("city", partition_mapping=mapping)])
    def country() -> None: ...

    assets = manifest(dg.Definitions(assets=[city, country]), "here")["assets"]
    return next(one for one in assets if one["key"] == "country")["deps"][0]["mapping"]


def test_what_code_says_is_pairs_in_the_manifest() -> None:
    pairs = {"berlin": ["de"], "bern": ["ch"], "paris": ["fr"]}
    assert edge(CityOf()) == {"kind": "static", "downstream_keys_by_upstream_key": pairs}
    # One key may be answered alone, and what needs nothing is not listed.
    every = {"bern": ["ch", "de", "fr"]}
    assert edge(Answers("bern"))["downstream_keys_by_upstream_key"] == every
    assert edge(Answers(()))["downstream_keys_by_upstream_key"] == {}


class OwnCity(dg.AllPartitionMapping):
    """A built-in one of which the method is said anew."""

    get_upstream_partition_keys = CityOf.get_upstream_partition_keys


class Named(dg.AllPartitionMapping):
    """A built-in one under a name of one's own."""


def test_what_a_subclass_of_a_built_in_one_says_is_asked() -> None:
    pairs = {"berlin": ["de"], "bern": ["ch"], "paris": ["fr"]}
    assert edge(OwnCity())["downstream_keys_by_upstream_key"] == pairs
    assert edge(Named()) == {"kind": "all"}
    # Within a dimension too.
    mapping = dg.MultiPartitionMapping({"city": dg.DimensionPartitionMapping("country", OwnCity())})
    days = dg.DailyPartitionsDefinition("2024-01-01")
    up = dg.MultiPartitionsDefinition({"city": CITIES, "day": days})
    down = dg.MultiPartitionsDefinition({"country": COUNTRIES, "day": days})
    (dimension,) = edge(mapping, up, down)["dimensions"]
    assert dimension["mapping"]["downstream_keys_by_upstream_key"] == pairs


def test_of_several_dimensions_each_may_be_said_in_code() -> None:
    days = dg.DailyPartitionsDefinition("2024-01-01")
    mapping = dg.MultiPartitionMapping(
        {
            "day": dg.DimensionPartitionMapping("day", dg.TimeWindowPartitionMapping(-1, -1)),
            "city": dg.DimensionPartitionMapping("country", CityOf()),
        }
    )
    up = dg.MultiPartitionsDefinition({"city": CITIES, "day": days})
    down = dg.MultiPartitionsDefinition({"country": COUNTRIES, "day": days})
    kinds = {
        one["upstream"]: one["mapping"]["kind"] for one in edge(mapping, up, down)["dimensions"]
    }
    assert kinds == {"day": "time_window", "city": "static"}


def test_materialize_in_a_test_loads_what_a_run_would(tmp_path: Path) -> None:
    @dg.asset(partitions_def=CITIES)
    def city(context: dg.AssetExecutionContext) -> str:
        return context.partition_key.upper()

    @dg.asset(partitions_def=COUNTRIES, ins={"city": dg.AssetIn(partition_mapping=CityOf())})
    def country(city: str) -> str:
        return f"{city}!"

    dg.materialize([city], partition_key="bern", storage=str(tmp_path))
    made = dg.materialize(
        [city, country], selection="country", partition_key="ch", storage=str(tmp_path)
    )
    assert made.asset_value("country") == "BERN!"


@pytest.mark.parametrize(
    ("mapping", "up", "says"),
    [
        (
            Answers(["rome"]),
            CITIES,
            r"`ch` .*reads `city`.* gave the key `rome`, which the upstream",
        ),
        (
            Answers(ValueError("no")),
            CITIES,
            r"get_upstream_partition_keys of `ch` .* raised ValueError: no",
        ),
        (Answers(3), CITIES, r"gave 3; give a list of upstream keys"),
        (dg.PartitionMapping(), CITIES, r"say in its method get_upstream_partition_keys"),
        (CityOf(), None, r"needs partitions on both sides"),
    ],
)
def test_what_cannot_be_said_is_refused(mapping: Any, up: Any, says: str) -> None:
    with pytest.raises(dg.DefinitionError, match=says):
        edge(mapping, up)
