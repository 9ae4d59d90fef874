"""Which asset a name means (M-5), duplicates (M-6), cycles (M-7)."""

from __future__ import annotations

import re
from typing import Any

import pytest

import arco_flow as dg

DAILY = dg.DailyPartitionsDefinition("2024-01-01")


def edges(defs: dg.Definitions, asset: str) -> dict[str, str | None]:
    node = defs.graph().assets[dg.AssetKey.from_user_string(asset)]
    return {edge.key.to_user_string(): edge.param for edge in node.edges}


def make(key: str, fn: Any = lambda: None, **given: Any) -> Any:
    return dg.asset(key=dg.AssetKey.from_user_string(key), **given)(fn)


def fails(*assets: Any, **given: Any) -> str:
    with pytest.raises(dg.DefinitionError) as raised:
        dg.Definitions(list(assets), **given).graph()
    return str(raised.value)


def test_a_parameter_names_the_asset_of_its_name() -> None:
    defs = dg.Definitions([make("b"), make("a", lambda b: b, deps=["x"])])
    assert edges(defs, "a") == {"b": "b", "x": None}


def test_last_part_in_the_same_group() -> None:
    asks = make("q/c", lambda b: b, group_name="g")
    defs = dg.Definitions([make("p/b", group_name="g"), asks])
    assert edges(defs, "q/c") == {"p/b": "b"}
    deps = dg.Definitions([make("p/b", group_name="g"), make("c", deps=["b"], group_name="g")])
    assert edges(deps, "c") == {"p/b": None}


def test_last_part_in_another_group_or_of_several_means_nothing() -> None:
    asks = make("q/c", lambda b: b, group_name="g")
    assert "parameter `b` of function" in fails(make("p/b", group_name="h"), asks)
    several = [make("p/b", group_name="g"), make("r/b", group_name="g"), asks]
    assert "names no asset; did you mean `r/b`?" in fails(*several)


def test_an_asset_that_asks_for_its_own_name_means_the_other_one() -> None:
    defs = dg.Definitions([make("bronze/orders"), make("silver/orders", lambda orders: orders)])
    assert edges(defs, "silver/orders") == {"bronze/orders": "orders"}


def test_deps_as_text_with_slashes_find_the_asset_of_several_parts() -> None:
    assert edges(dg.Definitions([make("raw/x"), make("a", deps=["raw/x"])]), "a") == {"raw/x": None}


def test_unknown_deps_become_external_assets() -> None:
    graph = dg.Definitions([make("a", deps=["elsewhere"])]).graph()
    assert graph.assets[dg.AssetKey("elsewhere")].step is None


def test_an_unknown_parameter_says_what_to_write() -> None:
    message = fails(make("raw_sales"), make("a", lambda raw_sale: raw_sale))
    assert "parameter `raw_sale`" in message
    assert "did you mean `raw_sales`?" in message
    assert 'ins={"raw_sale": AssetIn(key=...)}' in message
    assert re.search(r"test_resolution\.py:\d+", message)


def test_an_unknown_key_in_ins_is_an_error() -> None:
    message = fails(make("a", lambda x: x, ins={"x": dg.AssetIn("rwa/x")}), make("raw/x"))
    assert r"loads asset `rwa\/x`, which is not defined" in message


def test_parameter_and_deps_of_one_asset_are_one_edge() -> None:
    mapped = dg.AssetDep("b", partition_mapping=dg.AllPartitionMapping())
    node = dg.Definitions([make("b"), make("a", lambda b: b, deps=[mapped])]).graph()
    (edge,) = node.assets[dg.AssetKey("a")].edges
    assert (edge.param, edge.mapping) == ("b", dg.AllPartitionMapping())


def test_two_functions_of_one_key_are_refused() -> None:
    message = fails(make("a"), make("a"))
    assert "asset `a` is defined twice" in message
    assert 'key_prefix="..."' in message


