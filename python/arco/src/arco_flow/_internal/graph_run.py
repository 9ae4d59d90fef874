"""Graphs of ops carried out in this process: for `materialize`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from arco_flow._internal.graph import Graph
from arco_flow._internal.graph_assets import GraphAssets, OpInput, OpSource, OpStep
from arco_flow._internal.in_process import StepOutcome
from arco_flow._internal.keys import AssetKey

Attempt = Callable[[OpStep, StepOutcome, Mapping[str, Any]], BaseException | None]


class GraphRun:
    """One graph in one run: its tasks by name, `graph.op` or `graph.op[key]`.

    Args:
        made: The assets and their graph.
        run_id: Id of the run.
        graph: The definitions around.
        attempt: Carries out one task with its tries, given what the lease has beside the usual; gives
            the last error.
    """

    def __init__(self, made: GraphAssets, run_id: str, graph: Graph, attempt: Attempt) -> None:
        self.made = made
        self.run_id = run_id
        self.graph = graph
        self.attempt = attempt
        self.steps = {step.step_name: step for step in made.ops}
        self.outcomes: dict[str, StepOutcome] = {}
        self.values: dict[str, dict[str, list[str] | None]] = {}
        self.stopped: set[AssetKey] = set()
        self.unmade: set[AssetKey] = set()
        self.error: BaseException | None = None

    def carry_out(self, stopped: set[AssetKey], unmade: set[AssetKey]) -> None:
        """Carries out the ops in order; what stands on a failure is left out.

        Args:
            stopped: Assets that a failure keeps from being made.
            unmade: Assets that were left unmade.
        """
        for step in self.made.ops:
            for key in self._keys(step):
                self._task(step, key, stopped, unmade)
            self._settle(step)

    def _keys(self, step: OpStep) -> list[str | None]:
        if step.over is None:
            return [None]
        given = self.values.get(step.over.step, {})
        return list(given.get(step.over.output) or ())

    def _task(
        self, step: OpStep, key: str | None, stopped: set[AssetKey], unmade: set[AssetKey]
    ) -> None:
        name = step.step_name if key is None else f"{step.step_name}[{key}]"
        outcome = self.outcomes[name] = StepOutcome(
            step, tuple(spec.key for spec in step.makes.values())
        )
        loaded = {edge.key for edge in self.graph.op_edges[step.step_name]}
        taken = {one.param: self._taken(one, key) for one in step.inputs}
        statuses = {param: [self._status(s) for s in found] for param, found in taken.items()}
        lacks = any(found and all(s == "missing" for s in found) for found in statuses.values())
        if loaded & unmade or lacks:
            outcome.status = "left_out"
            return
        if loaded & stopped or any("failed" in found for found in statuses.values()):
            outcome.status = "skipped"
            return
        op_inputs = [
            {
                "param": one.param,
                "list": one.is_list or any(source.all for source in one.sources),
                "values": [
                    {"run": self.run_id, "step": of, "output": output, "mapping_key": of_key}
                    for of, output, of_key in taken[one.param]
                    if self._status((of, output, of_key)) == "there"
                ],
            }
            for one in step.inputs
        ]
        error = self.attempt(step, outcome, {"op_inputs": op_inputs, "mapping_key": key})
        if error is None:
            outcome.status = "succeeded"
            said = next(m for m in outcome.messages if m["type"] == "values")
            self.values[name] = {one["name"]: one.get("keys") for one in said["outputs"]}
        else:
            outcome.status = "failed"
            self.error = self.error or error

    def _taken(self, one: OpInput, key: str | None) -> list[tuple[str, str, str | None]]:
        """The values an input takes: (task, output, mapping key)."""
        return [at for source in one.sources for at in self._source(source, key)]

    def _source(self, source: OpSource, key: str | None) -> list[tuple[str, str, str | None]]:
        step = self.steps[source.step]
        if step.outs[source.output].is_dynamic:
            if self.outcomes[source.step].status != "succeeded":
                return [(source.step, source.output, None)]
            keys = (self.values[source.step][source.output] or []) if source.all else [key]
            return [(source.step, source.output, one) for one in keys]
        if step.over is None:
            return [(source.step, source.output, None)]
        giver = step.over.step
        if self.outcomes[giver].status != "succeeded":
            return [(giver, step.over.output, None)]
        keys = self._keys(step) if source.all else [key]
        return [(f"{source.step}[{one}]", source.output, None) for one in keys]

    def _status(self, at: tuple[str, str, str | None]) -> str:
        name, output, _ = at
        status = self.outcomes[name].status
        if status in ("failed", "skipped"):
            return "failed"
        return "there" if output in self.values.get(name, {}) else "missing"

    def _settle(self, step: OpStep) -> None:
        for output, spec in step.makes.items():
            outcome = self.outcomes[step.step_name]
            if outcome.status in ("failed", "skipped"):
                self.stopped.add(spec.key)
            elif output not in self.values.get(step.step_name, {}):
                self.unmade.add(spec.key)
