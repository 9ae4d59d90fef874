"""`@sensor` and its siblings: functions that decide what to run."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Any, overload

from arco_flow._internal.automation.context import MultiAssetSensorEvaluationContext
from arco_flow._internal.automation.event_sensors import (
    AssetSensorDefinition,
    PushSensorDefinition,
    RunStatusSensorDefinition,
)
from arco_flow._internal.automation.events import DagsterRunStatus, EventLogEntry
from arco_flow._internal.automation.multi_asset_sensor import MultiAssetSensorDefinition
from arco_flow._internal.automation.sensor_definition import (
    DefaultSensorStatus,
    RunKeys,
    SensorDefinition,
    SensorOptions,
)
from arco_flow._internal.automation.target import AnyJob
from arco_flow._internal.errors import DefinitionError
from arco_flow._internal.keys import AssetKey, AssetLike, key_of
from arco_flow._internal.metadata import RawMetadataMapping
from arco_flow._internal.selection.ast import AssetSelection, CoercibleToAssetSelection
from arco_flow._internal.unsupported import refuse_unknown

Function = Callable[..., Any]


@overload
def sensor(job_name: Function, /) -> SensorDefinition: ...


@overload
def sensor(
    job_name: str | None = None,
    *,
    name: str | None = ...,
    minimum_interval_seconds: int | None = ...,
    description: str | None = ...,
    job: AnyJob | None = ...,
    jobs: Sequence[AnyJob] | None = ...,
    default_status: DefaultSensorStatus = ...,
    asset_selection: CoercibleToAssetSelection | None = ...,
    required_resource_keys: AbstractSet[str] | None = ...,
    tags: Mapping[str, Any] | None = ...,
    metadata: RawMetadataMapping | None = ...,
    target: AnyJob | CoercibleToAssetSelection | None = ...,
    owners: Sequence[str] | None = ...,
    run_keys: RunKeys = ...,
    timeout_seconds: int = ...,
) -> Callable[[Function], SensorDefinition]: ...


def sensor(
    job_name: str | Function | None = None,
    *,
    name: str | None = None,
    minimum_interval_seconds: int | None = None,
    description: str | None = None,
    job: AnyJob | None = None,
    jobs: Sequence[AnyJob] | None = None,
    default_status: DefaultSensorStatus = DefaultSensorStatus.STOPPED,
    asset_selection: CoercibleToAssetSelection | None = None,
    required_resource_keys: AbstractSet[str] | None = None,
    tags: Mapping[str, Any] | None = None,
    metadata: RawMetadataMapping | None = None,
    target: AnyJob | CoercibleToAssetSelection | None = None,
    owners: Sequence[str] | None = None,
    run_keys: RunKeys = "once",
    timeout_seconds: int = 60,
    **removed: Any,
) -> Any:
    """Declares a sensor: a function that looks at the world again and again and says what to run.

    It may take a context (`SensorEvaluationContext`) and resources, and gives nothing, a `SkipReason`, one or
    several `RunRequest`s (returned or yielded), or a `SensorResult`. The parameters and what differs from
    Dagster are said at `SensorDefinition`.

    Example:
        @dg.sensor(target=[report], minimum_interval_seconds=10)
        def new_files(context: dg.SensorEvaluationContext):
            for file in sorted(Path("inbox").glob("*.csv")):
                yield dg.RunRequest(run_key=file.name)
    """
    refuse_unknown("@sensor", removed)

    def decorate(fn: Function) -> SensorDefinition:
        return SensorDefinition(
            name,
            evaluation_fn=fn,
            job_name=job_name if isinstance(job_name, str) else None,
            minimum_interval_seconds=minimum_interval_seconds,
            description=description,
            job=job,
            jobs=jobs,
            default_status=default_status,
            asset_selection=asset_selection,
            required_resource_keys=required_resource_keys,
            tags=tags,
            metadata=metadata,
            target=target,
            owners=owners,
            run_keys=run_keys,
            timeout_seconds=timeout_seconds,
        )

    return decorate(job_name) if callable(job_name) else decorate


@overload
def push_sensor(name: Function, /) -> PushSensorDefinition: ...


@overload
def push_sensor(
    name: str | None = None,
    *,
    description: str | None = ...,
    job: AnyJob | None = ...,
    jobs: Sequence[AnyJob] | None = ...,
    default_status: DefaultSensorStatus = ...,
    required_resource_keys: AbstractSet[str] | None = ...,
    tags: Mapping[str, Any] | None = ...,
    metadata: RawMetadataMapping | None = ...,
    target: AnyJob | CoercibleToAssetSelection | None = ...,
    owners: Sequence[str] | None = ...,
    run_keys: RunKeys = ...,
    timeout_seconds: int = ...,
    max_attempts: int = ...,
) -> Callable[[Function], PushSensorDefinition]: ...


def push_sensor(
    name: str | Function | None = None,
    *,
    description: str | None = None,
    job: AnyJob | None = None,
    jobs: Sequence[AnyJob] | None = None,
    default_status: DefaultSensorStatus = DefaultSensorStatus.STOPPED,
    required_resource_keys: AbstractSet[str] | None = None,
    tags: Mapping[str, Any] | None = None,
    metadata: RawMetadataMapping | None = None,
    target: AnyJob | CoercibleToAssetSelection | None = None,
    owners: Sequence[str] | None = None,
    run_keys: RunKeys = "once",
    timeout_seconds: int = 60,
    max_attempts: int = 5,
    **removed: Any,
) -> Any:
    """Declares a push sensor: a function that is called with each message that is pushed to it. Arco's own.

    A message comes by `POST …/sensors/NAME/messages` or from a queue, and each one that was accepted is handed
    over, in order, once the evaluation before it counted. The function may take a context and the `Message`,
    and resources, and gives what that of a `@sensor` gives.

    Args:
        name: As of `SensorDefinition`, like what is not named here.
        max_attempts: How often a message whose evaluation raises is tried before it is passed over and
            recorded as failed.

    Example:
        @dg.push_sensor(target=[orders])
        def order_arrived(context, message: dg.Message):
            return dg.RunRequest(run_key=message.id, partition_key=message.data["day"])
    """
    refuse_unknown("@push_sensor", removed)
    options = SensorOptions(
        job=job,
        jobs=jobs,
        target=target,
        description=description,
        default_status=default_status,
        required_resource_keys=required_resource_keys,
        tags=tags,
        metadata=metadata,
        owners=owners,
        run_keys=run_keys,
        timeout_seconds=timeout_seconds,
        max_attempts=max_attempts,
    )
    if callable(name):
        return PushSensorDefinition(None, name, options)
    return lambda fn: PushSensorDefinition(name, fn, options)


def asset_sensor(
    asset_key: AssetLike,
    *,
    job_name: str | None = None,
    name: str | None = None,
    minimum_interval_seconds: int | None = None,
    description: str | None = None,
    job: AnyJob | None = None,
    jobs: Sequence[AnyJob] | None = None,
    default_status: DefaultSensorStatus = DefaultSensorStatus.STOPPED,
    required_resource_keys: AbstractSet[str] | None = None,
    tags: Mapping[str, Any] | None = None,
    metadata: RawMetadataMapping | None = None,
    target: AnyJob | CoercibleToAssetSelection | None = None,
    owners: Sequence[str] | None = None,
    run_keys: RunKeys = "once",
    timeout_seconds: int = 60,
    max_attempts: int = 5,
    **removed: Any,
) -> Callable[[Function], AssetSensorDefinition]:
    """Declares an asset sensor: a function that is called with each materialization of an asset.

    It may take a context and the `EventLogEntry`, and resources, and gives what that of a `@sensor` gives.

    Differs from Dagster: every materialization since the sensor was started comes, in order, and not only
    the latest (N-21); one whose evaluation raises is tried `max_attempts` times and then passed over, on the
    record. The cursor is the function's own: where the sensor stands in the log is kept apart.

    Args:
        asset_key: The asset, of any location.
        minimum_interval_seconds: Has no meaning: what happens is handed over as it happens.
        max_attempts: How often a materialization whose evaluation raises is tried.
        job_name: As of `SensorDefinition`, like what is not named here.
    """
    refuse_unknown("@asset_sensor", removed)
    del minimum_interval_seconds
    options = SensorOptions(
        job_name=job_name,
        job=job,
        jobs=jobs,
        target=target,
        description=description,
        default_status=default_status,
        required_resource_keys=required_resource_keys,
        tags=tags,
        metadata=metadata,
        owners=owners,
        run_keys=run_keys,
        timeout_seconds=timeout_seconds,
        max_attempts=max_attempts,
    )
    key = key_of(asset_key)
    return lambda fn: AssetSensorDefinition(name, key, fn, options)


def multi_asset_sensor(
    monitored_assets: Sequence[AssetLike] | AssetSelection,
    *,
    job_name: str | None = None,
    name: str | None = None,
    minimum_interval_seconds: int | None = None,
    description: str | None = None,
    job: AnyJob | None = None,
    jobs: Sequence[AnyJob] | None = None,
    default_status: DefaultSensorStatus = DefaultSensorStatus.STOPPED,
    request_assets: CoercibleToAssetSelection | None = None,
    required_resource_keys: AbstractSet[str] | None = None,
    tags: Mapping[str, Any] | None = None,
    metadata: RawMetadataMapping | None = None,
    owners: Sequence[str] | None = None,
    run_keys: RunKeys = "once",
    timeout_seconds: int = 60,
    max_attempts: int = 5,
    **removed: Any,
) -> Callable[[Function], MultiAssetSensorDefinition]:
    """Declares a multi-asset sensor: a function that is told what was made of several assets.

    It is called when something was made, with all that it has not consumed: see
    `MultiAssetSensorEvaluationContext`. Records it does not consume come again with the next.

    Differs from Dagster: it is called when something was made and not at an interval; its records come from
    a subscription, so nothing is missed between two calls, and it keeps up to 500 unconsumed ones (of a
    partition the newest), where Dagster keeps 25 (N-22). What it keeps is its cursor, which is therefore not
    the function's to set. `context.latest_materialization_records_by_key` and its siblings answer from what
    is not consumed, without asking the log: a record that was consumed is gone.

    Args:
        monitored_assets: Keys, of any location, or a selection of the assets of this one.
        minimum_interval_seconds: Has no meaning: what happens is handed over as it happens.
        request_assets: Assets it may run.
        max_attempts: How often an evaluation that raises is tried before the oldest record is passed over.
        job_name: As of `SensorDefinition`, like what is not named here.
    """
    refuse_unknown("@multi_asset_sensor", removed)
    del minimum_interval_seconds
    options = SensorOptions(
        job_name=job_name,
        job=job,
        jobs=jobs,
        asset_selection=request_assets,
        description=description,
        default_status=default_status,
        required_resource_keys=required_resource_keys,
        tags=tags,
        metadata=metadata,
        owners=owners,
        run_keys=run_keys,
        timeout_seconds=timeout_seconds,
        max_attempts=max_attempts,
    )
    return lambda fn: MultiAssetSensorDefinition(name, monitored_assets, fn, options)


def run_status_sensor(
    run_status: DagsterRunStatus | Sequence[DagsterRunStatus],
    name: str | None = None,
    minimum_interval_seconds: int | None = None,
    description: str | None = None,
    monitored_jobs: Sequence[AnyJob] | None = None,
    job_selection: Sequence[AnyJob] | None = None,
    monitor_all_code_locations: bool | None = None,
    default_status: DefaultSensorStatus = DefaultSensorStatus.STOPPED,
    request_job: AnyJob | None = None,
    request_jobs: Sequence[AnyJob] | None = None,
    monitor_all_repositories: bool | None = None,
    tags: Mapping[str, Any] | None = None,
    metadata: RawMetadataMapping | None = None,
    *,
    required_resource_keys: AbstractSet[str] | None = None,
    owners: Sequence[str] | None = None,
    run_keys: RunKeys = "once",
    timeout_seconds: int = 60,
    max_attempts: int = 5,
    **removed: Any,
) -> Callable[[Function], RunStatusSensorDefinition]:
    """Declares a run-status sensor: a function that is called with each run that enters a status.

    It may take a `RunStatusSensorContext`, and resources, and gives what that of a `@sensor` gives, mostly
    nothing.

    Differs from Dagster: every run since the sensor was started comes, however many at once (N-23), and one
    whose evaluation raises is tried `max_attempts` times instead of never again (N-24).

    Args:
        run_status: `DagsterRunStatus.STARTED`, `SUCCESS`, `FAILURE` or `CANCELED`, or several of them.
        name: As of `SensorDefinition`, like what is not named here.
        minimum_interval_seconds: Has no meaning: what happens is handed over as it happens.
        monitored_jobs: Jobs whose runs count, or their names; all runs of the location when absent (N-25).
        job_selection: An older name of `monitored_jobs`.
        monitor_all_code_locations: Whether runs of all locations count.
        request_job: A job that it may run.
        request_jobs: Jobs that it may run; each request names one.
        monitor_all_repositories: An older name of `monitor_all_code_locations`.
        max_attempts: How often a run whose evaluation raises is tried.
    """
    refuse_unknown("@run_status_sensor", removed)
    del minimum_interval_seconds
    options = SensorOptions(
        job=request_job,
        jobs=request_jobs,
        description=description,
        default_status=default_status,
        required_resource_keys=required_resource_keys,
        tags=tags,
        metadata=metadata,
        owners=owners,
        run_keys=run_keys,
        timeout_seconds=timeout_seconds,
        max_attempts=max_attempts,
    )
    jobs = _older("monitored_jobs", monitored_jobs, "job_selection", job_selection)
    everywhere = bool(monitor_all_code_locations or monitor_all_repositories)
    return lambda fn: RunStatusSensorDefinition(name, run_status, fn, options, jobs, everywhere)


@overload
def run_failure_sensor(name: Function, /) -> RunStatusSensorDefinition: ...


@overload
def run_failure_sensor(
    name: str | None = None,
    minimum_interval_seconds: int | None = ...,
    description: str | None = ...,
    monitored_jobs: Sequence[AnyJob] | None = ...,
    job_selection: Sequence[AnyJob] | None = ...,
    monitor_all_code_locations: bool | None = ...,
    default_status: DefaultSensorStatus = ...,
    request_job: AnyJob | None = ...,
    request_jobs: Sequence[AnyJob] | None = ...,
    monitor_all_repositories: bool | None = ...,
    tags: Mapping[str, Any] | None = ...,
    metadata: RawMetadataMapping | None = ...,
    *,
    required_resource_keys: AbstractSet[str] | None = ...,
    owners: Sequence[str] | None = ...,
    run_keys: RunKeys = ...,
    timeout_seconds: int = ...,
    max_attempts: int = ...,
) -> Callable[[Function], RunStatusSensorDefinition]: ...


def run_failure_sensor(
    name: str | Function | None = None,
    minimum_interval_seconds: int | None = None,
    description: str | None = None,
    monitored_jobs: Sequence[AnyJob] | None = None,
    job_selection: Sequence[AnyJob] | None = None,
    monitor_all_code_locations: bool | None = None,
    default_status: DefaultSensorStatus = DefaultSensorStatus.STOPPED,
    request_job: AnyJob | None = None,
    request_jobs: Sequence[AnyJob] | None = None,
    monitor_all_repositories: bool | None = None,
    tags: Mapping[str, Any] | None = None,
    metadata: RawMetadataMapping | None = None,
    *,
    required_resource_keys: AbstractSet[str] | None = None,
    owners: Sequence[str] | None = None,
    run_keys: RunKeys = "once",
    timeout_seconds: int = 60,
    max_attempts: int = 5,
    **removed: Any,
) -> Any:
    """Declares a run-failure sensor: a function that is called with each run that fails.

    It may take a `RunFailureSensorContext`, whose `failure_event.message` says why, and resources. All else
    is as of `run_status_sensor`.
    """
    refuse_unknown("@run_failure_sensor", removed)
    del minimum_interval_seconds
    options = SensorOptions(
        job=request_job,
        jobs=request_jobs,
        description=description,
        default_status=default_status,
        required_resource_keys=required_resource_keys,
        tags=tags,
        metadata=metadata,
        owners=owners,
        run_keys=run_keys,
        timeout_seconds=timeout_seconds,
        max_attempts=max_attempts,
    )
    jobs = _older("monitored_jobs", monitored_jobs, "job_selection", job_selection)
    everywhere = bool(monitor_all_code_locations or monitor_all_repositories)

    def decorate(fn: Function) -> RunStatusSensorDefinition:
        named = name if isinstance(name, str) else None
        failed = DagsterRunStatus.FAILURE
        return RunStatusSensorDefinition(named, failed, fn, options, jobs, everywhere, True)

    return decorate(name) if callable(name) else decorate


def build_multi_asset_sensor_context(
    *,
    monitored_assets: Sequence[AssetLike],
    repository_def: None = None,
    instance: None = None,
    cursor: str | None = None,
    repository_name: None = None,
    cursor_from_latest_materializations: bool = False,
    resources: Mapping[str, Any] | None = None,
    definitions: Any = None,
    last_sensor_start_time: None = None,
    records: Sequence[EventLogEntry] = (),
) -> MultiAssetSensorEvaluationContext:
    """A context for a unit test that calls a multi-asset sensor.

    Differs from Dagster: there is no instance, so what was made is given as `records`.

    Args:
        monitored_assets: The assets it watches.
        repository_def: Not needed.
        instance: Not needed.
        cursor: Not needed; it belongs to the sensor.
        repository_name: Not needed.
        cursor_from_latest_materializations: Whether `records` count as consumed.
        resources: Values by name.
        definitions: Definitions whose resources it finds; `resources` stand over them.
        last_sensor_start_time: Not kept.
        records: What was made and is not consumed, oldest first. Arco's own.
    """
    from arco_flow._internal.automation.context import resources_for_tests

    del repository_def, instance, cursor, repository_name, last_sensor_start_time
    if isinstance(monitored_assets, (str, AssetKey)):
        raise DefinitionError(
            f"monitored_assets is a list; write monitored_assets=[{monitored_assets!r}]"
        )
    keys = [key_of(one) for one in monitored_assets]
    left = () if cursor_from_latest_materializations else records
    context = MultiAssetSensorEvaluationContext(None, keys, left)
    context._resources = resources_for_tests(resources, definitions, context._stack)
    return context


def _older(name: str, given: Any, older: str, older_given: Any) -> Any:
    if given is not None and older_given is not None:
        raise DefinitionError(f"{older}= is an older name of {name}=; give one of them")
    return given if given is not None else older_given
