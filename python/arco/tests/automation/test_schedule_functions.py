"""Schedules whose functions say what to run (S-37 to S-43)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timezone
from typing import Any

import pytest

import arco_flow as dg
from arco_flow._internal.execution.evaluate import execute_evaluation

NOON = datetime(2026, 3, 1, 12, tzinfo=timezone.utc)


@dg.asset
def a(): ...


@dg.asset(partitions_def=dg.StaticPartitionsDefinition(["x", "y"]))
def parts(): ...


def job(name: str = "j", selection: Any = "a") -> Any:
    return dg.define_asset_job(name, selection)


def declare(fn: Any, **options: Any) -> dg.ScheduleDefinition:
    options = {"cron_schedule": "0 * * * *", "target": [a], **options}
    return dg.schedule(**options)(fn)


def load(*schedules: Any, **options: Any) -> dg.Definitions:
    defs = dg.Definitions(assets=[a, parts], schedules=schedules, **options)
    dg.Definitions.validate_loadable(defs)
    return defs


def ask(schedule: Any, instant: str = "2026-03-01T12:00:00Z", **options: Any) -> dict[str, Any]:
    question = {
        "id": "q1",
        "timeout_ms": 60_000,
        "kind": "schedule",
        "name": schedule.name,
        "instant": instant,
    }
    answer = execute_evaluation(load(schedule, **options), question)
    assert answer.pop("id") == "q1"
    assert answer.pop("took_ms") >= 0
    return answer


def said(schedule: Any, **options: Any) -> Any:
    answer = ask(schedule, **options)
    assert answer["said"] == "returned", answer
    return answer["run_requests"] or answer["skip_reason"]


def test_a_function_is_declared_with_its_target() -> None:
    @dg.schedule(
        cron_schedule="0 6 * * *",
        job=job(),
        execution_timezone="Europe/Berlin",
        tags={"team": "core"},
        default_status=dg.DefaultScheduleStatus.RUNNING,
    )
    def morning(context):
        """Every morning."""

    found = load(morning).to_manifest("loc")
    assert found["schedules"] == [
        {
            "name": "morning",
            "cron": ["0 6 * * *"],
            "timezone": "Europe/Berlin",
            "default_status": "running",
            "catch_up": {"policy": "latest", "max_ticks": 100},
            "tags": {"team": "core"},
            "description": "Every morning.",
            "job": "j",
            "function": True,
            "timeout_seconds": 60,
        }
    ]
    assert [one["name"] for one in found["jobs"]] == ["j"]
    several = declare(
        lambda _: None,
        name="s",
        target=None,
        jobs=[job(), job("k")],
        timeout_seconds=5,
        max_retries=2,
    )
    found = load(several).to_manifest("loc")
    assert found["schedules"][0]["jobs"] == ["j", "k"]
    assert (found["schedules"][0]["timeout_seconds"], len(found["jobs"])) == (5, 2)
    assert found["schedules"][0]["max_retries"] == 2
    # What a function runs may be partitioned: its requests say which.
    assert (
        "selection" in load(declare(lambda _: None, name="s", target=[parts])).schedules_json()[0]
    )


@pytest.mark.parametrize(
    ("gives", "expected"),
    [
        (lambda: None, "Schedule function returned an empty result"),
        (list, "Schedule function returned an empty result"),
        (lambda: [None], "Schedule function returned an empty result"),
        (lambda: dg.SkipReason("nothing new"), "nothing new"),
        (lambda: [dg.SkipReason("nothing new")], "nothing new"),
        (dg.RunRequest, [{}]),
        (lambda: {"ops": {"a": {"config": {"n": 1}}}}, [{"run_config": {"ops": {"a": {"config": {"n": 1}}}}}]),
        (lambda: dg.RunConfig(ops={"a": {"n": 1}}), [{"run_config": {"ops": {"a": {"config": {"n": 1}}}}}]),
        (
            lambda: dg.RunRequest("k", tags={"n": 1}, partition_key="x", asset_selection=[a.key]),
            [{"run_key": "k", "tags": {"n": "1"}, "partition_key": "x", "asset_selection": ["a"]}],
        ),
        (
            lambda: dg.RunRequest(asset_check_keys=[dg.AssetCheckKey("a", "c")]),
            [{"asset_check_keys": [["a", "c"]]}],
        ),
        (lambda: [dg.RunRequest("x"), dg.RunRequest("y")], [{"run_key": "x"}, {"run_key": "y"}]),
        (lambda: iter_of(dg.RunRequest("x"), dg.RunRequest("y")), [{"run_key": "x"}, {"run_key": "y"}]),
        # One key is one run (N-13, S-39).
        (lambda: [dg.RunRequest("x"), dg.RunRequest("x", partition_key="y")], [{"run_key": "x"}]),
    ],
)  # fmt: skip
def test_what_a_function_may_give(gives: Any, expected: Any) -> None:
    assert said(declare(lambda _: gives(), name="s")) == expected


def iter_of(*items: Any) -> Iterator[Any]:
    yield from items


@pytest.mark.parametrize(
    ("gives", "message"),
    [
        (lambda: [dg.RunRequest(), dg.RunRequest("x")], "not each has a run_key; give each RunRequest its own"),
        (lambda: [dg.RunRequest("x"), dg.SkipReason("no")], "gave a SkipReason and 1 requests"),
        (lambda: [dg.SkipReason("no"), dg.SkipReason("no")], "gave 2 SkipReasons; give one"),
        (lambda: [dg.RunRequest("x"), None], "gave None among others"),
        (lambda: 5, "schedule `s` gave int 5; it gives RunRequests"),
        (lambda: "yes", "schedule `s` gave str 'yes'"),
        (lambda: dg.SensorResult(), "gave SensorResult"),
        (lambda: dg.RunRequest(job_name="k"), "names the job `k`, and schedule `s` runs `j`"),
        (lambda: dg.RunRequest(stale_assets_only=True), "staleness is not there yet"),
        (lambda: dg.RunRequest(tags={"a b": "c"}), "tag key 'a b' of a RunRequest"),
        (lambda: dg.RunRequest(run_config={"steps": {}}), "steps: this section is not known"),
        (lambda: dg.RunRequest(5), "run_key of a RunRequest is a text, not 5"),
        (lambda: dg.RunRequest(asset_selection="a"), "write asset_selection=['a']"),
        (lambda: 1 / 0, "division by zero"),
    ],
)  # fmt: skip
def test_what_fails_a_tick(gives: Any, message: str) -> None:
    answer = ask(declare(lambda _: gives(), name="s", target=None, job=job()))
    assert answer["said"] == "raised"
    assert message in answer["error"]["message"], answer["error"]["message"]
    assert "run_requests" not in answer


def test_an_error_is_told_with_the_lines_of_user_code() -> None:
    def broken(context):
        raise ValueError("no such folder")

    error = ask(declare(broken))["error"]
    assert (error["type"], error["message"]) == ("ValueError", "no such folder")
    assert "in broken" in error["traceback"]
    assert "_internal" not in error["traceback"]
    gone = ask(declare(lambda _: exit(3), name="s"))["error"]
    assert gone["message"] == "the function called sys.exit(3)"


def test_of_several_jobs_each_request_names_one() -> None:
    jobs = [job(), job("k")]
    both = declare(lambda _: dg.RunRequest(job_name="k"), name="s", target=None, jobs=jobs)
    assert said(both) == [{"job_name": "k"}]
    none = declare(lambda _: dg.RunRequest(), name="s", target=None, jobs=jobs)
    assert (
        "names no job; write RunRequest(job_name=...), one of `j`, `k`"
        in ask(none)["error"]["message"]
    )


def test_a_tick_knows_its_instant_in_the_zone_of_the_schedule() -> None:
    seen = []

    @dg.schedule(
        cron_schedule=["0 6 * * *", "0 12 * * *"], target=[a], execution_timezone="Asia/Tokyo"
    )
    def s(context: dg.ScheduleEvaluationContext):
        seen.append(
            (
                context.scheduled_execution_time.isoformat(),
                context.cron_schedule,
                context.schedule_name,
            )
        )

    ask(s)
    assert seen == [("2026-03-01T21:00:00+09:00", ("0 6 * * *", "0 12 * * *"), "s")]


def test_the_instant_is_aware_on_both_sides_of_a_change_of_the_clock() -> None:
    seen = []

    @dg.schedule(cron_schedule="0 * * * *", target=[a], execution_timezone="America/New_York")
    def s(context: dg.ScheduleEvaluationContext):
        at = context.scheduled_execution_time
        seen.append((at.isoformat(), at.tzinfo is not None, str(at.tzinfo)))

    # The hour that comes twice in autumn, and the hours around the one that is left out in spring.
    for instant in ("2026-11-01T05:30:00Z", "2026-11-01T06:30:00Z", "2026-03-08T06:30:00Z", "2026-03-08T07:30:00Z"):  # fmt: skip
        ask(s, instant)
    assert [one[0] for one in seen] == [
        "2026-11-01T01:30:00-04:00",
        "2026-11-01T01:30:00-05:00",
        "2026-03-08T01:30:00-05:00",
        "2026-03-08T03:30:00-04:00",
    ]
    assert all(one[1:] == (True, "America/New_York") for one in seen)
    seen.clear()
    utc = declare(lambda c: seen.append(c.scheduled_execution_time.isoformat()), name="utc")
    ask(utc)
    assert seen == ["2026-03-01T12:00:00+00:00"]


def test_functions_of_a_definition_say_whether_and_how() -> None:
    def make(**options: Any) -> Any:
        return dg.ScheduleDefinition("s", cron_schedule="@daily", target=[a], **options)

    config = {"ops": {"a": {"config": {"n": 1}}}}
    assert (
        said(make(should_execute=lambda _: False))
        == "should_execute function for s returned false."
    )
    assert said(make(should_execute=lambda _: True, run_config=config)) == [{"run_config": config}]
    assert said(make(run_config_fn=lambda _: config)) == [{"run_config": config}]
    assert said(make(run_config_fn=lambda: config)) == [{"run_config": config}]
    assert said(
        make(tags_fn=lambda c: {"h": c.scheduled_execution_time.hour}, run_config=config)
    ) == [{"run_config": config, "tags": {"h": "12"}}]
    assert said(make(execution_fn=lambda _: dg.RunRequest("k"))) == [{"run_key": "k"}]
    assert "it gives a RunConfig" in ask(make(run_config_fn=lambda _: 5))["error"]["message"]
    assert ask(make(should_execute=lambda _: 1 / 0))["said"] == "raised"
    # A declared one has no function and is not asked.
    assert ask(make()) == {"said": "not_asked"}


def test_tags_are_under_those_of_a_request() -> None:
    s = declare(
        lambda _: dg.RunRequest(tags={"b": "2", "c": "3"}), name="s", tags={"a": "1", "b": "1"}
    )
    assert said(s) == [{"tags": {"a": "1", "b": "2", "c": "3"}}]
    s = declare(lambda _: {}, name="s", tags_fn=lambda _: {"a": "1"}, should_execute=lambda _: True)
    assert said(s) == [{"tags": {"a": "1"}}]
    assert said(declare(lambda _: {}, name="s", should_execute=lambda _: False)).endswith(
        "returned false."
    )


def test_resources_come_by_parameter_and_by_key() -> None:
    class Calendar(dg.ConfigurableResource[Any]):
        holiday: str

    @dg.schedule(cron_schedule="@daily", target=[a], required_resource_keys={"desk"})
    def s(context, calendar: Calendar):
        return dg.RunRequest(tags={"day": calendar.holiday, "desk": context.resources.desk})

    resources = {"calendar": Calendar(holiday="1 May"), "desk": "north"}
    assert said(s, resources=resources) == [{"tags": {"day": "1 May", "desk": "north"}}]
    with pytest.raises(
        dg.DefinitionError, match=r"resource `desk` of schedule `s` is not defined; add Definitions"
    ):
        load(s, resources={"calendar": Calendar(holiday="1 May")})
    context = dg.build_schedule_context(resources=resources)
    assert s(context).tags == {"day": "1 May", "desk": "north"}
    assert s(context, calendar=Calendar(holiday="2 May")).tags["day"] == "2 May"


def test_a_unit_test_calls_the_function() -> None:
    @dg.schedule(cron_schedule="@daily", target=[a])
    def s(context):
        """Says the hour."""
        return dg.RunRequest(run_key=str(context.scheduled_execution_time.hour))

    context = dg.build_schedule_context(scheduled_execution_time=NOON)
    assert s(context).run_key == "12"
    assert s(context=context).run_key == "12"
    assert s.evaluate_tick(context).run_requests[0].run_key == "12"
    assert (s.__name__, s.__doc__) == ("s", "Says the hour.")
    with pytest.raises(dg.UsageError, match="build_schedule_context\\(scheduled_execution_time"):
        s()
    with pytest.raises(dg.UsageError, match="was called with 2 arguments and takes `context`"):
        s(context, 1)
    plain = declare(lambda: dg.SkipReason("no"), name="plain")
    assert plain() == dg.SkipReason("no")
    declared = dg.ScheduleDefinition("d", cron_schedule="@daily", target=[a], tags={"a": "1"})
    assert declared.evaluate_tick(context).run_requests[0].tags == {"a": "1"}
    with pytest.raises(dg.UsageError, match="it has no function to call"):
        declared()
    with pytest.raises(
        dg.UnsupportedError, match="ScheduleEvaluationContext has no `instance`: there is no"
    ):
        context.instance  # type: ignore[attr-defined]


def test_a_naive_instant_of_a_unit_test_is_in_utc() -> None:
    context = dg.build_schedule_context(scheduled_execution_time=datetime(2026, 1, 1))
    assert context.scheduled_execution_time.isoformat() == "2026-01-01T00:00:00+00:00"


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: declare(lambda c, d: None, name="s"), "its function takes the context"),
        (lambda: dg.schedule(lambda: None), r"write @schedule\(cron_schedule="),  # type: ignore[arg-type]
        (lambda: declare(lambda _: None, name="s", tags={"a": "1"}, tags_fn=lambda _: {}), "tags= and tags_fn="),
        (lambda: declare(lambda _: None, name="s", target=None), "runs either a job or assets"),
        (lambda: declare(lambda _: None, name="s", job=job()), "runs either a job or assets"),
        (lambda: declare(lambda _: None, name="s", target=None, jobs=[job(), job()]), "given the job `j` twice"),
        (lambda: declare(lambda _: None, name="s", max_retries=101), "a whole number from 0 to 100, not 101"),
        (
            lambda: dg.ScheduleDefinition("s", cron_schedule="@daily", target=[a], max_retries=1),
            "no function that could be",
        ),
        (lambda: declare(lambda _: None, name="s", timeout_seconds=0), "timeout_seconds of schedule `s`"),
        (lambda: declare(lambda _: None, name="s", required_resource_keys="db"), r"required_resource_keys=\{'db'\}"),
        (lambda: declare(5, name="s"), "5 is no function"),
        (lambda: load(declare(lambda _: None, name="s", target=None, jobs=["x"])), "the job `x`, which is not defined"),
        (
            lambda: dg.ScheduleDefinition("s", cron_schedule="@daily", target=None, jobs=[job()]),
            "no function that chooses",
        ),
        (
            lambda: dg.ScheduleDefinition(
                "s", cron_schedule="@daily", target=[a], run_config={}, execution_fn=lambda _: None, should_execute=lambda _: True
            ),
            "given execution_fn= and should_execute=",
        ),
        (
            lambda: dg.ScheduleDefinition(
                "s", cron_schedule="@daily", target=[a], run_config={"ops": {"a": {}}}, run_config_fn=lambda _: {}
            ),
            "run_config= and run_config_fn=",
        ),
        (
            lambda: dg.ScheduleDefinition("s", cron_schedule="@daily", target=[a], required_resource_keys={"x"}),
            "has no function that uses resources",
        ),
    ],
)  # fmt: skip
def test_what_cannot_stand_is_refused_with_a_mend(make: Any, message: str) -> None:
    with pytest.raises(dg.DefinitionError, match=message):
        make()


def test_what_a_location_does_not_have_is_not_asked() -> None:
    question = {
        "id": "q",
        "timeout_ms": 1,
        "kind": "schedule",
        "name": "gone",
        "instant": "2026-03-01T12:00:00Z",
    }
    assert execute_evaluation(load(), question)["said"] == "not_asked"
