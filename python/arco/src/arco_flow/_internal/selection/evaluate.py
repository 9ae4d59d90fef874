"""Which assets of a graph a selection chooses (L-3 to L-14)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from arco_flow._internal.errors import UsageError
from arco_flow._internal.graph import AssetNode, Graph
from arco_flow._internal.keys import AssetKey
from arco_flow._internal.names import did_you_mean
from arco_flow._internal.partitions import StaticPartitionsDefinition
from arco_flow._internal.selection import ast
from arco_flow._internal.specs import AssetSpec


def evaluate(selection: ast.AssetSelection, graph: Graph) -> set[AssetKey]:
    """The keys chosen.

    Raises:
        UsageError: For a bare key that is not defined, or an attribute definitions cannot answer.
    """
    return _Evaluation(graph).keys(selection)


class _Evaluation:
    def __init__(self, graph: Graph) -> None:
        self.nodes: Mapping[AssetKey, AssetNode] = graph.assets
        self.parents: dict[AssetKey, set[AssetKey]] = {}
        self.children: dict[AssetKey, set[AssetKey]] = {key: set() for key in graph.assets}
        for key, node in graph.assets.items():
            self.parents[key] = {edge.key for edge in node.edges if edge.key != key}
            for up in self.parents[key]:
                self.children[up].add(key)

    def keys(self, selection: ast.AssetSelection) -> set[AssetKey]:
        """The keys chosen by any kind of selection."""
        match selection:
            case ast.All():
                return self._made(set(self.nodes))
            case ast.Key(_, value):
                return {self._defined(value or "")}
            case ast.Attribute(name, value):
                chosen = self._where(_attribute(name, value))
                # Tags, groups and kinds choose among what is made here, the rest among all (L-4).
                return self._made(chosen) if name in ("tag", "group", "kind") else chosen
            case ast.Tag(key, value, name):
                if name != "tag":
                    raise _unanswerable(name)
                return self._made(self._where(lambda spec, _: spec.tags.get(key) == value))
            case ast.Bare():
                return self._bare(selection)
            case ast.Up(child, depth):
                return self._made(self._reach(self.keys(child), self.parents, depth))
            case ast.Down(child, depth):
                return self._reach(self.keys(child), self.children, depth)
            case ast.Ends(function, child):
                edges = self.children if function == "roots" else self.parents
                return self._without_reached(self.keys(child), edges)
            case ast.Not(child):
                return self._made(set(self.nodes)) - self.keys(child)
            case ast.And(operands):
                return set.intersection(*(self.keys(one) for one in operands))
            case ast.Or(operands):
                return set().union(*(self.keys(one) for one in operands))
        raise UsageError(f"{selection!r} is no selection")

    def _where(self, holds: Callable[[AssetSpec, AssetNode], bool]) -> set[AssetKey]:
        return {key for key, node in self.nodes.items() if holds(node.spec, node)}

    def _made(self, keys: set[AssetKey]) -> set[AssetKey]:
        return {key for key in keys if self.nodes[key].step is not None}

    def _bare(self, bare: ast.Bare) -> set[AssetKey]:
        key = self._defined(bare.key)
        if bare.up == 0 and bare.down == 0:
            return {key}
        up = set() if bare.up == 0 else self._made(self._reach({key}, self.parents, bare.up))
        return up | (set() if bare.down == 0 else self._reach({key}, self.children, bare.down))

    def _defined(self, text: str) -> AssetKey:
        key = AssetKey.from_user_string(text)
        if key not in self.nodes:
            known = [k.to_user_string() for k in self.nodes]
            raise UsageError(f"there is no asset `{text}`{did_you_mean(text, known)}")
        return key

    def _without_reached(
        self, chosen: set[AssetKey], edges: Mapping[AssetKey, set[AssetKey]]
    ) -> set[AssetKey]:
        """Those that no other of them reaches, over any number of steps (L-9)."""
        following = set().union(*(edges[key] for key in chosen))
        return chosen - self._reach(following, edges, None)

    def _reach(
        self, start: set[AssetKey], edges: Mapping[AssetKey, set[AssetKey]], depth: int | None
    ) -> set[AssetKey]:
        found, frontier = set(start), set(start)
        while frontier and (depth is None or depth > 0):
            frontier = set().union(*(edges[key] for key in frontier)) - found
            found |= frontier
            depth = None if depth is None else depth - 1
        return found


def _attribute(name: str, value: str | None) -> Callable[[AssetSpec, AssetNode], bool]:
    if name == "key":
        pattern = _pattern(value or "")
        return lambda spec, _: pattern.match(spec.key.to_user_string()) is not None
    if name == "group":
        groups = None if value is None else _pattern(value)
        return lambda spec, _: groups is not None and groups.match(spec.group) is not None
    if name == "kind":
        return lambda spec, _: value in spec.kinds if value is not None else not spec.kinds
    if name == "owner":
        return lambda spec, _: value in spec.owners if value is not None else not spec.owners
    if name == "tag":
        return lambda spec, _: not spec.tags
    if name == "is":
        return lambda _, node: (node.step is None) == (value == "external")
    if name == "partitions":
        return lambda spec, _: _partitions(spec) == (value or "none")
    raise _unanswerable(name)


def _partitions(spec: AssetSpec) -> str:
    if spec.partitions_def is None:
        return "none"
    return "static" if isinstance(spec.partitions_def, StaticPartitionsDefinition) else "time"


def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(".*".join(re.escape(part) for part in text.split("*")) + r"\Z", re.DOTALL)


def _unanswerable(name: str) -> UsageError:
    return UsageError(
        f"`{name}:` cannot be answered from definitions; ask with `arco assets` or the API"
    )
