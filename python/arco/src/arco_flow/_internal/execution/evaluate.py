"""Carrying out one evaluation: what a schedule or sensor wants to run (ADR 0019), or what a mapping of one's own
says (ADR 0021)."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeAlias

from arco_flow._internal import resource_runtime
from arco_flow._internal.automation.asset_events import event_json
from arco_flow._internal.automation.context import (
    MultiAssetSensorEvaluationContext,
    ScheduleEvaluationContext,
    SensorEvaluationContext,
    evaluation_log,
)
from arco_flow._internal.automation.multi_asset_sensor import MultiAssetSensorDefinition
from arco_flow._internal.automation.requests import RunRequest
from arco_flow._internal.automation.results import (
    SensorExecutionData,
    first_of_each_key,
)
from arco_flow._internal.automation.sensor_definition import SensorDefinition
from arco_flow._internal.definitions import Definitions
from arco_flow._internal.errors import TaskCancelled
from arco_flow._internal.failure import describe
from arco_flow._internal.keys import AssetKey
from arco_flow._internal.partitions.asked import AskedPartitionMapping, answers
from arco_flow._internal.partitions.windows import zone
from arco_flow._internal.schedules import ScheduleDefinition

Answer: TypeAlias = dict[str, Any]
Progress: TypeAlias = Callable[[Answer], None]


def execute_evaluation(
    defs: Definitions, question: Mapping[str, Any], progress: Progress | None = None
) -> Answer:
    """Asks the function of a schedule or sensor, or a mapping, and gives what it said.

    Of a queue, the function is called once for each thing, in order; after each, `progress` is told what
    counts if the process does not live to see the next. Once half of the time is used, what is left of the
    queue is left for another evaluation.

    Args:
        defs: The definitions of the location.
        question: As the worker protocol has it.
        progress: Called with what is wanted so far.

    Returns:
        `said` and what belongs to it, `id` and `took_ms`: an answer without its log. Never raises for what
        user code does.
    """
    began = time.monotonic()
    answer: Answer = {"id": question["id"]}
    wanted = _Wanted()
    try:
        said = _ask(defs, question, wanted, began, progress or (lambda _: None))
    except (Exception, SystemExit, GeneratorExit, TaskCancelled) as error:
        said = {"said": "raised", "error": _told(error)}
        if wanted.taken:
            said["before"] = wanted.to_json()
    answer.update(said)
    answer["took_ms"] = round((time.monotonic() - began) * 1000)
    return answer


@dataclass
class _Wanted:
    """What is wanted so far."""

    requests: list[RunRequest] = field(default_factory=list)
    answers: list[int | None] = field(default_factory=list)
    backfills: list[Answer] = field(default_factory=list)
    changes: list[Answer] = field(default_factory=list)
    events: list[Answer] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)
    cursor: str | None = None
    taken: int = 0

    def add(self, data: SensorExecutionData, item: int | None = None) -> None:
        """What one call asked for; `item` is what it was about."""
        self.requests += data.run_requests
        self.answers += [item] * len(data.run_requests)
        of = {} if item is None else {"answers": item}
        self.backfills += [one.to_json() | of for one in data.backfill_requests]
        self.changes += [one.to_json() | of for one in data.dynamic_partitions_requests]
        self.events += [event_json(one) | of for one in data.asset_events]
        if data.skip_message is not None and data.skip_message not in self.reasons:
            self.reasons.append(data.skip_message)

    def to_json(self) -> Answer:
        """As the control plane reads it; absent rather than null."""
        kept, dropped = first_of_each_key(self.requests)
        if dropped:
            evaluation_log.info("asked for again under the same key, and left out: %s", dropped)
        answers = {id(one): item for one, item in zip(self.requests, self.answers, strict=True)}
        requests = []
        for one in kept:
            said = one.to_json()
            if answers[id(one)] is not None:
                said["answers"] = answers[id(one)]
            requests.append(said)
        found: Answer = {
            "run_requests": requests,
            "backfills": self.backfills,
            "dynamic_partitions": self.changes,
            "taken": self.taken,
        }
        if self.events:
            found["asset_events"] = self.events
        if self.reasons and not requests and not self.backfills:
            found["skip_reason"] = "; ".join(self.reasons)
        if self.cursor is not None:
            found["cursor"] = self.cursor
        return found


def _ask(
    defs: Definitions,
    question: Mapping[str, Any],
    wanted: _Wanted,
    began: float,
    progress: Progress,
) -> Answer:
    if question["kind"] == "schedule":
        schedule = _find(defs.schedules, question["name"])
        if not isinstance(schedule, ScheduleDefinition) or schedule.function is None:
            return {"said": "not_asked"}
        _schedule(defs, schedule, question, wanted)
    elif question["kind"] == "mapping":
        return _mapping(defs, question, began)
    else:
        sensor = _find(defs.sensors, question["name"])
        if sensor is None:
            return {"said": "not_asked"}
        _sensor(defs, sensor, question, wanted, began, progress)
    return {"said": "returned", **wanted.to_json()}


def _mapping(defs: Definitions, question: Mapping[str, Any], began: float) -> Answer:
    node = defs.graph().assets.get(AssetKey.from_user_string(question["downstream"]))
    upstream = AssetKey.from_user_string(question["upstream"])
    for edge in node.edges if node is not None else ():
        mapping = edge.mapping
        if (
            edge.key == upstream
            and isinstance(mapping, AskedPartitionMapping)
            and question.get("code") in (None, mapping.code)
        ):
            return answers(mapping, question, began)
    # The question is of other definitions than these.
    return {"said": "not_asked"}


def _find(ones: Sequence[Any], name: str) -> Any:
    return next((one for one in ones if one.name == name), None)


def _schedule(
    defs: Definitions, schedule: ScheduleDefinition, question: Mapping[str, Any], wanted: _Wanted
) -> None:
    instant = datetime.fromisoformat(question["instant"])
    instant = instant.astimezone(zone(schedule.execution_timezone or "UTC"))
    crons = schedule.cron_schedule
    with _resources(defs, schedule.required_resource_keys) as resources:
        context = ScheduleEvaluationContext(
            instant, schedule.name, crons[0] if len(crons) == 1 else crons, resources
        )
        data = schedule.evaluate_tick(context)
    wanted.add(SensorExecutionData(data.run_requests, data.skip_message))


def _sensor(
    defs: Definitions,
    sensor: SensorDefinition,
    question: Mapping[str, Any],
    wanted: _Wanted,
    began: float,
    progress: Progress,
) -> None:
    before = question.get("cursor")
    queue = question.get("queue") or ()
    evaluated = question.get("last_evaluated")
    rest = (question.get("last_run_key"), None if evaluated is None else evaluated / 1000)
    with _resources(defs, sensor.required_resource_keys) as resources:
        if isinstance(sensor, MultiAssetSensorDefinition):

            def make(keys: Any, records: Any) -> MultiAssetSensorEvaluationContext:
                return MultiAssetSensorEvaluationContext(
                    sensor.name, keys, records, before, *rest, resources
                )

            data, cursor = sensor.evaluate_queue(defs, before, queue, make)
            wanted.add(data)
            wanted.taken = len(queue)
            _set_cursor(wanted, before, cursor)
            return
        if not queue:
            context = SensorEvaluationContext(sensor.name, before, *rest, resources)
            data = sensor.evaluate_tick(context)
            wanted.add(data)
            _set_cursor(wanted, before, data.cursor)
            return
        patience = question["timeout_ms"] / 1000 / 2
        cursor = before
        for number, item in enumerate(queue):
            if number and time.monotonic() - began > patience:
                break
            context = SensorEvaluationContext(sensor.name, cursor, *rest, resources)
            data = sensor.evaluate(sensor.given(context, item))
            wanted.add(data, number)
            cursor = data.cursor if sensor.keeps_cursor else before
            _set_cursor(wanted, before, cursor)
            wanted.taken = number + 1
            progress(wanted.to_json())


def _set_cursor(wanted: _Wanted, before: str | None, after: str | None) -> None:
    """A cursor that stays as it was is not said; none is said as the empty text (N-8)."""
    wanted.cursor = None if (after or "") == (before or "") else after or ""


@contextmanager
def _resources(defs: Definitions, names: frozenset[str]) -> Iterator[Any]:
    with ExitStack() as stack:
        built = resource_runtime.build(defs, sorted(names), {}, "", stack) if names else {}
        yield resource_runtime.Resources(**built)


def _told(error: BaseException) -> dict[str, str]:
    told = describe(error)
    if isinstance(error, SystemExit):
        told["message"] = f"the function called sys.exit({error.code!r})"
    return told
