"""Dependencies and inputs: which other assets an asset needs (M-5)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from arco_flow._internal.errors import DefinitionError
from arco_flow._internal.keys import AssetKey, AssetLike, key_of
from arco_flow._internal.partitions import PartitionMapping
from arco_flow._internal.unsupported import refuse


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


def _mapping(mapping: PartitionMapping | None) -> PartitionMapping | None:
    if mapping is None or isinstance(mapping, PartitionMapping):
        return mapping
    hint = "; did you forget the parentheses?" if isinstance(mapping, type) else ""
    raise DefinitionError(f"partition_mapping is a PartitionMapping, not {mapping!r}{hint}")
