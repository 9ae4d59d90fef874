"""Schedules: a job or assets, run when crons are due (S-1 to S-47)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from arco_flow._internal import canonical, names
from arco_flow._internal.automation.context import ScheduleEvaluationContext
from arco_flow._internal.automation.function import check_resources
from arco_flow._internal.automation.requests import RunRequest
from arco_flow._internal.automation.results import ScheduleExecutionData
from arco_flow._internal.automation.schedule_function import (
    ScheduleFunction,
    decorated,
    read_function,
)
from arco_flow._internal.automation.target import check_jobs, read_target, selected
from arco_flow._internal.errors import ArcoError, DefinitionError, UsageError
from arco_flow._internal.jobs import JobNode, UnresolvedAssetJobDefinition
from arco_flow._internal.keys import AssetKey
from arco_flow._internal.metadata import (
    MetadataValue,
    RawMetadataMapping,
    metadata_json,
    normalize,
)
from arco_flow._internal.partitions import (
    MultiPartitionsDefinition,
    PartitionsDefinition,
    StaticPartitionsDefinition,
    TimeWindowPartitionsDefinition,
)
from arco_flow._internal.partitions.windows import zone
from arco_flow._internal.run_config import RunConfig, config_dict
from arco_flow._internal.selection.ast import CoercibleToAssetSelection, texts
from arco_flow._internal.unsupported import refuse, refuse_unknown

if TYPE_CHECKING:
    from arco_flow._internal.graph import Graph


class DefaultScheduleStatus(Enum):
    """Whether a schedule runs when no operator has said anything (S-22)."""

    RUNNING = "RUNNING"
    STOPPED = "STOPPED"


@dataclass(frozen=True, slots=True)
class CatchUp:
    """What happens to instants that passed while nothing could fire them. Dagster has no such choice.

    Args:
        policy: `skip` fires none that is a minute late; `latest` the newest, as Dagster does; `all` the
            newest `max_ticks`, oldest first. Each runs the partition of its own instant.
        window_seconds: Older instants are not fired under any policy.
        max_ticks: How many at most under `all`.

    Raises:
        DefinitionError: For another policy, or numbers below one.
    """

    policy: Literal["skip", "latest", "all"] = "latest"
    window_seconds: int | None = None
    max_ticks: int = 100

    def __post_init__(self) -> None:
        if self.policy not in ("skip", "latest", "all"):
            raise DefinitionError(
                f"{self.policy!r} is no catch-up policy; there are `skip`, `latest` and `all`"
            )
        for name in ("window_seconds", "max_ticks"):
            value = getattr(self, name)
            if value is not None and (
                isinstance(value, bool) or not isinstance(value, int) or value < 1
            ):
                raise DefinitionError(
                    f"{name} of a CatchUp is a whole number from 1 on, not {value!r}"
                )

    def to_json(self) -> dict[str, Any]:
        """As it stands in a manifest; absent rather than null."""
        found: dict[str, Any] = {"policy": self.policy, "max_ticks": self.max_ticks}
        if self.window_seconds is not None:
            found["window_seconds"] = self.window_seconds
        return found


class ScheduleDefinition:
    """A job or assets, run at the instants of one or several crons.

    When what runs is declared, ticks need no code of yours: the control plane evaluates them. With a function
    (`execution_fn`, `run_config_fn`, `tags_fn`, `should_execute`, or `@schedule` above one) a worker host asks
    it at each instant. A plain callable then: calling it calls the function, so that a unit test is a call;
    `evaluate_tick(build_schedule_context(...))` reads what it gave as the worker does.

    Differs from Dagster: `catch_up` says what happens to instants that passed while nothing ran, `jobs` gives
    a function several jobs to choose from, and `tags` are under those of each RunRequest.

    Args:
        name: Letters, digits and underscores, unique in the workspace; `JOB_schedule` when a job is
            given.
        cron_schedule: Five fields or an alias such as `@daily`; of a list the union.
        job_name: The name of a job of the same location.
        job: The job itself.
        target: The job, or the assets, in its place.
        run_config: Configuration of its runs, in place of the job's.
        run_config_fn: Gives it, for the `ScheduleEvaluationContext` it may take.
        tags: Tags of its runs, beside the job's.
        tags_fn: Gives them, for the context.
        should_execute: Says for the context whether the tick runs anything; if not, it is skipped (S-38).
        execution_fn: Says for the context what to run: nothing, a `SkipReason`, one or several `RunRequest`s
            (S-37). In place of `run_config`, `tags_fn` and `should_execute`.
        required_resource_keys: Resources used as `context.resources.x`.
        metadata: Typed or plain values by name.
        execution_timezone: IANA name of the zone the crons are read in; UTC when absent.
        description: For people.
        default_status: Whether it runs when no operator has said anything.
        owners: E-mail addresses or `team:NAME`.
        catch_up: What happens to instants that passed unfired.
        jobs: Arco's own. Jobs that a function may run; each request names one.
        timeout_seconds: Arco's own. Longest time of an evaluation of a function, at most an hour (S-30).
        max_retries: Arco's own. How often a tick whose function failed is tried again, after pauses that
            double from ten seconds (S-28).

    Raises:
        DefinitionError: For a bad name, zone, tag or configuration, and when it is not clear what it
            runs.
    """

    _arco_definition: ClassVar[str] = "schedule"

    def __init__(
        self,
        name: str | None = None,
        *,
        cron_schedule: str | Sequence[str] | None = None,
        job_name: str | None = None,
        run_config: RunConfig | Mapping[str, Any] | None = None,
        run_config_fn: Callable[..., Any] | None = None,
        tags: Mapping[str, object] | None = None,
        tags_fn: Callable[..., Any] | None = None,
        metadata: RawMetadataMapping | None = None,
        should_execute: Callable[..., Any] | None = None,
        environment_vars: None = None,
        execution_timezone: str | None = None,
        execution_fn: Callable[..., Any] | None = None,
        description: str | None = None,
        job: UnresolvedAssetJobDefinition | None = None,
        default_status: DefaultScheduleStatus = DefaultScheduleStatus.STOPPED,
        required_resource_keys: AbstractSet[str] | None = None,
        target: UnresolvedAssetJobDefinition | CoercibleToAssetSelection | None = None,
        owners: Sequence[str] | None = None,
        catch_up: CatchUp | None = None,
        jobs: Sequence[UnresolvedAssetJobDefinition | str] | None = None,
        timeout_seconds: int = 60,
        max_retries: int = 0,
        **removed: Any,
    ) -> None:
        refuse("ScheduleDefinition", environment_vars=environment_vars)
        refuse_unknown("ScheduleDefinition", removed)
        if isinstance(target, UnresolvedAssetJobDefinition):
            job, target = _one(job, target, name), None
        job_name = job.name if job is not None else job_name
        if [job_name, target, jobs].count(None) != 2:
            raise DefinitionError(
                f"schedule {name!r} runs either a job or assets; give one of job=, job_name= and target="
            )
        if name is None and job_name is None and execution_fn is not None:
            name = getattr(execution_fn, "__name__", None)
        self.name = _name(name, job_name)
        self.cron_schedule = _crons(cron_schedule, self.name)
        self.execution_timezone = execution_timezone
        if execution_timezone is not None:
            zone(execution_timezone)
        self.job = job
        self.job_name = job_name
        self.target = read_target(
            f"schedule `{self.name}`",
            job=job if job is not None else job_name,
            jobs=jobs,
            asset_selection=target,
        )
        self.selection = self.target.selection
        self.run_config = _config(run_config, self.name)
        self.tags = _tags(tags, self.name)
        self.description = description
        self.metadata = normalize(metadata)
        self.owners = _owners(owners, self.name)
        self.default_status = _status(default_status, self.name)
        self.catch_up = catch_up or CatchUp()
        self.timeout_seconds = timeout_seconds
        self.max_retries = max_retries
        self.function = read_function(
            self.name,
            run_config=run_config,
            run_config_fn=run_config_fn,
            tags=tags,
            tags_fn=tags_fn,
            should_execute=should_execute,
            execution_fn=execution_fn,
            required_resource_keys=required_resource_keys,
            timeout_seconds=timeout_seconds,
            max_retries=max_retries,
        )
        if self.function is None and jobs is not None:
            raise DefinitionError(
                f"schedule `{self.name}` is given jobs= and no function that chooses among them; give job="
            )
        if self.function is not None:
            self.function.dress(self)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Calls the function and gives what it gives.

        Raises:
            UsageError: When it has none that is called for what to run.
        """
        return self._function().call_directly(args, kwargs)

    @property
    def required_resource_keys(self) -> frozenset[str]:
        """Names of the resources its function uses."""
        return frozenset() if self.function is None else self.function.resource_keys

    def evaluate_tick(self, context: ScheduleEvaluationContext) -> ScheduleExecutionData:
        """Calls the function and reads what it gave; a declared schedule asks for one run (S-37 to S-40).

        Raises:
            UsageError: For what a schedule cannot ask for; whatever the function raises comes through.
        """
        if self.function is None:
            return ScheduleExecutionData((RunRequest(None, self.run_config, self.tags),))
        return self.function.evaluate(context, self.target, self.run_config, self.tags)

    def _function(self) -> ScheduleFunction:
        if self.function is None:
            raise UsageError(
                f"schedule `{self.name}` declares what it runs; it has no function to call"
            )
        return self.function

    def __repr__(self) -> str:
        return f"ScheduleDefinition({self.name!r})"