def test_two_specs_of_one_key_are_one_and_a_function_wins() -> None:
    graph = dg.Definitions(
        [dg.AssetSpec("a"), dg.AssetSpec("a"), dg.AssetSpec("b"), make("b")]
    ).graph()
    assert graph.assets[dg.AssetKey("a")].step is None
    assert graph.assets[dg.AssetKey("b")].step is not None


def test_the_same_function_given_twice_is_told() -> None:
    one = make("a")
    assert "defined twice" in fails(one, one)


def test_two_keys_of_one_step_name_are_refused() -> None:
    assert "both make a step `a__b`" in fails(make("a/b"), make("a__b"))
    message = fails(make("raw/äl"), make("raw/öl"))
    assert "asset `raw/äl` of function" in message
    assert "and asset `raw/öl` of function" in message
    assert "both make a step `raw___l`, where other characters" in message


def test_a_cycle_is_shown_as_a_path() -> None:
    message = fails(
        make("a", deps=["c"]), make("b", deps=["a"]), make("c", deps=["b"]), make("d", deps=["c"])
    )
    assert re.search(r"cycle: (a → b → c → a|b → c → a → b|c → a → b → c); remove one", message)


def test_a_self_dependency_needs_earlier_partitions() -> None:
    message = fails(make("a", deps=["a"], partitions_def=DAILY))
    assert "a → a" in message
    assert "TimeWindowPartitionMapping(start_offset=-1, end_offset=-1)" in message
    past = dg.TimeWindowPartitionMapping(start_offset=-1, end_offset=-1)
    dg.Definitions(
        [make("a", deps=[dg.AssetDep("a", partition_mapping=past)], partitions_def=DAILY)]
    ).graph()


def test_a_diamond_is_no_cycle_and_a_long_chain_needs_no_stack() -> None:
    chain = [make(f"n{i}", deps=[f"n{i - 1}"] if i else []) for i in range(3000)]
    diamond = [make("t"), make("l", deps=["t"]), make("r", deps=["t"]), make("b", deps=["l", "r"])]
    assert len(dg.Definitions([*chain, *diamond]).graph().assets) == 3004


def test_missing_resources_and_io_managers_are_told() -> None:
    uses = make("a", required_resource_keys={"warehose"})
    assert "resource `warehose`" in (message := fails(uses, resources={"warehouse": 1}))
    assert "did you mean `warehouse`?" in message
    assert 'resources={"lake": ...}' in fails(make("a", io_manager_key="lake"))


def test_a_check_of_an_unknown_asset_is_told() -> None:
    check = dg.asset_check(asset="saels", name="c")(lambda: True)
    assert "check `c` judges asset `saels`, which is not defined; did you mean `sales`?" in fails(
        make("sales"), check
    )


def test_a_check_given_twice_is_told() -> None:
    def c(): ...

    checks = [dg.asset_check(asset="a")(c), dg.asset_check(asset="a", name="c")(lambda: True)]
    assert "check `c` of asset `a` is defined twice" in fails(make("a"), *checks)


def test_merge_joins_and_refuses_differing_resources() -> None:
    left = dg.Definitions([make("a")], resources={"x": 1})
    right = dg.Definitions([make("b", lambda a: a)], resources={"x": 1, "y": 2})
    merged = dg.Definitions.merge(left, right)
    assert edges(merged, "b") == {"a": "a"}
    assert merged.resources == {"x": 1, "y": 2}
    with pytest.raises(dg.DefinitionError, match="resource `x` is defined twice"):
        dg.Definitions.merge(left, dg.Definitions(resources={"x": 2}))


def test_parts_may_refer_to_each_other_before_they_are_merged() -> None:
    alone = dg.Definitions([make("b", lambda a: a)])
    with pytest.raises(dg.DefinitionError):
        dg.Definitions.validate_loadable(alone)
    dg.Definitions.validate_loadable(dg.Definitions.merge(alone, dg.Definitions([make("a")])))
