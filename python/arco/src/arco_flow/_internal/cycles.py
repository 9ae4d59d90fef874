"""Cycles of assets, found when definitions load and shown as a path (M-7)."""

from __future__ import annotations

from arco_flow._internal.errors import DefinitionError
from arco_flow._internal.graph import AssetNode, Edge, Graph
from arco_flow._internal.keys import AssetKey
from arco_flow._internal.partitions import (
    MultiPartitionMapping,
    PartitionMapping,
    TimeWindowPartitionMapping,
)


def check_cycles(graph: Graph) -> None:
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
    partitioned = node.spec.partitions_def is not None
    return edge.key == node.spec.key and partitioned and _is_earlier(edge.mapping)


def _is_earlier(mapping: PartitionMapping | None) -> bool:
    """Whether what a partition reads comes before it, in some dimension."""
    if isinstance(mapping, MultiPartitionMapping):
        return any(
            up == each.dimension_name and _is_earlier(each.partition_mapping)
            for up, each in mapping.downstream_mappings_by_upstream_dimension.items()
        )
    return (
        isinstance(mapping, TimeWindowPartitionMapping)
        and mapping.start_offset < 0
        and mapping.end_offset < 0
    )
