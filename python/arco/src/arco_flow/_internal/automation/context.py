"""What the function of a schedule or sensor is told."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from datetime import datetime, timezone
from types import TracebackType
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn, TypeVar

from arco_flow._internal.automation.events import DagsterEvent, DagsterRun, EventLogEntry
from arco_flow._internal.errors import UnsupportedError, UsageError
from arco_flow._internal.keys import AssetKey
from arco_flow._internal.resource_runtime import Resources

if TYPE_CHECKING:
    from arco_flow._internal.definitions import Definitions

_C = TypeVar("_C", bound="EvaluationContext")

evaluation_log = logging.getLogger("arco.evaluation")
_MISSING = {
    "instance": "there is no instance; write ArcoClient() to ask or report, or use what the context gives",
    "repository_def": "definitions are not at hand; import what you need from your own modules",
    "repository_name": "there are no repositories; a code location has one Definitions",
    "code_location_origin": "it is the control plane's; `arco status` shows locations",
    "last_sensor_start_time": "it is not kept; set a cursor to tell the first evaluation from later ones",
    "is_first_tick_since_sensor_start": "it is not kept; look whether `context.cursor` is None",
}


class EvaluationContext:
    """What contexts of schedules and sensors have in common. `with` closes what resources opened."""

    _arco_kind: ClassVar[str] = "context"

    def __init__(self, resources: Any = None) -> None:
        self._resources = resources if resources is not None else Resources()
        self._stack = ExitStack()

    @property
    def log(self) -> logging.Logger:
        """A logger of Python's `logging`; its records are kept with the evaluation."""
        if evaluation_log.level == logging.NOTSET:
            evaluation_log.setLevel(logging.DEBUG)
        return evaluation_log

    @property
    def resources(self) -> Any:
        """Resources as attributes."""
        return self._resources

    def __enter__(self: _C) -> _C:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.close()

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> NoReturn:
            if name in _MISSING:
                raise UnsupportedError(f"{type(self).__name__} has no `{name}`: {_MISSING[name]}")
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")


class ScheduleEvaluationContext(EvaluationContext):
    """What the function of a schedule is told: for which instant it says what to run.

    Differs from Dagster: there is no instance and no repository; `cron_schedule` and `schedule_name` are
    Arco's own.
    """

    def __init__(
        self,
        scheduled_execution_time: datetime | None,
        schedule_name: str | None = None,
        cron_schedule: str | Sequence[str] | None = None,
        resources: Any = None,
    ) -> None:
        super().__init__(resources)
        self._time = scheduled_execution_time
        self._name = schedule_name
        self._cron = cron_schedule

    @property
    def scheduled_execution_time(self) -> datetime:
        """The instant that is due, in the zone of the schedule.

        Raises:
            UsageError: When a context of a unit test was built without it.
        """
        if self._time is None:
            raise UsageError(
                "this context has no scheduled_execution_time; write "
                "build_schedule_context(scheduled_execution_time=...)"
            )
        return self._time

    @property
    def has_scheduled_execution_time(self) -> bool:
        """Whether there is one."""
        return self._time is not None

    @property
    def schedule_name(self) -> str | None:
        """Name of the schedule."""
        return self._name

    @property
    def cron_schedule(self) -> str | Sequence[str] | None:
        """The cron, or the list of crons, of the schedule."""
        return self._cron


class SensorEvaluationContext(EvaluationContext):
    """What the function of a sensor is told.

    Differs from Dagster: there is no instance and no repository.
    """

    def __init__(
        self,
        sensor_name: str | None,
        cursor: str | None = None,
        last_run_key: str | None = None,
        last_tick_completion_time: float | None = None,
        resources: Any = None,
    ) -> None:
        super().__init__(resources)
        self._name = sensor_name
        self._cursor = cursor
        self._cursor_updated = False
        self._last_run_key = last_run_key
        self._last_completion = last_tick_completion_time

    @property
    def sensor_name(self) -> str | None:
        """Name of the sensor."""
        return self._name

    @property
    def cursor(self) -> str | None:
        """What the last evaluation left, or what `update_cursor` has set since; None at first."""
        return self._cursor

    @property
    def cursor_updated(self) -> bool:
        """Whether `update_cursor` was called."""
        return self._cursor_updated

    def update_cursor(self, cursor: str | None) -> None:
        """Says what the next evaluation finds as `cursor`; None and the empty text clear it (N-8).

        It is stored with the runs that the evaluation asks for, and not at all when the function raises (N-7).

        Raises:
            UsageError: For what is no text.
        """
        if cursor is not None and not isinstance(cursor, str):
            raise UsageError(
                f"a cursor is a text, not {cursor!r}; write update_cursor(str(...)) or json.dumps(...)"
            )
        self._cursor = cursor
        self._cursor_updated = True

    @property
    def last_run_key(self) -> str | None:
        """Run key of the last run it asked for."""
        return self._last_run_key

    @property
    def last_tick_completion_time(self) -> float | None:
        """When it was last evaluated to the end, seconds since the epoch; None if never."""
        return self._last_completion

    last_completion_time = last_tick_completion_time


