"""Steps of several assets: parts of them, and assets left unmade (M-2, M-25, R-37)."""

from __future__ import annotations

import pytest

import arco_flow as dg
from arco_flow._internal.manifest import manifest

OK = {"type": "result", "ok": True}


def said(messages):
    return [m["asset"] for m in messages if m["type"] == "materialized"]


def three(**options):
    seen = {}

    @dg.multi_asset(
        specs=[dg.AssetSpec("a"), dg.AssetSpec("b", deps=["a"]), dg.AssetSpec("c")],
        check_specs=[dg.AssetCheckSpec("ok", asset="a"), dg.AssetCheckSpec("ok", asset="b")],
        can_subset=True,
        **options,
    )
    def m(context):
        seen["keys"] = sorted(key.to_user_string() for key in context.selected_asset_keys)
        seen["names"] = sorted(context.selected_output_names)
        seen["checks"] = [key.to_user_string() for key in context.selected_asset_check_keys]
        for key in seen["keys"]:
            yield dg.MaterializeResult(asset_key=key, value=key)
        for key in context.selected_asset_check_keys:
            yield dg.AssetCheckResult(passed=True, asset_key=key.asset_key, check_name=key.name)

    return m, seen


def test_the_manifest_says_what_can_be_left_and_what_can_be_selected() -> None:
    m, _ = three()

    @dg.asset(output_required=False)
    def perhaps():
        yield from ()

    @dg.multi_asset(outs={"x": dg.AssetOut(), "y": dg.AssetOut(is_required=False)})
    def pair(): ...

    document = manifest(dg.Definitions([m, perhaps, pair]), "loc")
    assets = {one["key"]: one.get("skippable", False) for one in document["assets"]}
    assert assets == {"a": True, "b": True, "c": True, "perhaps": True, "x": False, "y": True}
    steps = {one["name"]: one.get("can_subset", False) for one in document["steps"]}
    assert steps == {"m": True, "perhaps": False, "pair": False}


def test_a_part_is_told_and_made(worker) -> None:
    m, seen = three()
    defs = dg.Definitions([m])
    messages = worker(defs, "m", outputs=["b", "c"], checks=[["b", "ok"]])
    assert seen == {"keys": ["b", "c"], "names": ["b", "c"], "checks": ["b:ok"]}
    assert said(messages) == ["b", "c"]
    assert messages[-1] == OK
    assert said(worker(defs, "m")) == ["a", "b", "c"]


@pytest.mark.parametrize("wrong", ["result", "output", "tuple"])
def test_what_is_not_selected_cannot_be_made(worker, wrong) -> None:
    outs = {"a": dg.AssetOut(is_required=False), "b": dg.AssetOut(is_required=False)}

    @dg.multi_asset(outs=outs, can_subset=True)
    def m():
        if wrong == "tuple":
            return 1, 2
        return dg.Output(1, "b") if wrong == "output" else dg.MaterializeResult(asset_key="b")

    (result,) = worker(dg.Definitions([m]), "m", outputs=["a"])
    assert "selected" in result["error"]["message"], result
    assert "context.selected_" in result["error"]["message"]


def test_a_required_output_is_required_when_it_is_selected(worker) -> None:
    @dg.multi_asset(outs={"a": dg.AssetOut(), "b": dg.AssetOut()}, can_subset=True)
    def m():
        yield dg.Output(1, "a")

    defs = dg.Definitions([m])
    assert worker(defs, "m", outputs=["a"])[-1] == OK
    assert "ended without making `b`" in worker(defs, "m")[-1]["error"]["message"]


def test_a_run_in_this_process_makes_the_selected_part() -> None:
    m, seen = three()
    result = dg.materialize([m], selection=["a"])
    assert result.success
    assert seen["keys"] == ["a"]
    assert [m.asset_key.to_user_string() for m in result.asset_materializations_for_node("m")] == [
        "a"
    ]

    @dg.multi_asset(specs=[dg.AssetSpec("x"), dg.AssetSpec("y")])
    def whole(): ...

    with pytest.raises(dg.UsageError, match="select `y` too"):
        dg.materialize([whole], selection=["x"])


def test_what_reads_an_asset_left_unmade_is_left_out_and_that_is_success() -> None:
    @dg.multi_asset(specs=[dg.AssetSpec("a"), dg.AssetSpec("b", skippable=True)])
    def m():
        yield dg.MaterializeResult(asset_key="a")

    @dg.asset(deps=["a"])
    def reads_a(): ...

    @dg.asset(deps=["b"])
    def reads_b(): ...

    @dg.asset(deps=[reads_b])
    def last(): ...

    result = dg.materialize([m, reads_a, reads_b, last])
    assert result.success
    assert result.is_node_success("reads_a")
    assert result.is_node_skipped("reads_b")
    assert result.is_node_skipped("last")


def test_a_step_that_leads_to_itself_is_carried_out_twice() -> None:
    calls = []

    @dg.multi_asset(specs=[dg.AssetSpec("a"), dg.AssetSpec("c", deps=["x"])], can_subset=True)
    def m(context):
        calls.append(sorted(context.selected_output_names))
        for key in context.selected_asset_keys:
            yield dg.MaterializeResult(asset_key=key)

    @dg.asset(deps=["a"])
    def x(): ...

    result = dg.materialize([m, x])
    assert calls == [["a"], ["c"]]
    assert result.is_node_success("m")
    assert result.is_node_success("m_2")
    calls.clear()
    dg.materialize([m, x], selection=["a", "c"])
    assert calls == [["a", "c"]]


def test_what_an_earlier_try_made_is_made() -> None:
    tries = []

    @dg.multi_asset(
        specs=[dg.AssetSpec("a", skippable=True), dg.AssetSpec("b", skippable=True)],
        retry_policy=dg.RetryPolicy(max_retries=1),
    )
    def m():
        tries.append(1)
        if len(tries) == 1:
            yield dg.MaterializeResult(asset_key="a")
            raise ValueError("once")
        yield dg.MaterializeResult(asset_key="b")

    @dg.asset(deps=["a", "b"])
    def reads(): ...

    result = dg.materialize([m, reads])
    assert result.is_node_success("reads")


def test_a_returned_none_is_a_value() -> None:
    @dg.asset(output_required=False)
    def perhaps():
        return None

    @dg.asset
    def reads(perhaps):
        return perhaps is None

    assert dg.materialize([perhaps, reads]).output_for_node("reads") is True
