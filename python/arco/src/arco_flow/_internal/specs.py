"""What an asset is, apart from how it is made: specs, dependencies, inputs and outputs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from arco_flow._internal import names
from arco_flow._internal.errors import DefinitionError
from arco_flow._internal.keys import AssetKey, AssetLike, CoercibleToAssetKey, key_of
from arco_flow._internal.metadata import MetadataValue, RawMetadataMapping, normalize
from arco_flow._internal.partitions import PartitionMapping, PartitionsDefinition
from arco_flow._internal.unsupported import refuse, refuse_unknown

DEFAULT_GROUP = "default"
_KEEP: Any = ...
DEFAULT_IO_MANAGER = "io_manager"


@dataclass(frozen=True, init=False)
class AssetDep:
    """A dependency that orders without loading (M-5).

    Args:
        asset: The upstream asset: a key, text, spec or decorated function.
        partition_mapping: Which upstream partitions are needed; inferred when absent.
        metadata: Free values, kept with the dependency.
    """

    asset_key: AssetKey
    partition_mapping: PartitionMapping | None
    metadata: Mapping[str, Any]

    def __init__(
        self,
        asset: AssetLike,
        *,
        partition_mapping: PartitionMapping | None = None,
        metadata: Mapping[str, Any] | None = None,
    ) -> None:
        object.__setattr__(self, "asset_key", key_of(asset))
        object.__setattr__(self, "partition_mapping", _mapping(partition_mapping))
        object.__setattr__(self, "metadata", dict(metadata or {}))

    @staticmethod
    def from_coercible(arg: CoercibleToAssetDep) -> AssetDep:
        """The dependency itself, or one on the named asset."""
        return arg if isinstance(arg, AssetDep) else AssetDep(arg)

    def __hash__(self) -> int:
        return hash((self.asset_key, self.partition_mapping))


CoercibleToAssetDep: TypeAlias = AssetDep | AssetLike


@dataclass(frozen=True, init=False)
class AssetIn:
    """Which asset a parameter loads, when its name does not say (M-5).

    Args:
        key: The upstream asset.
        metadata: Free values for the IO manager.
        key_prefix: Parts in front of the parameter's name; not together with `key`.
        partition_mapping: Which upstream partitions are loaded; inferred when absent.
    """

    key: AssetKey | None
    metadata: Mapping[str, Any]
    key_prefix: tuple[str, ...]
    partition_mapping: PartitionMapping | None

    def __init__(
        self,
        key: AssetLike | None = None,
        metadata: Mapping[str, Any] | None = None,
        key_prefix: str | Sequence[str] | None = None,
        input_manager_key: None = None,
        partition_mapping: PartitionMapping | None = None,
        dagster_type: None = None,
    ) -> None:
        refuse("AssetIn", input_manager_key=input_manager_key, dagster_type=dagster_type)
        if key is not None and key_prefix is not None:
            raise DefinitionError("AssetIn takes `key` or `key_prefix`, not both")
        prefix = (key_prefix,) if isinstance(key_prefix, str) else tuple(key_prefix or ())
        object.__setattr__(self, "key", None if key is None else key_of(key))
        object.__setattr__(self, "metadata", dict(metadata or {}))
        object.__setattr__(self, "key_prefix", prefix)
        object.__setattr__(self, "partition_mapping", _mapping(partition_mapping))

    def key_for(self, param: str) -> AssetKey:
        """The upstream asset of the parameter `param`."""
        return self.key or AssetKey([*self.key_prefix, param])

    @staticmethod
    def from_coercible(arg: AssetIn | AssetLike) -> AssetIn:
        """The input itself, or one of the named asset."""
        return arg if isinstance(arg, AssetIn) else AssetIn(key=arg)


@dataclass(frozen=True, init=False)
class AssetSpec:
    """An asset without the function that makes it. On its own: an external asset (M-4).

    Args:
        key: Its name.
        deps: Upstream assets; they order and are not loaded.
        description: For people.
        metadata: Typed or plain values by name.
        group_name: Group; `default` when absent (M-11).
        code_version: Version of the code as its author sees it.
        owners: E-mail addresses or `team:NAME` (M-13).
        tags: Strict keys and values (M-14).
        kinds: At most 10 (M-12).
        partitions_def: Its partitions; unpartitioned when absent.
        skippable: For `@multi_asset`: a run may leave it unmade.
    """

    key: AssetKey
    deps: tuple[AssetDep, ...]
    description: str | None
    metadata: Mapping[str, MetadataValue]
    skippable: bool
    group_name: str | None
    code_version: str | None
    owners: tuple[str, ...]
    tags: Mapping[str, str]
    kinds: frozenset[str]
    partitions_def: PartitionsDefinition | None

    def __init__(
        self,
        key: CoercibleToAssetKey,
        *,
        deps: Iterable[CoercibleToAssetDep] | None = None,
        description: str | None = None,
        metadata: RawMetadataMapping | None = None,
        skippable: bool = False,
        group_name: str | None = None,
        code_version: str | None = None,
        automation_condition: None = None,
        owners: Sequence[str] | None = None,
        tags: Mapping[str, str] | None = None,
        kinds: Iterable[str] | None = None,
        partitions_def: PartitionsDefinition | None = None,
        freshness_policy: None = None,
        is_virtual: bool = False,
        **removed: Any,
    ) -> None:
        refuse(
            "AssetSpec",
            automation_condition=automation_condition,
            freshness_policy=freshness_policy,
            is_virtual=is_virtual,
        )
        refuse_unknown("AssetSpec", removed)
        asset_key = AssetKey.from_coercible(key)
        text = asset_key.to_user_string()
        put = object.__setattr__
        put(self, "key", asset_key)
        put(self, "deps", coerce_deps(deps, text))
        put(self, "description", description)
        put(self, "metadata", normalize(metadata))
        put(self, "skippable", skippable)
        put(self, "group_name", None if group_name is None else names.check_group(group_name, text))
        put(self, "code_version", _code_version(code_version, text))
        put(self, "owners", names.check_owners(owners, text))
        checked = names.check_tags(tags, text)
        tagged = {
            tag.removeprefix(names.KIND_TAG) for tag in checked if tag.startswith(names.KIND_TAG)
        }
        put(self, "tags", {k: v for k, v in checked.items() if not k.startswith(names.KIND_TAG)})
        put(self, "kinds", names.check_kinds({*names.check_kinds(kinds, text), *tagged}, text))
        put(self, "partitions_def", _partitions(partitions_def, text))

    @property
    def group(self) -> str:
        """The group, `default` when none was given."""
        return self.group_name or DEFAULT_GROUP

    def __hash__(self) -> int:
        return hash(self.key)

    def replace_attributes(
        self,
        *,
        key: CoercibleToAssetKey = _KEEP,
        deps: Iterable[CoercibleToAssetDep] | None = _KEEP,
        description: str | None = _KEEP,
        metadata: RawMetadataMapping | None = _KEEP,
        skippable: bool = _KEEP,
        group_name: str | None = _KEEP,
        code_version: str | None = _KEEP,
        owners: Sequence[str] | None = _KEEP,
        tags: Mapping[str, str] | None = _KEEP,
        kinds: Iterable[str] | None = _KEEP,
        partitions_def: PartitionsDefinition | None = _KEEP,
        **removed: Any,
    ) -> AssetSpec:
        """A copy with some attributes replaced."""
        refuse_unknown("AssetSpec.replace_attributes", removed)
        given: dict[str, Any] = {
            "key": key, "deps": deps, "description": description, "metadata": metadata,
            "skippable": skippable, "group_name": group_name, "code_version": code_version,
            "owners": owners, "tags": tags, "kinds": kinds, "partitions_def": partitions_def,
        }  # fmt: skip
        return AssetSpec(**{k: getattr(self, k) if v is _KEEP else v for k, v in given.items()})

    def merge_attributes(
        self,
        *,
        deps: Iterable[CoercibleToAssetDep] = (),
        metadata: RawMetadataMapping | None = None,
        owners: Sequence[str] = (),
        tags: Mapping[str, str] | None = None,
        kinds: Iterable[str] = (),
    ) -> AssetSpec:
        """A copy with more deps, metadata, owners, tags and kinds."""
        return self.replace_attributes(
            deps=[*self.deps, *deps],
            metadata={**self.metadata, **(metadata or {})},
            owners=[*self.owners, *owners],
            tags={**self.tags, **(tags or {})},
            kinds={*self.kinds, *kinds},
        )


class SourceAsset(AssetSpec):
    """An external asset by its older name, the same as an `AssetSpec` on its own (M-4).

    Differs from Dagster: values of external assets are loaded by the IO manager `io_manager_key`
    when the location has it.
    """

    io_manager_key: str | None

    def __init__(
        self,
        key: CoercibleToAssetKey,
        metadata: RawMetadataMapping | None = None,
        io_manager_key: str | None = None,
        io_manager_def: None = None,
        description: str | None = None,
        partitions_def: PartitionsDefinition | None = None,
        group_name: str | None = None,
        resource_defs: None = None,
        observe_fn: None = None,
        op_tags: None = None,
        *,
        tags: Mapping[str, str] | None = None,
        **removed: Any,
    ) -> None:
        refuse(
            "SourceAsset",
            io_manager_def=io_manager_def,
            resource_defs=resource_defs,
            observe_fn=observe_fn,
        )
        del op_tags
        super().__init__(
            key,
            metadata=metadata,
            description=description,
            partitions_def=partitions_def,
            group_name=group_name,
            tags=tags,
            **removed,
        )
        object.__setattr__(self, "io_manager_key", io_manager_key)


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


def coerce_deps(deps: Iterable[CoercibleToAssetDep] | None, asset: str) -> tuple[AssetDep, ...]:
    """Dependencies of anything that names assets; one asset named twice is one, unless mappings differ."""
    if deps is None:
        return ()
    if isinstance(deps, str):
        raise DefinitionError(f"deps of asset `{asset}` is a list, write deps=[{deps!r}]")
    found: dict[AssetKey, AssetDep] = {}
    for arg in deps:
        for dep in _deps_of(arg):
            other = found.setdefault(dep.asset_key, dep)
            if other.partition_mapping != dep.partition_mapping:
                raise DefinitionError(
                    f"asset `{asset}` depends on `{dep.asset_key.to_user_string()}` twice, with "
                    "different partition mappings; give it once"
                )
    return tuple(found.values())


def _deps_of(arg: CoercibleToAssetDep) -> list[AssetDep]:
    specs = getattr(arg, "specs", None)  # A multi-asset stands for all its assets.
    if isinstance(specs, tuple) and len(specs) > 1:
        return [AssetDep(spec) for spec in specs]
    return [AssetDep.from_coercible(arg)]


def with_partitions(spec: AssetSpec, partitions_def: PartitionsDefinition | None) -> AssetSpec:
    """The spec with these partitions, which must not contradict its own."""
    if partitions_def is None or spec.partitions_def == partitions_def:
        return spec
    if spec.partitions_def is not None:
        raise DefinitionError(
            f"asset `{spec.key.to_user_string()}` has other partitions than the step that makes it; "
            "one step has one partitions definition"
        )
    return replace_spec(spec, partitions_def=partitions_def)


def replace_spec(spec: AssetSpec, **changes: Any) -> AssetSpec:
    """Short for `spec.replace_attributes(...)`."""
    return spec.replace_attributes(**changes)


def _mapping(mapping: PartitionMapping | None) -> PartitionMapping | None:
    if mapping is None or isinstance(mapping, PartitionMapping):
        return mapping
    hint = "; did you forget the parentheses?" if isinstance(mapping, type) else ""
    raise DefinitionError(f"partition_mapping is a PartitionMapping, not {mapping!r}{hint}")


def _partitions(
    partitions_def: PartitionsDefinition | None, asset: str
) -> PartitionsDefinition | None:
    if partitions_def is None or isinstance(partitions_def, PartitionsDefinition):
        return partitions_def
    raise DefinitionError(
        f"partitions_def of asset `{asset}` is a PartitionsDefinition, not {partitions_def!r}; write "
        'DailyPartitionsDefinition(start_date="2024-01-01") or StaticPartitionsDefinition(["a", "b"])'
    )


def _code_version(code_version: str | None, asset: str) -> str | None:
    if code_version is None or isinstance(code_version, str):
        return code_version
    raise DefinitionError(
        f'code_version of asset `{asset}` is text, write code_version="{code_version}"'
    )
