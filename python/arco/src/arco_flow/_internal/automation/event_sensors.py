"""Sensors that are called with what happened: messages, materializations of an asset, runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from arco_flow._internal.automation import events
from arco_flow._internal.automation.context import RunStatusSensorContext, SensorEvaluationContext
from arco_flow._internal.automation.events import DagsterRunStatus
from arco_flow._internal.automation.results import SensorExecutionData, read_sensor
from arco_flow._internal.automation.sensor_definition import SensorDefinition, SensorOptions
from arco_flow._internal.automation.target import AnyJob, check_jobs, name_of
from arco_flow._internal.errors import DefinitionError, UsageError
from arco_flow._internal.jobs import UnresolvedAssetJobDefinition
from arco_flow._internal.keys import AssetKey

if TYPE_CHECKING:
    from arco_flow._internal.definitions import Definitions


class PushSensorDefinition(SensorDefinition):
    """A function that is called with each message that is pushed to it. Made by `@push_sensor`."""

    kind = "push"
    _takes = ("the context", "the message")

    def __init__(self, name: str | None, fn: Callable[..., Any], options: SensorOptions) -> None:
        self._declare(name, fn, options)

    def given(self, context: SensorEvaluationContext, item: Mapping[str, Any]) -> tuple[Any, ...]:
        """The context and the message."""
        return context, events.message_of(item)

    def _watches(self, defs: Definitions) -> dict[str, Any]:
        del defs
        return {}


class AssetSensorDefinition(SensorDefinition):
    """A function that is called with each materialization of an asset. Made by `@asset_sensor`."""

    kind = "asset"
    _takes = ("the context", "the event")

    def __init__(
        self,
        name: str | None,
        asset_key: AssetKey,
        fn: Callable[..., Any],
        options: SensorOptions,
    ) -> None:
        self._declare(name, fn, options)
        self.asset_key = asset_key

    def given(self, context: SensorEvaluationContext, item: Mapping[str, Any]) -> tuple[Any, ...]:
        """The context and the materialization."""
        return context, events.entry_of(item)

    def _watches(self, defs: Definitions) -> dict[str, Any]:
        del defs
        return {"assets": [self.asset_key.to_user_string()]}


class RunStatusSensorDefinition(SensorDefinition):
    """A function that is called with each run that enters a status. Made by `@run_status_sensor`."""

    kind = "run_status"
    keeps_cursor = False

    def __init__(
        self,
        name: str | None,
        run_status: DagsterRunStatus | Sequence[DagsterRunStatus],
        fn: Callable[..., Any],
        options: SensorOptions,
        monitored_jobs: Sequence[AnyJob] | None = None,
        monitor_all_code_locations: bool = False,
        failure: bool = False,
    ) -> None:
        self._declare(name, fn, options)
        self.run_statuses = _statuses(run_status, self._of)
        if isinstance(monitored_jobs, (str, UnresolvedAssetJobDefinition)):
            raise DefinitionError(
                f"monitored_jobs of {self._of} is a list; write monitored_jobs=[...]"
            )
        self.monitored_jobs = tuple(monitored_jobs or ())
        for job in self.monitored_jobs:
            if not isinstance(job, (str, UnresolvedAssetJobDefinition)):
                raise DefinitionError(
                    f"monitored_jobs of {self._of} holds {job!r}; give jobs of this location, or their names, or "
                    "monitor_all_code_locations=True"
                )
        self.monitor_all_code_locations = bool(monitor_all_code_locations)
        if self.monitored_jobs and self.monitor_all_code_locations:
            raise DefinitionError(
                f"{self._of} is given monitored_jobs= and monitor_all_code_locations=True; give one of them"
            )
        self._failure = failure

    def given(self, context: SensorEvaluationContext, item: Mapping[str, Any]) -> tuple[Any, ...]:
        """The context, which has the run."""
        run, event = events.run_of(item)
        found = RunStatusSensorContext(self.name, run, event, context)
        return (found.for_run_failure() if self._failure else found,)

    def evaluate(self, given: tuple[Any, ...]) -> SensorExecutionData:
        """Calls the function and reads what it gave; it has no cursor."""
        result = self.function.call(given, given[0].resources)
        data = read_sensor(result, self._of, self.target, None)
        if data.cursor is not None:
            raise UsageError(
                f"{self._of} gave SensorResult(cursor=...); a run-status sensor has no cursor: each run comes once"
            )
        return data

    def evaluate_tick(self, context: Any) -> SensorExecutionData:
        """Calls the function with a `RunStatusSensorContext` and reads what it gave."""
        return self.evaluate((context,))

    def _context_for_tests(self) -> Any:
        raise UsageError(
            f"{self._of} needs a context; write build_run_status_sensor_context(sensor_name=..., "
            "dagster_event=DagsterEvent(...), dagster_run=DagsterRun(...))"
        )

    def _watches(self, defs: Definitions) -> dict[str, Any]:
        jobs = [name_of(job) for job in self.monitored_jobs]
        check_jobs(self._of, jobs, defs.job_nodes(), "watches")
        found: dict[str, Any] = {
            "statuses": [events.STATUS_WORDS[one] for one in self.run_statuses]
        }
        if jobs:
            found["monitored_jobs"] = jobs
        if self.monitor_all_code_locations:
            found["monitor_all_code_locations"] = True
        return found


def _statuses(
    given: DagsterRunStatus | Sequence[DagsterRunStatus], of: str
) -> tuple[DagsterRunStatus, ...]:
    found = (given,) if isinstance(given, DagsterRunStatus) else tuple(given)
    for one in found:
        if one not in events.STATUS_WORDS:
            words = ", ".join(status.name for status in events.STATUS_WORDS)
            raise DefinitionError(
                f"run_status of {of} is {one!r}, which no sensor can wait for; there are {words} of DagsterRunStatus"
            )
    if not found:
        raise DefinitionError(
            f"run_status of {of} is empty; name one, like DagsterRunStatus.SUCCESS"
        )
    return tuple(dict.fromkeys(found))
