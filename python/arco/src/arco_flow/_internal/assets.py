"""Steps: the functions behind assets and checks, as the decorators make them.

A step is a plain callable still: calling it calls the function, so that a unit test is a call.
Parameters that are resources or configuration may be left out when a context that has them is given.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Generic

from arco_flow._internal.backfills import BackfillPolicy
from arco_flow._internal.checks import AssetCheckSpec
from arco_flow._internal.deps import AssetDep
from arco_flow._internal.errors import DefinitionError, UsageError
from arco_flow._internal.keys import AssetCheckKey, AssetKey
from arco_flow._internal.names import did_you_mean
from arco_flow._internal.partitions import PartitionMapping, PartitionsDefinition
from arco_flow._internal.retry import RetryPolicy
from arco_flow._internal.signature import Signature
from arco_flow._internal.specs import DEFAULT_IO_MANAGER, AssetSpec

if TYPE_CHECKING:
    from typing_extensions import ParamSpec, TypeVar

    P = ParamSpec("P", default=...)
    R = TypeVar("R", default=Any)
else:
    from typing import ParamSpec, TypeVar

    P = ParamSpec("P")
    R = TypeVar("R")

ISOLATIONS = ("reuse", "fork", "spawn")


@dataclass(frozen=True)
class LoadedInput:
    """One parameter that loads an upstream asset. `exact` is false for a key taken from its name."""

    param: str
    key: AssetKey
    exact: bool
    mapping: PartitionMapping | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)
    annotation: Any = Any


@dataclass(frozen=True, kw_only=True)
class StepOptions:
    """How a step is carried out."""

    required_resource_keys: frozenset[str] = frozenset()
    retry_policy: RetryPolicy | None = None
    op_tags: Mapping[str, Any] = field(default_factory=dict)
    pool: str | None = None
    backfill_policy: BackfillPolicy | None = None
    isolation: str = "reuse"
    timeout_seconds: float | None = None
    memory_limit: int | None = None
    """Bytes."""

    def __post_init__(self) -> None:
        policy = self.backfill_policy
        if policy is not None and not isinstance(policy, BackfillPolicy):
            raise DefinitionError(
                f"backfill_policy must be a BackfillPolicy, not {policy!r}; write "
                "BackfillPolicy.single_run() or BackfillPolicy.multi_run(10)"
            )
        if self.isolation not in ISOLATIONS:
            raise DefinitionError(
                f"isolation is one of {', '.join(ISOLATIONS)}, not {self.isolation!r}"
                + did_you_mean(str(self.isolation), ISOLATIONS)
            )
        if self.timeout_seconds is not None and self.timeout_seconds <= 0:
            raise DefinitionError(
                f"timeout_seconds must be more than 0, not {self.timeout_seconds}"
            )
        if self.retry_policy is not None and not isinstance(self.retry_policy, RetryPolicy):
            raise DefinitionError(
                f"retry_policy is a RetryPolicy, not {self.retry_policy!r}; write RetryPolicy(max_retries=3)"
            )


@dataclass(frozen=True, eq=False, kw_only=True)
class StepDefinition(Generic[P, R]):
    """A function and what its parameters mean. Base of assets and checks."""

    fn: Callable[P, R]
    step_name: str
    signature: Signature
    loaded: tuple[LoadedInput, ...]
    check_specs: tuple[AssetCheckSpec, ...]
    options: StepOptions

    def __post_init__(self) -> None:
        for name in ("__doc__", "__name__", "__qualname__", "__module__"):
            if hasattr(self.fn, name):
                object.__setattr__(self, name, getattr(self.fn, name))
        object.__setattr__(self, "__wrapped__", self.fn)

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Calls the function."""
        return self.fn(*args, **_fill(self, args, kwargs))

    @property
    def required_resource_keys(self) -> frozenset[str]:
        """Names of the resources the step uses, apart from IO managers."""
        return self.options.required_resource_keys | {p.name for p in self.signature.resources}

    @property
    def check_keys(self) -> Iterable[AssetCheckKey]:
        """The checks that are judged within the step."""
        return [spec.key for spec in self.check_specs]

    @property
    def partitions_def(self) -> PartitionsDefinition | None:
        """Partitions of the step."""
        raise NotImplementedError