def schedule(
    cron_schedule: str | Sequence[str],
    *,
    job_name: str | None = None,
    name: str | None = None,
    tags: Mapping[str, object] | None = None,
    tags_fn: Callable[..., Any] | None = None,
    metadata: RawMetadataMapping | None = None,
    should_execute: Callable[..., Any] | None = None,
    environment_vars: None = None,
    execution_timezone: str | None = None,
    description: str | None = None,
    job: UnresolvedAssetJobDefinition | None = None,
    default_status: DefaultScheduleStatus = DefaultScheduleStatus.STOPPED,
    required_resource_keys: AbstractSet[str] | None = None,
    target: UnresolvedAssetJobDefinition | CoercibleToAssetSelection | None = None,
    owners: Sequence[str] | None = None,
    catch_up: CatchUp | None = None,
    jobs: Sequence[UnresolvedAssetJobDefinition | str] | None = None,
    timeout_seconds: int = 60,
    max_retries: int = 0,
    **removed: Any,
) -> Callable[[Callable[..., Any]], ScheduleDefinition]:
    """Declares a schedule whose function says at each instant what to run.

    It may take a context (`ScheduleEvaluationContext`) and resources, and gives nothing, a `SkipReason`, run
    configuration, or one or several `RunRequest`s (returned or yielded), each with a run key when there are
    several (S-37, S-39). The parameters are those of `ScheduleDefinition`; the name is the function's when
    absent.

    Example:
        @dg.schedule(cron_schedule="0 6 * * *", target=[report])
        def morning(context: dg.ScheduleEvaluationContext):
            day = context.scheduled_execution_time.date().isoformat()
            return dg.RunRequest(run_key=day, tags={"day": day})
    """
    refuse("@schedule", environment_vars=environment_vars)
    refuse_unknown("@schedule", removed)
    if callable(cron_schedule):
        raise DefinitionError(
            'a schedule needs a cron; write @schedule(cron_schedule="0 2 * * *", ...)'
        )

    def decorate(fn: Callable[..., Any]) -> ScheduleDefinition:
        return ScheduleDefinition(
            name if name is not None else getattr(fn, "__name__", None),
            cron_schedule=cron_schedule,
            job_name=job_name,
            tags=tags,
            metadata=metadata,
            execution_timezone=execution_timezone,
            execution_fn=decorated(fn, tags, tags_fn, should_execute),
            description=description,
            job=job,
            default_status=default_status,
            required_resource_keys=required_resource_keys,
            target=target,
            owners=owners,
            catch_up=catch_up,
            jobs=jobs,
            timeout_seconds=timeout_seconds,
            max_retries=max_retries,
        )

    return decorate


