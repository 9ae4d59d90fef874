"""Sensors that poll: what they declare, what they may give, and how a unit test calls them (N-1 to N-20)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

import arco_flow as dg
from arco_flow._internal.execution.evaluate import execute_evaluation

CUSTOMERS = dg.DynamicPartitionsDefinition(name="customers")


@dg.asset
def a(): ...


@dg.asset(partitions_def=CUSTOMERS)
def orders(): ...


def job(name: str = "j", selection: Any = "a") -> Any:
    return dg.define_asset_job(name, selection)


def declare(fn: Any, **options: Any) -> dg.SensorDefinition:
    return dg.sensor(**{"name": "s", "target": [a, orders], **options})(fn)


def load(*sensors: Any, **options: Any) -> dg.Definitions:
    defs = dg.Definitions(assets=[a, orders], sensors=sensors, **options)
    dg.Definitions.validate_loadable(defs)
    return defs


def ask(sensor: Any, cursor: str | None = None, more: Any = None, **options: Any) -> dict[str, Any]:
    question = {
        "id": "q1",
        "timeout_ms": 60_000,
        "kind": "sensor",
        "name": sensor.name,
        **(more or {}),
    }
    if cursor is not None:
        question["cursor"] = cursor
    answer = execute_evaluation(load(sensor, **options), question)
    assert answer.pop("id") == "q1"
    assert answer.pop("took_ms") >= 0
    return answer


def said(fn: Any, cursor: str | None = None, **options: Any) -> dict[str, Any]:
    answer = ask(declare(fn, **options), cursor)
    assert answer.pop("said") == "returned", answer
    return {name: value for name, value in answer.items() if value}


def error(fn: Any, **options: Any) -> str:
    answer = ask(declare(fn, **options))
    assert answer["said"] == "raised", answer
    assert "run_requests" not in answer
    return answer["error"]["message"]


def test_a_sensor_says_what_it_may_run_and_how_often() -> None:
    @dg.sensor(
        job=job(),
        minimum_interval_seconds=5,
        default_status=dg.DefaultSensorStatus.RUNNING,
        tags={"team": "core"},
        owners=["team:core"],
        metadata={"level": 3},
        run_keys=timedelta(hours=1),
        timeout_seconds=10,
    )
    def files(context):
        """Looks for files."""

    plain = declare(lambda: None, name="plain")
    found = load(files, plain).to_manifest("loc")
    assert found["sensors"] == [
        {
            "name": "files",
            "kind": "poll",
            "minimum_interval_seconds": 5,
            "jobs": ["j"],
            "timeout_seconds": 10,
            "max_attempts": 5,
            "default_status": "running",
            "run_keys": {"policy": "window", "seconds": 3600},
            "description": "Looks for files.",
            "tags": {"team": "core"},
            "metadata": {"level": {"type": "int", "value": 3}},
            "owners": ["team:core"],
        },
        {
            "name": "plain",
            "kind": "poll",
            "minimum_interval_seconds": 30,
            "selection": ['key:"a"', 'key:"orders"'],
            "timeout_seconds": 60,
            "max_attempts": 5,
            "default_status": "stopped",
        },
    ]
    assert [one["name"] for one in found["jobs"]] == ["j"]
    assert declare(lambda: None, run_keys="until_success").to_json(load())["run_keys"] == {
        "policy": "until_success"
    }


def test_a_target_is_a_job_jobs_or_assets() -> None:
    def targets(**options: Any) -> Any:
        found = load(dg.sensor(name="s", **options)(lambda: None), jobs=[job(), job("k")])
        return {name: found.sensors_json()[0].get(name) for name in ("jobs", "selection")}

    assert targets(job_name="j") == targets(job="j") == {"jobs": ["j"], "selection": None}
    assert targets(jobs=["j", "k"]) == {"jobs": ["j", "k"], "selection": None}
    assert (
        targets(asset_selection=[a])
        == targets(target="a")
        == {"jobs": None, "selection": ['key:"a"']}
    )
    assert targets() == {"jobs": None, "selection": None}
    k = job("l")
    sensor = dg.sensor(name="s", target=k)(lambda: None)
    assert (sensor.job, sensor.job_name, list(sensor.jobs)) == (k, "l", [k])
    assert [one["name"] for one in load(sensor).to_manifest("x")["jobs"]] == ["l"]


EMPTY = {"skip_reason": "Sensor function returned an empty result"}


@pytest.mark.parametrize(
    ("gives", "expected"),
    [
        (lambda c: None, EMPTY),
        (lambda c: [], EMPTY),
        (lambda c: [None], EMPTY),
        (lambda c: dg.SensorResult(), EMPTY),
        (lambda c: dg.SkipReason("quiet"), {"skip_reason": "quiet"}),
        (lambda c: dg.SensorResult(skip_reason="quiet"), {"skip_reason": "quiet"}),
        (lambda c: dg.RunRequest("k"), {"run_requests": [{"run_key": "k"}]}),
        (lambda c: [dg.RunRequest("k"), dg.RunRequest("l")], {"run_requests": [{"run_key": "k"}, {"run_key": "l"}]}),
        (lambda c: dg.SensorResult([dg.RunRequest("k")]), {"run_requests": [{"run_key": "k"}]}),
        # Without a key each is a run; under one key there is one (N-13).
        (lambda c: [dg.RunRequest(), dg.RunRequest()], {"run_requests": [{}, {}]}),
        (lambda c: [dg.RunRequest("k"), dg.RunRequest("k", tags={"n": 2})], {"run_requests": [{"run_key": "k"}]}),
        (
            lambda c: dg.SensorResult(
                [dg.RunRequest(partition_key="acme")],
                dynamic_partitions_requests=[
                    CUSTOMERS.build_add_request(["acme"]), CUSTOMERS.build_delete_request(["gone"])
                ],
            ),
            {
                "run_requests": [{"partition_key": "acme"}],
                "dynamic_partitions": [{"name": "customers", "add": ["acme"]}, {"name": "customers", "remove": ["gone"]}],
            },
        ),
        (
            lambda c: dg.SensorResult(dynamic_partitions_requests=[CUSTOMERS.build_add_request(["acme"])]),
            {**EMPTY, "dynamic_partitions": [{"name": "customers", "add": ["acme"]}]},
        ),
        (
            lambda c: dg.BackfillRequest([orders], ["acme", dg.PartitionKeyRange("a", "c")], {"n": 1}, "k"),
            {
                "backfills": [
                    {"selection": ['key:"orders"'], "partitions": ["acme", "a...c"], "tags": {"n": "1"}, "run_key": "k"}
                ]
            },
        ),
        (
            lambda c: dg.SensorResult([dg.RunRequest()], backfill_requests=[dg.BackfillRequest("orders")]),
            {"run_requests": [{}], "backfills": [{"selection": ['key:"orders"']}]},
        ),
    ],
)  # fmt: skip
def test_what_a_function_may_give(gives: Any, expected: Any) -> None:
    assert said(gives) == expected


def test_asset_events_are_said_beside_what_is_asked_for() -> None:
    """Recorded at the end of the evaluation (N-17)."""

    def fn(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        return dg.SensorResult(
            cursor="2",
            asset_events=[
                dg.AssetMaterialization(
                    "orders",
                    partition="acme",
                    metadata={"rows": 3},
                    tags={"dagster/data_version": "v1", "by": "loader"},
                ),
                dg.AssetObservation(["raw", "x"], description="looked", tags={"by": "eye"}),
                dg.AssetCheckEvaluation("a", "fresh", False, severity=dg.AssetCheckSeverity.WARN),
            ],
        )

    expected = [
        {
            "event": "materialization",
            "asset": "orders",
            "partition": "acme",
            "metadata": {"rows": {"type": "int", "value": 3}},
            "data_version": "v1",
            "tags": {"by": "loader"},
        },
        {
            "event": "observation",
            "asset": "raw/x",
            "description": "looked",
            "tags": {"by": "eye"},
        },
        {"event": "check", "asset": "a", "check": "fresh", "passed": False, "severity": "WARN"},
    ]
    # It asked for nothing, and is not empty: what it came to is not for this side to say.
    assert said(fn) == {"cursor": "2", "asset_events": expected}
    data = declare(fn).evaluate_tick(dg.build_sensor_context())
    assert [type(one).__name__ for one in data.asset_events] == [
        "AssetMaterialization",
        "AssetObservation",
        "AssetCheckEvaluation",
    ]
    with_reason = said(lambda c: dg.SensorResult(skip_reason="no", asset_events=[dg.AssetMaterialization("a")]))  # fmt: skip
    assert with_reason["skip_reason"] == "no"
    with_run = said(lambda c: dg.SensorResult([dg.RunRequest("k")], asset_events=[dg.AssetMaterialization("a")]))  # fmt: skip
    assert (len(with_run["run_requests"]), len(with_run["asset_events"])) == (1, 1)


def test_a_generator_may_return_too() -> None:
    def fn(context) -> Iterator[Any]:
        yield dg.RunRequest("k")
        return dg.RunRequest("l")

    assert [one["run_key"] for one in said(fn)["run_requests"]] == ["k", "l"]


@pytest.mark.parametrize(
    ("gives", "message"),
    [
        (lambda c: [dg.RunRequest("k"), dg.SkipReason("no")], "gave a SkipReason and 1 requests"),
        (lambda c: [dg.SkipReason("no"), dg.SkipReason("no")], "gave 2 SkipReasons; give one"),
        (lambda c: [dg.SensorResult(), dg.RunRequest("k")], "gave a SensorResult and 1 more"),
        (lambda c: [dg.RunRequest("k"), None], "gave None among others"),
        (lambda c: dg.SensorResult([dg.RunRequest()], skip_reason="no"), "has a skip_reason and requests"),
        (lambda c: dg.SensorResult(run_requests=dg.RunRequest()), "write run_requests=[...]"),
        (lambda c: dg.SensorResult(run_requests=["k"]), "holds 'k', which is no RunRequest"),
        (lambda c: dg.SensorResult(dynamic_partitions_requests=["k"]), "which is no AddDynamicPartitionsRequest or Del"),
        (lambda c: dg.SensorResult(asset_events=[1]), "asset_events of a SensorResult holds 1, which is no AssetMater"),
        (lambda c: dg.SensorResult(asset_events=dg.AssetMaterialization("a")), "write asset_events=[...]"),
        (
            lambda c: dg.SensorResult(asset_events=[dg.AssetMaterialization("a", tags={"a b": "c"})]),
            "tag key 'a b' of asset `a`",
        ),
        (
            lambda c: dg.SensorResult(asset_events=[dg.AssetObservation("a", tags={"dagster/data_version": ""})]),
            "tag `dagster/data_version` of an event of asset `a` is a text",
        ),
        (lambda c: dg.AssetCheckEvaluation("a", "c", passed=5), "passed is True or False, not 5"),
        (lambda c: dg.SensorResult(cursor=5), "cursor of a SensorResult is a text, not 5"),
        (lambda c: dg.SensorResult(skip_reason=5), "skip_reason of a SensorResult is a text"),
        (lambda c: c.update_cursor(5), "a cursor is a text, not 5; write update_cursor(str(...))"),
        (lambda c: CUSTOMERS.build_add_request("acme"), "the keys of `customers` are a list"),
        (lambda c: CUSTOMERS.build_add_request([""]), "'' is no key of `customers`"),
        (
            lambda c: dg.SensorResult(
                dynamic_partitions_requests=[
                    CUSTOMERS.build_add_request(["x"]),
                    CUSTOMERS.build_delete_request(["x"]),
                ]
            ),
            "adds and deletes the key `x` of `customers` in one evaluation",
        ),
        (lambda c: dg.BackfillRequest([orders], "acme"), "write partitions=['acme']"),
        (lambda c: True, "gave bool True"),
        (lambda c: {"ops": {}}, "gave dict {'ops': {}}"),
        (lambda c: c.instance, "there is no instance; write ArcoClient()"),
        (lambda c: c.is_first_tick_since_sensor_start, "look whether `context.cursor` is None"),
        (lambda c: c.resources.db, "resource `db` is not there"),
        (lambda c: 1 / 0, "division by zero"),
    ],
)  # fmt: skip
def test_what_fails_an_evaluation(gives: Any, message: str) -> None:
    assert message in error(gives)


def test_async_functions_are_refused_with_a_word() -> None:
    async def fn(context): ...

    assert "is `async`; write a plain function" in error(fn)


def test_a_run_needs_a_target_and_its_job_one_of_them() -> None:
    ask_one = lambda c: dg.RunRequest()  # noqa: E731
    assert "and runs nothing; give it job=, jobs= or target=" in error(ask_one, target=None)
    assert "run request 0 of sensor `s` names no job" in error(
        ask_one, target=None, jobs=[job(), job("k")]
    )
    named = lambda c: [dg.RunRequest(job_name="k"), dg.RunRequest(job_name="i")]  # noqa: E731
    found = error(named, target=None, jobs=[job(), job("k")])
    assert "run request 1 of sensor `s` names the job `i`, and sensor `s` runs `j`, `k`" in found
    assert said(lambda c: dg.RunRequest(job_name="k"), target=None, jobs=[job(), job("k")]) == {
        "run_requests": [{"job_name": "k"}]
    }


# The cursor (N-6 to N-8).


@pytest.mark.parametrize(
    ("gives", "before", "expected"),
    [
        (lambda c: c.update_cursor("2"), "1", "2"),
        (lambda c: c.update_cursor("2"), None, "2"),
        (lambda c: dg.SensorResult(cursor="2"), "1", "2"),
        (lambda c: dg.SensorResult([dg.RunRequest("k")], cursor="2"), "1", "2"),
        # Cleared is the empty text; kept is absent.
        (lambda c: c.update_cursor(""), "1", ""),
        (lambda c: c.update_cursor(None), "1", ""),
        (lambda c: dg.SensorResult(cursor=""), "1", ""),
        (lambda c: None, "1", "absent"),
        (lambda c: c.update_cursor("1"), "1", "absent"),
        (lambda c: c.update_cursor(""), None, "absent"),
    ],
)
def test_the_cursor_is_set_kept_or_cleared(gives: Any, before: Any, expected: Any) -> None:
    assert ask(declare(gives), before).get("cursor", "absent") == expected


def test_a_generator_sets_the_cursor_as_it_goes() -> None:
    def fn(context) -> Iterator[Any]:
        for number in range(3):
            yield dg.RunRequest(str(number))
            context.update_cursor(str(number))

    answer = ask(declare(fn), "0")
    assert (len(answer["run_requests"]), answer["cursor"]) == (3, "2")

    def too_late(context) -> Iterator[Any]:
        yield dg.SensorResult(cursor="1")
        context.update_cursor("2")

    assert "do one of the two" in error(too_late)


def test_a_cursor_is_said_once() -> None:
    def both(context):
        context.update_cursor("1")
        return dg.SensorResult(cursor="2")

    assert "called context.update_cursor and gave SensorResult(cursor=...)" in error(both)

    def raises(context):
        context.update_cursor("1")
        raise ValueError("no")

    answer = ask(declare(raises))
    assert "cursor" not in answer
    assert "before" not in answer


def test_a_function_knows_what_was_before() -> None:
    seen: list[Any] = []

    def fn(context: dg.SensorEvaluationContext) -> None:
        seen.append(
            (
                context.sensor_name,
                context.cursor,
                context.last_run_key,
                context.last_tick_completion_time,
            )
        )
        context.update_cursor("2")
        seen.append((context.cursor, context.cursor_updated))

    ask(declare(fn), "1", {"last_run_key": "k", "last_evaluated": 1500})
    assert seen == [("s", "1", "k", 1.5), ("2", True)]


# Resources, and unit tests (N-20).


class Box(dg.ConfigurableResource[Any]):
    path: str


def test_resources_are_built_and_torn_down_around_an_evaluation() -> None:
    steps: list[str] = []

    @dg.resource
    def session():
        steps.append("open")
        yield "session"
        steps.append("close")

    @dg.sensor(target=[a], required_resource_keys={"session"})
    def s(context, inbox: Box, plain: dg.ResourceParam[str]):
        steps.append(f"{context.resources.session} {inbox.path} {plain}")

    resources = {"session": session, "inbox": Box(path="in"), "plain": "p"}
    assert ask(s, resources=resources)["said"] == "returned"
    assert steps == ["open", "session in p", "close"]
    with pytest.raises(dg.DefinitionError, match="resource `inbox` of sensor `s` is not defined"):
        load(s, resources={"session": session, "plain": "p"})
    missing = Box(path=dg.EnvVar("ARCO_TEST_NOT_SET"))  # type: ignore[arg-type]
    answer = ask(s, resources={**resources, "inbox": missing})
    assert (answer["said"], answer["error"]["type"]) == ("raised", "ConfigError")


def test_a_unit_test_calls_the_function() -> None:
    @dg.sensor(target=[a])
    def s(context, inbox: Box):
        context.update_cursor(inbox.path)
        return dg.RunRequest(context.sensor_name)

    context = dg.build_sensor_context(
        cursor="1", resources={"inbox": Box(path="in")}, sensor_name="x"
    )
    assert s(context).run_key == "x"
    assert context.cursor == "in"
    assert s(dg.build_sensor_context(), inbox=Box(path="in")).run_key is None
    assert s(inbox=Box(path="in")).run_key == "s"
    with dg.build_sensor_context(
        definitions=load(s, resources={"inbox": Box(path="d")})
    ) as context:
        data = s.evaluate_tick(context)
    assert (data.cursor, len(data.run_requests), data.skip_message) == ("d", 1, None)
    with pytest.raises(dg.UsageError, match="resource `inbox` is not there"):
        s(dg.build_sensor_context())
    # Arguments in Dagster's order; there is no instance to look at.
    positional = dg.build_sensor_context(None, "c", None, None, "y", {"inbox": Box(path="p")})
    assert (positional.cursor, s.evaluate_tick(positional).cursor) == ("c", "p")
    with pytest.raises(dg.UnsupportedError, match="there is no instance"):
        positional.instance  # type: ignore[attr-defined]

    @dg.sensor
    def bare():
        yield dg.SkipReason("no")

    assert list(bare()) == [dg.SkipReason("no")]
    assert bare.evaluate_tick(dg.build_sensor_context(cursor="c")) == dg.SensorExecutionData(
        (), "no", "c"
    )
    assert (bare.name, bare.__name__) == ("bare", "bare")
    only = dg.sensor(name="only")(lambda inbox: inbox.path)
    assert only(Box(path="x")) == "x"


def test_a_request_with_other_attributes() -> None:
    one = dg.RunRequest(
        "k", {"ops": {"a": {}}}, {"n": "1"}, "j", [a], False, "p", [dg.AssetCheckKey("a", "c")]
    )
    other = one.with_replaced_attrs(run_key="l", tags={"n": "2"})
    assert (other.run_key, other.tags, other.partition_key) == ("l", {"n": "2"}, "p")
    assert (other.asset_selection, other.asset_check_keys) == (
        one.asset_selection,
        one.asset_check_keys,
    )
    assert dg.RunRequest("").run_key is None
    with pytest.raises(dg.UnsupportedError, match="ask for a backfill"):
        dg.RunRequest(asset_graph_subset=1)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: declare(lambda c, d: None), "parameter `d` of sensor `s`: its function takes the context; for a"),
        (lambda: declare(lambda c: None, name="a b"), "is no name for a sensor"),
        (lambda: dg.sensor(lambda c: None), "is no name for a sensor"),
        (lambda: declare(lambda: None, job=job()), "given job= and target=; give one of them"),
        (lambda: declare(lambda: None, target=None, jobs=job()), r"write jobs=\[...\]"),
        (lambda: declare(lambda: None, target=None, jobs=[]), "jobs of sensor `s` is empty"),
        (lambda: declare(lambda: None, target=None, jobs=[5]), "5 of sensor `s` is no job"),
        (lambda: declare(lambda: None, minimum_interval_seconds=0), "a whole number from 1 to 86400, not 0"),
        (lambda: declare(lambda: None, minimum_interval_seconds=1.5), "a whole number from 1 to 86400, not 1.5"),
        (lambda: declare(lambda: None, timeout_seconds=True), "timeout_seconds of sensor `s`"),
        (lambda: declare(lambda: None, default_status="RUNNING"), "DefaultSensorStatus.RUNNING or STOPPED"),
        (lambda: declare(lambda: None, run_keys="onse"), "did you mean `once`"),
        (lambda: declare(lambda: None, run_keys=timedelta(0)), "a window is a second or longer"),
        (lambda: declare(lambda: None, tags={"a b": "c"}), "tag key 'a b' of sensor `s`"),
        (lambda: declare(lambda: None, owners=["me"]), "owner 'me' of sensor `s`"),
        (lambda: dg.SensorDefinition("s"), "has no function"),
        (lambda: dg.Definitions(sensors="s"), "sensors is a list"),
        (lambda: dg.Definitions(sensors=[a]), "`a`, which is no sensor"),
        (lambda: load(declare(lambda: None, target=None, job_name="x")), "the job `x`, which is not defined"),
        (lambda: load(declare(lambda: None, target="group:none")), "selects no asset"),
        (lambda: load(declare(lambda: None), declare(lambda: None)), "sensor `s` is defined twice"),
        (lambda: load().get_sensor_def("s"), "there is no sensor `s`"),
    ],
)  # fmt: skip
def test_what_cannot_stand_is_refused_with_a_mend(make: Any, message: str) -> None:
    with pytest.raises(dg.DefinitionError, match=message):
        make()


def test_sensors_are_merged_and_found_by_name() -> None:
    one, other = declare(lambda: None, name="one"), declare(lambda: None, name="other")
    defs = dg.Definitions.merge(load(one), dg.Definitions(sensors=[other, one]))
    assert defs.get_sensor_def("other") is other
    assert [one["name"] for one in defs.sensors_json()] == ["one", "other"]


def test_what_a_location_does_not_have_is_not_asked() -> None:
    question = {"id": "q", "timeout_ms": 1, "kind": "sensor", "name": "gone"}
    assert execute_evaluation(load(), question)["said"] == "not_asked"
