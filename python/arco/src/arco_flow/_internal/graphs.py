"""`@graph`: ops and how their values go on (M-3). What makes assets of one is in `graph_assets`.

Each op is a task of its own, named `graph.op`; values between them go through IO managers and belong
to the run. Selecting an asset of a graph selects the graph.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from arco_flow._internal import names
from arco_flow._internal.composition import (
    DynamicRef,
    GraphInput,
    Node,
    Ref,
    Source,
    composing,
)
from arco_flow._internal.errors import DefinitionError
from arco_flow._internal.ops import RESULT
from arco_flow._internal.unsupported import refuse


@dataclass(frozen=True)
class GraphOut:
    """One output of a `@graph`, for people."""

    description: str | None = None


@dataclass(frozen=True)
class GraphIn:
    """One input of a `@graph`, for people."""

    description: str | None = None


@dataclass(frozen=True, eq=False)
class GraphDefinition:
    """Ops and the values between them: what `@graph` gives."""

    name: str
    fn: Callable[..., Any]
    input_names: Sequence[str]
    nodes: Mapping[str, Node]
    outputs: Mapping[str, Source]
    description: str | None = None

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """In another graph: its ops become part of that one."""
        from arco_flow._internal.composition import current

        outer = current()
        if outer is None:
            raise DefinitionError(
                f"graph `{self.name}` is called within another graph, or made an asset by "
                "AssetsDefinition.from_graph"
            )
        return outer.inline(self, args, kwargs)


def graph(
    compose_fn: Callable[..., Any] | None = None,
    *,
    name: str | None = None,
    description: str | None = None,
    input_defs: None = None,
    output_defs: None = None,
    ins: Mapping[str, GraphIn] | None = None,
    out: GraphOut | Mapping[str, GraphOut] | None = None,
    tags: None = None,
    config: None = None,
) -> Any:
    """Declares a graph of ops: the function calls them, and returns outputs of theirs.

    It becomes an asset by `AssetsDefinition.from_graph`, or a part of another graph that calls it.

    Raises:
        DefinitionError: When the function passes on what is no output of an op or input of the graph.
    """
    refuse("@graph", input_defs=input_defs, output_defs=output_defs, tags=tags, config=config)
    del ins

    def decorate(fn: Callable[..., Any]) -> GraphDefinition:
        outputs = list(out) if isinstance(out, Mapping) else None
        return compose(fn, name or fn.__name__, outputs, description)

    return decorate if compose_fn is None else decorate(compose_fn)


def compose(
    fn: Callable[..., Any], name: str, outputs: Sequence[str] | None, description: str | None = None
) -> GraphDefinition:
    """The graph of a function. `outputs` are the names of what it returns; one `result` when absent."""
    names.check_name(name, "a graph")
    params = list(inspect.signature(fn).parameters)
    with composing(name) as composition:
        result = fn(**{param: GraphInput(param) for param in params})
    return GraphDefinition(
        name=name,
        fn=fn,
        input_names=params,
        nodes=composition.nodes,
        outputs=_outputs(name, result, outputs),
        description=description or fn.__doc__,
    )


def _outputs(name: str, result: Any, wanted: Sequence[str] | None) -> Mapping[str, Source]:
    if wanted is None:
        found = {} if result is None else {RESULT: result}
    elif isinstance(result, Mapping):
        found = dict(result)
    else:
        values = list(result) if isinstance(result, tuple) else [result]
        if len(values) != len(wanted):
            raise DefinitionError(
                f"graph `{name}` has the outputs {', '.join(wanted)} and returns {len(values)} values; return a "
                "dict with one for each"
            )
        found = dict(zip(wanted, values, strict=True))
    if wanted is not None and set(found) != set(wanted):
        odd = sorted(set(found) ^ set(wanted))[0]
        raise DefinitionError(f"graph `{name}` returns other outputs than it declares: `{odd}`")
    for output, value in found.items():
        if not isinstance(value, (Ref, DynamicRef)):
            raise DefinitionError(
                f"graph `{name}` returns {value!r} as `{output}`; return what an op gave"
            )
    return {
        output: value.ref if isinstance(value, DynamicRef) else value
        for output, value in found.items()
    }