class RunStatusSensorContext(EvaluationContext):
    """What the function of a run-status sensor is told: which run, and what happened to it.

    Differs from Dagster: there is no instance; the events of single steps are not at hand.
    """

    def __init__(
        self,
        sensor_name: str | None,
        dagster_run: DagsterRun,
        dagster_event: DagsterEvent,
        context: SensorEvaluationContext | None = None,
        resources: Any = None,
    ) -> None:
        super().__init__(
            resources if resources is not None or context is None else context.resources
        )
        self._name = sensor_name
        self._run = dagster_run
        self._event = dagster_event

    @property
    def sensor_name(self) -> str | None:
        """Name of the sensor."""
        return self._name

    @property
    def dagster_run(self) -> DagsterRun:
        """The run: `run_id`, `job_name`, `status`, `tags`."""
        return self._run

    @property
    def dagster_event(self) -> DagsterEvent:
        """What happened to it."""
        return self._event

    @property
    def partition_key(self) -> str | None:
        """The partition of the run, when it is of one."""
        return self._run.tags.get("dagster/partition")

    def for_run_failure(self) -> RunFailureSensorContext:
        """The same context, as `@run_failure_sensor` gives it."""
        return RunFailureSensorContext(self._name, self._run, self._event, None, self._resources)


class RunFailureSensorContext(RunStatusSensorContext):
    """What the function of a run-failure sensor is told."""

    @property
    def failure_event(self) -> DagsterEvent:
        """What happened; its `message` says why the run failed."""
        return self._event

    def get_step_failure_events(self) -> NoReturn:
        """Not there: ask the API for the tasks of the run, `context.dagster_run.run_id`."""
        raise UnsupportedError(
            "get_step_failure_events is not there; ask the API for the tasks of the run, or read "
            "context.failure_event.message"
        )


def build_schedule_context(
    instance: None = None,
    scheduled_execution_time: datetime | None = None,
    resources: Mapping[str, Any] | None = None,
    repository_def: None = None,
    instance_ref: None = None,
) -> ScheduleEvaluationContext:
    """A context for a unit test that calls the function of a schedule.

    Args:
        instance: Not needed.
        scheduled_execution_time: The instant that is due; one without a zone is in UTC.
        resources: Values by name.
        repository_def: Not needed.
        instance_ref: Not needed.
    """
    del instance, repository_def, instance_ref
    time = scheduled_execution_time
    if time is not None and time.tzinfo is None:
        time = time.replace(tzinfo=timezone.utc)
    return ScheduleEvaluationContext(time, resources=Resources(**(resources or {})))


def build_sensor_context(
    instance: None = None,
    cursor: str | None = None,
    repository_name: None = None,
    repository_def: None = None,
    sensor_name: str | None = None,
    resources: Mapping[str, Any] | None = None,
    definitions: Definitions | None = None,
    instance_ref: None = None,
    last_sensor_start_time: None = None,
    *,
    last_run_key: str | None = None,
    last_tick_completion_time: float | None = None,
) -> SensorEvaluationContext:
    """A context for a unit test that calls or evaluates a sensor (N-20).

    Args:
        instance: Not needed.
        cursor: What the function finds as `context.cursor`.
        repository_name: Not needed.
        repository_def: Not needed; give `definitions`.
        sensor_name: What it finds as `context.sensor_name`.
        resources: Values by name.
        definitions: Definitions whose resources it finds; `resources` stand over them.
        instance_ref: Not needed.
        last_sensor_start_time: Not kept.
        last_run_key: What it finds as `context.last_run_key`. Arco's own.
        last_tick_completion_time: What it finds under this name, seconds. Arco's own.
    """
    del instance, repository_name, repository_def, instance_ref, last_sensor_start_time
    context = SensorEvaluationContext(sensor_name, cursor, last_run_key, last_tick_completion_time)
    context._resources = resources_for_tests(resources, definitions, context._stack)
    return context


def build_run_status_sensor_context(
    sensor_name: str,
    dagster_event: DagsterEvent,
    dagster_instance: None = None,
    dagster_run: DagsterRun | None = None,
    context: SensorEvaluationContext | None = None,
    resources: Mapping[str, Any] | None = None,
    partition_key: str | None = None,
    *,
    repository_def: None = None,
) -> RunStatusSensorContext:
    """A context for a unit test that calls a run-status sensor; `for_run_failure()` makes the other kind.

    Args:
        sensor_name: Name of the sensor.
        dagster_event: What happened to the run.
        dagster_instance: Not needed.
        dagster_run: The run.
        context: A context whose resources it has.
        resources: Values by name.
        partition_key: The partition of the run.
        repository_def: Not needed.

    Raises:
        UsageError: Without a run.
    """
    del dagster_instance, repository_def
    if dagster_run is None:
        raise UsageError('give the run; write dagster_run=DagsterRun("run_1", job_name="etl")')
    if partition_key is not None:
        tags = {**dagster_run.tags, "dagster/partition": partition_key}
        dagster_run = DagsterRun(dagster_run.run_id, dagster_run.job_name, dagster_run.status, tags)
    values = None if resources is None else Resources(**resources)
    return RunStatusSensorContext(sensor_name, dagster_run, dagster_event, context, values)


