"""Answers questions with an installed Dagster: the other side of the differential tests.

    echo '{"op": "cron_valid", "args": {"cron": "0 0 * * *"}}' | python dagster_oracle.py

A line in is {"op", "args"}, a line out {"ok": true, "result"} or {"ok": false, "error", "message"}.
`ask.py` imports this module and calls `OPS` directly. An operation depends on its arguments alone:
time is one of them. It exists for what Arco is compared on and for nothing else, see README.md.

What the arguments look like:

definition  {"type": "static", "keys": [..]}, {"type": "dynamic", "name", "keys": [..]},
            {"type": "multi", "dimensions": {name: definition}}, or {"type": "hourly" | "daily" |
            "weekly" | "monthly" | "cron", "start", "end"?, "timezone"?, "fmt"?, "end_offset"?,
            "minute_offset"?, "hour_offset"?, "day_offset"?, "cron"?, "exclusions"?: [cron or local
            time]}; what else it carries is for the other side
mapping     {"type": "identity" | "all" | "last"}, {"type": "time_window", "start_offset"?,
            "end_offset"?, "allow_nonexistent"?}, {"type": "specific", "keys"}, {"type": "static",
            "pairs": {key: [key]}}, {"type": "multi_to_single", "dimension"?}, {"type": "multi",
            "dimensions": {upstream: {"downstream", "mapping"}}}, or null for the one that Dagster
            infers
graph       {"assets": [{"key": "a/b", "deps": [key or {"key", "mapping"}], "group"?, "tags"?,
            "kinds"?, "owners"?, "partitions"?: definition, "external"?}]}
items       what a function gives: {"is": "run", "run_key"?, "tags"?, "run_config"?, "job_name"?},
            {"is": "skip", "message"}, {"is": "result", "runs"?, "skip"?, "cursor"?, "add"?, "delete"?},
            {"is": "config", "value"}, {"is": "other", "value"}, {"is": "none"}; `how` it gives them is
            "return", "list" or "yield"
time        ISO 8601; without an offset UTC, or the time zone of the question
"""

from __future__ import annotations

import atexit
import datetime as dt
import json
import logging
import os
import sys
import warnings
from collections.abc import Callable
from functools import lru_cache
from itertools import islice
from typing import Any
from zoneinfo import ZoneInfo

os.environ.setdefault("DAGSTER_DISABLE_TELEMETRY", "yes")
warnings.simplefilter("ignore")
logging.disable(logging.CRITICAL)

import dagster as dg  # noqa: E402
from dagster._core.definitions.partitions.context import partition_loading_context  # noqa: E402
from dagster._core.definitions.partitions.utils.mapping import infer_partition_mapping  # noqa: E402
from dagster._core.instance.types import DynamicPartitionsStore  # noqa: E402
from dagster._core.test_utils import freeze_time  # noqa: E402
from dagster._utils.schedules import (  # noqa: E402
    get_smallest_cron_interval,
    is_valid_cron_schedule,
    schedule_execution_time_iterator,
)

VERSION: str = dg.__version__
Spec = dict[str, Any]
OPS: dict[str, Callable[..., Any]] = {}


def op(answers: Callable[..., Any]) -> Callable[..., Any]:
    OPS[answers.__name__] = answers
    return answers


# Arguments.

WINDOWS: dict[str, tuple[Any, list[str]]] = {
    "hourly": (dg.HourlyPartitionsDefinition, ["minute_offset"]),
    "daily": (dg.DailyPartitionsDefinition, ["minute_offset", "hour_offset"]),
    "weekly": (dg.WeeklyPartitionsDefinition, ["minute_offset", "hour_offset", "day_offset"]),
    "monthly": (dg.MonthlyPartitionsDefinition, ["minute_offset", "hour_offset", "day_offset"]),
}


def instant(text: str, zone: str | None = None) -> dt.datetime:
    time = dt.datetime.fromisoformat(text)
    return time if time.tzinfo else time.replace(tzinfo=ZoneInfo(zone or "UTC"))


