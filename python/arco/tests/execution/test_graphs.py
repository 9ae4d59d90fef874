"""Assets that several ops make together, and ops carried out once for each key (M-3, R-37, R-38, R-43)."""

from __future__ import annotations

import pytest

import arco_flow as dg
from arco_flow._internal.manifest import manifest


@dg.op(out=dg.DynamicOut())
def split(n):
    for i in range(n):
        yield dg.DynamicOutput(i, mapping_key=f"k{i}")


@dg.op
def more(n):
    return n + 1


@dg.op
def times(n, by):
    return n * by


@dg.op
def total(ns):
    return sum(ns)


@dg.op(out=dg.Out(is_required=False))
def positive(n):
    if n > 0:
        yield dg.Output(n)


def number(value):
    return dg.asset(name="u")(lambda: value)


def steps(result):
    return {name: outcome.status for name, outcome in result._outcomes.items()}


def test_ops_are_steps_and_their_values_go_on() -> None:
    @dg.graph_asset
    def g(u):
        return times(more(u), more(more(u)))

    @dg.asset
    def after(g):
        return g * 100

    result = dg.materialize([number(1), g, after])
    assert result.success
    assert list(steps(result)) == ["u", "g.more", "g.more_2", "g.more_3", "g.times", "after"]
    assert result.output_for_node("after") == 600


@pytest.mark.parametrize(("n", "value"), [(3, 6), (1, 1), (0, 0)])
def test_one_task_for_each_key_and_a_list_of_what_they_gave(n, value) -> None:
    @dg.graph_asset
    def g(u):
        return total(split(u).map(more).collect())

    result = dg.materialize([number(n), g])
    assert result.asset_value("g") == value
    mapped = [f"g.more[k{i}]" for i in range(n)]
    assert list(steps(result)) == ["u", "g.split", *mapped, "g.total"]


def test_chains_outer_values_and_two_in_a_row() -> None:
    @dg.graph_asset
    def g(u):
        by = more(u)
        first = total(split(u).map(lambda n: times(more(n), by)).map(more).collect())
        return total(split(first).collect())

    # u = 2: (1·3 + 1) + (2·3 + 1) = 11; 0 + 1 + … + 10 = 55
    assert dg.materialize([number(2), g]).asset_value("g") == 55


def test_a_failed_branch_stops_what_collects_it_and_no_other_branch() -> None:
    @dg.op
    def picky(n):
        if n == 1:
            raise ValueError("no")
        return n

    @dg.graph_asset
    def g(u):
        return total(split(u).map(picky).map(more).collect())

    @dg.asset
    def after(g): ...

    result = dg.materialize([number(2), g, after], raise_on_error=False)
    assert not result.success
    assert steps(result) == {
        "u": "succeeded",
        "g.split": "succeeded",
        "g.picky[k0]": "succeeded",
        "g.picky[k1]": "failed",
        "g.more[k0]": "succeeded",
        "g.more[k1]": "skipped",
        "g.total": "skipped",
        "after": "skipped",
    }


@pytest.mark.parametrize(
    ("n", "status", "success"), [(2, "succeeded", True), (1, "left_out", True)]
)
def test_a_collection_is_left_out_only_when_all_of_it_is(n, status, success) -> None:
    @dg.graph_asset
    def g(u):
        return total(split(u).map(lambda i: more(positive(i))).collect())

    @dg.asset
    def after(g): ...

    result = dg.materialize([number(n), g, after])
    assert result.success is success
    assert steps(result)["g.more[k0]"] == "left_out"
    assert steps(result)["g.total"] == status
    assert steps(result)["after"] == status


