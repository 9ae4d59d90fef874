"""Assets made in this process, for users' tests: no server, no worker, the same task code."""

from __future__ import annotations

import os
import random
import tempfile
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from arco_flow._internal.assets import AssetsDefinition, StepDefinition
from arco_flow._internal.definitions import Definitions
from arco_flow._internal.errors import Failure, RetryRequested, UsageError
from arco_flow._internal.execution.result import IOFailure, failed
from arco_flow._internal.execution.task import carry_out
from arco_flow._internal.graph import Edge, Graph
from arco_flow._internal.graph_assets import GraphAssets, OpStep
from arco_flow._internal.graph_run import GraphRun
from arco_flow._internal.in_process import ExecuteInProcessResult, StepOutcome
from arco_flow._internal.io.memory import InMemoryIOManager
from arco_flow._internal.keys import AssetKey
from arco_flow._internal.observations import is_observable
from arco_flow._internal.partitions import PartitionsDefinition, upstream_partition_keys
from arco_flow._internal.parts import Part, parts_of
from arco_flow._internal.retry import Jitter, RetryPolicy
from arco_flow._internal.run_config import RunConfig, config_dict
from arco_flow._internal.selection import AssetSelection
from arco_flow._internal.selection.ast import CoercibleToAssetSelection
from arco_flow._internal.unsupported import refuse


def materialize(
    assets: Sequence[Any],
    run_config: RunConfig | Mapping[str, Any] | None = None,
    instance: None = None,
    resources: Mapping[str, Any] | None = None,
    partition_key: str | None = None,
    raise_on_error: bool = True,
    tags: Mapping[str, str] | None = None,
    selection: CoercibleToAssetSelection | None = None,
    *,
    partition_keys: Sequence[str] | None = None,
    storage: str | None = None,
) -> ExecuteInProcessResult:
    """Makes assets and judges checks here and now, upstream first.

    Retries wait as in a run. A blocking check that fails stops what is downstream (M-21).

    Differs from Dagster: checks among `assets` are judged, several `partition_keys` make one task per
    step, and values lie in a temporary folder that is gone afterwards, unless `storage` is given.

    Args:
        assets: Decorated assets and checks, and specs.
        run_config: `{"ops": {step: {"config": {...}}}, "resources": {...}}`, or a `RunConfig`.
        resources: Values by name.
        partition_key: Partition of the partitioned assets, which must have one definition.
        raise_on_error: Whether the first exception is raised, instead of told by the result.
        tags: Tags of the run.
        selection: Which of the assets to make; all when absent.
        partition_keys: Several partitions, in one task per step.
        storage: Root of the default IO manager.

    Raises:
        UsageError: When a partition key is missing, or given and not wanted.
        UnknownPartitionError: When it does not exist.
    """
    refuse("materialize", instance=instance)
    defs = Definitions(assets=assets, resources=resources)
    graph = defs.graph()
    keys = None if partition_key is None else [partition_key]
    keys = list(partition_keys) if partition_keys is not None else keys
    chosen = None if selection is None else AssetSelection.from_coercible(selection).resolve(defs)
    parts = _in_order(graph, chosen)
    if chosen is not None and not parts:
        raise UsageError("the selection has no asset that can be made")
    _check_partitions([part.step for part in parts], keys)
    run = _Run(defs, graph, config_dict(run_config), dict(tags or {}), keys, raise_on_error)
    if storage is not None:
        return run.carry_out(parts, storage)
    with tempfile.TemporaryDirectory(prefix="arco-materialize-") as folder:
        return run.carry_out(parts, folder)


def observe(
    assets: Sequence[Any],
    run_config: RunConfig | Mapping[str, Any] | None = None,
    instance: None = None,
    resources: Mapping[str, Any] | None = None,
    partition_key: str | None = None,
    raise_on_error: bool = True,
    tags: Mapping[str, str] | None = None,
) -> ExecuteInProcessResult:
    """Looks at the observable sources among `assets` here and now, for tests.

    Args:
        assets: Observable sources; others are left alone.
        run_config: `{"ops": {step: {"config": {...}}}, "resources": {...}}`, or a `RunConfig`.
        resources: Values by name.
        raise_on_error: Whether the first exception is raised, instead of told by the result.
        tags: Tags of the run.
    """
    refuse("observe", instance=instance)
    del partition_key  # One look says the versions of all partitions it knows.
    defs = Definitions(assets=assets, resources=resources)
    graph = defs.graph()
    steps = _in_order(graph, None, observes=True)
    run = _Run(defs, graph, config_dict(run_config), dict(tags or {}), None, raise_on_error)
    with tempfile.TemporaryDirectory(prefix="arco-observe-") as folder:
        return run.carry_out(steps, folder)


