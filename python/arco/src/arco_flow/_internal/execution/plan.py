"""What is the same for every task of a step, worked out once per process."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from arco_flow._internal.assets import AssetsDefinition, StepDefinition
from arco_flow._internal.checks import AssetCheckSpec
from arco_flow._internal.context import (
    AssetCheckExecutionContext,
    AssetExecutionContext,
    OpExecutionContext,
)
from arco_flow._internal.definitions import Definitions
from arco_flow._internal.errors import UsageError
from arco_flow._internal.graph import AssetNode, Edge, Graph
from arco_flow._internal.graph_assets import OpStep
from arco_flow._internal.keys import AssetKey
from arco_flow._internal.names import did_you_mean
from arco_flow._internal.partitions import PartitionsDefinition
from arco_flow._internal.specs import DEFAULT_IO_MANAGER, AssetSpec


@dataclass(frozen=True, slots=True)
class InputPlan:
    """One parameter that loads an upstream asset."""

    param: str
    key: AssetKey
    text: str
    io_manager: str
    partitions_def: PartitionsDefinition | None
    metadata: Mapping[str, Any]
    annotation: Any


@dataclass(frozen=True, slots=True)
class OutputPlan:
    """One asset the step makes."""

    name: str
    key: AssetKey
    text: str
    io_manager: str
    spec: AssetSpec


@dataclass(frozen=True, slots=True)
class StepPlan:
    """A step, ready to be carried out."""

    step: StepDefinition[..., Any]
    name: str
    fn: Callable[..., Any]
    kind: str
    context_type: type[AssetExecutionContext]
    inputs: tuple[InputPlan, ...]
    outputs: tuple[OutputPlan, ...]
    outputs_by_key: Mapping[AssetKey, OutputPlan]
    outputs_by_name: Mapping[str, OutputPlan]
    output_names: tuple[str, ...]
    checks: Mapping[tuple[str, str], AssetCheckSpec]
    resources: tuple[str, ...]
    own_resources: tuple[str, ...]
    partitions_def: PartitionsDefinition | None
    returns_nothing: bool


def step_plan(defs: Definitions, name: str) -> StepPlan:
    """The plan of the step `name`, made on its first task.

    Raises:
        UsageError: When the location has no such step.
    """
    plans: dict[str, StepPlan] = defs._cache.setdefault("plans", {})
    plan = plans.get(name)
    if plan is None:
        plan = plans[name] = _make(defs, name)
    return plan


def _make(defs: Definitions, name: str) -> StepPlan:
    graph = defs.graph()
    step = graph.steps.get(name)
    if step is None:
        raise UsageError(f"this location has no step `{name}`{did_you_mean(name, graph.steps)}")
    makes = isinstance(step, AssetsDefinition)
    outputs = _outputs(step)
    inputs = _inputs(step, graph)
    own = tuple(sorted(step.required_resource_keys))
    managers = [
        io
        for io in (
            *(i.io_manager for i in inputs),
            *(o.io_manager for o in outputs),
            *_between(step, graph),
        )
        if io in defs.resources
    ]
    return StepPlan(
        step=step,
        name=name,
        fn=step.fn,
        kind=_kind(step.fn),
        context_type=_context(step, makes),
        inputs=inputs,
        outputs=outputs,
        outputs_by_key={o.key: o for o in outputs},
        outputs_by_name={o.name: o for o in outputs},
        output_names=tuple(o.name for o in outputs),
        checks={
            (node.edges[0].key.to_user_string(), node.spec.name): node.spec
            for node in graph.checks_of(step)
        },
        resources=tuple(dict.fromkeys([*own, *managers])),
        own_resources=own,
        partitions_def=step.partitions_def,
        returns_nothing=step.signature.returns in (None, type(None), "None"),
    )


def _context(step: StepDefinition[..., Any], makes: bool) -> type[AssetExecutionContext]:
    if isinstance(step, OpStep):
        return OpExecutionContext
    return AssetExecutionContext if makes else AssetCheckExecutionContext


def _between(step: StepDefinition[..., Any], graph: Graph) -> list[str]:
    """The IO managers that keep what an op takes from others and gives to them."""
    if not isinstance(step, OpStep):
        return []
    outs = [step.outs[name] for name in step.read]
    for one in step.inputs:
        for source in one.sources:
            other = graph.steps[source.step]
            if isinstance(other, OpStep):
                outs.append(other.outs[source.output])
    return [out.io_manager_key or DEFAULT_IO_MANAGER for out in outs]


def _outputs(step: StepDefinition[..., Any]) -> tuple[OutputPlan, ...]:
    if isinstance(step, OpStep):
        return tuple(
            OutputPlan(name, spec.key, spec.key.to_user_string(), step.io_manager_keys[name], spec)
            for name, spec in step.makes.items()
        )
    if not isinstance(step, AssetsDefinition):
        return ()
    return tuple(
        OutputPlan(name, spec.key, spec.key.to_user_string(), io, spec)
        for name, spec, io in zip(step.output_names, step.specs, step.io_manager_keys, strict=True)
    )


def _inputs(step: StepDefinition[..., Any], graph: Graph) -> tuple[InputPlan, ...]:
    if isinstance(step, OpStep):
        edges = {edge.param: edge for edge in graph.op_edges[step.step_name]}
        return tuple(_input(edge, graph) for edge in edges.values())
    nodes: Sequence[Any] = (
        [graph.assets[key] for key in step.keys]
        if isinstance(step, AssetsDefinition)
        else graph.checks_of(step)
    )
    edges = {edge.param: edge for node in nodes for edge in node.edges if edge.param is not None}
    return tuple(_input(edge, graph) for edge in edges.values())


def _input(edge: Edge, graph: Graph) -> InputPlan:
    upstream: AssetNode = graph.assets[edge.key]
    return InputPlan(
        param=str(edge.param),
        key=edge.key,
        text=edge.key.to_user_string(),
        io_manager=upstream.io_manager or DEFAULT_IO_MANAGER,
        partitions_def=upstream.spec.partitions_def,
        metadata=edge.metadata,
        annotation=edge.annotation,
    )


def _kind(fn: Callable[..., Any]) -> str:
    if inspect.isasyncgenfunction(fn):
        return "async_generator"
    if inspect.iscoroutinefunction(fn):
        return "async"
    return "generator" if inspect.isgeneratorfunction(fn) else "plain"
