"""Which assets of a step one task makes, in a run of this process.

A step is carried out whole, unless it has `can_subset`. Such a step makes those selected; and when one
of them stands, through another step of the run, on another of them, it is carried out once for each
(M-2). The planner of the server does the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from arco_flow._internal.assets import AssetsDefinition, StepDefinition
from arco_flow._internal.errors import UsageError
from arco_flow._internal.graph import Edge, Graph
from arco_flow._internal.keys import AssetKey


@dataclass(frozen=True, eq=False)
class Part:
    """A step, or the part of its assets that is made. `name` is the step's, `step_2` the second time."""

    name: str
    step: StepDefinition[..., Any]
    outputs: tuple[AssetKey, ...]

    @property
    def selected(self) -> list[str] | None:
        """The assets as a lease names them; None for all of the step."""
        if not isinstance(self.step, AssetsDefinition):
            return None
        if len(self.outputs) == len(self.step.keys):
            return None
        return [key.to_user_string() for key in self.outputs]

    def edges(self, graph: Graph) -> list[Edge]:
        """What it reads or comes after, each once; not what it makes itself, unless it loads it."""
        if isinstance(self.step, AssetsDefinition):
            nodes: Iterable[Any] = (graph.assets[key] for key in self.outputs)
        else:
            nodes = graph.checks_of(self.step)
        found = {(edge.key, edge.param): edge for node in nodes for edge in node.edges}
        own = set(self.outputs)
        return [edge for (key, param), edge in found.items() if key not in own or param is not None]


def parts_of(
    graph: Graph, step: StepDefinition[..., Any], chosen: set[AssetKey] | None
) -> list[Part]:
    """The parts of a step that make the chosen assets, all of them when `chosen` is None.

    Raises:
        UsageError: When some of its assets are chosen and it is carried out whole.
    """
    if not isinstance(step, AssetsDefinition):
        return [Part(step.step_name, step, ())]
    keys = [key for key in step.keys if chosen is None or key in chosen]
    if not step.can_subset:
        if len(keys) < len(step.keys):
            missing = ", ".join(f"`{k.to_user_string()}`" for k in step.keys if k not in keys)
            raise UsageError(
                f"step `{step.step_name}` makes all its assets at once, and some of them are selected; select "
                f"{missing} too, or declare it with can_subset=True"
            )
        return [Part(step.step_name, step, tuple(keys))]
    layers = _layers(graph, set(keys), chosen)
    parts = []
    for number, layer in enumerate(sorted({layers[key] for key in keys}), start=1):
        name = step.step_name if number == 1 else f"{step.step_name}_{number}"
        parts.append(Part(name, step, tuple(key for key in keys if layers[key] == layer)))
    return parts


def _layers(
    graph: Graph, own: set[AssetKey], chosen: set[AssetKey] | None
) -> Mapping[AssetKey, int]:
    """How often the way to each asset leaves the step, through something made, and comes back."""
    found: dict[AssetKey, tuple[int, bool]] = {}
    stack = [(key, False) for key in own]
    seen: set[AssetKey] = set()
    while stack:
        key, expanded = stack.pop()
        node = graph.assets[key]
        parents = [edge.key for edge in node.edges if edge.key != key]
        if not expanded:
            if key not in seen:
                seen.add(key)
                stack.append((key, True))
                stack.extend((parent, False) for parent in parents)
            continue
        layer, made = max((found[parent] for parent in parents), default=(0, False))
        if key in own:
            found[key] = (layer + made, False)
        else:
            is_made = node.step is not None and (chosen is None or key in chosen)
            found[key] = (layer, made or is_made)
    return {key: found[key][0] for key in own}