@dataclass(frozen=True, eq=False, kw_only=True)
class AssetsDefinition(StepDefinition[P, R]):
    """One or more assets and the function that makes them: what `@asset` returns."""

    specs: tuple[AssetSpec, ...]
    output_names: tuple[str, ...] = ("result",)
    io_manager_keys: tuple[str, ...] = (DEFAULT_IO_MANAGER,)
    can_subset: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        keys = self.keys
        if len(set(keys)) != len(keys):
            raise DefinitionError(
                f"`{self.step_name}` makes one asset twice; give each its own key"
            )
        for spec in self.specs[1:]:
            if spec.partitions_def != self.specs[0].partitions_def:
                raise DefinitionError(
                    f"`{self.step_name}` makes `{keys[0].to_user_string()}` and `{spec.key.to_user_string()}`, which "
                    "have different partitions; one step has one partitions definition"
                )

    @staticmethod
    def from_graph(graph_def: Any, **options: Any) -> Any:
        """The assets that a `@graph` makes; see `arco_flow._internal.graphs.from_graph`."""
        from arco_flow._internal.graph_decorators import from_graph

        return from_graph(graph_def, **options)

    @property
    def key(self) -> AssetKey:
        """The key, when there is one asset."""
        if len(self.specs) != 1:
            raise UsageError(f"`{self.step_name}` makes {len(self.specs)} assets; use `keys`")
        return self.specs[0].key

    @property
    def keys(self) -> Sequence[AssetKey]:
        """The keys of its assets."""
        return [spec.key for spec in self.specs]

    @property
    def partitions_def(self) -> PartitionsDefinition | None:
        """Partitions of its assets."""
        return self.specs[0].partitions_def

    @property
    def specs_by_key(self) -> Mapping[AssetKey, AssetSpec]:
        """Its specs by key."""
        return {spec.key: spec for spec in self.specs}

    @property
    def group_names_by_key(self) -> Mapping[AssetKey, str]:
        """Groups by key."""
        return {spec.key: spec.group for spec in self.specs}

    @property
    def tags_by_key(self) -> Mapping[AssetKey, Mapping[str, str]]:
        """Tags by key."""
        return {spec.key: spec.tags for spec in self.specs}

    @property
    def metadata_by_key(self) -> Mapping[AssetKey, Mapping[str, Any]]:
        """Metadata by key."""
        return {spec.key: spec.metadata for spec in self.specs}

    @property
    def descriptions_by_key(self) -> Mapping[AssetKey, str | None]:
        """Descriptions by key."""
        return {spec.key: spec.description for spec in self.specs}

    @property
    def owners_by_key(self) -> Mapping[AssetKey, Sequence[str]]:
        """Owners by key."""
        return {spec.key: spec.owners for spec in self.specs}

    @property
    def code_versions_by_key(self) -> Mapping[AssetKey, str | None]:
        """Code versions by key."""
        return {spec.key: spec.code_version for spec in self.specs}

    @property
    def dependency_keys(self) -> Iterable[AssetKey]:
        """Keys it depends on, as written: loaded ones first, then those that only order."""
        named = [*(i.key for i in self.loaded), *(d.asset_key for s in self.specs for d in s.deps)]
        return list(dict.fromkeys(named))

    @property
    def asset_deps(self) -> Mapping[AssetKey, set[AssetKey]]:
        """Keys each asset depends on, as written."""
        loaded = {i.key for i in self.loaded}
        return {spec.key: loaded | {d.asset_key for d in spec.deps} for spec in self.specs}

    def get_asset_spec(self, key: AssetKey | None = None) -> AssetSpec:
        """The spec of one asset; `key` may be left out when there is one."""
        return self.specs_by_key[self.key if key is None else key]

    def map_asset_specs(self, fn: Callable[[AssetSpec], AssetSpec]) -> AssetsDefinition[P, R]:
        """A copy whose specs went through `fn`. Keys must stay."""
        specs = tuple(fn(spec) for spec in self.specs)
        if [s.key for s in specs] != [s.key for s in self.specs]:
            raise DefinitionError(
                "map_asset_specs cannot change keys; use key_prefix= where the assets are loaded"
            )
        return replace(self, specs=specs)

    def with_attributes(
        self,
        *,
        group_names_by_key: Mapping[AssetKey, str] | None = None,
        tags_by_key: Mapping[AssetKey, Mapping[str, str]] | None = None,
        metadata_by_key: Mapping[AssetKey, Mapping[str, Any]] | None = None,
        asset_key_replacements: Mapping[AssetKey, AssetKey] | None = None,
    ) -> AssetsDefinition[P, R]:
        """A copy with other groups, tags, metadata or keys; references to replaced keys follow."""
        keys = dict(asset_key_replacements or {})

        def change(spec: AssetSpec) -> AssetSpec:
            return spec.replace_attributes(
                key=keys.get(spec.key, spec.key),
                deps=[_moved_dep(dep, keys) for dep in spec.deps],
                group_name=(group_names_by_key or {}).get(spec.key, spec.group_name),
                tags=(tags_by_key or {}).get(spec.key, spec.tags),
                metadata=(metadata_by_key or {}).get(spec.key, spec.metadata),
            )

        moved = replace(
            self,
            specs=tuple(change(spec) for spec in self.specs),
            loaded=tuple(
                replace(i, key=keys[i.key], exact=True) if i.key in keys else i for i in self.loaded
            ),
            check_specs=tuple(_moved_check(check, keys) for check in self.check_specs),
        )
        if len(self.specs) == 1 and self.specs[0].key in keys:
            return replace(moved, step_name=moved.key.to_python_identifier())
        return moved


