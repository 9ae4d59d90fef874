"""`@graph`, `@graph_asset`, `@graph_multi_asset`: assets that several ops make together (M-3).

Each op is a task of its own, named `graph.op`; values between them go through IO managers and belong
to the run. Selecting an asset of a graph selects the graph.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from arco_flow._internal import names
from arco_flow._internal.assets import AssetsDefinition, LoadedInput, StepDefinition, StepOptions
from arco_flow._internal.composition import (
    Collected,
    DynamicRef,
    GraphInput,
    Node,
    NodeInput,
    Ref,
    Source,
    composing,
)
from arco_flow._internal.deps import AssetIn
from arco_flow._internal.errors import DefinitionError
from arco_flow._internal.keys import AssetKey, AssetLike, CoercibleToAssetKey
from arco_flow._internal.multi_asset import AssetOut, with_partitions
from arco_flow._internal.ops import RESULT, Out
from arco_flow._internal.partitions import PartitionMapping, PartitionsDefinition
from arco_flow._internal.signature import Signature
from arco_flow._internal.specs import DEFAULT_IO_MANAGER, AssetSpec
from arco_flow._internal.unsupported import refuse, refuse_unknown

_NOTHING = Signature(None, None, (), (), False, Any)


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


def graph_asset(
    compose_fn: Callable[..., Any] | None = None,
    *,
    name: str | None = None,
    description: str | None = None,
    ins: Mapping[str, AssetIn | AssetLike] | None = None,
    config: None = None,
    key_prefix: str | Sequence[str] | None = None,
    group_name: str | None = None,
    partitions_def: PartitionsDefinition | None = None,
    hooks: None = None,
    metadata: Mapping[str, Any] | None = None,
    tags: Mapping[str, str] | None = None,
    owners: Sequence[str] | None = None,
    automation_condition: None = None,
    backfill_policy: None = None,
    resource_defs: None = None,
    check_specs: None = None,
    code_version: str | None = None,
    key: CoercibleToAssetKey | None = None,
    kinds: Iterable[str] | None = None,
    **removed: Any,
) -> Any:
    """Declares an asset that a graph of ops makes (M-3).

    A parameter names an upstream asset, which is passed to ops; what the function returns is the asset.
    The parameters are those of `@asset`.

    Raises:
        DefinitionError: When a name or value breaks a rule, or the graph does not hold together.
    """
    refuse(
        "@graph_asset", config=config, hooks=hooks, automation_condition=automation_condition,
        backfill_policy=backfill_policy, resource_defs=resource_defs, check_specs=check_specs,
    )  # fmt: skip
    refuse_unknown("@graph_asset", removed)

    def decorate(fn: Callable[..., Any]) -> GraphAssets:
        from arco_flow._internal.decorators import _asset_key, _description

        asset_key = _asset_key(fn, name, key_prefix, key)
        definition = compose(fn, asset_key.to_python_identifier(), None)
        spec = AssetSpec(
            asset_key,
            description=_description(fn, description),
            metadata=metadata,
            group_name=group_name,
            code_version=code_version,
            owners=owners,
            tags=tags,
            kinds=kinds,
            partitions_def=partitions_def,
        )
        return _assets(definition, {RESULT: spec}, {}, ins or {})

    return decorate if compose_fn is None else decorate(compose_fn)


def graph_multi_asset(
    *,
    outs: Mapping[str, AssetOut],
    name: str | None = None,
    ins: Mapping[str, AssetIn | AssetLike] | None = None,
    partitions_def: PartitionsDefinition | None = None,
    hooks: None = None,
    backfill_policy: None = None,
    group_name: str | None = None,
    can_subset: bool = False,
    resource_defs: None = None,
    check_specs: None = None,
    config: None = None,
) -> Callable[[Callable[..., Any]], GraphAssets]:
    """Declares several assets that a graph of ops makes: it returns a dict by the names of `outs`.

    Differs from Dagster: `can_subset` is not there; a run makes all of them.

    Raises:
        DefinitionError: As `graph_asset`.
    """
    refuse(
        "@graph_multi_asset", hooks=hooks, backfill_policy=backfill_policy, can_subset=can_subset,
        resource_defs=resource_defs, check_specs=check_specs, config=config,
    )  # fmt: skip

    def decorate(fn: Callable[..., Any]) -> GraphAssets:
        definition = compose(fn, name or fn.__name__, list(outs))
        specs = {
            output: with_partitions(
                out.to_spec(output, []).replace_attributes(group_name=out.group_name or group_name),
                partitions_def,
            )
            for output, out in outs.items()
        }
        managers = {output: out.io_manager_key for output, out in outs.items()}
        return _assets(definition, specs, managers, ins or {})

    return decorate


def from_graph(
    graph_def: GraphDefinition,
    *,
    keys_by_input_name: Mapping[str, AssetKey] | None = None,
    keys_by_output_name: Mapping[str, AssetKey] | None = None,
    key_prefix: str | Sequence[str] | None = None,
    partitions_def: PartitionsDefinition | None = None,
    partition_mappings: Mapping[str, PartitionMapping] | None = None,
    group_name: str | None = None,
    descriptions_by_output_name: Mapping[str, str] | None = None,
    metadata_by_output_name: Mapping[str, Any] | None = None,
    tags_by_output_name: Mapping[str, Any] | None = None,
    owners_by_output_name: Mapping[str, Sequence[str]] | None = None,
    code_versions_by_output_name: Mapping[str, str | None] | None = None,
    **removed: Any,
) -> GraphAssets:
    """The assets that a `@graph` makes: one for each output, of its name unless `keys_by_output_name`
    has another; an only output `result` has the name of the graph.

    Raises:
        DefinitionError: When a name is none of the graph.
    """
    refuse_unknown("AssetsDefinition.from_graph", removed)
    keys = dict(keys_by_output_name or {})
    for given, known, what in (
        (keys, graph_def.outputs, "output"),
        (dict(keys_by_input_name or {}), graph_def.input_names, "input"),
    ):
        for one in given:
            if one not in known:
                raise DefinitionError(
                    f"graph `{graph_def.name}` has no {what} `{one}`"
                    + names.did_you_mean(one, known)
                )
    prefix = [key_prefix] if isinstance(key_prefix, str) else list(key_prefix or ())

    def key_of(output: str) -> AssetKey:
        if output in keys:
            return AssetKey([*prefix, *keys[output].path])
        only = output == RESULT and len(graph_def.outputs) == 1
        return AssetKey([*prefix, graph_def.name if only else output])

    def of(values: Mapping[str, Any] | None, output: str) -> Any:
        return (values or {}).get(output)

    specs = {
        output: AssetSpec(
            key_of(output),
            description=of(descriptions_by_output_name, output) or graph_def.description,
            metadata=of(metadata_by_output_name, output),
            tags=of(tags_by_output_name, output),
            owners=of(owners_by_output_name, output),
            code_version=of(code_versions_by_output_name, output),
            group_name=group_name,
            partitions_def=partitions_def,
        )
        for output in graph_def.outputs
    }
    ins = {
        name: AssetIn(
            key=(keys_by_input_name or {}).get(name),
            partition_mapping=(partition_mappings or {}).get(name),
        )
        for name in graph_def.input_names
        if name in (keys_by_input_name or {}) or name in (partition_mappings or {})
    }
    return _assets(graph_def, specs, {}, ins)


def _assets(
    definition: GraphDefinition,
    specs: Mapping[str, AssetSpec],
    managers: Mapping[str, str | None],
    ins: Mapping[str, AssetIn | AssetLike],
) -> GraphAssets:
    if not definition.outputs:
        raise DefinitionError(
            f"graph `{definition.name}` returns nothing; return what the op that makes the asset gave"
        )
    unknown = [one for one in ins if one not in definition.input_names]
    if unknown:
        raise DefinitionError(
            f"ins of graph `{definition.name}` names `{unknown[0]}`, which is no parameter of it"
            + names.did_you_mean(unknown[0], definition.input_names)
        )
    sources: list[Ref] = []
    finished: list[AssetSpec] = []
    for output, spec in specs.items():
        source = definition.outputs[output]
        if not isinstance(source, Ref) or source.over is not None:
            raise DefinitionError(
                f"graph `{definition.name}` makes asset `{spec.key.to_user_string()}` of a dynamic output; collect "
                "it into an op that gives one value"
            )
        if any((one.node, one.output) == (source.node, source.output) for one in sources):
            raise DefinitionError(
                f"graph `{definition.name}` makes two assets of output `{source.output}` of `{source.node}`"
            )
        out = definition.nodes[source.node].op.outs[source.output]
        sources.append(source)
        finished.append(spec.replace_attributes(skippable=not out.is_required))
    loaded = []
    for param in definition.input_names:
        given = AssetIn.from_coercible(ins[param]) if param in ins else None
        loaded.append(
            LoadedInput(
                param=param,
                key=(given or AssetIn()).key_for(param),
                exact=given is not None and (given.key is not None or bool(given.key_prefix)),
                mapping=given.partition_mapping if given else None,
                metadata=given.metadata if given else {},
            )
        )
    return GraphAssets(
        fn=definition.fn,
        step_name=definition.name,
        signature=_NOTHING,
        loaded=tuple(loaded),
        check_specs=(),
        options=StepOptions(),
        specs=tuple(finished),
        output_names=tuple(specs),
        io_manager_keys=tuple(managers.get(output) or DEFAULT_IO_MANAGER for output in specs),
        definition=definition,
        sources=tuple(sources),
    )
