"""`@asset` and `@multi_asset`: declare the asset, the function says how."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Any, Literal, ParamSpec, TypeVar, overload

from arco_flow._internal import names
from arco_flow._internal.assets import AssetsDefinition, LoadedInput, StepOptions
from arco_flow._internal.backfills import BackfillPolicy
from arco_flow._internal.checks import AssetCheckSpec
from arco_flow._internal.deps import AssetIn, CoercibleToAssetDep
from arco_flow._internal.errors import DefinitionError
from arco_flow._internal.keys import AssetKey, AssetLike, CoercibleToAssetKey
from arco_flow._internal.memory import memory_bytes
from arco_flow._internal.metadata import RawMetadataMapping
from arco_flow._internal.partitions import PartitionsDefinition
from arco_flow._internal.retry import RetryPolicy
from arco_flow._internal.signature import Signature, read_signature
from arco_flow._internal.specs import DEFAULT_IO_MANAGER, AssetSpec
from arco_flow._internal.unsupported import refuse, refuse_unknown

_P = ParamSpec("_P")
_R = TypeVar("_R")

Isolation = Literal["reuse", "fork", "spawn"]


@overload
def asset(compute_fn: Callable[_P, _R], /) -> AssetsDefinition[_P, _R]: ...


@overload
def asset(
    *,
    name: str | None = ...,
    key_prefix: str | Sequence[str] | None = ...,
    ins: Mapping[str, AssetIn | AssetLike] | None = ...,
    deps: Iterable[CoercibleToAssetDep] | None = ...,
    metadata: RawMetadataMapping | None = ...,
    tags: Mapping[str, str] | None = ...,
    description: str | None = ...,
    required_resource_keys: AbstractSet[str] | None = ...,
    io_manager_key: str | None = ...,
    partitions_def: PartitionsDefinition | None = ...,
    op_tags: Mapping[str, Any] | None = ...,
    group_name: str | None = ...,
    output_required: bool = ...,
    retry_policy: RetryPolicy | None = ...,
    code_version: str | None = ...,
    key: CoercibleToAssetKey | None = ...,
    check_specs: Sequence[AssetCheckSpec] | None = ...,
    owners: Sequence[str] | None = ...,
    kinds: AbstractSet[str] | None = ...,
    pool: str | None = ...,
    isolation: Isolation = ...,
    timeout_seconds: float | None = ...,
    memory_limit: int | str | None = ...,
) -> Callable[[Callable[_P, _R]], AssetsDefinition[_P, _R]]: ...


def asset(
    compute_fn: Callable[..., Any] | None = None,
    *,
    name: str | None = None,
    key_prefix: str | Sequence[str] | None = None,
    ins: Mapping[str, AssetIn | AssetLike] | None = None,
    deps: Iterable[CoercibleToAssetDep] | None = None,
    metadata: RawMetadataMapping | None = None,
    tags: Mapping[str, str] | None = None,
    description: str | None = None,
    config_schema: None = None,
    required_resource_keys: AbstractSet[str] | None = None,
    resource_defs: None = None,
    hooks: None = None,
    io_manager_def: None = None,
    io_manager_key: str | None = None,
    dagster_type: None = None,
    partitions_def: PartitionsDefinition | None = None,
    op_tags: Mapping[str, Any] | None = None,
    group_name: str | None = None,
    output_required: bool = True,
    automation_condition: None = None,
    freshness_policy: None = None,
    backfill_policy: BackfillPolicy | None = None,
    retry_policy: RetryPolicy | None = None,
    code_version: str | None = None,
    key: CoercibleToAssetKey | None = None,
    check_specs: Sequence[AssetCheckSpec] | None = None,
    owners: Sequence[str] | None = None,
    kinds: AbstractSet[str] | None = None,
    pool: str | None = None,
    is_virtual: bool = False,
    isolation: Isolation = "reuse",
    timeout_seconds: float | None = None,
    memory_limit: int | str | None = None,
    **removed: Any,
) -> Any:
    """Declares an asset; the function makes it (M-1, M-5).

    A parameter names an upstream asset, whose value is loaded; other parameters are the context,
    configuration and resources by their annotations. The decorated function can still be called.

    Args:
        compute_fn: The function, when there are no parentheses.
        name: Name, the function's when absent: letters, digits, underscores (M-10).
        key_prefix: Parts in front of the name.
        ins: Which assets parameters load, where their names do not say.
        deps: Upstream assets that are not loaded. An unknown one becomes external (M-5).
        metadata: Typed or plain values by name.
        tags: Strict keys and values (M-14).
        description: For people; the docstring when absent.
        required_resource_keys: Resources used as `context.resources.x`.
        io_manager_key: Resource that stores the value; `io_manager` when absent.
        partitions_def: Its partitions.
        op_tags: Tags of the step.
        group_name: Group; `default` when absent (M-11).
        output_required: False when the function, a generator, may yield nothing, so that nothing is
            made and what reads it is skipped (M-25, R-37). A returned None is a value.
        backfill_policy: How many partitions one run of a backfill makes; one when absent (B-8).
        retry_policy: Tries after the first (R-20).
        code_version: Version of the code as its author sees it.
        key: The whole key, in place of name and prefix. Its parts may have any characters.
        check_specs: Checks the function itself reports.
        owners: E-mail addresses or `team:NAME` (M-13).
        kinds: At most 10 (M-12).
        pool: Pool whose slots bound how many run at once.
        isolation: Arco's own. `reuse` runs many tasks in one process, `fork` each in a fresh fork,
            `spawn` each in a fresh interpreter.
        timeout_seconds: Arco's own. Longest time of one attempt, in seconds.
        memory_limit: Arco's own. Memory of one attempt: bytes, or text such as `\"2GiB\"`. See `memory_bytes`.

    Raises:
        DefinitionError: When a name or value breaks a rule; the message has the rule.
        UnsupportedError: For a parameter of Dagster that Arco does not have.
    """
    refuse(
        "@asset", config_schema=config_schema, resource_defs=resource_defs, hooks=hooks,
        io_manager_def=io_manager_def, dagster_type=dagster_type, is_virtual=is_virtual,
        automation_condition=automation_condition, freshness_policy=freshness_policy,
    )  # fmt: skip
    refuse_unknown("@asset", removed)

    def decorate(fn: Callable[..., Any]) -> AssetsDefinition[..., Any]:
        asset_key = asset_key_of(fn, name, key_prefix, key)
        step = asset_key.to_python_identifier()
        signature = read_signature(fn, step)
        spec = AssetSpec(
            asset_key,
            deps=deps,
            description=description_of(fn, description),
            metadata=metadata,
            skippable=not output_required,
            group_name=group_name,
            code_version=code_version,
            owners=owners,
            tags=tags,
            kinds=kinds,
            partitions_def=partitions_def,
        )
        return AssetsDefinition(
            fn=fn,
            step_name=step,
            signature=signature,
            loaded=loaded_inputs(signature, ins, step),
            check_specs=own_checks(check_specs, [spec]),
            options=StepOptions(
                required_resource_keys=frozenset(required_resource_keys or ()),
                retry_policy=retry_policy,
                backfill_policy=backfill_policy,
                op_tags=dict(op_tags or {}),
                pool=pool,
                isolation=isolation,
                timeout_seconds=timeout_seconds,
                memory_limit=memory_bytes(memory_limit),
            ),
            specs=(spec,),
            io_manager_keys=(io_manager_key or DEFAULT_IO_MANAGER,),
        )

    if compute_fn is None:
        return decorate
    if not callable(compute_fn):
        raise DefinitionError(
            f"@asset decorates a function, not {compute_fn!r}; did you forget the keyword? "
            f"`@asset(name={compute_fn!r})`"
        )
    return decorate(compute_fn)


def loaded_inputs(
    signature: Signature, ins: Mapping[str, AssetIn | AssetLike] | None, step: str
) -> tuple[LoadedInput, ...]:
    """What each parameter loads: what `ins` says, else the asset of its name (M-5)."""
    given = {param: AssetIn.from_coercible(arg) for param, arg in (ins or {}).items()}
    params = {param.name: param.annotation for param in signature.inputs}
    unknown = [param for param in given if param not in params]
    if unknown and not signature.takes_any:
        raise DefinitionError(
            f"ins of `{step}` names `{unknown[0]}`, which is no parameter of the function"
            + (names.did_you_mean(unknown[0], params) or f"; add it: def {step}({unknown[0]}, ...)")
        )
    found = []
    for param in [*params, *unknown]:
        asset_in = given.get(param)
        found.append(
            LoadedInput(
                param=param,
                key=(asset_in or AssetIn()).key_for(param),
                exact=asset_in is not None
                and (asset_in.key is not None or bool(asset_in.key_prefix)),
                mapping=asset_in.partition_mapping if asset_in else None,
                metadata=asset_in.metadata if asset_in else {},
                annotation=params.get(param, Any),
            )
        )
    return tuple(found)


def asset_key_of(
    fn: Callable[..., Any],
    name: str | None,
    key_prefix: str | Sequence[str] | None,
    key: CoercibleToAssetKey | None,
) -> AssetKey:
    if key is not None:
        if name is not None or key_prefix is not None:
            raise DefinitionError("@asset takes `key`, or `name` and `key_prefix`, not both")
        return AssetKey.from_coercible(key)
    own = getattr(fn, "__name__", "")
    if name is None and own == "<lambda>":
        raise DefinitionError('a lambda has no name; write asset(name="my_asset")(lambda: ...)')
    last = names.check_name(own if name is None else name, "an asset")
    prefix = [key_prefix] if isinstance(key_prefix, str) else list(key_prefix or ())
    return AssetKey([*prefix, last])


def description_of(fn: Callable[..., Any], description: str | None) -> str | None:
    if description is not None or not fn.__doc__:
        return description
    from inspect import cleandoc

    return cleandoc(fn.__doc__) or None


def own_checks(
    check_specs: Sequence[AssetCheckSpec] | None, specs: Sequence[AssetSpec]
) -> tuple[AssetCheckSpec, ...]:
    keys = {spec.key for spec in specs}
    for check in check_specs or ():
        if check.asset_key not in keys:
            raise DefinitionError(
                f"check_specs has check `{check.name}` of `{check.asset_key.to_user_string()}`, which this "
                "function does not make; write an `@asset_check`"
            )
    keyed = [check.key for check in check_specs or ()]
    for check_key in keyed:
        if keyed.count(check_key) > 1:
            raise DefinitionError(
                f"check `{check_key.to_user_string()}` is given twice in check_specs"
            )
    return tuple(check_specs or ())
