"""What an asset is, apart from how it is made: specs, dependencies, inputs and outputs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from arco_flow._internal import names
from arco_flow._internal.deps import AssetDep, CoercibleToAssetDep, coerce_deps
from arco_flow._internal.errors import DefinitionError
from arco_flow._internal.keys import AssetKey, CoercibleToAssetKey
from arco_flow._internal.metadata import MetadataValue, RawMetadataMapping, normalize
from arco_flow._internal.partitions import PartitionsDefinition
from arco_flow._internal.unsupported import refuse, refuse_unknown

DEFAULT_GROUP = "default"
_KEEP: Any = ...
DEFAULT_IO_MANAGER = "io_manager"


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