class Sets(DynamicPartitionsStore):
    """What Dagster asks for the keys of dynamic partitions; an instance would keep them in a database."""

    def __init__(self, definitions: tuple[Spec | None, ...]) -> None:
        self.keys: dict[str, list[str]] = {}
        for spec in definitions:
            for one in [spec or {}, *((spec or {}).get("dimensions") or {}).values()]:
                if one.get("type") == "dynamic":
                    self.keys[one["name"]] = one["keys"]

    def get_dynamic_partitions(self, partitions_def_name: str) -> list[str]:
        return self.keys.get(partitions_def_name, [])

    def get_paginated_dynamic_partitions(
        self, partitions_def_name: str, limit: int, ascending: bool, cursor: str | None = None
    ) -> Any:
        raise NotImplementedError

    def get_dynamic_partitions_definition_id(self, partitions_def_name: str) -> str:
        return json.dumps(self.get_dynamic_partitions(partitions_def_name))

    def has_dynamic_partition(self, partitions_def_name: str, partition_key: str) -> bool:
        return partition_key in self.get_dynamic_partitions(partitions_def_name)


def loading(now: str | None, *definitions: Spec | None) -> Any:
    return partition_loading_context(instant(now) if now else None, Sets(definitions))


def asset_key(text: str) -> dg.AssetKey:
    return dg.AssetKey(text.split("/"))


def partitions(spec: Spec | None) -> Any:
    if spec is None:
        return None
    if spec["type"] == "static":
        return dg.StaticPartitionsDefinition(spec["keys"])
    if spec["type"] == "dynamic":
        return dg.DynamicPartitionsDefinition(name=spec["name"])
    if spec["type"] == "multi":
        dimensions = spec["dimensions"].items()
        return dg.MultiPartitionsDefinition({name: partitions(one) for name, one in dimensions})
    names = ["timezone", "fmt", "end_offset"]
    given = {name: spec[name] for name in names if spec.get(name) is not None}
    if spec.get("exclusions"):
        given["exclusions"] = [exclusion(text) for text in spec["exclusions"]]
    if spec["type"] == "cron":
        return dg.TimeWindowPartitionsDefinition(
            cron_schedule=spec["cron"], start=spec["start"], end=spec.get("end"), **given
        )
    definition, offsets = WINDOWS[spec["type"]]
    given |= {name: spec[name] for name in offsets if spec.get(name) is not None}
    return definition(start_date=spec["start"], end_date=spec.get("end"), **given)


def exclusion(text: str) -> str | dt.datetime:
    """A cron, or a local time."""
    return text if " " in text else dt.datetime.fromisoformat(text)


def mapping_of(spec: Spec | None) -> Any:
    if spec is None:
        return None
    match spec["type"]:
        case "identity":
            return dg.IdentityPartitionMapping()
        case "all":
            return dg.AllPartitionMapping()
        case "last":
            return dg.LastPartitionMapping()
        case "time_window":
            return dg.TimeWindowPartitionMapping(
                start_offset=spec.get("start_offset", 0),
                end_offset=spec.get("end_offset", 0),
                allow_nonexistent_upstream_partitions=spec.get("allow_nonexistent", False),
            )
        case "specific":
            return dg.SpecificPartitionsPartitionMapping(spec["keys"])
        case "static":
            return dg.StaticPartitionMapping(spec["pairs"])
        case "multi_to_single":
            return dg.MultiToSingleDimensionPartitionMapping(spec.get("dimension"))
        case "multi":
            return dg.MultiPartitionMapping(
                {
                    upstream: dg.DimensionPartitionMapping(
                        dimension_name=each["downstream"],
                        partition_mapping=mapping_of(each["mapping"]),
                    )
                    for upstream, each in spec["dimensions"].items()
                }
            )
        case other:
            raise ValueError(f"there is no mapping of type {other}")


def asset(spec: Spec) -> Any:
    deps = [d if isinstance(d, dict) else {"key": d} for d in spec.get("deps", [])]
    described = dg.AssetSpec(
        key=asset_key(spec["key"]),
        deps=[
            dg.AssetDep(asset_key(d["key"]), partition_mapping=mapping_of(d.get("mapping")))
            for d in deps
        ],
        group_name=spec.get("group"),
        tags=spec.get("tags"),
        kinds=set(spec["kinds"]) if spec.get("kinds") else None,
        owners=spec.get("owners"),
        partitions_def=partitions(spec.get("partitions")),
    )
    if spec.get("external"):
        return described

    def make() -> None: ...

    name = "make_" + spec["key"].replace("/", "_")
    return dg.multi_asset(name=name, specs=[described])(make)


@lru_cache(maxsize=32)
def asset_graph(assets: str) -> Any:
    """The graph of a JSON list of assets; most questions are about one of a few."""
    return dg.Definitions(assets=[asset(spec) for spec in json.loads(assets)]).resolve_asset_graph()


