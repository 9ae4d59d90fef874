"""All definitions of one code location."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias, Union

from arco_flow._internal.assets import AssetChecksDefinition, AssetsDefinition, StepDefinition
from arco_flow._internal.errors import DefinitionError
from arco_flow._internal.keys import AssetKey
from arco_flow._internal.metadata import RawMetadataMapping, normalize
from arco_flow._internal.names import did_you_mean
from arco_flow._internal.specs import AssetSpec
from arco_flow._internal.unsupported import refuse, refuse_unknown

if TYPE_CHECKING:
    from arco_flow._internal.automation.sensor_definition import SensorDefinition
    from arco_flow._internal.graph import Graph
    from arco_flow._internal.jobs import JobNode, UnresolvedAssetJobDefinition
    from arco_flow._internal.schedules import AnySchedule

AssetOrSpec: TypeAlias = Union["AssetsDefinition[..., Any]", AssetSpec]


@dataclass(frozen=True, init=False, eq=False)
class Definitions:
    """All definitions of one code location: what a file or module gives to Arco.

    Building it checks the kinds of what is given; references between assets are resolved when the
    location is loaded, so that parts can be merged first.

    Args:
        assets: Decorated functions and specs.
        resources: Values by name: instances of `ConfigurableResource`, IO managers, or any object.
            `io_manager` replaces the default IO manager.
        schedules: Schedules; the jobs they run need not be given again.
        sensors: Sensors; likewise.
        jobs: Jobs, of `define_asset_job`.
        asset_checks: Decorated checks.
        metadata: Typed or plain values by name.

    Raises:
        DefinitionError: When something given is no definition.
    """

    assets: tuple[AssetOrSpec, ...]
    asset_checks: tuple[AssetChecksDefinition[..., Any], ...]
    jobs: tuple[UnresolvedAssetJobDefinition, ...]
    schedules: tuple[AnySchedule, ...]
    sensors: tuple[SensorDefinition, ...]
    resources: Mapping[str, Any]
    metadata: Mapping[str, Any]
    _cache: dict[Any, Any] = field(repr=False)

    def __init__(
        self,
        assets: Iterable[Any] | None = None,
        schedules: Iterable[Any] | None = None,
        sensors: Iterable[Any] | None = None,
        jobs: Iterable[Any] | None = None,
        resources: Mapping[str, Any] | None = None,
        executor: None = None,
        loggers: None = None,
        asset_checks: Iterable[Any] | None = None,
        metadata: RawMetadataMapping | None = None,
        **removed: Any,
    ) -> None:
        refuse(
            "Definitions",
            executor=executor,
            loggers=loggers,
        )
        refuse_unknown("Definitions", removed)
        found = _flat(assets, "assets")
        checks = _flat(asset_checks, "asset_checks")
        for check in checks:
            if not isinstance(check, AssetChecksDefinition):
                raise DefinitionError(
                    f"asset_checks holds {_show(check)}, which is no check; decorate it with `@asset_check`"
                )
        put = object.__setattr__
        put(self, "assets", tuple(a for a in found if not isinstance(a, AssetChecksDefinition)))
        # A check among the assets is one all the same.
        put(
            self,
            "asset_checks",
            (*checks, *(a for a in found if isinstance(a, AssetChecksDefinition))),
        )
        put(self, "schedules", _schedules(schedules))
        put(self, "sensors", _sensors(sensors))
        put(self, "jobs", _with_jobs_of((*self.schedules, *self.sensors), _jobs(jobs)))
        put(self, "resources", _resources(resources))
        put(self, "metadata", normalize(metadata))
        put(self, "_cache", {})

    @staticmethod
    def merge(*def_sets: Definitions) -> Definitions:
        """One `Definitions` of several.

        Raises:
            DefinitionError: When two of them have different resources of one name.
        """
        resources: dict[str, Any] = {}
        for defs in def_sets:
            for name, value in defs.resources.items():
                if name in resources and resources[name] is not value and resources[name] != value:
                    raise DefinitionError(
                        f"resource `{name}` is defined twice, differently; rename one of them, or merge "
                        "with one that has it"
                    )
                resources[name] = value
        unique: dict[int, Any] = {
            id(a): a for defs in def_sets for a in (*defs.assets, *defs.asset_checks)
        }
        metadata: dict[str, Any] = {}
        for defs in def_sets:
            metadata.update(defs.metadata)
        jobs = {id(job): job for defs in def_sets for job in defs.jobs}
        schedules = {id(one): one for defs in def_sets for one in defs.schedules}
        sensors = {id(one): one for defs in def_sets for one in defs.sensors}
        return Definitions(
            assets=list(unique.values()),
            jobs=list(jobs.values()),
            schedules=list(schedules.values()),
            sensors=list(sensors.values()),
            resources=resources,
            metadata=metadata,
        )

    @staticmethod
    def validate_loadable(defs: Definitions) -> None:
        """Raises `DefinitionError` when the references do not resolve, or form a cycle."""
        defs.graph()
        defs.job_nodes()
        defs.schedules_json()
        defs.sensors_json()

    def graph(self) -> Graph:
        """The assets, checks and steps with resolved references. Computed once.

        Raises:
            DefinitionError: For duplicates, unknown parameters, missing resources and cycles.
        """
        graph: Graph | None = self._cache.get("graph")
        if graph is None:
            from arco_flow._internal.resolve import resolve

            graph = self._cache["graph"] = resolve(self)
        return graph

    def job_nodes(self) -> dict[str, JobNode]:
        """The jobs by name, each with its assets. Computed once.

        Raises:
            DefinitionError: As `graph`, and for jobs that cannot stand.
        """
        nodes: dict[str, JobNode] | None = self._cache.get("jobs")
        if nodes is None:
            nodes = {}
            if self.jobs:
                from arco_flow._internal.jobs import resolve_jobs

                nodes = resolve_jobs(self.jobs, self.graph(), self.resources)
            self._cache["jobs"] = nodes
        return nodes

    def schedules_json(self) -> list[dict[str, Any]]:
        """The schedules as they stand in a manifest, by name. Computed once.

        Raises:
            DefinitionError: As `job_nodes`, and for schedules that cannot stand.
        """
        found: list[dict[str, Any]] | None = self._cache.get("schedules")
        if found is None:
            found = []
            if self.schedules:
                from arco_flow._internal.schedules import resolve_schedules

                found = resolve_schedules(
                    self.schedules, self.job_nodes(), self.graph(), self.resources
                )
            self._cache["schedules"] = found
        return found

    def sensors_json(self) -> list[dict[str, Any]]:
        """The sensors as they stand in a manifest, by name. Computed once.

        Raises:
            DefinitionError: As `job_nodes`, and for sensors that cannot stand.
        """
        found: list[dict[str, Any]] | None = self._cache.get("sensors")
        if found is None:
            found = []
            if self.sensors:
                from arco_flow._internal.automation.sensor_definition import resolve_sensors

                found = resolve_sensors(self.sensors, self)
            self._cache["sensors"] = found
        return found

    def get_sensor_def(self, name: str) -> SensorDefinition:
        """The sensor of a name.

        Raises:
            DefinitionError: When there is none.
        """
        for sensor in self.sensors:
            if sensor.name == name:
                return sensor
        close = did_you_mean(name, [one.name for one in self.sensors])
        raise DefinitionError(f"there is no sensor `{name}`{close}")

    resolve_sensor_def = get_sensor_def

    def get_schedule_def(self, name: str) -> AnySchedule:
        """The schedule of a name.

        Raises:
            DefinitionError: When there is none.
        """
        for schedule in self.schedules:
            if schedule.name == name:
                return schedule
        close = did_you_mean(name, [one.name for one in self.schedules])
        raise DefinitionError(f"there is no schedule `{name}`{close}")

    resolve_schedule_def = get_schedule_def

    def get_job_def(self, name: str) -> UnresolvedAssetJobDefinition:
        """The job of a name.

        Raises:
            DefinitionError: When there is none.
        """
        for job in self.jobs:
            if job.name == name:
                return job
        close = did_you_mean(name, [job.name for job in self.jobs])
        raise DefinitionError(f"there is no job `{name}`{close}")

    resolve_job_def = get_job_def

    def to_manifest(self, location: str) -> dict[str, Any]:
        """The definitions as JSON, which the control plane reads. Equal code gives equal JSON.

        Args:
            location: Name of the code location.
        """
        from arco_flow._internal.manifest import manifest

        return manifest(self, location)

    def get_assets_def(self, key: Any) -> AssetsDefinition[..., Any]:
        """The step that makes an asset."""
        wanted = AssetKey.from_coercible(key)
        for definition in self.assets:
            if isinstance(definition, AssetsDefinition) and wanted in definition.keys:
                return definition
        raise DefinitionError(f"no function makes asset `{wanted.to_user_string()}`")

    resolve_assets_def = get_assets_def

    def resolve_all_asset_keys(self) -> list[AssetKey]:
        """Keys of all assets, external ones included, in order."""
        return sorted(self.graph().assets)


def _flat(given: Iterable[Any] | None, what: str) -> list[Any]:
    if given is None:
        return []
    if isinstance(given, (str, Mapping, StepDefinition, AssetSpec)) or not isinstance(
        given, Iterable
    ):
        raise DefinitionError(f"{what} is a list; write {what}=[...]")
    found: list[Any] = []
    for one in given:
        if isinstance(one, (list, tuple)):
            found.extend(_flat(one, what))
        elif isinstance(one, (StepDefinition, AssetSpec)):
            found.append(one)
        else:
            raise DefinitionError(f"{what} holds {_show(one)}, which is no definition{_hint(one)}")
    return found


def _jobs(given: Iterable[Any] | None) -> tuple[Any, ...]:
    if given is None:
        return ()
    if isinstance(given, (str, Mapping)) or not isinstance(given, Iterable):
        raise DefinitionError("jobs is a list; write jobs=[...]")
    found = tuple(given)
    if not found:
        return ()
    from arco_flow._internal.jobs import UnresolvedAssetJobDefinition

    for one in found:
        if not isinstance(one, UnresolvedAssetJobDefinition):
            raise DefinitionError(
                f'jobs holds {_show(one)}, which is no job; write define_asset_job("name", selection=...)'
            )
    return found


def _schedules(given: Iterable[Any] | None) -> tuple[Any, ...]:
    if given is None:
        return ()
    if isinstance(given, (str, Mapping)) or not isinstance(given, Iterable):
        raise DefinitionError("schedules is a list; write schedules=[...]")
    found = tuple(given)
    if not found:
        return ()
    from arco_flow._internal.schedules import (
        ScheduleDefinition,
        UnresolvedPartitionedAssetScheduleDefinition,
    )

    kinds = (ScheduleDefinition, UnresolvedPartitionedAssetScheduleDefinition)
    for one in found:
        if not isinstance(one, kinds):
            raise DefinitionError(
                f"schedules holds {_show(one)}, which is no schedule; write ScheduleDefinition(cron_schedule=..., "
                "job=...)"
            )
    return found


def _sensors(given: Iterable[Any] | None) -> tuple[Any, ...]:
    if given is None:
        return ()
    if isinstance(given, (str, Mapping)) or not isinstance(given, Iterable):
        raise DefinitionError("sensors is a list; write sensors=[...]")
    found = tuple(given)
    for one in found:
        # A marker, so that definitions without sensors do not import them.
        if getattr(one, "_arco_definition", None) != "sensor":
            raise DefinitionError(
                f"sensors holds {_show(one)}, which is no sensor; write @sensor(...) above a function"
            )
    return found


def _with_jobs_of(
    instigators: tuple[Any, ...], jobs: tuple[UnresolvedAssetJobDefinition, ...]
) -> tuple[UnresolvedAssetJobDefinition, ...]:
    """A job that a schedule or sensor runs is a job of the location, given or not."""
    found = {id(job): job for job in jobs}
    for one in instigators:
        target = getattr(one, "target", None)
        given = [one.job] if target is None else target.definitions
        found.update({id(job): job for job in given if id(job) not in found})
    return tuple(found.values())


def _show(one: Any) -> str:
    name = getattr(one, "__name__", None)
    return f"`{name}`" if isinstance(name, str) else repr(one)


def _hint(one: Any) -> str:
    if getattr(one, "__name__", "") == "decorate":
        return "; did you forget to decorate a function? `@asset(...)` stands above `def`"
    if callable(one) and not isinstance(one, type):
        return "; did you forget to decorate it with `@asset`?"
    if type(one).__name__ == "module":
        return "; write *load_assets_from_modules([...])"
    return ""


def _resources(resources: Mapping[str, Any] | None) -> dict[str, Any]:
    checked: dict[str, Any] = {}
    for name, value in (resources or {}).items():
        if not isinstance(name, str) or not name.isidentifier():
            raise DefinitionError(
                f"{name!r} is no name for a resource: it must work as a parameter"
            )
        if isinstance(value, type) and (
            getattr(value, "_arco_kind", None) == "resource" or hasattr(value, "load_input")
        ):
            raise DefinitionError(
                f"resource `{name}` is the class {value.__name__}; did you forget the parentheses? "
                f'resources={{"{name}": {value.__name__}()}}'
            )
        checked[name] = value
    return checked