@dataclass(frozen=True, eq=False)
class UnresolvedPartitionedAssetScheduleDefinition:
    """A schedule over the partitions of a job; its cron is known when the location loads.

    Made by `build_schedule_from_partitioned_job`.
    """

    _arco_definition: ClassVar[str] = "schedule"

    name: str
    job: UnresolvedAssetJobDefinition
    description: str | None
    default_status: DefaultScheduleStatus
    minute_of_hour: int | None
    hour_of_day: int | None
    day_of_week: int | None
    day_of_month: int | None
    tags: Mapping[str, str]
    metadata: Mapping[str, MetadataValue]
    owners: tuple[str, ...]
    cron_schedule: tuple[str, ...] | None
    execution_timezone: str | None
    catch_up: CatchUp

    @property
    def job_name(self) -> str:
        """The job it runs."""
        return self.job.name


AnySchedule = ScheduleDefinition | UnresolvedPartitionedAssetScheduleDefinition


def build_schedule_from_partitioned_job(
    job: UnresolvedAssetJobDefinition,
    description: str | None = None,
    name: str | None = None,
    minute_of_hour: int | None = None,
    hour_of_day: int | None = None,
    day_of_week: int | None = None,
    day_of_month: int | None = None,
    default_status: DefaultScheduleStatus = DefaultScheduleStatus.STOPPED,
    tags: Mapping[str, object] | None = None,
    cron_schedule: str | Sequence[str] | None = None,
    execution_timezone: str | None = None,
    metadata: RawMetadataMapping | None = None,
    owners: Sequence[str] | None = None,
    catch_up: CatchUp | None = None,
    **removed: Any,
) -> UnresolvedPartitionedAssetScheduleDefinition:
    """A schedule that runs the last partition of a job at the cadence of its partitions (S-44 to S-47).

    A job over windows of time runs the last window that exists at the instant of the tick, in the time
    zone of the partitions; of several dimensions, one of which is time, every combination with that window;
    a job over fixed keys needs a `cron_schedule` and runs every key. Each partition is a run of its own.

    Differs from Dagster: a tick whose window is left out of the partitions is skipped, whether or not the job
    names its partitions.

    Args:
        job: A job whose assets are partitioned.
        description: For people.
        name: `JOB_schedule` when absent.
        minute_of_hour: Of the cron, in place of the partitions' own.
        hour_of_day: Of the cron; not for hourly partitions.
        day_of_week: Of the cron, 0 is Sunday; for weekly partitions.
        day_of_month: Of the cron; for monthly partitions.
        default_status: Whether it runs when no operator has said anything.
        tags: Tags of its runs, beside the job's.
        cron_schedule: For fixed keys.
        execution_timezone: For fixed keys.
        metadata: Typed or plain values by name.
        owners: E-mail addresses or `team:NAME`.
        catch_up: What happens to instants that passed unfired.

    Raises:
        DefinitionError: At once for options that contradict each other; when the location loads for a
            job without partitions and options that its partitions do not take.
    """
    refuse_unknown("build_schedule_from_partitioned_job", removed)
    if not isinstance(job, UnresolvedAssetJobDefinition):
        raise DefinitionError(
            f'{job!r} is no job; write define_asset_job("name", selection=...) and give that'
        )
    name = _name(name, job.name)
    offsets = (minute_of_hour, hour_of_day, day_of_week, day_of_month)
    if day_of_week is not None and day_of_month is not None:
        raise DefinitionError(f"schedule `{name}`: give day_of_week or day_of_month, not both")
    cron = cron_schedule is not None or execution_timezone is not None
    if cron and any(one is not None for one in offsets):
        raise DefinitionError(
            f"schedule `{name}`: minute_of_hour and its siblings make a cron of the partitions; drop them, or "
            "drop cron_schedule and execution_timezone"
        )
    if execution_timezone is not None:
        zone(execution_timezone)
    return UnresolvedPartitionedAssetScheduleDefinition(
        name=name,
        job=job,
        description=description,
        default_status=_status(default_status, name),
        minute_of_hour=minute_of_hour,
        hour_of_day=hour_of_day,
        day_of_week=day_of_week,
        day_of_month=day_of_month,
        tags=_tags(tags, name),
        metadata=normalize(metadata),
        owners=_owners(owners, name),
        cron_schedule=None if cron_schedule is None else _crons(cron_schedule, name),
        execution_timezone=execution_timezone,
        catch_up=catch_up or CatchUp(),
    )


