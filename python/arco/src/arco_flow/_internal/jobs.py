"""Jobs: named selections of the assets of a code location (M-3)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from arco_flow._internal import canonical, names
from arco_flow._internal.errors import ArcoError, ConfigError, DefinitionError, UsageError
from arco_flow._internal.graph import Graph
from arco_flow._internal.keys import AssetCheckKey, AssetKey
from arco_flow._internal.metadata import (
    MetadataValue,
    RawMetadataMapping,
    metadata_json,
    normalize,
)
from arco_flow._internal.partitions import PartitionsDefinition
from arco_flow._internal.retry import RetryPolicy
from arco_flow._internal.run_config import RunConfig, config_dict
from arco_flow._internal.selection.ast import (
    CHECK_KINDS,
    TEXTLESS,
    AssetSelection,
    CoercibleToAssetSelection,
    holds,
    quoted,
    texts,
)
from arco_flow._internal.selection.evaluate import evaluate, evaluate_checks
from arco_flow._internal.unsupported import refuse, refuse_unknown

IMPLICIT_JOB = "__ASSET_JOB"
"""The job that every location has without defining it: all assets it makes."""


@dataclass(frozen=True, eq=False)
class UnresolvedAssetJobDefinition:
    """A job as it is declared; which assets it has is known when the location loads.

    Made by `define_asset_job`.
    """

    _arco_definition: ClassVar[str] = "job"

    name: str
    selection: AssetSelection
    config: Mapping[str, Any] | None
    description: str | None
    tags: Mapping[str, str]
    run_tags: Mapping[str, str] | None
    metadata: Mapping[str, MetadataValue]
    partitions_def: PartitionsDefinition | None
    op_retry_policy: RetryPolicy | None
    owners: tuple[str, ...]

    def to_json(self, node: JobNode) -> dict[str, Any]:
        """The job as it stands in a manifest; absent rather than null.

        A selection that the language has no words for is written as the keys it chose.
        """
        if holds(self.selection, TEXTLESS):
            selection = [f"key:{quoted(key.to_user_string())}" for key in sorted(node.keys)]
        else:
            selection = texts(self.selection)
        found: dict[str, Any] = {"name": self.name, "selection": selection}
        if node.checks is not None:
            checks = sorted((key.asset_key.to_user_string(), key.name) for key in node.checks)
            found["checks"] = [list(one) for one in checks]
        if self.description is not None:
            found["description"] = self.description
        if self.tags:
            found["tags"] = dict(sorted(self.tags.items()))
        if self.run_tags is not None:
            found["run_tags"] = dict(sorted(self.run_tags.items()))
        if self.metadata:
            found["metadata"] = metadata_json(self.metadata)
        if self.owners:
            found["owners"] = list(self.owners)
        if self.config is not None:
            found["config"] = dict(self.config)
        if self.partitions_def is not None:
            found["partitions"] = self.partitions_def.to_json()
        if self.op_retry_policy is not None:
            found["retry"] = self.op_retry_policy.to_json()
        return found


def define_asset_job(
    name: str,
    selection: CoercibleToAssetSelection | None = None,
    config: RunConfig | Mapping[str, Any] | None = None,
    description: str | None = None,
    tags: Mapping[str, object] | None = None,
    run_tags: Mapping[str, object] | None = None,
    metadata: RawMetadataMapping | None = None,
    partitions_def: PartitionsDefinition | None = None,
    executor_def: None = None,
    hooks: None = None,
    op_retry_policy: RetryPolicy | None = None,
    owners: Sequence[str] | None = None,
    automation_condition: None = None,
    **removed: Any,
) -> UnresolvedAssetJobDefinition:
    """A named selection of the location's assets, run by `arco run --job NAME`, a schedule or a sensor.

    Its assets are found when a run is asked for, so a selection such as a group follows the
    definitions. All its partitioned assets must have the same partitions.

    Differs from Dagster: the empty selection and an asset the location does not define are told when
    the location loads, with the job's name, and a run with a configuration of its own takes none of
    the job's.

    Args:
        name: Letters, digits and underscores; unique in the location.
        selection: Assets; all that are made here when absent. A text is read as the selection
            language, a list is the union of what it holds.
        config: Configuration of its runs when none is given with a run.
        description: For people.
        tags: Tags of the job, and of its runs when `run_tags` is absent. Values that are no text are
            written as JSON.
        run_tags: Tags of its runs.
        metadata: Typed or plain values by name.
        partitions_def: Its partitions, which are those of its assets and need not be given.
        op_retry_policy: For steps that have no policy of their own.
        owners: E-mail addresses or `team:NAME`.

    Raises:
        DefinitionError: For a bad name, tag, owner or configuration.
        UsageError: For a selection that cannot be read.
    """
    refuse(
        "define_asset_job",
        executor_def=executor_def,
        hooks=hooks,
        automation_condition=automation_condition,
    )
    refuse_unknown("define_asset_job", removed)
    names.check_name(name, "a job")
    if name.startswith(IMPLICIT_JOB):
        raise DefinitionError(
            f"{name!r} is no name for a job: names that begin with `{IMPLICIT_JOB}` are reserved"
        )
    chosen = AssetSelection.all() if selection is None else AssetSelection.from_coercible(selection)
    return UnresolvedAssetJobDefinition(
        name=name,
        selection=chosen,
        config=_config(config, name),
        description=description,
        tags=_tags(tags, name),
        run_tags=None if run_tags is None else _tags(run_tags, name),
        metadata=normalize(metadata),
        partitions_def=partitions_def,
        op_retry_policy=op_retry_policy,
        owners=_owners(owners, name),
    )


@dataclass(frozen=True, slots=True)
class JobNode:
    """A job with its assets; `partitions_def` is what its partitioned assets share."""

    definition: UnresolvedAssetJobDefinition
    keys: frozenset[AssetKey]
    checks: frozenset[AssetCheckKey] | None
    """Those chosen by name; None for those of the assets."""
    partitions_def: PartitionsDefinition | None


def resolve_jobs(
    jobs: Sequence[UnresolvedAssetJobDefinition], graph: Graph, resources: Mapping[str, Any]
) -> dict[str, JobNode]:
    """The jobs by name, each with its assets.

    Raises:
        DefinitionError: For a name that is given twice, an asset that is not defined or not made here,
            different partitions, and configuration of what the job has not.
    """
    found: dict[str, JobNode] = {}
    for job in jobs:
        other = found.get(job.name)
        if other is not None and other.definition is not job:
            raise DefinitionError(
                f"job `{job.name}` is defined twice; give one of them another name"
            )
        found[job.name] = _node(job, graph, resources)
    return {name: found[name] for name in sorted(found)}


def _node(job: UnresolvedAssetJobDefinition, graph: Graph, resources: Mapping[str, Any]) -> JobNode:
    checks: frozenset[AssetCheckKey] | None = None
    try:
        keys = evaluate(job.selection, graph)
        if holds(job.selection, CHECK_KINDS):
            checks = frozenset(evaluate_checks(job.selection, graph))
    except UsageError as error:
        raise DefinitionError(f"job `{job.name}`: {error}") from error
    for key in sorted(keys):
        if graph.assets[key].step is None:
            raise DefinitionError(
                f"job `{job.name}` selects `{key.to_user_string()}`, which is external: nothing here "
                "makes it; leave it out, for example with `.materializable()`"
            )
    partitions = _partitions(job, keys, graph)
    judged = {graph.checks[key].step.step_name for key in (checks or ()) if key in graph.checks}
    _check_config(job, keys, judged, graph, resources)
    return JobNode(job, frozenset(keys), checks, partitions)


def _partitions(
    job: UnresolvedAssetJobDefinition, keys: set[AssetKey], graph: Graph
) -> PartitionsDefinition | None:
    defs = [(key, graph.assets[key].spec.partitions_def) for key in sorted(keys)]
    partitioned = [(key, one) for key, one in defs if one is not None]
    if not partitioned:
        return None
    first, shared = partitioned[0]
    for key, other in partitioned:
        if other != shared:
            raise DefinitionError(
                f"job `{job.name}`: its assets `{first.to_user_string()}` and `{key.to_user_string()}` have "
                "different partitions; make a job for each"
            )
    if job.partitions_def is not None and job.partitions_def != shared:
        raise DefinitionError(
            f"job `{job.name}` is given other partitions than its asset `{first.to_user_string()}` has; drop "
            "partitions_def"
        )
    return shared


def _check_config(
    job: UnresolvedAssetJobDefinition,
    keys: set[AssetKey],
    judged: set[str],
    graph: Graph,
    resources: Mapping[str, Any],
) -> None:
    """Names in the configuration are those of steps and resources the job has; values are models."""
    config = job.config or {}
    steps = {
        name: step
        for name, step in graph.steps.items()
        if name in judged or any(key in keys for key in _touched(name, graph))
    }
    for section, known in (("ops", steps), ("resources", dict(resources))):
        for name in config.get(section, {}):
            if name not in known:
                raise DefinitionError(
                    f"config of job `{job.name}`: `{section}.{name}` is not of this job"
                    + (
                        names.did_you_mean(name, known)
                        or f"; it has {', '.join(f'`{one}`' for one in sorted(known)) or 'none'}"
                    )
                )
    for name, given in config.get("ops", {}).items():
        taken = steps[name].signature.config
        if taken is not None and getattr(taken.annotation, "_arco_kind", None) == "config":
            from arco_flow._internal.config import validate

            values = given.get("config") if isinstance(given, Mapping) else given
            try:
                validate(taken.annotation, values, f"ops.{name}.config")
            except ConfigError as error:
                raise DefinitionError(f"config of job `{job.name}`: {error}") from error


def _touched(step: str, graph: Graph) -> set[AssetKey]:
    """The assets that a step makes or judges."""
    definition = graph.steps[step]
    made = set(getattr(definition, "keys", ()))
    return made | {node.edges[0].key for node in graph.checks_of(definition)}


def _config(config: RunConfig | Mapping[str, Any] | None, job: str) -> dict[str, Any] | None:
    if config is None:
        return None
    if not isinstance(config, (RunConfig, Mapping)):
        raise DefinitionError(
            f"config of job `{job}` is a RunConfig or a dictionary, not {type(config).__name__}; a "
            "configuration that depends on the partition is given with each run"
        )
    try:
        found = config_dict(config)
        canonical.dumps(found)
    except ArcoError as error:
        raise DefinitionError(f"config of job `{job}`: {error}") from error
    return found


def _tags(tags: Mapping[str, object] | None, job: str) -> dict[str, str]:
    """Tags of a run: values may be any text; those that are no text become JSON (R-49)."""
    found: dict[str, str] = {}
    for key, value in (tags or {}).items():
        names.check_run_tag_key(key, f"job `{job}`")
        try:
            found[key] = value if isinstance(value, str) else canonical.dumps(value)
        except UsageError as error:
            raise DefinitionError(f"tag `{key}` of job `{job}`: {error}") from error
    return found


def _owners(owners: Sequence[str] | None, job: str) -> tuple[str, ...]:
    try:
        return names.check_owners(owners, job)
    except DefinitionError as error:
        raise DefinitionError(str(error).replace("of asset", "of job")) from error
