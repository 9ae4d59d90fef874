"""Values in files: where they lie, that they are replaced whole, locally and behind URLs."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest

import arco_flow as dg
from arco_flow._internal.io import paths
from arco_flow._internal.keys import AssetKey


def put(manager, value, key="a", **context):
    manager.handle_output(dg.build_output_context(asset_key=key, **context), value)


def get(manager, key="a", **context):
    return manager.load_input(dg.build_input_context(asset_key=key, **context))


def files(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_a_value_comes_back(tmp_path) -> None:
    manager = dg.FilesystemIOManager(base_dir=str(tmp_path))
    put(manager, {"x": 1}, key=["raw", "a"])
    put(manager, {"x": 2}, key=["raw", "a"])
    assert get(manager, key=["raw", "a"]) == {"x": 2}
    assert files(tmp_path) == ["raw/a/value.pickle"]


def test_an_asset_below_and_a_partition_of_one_name_do_not_meet(tmp_path) -> None:
    manager = dg.FilesystemIOManager(base_dir=str(tmp_path))
    put(manager, "partition", key="sales", partition_key="eu")
    put(manager, "asset", key=["sales", "eu"])
    assert get(manager, key="sales", partition_key="eu") == "partition"
    assert get(manager, key=["sales", "eu"]) == "asset"


@pytest.mark.parametrize(
    "text", ["a", "a/b", "..", ".", "", "%", "a b", "ü", "A" * 300, "x" * 180 + "1"]
)
def test_file_names_are_safe_and_different(text) -> None:
    name = paths.safe_name(text)
    assert name
    assert not set(name) & set('/\\:*?"<>| ')
    assert not name.startswith(".")
    assert len(name) < 220
    assert name != paths.safe_name(text + "x")


def test_a_failed_write_leaves_the_old_value_and_nothing_else(tmp_path) -> None:
    target = tmp_path / "a" / "value.pickle"
    paths.write_atomic(str(target), lambda file: file.write(b"old"))

    def fail(file) -> None:
        file.write(b"half")
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        paths.write_atomic(str(target), fail)
    assert target.read_bytes() == b"old"
    assert files(tmp_path) == ["a/value.pickle"]


def test_the_root_is_found_in_order(monkeypatch) -> None:
    monkeypatch.delenv("ARCO_STORAGE", raising=False)
    assert paths.storage_root(None, None) == ".arco/storage"
    monkeypatch.setenv("ARCO_STORAGE", "/env")
    assert paths.storage_root(None, None) == "/env"
    assert paths.storage_root(None, "/task") == "/task"
    assert paths.storage_root("/own", "/task") == "/own"


def test_paths_of_local_folders_file_urls_and_buckets() -> None:
    key = AssetKey(["a", "b c"])
    assert paths.value_path("/r", key, None, ".x") == "/r/a/b%20c/value.x"
    assert paths.value_path("file:///r%20s", key, "p", ".x") == "/r s/a/b%20c/p.x"
    assert paths.value_path("s3://bucket/p/", key, "p", ".x") == "s3://bucket/p/a/b%20c/p.x"


def test_a_url_goes_through_universal_pathlib() -> None:
    manager = dg.FilesystemIOManager(base_dir="memory://arco-test/root")
    put(manager, [1], partition_key="p")
    assert get(manager, partition_key="p") == [1]
    with pytest.raises(
        dg.StorageError, match="partition `q` of asset `a` has no stored value at memory://"
    ):
        get(manager, partition_key="q")


def test_a_remote_store_without_atomic_puts_gets_a_rename(tmp_path) -> None:
    url = f"local://{tmp_path}/a/value"
    paths.write_atomic(url, lambda file: file.write(b"1"))
    paths.write_atomic(url, lambda file: file.write(b"22"))
    assert (tmp_path / "a" / "value").read_bytes() == b"22"
    assert files(tmp_path) == ["a/value"]


def test_an_unknown_scheme_names_the_package_to_install() -> None:
    with pytest.raises(dg.StorageError, match="install it, for example s3fs for s3"):
        put(dg.FilesystemIOManager(base_dir="nosuch://x"), 1)


def test_a_task_s_metadata_has_the_path(tmp_path) -> None:
    context = dg.build_output_context(asset_key="a")
    dg.FilesystemIOManager(base_dir=str(tmp_path)).handle_output(context, 1)
    path = str(tmp_path / "a" / "value.pickle")
    assert context.output_metadata == {"path": dg.MetadataValue.path(path)}
    assert pickle.loads(Path(path).read_bytes()) == 1


def test_values_in_memory(tmp_path) -> None:
    manager = dg.InMemoryIOManager()
    put(manager, 1)
    put(manager, {"p": 1, "q": 2}, key="b", asset_partition_keys=["p", "q"])
    assert get(manager) == 1
    assert get(manager, key="b", partition_key="q") == 2
    assert get(manager, key="b", asset_partition_keys=["p", "q"]) == {"p": 1, "q": 2}
    with pytest.raises(dg.StorageError, match="no value of asset `c` is in memory"):
        get(manager, key="c")


def test_partitions_that_are_not_stored_are_left_out_where_the_input_allows_it(tmp_path) -> None:
    days = dg.DailyPartitionsDefinition("2024-01-01", end_date="2024-01-05")

    @dg.asset(partitions_def=days)
    def day(context: dg.AssetExecutionContext) -> str:
        return context.partition_key

    def total(day: dict[str, str]) -> list[str]:
        return list(day)

    lenient = dg.asset(ins={"day": dg.AssetIn(metadata={"allow_missing_partitions": True})})(total)
    strict = dg.asset(name="strict")(total)
    dg.materialize([day], partition_key="2024-01-02", storage=str(tmp_path))
    chosen = dg.materialize([day, lenient], selection="total", storage=str(tmp_path))
    assert chosen.asset_value("total") == ["2024-01-02"]
    with pytest.raises(
        dg.StorageError, match="partition `2024-01-01` of asset `day` has no stored"
    ):
        dg.materialize([day, strict], selection="strict", storage=str(tmp_path))


def test_contexts_built_for_tests_know_ranges() -> None:
    daily = dg.DailyPartitionsDefinition("2024-01-01")
    context = dg.build_input_context(
        asset_key="a",
        asset_partitions_def=daily,
        asset_partition_key_range=dg.PartitionKeyRange("2024-01-01", "2024-01-03"),
    )
    assert context.asset_partition_keys == ["2024-01-01", "2024-01-02", "2024-01-03"]
    assert context.asset_partitions_time_window.end.day == 4
    assert not context.has_partition_key
    with pytest.raises(dg.UsageError, match="there are 3 partitions of `a` here"):
        _ = context.asset_partition_key
    with pytest.raises(dg.UsageError, match="is not partitioned"):
        _ = dg.build_output_context(asset_key="a").asset_partition_keys
