"""Schedules: what they declare, what follows from partitions, and what is refused when the location loads."""

from __future__ import annotations

from typing import Any

import pytest

import arco_flow as dg

DAILY = dg.DailyPartitionsDefinition("2024-01-01")
HOURLY = dg.HourlyPartitionsDefinition("2024-01-01-00:00")
WEEKLY = dg.WeeklyPartitionsDefinition("2024-01-01")
MONTHLY = dg.MonthlyPartitionsDefinition("2024-01-01")
BERLIN = dg.DailyPartitionsDefinition(
    "2024-01-01", timezone="Europe/Berlin", hour_offset=4, minute_offset=30
)
STATIC = dg.StaticPartitionsDefinition(["x", "y"])
BY_REGION = dg.MultiPartitionsDefinition({"region": STATIC, "day": DAILY})
FIXED = dg.MultiPartitionsDefinition({"region": STATIC, "size": STATIC})
SIX_HOURS = dg.TimeWindowPartitionsDefinition(
    "2024-01-01-00:00", "%Y-%m-%d-%H:%M", cron_schedule="0 */6 * * *", timezone="Asia/Tokyo"
)


@dg.asset
def a(): ...


def partitioned(name: str, partitions: Any) -> Any:
    return dg.asset(name=name, partitions_def=partitions)(lambda: None)


daily = partitioned("daily", DAILY)
hourly = partitioned("hourly", HOURLY)
weekly = partitioned("weekly", WEEKLY)
monthly = partitioned("monthly", MONTHLY)
berlin = partitioned("berlin", BERLIN)
static = partitioned("static", STATIC)
by_region = partitioned("by_region", BY_REGION)
fixed = partitioned("fixed", FIXED)
six_hours = partitioned("six_hours", SIX_HOURS)
dynamic = partitioned("dynamic", dg.DynamicPartitionsDefinition(name="customers"))
SPREAD = [by_region, fixed, six_hours, dynamic]
ASSETS = [a, daily, hourly, weekly, monthly, berlin, static, *SPREAD, dg.AssetSpec("outside")]


def load(*schedules: Any, jobs: Any = ()) -> dg.Definitions:
    defs = dg.Definitions(assets=ASSETS, schedules=schedules, jobs=jobs)
    dg.Definitions.validate_loadable(defs)
    return defs


def manifest(*schedules: Any, jobs: Any = ()) -> Any:
    return load(*schedules, jobs=jobs).to_manifest("loc")["schedules"]


def job(selection: Any, name: str = "j") -> Any:
    return dg.define_asset_job(name, selection)


def built(selection: Any, **options: Any) -> Any:
    return manifest(dg.build_schedule_from_partitioned_job(job(selection), **options))[0]


def test_a_schedule_says_when_and_what() -> None:
    j = job([a])
    both = [
        dg.ScheduleDefinition(
            job=j,
            cron_schedule=["0 2 * * *", "@weekly"],
            execution_timezone="Europe/Berlin",
            run_config={"ops": {"a": {"config": {}}}},
            tags={"team": "core", "size": 3},
            description="Every night.",
            owners=["team:core"],
            metadata={"level": 3},
            default_status=dg.DefaultScheduleStatus.RUNNING,
            catch_up=dg.CatchUp("all", window_seconds=3600, max_ticks=5),
        ),
        dg.ScheduleDefinition("assets", cron_schedule="@daily", target=[a]),
    ]
    assert manifest(*both) == [
        {
            "name": "assets",
            "cron": ["@daily"],
            "timezone": "UTC",
            "selection": ['key:"a"'],
            "default_status": "stopped",
            "catch_up": {"policy": "latest", "max_ticks": 100},
        },
        {
            "name": "j_schedule",
            "cron": ["0 2 * * *", "@weekly"],
            "timezone": "Europe/Berlin",
            "job": "j",
            "config": {"ops": {"a": {"config": {}}}},
            "tags": {"size": "3", "team": "core"},
            "description": "Every night.",
            "owners": ["team:core"],
            "metadata": {"level": {"type": "int", "value": 3}},
            "default_status": "running",
            "catch_up": {"policy": "all", "window_seconds": 3600, "max_ticks": 5},
        },
    ]


def test_the_job_of_a_schedule_is_a_job_of_the_location() -> None:
    j = job([a])
    for given in ({"job": j}, {"target": j}):
        defs = load(dg.ScheduleDefinition(cron_schedule="@daily", **given))
        assert [one["name"] for one in defs.to_manifest("loc")["jobs"]] == ["j"]
    named = dg.ScheduleDefinition(cron_schedule="@daily", job_name="j")
    assert manifest(named, jobs=[j])[0]["job"] == "j"
    merged = dg.Definitions.merge(load(named, jobs=[j]), dg.Definitions())
    assert merged.get_schedule_def("j_schedule") is named


@pytest.mark.parametrize(
    ("selection", "options", "cron", "timezone"),
    [
        ([daily], {}, "0 0 * * *", "UTC"),
        ([daily], {"hour_of_day": 2}, "0 2 * * *", "UTC"),
        ([hourly], {"minute_of_hour": 15}, "15 * * * *", "UTC"),
        ([monthly], {"day_of_month": 5}, "0 0 5 * *", "UTC"),
        ([monthly], {}, "0 0 1 * *", "UTC"),
        ([weekly], {"day_of_week": 3}, "0 0 * * 3", "UTC"),
        ([weekly], {}, "0 0 * * 0", "UTC"),
        ([berlin], {}, "30 4 * * *", "Europe/Berlin"),
        ([berlin], {"minute_of_hour": 0}, "0 4 * * *", "Europe/Berlin"),
        ([by_region], {"hour_of_day": 3}, "0 3 * * *", "UTC"),
        ([six_hours], {}, "0 */6 * * *", "Asia/Tokyo"),
        ([static], {"cron_schedule": "@daily"}, "@daily", "UTC"),
        (
            [static],
            {"cron_schedule": "5 * * * *", "execution_timezone": "Asia/Tokyo"},
            "5 * * * *",
            "Asia/Tokyo",
        ),
    ],
)
def test_crons_and_zones_follow_from_partitions(
    selection: Any, options: Any, cron: str, timezone: str
) -> None:
    found = built(selection, **options)
    assert (found["name"], found["job"], found["partitions"]) == ("j_schedule", "j", "last")
    assert (found["cron"], found["timezone"]) == ([cron], timezone)


