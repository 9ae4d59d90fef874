"""`@multi_asset`: several assets that one function makes (M-2)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Any, ParamSpec, TypeVar

from arco_flow._internal import names
from arco_flow._internal.assets import AssetsDefinition, StepOptions
from arco_flow._internal.backfills import BackfillPolicy
from arco_flow._internal.checks import AssetCheckSpec
from arco_flow._internal.decorators import Isolation, loaded_inputs, own_checks
from arco_flow._internal.deps import AssetIn, CoercibleToAssetDep, coerce_deps
from arco_flow._internal.errors import DefinitionError
from arco_flow._internal.keys import AssetKey, AssetLike, CoercibleToAssetKey
from arco_flow._internal.memory import memory_bytes
from arco_flow._internal.metadata import RawMetadataMapping
from arco_flow._internal.partitions import PartitionsDefinition
from arco_flow._internal.retry import RetryPolicy
from arco_flow._internal.signature import read_signature
from arco_flow._internal.specs import DEFAULT_IO_MANAGER, AssetSpec
from arco_flow._internal.unsupported import refuse, refuse_unknown

_P = ParamSpec("_P")
_R = TypeVar("_R")


@dataclass(frozen=True)
class AssetOut:
    """One asset of a `@multi_asset`, by output name. The parameters are those of `AssetSpec`.

    Args:
        key: Its key; the output's name, after `key_prefix`, when absent.
        is_required: False when a run may leave it unmade.
        io_manager_key: IO manager that stores it.
    """

    key_prefix: str | Sequence[str] | None = None
    key: CoercibleToAssetKey | None = None
    dagster_type: None = None
    description: str | None = None
    is_required: bool = True
    io_manager_key: str | None = None
    metadata: RawMetadataMapping | None = None
    group_name: str | None = None
    code_version: str | None = None
    automation_condition: None = None
    backfill_policy: None = None
    owners: Sequence[str] | None = None
    tags: Mapping[str, str] | None = None
    kinds: Iterable[str] | None = None
    freshness_policy: None = None
    is_virtual: bool = False

    def __post_init__(self) -> None:
        names_ = (
            "dagster_type",
            "automation_condition",
            "backfill_policy",
            "freshness_policy",
            "is_virtual",
        )
        refuse("AssetOut", **{name: getattr(self, name) for name in names_})

    def to_spec(self, name: str, deps: Iterable[CoercibleToAssetDep]) -> AssetSpec:
        """The spec of the output `name`."""
        prefix = (
            [self.key_prefix] if isinstance(self.key_prefix, str) else list(self.key_prefix or ())
        )
        return AssetSpec(
            self.key if self.key is not None else [*prefix, name],
            deps=deps,
            description=self.description,
            skippable=not self.is_required,
            metadata=self.metadata,
            group_name=self.group_name,
            code_version=self.code_version,
            owners=self.owners,
            tags=self.tags,
            kinds=self.kinds,
        )


def with_partitions(spec: AssetSpec, partitions_def: PartitionsDefinition | None) -> AssetSpec:
    """The spec with these partitions, which must not contradict its own."""
    if partitions_def is None or spec.partitions_def == partitions_def:
        return spec
    if spec.partitions_def is not None:
        raise DefinitionError(
            f"asset `{spec.key.to_user_string()}` has other partitions than the step that makes it; "
            "one step has one partitions definition"
        )
    return spec.replace_attributes(partitions_def=partitions_def)


def multi_asset(
    *,
    outs: Mapping[str, AssetOut] | None = None,
    name: str | None = None,
    ins: Mapping[str, AssetIn | AssetLike] | None = None,
    deps: Iterable[CoercibleToAssetDep] | None = None,
    description: str | None = None,
    config_schema: None = None,
    required_resource_keys: AbstractSet[str] | None = None,
    internal_asset_deps: Mapping[str, set[AssetKey]] | None = None,
    partitions_def: PartitionsDefinition | None = None,
    hooks: None = None,
    backfill_policy: BackfillPolicy | None = None,
    op_tags: Mapping[str, Any] | None = None,
    can_subset: bool = False,
    resource_defs: None = None,
    group_name: str | None = None,
    retry_policy: RetryPolicy | None = None,
    code_version: str | None = None,
    specs: Sequence[AssetSpec] | None = None,
    check_specs: Sequence[AssetCheckSpec] | None = None,
    pool: str | None = None,
    isolation: Isolation = "reuse",
    timeout_seconds: float | None = None,
    memory_limit: int | str | None = None,
    **removed: Any,
) -> Callable[[Callable[_P, _R]], AssetsDefinition[_P, _R]]:
    """Declares several assets that one function makes (M-2).

    The function returns a tuple of values in the order of `outs`, or yields or returns
    `MaterializeResult`s or `Output`s. With `specs`, deps are those of each spec.

    Args:
        backfill_policy: How many partitions one run of a backfill makes; one when absent (B-8).
        can_subset: A run may make some of the assets. The function then makes those that
            `context.selected_asset_keys` (or `selected_output_names`) has, and no other; assets given
            by `specs` it may leave unmade, whatever is selected, as in Dagster. Without it a run makes
            all of them or none.

    Differs from Dagster: with `outs`, an output that is required is required when it is selected.

    Raises:
        DefinitionError: When there is no asset, or `outs` and `specs` are both given.
    """
    refuse(
        "@multi_asset", config_schema=config_schema, hooks=hooks,
        resource_defs=resource_defs,
    )  # fmt: skip
    refuse_unknown("@multi_asset", removed)
    if bool(outs) == bool(specs):
        raise DefinitionError("@multi_asset takes `outs` or `specs`, one of them and not empty")
    if specs and (deps or internal_asset_deps):
        raise DefinitionError(
            "@multi_asset with `specs` takes deps in each AssetSpec: AssetSpec(key, deps=[...])"
        )

    def decorate(fn: Callable[_P, _R]) -> AssetsDefinition[_P, _R]:
        step = names.check_name(name or fn.__name__, "a multi-asset")
        signature = read_signature(fn, step)
        found = (
            list(specs) if specs else _specs_of_outs(outs or {}, deps, internal_asset_deps or {})
        )
        changes: dict[str, Any] = {}
        if code_version is not None:
            changes["code_version"] = code_version
        may_lack: dict[str, Any] = {"skippable": True} if specs and can_subset else {}
        finished = tuple(
            with_partitions(
                spec.replace_attributes(
                    group_name=spec.group_name or group_name,
                    description=spec.description or description,
                    **({} if spec.code_version else changes),
                    **may_lack,
                ),
                partitions_def,
            )
            for spec in found
        )
        return AssetsDefinition(
            fn=fn,
            step_name=step,
            signature=signature,
            loaded=loaded_inputs(signature, ins, step),
            check_specs=own_checks(check_specs, finished),
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
            specs=finished,
            can_subset=can_subset,
            output_names=tuple(outs)
            if outs
            else tuple(s.key.to_python_identifier() for s in finished),
            io_manager_keys=tuple(
                (out.io_manager_key or DEFAULT_IO_MANAGER) for out in outs.values()
            )
            if outs
            else (DEFAULT_IO_MANAGER,) * len(finished),
        )

    return decorate


def _specs_of_outs(
    outs: Mapping[str, AssetOut],
    deps: Iterable[CoercibleToAssetDep] | None,
    internal: Mapping[str, set[AssetKey]],
) -> list[AssetSpec]:
    shared = coerce_deps(deps, "of @multi_asset")
    unknown = [name for name in internal if name not in outs]
    if unknown:
        raise DefinitionError(f"internal_asset_deps names `{unknown[0]}`, which is not in outs")
    return [
        out.to_spec(name, [*shared, *(d for d in internal.get(name, ()))])
        for name, out in outs.items()
    ]
