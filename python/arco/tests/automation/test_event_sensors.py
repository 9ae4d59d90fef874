"""Sensors that are called with what happened: messages, materializations, runs (N-21 to N-25)."""

from __future__ import annotations

import json
import time
from datetime import timezone
from typing import Any

import pytest

import arco_flow as dg
from arco_flow._internal.automation.multi_asset_sensor import UNCONSUMED_MAX
from arco_flow._internal.execution.evaluate import execute_evaluation


@dg.asset
def a(): ...


@dg.asset
def b(): ...


def load(*sensors: Any, **options: Any) -> dg.Definitions:
    defs = dg.Definitions(assets=[a, b], sensors=sensors, **options)
    dg.Definitions.validate_loadable(defs)
    return defs


def watches(sensor: Any, **options: Any) -> dict[str, Any]:
    found = load(sensor, **options).sensors_json()[0]
    names = ("kind", "assets", "statuses", "monitored_jobs", "monitor_all_code_locations")
    return {name: found[name] for name in names if name in found}


def message(number: int, **data: Any) -> dict[str, Any]:
    return {
        "of": "message",
        "id": f"m{number}",
        "time": number * 1000,
        "data": data,
        "attributes": {"source": "x"},
    }


def made(
    number: int, asset: str = "a", partition: str | None = None, **more: Any
) -> dict[str, Any]:
    found = {
        "of": "materialization",
        "position": f"7.{number}",
        "time": number * 1000,
        "asset": asset,
        **more,
    }
    return found if partition is None else {**found, "partition": partition}


def ran(number: int, status: str = "failed", **more: Any) -> dict[str, Any]:
    return {
        "of": "run",
        "position": f"7.{number}",
        "time": 1,
        "run": f"run_{number}",
        "status": status,
        **more,
    }


def ask(
    sensor: Any,
    *queue: Any,
    cursor: str | None = None,
    progress: Any = None,
    timeout_ms: int = 60_000,
    **options: Any,
) -> dict[str, Any]:
    question = {
        "id": "q",
        "timeout_ms": timeout_ms,
        "kind": "sensor",
        "name": sensor.name,
        "queue": list(queue),
    }
    if cursor is not None:
        question["cursor"] = cursor
    return execute_evaluation(load(sensor, **options), question, progress)


def keys(answer: dict[str, Any]) -> list[tuple[str, int]]:
    return [(one["run_key"], one["answers"]) for one in answer["run_requests"]]


# Messages.


@dg.push_sensor(target=[a], max_attempts=3)
def orders(context: dg.SensorEvaluationContext, message: dg.Message) -> Any:
    """Takes orders."""
    if message.data.get("bad"):
        raise ValueError("a bad order")
    if message.data.get("no"):
        return dg.SkipReason(f"not {message.id}")
    context.update_cursor(f"{context.cursor or ''}{message.id}")
    return dg.RunRequest(message.id, tags={"source": message.attributes["source"]})


def test_a_push_sensor_is_declared() -> None:
    found = load(orders).sensors_json()[0]
    assert (found["kind"], found["max_attempts"], found["description"]) == (
        "push",
        3,
        "Takes orders.",
    )
    assert "minimum_interval_seconds" not in found
    assert dg.push_sensor(orders.__wrapped__).name == "orders"


def test_each_message_is_a_call_and_the_cursor_goes_on() -> None:
    answer = ask(orders, message(1), message(2, no=True), message(3), cursor="0")
    assert (answer["said"], answer["taken"], answer["cursor"]) == ("returned", 3, "0m1m3")
    assert keys(answer) == [("m1", 0), ("m3", 2)]
    assert answer["run_requests"][0]["tags"] == {"source": "x"}
    assert "skip_reason" not in answer
    assert ask(orders, message(1, no=True), message(2, no=True))["skip_reason"] == "not m1; not m2"


def test_each_request_says_which_message_it_answers() -> None:
    customers = dg.DynamicPartitionsDefinition(name="customers")

    @dg.push_sensor(target=[a])
    def asks(context: dg.SensorEvaluationContext, message: dg.Message) -> Any:
        return dg.SensorResult(
            backfill_requests=[dg.BackfillRequest("a")],
            dynamic_partitions_requests=[customers.build_add_request([message.id])],
        )

    answer = ask(asks, message(1), message(2))
    assert [one["answers"] for one in answer["backfills"]] == [0, 1]
    changes = answer["dynamic_partitions"]
    assert [(one["add"], one["answers"]) for one in changes] == [(["m1"], 0), (["m2"], 1)]