@pytest.mark.parametrize(
    ("selection", "options", "message"),
    [
        ([a], {}, "none of the assets of job `j` is partitioned"),
        ([static], {}, "fixed keys do not say when it is due; give cron_schedule"),
        ([daily], {"cron_schedule": "@daily"}, "windows of time, which say when it is due"),
        ([dynamic], {"cron_schedule": "@daily"}, "partitions of this kind cannot be scheduled"),
        ([fixed], {"cron_schedule": "@daily"}, "partitions of this kind cannot be scheduled"),
        ([six_hours], {"hour_of_day": 1}, "hour_of_day has no meaning for cron partitions"),
        (
            [daily],
            {"execution_timezone": "Asia/Tokyo"},
            "drop cron_schedule and execution_timezone",
        ),
        ([daily], {"cron_schedule": "@daily", "hour_of_day": 1}, "make a cron of the partitions"),
        ([daily], {"day_of_week": 1, "day_of_month": 1}, "not both"),
        ([daily], {"day_of_week": 1}, "day_of_week has no meaning for daily partitions"),
        ([hourly], {"hour_of_day": 1}, "hour_of_day has no meaning for hourly partitions"),
        ([weekly], {"day_of_month": 1}, "day_of_month has no meaning for weekly partitions"),
        ([monthly], {"day_of_week": 1}, "day_of_week has no meaning for monthly partitions"),
        ([daily], {"hour_of_day": 24}, "a whole number from 0 to 23, not 24"),
        ([daily], {"minute_of_hour": True}, "a whole number from 0 to 59, not True"),
    ],
)
def test_what_partitions_do_not_take_is_refused(selection: Any, options: Any, message: str) -> None:
    with pytest.raises(dg.DefinitionError, match=message):
        built(selection, **options)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: dg.ScheduleDefinition("s", cron_schedule="@daily"), "either a job or assets"),
        (
            lambda: dg.ScheduleDefinition("s", cron_schedule="@daily", job=job([a]), target=[a]),
            "either a job or assets",
        ),
        (
            lambda: dg.ScheduleDefinition(
                "s", cron_schedule="@daily", job=job([a]), target=job([a], "k")
            ),
            "is given two jobs",
        ),
        (lambda: dg.ScheduleDefinition(cron_schedule="@daily", target=[a]), "needs a name"),
        (lambda: dg.ScheduleDefinition("a b", cron_schedule="@daily", target=[a]), "a schedule"),
        (lambda: dg.ScheduleDefinition("s", target=[a]), "needs a cron"),
        (lambda: dg.ScheduleDefinition("s", cron_schedule=[], target=[a]), "needs a cron"),
        (
            lambda: dg.ScheduleDefinition(
                "s", cron_schedule="@daily", target=[a], execution_timezone="Europe/Berln"
            ),
            "time zone `Europe/Berln` is not known",
        ),
        (
            lambda: dg.ScheduleDefinition(
                "s", cron_schedule="@daily", target=[a], run_config={"steps": {}}
            ),
            "run_config of schedule `s`: steps: this section is not known",
        ),
        (
            lambda: dg.ScheduleDefinition(
                "s", cron_schedule="@daily", target=[a], default_status="RUNNING"
            ),
            "DefaultScheduleStatus.RUNNING or STOPPED",
        ),
        (
            lambda: dg.ScheduleDefinition(
                "s", cron_schedule="@daily", target=[a], tags={"a b": "c"}
            ),
            "schedule `s`",
        ),
        (lambda: dg.CatchUp("some"), "there are `skip`, `latest` and `all`"),
        (lambda: dg.CatchUp(max_ticks=0), "a whole number from 1 on, not 0"),
        (lambda: dg.Definitions(schedules=[a]), "which is no schedule"),
        (lambda: dg.Definitions(schedules="s"), "schedules is a list"),
        (
            lambda: load(dg.ScheduleDefinition("s", cron_schedule="@daily", job_name="k")),
            "the job `k`, which is not defined",
        ),
        (
            lambda: load(dg.ScheduleDefinition("s", cron_schedule="@daily", target=[daily])),
            "write build_schedule_from_partitioned_job",
        ),
        (
            lambda: load(dg.ScheduleDefinition("s", cron_schedule="@daily", target="nobody")),
            "schedule `s`: ",
        ),
        (
            lambda: load(dg.ScheduleDefinition("s", cron_schedule="@daily", target="group:none")),
            "selects no asset",
        ),
        (
            lambda: load(
                dg.ScheduleDefinition("s", cron_schedule="@daily", target='key:"outside"')
            ),
            "`outside`, which is external",
        ),
        (
            lambda: load(
                dg.ScheduleDefinition("s", cron_schedule="@daily", target=[a]),
                dg.ScheduleDefinition("s", cron_schedule="@hourly", target=[a]),
            ),
            "schedule `s` is defined twice",
        ),
        (lambda: load().get_schedule_def("s"), "there is no schedule `s`"),
    ],
)
def test_what_cannot_stand_is_refused_with_a_mend(make: Any, message: str) -> None:
    with pytest.raises(dg.DefinitionError, match=message):
        make()
