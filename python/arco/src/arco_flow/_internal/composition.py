"""What calls of ops within a graph's function mean: tasks and the values between them (M-3, R-43).

The function of a graph is called once, when it is decorated. Calls of ops in it give references to
outputs that do not exist yet; passing them on makes the edges.
"""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from arco_flow._internal.errors import DefinitionError
from arco_flow._internal.names import did_you_mean
from arco_flow._internal.ops import OpDefinition

if TYPE_CHECKING:
    from arco_flow._internal.graphs import GraphDefinition

Output: TypeAlias = tuple[str, str]
"""Node and name of an output."""


@dataclass(frozen=True)
class GraphInput:
    """An input of the graph, by name."""

    name: str


@dataclass(frozen=True)
class Ref:
    """An output of a node. `over` is the dynamic output it has an instance of for each key."""

    node: str
    output: str
    over: Output | None = None


@dataclass(frozen=True)
class DynamicRef:
    """A dynamic output, or what was mapped over one: pass it on by `map` and `collect`."""

    ref: Ref

    def map(self, fn: Callable[[Any], Any]) -> Any:
        """Calls `fn` with one value; the ops it calls are carried out once for each key."""
        result = fn(self.ref)
        return tuple(_mapped(one) for one in result) if _is_many(result) else _mapped(result)

    def collect(self) -> Collected:
        """All values, in the order of the keys as they were yielded, as a list."""
        return Collected(self.ref)


@dataclass(frozen=True)
class Collected:
    """The values of a dynamic output, or of what was mapped over one, as a list."""

    ref: Ref


Source: TypeAlias = GraphInput | Ref | Collected


@dataclass(frozen=True)
class NodeInput:
    """What one parameter of a node takes: one source, or a list of them."""

    param: str
    sources: tuple[Source, ...]
    is_list: bool = False


@dataclass(frozen=True)
class Node:
    """One call of an op."""

    name: str
    op: OpDefinition
    inputs: tuple[NodeInput, ...]
    over: Output | None


