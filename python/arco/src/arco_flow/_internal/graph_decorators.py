"""`@graph_asset`, `@graph_multi_asset`, `AssetsDefinition.from_graph`: what declares assets of graphs (M-3)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from arco_flow._internal import names
from arco_flow._internal.assets import LoadedInput, StepOptions
from arco_flow._internal.composition import Ref
from arco_flow._internal.deps import AssetIn
from arco_flow._internal.errors import DefinitionError
from arco_flow._internal.graph_assets import GraphAssets
from arco_flow._internal.graphs import GraphDefinition, compose
from arco_flow._internal.keys import AssetKey, AssetLike, CoercibleToAssetKey
from arco_flow._internal.multi_asset import AssetOut, with_partitions
from arco_flow._internal.ops import RESULT
from arco_flow._internal.partitions import PartitionMapping, PartitionsDefinition
from arco_flow._internal.signature import Signature
from arco_flow._internal.specs import DEFAULT_IO_MANAGER, AssetSpec
from arco_flow._internal.unsupported import refuse, refuse_unknown

_NOTHING = Signature(None, None, (), (), False, Any)


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
        from arco_flow._internal.decorators import asset_key_of, description_of

        asset_key = asset_key_of(fn, name, key_prefix, key)
        definition = compose(fn, asset_key.to_python_identifier(), None)
        spec = AssetSpec(
            asset_key,
            description=description_of(fn, description),
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