# Cron.


@op
def cron_valid(cron: str | list[str]) -> bool:
    """Whether a schedule may have this cron, or these."""
    return bool(is_valid_cron_schedule(cron))


@op
def cron_ticks(
    cron: str | list[str], tz: str, start: str, n: int = 8, descending: bool = False
) -> list[float]:
    """The first instants at or after `start`, or at or before it, in seconds since 1970."""
    begin = instant(start, tz).timestamp()
    ticks = schedule_execution_time_iterator(begin, cron, tz, ascending=not descending)
    return [tick.timestamp() for tick in islice(ticks, n)]


@op
def cron_smallest_interval(cron: str) -> float:
    """Seconds of the least gap that Dagster finds among the instants of a year, in UTC."""
    with freeze_time(instant("2024-01-01T00:00:00")):
        return float(get_smallest_cron_interval(cron, "UTC").total_seconds())


# Schedules.


@op
def partitioned_schedule(
    definition: Spec, options: Spec, start: str, n: int = 4
) -> dict[str, Any]:
    """Cron and zone of the schedule of a partitioned job, and what its first ticks run.

    A tick is [seconds since 1970, keys, run keys]; without keys it is skipped.
    """
    partitions_def = partitions(definition)

    @dg.asset(partitions_def=partitions_def)
    def a() -> None: ...

    job = dg.define_asset_job("j", [a], partitions_def=partitions_def)
    schedule = dg.build_schedule_from_partitioned_job(job, **options)
    zone = schedule.execution_timezone or "UTC"
    begin = instant(start, zone).timestamp()
    ticks = schedule_execution_time_iterator(begin, schedule.cron_schedule, zone)
    return {
        "cron": schedule.cron_schedule,
        "timezone": zone,
        "ticks": [tick_of(schedule, tick) for tick in islice(ticks, n)],
    }


def tick_of(schedule: Any, tick: dt.datetime) -> list[Any]:
    with dg.build_schedule_context(scheduled_execution_time=tick) as context:
        requests = schedule.evaluate_tick(context).run_requests or []
    keys = [request.partition_key for request in requests]
    return [tick.timestamp(), keys, [request.run_key for request in requests]]


@op
def schedule_evaluation(
    gives: list[Spec], how: str, should_execute: bool | None = None, tags: Spec | None = None
) -> dict[str, Any]:
    """What a tick asks for when its function gives this: runs or why there are none."""

    @dg.schedule(
        cron_schedule="@daily",
        name="s",
        job=evaluated_job("j"),
        tags=tags,
        should_execute=None if should_execute is None else lambda _: should_execute,
    )
    def schedule(context: Any) -> Any:
        return given(gives, how)

    with dg.build_schedule_context(scheduled_execution_time=instant("2026-01-01")) as context:
        data = schedule.evaluate_tick(context)
    return {"runs": [run_of(one, ["j"]) for one in data.run_requests or []], "skip": data.skip_message}


# Sensors.


@op
def sensor_evaluation(
    gives: list[Spec], how: str, jobs: list[str], cursor: str | None, **rest: Any
) -> dict[str, Any]:
    """What an evaluation asks for when its function gives this, and the cursor it leaves."""

    @dg.sensor(name="s", jobs=[evaluated_job(name) for name in jobs] or None)
    def sensor(context: Any) -> Any:
        def update() -> None:
            if "update_cursor" in rest:
                context.update_cursor(rest["update_cursor"])

        return given(gives, how, update)

    with dg.build_sensor_context(cursor=cursor) as context:
        data = sensor.evaluate_tick(context)
    return {
        "runs": [run_of(one, jobs) for one in data.run_requests or []],
        "skip": data.skip_message,
        # The daemon stores what is not empty and clears otherwise.
        "cursor": data.cursor or None,
        "partitions": [
            ["add" if isinstance(one, dg.AddDynamicPartitionsRequest) else "delete", one.partitions_def_name, list(one.partition_keys)]
            for one in data.dynamic_partitions_requests or []
        ],
    }


@lru_cache
def evaluated_job(name: str) -> Any:
    @dg.op
    def a() -> None: ...

    @dg.job(name=name)
    def job() -> None:
        a()

    return job


