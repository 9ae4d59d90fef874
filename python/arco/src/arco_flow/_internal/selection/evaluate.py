"""Which assets of a graph a selection chooses (L-3 to L-14)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from arco_flow._internal.errors import UsageError
from arco_flow._internal.graph import AssetNode, Graph, is_external
from arco_flow._internal.keys import AssetCheckKey, AssetKey
from arco_flow._internal.names import did_you_mean
from arco_flow._internal.partitions import (
    DynamicPartitionsDefinition,
    MultiPartitionsDefinition,
    StaticPartitionsDefinition,
)
from arco_flow._internal.selection import ast
from arco_flow._internal.specs import AssetSpec


def evaluate(
    selection: ast.AssetSelection, graph: Graph, allow_missing: bool = False
) -> set[AssetKey]:
    """The keys chosen.

    Raises:
        UsageError: For a bare key that is not defined, or an attribute definitions cannot answer.
    """
    return _Evaluation(graph, allow_missing).keys(selection)


def evaluate_checks(selection: ast.AssetSelection, graph: Graph) -> set[AssetCheckKey]:
    """The checks chosen.

    Raises:
        UsageError: As `evaluate`, and for a check that is not defined.
    """
    return _Evaluation(graph, False).checks(selection)


class _Evaluation:
    def __init__(self, graph: Graph, allow_missing: bool) -> None:
        self.graph = graph
        self.allow_missing = allow_missing
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
                if self.allow_missing and AssetKey.from_user_string(value or "") not in self.nodes:
                    return set()
                return {self._defined(value or "")}
            case ast.Checks() | ast.ChecksOf():
                return set()
            case ast.WithoutChecks(child):
                return self.keys(child)
            case ast.Sources(child):
                chosen = self.keys(child)
                near = set().union(*(self.parents[key] for key in chosen)) | chosen
                return near - self._made(near)
            case ast.Neighbors(child):
                chosen = self.keys(child)
                steps = [self.nodes[key].step for key in chosen]
                return chosen | {key for step in steps if step is not None for key in step.keys}
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

    def checks(self, selection: ast.AssetSelection) -> set[AssetCheckKey]:
        """The checks chosen: joined as assets are; else those of the assets chosen."""
        match selection:
            case ast.Checks(keys):
                for key in keys:
                    if key not in self.graph.checks:
                        known = [str(one.name) for one in self.graph.checks]
                        raise UsageError(
                            f"there is no check `{key.name}` of asset `{key.asset_key.to_user_string()}`"
                            f"{did_you_mean(key.name, known)}"
                        )
                return set(keys)
            case ast.ChecksOf(None):
                return set(self.graph.checks)
            case ast.ChecksOf(child) if child is not None:
                return self._checks_of(self.keys(child))
            case ast.WithoutChecks():
                return set()
            case ast.And(operands) if ast.holds(selection, ast.CHECK_KINDS):
                return set.intersection(*(self._operand(one) for one in operands))
            case ast.Not(child) if ast.holds(child, ast.CHECK_KINDS):
                return set(self.graph.checks) - self.checks(child)
            case ast.Or(operands):
                return set().union(*(self.checks(one) for one in operands))
        return self._checks_of(self.keys(selection))

    def _operand(self, one: ast.AssetSelection) -> set[AssetCheckKey]:
        # `a - checks` is `a and not checks`: everything that is not one of the checks.
        if isinstance(one, ast.Not) and not ast.holds(one, ast.CHECK_KINDS):
            return set(self.graph.checks) - self._checks_of(self.keys(one.child))
        return self.checks(one)

    def _checks_of(self, assets: set[AssetKey]) -> set[AssetCheckKey]:
        checks = self.graph.checks.items()
        return {key for key, node in checks if node.edges[0].key in assets}

    def _where(self, holds: Callable[[AssetSpec, AssetNode], bool]) -> set[AssetKey]:
        return {key for key, node in self.nodes.items() if holds(node.spec, node)}

    def _made(self, keys: set[AssetKey]) -> set[AssetKey]:
        return {key for key in keys if not is_external(self.nodes[key])}

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
        return lambda _, node: is_external(node) == (value == "external")
    if name == "partitions":
        return lambda spec, _: _partitions(spec) == (value or "none")
    raise _unanswerable(name)


def _partitions(spec: AssetSpec) -> str:
    if spec.partitions_def is None:
        return "none"
    if isinstance(spec.partitions_def, MultiPartitionsDefinition):
        return "multipartitions"
    if isinstance(spec.partitions_def, DynamicPartitionsDefinition):
        return "dynamic"
    return "static" if isinstance(spec.partitions_def, StaticPartitionsDefinition) else "time"


def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(".*".join(re.escape(part) for part in text.split("*")) + r"\Z", re.DOTALL)


def _unanswerable(name: str) -> UsageError:
    return UsageError(
        f"`{name}:` cannot be answered from definitions; ask with `arco assets` or the API"
    )
