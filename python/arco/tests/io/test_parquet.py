"""Polars frames in Parquet files: what a parameter gets follows its annotation."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

import arco_flow as dg

seen: dict[str, Any] = {}
PARTS = dg.StaticPartitionsDefinition(["x", "y", "z"])


@dg.asset(partitions_def=PARTS)
def part(context: dg.AssetExecutionContext) -> pl.DataFrame:
    return pl.DataFrame({"key": [context.partition_key], "n": [1]})


@dg.asset
def lazy(part: pl.LazyFrame) -> pl.LazyFrame:
    seen["lazy"] = part
    return part.select(pl.col("n").sum())


@dg.asset
def eager(part: pl.DataFrame) -> None:
    seen["eager"] = part


@dg.asset
def by_key(part: dict[str, pl.LazyFrame]) -> None:
    seen["by_key"] = part


@dg.asset
def plain(part) -> None:
    seen["plain"] = part


@dg.asset
def after(lazy: "pl.LazyFrame") -> None:  # noqa: UP037
    seen["after"] = lazy


defs = dg.Definitions(
    [part, lazy, eager, by_key, plain, after], resources={"io_manager": dg.ParquetIOManager()}
)
ALL = {"part": ("part", ["x", "y", "z"])}


@pytest.fixture
def filled(worker):
    for key in ("x", "y", "z"):
        made, result = worker(defs, "part", partitions=[key])
        assert result["ok"]
        assert made["metadata"]["dagster/row_count"] == {"type": "int", "value": 1}
    return worker


def test_a_lazy_frame_scans_the_files(filled) -> None:
    assert filled(defs, "lazy", inputs=ALL)[-1]["ok"]
    assert isinstance(seen["lazy"], pl.LazyFrame)
    assert seen["lazy"].collect()["key"].to_list() == ["x", "y", "z"]


def test_a_frame_reads_them_in_partition_order(filled) -> None:
    filled(defs, "eager", inputs={"part": ("part", ["z", "x"])})
    assert seen["eager"]["key"].to_list() == ["z", "x"]
    filled(defs, "plain", inputs=ALL)
    assert isinstance(seen["plain"], pl.DataFrame)


def test_a_dict_has_a_frame_by_key(filled) -> None:
    filled(defs, "by_key", inputs=ALL)
    assert list(seen["by_key"]) == ["x", "y", "z"]
    assert isinstance(seen["by_key"]["x"], pl.LazyFrame)
    assert filled(defs, "by_key", inputs={"part": ("part", [])})[-1]["ok"]
    assert seen["by_key"] == {}


def test_a_dict_of_one_partition_is_a_dict_still(filled) -> None:
    filled(defs, "by_key", inputs={"part": ("part", ["x"])})
    assert list(seen["by_key"]) == ["x"]


def test_a_lazy_frame_is_stored_and_loaded(filled) -> None:
    filled(defs, "lazy", inputs=ALL)
    assert filled(defs, "after", inputs={"lazy": "lazy"})[-1]["ok"]
    assert seen["after"].collect().item() == 3


def test_a_missing_file_is_told_before_user_code_runs(filled) -> None:
    (filled.storage / "part" / "y.parquet").unlink()
    seen.pop("lazy", None)
    (result,) = filled(defs, "lazy", inputs=ALL)
    assert (result["class"], result["error"]["type"]) == ("io", "StorageError")
    assert "partition `y` of asset `part` has no stored value" in result["error"]["message"]
    assert "lazy" not in seen


def test_no_partition_at_all_is_told(filled) -> None:
    (result,) = filled(defs, "eager", inputs={"part": ("part", [])})
    assert "annotate it `dict[str, pl.DataFrame]` to allow that" in result["error"]["message"]


def test_what_is_no_frame_is_told(worker) -> None:
    bad = dg.asset(name="bad")(lambda: [1])
    (result,) = worker(
        dg.Definitions([bad], resources={"io_manager": dg.ParquetIOManager()}), "bad"
    )
    assert (
        "asset `bad` gave a list; ParquetIOManager stores polars.DataFrame"
        in result["error"]["message"]
    )


def test_partitions_of_differing_but_related_types_join(worker) -> None:
    @dg.asset(partitions_def=PARTS)
    def mixed(context: dg.AssetExecutionContext) -> pl.DataFrame:
        return pl.DataFrame(
            {"n": [1]}, schema={"n": pl.Int32 if context.partition_key == "x" else pl.Int64}
        )

    @dg.asset
    def total(mixed: pl.DataFrame) -> None:
        seen["total"] = mixed

    both = dg.Definitions([mixed, total], resources={"io_manager": dg.ParquetIOManager()})
    for key in ("x", "y"):
        worker(both, "mixed", partitions=[key])
    assert worker(both, "total", inputs={"mixed": ("mixed", ["x", "y"])})[-1]["ok"]
    assert seen["total"]["n"].to_list() == [1, 1]


def test_frames_behind_a_url() -> None:
    manager = dg.ParquetIOManager(base_dir="memory://arco-parquet")
    frame = pl.DataFrame({"n": [1, 2]})
    for key in ("p", "q"):
        manager.handle_output(dg.build_output_context(asset_key="a", partition_key=key), frame)
    context = dg.build_input_context(
        asset_key="a", asset_partition_keys=["p", "q"], dagster_type=pl.LazyFrame
    )
    loaded = manager.load_input(context)
    assert isinstance(loaded, pl.LazyFrame)
    assert loaded.collect().height == 4
