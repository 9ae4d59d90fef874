"""Checks within a step and in steps of their own; blocking ones (M-19 to M-22)."""

from __future__ import annotations

import pytest

import arco_flow as dg


@dg.asset
def a():
    return [1]


def check_step(fn, **given):
    return dg.Definitions([a], asset_checks=[dg.asset_check(asset=a, name="c", **given)(fn)])


def test_a_check_loads_its_asset_by_any_name(worker) -> None:
    defs = check_step(
        lambda value: dg.AssetCheckResult(passed=value == [1], metadata={"n": 1}, description="d")
    )
    worker(defs, "a")
    verdict, result = worker(defs, "a_c", inputs={"value": "a"}, checks=[["a", "c"]])
    assert verdict == {
        "type": "check",
        "asset": "a",
        "check": "c",
        "passed": True,
        "severity": "ERROR",
        "metadata": {"n": {"type": "int", "value": 1}},
        "description": "d",
    }
    assert result["ok"]


def test_a_plain_bool_is_a_verdict(worker) -> None:
    verdict, result = worker(check_step(lambda: False), "a_c")
    assert (verdict["passed"], result["ok"]) == (False, True)


@pytest.mark.parametrize(
    ("blocking", "severity", "ok"),
    [
        (True, dg.AssetCheckSeverity.ERROR, False),
        (True, dg.AssetCheckSeverity.WARN, True),
        (False, dg.AssetCheckSeverity.ERROR, True),
    ],
)
def test_only_a_blocking_error_fails_the_step(worker, blocking, severity, ok) -> None:
    defs = check_step(
        lambda: dg.AssetCheckResult(passed=False, severity=severity), blocking=blocking
    )
    verdict, result = worker(defs, "a_c")
    assert (verdict["passed"], result["ok"]) == (False, ok)
    if not ok:
        assert (result["class"], result["allow_retries"]) == ("data_quality", False)
        assert result["error"]["type"] == "AssetCheckFailed"
        assert result["error"]["message"].startswith("blocking check `c` of asset `a` failed")


def within(*results, **given):
    @dg.asset(
        check_specs=[dg.AssetCheckSpec("c", asset="x", **given), dg.AssetCheckSpec("d", asset="x")]
    )
    def x():
        yield from results

    return dg.Definitions([x])


def test_checks_within_the_step_of_the_asset(worker) -> None:
    results = [
        dg.AssetCheckResult(passed=True, check_name="d"),
        dg.MaterializeResult(check_results=[dg.AssetCheckResult(passed=False, check_name="c")]),
    ]
    defs = within(*results, blocking=True)
    messages = worker(defs, "x", checks=[["x", "c"], ["x", "d"]])
    assert [m["type"] for m in messages] == ["check", "materialized", "check", "result"]
    assert (
        messages[-1]["ok"] is False
    )  # The asset stays made; what is downstream does not start (M-21).


def test_a_check_that_says_nothing_gates_nothing(worker) -> None:
    assert worker(within(dg.MaterializeResult(), blocking=True), "x")[-1]["ok"]


def test_a_check_outside_the_run_gates_nothing(worker) -> None:
    failed = dg.AssetCheckResult(passed=False, check_name="c")
    messages = worker(within(dg.MaterializeResult(), failed, blocking=True), "x", checks=[])
    assert [m["type"] for m in messages] == ["materialized", "result"]
    assert messages[-1]["ok"]


def test_a_result_that_can_mean_several_checks_is_told(worker) -> None:
    result = worker(within(dg.MaterializeResult(), dg.AssetCheckResult(passed=True)), "x")[-1]
    assert "can mean several checks; give asset_key and check_name" in result["error"]["message"]
    unknown = dg.AssetCheckResult(passed=True, check_name="e")
    result = worker(within(dg.MaterializeResult(), unknown), "x")[-1]
    assert "can mean no check" in result["error"]["message"]


def test_a_value_beside_check_results(worker) -> None:
    @dg.asset(check_specs=[dg.AssetCheckSpec("c", asset="x")])
    def x():
        return 5, dg.AssetCheckResult(passed=True)

    messages = worker(dg.Definitions([x]), "x")
    assert [m["type"] for m in messages] == ["materialized", "check", "result"]


def test_several_checks_of_one_function(worker) -> None:
    specs = [dg.AssetCheckSpec("p", asset="a"), dg.AssetCheckSpec("q", asset="b")]

    @dg.multi_asset_check(specs=specs)
    def both():
        yield dg.AssetCheckResult(passed=True, check_name="p")
        yield dg.AssetCheckResult(passed=False, asset_key="b")

    defs = dg.Definitions([a, dg.AssetSpec("b")], asset_checks=[both])
    p, q, result = worker(defs, "both")
    assert [(m["asset"], m["check"], m["passed"]) for m in (p, q)] == [
        ("a", "p", True),
        ("b", "q", False),
    ]
    assert result["ok"]


def test_other_assets_of_a_check(worker) -> None:
    @dg.asset_check(asset=a, additional_ins={"other": dg.AssetIn("b")}, additional_deps=["z"])
    def c(other, mine):
        return dg.AssetCheckResult(passed=other == mine)

    b = dg.asset(name="b")(lambda: [1])
    defs = dg.Definitions([a, b], asset_checks=[c])
    (node,) = defs.graph().checks.values()
    assert [(e.key.to_user_string(), e.param) for e in node.edges] == [
        ("a", "mine"),
        ("b", "other"),
        ("z", None),
    ]
    worker(defs, "a")
    worker(defs, "b")
    assert worker(defs, "a_c", inputs={"mine": "a", "other": "b"})[0]["passed"]


def test_a_partitioned_check_tells_its_partition(worker) -> None:
    parts = dg.StaticPartitionsDefinition(["x", "y"])

    @dg.asset(partitions_def=parts)
    def p():
        return 1

    @dg.asset_check(asset=p, partitions_def=parts)
    def c(context: dg.AssetCheckExecutionContext, p):
        return dg.AssetCheckResult(passed=context.partition_key == "x")

    defs = dg.Definitions([p], asset_checks=[c])
    worker(defs, "p", partitions=["x"])
    verdict, _ = worker(defs, "p_c", partitions=["x"], inputs={"p": ("p", ["x"])})
    assert (verdict["partition"], verdict["passed"]) == ("x", True)


def test_a_check_that_returns_nothing_is_told(worker) -> None:
    (result,) = worker(check_step(lambda: None), "a_c")
    assert (
        result["error"]["message"]
        == "check `a_c` returned None; return AssetCheckResult(passed=...)"
    )


def test_a_check_of_all_partitions_says_so_when_one_is_missing(worker) -> None:
    days = dg.DailyPartitionsDefinition("2024-01-01")

    @dg.asset(partitions_def=days)
    def day(): ...

    def told(**given) -> str:
        check = dg.asset_check(asset=day, name="c", **given)(lambda day: bool(day))
        defs = dg.Definitions([day], asset_checks=[check])
        (result,) = worker(defs, "day_c", inputs={"day": ("day", ["2024-01-01", "2024-01-02"])})
        return result["error"]["message"]

    assert "has no stored value" in told()
    assert "is not partitioned, so it reads all partitions of `day`" in told()
    assert "give it partitions_def= of the asset" in told()
    assert "reads all partitions" not in told(partitions_def=days)