def resources_for_tests(
    resources: Mapping[str, Any] | None, definitions: Definitions | None, stack: ExitStack
) -> Resources:
    """Resources of a context of a unit test: those given, over those of definitions."""
    from arco_flow._internal.resource_runtime import build

    given = dict(resources or {})
    if definitions is not None:
        wanted = [name for name in definitions.resources if name not in given]
        given |= build(definitions, wanted, {}, "", stack)
    return Resources(**given)


class MultiAssetSensorEvaluationContext(SensorEvaluationContext):
    """What the function of a multi-asset sensor is told: what was made and not yet consumed.

    Differs from Dagster: what was made comes from the subscription of the sensor, so none is missed however
    many there were; of one partition of one asset the newest stands for the older ones. `advance_cursor` and
    `advance_all_cursors` consume; the cursor itself belongs to the sensor.
    """

    def __init__(
        self,
        sensor_name: str | None,
        asset_keys: Sequence[AssetKey],
        records: Sequence[EventLogEntry],
        cursor: str | None = None,
        last_run_key: str | None = None,
        last_tick_completion_time: float | None = None,
        resources: Any = None,
    ) -> None:
        super().__init__(sensor_name, cursor, last_run_key, last_tick_completion_time, resources)
        self._keys = tuple(asset_keys)
        self._records = list(records)

    @property
    def asset_keys(self) -> Sequence[AssetKey]:
        """The assets it watches."""
        return self._keys

    @property
    def unconsumed(self) -> Sequence[EventLogEntry]:
        """What is not consumed yet, oldest first. Arco's own."""
        return tuple(self._records)

    def latest_materialization_records_by_key(
        self, asset_keys: Sequence[AssetKey] | None = None
    ) -> Mapping[AssetKey, EventLogEntry | None]:
        """For each asset the newest that is not consumed, or None."""
        newest = {one.asset_key: one for one in self._records}
        return {key: newest.get(key) for key in (self._keys if asset_keys is None else asset_keys)}

    def latest_materialization_records_by_partition(
        self, asset_key: AssetKey, after_cursor_partition: bool = False
    ) -> Mapping[str, EventLogEntry]:
        """For each partition of an asset the newest that is not consumed, oldest first."""
        del after_cursor_partition
        return {
            one.partition_key: one for one in self._of(asset_key) if one.partition_key is not None
        }

    def latest_materialization_records_by_partition_and_asset(
        self,
    ) -> Mapping[str, Mapping[AssetKey, EventLogEntry]]:
        """For each partition the newest of each asset that is not consumed."""
        found: dict[str, dict[AssetKey, EventLogEntry]] = {}
        for one in self._records:
            if one.partition_key is not None:
                found.setdefault(one.partition_key, {})[one.asset_key] = one
        return found

    def materialization_records_for_key(
        self, asset_key: AssetKey, limit: int | None = None
    ) -> Sequence[EventLogEntry]:
        """What is not consumed of an asset, oldest first, at most so many."""
        return self._of(asset_key)[:limit]

    def get_trailing_unconsumed_events(self, asset_key: AssetKey) -> Sequence[EventLogEntry]:
        """What is not consumed of an asset, oldest first."""
        return self._of(asset_key)

    def advance_cursor(
        self, materialization_records_by_key: Mapping[AssetKey, EventLogEntry | None]
    ) -> None:
        """Consumes these records; of an asset without partitions the older ones too."""
        for key, record in materialization_records_by_key.items():
            if record is not None:
                self._records = [
                    one
                    for one in self._records
                    if one.asset_key != key
                    or (
                        record.partition_key is not None
                        and one.partition_key != record.partition_key
                    )
                ]

    def advance_all_cursors(self) -> None:
        """Consumes everything."""
        self._records = []

    def update_cursor(self, cursor: str | None) -> NoReturn:
        """Not here: the cursor of a multi-asset sensor keeps what is not consumed."""
        del cursor
        raise UsageError(
            "the cursor of a multi-asset sensor keeps what is not consumed; call advance_all_cursors() or "
            "advance_cursor({key: record})"
        )

    def _of(self, asset_key: AssetKey) -> list[EventLogEntry]:
        if asset_key not in self._keys:
            raise UsageError(
                f"the sensor does not watch `{asset_key.to_user_string()}`; add it to monitored_assets"
            )
        return [one for one in self._records if one.asset_key == asset_key]
