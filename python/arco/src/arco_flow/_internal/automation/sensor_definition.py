"""Sensors as they are declared: what they look at, what they may run, and the function that decides."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
from typing import TYPE_CHECKING, Any, ClassVar, Literal, TypeAlias

from arco_flow._internal import names
from arco_flow._internal.automation.context import (
    SensorEvaluationContext,
    build_sensor_context,
)
from arco_flow._internal.automation.function import (
    TIMEOUT_SECONDS_MAX,
    UserFunction,
    check_resources,
    resource_keys,
    whole,
)
from arco_flow._internal.automation.requests import run_tags
from arco_flow._internal.automation.results import SensorExecutionData, read_sensor
from arco_flow._internal.automation.target import (
    AnyJob,
    read_target,
)
from arco_flow._internal.errors import DefinitionError, UsageError
from arco_flow._internal.metadata import RawMetadataMapping, metadata_json, normalize
from arco_flow._internal.selection.ast import AssetSelection, CoercibleToAssetSelection

if TYPE_CHECKING:
    from arco_flow._internal.definitions import Definitions

RunKeys: TypeAlias = Literal["once", "until_success"] | timedelta
"""Which key of a run request is the same run; see `SensorDefinition`."""


class DefaultSensorStatus(Enum):
    """Whether a sensor runs when no operator has said anything (S-22)."""

    RUNNING = "RUNNING"
    STOPPED = "STOPPED"


@dataclass(frozen=True)
class SensorOptions:
    """What all sensors may be given. The meaning of each is said at `SensorDefinition`."""

    job_name: str | None = None
    job: AnyJob | None = None
    jobs: Sequence[AnyJob] | None = None
    target: AnyJob | CoercibleToAssetSelection | None = None
    asset_selection: CoercibleToAssetSelection | None = None
    description: str | None = None
    default_status: DefaultSensorStatus = DefaultSensorStatus.STOPPED
    required_resource_keys: AbstractSet[str] | None = None
    tags: Mapping[str, Any] | None = None
    metadata: RawMetadataMapping | None = None
    owners: Sequence[str] | None = None
    run_keys: RunKeys = "once"
    timeout_seconds: int = 60
    max_attempts: int = 5


class SensorDefinition:
    """A function that looks at the world again and again, and says what to run (N-1 to N-16).

    A plain callable still: calling it calls the function, so that a unit test is a call;
    `evaluate_tick(build_sensor_context(...))` reads what it gave as the worker does.

    Differs from Dagster: `run_keys` says what a run key holds; a sensor that raises is asked again after a
    pause that grows; one that hangs is ended after `timeout_seconds` and delays no other.

    Args:
        name: Letters, digits and underscores, unique in the workspace; the function's when absent.
        evaluation_fn: The function.
        job_name: The name of a job that it may run.
        minimum_interval_seconds: From the begin of one look to the next, at least; 30 when absent (N-1).
        description: For people; the docstring when absent.
        job: A job that it may run.
        jobs: Jobs that it may run; each request names one.
        default_status: Whether it runs when no operator has said anything.
        asset_selection: Assets it may run.
        required_resource_keys: Resources used as `context.resources.x`.
        tags: Tags of the sensor.
        metadata: Typed or plain values by name.
        target: A job or assets it may run.
        owners: E-mail addresses or `team:NAME`.
        run_keys: Arco's own. Which key of a run request is the same run: `once`, a key that has a run asks
            for none (N-12); `until_success`, only a run that succeeded or is going on holds its key; a
            `timedelta`, a key is held for so long.
        timeout_seconds: Arco's own. Longest time of one call of the function, at most an hour (N-2).

    Raises:
        DefinitionError: For values that cannot stand, naming the sensor.
    """

    kind: ClassVar[str] = "poll"
    keeps_cursor: ClassVar[bool] = True
    _arco_definition: ClassVar[str] = "sensor"
    _takes: ClassVar[tuple[str, ...]] = ("the context",)

    def __init__(
        self,
        name: str | None = None,
        *,
        evaluation_fn: Callable[..., Any] | None = None,
        job_name: str | None = None,
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
    ) -> None:
        if evaluation_fn is None:
            raise DefinitionError(
                f"sensor {name!r} has no function; write @sensor above one, or give evaluation_fn="
            )
        options = SensorOptions(
            job_name=job_name,
            job=job,
            jobs=jobs,
            target=target,
            asset_selection=asset_selection,
            description=description,
            default_status=default_status,
            required_resource_keys=required_resource_keys,
            tags=tags,
            metadata=metadata,
            owners=owners,
            run_keys=run_keys,
            timeout_seconds=timeout_seconds,
        )
        self._declare(name, evaluation_fn, options)
        interval = 30 if minimum_interval_seconds is None else minimum_interval_seconds
        self.minimum_interval_seconds = whole(
            "minimum_interval_seconds", interval, self._of, 1, 86_400
        )

    def _declare(self, name: str | None, fn: Callable[..., Any], options: SensorOptions) -> None:
        name = name if name is not None else getattr(fn, "__name__", None)
        self.name = names.check_name(name, "a sensor")  # type: ignore[arg-type]  # Checked there.
        self._of = f"sensor `{self.name}`"
        self.function = UserFunction(fn, self._of, self._takes)
        self.target = read_target(
            self._of,
            job_name=options.job_name,
            job=options.job,
            jobs=options.jobs,
            target=options.target,
            asset_selection=options.asset_selection,
        )
        self.description = options.description or _first_words(fn)
        if not isinstance(options.default_status, DefaultSensorStatus):
            raise DefinitionError(
                f"default_status of {self._of} is DefaultSensorStatus.RUNNING or STOPPED, not "
                f"{options.default_status!r}"
            )
        self.default_status = options.default_status
        self._keys = resource_keys(options.required_resource_keys, self._of)
        try:
            self.tags = run_tags(options.tags, self._of)
        except UsageError as error:
            raise DefinitionError(str(error)) from error
        self.metadata = normalize(options.metadata)
        self.owners = _owners(options.owners, self._of)
        self.run_keys = options.run_keys
        self._policy = _policy(options.run_keys, self._of)
        self.timeout_seconds = whole(
            "timeout_seconds", options.timeout_seconds, self._of, 1, TIMEOUT_SECONDS_MAX
        )
        self.max_attempts = whole("max_attempts", options.max_attempts, self._of, 1, 100)
        for one in ("__doc__", "__name__", "__qualname__", "__module__"):
            if hasattr(fn, one):
                setattr(self, one, getattr(fn, one))
        self.__wrapped__ = fn

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.name!r})"

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Calls the function and gives what it gives."""
        return self.function.call_directly(args, kwargs, self._context_for_tests)

    def _context_for_tests(self) -> Any:
        return build_sensor_context(sensor_name=self.name)

    @property
    def required_resource_keys(self) -> frozenset[str]:
        """Names of the resources it uses."""
        return self._keys | self.function.resource_names

    @property
    def job_name(self) -> str | None:
        """The job it runs, when there is one."""
        jobs = self.target.job_names
        return jobs[0] if len(jobs) == 1 else None

    @property
    def job(self) -> Any:
        """The job it runs, when one is given."""
        jobs = self.target.definitions
        return jobs[0] if len(jobs) == 1 else None

    @property
    def jobs(self) -> Sequence[Any]:
        """The jobs it runs, of those given."""
        return self.target.definitions

    @property
    def asset_selection(self) -> AssetSelection | None:
        """The assets it may run."""
        return self.target.selection

    def evaluate_tick(self, context: SensorEvaluationContext) -> SensorExecutionData:
        """Calls the function and reads what it gave.

        Raises:
            UsageError: For what a sensor cannot ask for; whatever the function raises comes through.
        """
        return self.evaluate((context,))

    def evaluate(self, given: tuple[Any, ...]) -> SensorExecutionData:
        """As `evaluate_tick`, with what the function is given: its context first."""
        context = given[0]
        result = self.function.call(given, context.resources)
        return read_sensor(result, self._of, self.target, context)

    def given(self, context: SensorEvaluationContext, item: Mapping[str, Any]) -> tuple[Any, ...]:
        """What the function gets for one thing that lies before the sensor.

        Raises:
            UsageError: When this kind of sensor has nothing lie before it.
        """
        del context
        raise UsageError(f"{self._of} polls, and was given {item.get('of')!r}")

    def to_json(self, defs: Definitions) -> dict[str, Any]:
        """The sensor as it stands in a manifest; absent rather than null.

        Raises:
            DefinitionError: For jobs, assets and resources that are not defined.
        """
        self.target.check(self._of, defs.job_nodes(), defs.graph())
        check_resources(self._of, self.required_resource_keys, defs.resources)
        found: dict[str, Any] = {
            "name": self.name,
            "kind": self.kind,
            **self._watches(defs),
            **self.target.to_json(),
            "timeout_seconds": self.timeout_seconds,
            "max_attempts": self.max_attempts,
            "default_status": self.default_status.value.lower(),
        }
        if self._policy["policy"] != "once":
            found["run_keys"] = self._policy
        if self.description:
            found["description"] = self.description
        if self.tags:
            found["tags"] = dict(sorted(self.tags.items()))
        if self.metadata:
            found["metadata"] = metadata_json(self.metadata)
        if self.owners:
            found["owners"] = list(self.owners)
        return found

    def _watches(self, defs: Definitions) -> dict[str, Any]:
        del defs
        return {"minimum_interval_seconds": self.minimum_interval_seconds}