def test_what_came_before_a_bad_message_counts() -> None:
    answer = ask(orders, message(1), message(2, bad=True), message(3))
    assert (answer["said"], answer["error"]["message"]) == ("raised", "a bad order")
    assert (answer["before"]["taken"], answer["before"]["cursor"]) == (1, "m1")
    assert keys(answer["before"]) == [("m1", 0)]
    assert "before" not in ask(orders, message(1, bad=True))


def test_progress_is_told_after_each_call() -> None:
    told: list[Any] = []
    ask(orders, message(1), message(2), progress=told.append)
    assert [(one["taken"], keys(one)) for one in told] == [
        (1, [("m1", 0)]),
        (2, [("m1", 0), ("m2", 1)]),
    ]


def test_what_does_not_fit_into_the_time_is_left() -> None:
    slow = dg.push_sensor(name="slow")(lambda c, m: time.sleep(0.06))
    answer = ask(slow, *(message(n) for n in range(50)), timeout_ms=200)
    assert answer["said"] == "returned"
    assert 1 < answer["taken"] < 10


def test_one_key_in_a_queue_is_one_run() -> None:
    same = dg.push_sensor(name="same", target=[a])(lambda c, m: dg.RunRequest("k"))
    answer = ask(same, message(1), message(2))
    assert (keys(answer), answer["taken"]) == ([("k", 0)], 2)


def test_a_message_is_what_was_sent() -> None:
    seen: list[dg.Message] = []
    ask(dg.push_sensor(name="s")(lambda c, m: seen.append(m)), message(1, n=[1, None]))
    assert (seen[0].id, seen[0].data, seen[0].attributes) == (
        "m1",
        {"n": [1, None]},
        {"source": "x"},
    )
    assert (seen[0].time.timestamp(), seen[0].time.tzinfo) == (1.0, timezone.utc)
    assert orders(dg.build_sensor_context(), dg.Message("m9", {}, {"source": "t"})).run_key == "m9"
    assert orders(message=dg.Message("m9", {}, {"source": "t"})).run_key == "m9"


# Assets.


def test_each_materialization_is_a_call() -> None:
    seen: list[dg.EventLogEntry] = []

    @dg.asset_sensor(asset_key=dg.AssetKey(["raw", "x"]), job=dg.define_asset_job("j", "a"))
    def s(context, asset_event):
        seen.append(asset_event)
        return dg.RunRequest(run_key=asset_event.position)

    assert watches(s) == {"kind": "asset", "assets": ["raw/x"]}
    metadata = {"rows": {"type": "int", "value": 3}}
    events = [
        made(1, "raw/x", "2026-01-01", run="run_1", metadata=metadata, data_version="v1"),
        made(2, "raw/x"),
    ]
    answer = ask(s, *events)
    assert (keys(answer), answer["taken"]) == ([("7.1", 0), ("7.2", 1)], 2)
    first, second = seen
    assert (first.asset_key, first.partition_key, first.run_id, first.timestamp) == (
        dg.AssetKey(["raw", "x"]), "2026-01-01", "run_1", 1.0,
    )  # fmt: skip
    made_it = first.asset_materialization
    assert (made_it.metadata["rows"].value, made_it.partition) == (3, "2026-01-01")
    assert made_it.tags == {"dagster/data_version": "v1"}
    assert first.dagster_event.event_specific_data.materialization == made_it
    assert (first.dagster_event.asset_key, first.storage_id) == (first.asset_key, "7.1")
    assert (second.partition_key, second.run_id) == (None, "")
    assert s(dg.build_sensor_context(), second).run_key == "7.2"
    assert watches(dg.asset_sensor(a, name="t")(lambda c: None)) == {
        "kind": "asset",
        "assets": ["a"],
    }


# Runs.


def test_each_run_that_failed_is_a_call() -> None:
    seen: list[Any] = []

    @dg.run_failure_sensor
    def alert(context: dg.RunFailureSensorContext):
        seen.append(
            (
                context.dagster_run.run_id,
                context.dagster_run.job_name,
                context.failure_event.message,
            )
        )
        assert context.dagster_run.is_failure
        assert context.failure_event.event_type_value == "PIPELINE_FAILURE"

    assert watches(alert) == {"kind": "run_status", "statuses": ["failed"]}
    answer = ask(alert, ran(1, job="j", message="no disk"), ran(2))
    assert (answer["said"], answer["taken"]) == ("returned", 2)
    assert seen == [("run_1", "j", "no disk"), ("run_2", "__ASSET_JOB", None)]


