"""What a schedule or sensor may run: jobs, or a choice of assets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from arco_flow._internal import names
from arco_flow._internal.errors import DefinitionError, UsageError
from arco_flow._internal.jobs import IMPLICIT_JOB, JobNode, UnresolvedAssetJobDefinition
from arco_flow._internal.keys import AssetKey
from arco_flow._internal.selection.ast import AssetSelection, CoercibleToAssetSelection, texts

if TYPE_CHECKING:
    from arco_flow._internal.graph import Graph

AnyJob = UnresolvedAssetJobDefinition | str
"""A job, or its name."""


@dataclass(frozen=True)
class Target:
    """Jobs, given or named, or assets, or neither."""

    jobs: tuple[AnyJob, ...] = ()
    selection: AssetSelection | None = None

    @property
    def job_names(self) -> tuple[str, ...]:
        """Names of the jobs, in order."""
        return tuple(name_of(job) for job in self.jobs)

    @property
    def definitions(self) -> tuple[UnresolvedAssetJobDefinition, ...]:
        """Jobs that are given and not only named: they are jobs of the location."""
        return tuple(job for job in self.jobs if not isinstance(job, str))

    def check(self, of: str, jobs: Mapping[str, JobNode], graph: Graph) -> None:
        """Raises `DefinitionError` for a job or an asset that is not there to be run."""
        check_jobs(of, self.job_names, jobs)
        if self.selection is not None:
            selected(of, self.selection, graph)

    def to_json(self) -> dict[str, Any]:
        """`jobs` and `selection` as a sensor has them in a manifest; absent rather than empty."""
        found: dict[str, Any] = {}
        if self.jobs:
            found["jobs"] = list(self.job_names)
        if self.selection is not None:
            found["selection"] = texts(self.selection)
        return found


def read_target(
    of: str,
    *,
    job_name: str | None = None,
    job: AnyJob | None = None,
    jobs: Sequence[AnyJob] | None = None,
    target: AnyJob | CoercibleToAssetSelection | None = None,
    asset_selection: CoercibleToAssetSelection | None = None,
) -> Target:
    """The target that the keywords of a decorator say; at most one of them is given.

    Raises:
        DefinitionError: For several of them, and what is no job.
    """
    given = {
        "job_name": job_name,
        "job": job,
        "jobs": jobs,
        "target": target,
        "asset_selection": asset_selection,
    }
    said = [name for name, value in given.items() if value is not None]
    if len(said) > 1:
        raise DefinitionError(f"{of} is given {said[0]}= and {said[1]}=; give one of them")
    if isinstance(target, UnresolvedAssetJobDefinition):
        return Target((target,))
    if target is not None or asset_selection is not None:
        chosen = target if target is not None else asset_selection
        assert chosen is not None
        return Target(selection=AssetSelection.from_coercible(chosen))
    if isinstance(jobs, (str, UnresolvedAssetJobDefinition)):
        raise DefinitionError(f"jobs of {of} is a list; write jobs=[...]")
    found = tuple(jobs) if jobs is not None else tuple(x for x in (job or job_name,) if x)
    if jobs is not None and not found:
        raise DefinitionError(f"jobs of {of} is empty; name one, or drop it")
    for one in found:
        if not isinstance(one, (str, UnresolvedAssetJobDefinition)):
            raise DefinitionError(
                f'{one!r} of {of} is no job; write define_asset_job("name", selection=...) and give that'
            )
    named = [name_of(one) for one in found]
    twice = [name for at, name in enumerate(named) if name in named[:at]]
    if twice:
        raise DefinitionError(f"{of} is given the job `{twice[0]}` twice")
    return Target(found)


def name_of(job: AnyJob) -> str:
    """The name of a job that is given or named."""
    return job if isinstance(job, str) else job.name


def check_jobs(
    of: str, wanted: Sequence[str], jobs: Mapping[str, JobNode], verb: str = "runs"
) -> None:
    """Raises `DefinitionError` for a job that the location does not define."""
    for name in wanted:
        if name not in jobs and name != IMPLICIT_JOB:
            close = names.did_you_mean(name, jobs)
            raise DefinitionError(f"{of} {verb} the job `{name}`, which is not defined{close}")


def selected(of: str, selection: AssetSelection, graph: Graph) -> set[AssetKey]:
    """The assets of a selection, all of them made here.

    Raises:
        DefinitionError: For a selection that cannot be evaluated, is empty, or holds an external asset.
    """
    from arco_flow._internal.selection.evaluate import evaluate

    try:
        keys = evaluate(selection, graph)
    except UsageError as error:
        raise DefinitionError(f"{of}: {error}") from error
    if not keys:
        raise DefinitionError(f"{of} runs nothing: its target selects no asset")
    for key in sorted(keys):
        if graph.assets[key].step is None:
            raise DefinitionError(
                f"{of} runs `{key.to_user_string()}`, which is external: nothing here makes it"
            )
    return keys
