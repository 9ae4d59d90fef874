"""Observable sources: what their functions may give, and what is said of it."""

from __future__ import annotations

from typing import Any

import pytest

import arco_flow as dg

STATIC = dg.StaticPartitionsDefinition(["x", "y"])
S = dg.AssetSelection


def seen(*assets: Any, step: str = "src") -> list[tuple[Any, ...]]:
    result = dg.observe(list(assets))
    return [
        (one.label, one.partition, one.tags.get("dagster/data_version"), dict(one.metadata))
        for one in result.asset_observations_for_node(step)
    ]


def test_what_a_function_may_give() -> None:
    @dg.observable_source_asset(key="src")
    def version():
        return dg.DataVersion("v1")

    @dg.observable_source_asset(key="src", partitions_def=STATIC)
    def by_partition():
        return dg.DataVersionsByPartition({"x": "1", "y": dg.DataVersion("2")})

    @dg.observable_source_asset(key="src")
    def result():
        return dg.ObserveResult(metadata={"rows": 3}, data_version=dg.DataVersion("v2"))

    @dg.observable_source_asset(key="src")
    def nothing(context):
        context.log_event(dg.AssetObservation("src", description="as seen", metadata={"n": 1}))

    assert seen(version) == [("src", None, "v1", {})]
    assert seen(by_partition) == [("src", "x", "1", {}), ("src", "y", "2", {})]
    assert seen(result) == [("src", None, "v2", {"rows": dg.MetadataValue.int(3)})]
    assert seen(nothing) == [("src", None, None, {"n": dg.MetadataValue.int(1)})]


def test_several_sources_are_looked_at_by_one_function() -> None:
    @dg.multi_observable_source_asset(
        specs=[dg.AssetSpec("a"), dg.AssetSpec("b")],
        check_specs=[dg.AssetCheckSpec("fresh", asset="a")],
    )
    def both():
        yield dg.ObserveResult(
            asset_key="a",
            data_version=dg.DataVersion("1"),
            check_results=[dg.AssetCheckResult(passed=False, asset_key="a", check_name="fresh")],
        )
        yield dg.ObserveResult(asset_key="b", metadata={"size": 2})

    assert [row[0] for row in seen(both, step="both")] == ["a", "b"]
    judged = dg.observe([both]).get_asset_check_evaluations()
    assert [(one.check_name, one.passed) for one in judged] == [("fresh", False)]


@pytest.mark.parametrize(
    ("gives", "message"),
    [
        (lambda: 1, "an observable source returns DataVersion"),
        (lambda: dg.DataVersionsByPartition({"x": "1"}), "asset `src` is not partitioned"),
        (lambda: dg.ObserveResult(asset_key="srcc"), r"say which: .*did you mean `src`"),
    ],
)
def test_what_makes_no_sense_is_told(gives: Any, message: str) -> None:
    with pytest.raises(dg.UsageError, match=message):
        dg.observe([dg.observable_source_asset(key="src")(gives)])


def test_a_source_is_external_and_its_reader_loads_it_by_its_io_manager() -> None:
    @dg.observable_source_asset(io_manager_key="io")
    def src():
        return dg.DataVersion("v1")

    @dg.asset
    def reader(src):
        return src + 1

    class Fixed(dg.IOManager):
        def load_input(self, context):
            return 41

        def handle_output(self, context, obj):
            raise AssertionError

    defs = dg.Definitions(assets=[src, reader], resources={"io": Fixed()})
    assert S.all().resolve(defs) == {dg.AssetKey("reader")}
    assert S.from_string("is:external").resolve(defs) == {dg.AssetKey("src")}
    assert S.from_string('key:"src"+').resolve(defs) == {dg.AssetKey("src"), dg.AssetKey("reader")}
    steps = {one["name"]: one["kind"] for one in defs.to_manifest("loc")["steps"]}
    assert steps == {"src": "observe", "reader": "asset"}
    made = dg.materialize([src, reader], resources={"io": Fixed()})
    assert made.asset_value("reader") == 42


def test_a_job_may_observe() -> None:
    @dg.observable_source_asset
    def src():
        return dg.DataVersion("v1")

    @dg.asset(deps=[src])
    def reader(): ...

    defs = dg.Definitions(
        assets=[src, reader],
        jobs=[dg.define_asset_job("look", [src]), dg.define_asset_job("both", [src, reader])],
    )
    nodes = defs.job_nodes()
    assert [len(nodes[name].keys) for name in ("both", "look")] == [2, 1]


def test_any_task_may_say_what_it_saw() -> None:
    @dg.asset
    def reader(context):
        context.log_event(dg.AssetObservation("reader", tags={"dagster/data_version": "7"}))
        return 1

    result = dg.materialize([reader])
    (one,) = result.asset_observations_for_node("reader")
    assert one.tags == {"dagster/data_version": "7"}
    assert len(result.asset_materializations_for_node("reader")) == 1


def test_a_source_loads_no_assets() -> None:
    with pytest.raises(dg.DefinitionError, match="its parameter `other` would load an asset"):

        @dg.observable_source_asset
        def src(other): ...