def test_several_assets_one_of_which_is_left_out() -> None:
    @dg.op(out={"x": dg.Out(is_required=False), "y": dg.Out()})
    def two(n):
        yield dg.Output(n, "y")

    @dg.graph_multi_asset(outs={"X": dg.AssetOut(), "Y": dg.AssetOut(key=["p", "Y"])})
    def gm(u):
        x, y = two(u)
        return {"X": more(x), "Y": more(y)}

    @dg.asset
    def reads(X): ...

    result = dg.materialize([number(1), gm, reads])
    assert result.success
    assert result.asset_value(["p", "Y"]) == 2
    assert steps(result) == {
        "u": "succeeded",
        "gm.two": "succeeded",
        "gm.more": "left_out",
        "gm.more_2": "succeeded",
        "reads": "left_out",
    }
    with pytest.raises(dg.UsageError, match="selected"):
        dg.materialize([number(1), gm], selection=["X"])


def test_a_graph_within_a_graph_and_an_asset_of_a_graph() -> None:
    @dg.graph
    def sub(n):
        return more(times(n, more(n)))

    @dg.graph
    def outer(u):
        return more(sub(sub(u)))

    made = dg.AssetsDefinition.from_graph(
        outer, keys_by_input_name={"u": dg.AssetKey("v")}, group_name="graphs"
    )
    v = dg.asset(name="v")(lambda: 1)
    result = dg.materialize([v, made])
    # 1·2 + 1 = 3; 3·4 + 1 = 13; 14
    assert result.asset_value("outer") == 14
    assert list(steps(result)) == [
        "v", "outer.sub.more", "outer.sub.times", "outer.sub.more_2",
        "outer.sub_2.more", "outer.sub_2.times", "outer.sub_2.more_2", "outer.more",
    ]  # fmt: skip


def test_fan_in_takes_what_is_there() -> None:
    @dg.graph_asset
    def g(u):
        return total([positive(u), more(u)])

    assert dg.materialize([number(0), g]).asset_value("g") == 1


def test_tries_belong_to_the_op() -> None:
    tried = []

    @dg.op(retry_policy=dg.RetryPolicy(max_retries=2))
    def flaky(n):
        tried.append(n)
        if len(tried) < 3:
            raise ValueError("again")
        return n

    @dg.graph_asset
    def g(u):
        return flaky(more(u))

    result = dg.materialize([number(1), g])
    assert tried == [2, 2, 2]
    assert result.retry_attempts_for_node("g.flaky") == 2


def test_resources_config_and_context_of_an_op() -> None:
    class Settings(dg.Config):
        by: int

    class Scale(dg.ConfigurableResource):
        factor: int

    seen = {}

    @dg.op
    def scale(context: dg.OpExecutionContext, n, config: Settings, resource: Scale):
        seen["key"] = context.get_mapping_key()
        seen["partition"] = context.partition_key
        return n * config.by * resource.factor

    @dg.graph_asset(partitions_def=dg.StaticPartitionsDefinition(["a", "b"]))
    def g(u):
        return total(split(u).map(scale).collect())

    result = dg.materialize(
        [number(2), g],
        partition_key="b",
        resources={"resource": Scale(factor=10)},
        run_config={"ops": {"g.scale": {"config": {"by": 3}}}},
    )
    assert result.asset_value("g") == 30
    assert seen == {"key": "k1", "partition": "b"}


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (lambda u: more(split(u)), "passes a dynamic output directly to `n` of `more`"),
        (lambda _: more(1), "gives `n` of `more` the value 1"),
        (lambda _: more(), "without its input `n`"),
        (lambda u: more(u, u), "gives op `more` 2 inputs; it has 1"),
        (lambda u: more(m=u), "an input `m`, which it does not have"),
        (lambda u: split(u).map(more), "of a dynamic output; collect it"),
        (lambda u: split(u).map(split), "would be mapped over two dynamic outputs"),
        (lambda _: None, "returns nothing"),
        (lambda _: 1, "returns 1 as `result`"),
        (lambda u: u, "return what an op gave"),
    ],
)
def test_a_graph_that_does_not_hold_together_is_told(body, told) -> None:
    with pytest.raises(dg.DefinitionError) as refused:
        dg.graph_asset(name="g")(body)
    assert told in str(refused.value)


