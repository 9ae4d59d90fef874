"""One task, as a worker's child carries it out: what it emits for what a function gives."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

import arco_flow as dg

OK = {"type": "result", "ok": True}


def kinds(messages: list[dict[str, Any]]) -> list[str]:
    return [message["type"] for message in messages]


def test_a_value_is_stored_and_told(worker) -> None:
    @dg.asset
    def a():
        return [1, 2]

    defs = dg.Definitions([a])
    made, result = worker(defs, "a")
    path = str(worker.storage / "a" / "value.pickle")
    assert made == {
        "type": "materialized",
        "asset": "a",
        "metadata": {"path": {"type": "path", "value": path}},
        "tags": {},
    }
    assert result == OK


def test_values_are_loaded_into_parameters(worker) -> None:
    @dg.asset(key_prefix="raw")
    def a():
        return 20

    @dg.asset(ins={"x": dg.AssetIn(["raw", "a"])})
    def b(x):
        return dg.MaterializeResult(value=x + 1, metadata={"x": x})

    defs = dg.Definitions([a, b])
    worker(defs, "raw__a")
    made, result = worker(defs, "b", inputs={"x": "raw/a"})
    assert made["metadata"]["x"] == {"type": "int", "value": 20}
    assert result == OK


def test_metadata_data_version_and_tags_travel(worker) -> None:
    @dg.asset
    def a(context: dg.AssetExecutionContext):
        context.add_output_metadata({"rows": 3, "over": 1})
        return dg.MaterializeResult(
            metadata={"over": 2, "when": dg.MetadataValue.timestamp(1.5)},
            data_version=dg.DataVersion("v1"),
            tags={"k": "v"},
        )

    made, _ = worker(dg.Definitions([a]), "a")
    assert made["metadata"] == {
        "rows": {"type": "int", "value": 3},
        "over": {"type": "int", "value": 2},
        "when": {"type": "timestamp", "value": 1.5},
    }
    assert (made["data_version"], made["tags"]) == ("v1", {"k": "v"})


def test_none_materializes_with_and_without_a_value(worker) -> None:
    @dg.asset
    def stored():
        return None

    @dg.asset
    def nothing() -> None: ...

    defs = dg.Definitions([stored, nothing])
    assert (
        kinds(worker(defs, "stored"))
        == kinds(worker(defs, "nothing"))
        == ["materialized", "result"]
    )
    assert (worker.storage / "stored" / "value.pickle").exists()
    assert not (worker.storage / "nothing").exists()


def test_an_output_that_is_not_required_may_be_left_out(worker) -> None:
    @dg.asset(output_required=False)
    def a():
        if False:
            yield dg.Output(1)

    @dg.asset
    def b():
        yield from ()

    defs = dg.Definitions([a, b])
    assert worker(defs, "a") == [OK]
    (result,) = worker(defs, "b")
    assert "ended without making `b`" in result["error"]["message"]


def test_generators_coroutines_and_both(worker) -> None:
    @dg.asset
    def generator():
        yield dg.Output(1, metadata={"n": 1})

    @dg.asset
    async def coroutine():
        await asyncio.sleep(0)
        return 2

    @dg.asset
    async def both():
        await asyncio.sleep(0)
        yield dg.MaterializeResult(value=3)

    @dg.asset
    def returned():
        return (dg.Output(n) for n in [4])

    defs = dg.Definitions([generator, coroutine, both, returned])
    for step in ("generator", "coroutine", "both", "returned"):
        assert kinds(worker(defs, step)) == ["materialized", "result"]


def test_multi_assets_give_values_by_position_name_or_key(worker) -> None:
    outs = {"x": dg.AssetOut(), "y": dg.AssetOut(key=["p", "y"])}

    @dg.multi_asset(outs=outs, name="position")
    def position():
        return 1, dg.Output(2, metadata={"n": 2})

    @dg.multi_asset(outs={"a": dg.AssetOut(), "b": dg.AssetOut()})
    def by_name():
        yield dg.Output(1, "b")
        yield dg.Output(2, "a")

    @dg.multi_asset(specs=[dg.AssetSpec("c"), dg.AssetSpec("d")])
    def by_key():
        return [dg.MaterializeResult("d", metadata={"n": 1}), dg.MaterializeResult("c")]

    @dg.multi_asset(specs=[dg.AssetSpec("e"), dg.AssetSpec("f")])
    def nothing(): ...

    defs = dg.Definitions([position, by_name, by_key, nothing])
    made = {
        step: [m.get("asset") for m in worker(defs, step)]
        for step in ("position", "by_name", "by_key", "nothing")
    }
    assert made == {
        "position": ["x", "p/y", None],
        "by_name": ["b", "a", None],
        "by_key": ["d", "c", None],
        "nothing": ["e", "f", None],
    }


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (
            lambda: (1,),
            "makes 2 assets and returned a tuple of 1; return a tuple in the order a, b",
        ),
        (
            lambda: [dg.MaterializeResult()],
            "makes 2 assets; say which: MaterializeResult(asset_key=...)",
        ),
        (lambda: [dg.MaterializeResult("aa")], "does not make asset `aa`"),
        (lambda: [dg.Output(1, "c"), dg.Output(2, "b")], "has no output `c`; it has a, b"),
        (lambda: [dg.MaterializeResult("a")], "ended without making `b`"),
        (lambda: [dg.MaterializeResult("a"), dg.MaterializeResult("a")], "made asset `a` twice"),
    ],
)
def test_a_multi_asset_that_gives_the_wrong_things_is_told(worker, given, message) -> None:
    @dg.multi_asset(outs={"a": dg.AssetOut(), "b": dg.AssetOut()})
    def both():
        return given()

    result = worker(dg.Definitions([both]), "both")[-1]
    assert message in result["error"]["message"]


def test_yielding_a_plain_value_is_told(worker) -> None:
    @dg.asset
    def a():
        yield 1

    (result,) = worker(dg.Definitions([a]), "a")
    assert (
        "yielded a int; yield MaterializeResult(...), Output(value)" in result["error"]["message"]
    )


def test_the_context_answers_about_run_and_step(worker) -> None:
    seen: dict[str, Any] = {}

    @dg.asset(required_resource_keys={"db"})
    def a(context: dg.AssetExecutionContext):
        seen.update(
            key=context.asset_key, run=context.run.run_id, run_id=context.run_id, retry=context.retry_number,
            tag=context.get_tag("t"), has=context.has_tag("u"), partitioned=context.has_partition_key,
            db=context.resources.db, keys=context.selected_asset_keys,
        )  # fmt: skip

    defs = dg.Definitions([a], resources={"db": "DB"})
    assert worker(defs, "a", tags={"t": "1"}, retry_number=2)[-1] == OK
    assert seen == {
        "key": dg.AssetKey("a"), "run": "run_1", "run_id": "run_1", "retry": 2, "tag": "1", "has": False,
        "partitioned": False, "db": "DB", "keys": {dg.AssetKey("a")},
    }  # fmt: skip


def test_records_of_the_context_s_log_reach_python_s_logging(worker, caplog) -> None:
    @dg.asset
    def a(context: dg.AssetExecutionContext):
        context.log.info("made %d", 3)
        dg.get_dagster_logger().debug("more")
        dg.get_logger("mine").info("own")

    worker(dg.Definitions([a]), "a")
    assert [(r.name, r.levelname, r.getMessage()) for r in caplog.records] == [
        ("arco.task", "INFO", "made 3"),
        ("arco.user", "DEBUG", "more"),
        ("arco.mine", "INFO", "own"),
    ]


def test_any_asset_can_be_loaded_by_the_context(worker) -> None:
    @dg.asset
    def a():
        return 7

    @dg.asset(deps=[a])
    def b(context: dg.AssetExecutionContext):
        return context.load_asset_value("a") + 1

    defs = dg.Definitions([a, b])
    worker(defs, "a")
    assert worker(defs, "b")[-1] == OK


def test_messages_are_json_whatever_metadata_holds(worker) -> None:
    @dg.asset
    def a():
        return dg.MaterializeResult(
            metadata={
                "nan": float("nan"), "big": 2**70, "nested": {"x": (1, float("inf")), "s": {1}},
                "none": None, "key": dg.AssetKey(["a", "b"]),
                "table": dg.MetadataValue.table([dg.TableRecord({"x": 1})]),
            }
        )  # fmt: skip

    made, _ = worker(dg.Definitions([a]), "a")
    json.dumps(made, allow_nan=False)
    assert made["metadata"]["big"] == {"type": "int", "value": str(2**70)}
    assert made["metadata"]["nan"] == {"type": "text", "value": "nan"}
    assert made["metadata"]["table"]["value"]["schema"] == {
        "columns": [{"name": "x", "type": "int"}]
    }


def test_an_unknown_step_is_told(worker) -> None:
    @dg.asset
    def sales(): ...

    (result,) = worker(dg.Definitions([sales]), "saless")
    assert result["error"]["message"] == "this location has no step `saless`; did you mean `sales`?"