@dataclass(frozen=True, eq=False, kw_only=True)
class AssetChecksDefinition(StepDefinition[P, R]):
    """One or more checks and the function that judges them: what `@asset_check` returns."""

    @property
    def check_key(self) -> AssetCheckKey:
        """The key, when there is one check."""
        if len(self.check_specs) != 1:
            raise UsageError(
                f"`{self.step_name}` judges {len(self.check_specs)} checks; use `check_keys`"
            )
        return self.check_specs[0].key

    @property
    def partitions_def(self) -> PartitionsDefinition | None:
        """Partitions of its checks."""
        return self.check_specs[0].partitions_def


def _moved_dep(dep: AssetDep, keys: Mapping[AssetKey, AssetKey]) -> AssetDep:
    return AssetDep(
        keys.get(dep.asset_key, dep.asset_key),
        partition_mapping=dep.partition_mapping,
        metadata=dep.metadata,
    )


def _moved_check(check: AssetCheckSpec, keys: Mapping[AssetKey, AssetKey]) -> AssetCheckSpec:
    return AssetCheckSpec(
        check.name,
        asset=keys.get(check.asset_key, check.asset_key),
        description=check.description,
        additional_deps=[_moved_dep(dep, keys) for dep in check.additional_deps],
        blocking=check.blocking,
        metadata=check.metadata,
        partitions_def=check.partitions_def,
    )


def _fill(
    step: StepDefinition[Any, Any], args: Sequence[Any], kwargs: Mapping[str, Any]
) -> Mapping[str, Any]:
    """`kwargs` and what the given context has for parameters that were left out."""
    signature = step.signature
    if not signature.resources and signature.config is None:
        return kwargs
    bound = inspect.signature(step.fn).bind_partial(*args, **kwargs).arguments
    context = bound.get(signature.context) if signature.context else None
    filled = dict(kwargs)
    for param in signature.resources:
        if (
            param.name not in bound
            and context is not None
            and hasattr(context.resources, param.name)
        ):
            filled[param.name] = getattr(context.resources, param.name)
    config = signature.config
    if config is not None and config.name not in bound and context is not None:
        given = context.op_config or {}
        filled[config.name] = (
            config.annotation(**given) if isinstance(config.annotation, type) else given
        )
    return filled
