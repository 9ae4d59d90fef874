"""JSON files: what comes back is what was stored, and what would not is refused."""

from __future__ import annotations

import json
import math

import pydantic
import pytest

import arco_flow as dg

PARTS = dg.StaticPartitionsDefinition(["x", "y"])


class Point(pydantic.BaseModel):
    x: int
    y: float


def stored(value, **options):
    manager = dg.JsonIOManager(**options)
    manager.handle_output(dg.build_output_context(asset_key="a"), value)
    return manager


@pytest.mark.parametrize(
    "value",
    [None, True, 0, -(2**70), 1.5, "", "ä\n\u2028", [], {}, [1, [None, {"k": ["v"]}]], {"": 0.1}],
)
def test_a_value_comes_back(tmp_path, value) -> None:
    manager = stored(value, base_dir=str(tmp_path))
    loaded = manager.load_input(dg.build_input_context(asset_key="a"))
    assert loaded == value
    assert type(loaded) is type(value)


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ((1,), "a tuple"),
        ({"k": [{1}]}, "a set at k[0]"),
        ({1: "v"}, "the key 1 is a int"),
        ([math.nan], "nan at [0]"),
        ({"k": math.inf}, "inf at k"),
        ("\ud800", "half of a surrogate pair"),
        (object(), "a object"),
    ],
)
def test_what_would_not_come_back_is_refused_and_nothing_is_written(tmp_path, value, told) -> None:
    with pytest.raises(dg.StorageError, match="the value of asset `a` is not JSON") as refused:
        stored(value, base_dir=str(tmp_path))
    assert told in str(refused.value)
    assert not list(tmp_path.rglob("*"))


def test_a_model_is_stored_as_data_and_loaded_by_annotation(tmp_path) -> None:
    manager = stored(Point(x=1, y=0.5), base_dir=str(tmp_path), indent=2)
    text = (tmp_path / "a" / "value.json").read_text(encoding="utf-8")
    assert text == '{\n  "x": 1,\n  "y": 0.5\n}\n'
    context = dg.build_input_context(asset_key="a", dagster_type=Point)
    assert manager.load_input(context) == Point(x=1, y=0.5)
    assert manager.load_input(dg.build_input_context(asset_key="a")) == {"x": 1, "y": 0.5}


def test_partitions_lie_in_files_of_their_own(worker) -> None:
    @dg.asset(partitions_def=PARTS)
    def part(context: dg.AssetExecutionContext):
        return {"key": context.partition_key}

    @dg.asset
    def all_of(part):
        return sorted(part)

    defs = dg.Definitions([part, all_of], resources={"io_manager": dg.JsonIOManager()})
    for key in ("x", "y"):
        assert worker(defs, "part", partitions=[key])[-1]["ok"]
    assert json.loads((worker.storage / "part" / "y.json").read_text()) == {"key": "y"}
    assert worker(defs, "all_of", inputs={"part": ("part", ["x", "y"])})[-1]["ok"]
    assert json.loads((worker.storage / "all_of" / "value.json").read_text()) == ["x", "y"]


def test_a_file_that_is_no_json_is_named(tmp_path) -> None:
    manager = stored([1], base_dir=str(tmp_path))
    (tmp_path / "a" / "value.json").write_text("{")
    with pytest.raises(dg.StorageError, match=r"value\.json is not JSON.*materialize it again"):
        manager.load_input(dg.build_input_context(asset_key="a"))