def resolve_sensors(sensors: Sequence[SensorDefinition], defs: Definitions) -> list[dict[str, Any]]:
    """The sensors as they stand in a manifest, by name.

    Raises:
        DefinitionError: For a name that is given twice, and what a sensor needs that is not defined.
    """
    found: dict[str, SensorDefinition] = {}
    for sensor in sensors:
        other = found.setdefault(sensor.name, sensor)
        if other is not sensor:
            raise DefinitionError(
                f"sensor `{sensor.name}` is defined twice; give one of them another name"
            )
    return [found[name].to_json(defs) for name in sorted(found)]


def _policy(run_keys: RunKeys, of: str) -> dict[str, Any]:
    if isinstance(run_keys, timedelta):
        seconds = round(run_keys.total_seconds())
        if seconds < 1:
            raise DefinitionError(
                f"run_keys of {of}: a window is a second or longer, not {run_keys}"
            )
        return {"policy": "window", "seconds": seconds}
    if run_keys not in ("once", "until_success"):
        raise DefinitionError(
            f'run_keys of {of} is "once", "until_success" or a timedelta, not {run_keys!r}'
            + names.did_you_mean(str(run_keys), ("once", "until_success"))
        )
    return {"policy": run_keys}


def _owners(owners: Sequence[str] | None, of: str) -> tuple[str, ...]:
    try:
        return names.check_owners(owners, of)
    except DefinitionError as error:
        raise DefinitionError(str(error).replace(f"of asset `{of}`", f"of {of}")) from error


def _first_words(fn: Callable[..., Any]) -> str | None:
    # A function has a docstring of its own; that of the class of a callable says nothing of it.
    return inspect.getdoc(fn) if inspect.isfunction(fn) else None