def test_a_run_that_ends_may_start_another() -> None:
    j = dg.define_asset_job("j", "a")

    @dg.run_status_sensor(
        run_status=dg.DagsterRunStatus.SUCCESS,
        monitored_jobs=[j],
        request_job=dg.define_asset_job("k", "b"),
    )
    def after(context, prefix: dg.ResourceParam[str]):
        assert isinstance(context, dg.RunStatusSensorContext)
        return dg.RunRequest(
            run_key=f"{prefix}{context.dagster_run.run_id}", tags=context.dagster_run.tags
        )

    resources = {"prefix": "p-"}
    with pytest.raises(
        dg.DefinitionError,
        match="sensor `after` watches the job `j`, which is not defined",
    ):
        load(after, resources=resources)
    assert watches(after, jobs=[j], resources=resources) == {
        "kind": "run_status", "statuses": ["succeeded"], "monitored_jobs": ["j"],
    }  # fmt: skip
    tags = {"dagster/partition": "x"}
    answer = ask(after, ran(1, "succeeded", job="j", tags=tags), jobs=[j], resources=resources)
    assert keys(answer) == [("p-run_1", 0)]
    assert answer["run_requests"][0]["tags"] == tags

    run = dg.DagsterRun("run_9", "j", dg.DagsterRunStatus.SUCCESS)
    event = dg.DagsterEvent("PIPELINE_SUCCESS")
    context = dg.build_run_status_sensor_context(
        sensor_name="after",
        dagster_event=event,
        dagster_run=run,
        resources=resources,
        partition_key="x",
    )
    assert after(context).tags == tags
    assert (context.partition_key, context.dagster_run.is_finished) == ("x", True)
    assert after.evaluate_tick(context).run_requests[0].run_key == "p-run_9"
    assert isinstance(context.for_run_failure(), dg.RunFailureSensorContext)
    with pytest.raises(dg.UsageError, match="write build_run_status_sensor_context"):
        after()


def test_several_statuses_and_all_locations() -> None:
    statuses = [dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.CANCELED]
    s = dg.run_status_sensor(statuses, name="s", monitor_all_code_locations=True)(
        lambda context: None
    )
    assert watches(s) == {
        "kind": "run_status", "statuses": ["started", "cancelled"], "monitor_all_code_locations": True,
    }  # fmt: skip
    seen: list[Any] = []
    t = dg.run_status_sensor(statuses, name="t")(
        lambda context: seen.append(context.dagster_run.status)
    )
    ask(t, ran(1, "started"), ran(2, "cancelled"))
    assert seen == statuses


# Several assets.


def both(context: dg.MultiAssetSensorEvaluationContext) -> Any:
    found = context.latest_materialization_records_by_key()
    if not all(found.values()):
        return dg.SkipReason(f"waits, has {[one.position for one in context.unconsumed]}")
    context.advance_all_cursors()
    return dg.RunRequest(run_key="+".join(one.position for one in found.values()))


def test_a_multi_asset_sensor_keeps_what_it_did_not_consume() -> None:
    s = dg.multi_asset_sensor(monitored_assets=[a, b], request_assets=[a])(both)
    assert watches(s) == {"kind": "asset", "assets": ["a", "b"]}
    first = ask(s, made(1, "a", metadata={"n": {"type": "int", "value": 1}}), made(2, "a"))
    assert (first["taken"], first["skip_reason"], first["run_requests"]) == (
        2,
        "waits, has ['7.2']",
        [],
    )
    assert [one["position"] for one in json.loads(first["cursor"])["unconsumed"]] == ["7.2"]
    second = ask(s, made(3, "b"), cursor=first["cursor"])
    assert second["run_requests"] == [{"run_key": "7.2+7.3"}]
    assert (second["taken"], second["cursor"]) == (1, "")


def test_records_by_partition_are_consumed_one_by_one() -> None:
    def fn(context: dg.MultiAssetSensorEvaluationContext) -> Any:
        for day, found in context.latest_materialization_records_by_partition_and_asset().items():
            if set(found) == set(context.asset_keys):
                context.advance_cursor(found)
                yield dg.RunRequest(run_key=day, partition_key=day)

    s = dg.multi_asset_sensor(dg.AssetSelection.all(), name="s", request_assets=[a])(fn)
    assert watches(s) == {"kind": "asset", "assets": ["a", "b"]}
    events = [
        made(1, "a", "d1"),
        made(2, "a", "d2"),
        made(3, "b", "d1"),
        made(4, "b", "d3"),
        made(5, "a", "d2"),
    ]
    answer = ask(s, *events)
    assert [one["run_key"] for one in answer["run_requests"]] == ["d1"]
    assert [one["position"] for one in json.loads(answer["cursor"])["unconsumed"]] == ["7.4", "7.5"]