class Composition:
    """The nodes of a graph while its function runs."""

    def __init__(self, graph: str) -> None:
        self.graph = graph
        self.nodes: dict[str, Node] = {}
        self._taken: dict[str, int] = {}

    def name(self, wanted: str) -> str:
        """`wanted`, `wanted_2`, …"""
        count = self._taken[wanted] = self._taken.get(wanted, 0) + 1
        name = wanted if count == 1 else f"{wanted}_{count}"
        if count > 1 and name in self._taken:
            return self.name(wanted)
        self._taken.setdefault(name, 1)
        return name

    def invoke(self, op: OpDefinition, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        """One call of an op: its outputs."""
        given = self._bind(f"op `{op.name}`", op.input_names, args, kwargs)
        inputs = tuple(self._input(op.name, param, value) for param, value in given.items())
        missing = [
            name for name in op.input_names if name not in given and name not in _defaults(op)
        ]
        if missing:
            raise DefinitionError(
                f"graph `{self.graph}` calls op `{op.name}` without its input `{missing[0]}`"
            )
        return self._outputs(self._add(self.name(op.name), op, inputs))

    def inline(self, graph: GraphDefinition, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        """One call of a graph: its nodes, under its name, become nodes of this one."""
        given = self._bind(f"graph `{graph.name}`", graph.input_names, args, kwargs)
        missing = [name for name in graph.input_names if name not in given]
        if missing:
            raise DefinitionError(
                f"graph `{self.graph}` calls graph `{graph.name}` without its input `{missing[0]}`"
            )
        prefix = self.name(graph.name)
        outer = {name: self._input(graph.name, name, value) for name, value in given.items()}
        refs: dict[Output, Ref] = {}

        def moved(source: Source) -> Source:
            if isinstance(source, GraphInput):
                (only,) = outer[source.name].sources
                return only
            inner = source.ref if isinstance(source, Collected) else source
            ref = refs[inner.node, inner.output]
            return Collected(ref) if isinstance(source, Collected) else ref

        def moved_input(one: NodeInput) -> NodeInput:
            if len(one.sources) == 1 and isinstance(one.sources[0], GraphInput):
                passed = outer[one.sources[0].name]
                if one.is_list and passed.is_list:
                    raise DefinitionError(
                        f"graph `{graph.name}` puts its input `{one.sources[0].name}` in a list, and graph "
                        f"`{self.graph}` gives it a list; give it one value"
                    )
                return NodeInput(one.param, passed.sources, one.is_list or passed.is_list)
            return NodeInput(one.param, tuple(moved(source) for source in one.sources), one.is_list)

        for node in graph.nodes.values():
            inputs = tuple(moved_input(one) for one in node.inputs)
            added = self._add(f"{prefix}.{node.name}", node.op, inputs)
            for output, out in node.op.outs.items():
                over = (added.name, output) if out.is_dynamic else added.over
                refs[node.name, output] = Ref(added.name, output, over)
        results = [_public(moved(source), source) for source in graph.outputs.values()]
        return results[0] if len(results) == 1 else _tuple(graph.name, list(graph.outputs), results)

    def _bind(
        self, what: str, names: Sequence[str], args: Sequence[Any], kwargs: Mapping[str, Any]
    ) -> dict[str, Any]:
        if len(args) > len(names):
            raise DefinitionError(
                f"graph `{self.graph}` gives {what} {len(args)} inputs; it has {len(names)}. The context is not given"
            )
        given = dict(zip(names, args, strict=False))
        for name, value in kwargs.items():
            if name not in names:
                raise DefinitionError(
                    f"graph `{self.graph}` gives {what} an input `{name}`, which it does not have"
                    + did_you_mean(name, names)
                )
            if name in given:
                raise DefinitionError(f"graph `{self.graph}` gives {what} the input `{name}` twice")
            given[name] = value
        return given

    def _input(self, op: str, param: str, value: Any) -> NodeInput:
        many = isinstance(value, (list, tuple)) and not hasattr(value, "_fields")
        sources = tuple(self._source(op, param, one) for one in (value if many else [value]))
        if many and any(isinstance(source, Collected) for source in sources):
            raise DefinitionError(
                f"graph `{self.graph}` puts a collected output in a list for `{param}` of `{op}`; give it alone"
            )
        return NodeInput(param, sources, many)

    def _source(self, op: str, param: str, value: Any) -> Source:
        if isinstance(value, DynamicRef):
            raise DefinitionError(
                f"graph `{self.graph}` passes a dynamic output directly to `{param}` of `{op}`; use "
                f".map({op}) for one task per key, or .collect() for a list"
            )
        if isinstance(value, (GraphInput, Ref, Collected)):
            return value
        raise DefinitionError(
            f"graph `{self.graph}` gives `{param}` of `{op}` the value {value!r}; within a graph, inputs are "
            "outputs of other ops and inputs of the graph. Make it a default of the parameter, or configuration"
        )

    def _add(self, name: str, op: OpDefinition, inputs: tuple[NodeInput, ...]) -> Node:
        overs = {
            source.over
            for one in inputs
            for source in one.sources
            if isinstance(source, Ref) and source.over is not None
        }
        dynamic = [output for output, out in op.outs.items() if out.is_dynamic]
        if len(overs) > 1 or (overs and dynamic):
            raise DefinitionError(
                f"op `{name}` of graph `{self.graph}` would be mapped over two dynamic outputs; collect one of "
                "them first"
            )
        if len(dynamic) > 1:
            raise DefinitionError(
                f"op `{op.name}` has {len(dynamic)} dynamic outputs; write an op for each"
            )
        node = self.nodes[name] = Node(name, op, inputs, next(iter(overs), None))
        return node

    def _outputs(self, node: Node) -> Any:
        refs: list[Ref | DynamicRef] = []
        for output, out in node.op.outs.items():
            if out.is_dynamic:
                refs.append(DynamicRef(Ref(node.name, output, (node.name, output))))
            else:
                refs.append(Ref(node.name, output, node.over))
        if len(refs) == 1:
            return refs[0]
        return _tuple(node.op.name, list(node.op.outs), refs) if refs else None


_current: ContextVar[Composition | None] = ContextVar("arco_composition", default=None)


def current() -> Composition | None:
    """The graph whose function runs."""
    return _current.get()


@contextmanager
def composing(graph: str) -> Iterator[Composition]:
    """Within it, calls of ops are nodes of `graph`."""
    composition = Composition(graph)
    token = _current.set(composition)
    try:
        yield composition
    finally:
        _current.reset(token)


def _defaults(op: OpDefinition) -> set[str]:
    import inspect

    parameters = inspect.signature(op.fn).parameters.values()
    return {one.name for one in parameters if one.default is not one.empty}


def _mapped(value: Any) -> Any:
    if isinstance(value, Ref) and value.over is not None:
        return DynamicRef(value)
    raise DefinitionError(
        f"the function given to .map returned {value!r}; return what an op gave that it called with the value"
    )


def _is_many(value: Any) -> bool:
    return isinstance(value, tuple)


def _public(source: Source, inner: Source) -> Any:
    """An output of an inner graph, as the outer one may use it."""
    dynamic = isinstance(source, Ref) and isinstance(inner, Ref) and inner.over is not None
    return DynamicRef(source) if dynamic and isinstance(source, Ref) else source


def _tuple(name: str, fields: list[str], values: list[Any]) -> Any:
    return namedtuple(f"{name}_outputs", fields)(*values)
