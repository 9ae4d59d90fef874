"""From definitions to a graph: every name resolved, every fault told (M-5 to M-7)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from arco_flow._internal.assets import (
    AssetsDefinition,
    StepDefinition,
)
from arco_flow._internal.checks import AssetCheckSpec
from arco_flow._internal.cycles import check_cycles
from arco_flow._internal.definitions import Definitions
from arco_flow._internal.errors import DefinitionError
from arco_flow._internal.graph import AssetNode, CheckNode, Edge, Graph
from arco_flow._internal.graph_assets import GraphAssets, OpStep
from arco_flow._internal.keys import AssetCheckKey, AssetKey
from arco_flow._internal.names import did_you_mean
from arco_flow._internal.partitions import PartitionsDefinition
from arco_flow._internal.partitions.asked import AskedPartitionMapping
from arco_flow._internal.partitions.custom import listed
from arco_flow._internal.resolve_names import Names, place
from arco_flow._internal.specs import DEFAULT_IO_MANAGER, AssetSpec


def resolve(defs: Definitions) -> Graph:
    """The graph of the definitions.

    Raises:
        DefinitionError: For duplicates, unknown parameters, missing resources and cycles.
    """
    names = Names(defs)
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
    by_step: dict[str, list[CheckNode]] = {}
    for key in sorted(checks):
        by_step.setdefault(checks[key].step.step_name, []).append(checks[key])
    op_edges: dict[str, tuple[Edge, ...]] = {}
    for definition in defs.assets:
        if isinstance(definition, GraphAssets):
            for one in definition.ops:
                group, own = definition.specs[0].group, definition.keys
                op_edges[one.step_name] = names.loaded(one, group, own)
    _list_mappings(nodes, checks, op_edges, defs)
    graph = Graph(
        assets={key: nodes[key] for key in sorted(nodes)},
        checks={key: checks[key] for key in sorted(checks)},
        steps=_steps(defs),
        checks_by_step=by_step,
        op_edges=op_edges,
    )
    _check_resources(defs, graph)
    check_cycles(graph)
    return graph


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


def _list_mappings(
    nodes: dict[AssetKey, AssetNode],
    checks: dict[AssetCheckKey, CheckNode],
    op_edges: dict[str, tuple[Edge, ...]],
    defs: Definitions,
) -> None:
    """Asks mappings that are said in code, of every edge."""

    def of(
        edges: tuple[Edge, ...], reader: str, own: PartitionsDefinition | None
    ) -> tuple[Edge, ...]:
        def one(edge: Edge) -> Edge:
            if edge.mapping is None:
                return edge
            upstream = nodes[edge.key].spec.partitions_def if edge.key in nodes else None
            words = f"{reader} reads `{edge.key.to_user_string()}`"
            return replace(edge, mapping=listed(edge.mapping, own, upstream, words))

        return tuple(map(one, edges))

    for key, node in nodes.items():
        reader = f"`{key.to_user_string()}`"
        nodes[key] = replace(node, edges=of(node.edges, reader, node.spec.partitions_def))
    for name, check in checks.items():
        reader = f"check `{name.name}` of `{name.asset_key.to_user_string()}`"
        checks[name] = replace(check, edges=of(check.edges, reader, check.spec.partitions_def))
        for edge in checks[name].edges:
            if isinstance(edge.mapping, AskedPartitionMapping):
                raise DefinitionError(
                    f"{reader} reads `{edge.key.to_user_string()}` by {type(edge.mapping.mapping).__name__}, a mapping "
                    "of your own, which only assets do; use AllPartitionMapping or another built-in one"
                )
    for definition in defs.assets:
        if isinstance(definition, GraphAssets):
            own = definition.specs[0].partitions_def
            for op in definition.ops:
                edges = op_edges[op.step_name]
                op_edges[op.step_name] = of(edges, f"op `{op.step_name}`", own)


def _checks(defs: Definitions, names: Names) -> dict[AssetCheckKey, CheckNode]:
    found: dict[AssetCheckKey, CheckNode] = {}

    def add(spec: AssetCheckSpec, step: StepDefinition[..., Any], edges: tuple[Edge, ...]) -> None:
        if spec.key in found:
            raise DefinitionError(
                f"check `{spec.name}` of asset `{spec.asset_key.to_user_string()}` is defined twice: by "
                f"{place(found[spec.key].step)} and by {place(step)}; give one of them another name"
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
    given = [one for one in (*defs.assets, *defs.asset_checks) if isinstance(one, StepDefinition)]
    ops = [op for one in given if isinstance(one, GraphAssets) for op in one.ops]
    for definition in (*(one for one in given if not isinstance(one, GraphAssets)), *ops):
        other = steps.get(definition.step_name)
        if other is definition:
            raise DefinitionError(f"{place(definition)} is given twice; leave one out")
        if other is not None:
            raise DefinitionError(
                f"{_named(other)} and {_named(definition)} both make a step `{definition.step_name}`, where other "
                "characters than letters, digits and `_` become `_`; rename one of them"
            )
        steps[definition.step_name] = definition
    return {name: steps[name] for name in sorted(steps)}


def _named(step: StepDefinition[..., Any]) -> str:
    """``asset `raw/a` of function `f` (file.py:12)``: what there is to rename."""
    if not isinstance(step, AssetsDefinition):
        return place(step)
    keys = " and ".join(f"`{key.to_user_string()}`" for key in step.keys)
    return f"asset {keys} of {place(step)}"


def _check_resources(defs: Definitions, graph: Graph) -> None:
    for step in graph.steps.values():
        needed = set(step.required_resource_keys)
        if isinstance(step, OpStep):
            managers = {out.io_manager_key for out in step.outs.values()}
            needed |= {name for name in managers if name not in (None, DEFAULT_IO_MANAGER)}
        for name in sorted(needed):
            if name not in defs.resources:
                raise DefinitionError(
                    f"resource `{name}` of {place(step)} is not defined"
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
