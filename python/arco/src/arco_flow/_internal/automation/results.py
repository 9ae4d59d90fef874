"""Reading what the function of a schedule or sensor gave back."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from arco_flow._internal.automation.asset_events import AssetEvent
from arco_flow._internal.automation.context import SensorEvaluationContext
from arco_flow._internal.automation.requests import (
    BackfillRequest,
    DynamicPartitionsRequest,
    RunRequest,
    SensorResult,
    SkipReason,
)
from arco_flow._internal.automation.target import Target
from arco_flow._internal.errors import UsageError
from arco_flow._internal.names import did_you_mean
from arco_flow._internal.run_config import RunConfig, config_dict

EMPTY_SENSOR = "Sensor function returned an empty result"
EMPTY_SCHEDULE = "Schedule function returned an empty result"


@dataclass(frozen=True)
class ScheduleExecutionData:
    """What one tick of a schedule asks for.

    Attributes:
        run_requests: Runs, in order.
        skip_message: Why there are none.
    """

    run_requests: Sequence[RunRequest] = ()
    skip_message: str | None = None


@dataclass(frozen=True)
class SensorExecutionData:
    """What one evaluation of a sensor asks for.

    Attributes:
        run_requests: Runs, in order.
        skip_message: Why there are none.
        cursor: What the next evaluation finds as its cursor.
        dynamic_partitions_requests: Changes of dynamic partitions, made before the runs.
        backfill_requests: Backfills, in order. Arco's own.
        asset_events: Facts about assets that are recorded with the evaluation.
    """

    run_requests: Sequence[RunRequest] = ()
    skip_message: str | None = None
    cursor: str | None = None
    dynamic_partitions_requests: Sequence[DynamicPartitionsRequest] = ()
    backfill_requests: Sequence[BackfillRequest] = ()
    asset_events: Sequence[AssetEvent] = ()


def read_schedule(
    result: Any, of: str, target: Target, tags: Mapping[str, str]
) -> ScheduleExecutionData:
    """What the function of a schedule gave back (S-37, S-39, S-40).

    Args:
        result: As returned; a generator is run to its end.
        of: The schedule, for messages.
        target: What it may run.
        tags: Tags of all its runs, under those of each request.

    Raises:
        UsageError: For what a schedule cannot ask for.
    """
    if isinstance(result, (dict, RunConfig)):
        result = RunRequest(run_config=config_dict(result))
    items = _items(result, of, "a RunRequest, several, a SkipReason, or nothing")
    for item in items:
        if not isinstance(item, (RunRequest, SkipReason)):
            raise UsageError(
                f"{of} gave {_show(item)}; it gives RunRequests, a SkipReason, run configuration, or nothing"
            )
    requests = _without_reason(items, of)
    if not requests:
        return ScheduleExecutionData((), _reason(items, EMPTY_SCHEDULE))
    found = [one for one in requests if isinstance(one, RunRequest)]
    if len(found) > 1 and not all(one.run_key for one in found):
        raise UsageError(
            f"{of} asks for {len(found)} runs, and not each has a run_key; give each RunRequest its own run_key"
        )
    found = [replace_tags(one, tags) for one in found]
    check_targets(found, of, target)
    return ScheduleExecutionData(found, None)


def read_sensor(
    result: Any, of: str, target: Target, context: SensorEvaluationContext | None
) -> SensorExecutionData:
    """What the function of a sensor gave back (N-6, N-8, N-11).

    Args:
        result: As returned; a generator is run to its end.
        of: The sensor, for messages.
        target: What it may run.
        context: Its context, for the cursor that it leaves there; None when it has no cursor.

    Raises:
        UsageError: For what a sensor cannot ask for.
    """
    items = _items(
        result, of, "RunRequests, a SkipReason, a SensorResult, BackfillRequests, or nothing"
    )
    # A generator sets the cursor while it is run, so not before this.
    cursor = None if context is None else context.cursor
    whole = [item for item in items if isinstance(item, SensorResult)]
    if whole and len(items) > 1:
        raise UsageError(
            f"{of} gave a SensorResult and {len(items) - 1} more; a SensorResult is all that is given then: put "
            "the run requests into it"
        )
    if whole:
        found = _whole(whole[0], of, cursor, context is not None and context.cursor_updated)
    else:
        for item in items:
            if not isinstance(item, (RunRequest, SkipReason, BackfillRequest)):
                raise UsageError(
                    f"{of} gave {_show(item)}; it gives RunRequests, a SkipReason, a SensorResult, "
                    "BackfillRequests, or nothing"
                )
        requests = _without_reason(items, of)
        found = SensorExecutionData(
            tuple(one for one in requests if isinstance(one, RunRequest)),
            None if requests else _reason(items, EMPTY_SENSOR),
            cursor,
            (),
            tuple(one for one in requests if isinstance(one, BackfillRequest)),
        )
    check_targets(found.run_requests, of, target)
    return found


def _whole(
    result: SensorResult, of: str, cursor: str | None, cursor_updated: bool
) -> SensorExecutionData:
    if cursor_updated and result.cursor is not None:
        raise UsageError(
            f"{of} called context.update_cursor and gave SensorResult(cursor=...); do one of the two"
        )
    _check_changes(result.dynamic_partitions_requests, of)
    asks = bool(result.run_requests or result.backfill_requests)
    # One that only records is not empty: what it came to is said by the control plane.
    empty = None if result.asset_events else EMPTY_SENSOR
    reason = result.skip_reason.skip_message if result.skip_reason else empty
    return SensorExecutionData(
        result.run_requests,
        None if asks else reason,
        cursor if result.cursor is None else result.cursor,
        result.dynamic_partitions_requests,
        result.backfill_requests,
        result.asset_events,
    )


def _check_changes(changes: Sequence[DynamicPartitionsRequest], of: str) -> None:
    """No key is changed by two requests: which of them stands would be anybody's guess."""
    seen: dict[tuple[str, str], DynamicPartitionsRequest] = {}
    for change in changes:
        for key in change.partition_keys:
            place = (change.partitions_def_name, key)
            other = seen.setdefault(place, change)
            if other is not change:
                twice = "adds and deletes" if type(other) is not type(change) else "changes twice"
                raise UsageError(
                    f"{of} {twice} the key `{key}` of `{place[0]}` in one evaluation; do it once"
                )