def resolve_schedules(
    schedules: Sequence[AnySchedule],
    jobs: Mapping[str, JobNode],
    graph: Graph,
    resources: Mapping[str, Any],
) -> list[dict[str, Any]]:
    """The schedules as they stand in a manifest, by name.

    Raises:
        DefinitionError: For a name that is given twice, a job, an asset or a resource that is not defined,
            and partitions that cannot be scheduled so.
    """
    found: dict[str, tuple[AnySchedule, dict[str, Any]]] = {}
    for schedule in schedules:
        other = found.get(schedule.name)
        if other is not None and other[0] is not schedule:
            raise DefinitionError(
                f"schedule `{schedule.name}` is defined twice; give one of them another name"
            )
        if isinstance(schedule, ScheduleDefinition):
            found[schedule.name] = (schedule, _declared(schedule, jobs, graph, resources))
        else:
            found[schedule.name] = (schedule, _partitioned(schedule, jobs[schedule.job.name]))
    return [found[name][1] for name in sorted(found)]


def _declared(
    schedule: ScheduleDefinition,
    jobs: Mapping[str, JobNode],
    graph: Graph,
    resources: Mapping[str, Any],
) -> dict[str, Any]:
    of = f"schedule `{schedule.name}`"
    found = _common(schedule, schedule.cron_schedule, schedule.execution_timezone or "UTC")
    keys: set[AssetKey] = set()
    if schedule.selection is not None:
        found["selection"] = texts(schedule.selection)
        keys = selected(of, schedule.selection, graph)
    else:
        wanted = schedule.target.job_names
        check_jobs(of, wanted, jobs)
        found |= {"job": wanted[0]} if len(wanted) == 1 else {"jobs": list(wanted)}
        keys.update(*(jobs[name].keys for name in wanted if name in jobs))
    if schedule.function is not None:
        # It says with each request which partition; its configuration is in its requests.
        check_resources(of, schedule.required_resource_keys, resources)
        found |= {"function": True, "timeout_seconds": schedule.timeout_seconds}
        return found | ({"max_retries": schedule.max_retries} if schedule.max_retries else {})
    partitioned = [key for key in sorted(keys) if graph.assets[key].spec.partitions_def is not None]
    if partitioned:
        raise DefinitionError(
            f"schedule `{schedule.name}` runs `{partitioned[0].to_user_string()}`, which is partitioned, and says "
            "no partition; write build_schedule_from_partitioned_job(job) to run the last one"
        )
    if schedule.run_config is not None:
        found["config"] = schedule.run_config
    return found


