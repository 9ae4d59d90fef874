"""One Parquet file, frames of any library: the annotation says which."""

from __future__ import annotations

import duckdb
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import arco_flow as dg
from arco_flow._internal.io import frames

ROWS = {"key": ["x", "y"], "n": [1, 2]}
VALUES = {
    "polars": lambda: pl.DataFrame(ROWS),
    "lazy": lambda: pl.LazyFrame(ROWS),
    "pandas": lambda: pd.DataFrame(ROWS),
    "arrow": lambda: pa.table(ROWS),
    "batch": lambda: pa.RecordBatch.from_pydict(ROWS),
    "reader": lambda: pa.table(ROWS).to_reader(),
    "duckdb": lambda: duckdb.connect().from_arrow(pa.table(ROWS)),
}
WANTED = {
    pl.DataFrame: lambda frame: frame.to_dict(as_series=False),
    pl.LazyFrame: lambda frame: frame.collect().to_dict(as_series=False),
    pd.DataFrame: lambda frame: frame.to_dict("list"),
    pa.Table: lambda table: table.to_pydict(),
    duckdb.DuckDBPyRelation: lambda relation: relation.to_arrow_table().to_pydict(),
}


def keep(manager, value, **where) -> None:
    manager.handle_output(dg.build_output_context(asset_key="a", **where), value)


@pytest.mark.parametrize("wanted", WANTED, ids=lambda kind: f"{kind.__module__}.{kind.__name__}")
@pytest.mark.parametrize("given", VALUES)
@pytest.mark.parametrize("root", ["folder", "memory://arco-frames"])
def test_whoever_wrote_a_file_any_library_reads_it(tmp_path, root, given, wanted) -> None:
    base = str(tmp_path) if root == "folder" else root
    manager = dg.ParquetIOManager(base_dir=base)
    keep(manager, VALUES[given]())
    context = dg.build_input_context(asset_key="a", dagster_type=wanted)
    loaded = manager.load_input(context)
    assert isinstance(loaded, wanted)
    assert WANTED[wanted](loaded) == ROWS


@pytest.mark.parametrize("wanted", WANTED, ids=lambda kind: f"{kind.__module__}.{kind.__name__}")
def test_partitions_are_one_frame_or_a_dict(tmp_path, wanted) -> None:
    manager = dg.ParquetIOManager(base_dir=str(tmp_path))
    keep(manager, pd.DataFrame({"n": [1]}).astype("int32"), partition_key="p")
    keep(manager, pd.DataFrame({"n": [2]}), partition_key="q")
    asked = {"asset_key": "a", "asset_partition_keys": ["q", "p"]}
    joined = manager.load_input(dg.build_input_context(**asked, dagster_type=wanted))
    assert WANTED[wanted](joined) == {"n": [2, 1]}
    by_key = manager.load_input(dg.build_input_context(**asked, dagster_type=dict[str, wanted]))
    assert {key: WANTED[wanted](frame) for key, frame in by_key.items()} == {
        "q": {"n": [2]},
        "p": {"n": [1]},
    }


def test_an_index_of_pandas_is_kept(tmp_path) -> None:
    manager = dg.ParquetIOManager(base_dir=str(tmp_path))
    frame = pd.DataFrame({"n": [1, 2]}, index=pd.Index(["a", "b"], name="id"))
    for key in ("p", "q"):
        keep(manager, frame, partition_key=key)
    context = dg.build_input_context(
        asset_key="a", asset_partition_keys=["p", "q"], dagster_type=pd.DataFrame
    )
    assert manager.load_input(context).index.tolist() == ["a", "b", "a", "b"]


@pytest.mark.parametrize(
    ("annotation", "library", "lazy"),
    [
        ("pd.DataFrame", "pandas", False),
        ("pandas.DataFrame", "pandas", False),
        ("dict[str, pa.Table]", "pyarrow", False),
        ("pl.LazyFrame", "polars", True),
        ("Dict[str, pl.LazyFrame]", "polars", True),
        (dict[str, pl.LazyFrame], "polars", True),
        (dict, "polars", False),
        (None, "polars", False),
    ],
)
def test_the_annotation_says_which(annotation, library, lazy) -> None:
    assert frames.wanted(annotation).library == library
    assert frames.wants_lazy(annotation) is lazy


def test_a_library_that_is_missing_is_named(monkeypatch) -> None:
    def missing(name):
        raise ImportError(name)

    monkeypatch.setattr(frames, "import_module", missing)
    with pytest.raises(dg.StorageError, match=r"needs pandas; install arco-flow\[pandas\]"):
        frames.wanted(pd.DataFrame).read(["x"], False)


def test_the_rows_are_counted(worker) -> None:
    for value in VALUES.values():
        made = dg.asset(name="a")(value)
        fact, result = worker(
            dg.Definitions([made], resources={"io_manager": dg.ParquetIOManager()}), "a"
        )
        assert result["ok"], result
        assert fact["metadata"]["dagster/row_count"] == {"type": "int", "value": 2}
