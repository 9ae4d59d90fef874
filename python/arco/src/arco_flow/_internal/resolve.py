"""From definitions to a graph: every name resolved, every fault told (M-5 to M-7)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from arco_flow._internal.assets import (
    AssetChecksDefinition,
    AssetsDefinition,
    LoadedInput,
    StepDefinition,
)
from arco_flow._internal.checks import AssetCheckSpec
from arco_flow._internal.definitions import Definitions
from arco_flow._internal.errors import DefinitionError
from arco_flow._internal.keys import AssetCheckKey, AssetKey
from arco_flow._internal.names import did_you_mean
from arco_flow._internal.partitions import PartitionMapping, TimeWindowPartitionMapping
from arco_flow._internal.specs import DEFAULT_GROUP, DEFAULT_IO_MANAGER, AssetDep, AssetSpec


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


def resolve(defs: Definitions) -> Graph:
    """The graph of the definitions.

    Raises:
        DefinitionError: For duplicates, unknown parameters, missing resources and cycles.
    """
    names = _Names(defs)
    nodes: dict[AssetKey, AssetNode] = {}
    for definition in defs.assets:
        if isinstance(definition, AssetsDefinition):
            own = definition.keys
            loaded = names.loaded(definition, definition.specs[0].group, own)
            for spec, io in zip(definition.specs, definition.io_manager_keys, strict=True):
                edges = _join(loaded, names.ordered(spec.deps, spec.group, own), spec)
                nodes[spec.key] = AssetNode(spec, definition, io, edges)
    for spec in list(names.external.values()):
        io = getattr(spec, "io_manager_key", None) or DEFAULT_IO_MANAGER
        nodes[spec.key] = AssetNode(
            spec, None, io, names.ordered(spec.deps, spec.group, [spec.key])
        )
    checks = _checks(defs, names)
    # References may have made more external assets on the way.
    for spec in names.external.values():
        nodes.setdefault(spec.key, AssetNode(spec, None, DEFAULT_IO_MANAGER, ()))
    graph = Graph(
        assets={key: nodes[key] for key in sorted(nodes)},
        checks={key: checks[key] for key in sorted(checks)},
        steps=_steps(defs),
    )
    _check_resources(defs, graph)
    _check_cycles(graph)
    return graph


class _Names:
    """What keys there are, and which one a name means."""

    def __init__(self, defs: Definitions) -> None:
        self.made: dict[AssetKey, AssetsDefinition[..., Any]] = {}
        self.external: dict[AssetKey, AssetSpec] = {}
        self.groups: dict[AssetKey, str] = {}
        for definition in defs.assets:
            if isinstance(definition, AssetsDefinition):
                for spec in definition.specs:
                    self._make(spec, definition)
        for definition in defs.assets:
            if isinstance(definition, AssetSpec) and definition.key not in self.made:
                # Two bare specs of one key are one (M-6); the later adds nothing.
                self.external.setdefault(definition.key, definition)
                self.groups.setdefault(definition.key, definition.group)

    def _make(self, spec: AssetSpec, definition: AssetsDefinition[..., Any]) -> None:
        other = self.made.get(spec.key)
        if other is not None:
            key = spec.key.to_user_string()
            raise DefinitionError(
                f"asset `{key}` is defined twice: by {_place(other)} and by {_place(definition)}; give one of "
                f'them another name, or a prefix: @asset(key_prefix="...")'
            )
        self.made[spec.key] = definition
        self.groups[spec.key] = spec.group

    def known(self) -> Iterable[str]:
        return [key.to_user_string() for key in self.groups]

    def find(
        self, key: AssetKey, group: str | None, own: Iterable[AssetKey] = ()
    ) -> AssetKey | None:
        """The asset a key means: itself, else the only one of the group that ends so (M-5).

        Differs from Dagster: when the asset that asks (`own`) is one of two, it means the other; and
        `deps=["raw/x"]` finds the asset of two parts.
        """
        if key in self.groups:
            return key
        if len(key.path) != 1:
            return None
        if group is not None:
            same = [k for k, g in self.groups.items() if g == group and k.path[-1] == key.path[0]]
            if len(same) > 1:
                same = [k for k in same if k not in own]
            if len(same) == 1:
                return same[0]
        if "/" in key.path[0]:
            split = AssetKey.from_user_string(key.path[0])
            return split if split in self.groups else None
        return None

    def loaded(
        self, step: StepDefinition[..., Any], group: str | None, own: Iterable[AssetKey] = ()
    ) -> tuple[Edge, ...]:
        """The edges of the parameters of a step.

        Raises:
            DefinitionError: For a parameter that names no asset.
        """
        edges = []
        for one in step.loaded:
            key = self.find(one.key, group, own)
            if key is None:
                raise DefinitionError(self._unknown(step, one))
            edges.append(Edge(key, one.param, one.mapping, one.metadata, one.annotation))
        return tuple(edges)

    def ordered(
        self, deps: Iterable[AssetDep], group: str | None, own: Iterable[AssetKey] = ()
    ) -> tuple[Edge, ...]:
        """The edges of `deps=`; unknown keys become external assets (M-5)."""
        edges = []
        for dep in deps:
            key = self.find(dep.asset_key, group, own) or self._external(dep.asset_key)
            edges.append(Edge(key, None, dep.partition_mapping, dep.metadata, Any))
        return tuple(edges)

    def _external(self, key: AssetKey) -> AssetKey:
        self.external[key] = AssetSpec(key)
        self.groups[key] = DEFAULT_GROUP
        return key

    def _unknown(self, step: StepDefinition[..., Any], one: LoadedInput) -> str:
        text = one.key.to_user_string()
        what = f"parameter `{one.param}` of {_place(step)} names no asset"
        if one.exact:
            what = f"parameter `{one.param}` of {_place(step)} loads asset `{text}`, which is not defined"
        # Keys of several parts are near when their last part is.
        near = {k.path[-1]: k.to_user_string() for k in self.groups}
        close = did_you_mean(text, self.known())
        if not close and not one.exact:
            close = did_you_mean(one.param, near, near)
        elsewhere = f'AssetSpec("{text}") in Definitions(assets=[...]) when it is made elsewhere'
        if not one.exact:
            return (
                f"{what}{close}; a parameter is the name of an upstream asset, or has the annotation of a "
                f'resource. Write ins={{"{one.param}": AssetIn(key=...)}} for an asset of another name, or '
                f"{elsewhere}"
            )
        return f"{what}{close or '; define it, or write ' + elsewhere}"


def _join(loaded: tuple[Edge, ...], ordered: tuple[Edge, ...], spec: AssetSpec) -> tuple[Edge, ...]:
    """Parameters, then deps that no parameter loads: both naming one asset is one edge (M-5)."""
    by_key = {edge.key: edge for edge in loaded}
    edges = list(loaded)
    for edge in ordered:
        same = by_key.get(edge.key)
        if same is None:
            edges.append(edge)
        elif edge.mapping is not None and same.mapping is None:
            edges[edges.index(same)] = Edge(
                same.key, same.param, edge.mapping, same.metadata, same.annotation
            )
        elif edge.mapping is not None and edge.mapping != same.mapping:
            raise DefinitionError(
                f"asset `{spec.key.to_user_string()}` depends on `{edge.key.to_user_string()}` by a parameter "
                "and by deps, with different partition mappings; give it once"
            )
    return tuple(edges)


def _checks(defs: Definitions, names: _Names) -> dict[AssetCheckKey, CheckNode]:
    found: dict[AssetCheckKey, CheckNode] = {}

    def add(spec: AssetCheckSpec, step: StepDefinition[..., Any], edges: tuple[Edge, ...]) -> None:
        if spec.key in found:
            raise DefinitionError(
                f"check `{spec.name}` of asset `{spec.asset_key.to_user_string()}` is defined twice: by "
                f"{_place(found[spec.key].step)} and by {_place(step)}; give one of them another name"
            )
        found[spec.key] = CheckNode(spec, step, edges)

    for definition in defs.assets:
        if isinstance(definition, AssetsDefinition):
            for spec in definition.check_specs:
                add(spec, definition, (Edge(spec.asset_key, None, None, {}, Any),))
    for check in defs.asset_checks:
        loaded = names.loaded(check, None)
        for spec in check.check_specs:
            key = names.find(spec.asset_key, None)
            if key is None:
                raise DefinitionError(
                    f"check `{spec.name}` judges asset `{spec.asset_key.to_user_string()}`, which is not defined"
                    + (
                        did_you_mean(spec.asset_key.to_user_string(), names.known())
                        or "; add it to Definitions(assets=[...])"
                    )
                )
            own = [e for e in loaded if e.key == key] or [Edge(key, None, None, {}, Any)]
            others = [e for e in loaded if e.key != key]
            deps = names.ordered(spec.additional_deps, None)
            add(
                spec,
                check,
                (*own, *others, *(d for d in deps if d.key not in {e.key for e in others})),
            )
    return found


def _steps(defs: Definitions) -> dict[str, StepDefinition[..., Any]]:
    steps: dict[str, StepDefinition[..., Any]] = {}
    for definition in (*defs.assets, *defs.asset_checks):
        if not isinstance(definition, StepDefinition):
            continue
        other = steps.get(definition.step_name)
        if other is definition:
            raise DefinitionError(f"{_place(definition)} is given twice; leave one out")
        if other is not None:
            raise DefinitionError(
                f"{_place(other)} and {_place(definition)} both make a step `{definition.step_name}`; rename one "
                "of the functions"
            )
        steps[definition.step_name] = definition
    return {name: steps[name] for name in sorted(steps)}


def _check_resources(defs: Definitions, graph: Graph) -> None:
    for step in graph.steps.values():
        for name in sorted(step.required_resource_keys):
            if name not in defs.resources:
                raise DefinitionError(
                    f"resource `{name}` of {_place(step)} is not defined"
                    + (
                        did_you_mean(name, defs.resources)
                        or f'; add Definitions(resources={{"{name}": ...}})'
                    )
                )
    for node in graph.assets.values():
        if node.step is not None and node.io_manager not in (DEFAULT_IO_MANAGER, *defs.resources):
            raise DefinitionError(
                f"IO manager `{node.io_manager}` of asset `{node.spec.key.to_user_string()}` is not defined"
                + (
                    did_you_mean(node.io_manager, defs.resources)
                    or f'; add Definitions(resources={{"{node.io_manager}": ...}})'
                )
            )


def _check_cycles(graph: Graph) -> None:
    """Finds a cycle when definitions load, and not when something first sorts the graph (M-7)."""
    parents = {
        key: [edge.key for edge in node.edges if not _reads_own_past(node, edge)]
        for key, node in graph.assets.items()
    }
    done: set[AssetKey] = set()
    for start in parents:
        path: list[AssetKey] = []
        on_path: set[AssetKey] = set()
        stack = [(start, iter(parents[start]))] if start not in done else []
        if stack:
            path.append(start)
            on_path.add(start)
        while stack:
            key, rest = stack[-1]
            up = next(rest, None)
            if up is None:
                stack.pop()
                path.pop()
                on_path.discard(key)
                done.add(key)
            elif up in on_path:
                # The path leads upstream; people read downstream.
                cycle = [up, *reversed(path[path.index(up) :])]
                _raise_cycle(cycle)
            elif up not in done:
                stack.append((up, iter(parents.get(up, ()))))
                path.append(up)
                on_path.add(up)


def _raise_cycle(cycle: list[AssetKey]) -> None:
    shown = " → ".join(key.to_user_string() for key in cycle)
    hint = (
        "; an asset may read only its own earlier partitions: TimeWindowPartitionMapping(start_offset=-1, end_offset=-1)"
        if len(cycle) == 2
        else "; remove one of these dependencies"
    )
    raise DefinitionError(f"assets depend on each other in a cycle: {shown}{hint}")


def _reads_own_past(node: AssetNode, edge: Edge) -> bool:
    mapping = edge.mapping
    return (
        edge.key == node.spec.key
        and node.spec.partitions_def is not None
        and isinstance(mapping, TimeWindowPartitionMapping)
        and mapping.start_offset < 0
        and mapping.end_offset < 0
    )


def _place(step: StepDefinition[..., Any]) -> str:
    """``function `f` (file.py:12)``."""
    name = getattr(step.fn, "__name__", step.step_name)
    code = getattr(step.fn, "__code__", None)
    where = f" ({code.co_filename.rpartition('/')[2]}:{code.co_firstlineno})" if code else ""
    kind = "check" if isinstance(step, AssetChecksDefinition) else "function"
    return f"{kind} `{name}`{where}"