def given(gives: list[Spec], how: str, update: Callable[[], None] = lambda: None) -> Any:
    """What the function returns: one thing, a list, or a generator, which sets the cursor at its end."""
    items = [item_of(one) for one in gives]
    if how == "yield":
        return yielded(items, update)
    update()
    if how == "list":
        return items
    return (items[0] if items else None) if len(items) < 2 else items


def yielded(items: list[Any], update: Callable[[], None]) -> Any:
    yield from items
    update()


def item_of(spec: Spec) -> Any:
    kind = spec["is"]
    if kind == "run":
        return dg.RunRequest(**{name: value for name, value in spec.items() if name != "is"})
    if kind == "skip":
        return dg.SkipReason(spec["message"])
    if kind == "result":
        customers = dg.DynamicPartitionsDefinition(name="customers")
        changes: list[Any] = []
        if "add" in spec:
            changes.append(customers.build_add_request(spec["add"]))
        if "delete" in spec:
            changes.append(customers.build_delete_request(spec["delete"]))
        return dg.SensorResult(
            run_requests=[item_of(one) for one in spec.get("runs", [])],
            skip_reason=spec.get("skip"),
            cursor=spec.get("cursor"),
            dynamic_partitions_requests=changes,
        )
    return None if kind == "none" else spec["value"]


def run_of(request: Any, jobs: list[str]) -> Spec:
    """A run by what the function said of it: tags of the system and the only job are left out."""
    tags = {key: value for key, value in request.tags.items() if not key.startswith("dagster/")}
    job = None if [request.job_name] == jobs else request.job_name
    config = dict(request.run_config)
    return {"run_key": request.run_key or None, "tags": tags, "job_name": job, "run_config": config}


# Partitions.


@op
def partition_keys(definition: Spec, now: str | None = None) -> list[str]:
    """The keys that exist at `now`, in order."""
    with loading(now, definition):
        return [str(key) for key in partitions(definition).get_partition_keys()]


@op
def partition_window(definition: Spec, key: str) -> Spec:
    """When the window of a key begins and ends."""
    window = partitions(definition).time_window_for_partition_key(key)
    return {"start": window.start.timestamp(), "end": window.end.timestamp()}


@op
def partition_has(definition: Spec, keys: list[str], now: str | None = None) -> dict[str, Any]:
    """For each text, whether it is the key of a partition that exists at `now`."""
    asked = partitions(definition)

    def has(key: str) -> bool | str:
        try:
            return bool(asked.has_partition_key(key))
        except Exception as error:
            return f"error:{type(error).__name__}"

    with loading(now, definition):
        return {key: has(key) for key in keys}


@op
def partition_range(definition: Spec, start: str, end: str, now: str | None = None) -> list[str]:
    """The keys from one to another, both of them too."""
    asked = dg.PartitionKeyRange(start, end)
    with loading(now, definition):
        return [str(key) for key in partitions(definition).get_partition_keys_in_range(asked)]


@op
def infer_mapping(up_def: Spec | None, down_def: Spec | None) -> str:
    """The name of the mapping of a dependency that gives none."""
    inferred = infer_partition_mapping(None, partitions(down_def), partitions(up_def))
    return type(inferred).__name__


@op
def map_partitions(
    up_def: Spec | None,
    down_def: Spec | None,
    keys: list[str] | None,
    mapping: Spec | None = None,
    direction: str = "up",
    now: str | None = None,
) -> Spec:
    """The parent's keys that the given keys of the child read (up), or the child's keys that the given
    keys of the parent feed (down)."""
    up, down = partitions(up_def), partitions(down_def)
    used = infer_partition_mapping(mapping_of(mapping), down, up)
    invalid = None
    try:
        used.validate_partition_mapping(up, down)
    except Exception as error:
        invalid = type(error).__name__
    with loading(now, up_def, down_def):
        if direction == "up":
            subset = down.subset_with_partition_keys(keys) if down and keys is not None else None
            found = used.get_upstream_mapped_partitions_result_for_partitions(
                downstream_partitions_subset=subset,
                downstream_partitions_def=down,
                upstream_partitions_def=up,
            )
            there, missing = found.partitions_subset, found.required_but_nonexistent_subset
            nonexistent = sorted(map(str, missing.get_partition_keys()))
        else:
            there = used.get_downstream_partitions_for_partitions(
                upstream_partitions_subset=up.subset_with_partition_keys(keys),
                upstream_partitions_def=up,
                downstream_partitions_def=down,
            )
            nonexistent = []
        mapped = sorted(map(str, there.get_partition_keys()))
    return {"invalid": invalid, "keys": mapped, "nonexistent": nonexistent}