def _partitioned(
    schedule: UnresolvedPartitionedAssetScheduleDefinition, node: JobNode
) -> dict[str, Any]:
    partitions = node.partitions_def
    if partitions is None:
        raise DefinitionError(
            f"schedule `{schedule.name}`: none of the assets of job `{node.definition.name}` is partitioned; write "
            "ScheduleDefinition(cron_schedule=..., job=...)"
        )
    crons, timezone = _when(schedule, partitions)
    found = _common(schedule, crons, timezone)
    found["job"] = node.definition.name
    found["partitions"] = "last"
    return found


def _when(
    schedule: UnresolvedPartitionedAssetScheduleDefinition, partitions: PartitionsDefinition
) -> tuple[tuple[str, ...], str]:
    """Crons and zone: those of the windows, or those given for fixed keys (S-15, S-46, S-47)."""
    partitions = _dimension_of_time(partitions)
    if isinstance(partitions, TimeWindowPartitionsDefinition):
        if schedule.cron_schedule is not None or schedule.execution_timezone is not None:
            raise DefinitionError(
                f"schedule `{schedule.name}`: its partitions are windows of time, which say when it is due; drop "
                "cron_schedule and execution_timezone"
            )
        return (_cron_of_windows(schedule, partitions),), partitions.timezone
    if not isinstance(partitions, StaticPartitionsDefinition):
        raise DefinitionError(
            f"schedule `{schedule.name}`: partitions of this kind cannot be scheduled; they are windows of time, "
            "several dimensions of which one is time, or fixed keys with a cron_schedule"
        )
    if schedule.cron_schedule is None:
        raise DefinitionError(
            f"schedule `{schedule.name}`: fixed keys do not say when it is due; give cron_schedule"
        )
    return schedule.cron_schedule, schedule.execution_timezone or "UTC"


def _dimension_of_time(partitions: PartitionsDefinition) -> PartitionsDefinition:
    """Of several dimensions the only one of time, if there is one."""
    if not isinstance(partitions, MultiPartitionsDefinition):
        return partitions
    of_time = [one for _, one in partitions if isinstance(one, TimeWindowPartitionsDefinition)]
    return of_time[0] if len(of_time) == 1 else partitions