def materialize_to_memory(
    assets: Sequence[Any],
    run_config: RunConfig | Mapping[str, Any] | None = None,
    instance: None = None,
    resources: Mapping[str, Any] | None = None,
    partition_key: str | None = None,
    raise_on_error: bool = True,
    tags: Mapping[str, str] | None = None,
    selection: CoercibleToAssetSelection | None = None,
) -> ExecuteInProcessResult:
    """As `materialize`, with values in memory: no IO manager is used that `resources` does not give."""
    given = dict(resources or {})
    memory = InMemoryIOManager()
    for one in assets:
        for name in getattr(one, "io_manager_keys", ()):
            given.setdefault(name, memory)
    given.setdefault("io_manager", memory)
    return materialize(
        assets, run_config, instance, given, partition_key, raise_on_error, tags, selection
    )


class _Run:
    """One run in this process."""

    def __init__(
        self,
        defs: Definitions,
        graph: Graph,
        config: Mapping[str, Any],
        tags: Mapping[str, str],
        keys: list[str] | None,
        raise_on_error: bool,
    ) -> None:
        self.defs = defs
        self.graph = graph
        self.config = config
        self.tags = tags
        self.keys = keys
        self.raise_on_error = raise_on_error
        self.id = "run_" + os.urandom(8).hex()
        self.values: dict[AssetKey, Any] = {}

    def carry_out(self, parts: Sequence[Part], storage: str) -> ExecuteInProcessResult:
        """Carries out the parts in order; what is downstream of a failure is left out, and what reads an
        asset that was left unmade."""
        outcomes: dict[str, StepOutcome] = {}
        stopped: set[AssetKey] = set()
        unmade: set[AssetKey] = set()
        for part in parts:
            if isinstance(part.step, GraphAssets):
                self._graph(part.step, storage, outcomes, stopped, unmade)
                continue
            outcome = outcomes[part.name] = StepOutcome(part.step, part.outputs)
            edges = part.edges(self.graph)
            if any(edge.key in unmade for edge in edges):
                outcome.status = "left_out"
                unmade.update(part.outputs)
                continue
            if any(edge.key in stopped for edge in edges):
                outcome.status = "skipped"
                stopped.update(part.outputs)
                continue
            error = self._step(part, edges, storage, outcome)
            if error is None:
                outcome.status = "succeeded"
                unmade.update(set(part.outputs) - outcome.made)
                continue
            if self.raise_on_error:
                raise error
            outcome.status, outcome.error = "failed", failed(error)["error"]
            # A check that blocks stops what is downstream of its asset.
            checks = part.step.check_keys
            stopped.update(part.outputs or {k.asset_key for k in checks if _blocks(self.graph, k)})
        return ExecuteInProcessResult(self.id, outcomes, self.values)

    def _graph(
        self,
        made: GraphAssets,
        storage: str,
        outcomes: dict[str, StepOutcome],
        stopped: set[AssetKey],
        unmade: set[AssetKey],
    ) -> None:
        """The ops of a graph."""

        def attempt(
            step: OpStep, outcome: StepOutcome, lease: Mapping[str, Any]
        ) -> BaseException | None:
            part = Part(step.step_name, step, ())
            edges = self.graph.op_edges[step.step_name]
            error = self._step(part, edges, storage, outcome, lease)
            if error is not None:
                if self.raise_on_error:
                    raise error
                outcome.error = failed(error)["error"]
            return error

        run = GraphRun(made, self.id, self.graph, attempt)
        run.carry_out(stopped, unmade)
        outcomes.update(run.outcomes)
        stopped.update(run.stopped)
        unmade.update(run.unmade)

    def _step(
        self,
        part: Part,
        edges: Iterable[Edge],
        storage: str,
        outcome: StepOutcome,
        more: Mapping[str, Any] | None = None,
    ) -> BaseException | None:
        """One step with its retries; gives the last error, if any."""
        step = part.step
        while True:
            lease = {**self._lease(part, edges, outcome.retries), **(more or {})}
            messages: list[dict[str, Any]] = []
            error: BaseException | None = None
            try:
                carry_out(self.defs, lease, messages.append, storage, self.values.__setitem__)
            except IOFailure as wrapped:
                error = wrapped.error
            except (Exception, SystemExit) as raised:
                error = raised
            # What an earlier try made stays made.
            outcome.messages = [*(m for m in outcome.messages if _is_made(m)), *messages]
            wait = (
                None if error is None else _wait(step.options.retry_policy, error, outcome.retries)
            )
            if wait is None:
                return error
            time.sleep(wait)
            outcome.retries += 1

    def _lease(self, part: Part, edges: Iterable[Edge], retries: int) -> dict[str, Any]:
        step = part.step
        lease: dict[str, Any] = {
            "run": self.id,
            "step": step.step_name,
            "retry_number": retries,
            "inputs": [self._input(step, edge) for edge in edges if edge.param is not None],
            "config": self.config,
            "tags": self.tags,
        }
        if step.partitions_def is not None:
            lease["partitions"] = self.keys
        if part.selected is not None:
            lease["outputs"] = part.selected
        return lease

    def _input(self, step: StepDefinition[..., Any], edge: Edge) -> dict[str, Any]:
        upstream = self.graph.assets[edge.key].spec.partitions_def
        found: dict[str, Any] = {
            "asset": edge.key.to_user_string(),
            "param": edge.param,
            "partitioned": upstream is not None,
        }
        if upstream is not None:
            keys = self.keys or []
            found["partitions"] = upstream_partition_keys(
                edge.mapping, step.partitions_def, upstream, keys
            )
        return found


