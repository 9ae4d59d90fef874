"""`@asset_check` and `@multi_asset_check`: functions that judge data after it was made."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Any, ParamSpec, TypeVar

from arco_flow._internal import names
from arco_flow._internal.assets import AssetChecksDefinition, LoadedInput, StepOptions
from arco_flow._internal.checks import AssetCheckSpec
from arco_flow._internal.decorators import Isolation, loaded_inputs
from arco_flow._internal.deps import AssetIn, CoercibleToAssetDep
from arco_flow._internal.errors import DefinitionError
from arco_flow._internal.keys import AssetKey, AssetLike, key_of
from arco_flow._internal.memory import memory_bytes
from arco_flow._internal.metadata import RawMetadataMapping
from arco_flow._internal.partitions import PartitionsDefinition
from arco_flow._internal.retry import RetryPolicy
from arco_flow._internal.signature import Signature, read_signature
from arco_flow._internal.unsupported import refuse, refuse_unknown

_P = ParamSpec("_P")
_R = TypeVar("_R")


def asset_check(
    *,
    asset: AssetLike,
    name: str | None = None,
    description: str | None = None,
    blocking: bool = False,
    additional_ins: Mapping[str, AssetIn | AssetLike] | None = None,
    additional_deps: Iterable[CoercibleToAssetDep] | None = None,
    required_resource_keys: AbstractSet[str] | None = None,
    resource_defs: None = None,
    config_schema: None = None,
    op_tags: Mapping[str, Any] | None = None,
    retry_policy: RetryPolicy | None = None,
    metadata: RawMetadataMapping | None = None,
    automation_condition: None = None,
    pool: str | None = None,
    partitions_def: PartitionsDefinition | None = None,
    isolation: Isolation = "reuse",
    timeout_seconds: float | None = None,
    memory_limit: int | str | None = None,
    **removed: Any,
) -> Callable[[Callable[_P, _R]], AssetChecksDefinition[_P, _R]]:
    """Declares a check of an asset; the function returns an `AssetCheckResult` (M-19).

    One parameter, whatever its name, loads the asset itself; parameters named in `additional_ins`
    load others. With `blocking=True` a failure of severity ERROR keeps what is downstream from
    starting; the asset stays made (M-21).

    Differs from Dagster: a plain `bool` may be returned too.

    Args:
        asset: The asset it judges.
        name: Name, the function's when absent.
        description: For people; the docstring when absent.
        blocking: Whether a failure of severity ERROR stops what is downstream.
        additional_ins: Other assets that parameters load.
        additional_deps: Other assets that must be made before.
        required_resource_keys: Resources used as `context.resources.x`.
        op_tags: Tags of the step.
        retry_policy: Tries after the first (R-20).
        metadata: Typed or plain values by name.
        pool: Pool whose slots bound how many run at once.
        partitions_def: Partitions, when judged per partition; those of the asset. Without them the
            check is judged once, and loads all partitions of its asset.
        isolation: Arco's own, as of `@asset`.
        timeout_seconds: Arco's own. Longest time of one attempt, in seconds.
        memory_limit: Arco's own. Memory of one attempt: bytes, or text such as `\"2GiB\"`. See `memory_bytes`.
    """
    refuse("@asset_check", resource_defs=resource_defs, config_schema=config_schema,
           automation_condition=automation_condition)  # fmt: skip
    refuse_unknown("@asset_check", removed)

    def decorate(fn: Callable[_P, _R]) -> AssetChecksDefinition[_P, _R]:
        key = key_of(asset)
        check = names.check_name(name or str(getattr(fn, "__name__", "")), "a check")
        step = key.to_python_identifier() + "_" + check
        signature = read_signature(fn, check)
        spec = AssetCheckSpec(
            check,
            asset=key,
            description=description or (fn.__doc__ or "").strip() or None,
            additional_deps=additional_deps,
            blocking=blocking,
            metadata=metadata,
            partitions_def=partitions_def,
        )
        return AssetChecksDefinition(
            fn=fn,
            step_name=step,
            signature=signature,
            loaded=_check_inputs(signature, key, additional_ins, check),
            check_specs=(spec,),
            options=StepOptions(
                required_resource_keys=frozenset(required_resource_keys or ()),
                retry_policy=retry_policy,
                op_tags=dict(op_tags or {}),
                pool=pool,
                isolation=isolation,
                timeout_seconds=timeout_seconds,
                memory_limit=memory_bytes(memory_limit),
            ),
        )

    return decorate


def multi_asset_check(
    *,
    name: str | None = None,
    specs: Sequence[AssetCheckSpec],
    description: str | None = None,
    can_subset: bool = False,
    op_tags: Mapping[str, Any] | None = None,
    resource_defs: None = None,
    required_resource_keys: AbstractSet[str] | None = None,
    retry_policy: RetryPolicy | None = None,
    config_schema: None = None,
    ins: Mapping[str, AssetIn | AssetLike] | None = None,
    pool: str | None = None,
    isolation: Isolation = "reuse",
    timeout_seconds: float | None = None,
    memory_limit: int | str | None = None,
    **removed: Any,
) -> Callable[[Callable[_P, _R]], AssetChecksDefinition[_P, _R]]:
    """Declares several checks that one function judges; it yields or returns `AssetCheckResult`s."""
    del description
    refuse(
        "@multi_asset_check",
        can_subset=can_subset,
        resource_defs=resource_defs,
        config_schema=config_schema,
    )
    refuse_unknown("@multi_asset_check", removed)
    if not specs:
        raise DefinitionError("@multi_asset_check needs at least one AssetCheckSpec in `specs`")

    def decorate(fn: Callable[_P, _R]) -> AssetChecksDefinition[_P, _R]:
        step = names.check_name(name or fn.__name__, "a multi-asset check")
        signature = read_signature(fn, step)
        return AssetChecksDefinition(
            fn=fn,
            step_name=step,
            signature=signature,
            loaded=loaded_inputs(signature, ins, step),
            check_specs=tuple(specs),
            options=StepOptions(
                required_resource_keys=frozenset(required_resource_keys or ()),
                retry_policy=retry_policy,
                op_tags=dict(op_tags or {}),
                pool=pool,
                isolation=isolation,
                timeout_seconds=timeout_seconds,
                memory_limit=memory_bytes(memory_limit),
            ),
        )

    return decorate


def _check_inputs(
    signature: Signature,
    key: AssetKey,
    additional_ins: Mapping[str, AssetIn | AssetLike] | None,
    check: str,
) -> tuple[LoadedInput, ...]:
    """The one parameter that is not in `additional_ins` loads the asset of the check."""
    given: dict[str, AssetIn | AssetLike] = dict(additional_ins or {})
    own = [param.name for param in signature.inputs if param.name not in given]
    if len(own) > 1:
        raise DefinitionError(
            f"check `{check}` has the parameters {', '.join(f'`{p}`' for p in own)}; one loads asset "
            f"`{key.to_user_string()}`, give the others in additional_ins={{...}}"
        )
    if own:
        given[own[0]] = AssetIn(key=key)
    return loaded_inputs(signature, given, check)