def test_what_cannot_be_kept_is_said() -> None:
    quiet = dg.multi_asset_sensor([a], name="quiet")(lambda context: None)
    many = [made(n, "a", f"p{n}") for n in range(UNCONSUMED_MAX + 20)]
    kept = json.loads(ask(quiet, *many)["cursor"])["unconsumed"]
    assert (len(kept), kept[0]["partition"]) == (UNCONSUMED_MAX, "p20")
    large = [
        made(n, "a", f"p{n}", metadata={"t": {"type": "text", "value": "x" * 10_000}})
        for n in range(40)
    ]
    kept = json.loads(ask(quiet, *large)["cursor"])["unconsumed"]
    assert (len(kept), any("metadata" in one for one in kept)) == (40, False)
    assert (
        "is not one that it wrote; delete it" in ask(quiet, made(1), cursor="7")["error"]["message"]
    )


def test_a_unit_test_of_a_multi_asset_sensor() -> None:
    s = dg.multi_asset_sensor([a, b], name="s", request_assets=[a])(both)
    records = [
        dg.EventLogEntry(a.key, position="1"),
        dg.EventLogEntry(b.key, position="2", partition_key="d"),
    ]
    context = dg.build_multi_asset_sensor_context(monitored_assets=[a, b], records=records)
    assert list(context.latest_materialization_records_by_partition(b.key)) == ["d"]
    assert len(context.materialization_records_for_key(a.key, limit=5)) == 1
    assert s(context).run_key == "1+2"
    assert context.unconsumed == ()
    with pytest.raises(dg.UsageError, match="does not watch `c`"):
        context.materialization_records_for_key(dg.AssetKey("c"))
    with pytest.raises(dg.UsageError, match="call advance_all_cursors"):
        context.update_cursor("x")
    with pytest.raises(dg.UsageError, match="write build_multi_asset_sensor_context"):
        s()


@pytest.mark.parametrize(
    ("make", "error"),
    [
        (lambda: dg.push_sensor(name="s")(lambda c, m, x: None), "its function takes the context and the message"),
        (lambda: dg.push_sensor(name="s", max_attempts=0)(lambda: None), "max_attempts of sensor `s`"),
        (lambda: dg.run_status_sensor(dg.DagsterRunStatus.QUEUED, name="s")(lambda: None), "which no sensor can wait"),
        (lambda: dg.run_status_sensor([], name="s")(lambda: None), "run_status of sensor `s` is empty"),
        (lambda: dg.run_failure_sensor("s", monitored_jobs="j")(lambda: None), r"write monitored_jobs=\[...\]"),
        (lambda: dg.run_failure_sensor("s", monitored_jobs=[5])(lambda: None), "holds 5; give jobs of this location"),
        (
            lambda: dg.run_failure_sensor("s", monitored_jobs=["j"], monitor_all_code_locations=True)(lambda: None),
            "give one of them",
        ),
        (lambda: dg.run_failure_sensor("s", monitored_jobs=["j"], job_selection=["k"]), "an older name of"),
        (lambda: dg.multi_asset_sensor("a", name="s")(lambda: None), "monitored_assets of sensor `s` is a list"),
        (lambda: dg.multi_asset_sensor([], name="s")(lambda: None), "watches nothing"),
        (lambda: watches(dg.multi_asset_sensor(dg.AssetSelection.groups("x"), name="s")(lambda: None)), "watches nothing"),
        (lambda: dg.asset_sensor(lambda: None), "did you forget to decorate"),
    ],
)  # fmt: skip
def test_what_cannot_stand_is_refused_with_a_mend(make: Any, error: str) -> None:
    with pytest.raises(dg.DefinitionError, match=error):
        make()


def test_what_event_sensors_cannot_give() -> None:
    cursor = dg.run_failure_sensor("s")(lambda: [dg.SensorResult(cursor="x")])
    assert "a run-status sensor has no cursor" in ask(cursor, ran(1))["error"]["message"]
    several = dg.multi_asset_sensor([a], name="s")(lambda: dg.SensorResult(cursor="x"))
    assert "its cursor keeps what is not consumed" in ask(several, made(1))["error"]["message"]
    polling = dg.sensor(name="s")(lambda: None)
    assert (
        "sensor `s` polls, and was given 'message'" in ask(polling, message(1))["error"]["message"]
    )
    steps = dg.run_failure_sensor("s")(lambda c: c.get_step_failure_events())
    assert "ask the API for the tasks of the run" in ask(steps, ran(1))["error"]["message"]