def _cron_of_windows(
    schedule: UnresolvedPartitionedAssetScheduleDefinition, windows: TimeWindowPartitionsDefinition
) -> str:
    def refuse_for(cadence: str, **given: int | None) -> None:
        for option, value in given.items():
            if value is not None:
                raise DefinitionError(
                    f"schedule `{schedule.name}`: {option} has no meaning for {cadence} partitions; drop it"
                )

    def pick(option: str, default: int, low: int, high: int) -> int:
        value: int | None = getattr(schedule, option)
        if value is None:
            return default
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise DefinitionError(
                f"schedule `{schedule.name}`: {option} is a whole number from {low} to {high}, not {value!r}"
            )
        return value

    if windows.cron_schedule is not None:
        refuse_for(
            "cron",
            minute_of_hour=schedule.minute_of_hour,
            hour_of_day=schedule.hour_of_day,
            day_of_week=schedule.day_of_week,
            day_of_month=schedule.day_of_month,
        )
        return windows.cron_schedule
    minute = pick("minute_of_hour", windows.minute_offset, 0, 59)
    match windows.cadence:
        case "hourly":
            refuse_for(
                "hourly",
                hour_of_day=schedule.hour_of_day,
                day_of_week=schedule.day_of_week,
                day_of_month=schedule.day_of_month,
            )
            return f"{minute} * * * *"
        case "daily":
            refuse_for(
                "daily", day_of_week=schedule.day_of_week, day_of_month=schedule.day_of_month
            )
            return f"{minute} {pick('hour_of_day', windows.hour_offset, 0, 23)} * * *"
        case "weekly":
            refuse_for("weekly", day_of_month=schedule.day_of_month)
            hour = pick("hour_of_day", windows.hour_offset, 0, 23)
            return f"{minute} {hour} * * {pick('day_of_week', windows.day_offset, 0, 6)}"
        case _:
            refuse_for("monthly", day_of_week=schedule.day_of_week)
            hour = pick("hour_of_day", windows.hour_offset, 0, 23)
            return f"{minute} {hour} {pick('day_of_month', windows.day_offset or 1, 1, 31)} * *"


def _common(schedule: AnySchedule, crons: Sequence[str], timezone: str) -> dict[str, Any]:
    found: dict[str, Any] = {
        "name": schedule.name,
        "cron": list(crons),
        "timezone": timezone,
        "default_status": schedule.default_status.value.lower(),
        "catch_up": schedule.catch_up.to_json(),
    }
    if schedule.tags:
        found["tags"] = dict(sorted(schedule.tags.items()))
    if schedule.metadata:
        found["metadata"] = metadata_json(schedule.metadata)
    if schedule.owners:
        found["owners"] = list(schedule.owners)
    if schedule.description is not None:
        found["description"] = schedule.description
    return found


def _one(
    job: UnresolvedAssetJobDefinition | None, target: UnresolvedAssetJobDefinition, name: str | None
) -> UnresolvedAssetJobDefinition:
    if job is not None and job is not target:
        raise DefinitionError(f"schedule {name!r} is given two jobs; give one of job= and target=")
    return target


def _name(name: str | None, job: str | None) -> str:
    if name is None and job is None:
        raise DefinitionError("a schedule of assets needs a name; give name=")
    return names.check_name(name if name is not None else f"{job}_schedule", "a schedule")


def _crons(given: str | Sequence[str] | None, name: str) -> tuple[str, ...]:
    found = (given,) if isinstance(given, str) else tuple(given or ())
    if not found or not all(isinstance(one, str) for one in found):
        raise DefinitionError(
            f'schedule `{name}` needs a cron, or a list of crons; write cron_schedule="0 2 * * *"'
        )
    return found


def _status(status: DefaultScheduleStatus, name: str) -> DefaultScheduleStatus:
    if not isinstance(status, DefaultScheduleStatus):
        raise DefinitionError(
            f"default_status of schedule `{name}` is DefaultScheduleStatus.RUNNING or STOPPED, not {status!r}"
        )
    return status


def _config(config: RunConfig | Mapping[str, Any] | None, name: str) -> dict[str, Any] | None:
    if config is None:
        return None
    try:
        found = config_dict(config)
        canonical.dumps(found)
    except ArcoError as error:
        raise DefinitionError(f"run_config of schedule `{name}`: {error}") from error
    return found


def _owners(owners: Sequence[str] | None, name: str) -> tuple[str, ...]:
    try:
        return names.check_owners(owners, name)
    except DefinitionError as error:
        raise DefinitionError(str(error).replace("of asset", "of schedule")) from error


def _tags(tags: Mapping[str, object] | None, name: str) -> dict[str, str]:
    """Tags of a run: values may be any text; those that are no text become JSON (R-49)."""
    found: dict[str, str] = {}
    for key, value in (tags or {}).items():
        names.check_run_tag_key(key, f"schedule `{name}`")
        try:
            found[key] = value if isinstance(value, str) else canonical.dumps(value)
        except UsageError as error:
            raise DefinitionError(f"tag `{key}` of schedule `{name}`: {error}") from error
    return found