def check_targets(requests: Iterable[RunRequest], of: str, target: Target) -> None:
    """Each request names a job that may be run, if it must (S-40).

    Raises:
        UsageError: With the request's index.
    """
    jobs = target.job_names
    for number, request in enumerate(requests):
        which = f"run request {number} of {of}"
        if not jobs and target.selection is None:
            raise UsageError(
                f"{of} asks for a run, and runs nothing; give it job=, jobs= or target="
            )
        if request.job_name is None and len(jobs) > 1:
            raise UsageError(
                f"{which} names no job; write RunRequest(job_name=...), one of {_list(jobs)}"
            )
        if request.job_name is not None and jobs and request.job_name not in jobs:
            close = did_you_mean(request.job_name, jobs)
            raise UsageError(
                f"{which} names the job `{request.job_name}`, and {of} runs {_list(jobs)}{close}"
            )


def replace_tags(request: RunRequest, tags: Mapping[str, str]) -> RunRequest:
    """The request with these tags under its own."""
    if not tags:
        return request
    found = request.with_replaced_attrs()
    object.__setattr__(found, "tags", {**tags, **request.tags})
    return found


def first_of_each_key(requests: Sequence[RunRequest]) -> tuple[list[RunRequest], list[str]]:
    """Requests without those whose key an earlier one has (N-13), and the keys of those left out."""
    seen: set[str] = set()
    kept, dropped = [], []
    for request in requests:
        if request.run_key is not None and request.run_key in seen:
            dropped.append(request.run_key)
            continue
        kept.append(request)
        if request.run_key is not None:
            seen.add(request.run_key)
    return kept, dropped


def _items(result: Any, of: str, gives: str) -> list[Any]:
    """What was returned as a list; [None] is nothing."""
    if inspect.isgenerator(result):
        items = []
        while True:
            try:
                items.append(next(result))
            except StopIteration as stop:
                # A generator may return something too.
                if stop.value is not None:
                    items.append(stop.value)
                break
    elif inspect.iscoroutine(result) or inspect.isasyncgen(result):
        if inspect.iscoroutine(result):
            result.close()
        raise UsageError(f"the function of {of} is `async`; write a plain function")
    elif isinstance(result, (list, tuple)) and not hasattr(result, "_fields"):
        items = list(result)
    else:
        items = [] if result is None else [result]
    if items == [None]:
        return []
    if any(item is None for item in items):
        raise UsageError(f"{of} gave None among others; it gives {gives}")
    return items


def _without_reason(items: Sequence[Any], of: str) -> list[Any]:
    requests = [item for item in items if not isinstance(item, SkipReason)]
    reasons = len(items) - len(requests)
    if reasons and requests:
        raise UsageError(
            f"{of} gave a SkipReason and {len(requests)} requests; give the reason when there is nothing to run"
        )
    if reasons > 1:
        raise UsageError(f"{of} gave {reasons} SkipReasons; give one")
    return requests


def _reason(items: Sequence[Any], empty: str) -> str | None:
    return items[0].skip_message if items else empty


def _show(item: Any) -> str:
    text = repr(item)
    return f"{type(item).__name__} {text if len(text) <= 100 else text[:97] + '...'}"


def _list(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)