# Selections.


@op
def parse_selection(selection: str) -> Spec:
    """What Dagster prints for a selection it has read."""
    return {"canonical": str(dg.AssetSelection.from_string(selection))}


@op
def resolve_selection(graph: Spec, selection: str) -> list[str]:
    """The assets of a graph that a selection picks, sorted."""
    assets = asset_graph(json.dumps(graph["assets"]))
    chosen = dg.AssetSelection.from_string(selection).resolve(assets)
    return sorted(key.to_user_string() for key in chosen)


# The queue of runs.


@lru_cache(maxsize=1)
def queue_instance() -> dg.DagsterInstance:
    """One instance for all questions: making one takes longer than a hundred answers."""
    from dagster._core.test_utils import instance_for_test

    opened = instance_for_test()
    atexit.register(opened.__exit__, None, None, None)
    return opened.__enter__()


@op
def dequeue(
    queued: list[Spec],
    in_progress: list[Spec],
    max_concurrent_runs: int,
    tag_limits: list[Spec],
    pools: dict[str, int],
    granularity: str,
) -> list[str]:
    """Which queued runs one pass of the queue launches, in order. A run is {"id", "tags"?, "pools"?: {pool:
    root steps}, "unconstrained_root"?}; those in progress have been launched just now."""
    from dagster._core.instance.config import ConcurrencyConfig, PoolConfig, PoolGranularity
    from dagster._core.remote_origin import InProcessCodeLocationOrigin, RemoteJobOrigin, RemoteRepositoryOrigin
    from dagster._core.run_coordinator.queued_run_coordinator import RunQueueConfig
    from dagster._core.storage.dagster_run import DagsterRun, DagsterRunStatus, RunOpConcurrency
    from dagster._core.types.loadable_target_origin import LoadableTargetOrigin
    from dagster._core.utils import make_new_run_id
    from dagster._daemon.run_coordinator.queued_run_coordinator_daemon import QueuedRunCoordinatorDaemon

    instance = queue_instance()
    instance.run_storage.wipe()
    storage = instance.event_log_storage
    for pool in storage.get_concurrency_keys():
        storage.delete_concurrency_limit(pool)
    for pool, limit in pools.items():
        storage.set_concurrency_slots(pool, limit)
    location = InProcessCodeLocationOrigin(LoadableTargetOrigin(module_name="nowhere"), location_name="loc")
    origin = RemoteJobOrigin(RemoteRepositoryOrigin(location, "repository"), "job")
    names = {}
    for runs, status in ((in_progress, DagsterRunStatus.STARTING), (queued, DagsterRunStatus.QUEUED)):
        for item in runs:
            roots = item.get("pools")
            run = DagsterRun(
                job_name="job",
                run_id=make_new_run_id(),
                status=status,
                remote_job_origin=origin,
                tags=item.get("tags", {}),
                run_op_concurrency=RunOpConcurrency(
                    root_key_counts=roots,
                    has_unconstrained_root_nodes=item.get("unconstrained_root", False),
                    all_pools=set(roots),
                )
                if roots
                else None,
            )
            instance.run_storage.add_run(run)
            names[run.run_id] = item["id"]
    config = ConcurrencyConfig(
        pool_config=PoolConfig(
            pool_granularity=PoolGranularity(granularity), default_pool_limit=None, op_granularity_run_buffer=0
        ),
        run_queue_config=RunQueueConfig(
            max_concurrent_runs=max_concurrent_runs,
            tag_concurrency_limits=tag_limits,
            should_block_op_concurrency_limited_runs=True,
        ),
    )
    daemon = QueuedRunCoordinatorDaemon(interval_seconds=5)
    picked = daemon._get_runs_to_dequeue(instance, config, fixed_iteration_time=1_700_000_000.0)
    return [names[run.run_id] for run in picked]


def reply(question: Spec) -> Spec:
    try:
        return {"ok": True, "result": OPS[question["op"]](**question.get("args", {}))}
    except Exception as error:
        return {"ok": False, "error": type(error).__name__, "message": str(error)[:500]}


if __name__ == "__main__":
    # As a module of its own, which the operations of the other file belong to too.
    import dagster_backfills  # noqa: F401
    from dagster_oracle import reply as answer

    for line in sys.stdin:
        print(json.dumps(answer(json.loads(line))), flush=True)
