"""Declaring assets: what the decorators make of a function and its parameters."""

from __future__ import annotations

from typing import Any

import pytest

import arco_flow as dg


def test_a_function_becomes_an_asset_of_its_name() -> None:
    @dg.asset
    def sales():
        """What was sold.

        Per day.
        """

    assert sales.key == dg.AssetKey("sales")
    assert sales.specs[0].description == "What was sold.\n\nPer day."
    assert sales.specs[0].group == "default"
    assert sales.__name__ == "sales"


def test_the_decorated_function_is_called_as_before() -> None:
    @dg.asset
    def doubled(numbers: list[int], factor: int = 2) -> list[int]:
        return [n * factor for n in numbers]

    assert doubled([1, 2]) == [2, 4]
    assert doubled(numbers=[1], factor=3) == [3]


def test_context_config_and_resources_come_from_a_built_context() -> None:
    class Limit(dg.Config):
        rows: int = 10

    class Warehouse(dg.ConfigurableResource):
        url: str

    @dg.asset
    def rows(
        context: dg.AssetExecutionContext, config: Limit, warehouse: Warehouse
    ) -> tuple[int, str]:
        return config.rows, warehouse.url

    context = dg.build_asset_context(
        resources={"warehouse": Warehouse(url="x")}, asset_config={"rows": 3}
    )
    assert rows(context) == (3, "x")
    assert rows(context, Limit(rows=5), Warehouse(url="y")) == (5, "y")
    assert rows(dg.build_asset_context(), config=Limit(), warehouse=Warehouse(url="z")) == (10, "z")


def test_names_prefixes_and_keys() -> None:
    def f(): ...

    assert dg.asset(name="n")(f).key.path == ["n"]
    assert dg.asset(key_prefix="p")(f).key.path == ["p", "f"]
    assert dg.asset(key_prefix=["p", "q"], name="n")(f).key.path == ["p", "q", "n"]
    assert dg.asset(key=["a b", "c/d"])(f).key.to_user_string() == r"a b/c\/d"
    assert dg.asset(key=["a-b", "c"])(f).step_name == "a_b__c"


def test_everything_said_of_an_asset_is_kept() -> None:
    daily = dg.DailyPartitionsDefinition("2024-01-01")

    @dg.asset(
        group_name="g/h", tags={"team": "x", "dagster/kind/parquet": ""}, owners=["me@x.io", "team:core"],
        kinds={"python"}, code_version="3", metadata={"n": 1}, partitions_def=daily, description="d",
        op_tags={"k": 1}, pool="db", retry_policy=dg.RetryPolicy(2), isolation="fork", timeout_seconds=1.5,
        io_manager_key="lake", required_resource_keys={"db"},
    )  # fmt: skip
    def a(): ...

    spec = a.specs[0]
    assert (spec.group, spec.tags, spec.kinds) == ("g/h", {"team": "x"}, {"python", "parquet"})
    assert spec.owners == ("me@x.io", "team:core")
    assert (spec.code_version, spec.description, spec.partitions_def) == ("3", "d", daily)
    assert spec.metadata == {"n": dg.MetadataValue.int(1)}
    assert a.required_resource_keys == {"db"}
    assert a.io_manager_keys == ("lake",)
    assert (a.options.pool, a.options.isolation, a.options.timeout_seconds) == ("db", "fork", 1.5)


def test_a_resource_is_known_by_its_annotation() -> None:
    @dg.asset
    def a(db: dg.ResourceParam[dict], upstream): ...

    assert a.required_resource_keys == {"db"}
    assert [one.param for one in a.loaded] == ["upstream"]


def test_annotations_as_text_are_read_where_the_function_stands() -> None:
    class Local(dg.Config):
        x: int = 1

    @dg.asset
    def a(context: "dg.AssetExecutionContext", config: "Local", up: "NotThere"): ...  # noqa: F821, UP037

    assert a.signature.config is not None
    assert a.signature.config.annotation is Local
    assert a.loaded[0].annotation == "NotThere"


def test_keyword_only_defaults_name_no_asset() -> None:
    @dg.asset
    def a(up, *, limit=3): ...

    assert [one.param for one in a.loaded] == ["up"]


def test_ins_say_what_a_parameter_loads() -> None:
    @dg.asset(
        ins={"x": dg.AssetIn(key=["raw", "x"]), "y": dg.AssetIn(key_prefix="raw"), "z": "other"}
    )
    def a(x, y, z): ...

    assert [one.key.to_user_string() for one in a.loaded] == ["raw/x", "raw/y", "other"]


def test_kwargs_take_what_ins_name() -> None:
    @dg.asset(ins={name: dg.AssetIn(name) for name in ("x", "y")})
    def a(**kwargs: Any): ...

    assert [one.param for one in a.loaded] == ["x", "y"]


def test_one_dependency_named_twice_is_one() -> None:
    spec = dg.AssetSpec("a", deps=["x", "x", dg.AssetDep("y"), dg.AssetSpec("y")])
    assert [dep.asset_key.to_user_string() for dep in spec.deps] == ["x", "y"]


def test_specs_are_changed_by_copies() -> None:
    spec = dg.AssetSpec("a", tags={"x": "1"}, group_name="g")
    changed = spec.merge_attributes(tags={"y": "2"}, kinds={"k"}).replace_attributes(group_name="h")
    assert (spec.tags, spec.group) == ({"x": "1"}, "g")
    assert (changed.tags, changed.group, changed.kinds) == ({"x": "1", "y": "2"}, "h", {"k"})


def test_multi_asset_of_specs_and_of_outs() -> None:
    @dg.multi_asset(specs=[dg.AssetSpec("a"), dg.AssetSpec("b", deps=["a"])], group_name="g")
    def both(): ...

    @dg.multi_asset(
        outs={"x": dg.AssetOut(), "y": dg.AssetOut(key=["p", "y"], is_required=False)}, deps=[both]
    )
    def outs(): ...

    assert [key.to_user_string() for key in both.keys] == ["a", "b"]
    assert set(both.group_names_by_key.values()) == {"g"}
    assert [key.to_user_string() for key in outs.keys] == ["x", "p/y"]
    assert [dep.asset_key.to_user_string() for dep in outs.specs[0].deps] == ["a", "b"]
    assert outs.specs[1].skippable
    with pytest.raises(dg.UsageError, match="makes 2 assets"):
        _ = both.key


def test_definitions_are_frozen() -> None:
    spec = dg.AssetSpec("a")
    with pytest.raises(AttributeError):
        spec.group_name = "x"  # type: ignore[misc]
    with pytest.raises(AttributeError):
        dg.Definitions().assets = ()  # type: ignore[misc]