def _wait(policy: RetryPolicy | None, error: BaseException, retries: int) -> float | None:
    """Seconds to wait before the next try; None when there is none (R-21 to R-23)."""
    if isinstance(error, RetryRequested):
        return (error.seconds_to_wait or 0.0) if retries < error.max_retries else None
    told = failed(error)
    if (
        policy is None
        or not told["allow_retries"]
        or (isinstance(error, Failure) and not error.allow_retries)
    ):
        return None
    if retries >= policy.max_retries:
        return None
    delay = policy.delay_seconds(retries + 1)
    if policy.jitter is Jitter.FULL:
        return random.uniform(0, delay)
    if policy.jitter is Jitter.PLUS_MINUS:
        return max(0.0, delay + random.uniform(-1, 1) * (policy.delay or 0.0))
    return delay


def _check_partitions(steps: Iterable[StepDefinition[..., Any]], keys: list[str] | None) -> None:
    defs: dict[PartitionsDefinition, str] = {}
    for step in steps:
        if step.partitions_def is not None:
            defs.setdefault(step.partitions_def, step.step_name)
    if not defs and keys is not None:
        raise UsageError(
            "a partition key is given and no selected asset is partitioned; leave it out"
        )
    if len(defs) > 1:
        names = " and ".join(f"`{name}`" for name in list(defs.values())[:2])
        raise UsageError(
            f"{names} have different partitions; make them in calls of their own, with one storage="
        )
    for partitions_def, name in defs.items():
        if not keys:
            raise UsageError(
                f"asset `{name}` is partitioned; give partition_key= ({partitions_def.keys_look_like()})"
            )
        for key in keys:
            partitions_def.validate_partition_key(key, name)


def _in_order(graph: Graph, chosen: set[AssetKey] | None, observes: bool = False) -> list[Part]:
    """The parts that make the chosen assets and judge their checks; upstream, and blocking checks, first."""
    parts: dict[str, Part] = {}
    wholes = {
        step.graph.step_name: step.graph
        for step in graph.steps.values()
        if isinstance(step, OpStep)
    }
    apart = [step for step in graph.steps.values() if not isinstance(step, OpStep)]
    for step in (*apart, *wholes.values()):
        # What is made elsewhere is looked at by `observe`.
        if is_observable(step) is not observes:
            continue
        makes = isinstance(step, AssetsDefinition)
        targets = set(step.keys) if isinstance(step, AssetsDefinition) else set()
        if not makes:
            targets = {node.edges[0].key for node in graph.checks_of(step)}
        if chosen is None or targets & chosen:
            parts.update((part.name, part) for part in parts_of(graph, step, chosen))
    waits: dict[str, set[str]] = {}
    makers = {key: part.name for part in parts.values() for key in part.outputs}
    gates: dict[AssetKey, set[str]] = {}
    for node in graph.checks.values():
        if (
            node.spec.blocking
            and node.step.step_name in parts
            and not isinstance(node.step, AssetsDefinition)
        ):
            gates.setdefault(node.edges[0].key, set()).add(node.step.step_name)
    for name, part in parts.items():
        up = {edge.key for edge in part.edges(graph)} - set(part.outputs)
        waits[name] = {makers[key] for key in up if key in makers}
        if isinstance(part.step, AssetsDefinition):
            waits[name] |= {gate for key in up for gate in gates.get(key, ())}
    order: list[Part] = []
    done: set[str] = set()
    while len(order) < len(parts):
        ready = [name for name in parts if name not in done and waits[name] <= done]
        if not ready:
            stuck = ", ".join(f"`{name}`" for name in parts if name not in done)
            raise UsageError(
                f"steps wait for each other by a blocking check or a shared function: {stuck}; a function of "
                "several assets is carried out in parts with can_subset=True"
            )
        order += [parts[name] for name in ready]
        done.update(ready)
    return order


def _is_made(message: Mapping[str, Any]) -> bool:
    return bool(message["type"] == "materialized")


def _blocks(graph: Graph, key: Any) -> bool:
    node = graph.checks.get(key)
    return node is not None and node.spec.blocking
