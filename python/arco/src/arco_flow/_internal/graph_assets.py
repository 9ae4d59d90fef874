"""Assets that a graph of ops makes, and its ops as steps of their own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from arco_flow._internal.assets import AssetsDefinition, LoadedInput, StepDefinition
from arco_flow._internal.composition import Collected, GraphInput, NodeInput, Ref, Source
from arco_flow._internal.errors import DefinitionError
from arco_flow._internal.graphs import GraphDefinition
from arco_flow._internal.keys import AssetKey
from arco_flow._internal.ops import Out
from arco_flow._internal.partitions import PartitionsDefinition
from arco_flow._internal.specs import AssetSpec


@dataclass(frozen=True)
class OpSource:
    """An output of an op of the same graph: `step` is its whole name. `all` keys, or the task's own."""

    step: str
    output: str
    all: bool = False


@dataclass(frozen=True)
class OpInput:
    """What a parameter takes from other ops: one value, or a list of all its sources."""

    param: str
    sources: tuple[OpSource, ...]
    is_list: bool
    annotation: Any


@dataclass(frozen=True, eq=False, kw_only=True)
class OpStep(StepDefinition[..., Any]):
    """One op of a graph, as a step: `graph.op`."""

    graph: GraphAssets
    node: str
    inputs: tuple[OpInput, ...]
    outs: Mapping[str, Out]
    makes: Mapping[str, AssetSpec]
    """Assets by the output that is their value."""
    io_manager_keys: Mapping[str, str]
    """IO managers that store these assets."""
    read: frozenset[str]
    """Outputs that other ops read."""
    over: OpSource | None

    @property
    def partitions_def(self) -> PartitionsDefinition | None:
        """Partitions of the graph."""
        return self.graph.partitions_def


@dataclass(frozen=True, eq=False, kw_only=True)
class GraphAssets(AssetsDefinition[..., Any]):
    """Assets that a graph makes: what `@graph_asset` gives. Its ops are steps of their own."""

    definition: GraphDefinition
    sources: tuple[Ref, ...]
    """What makes each asset, in the order of the specs."""
    ops: tuple[OpStep, ...] = field(init=False)

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "ops", tuple(_steps(self)))

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Not possible: its ops are called one by one."""
        del args, kwargs
        raise DefinitionError(
            f"`{self.step_name}` is made by a graph and is not called; call its ops, or use materialize"
        )

    def maker(self, key: AssetKey) -> OpStep:
        """The op that makes an asset."""
        return next(one for one in self.ops if key in {spec.key for spec in one.makes.values()})


def _steps(made: GraphAssets) -> Iterable[OpStep]:
    definition = made.definition
    whole = made.step_name
    loaded = {one.param: one for one in made.loaded}
    read = {
        (ref.node, ref.output)
        for node in definition.nodes.values()
        for one in node.inputs
        for ref in map(_ref, one.sources)
        if ref is not None
    }
    for node in definition.nodes.values():
        params = {param.name: param.annotation for param in node.op.signature.inputs}
        makes = {
            ref.output: spec
            for ref, spec in zip(made.sources, made.specs, strict=True)
            if ref.node == node.name
        }
        managers = {spec.key: io for spec, io in zip(made.specs, made.io_manager_keys, strict=True)}
        yield OpStep(
            fn=node.op.fn,
            step_name=f"{whole}.{node.name}",
            signature=node.op.signature,
            loaded=tuple(
                LoadedInput(
                    param=one.param,
                    key=loaded[source.name].key,
                    exact=loaded[source.name].exact,
                    mapping=loaded[source.name].mapping,
                    metadata=loaded[source.name].metadata,
                    annotation=params.get(one.param, Any),
                )
                for one in node.inputs
                for source in one.sources
                if isinstance(source, GraphInput)
            ),
            check_specs=(),
            options=node.op.options,
            graph=made,
            node=node.name,
            inputs=tuple(
                OpInput(
                    one.param,
                    tuple(_source(whole, source) for source in one.sources),
                    one.is_list,
                    params.get(one.param, Any),
                )
                for one in node.inputs
                if not _is_asset(made, one)
            ),
            outs=node.op.outs,
            io_manager_keys={name: managers[spec.key] for name, spec in makes.items()},
            makes=makes,
            read=frozenset(output for of, output in read if of == node.name),
            over=None if node.over is None else OpSource(f"{whole}.{node.over[0]}", node.over[1]),
        )


def _ref(source: Source) -> Ref | None:
    if isinstance(source, GraphInput):
        return None
    return source.ref if isinstance(source, Collected) else source


def _is_asset(made: GraphAssets, one: NodeInput) -> bool:
    assets = [isinstance(source, GraphInput) for source in one.sources]
    if any(assets) and one.is_list:
        raise DefinitionError(
            f"graph `{made.step_name}` puts an input of its own in a list for `{one.param}`; an op that passes it "
            "on can be in a list"
        )
    return any(assets)


def _source(whole: str, source: Source) -> OpSource:
    ref = _ref(source)
    if ref is None:
        raise DefinitionError(f"graph `{whole}` mixes its inputs with outputs of ops in one list")
    return OpSource(f"{whole}.{ref.node}", ref.output, isinstance(source, Collected))