def test_wrong_outputs_are_told(worker) -> None:
    def op_of(fn, **options):
        made = dg.op(name="o", **options)(fn)
        graph = dg.graph_asset(name="g")(
            lambda: total([made()] if "out" not in options else made().collect())
        )
        return worker(dg.Definitions([graph]), "g.o")[-1]["error"]["message"]

    def twice():
        yield dg.DynamicOutput(1, "a")
        yield dg.DynamicOutput(2, "a")

    assert "gave output `result` with mapping key `a` twice" in op_of(twice, out=dg.DynamicOut())
    assert "is dynamic; yield DynamicOutput" in op_of(lambda: dg.Output(1), out=dg.DynamicOut())
    assert "an @asset_check" in op_of(lambda: dg.MaterializeResult())

    def none():
        yield from ()

    assert "ended without its output `result`" in op_of(none)
    with pytest.raises(dg.UsageError, match="letters, digits and underscores"):
        dg.DynamicOutput(1, "a-b")


def test_values_lie_in_the_run_and_keys_are_said(worker) -> None:
    @dg.graph_asset
    def g(u):
        return total(split(u).map(more).collect())

    defs = dg.Definitions([number(2), g])
    assert worker(defs, "u")[-1]["ok"]
    said = worker(defs, "g.split", inputs={"n": "u"})
    assert said[0] == {"type": "values", "outputs": [{"name": "result", "keys": ["k0", "k1"]}]}
    assert (worker.storage / ".runs/run_1/g.split/result/k1.pickle").exists()
    given = {"run": "run_1", "step": "g.split", "output": "result", "mapping_key": "k1"}
    lease = {"op_inputs": [{"param": "n", "values": [given]}], "mapping_key": "k1"}
    assert worker(defs, "g.more", **lease)[-1]["ok"]
    given = {"run": "run_1", "step": "g.more[k1]", "output": "result"}
    lease = {"op_inputs": [{"param": "ns", "list": True, "values": [given]}]}
    made, values, result = worker(defs, "g.total", **lease)
    assert (made["asset"], values["outputs"], result["ok"]) == ("g", [{"name": "result"}], True)
    assert (worker.storage / "g" / "value.pickle").exists()
    lost = {**given, "run": "run_0"}
    lease = {"op_inputs": [{"param": "ns", "list": True, "values": [lost]}]}
    (result,) = worker(defs, "g.total", **lease)
    assert "output `result` of `g.more[k1]` has no stored value" in result["error"]["message"]


def test_the_manifest_has_the_ops_and_the_values_between_them() -> None:
    @dg.graph_asset(group_name="graphs")
    def g(u):
        return total(split(u).map(more).collect())

    document = manifest(dg.Definitions([number(1), g]), "loc")
    asset = next(one for one in document["assets"] if one["key"] == "g")
    assert (asset["step"], asset["group"]) == ("g.total", "graphs")
    assert asset["deps"] == [{"asset": "u", "param": "u"}]
    ops = {one["name"]: one for one in document["steps"] if one["kind"] == "op"}
    assert list(ops) == ["g.more", "g.split", "g.total"]
    assert ops["g.split"]["deps"] == [{"asset": "u", "param": "n"}]
    assert ops["g.split"]["values"] == [{"name": "result", "dynamic": True}]
    over = {"step": "g.split", "output": "result"}
    assert ops["g.more"]["over"] == over
    assert ops["g.more"]["inputs"] == [{"param": "n", "sources": [over]}]
    collected = {"step": "g.more", "output": "result", "all": True}
    assert ops["g.total"]["inputs"] == [{"param": "ns", "sources": [collected]}]
    assert ops["g.total"]["values"] == [{"name": "result", "asset": "g"}]
    assert {one["graph"] for one in ops.values()} == {"g"}
