"""Definitions with every reference resolved: assets, checks and steps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from arco_flow._internal.assets import (
    AssetsDefinition,
    StepDefinition,
)
from arco_flow._internal.checks import AssetCheckSpec
from arco_flow._internal.keys import AssetCheckKey, AssetKey
from arco_flow._internal.observations import is_observable
from arco_flow._internal.partitions import PartitionMapping
from arco_flow._internal.specs import AssetSpec


@dataclass(frozen=True, slots=True)
class Edge:
    """One upstream asset; `param` is the parameter that loads it, None for order only."""

    key: AssetKey
    param: str | None
    mapping: PartitionMapping | None
    metadata: Mapping[str, Any]
    annotation: Any


@dataclass(frozen=True, slots=True)
class AssetNode:
    """One asset; `step` is None for an external one."""

    spec: AssetSpec
    step: AssetsDefinition[..., Any] | None
    io_manager: str
    edges: tuple[Edge, ...]


@dataclass(frozen=True, slots=True)
class CheckNode:
    """One check; `edges` begin with its asset."""

    spec: AssetCheckSpec
    step: StepDefinition[..., Any]
    edges: tuple[Edge, ...]


@dataclass(frozen=True, slots=True)
class Graph:
    """All assets, checks and steps of a location, each in order of key or name."""

    assets: Mapping[AssetKey, AssetNode]
    checks: Mapping[AssetCheckKey, CheckNode]
    steps: Mapping[str, StepDefinition[..., Any]]
    checks_by_step: Mapping[str, Sequence[CheckNode]]
    op_edges: Mapping[str, Sequence[Edge]]
    """The assets that ops of graphs load, by step."""

    def checks_of(self, step: StepDefinition[..., Any]) -> Sequence[CheckNode]:
        """The checks that are judged by a step, in order."""
        return self.checks_by_step.get(step.step_name, ())


def is_external(node: AssetNode) -> bool:
    """Whether nothing here makes the asset, though a step may observe it."""
    return node.step is None or is_observable(node.step)
