"""What a function may return or yield besides a plain value (M-18)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from arco_flow._internal.checks import AssetCheckResult
from arco_flow._internal.errors import UsageError
from arco_flow._internal.keys import AssetKey, CoercibleToAssetKey
from arco_flow._internal.metadata import RawMetadataMapping
from arco_flow._internal.names import check_tags

T = TypeVar("T")


class _NoValue:
    """Stands for "no value was given", which is not None (M-25)."""

    def __repr__(self) -> str:
        return "NO_VALUE"


NO_VALUE: Final = _NoValue()


@dataclass(frozen=True)
class DataVersion:
    """A version of the data as user code sees it; two equal versions mean equal data."""

    value: str

    def __post_init__(self) -> None:
        if not isinstance(self.value, str):
            raise UsageError(f"a data version is text, not {self.value!r}")


@dataclass(frozen=True, init=False)
class MaterializeResult(Generic[T]):
    """An asset was made (M-18).

    Without `value`, nothing goes through the IO manager: the function stored the data itself.

    Args:
        asset_key: The asset; may be left out when the function makes one.
        metadata: Typed or plain values by name.
        check_results: Results of the checks in `check_specs`.
        data_version: Version of the data; derived when absent.
        tags: Tags of this materialization.
        value: A value for the IO manager.
    """

    asset_key: AssetKey | None
    metadata: RawMetadataMapping
    check_results: tuple[AssetCheckResult, ...]
    data_version: DataVersion | None
    tags: Mapping[str, str]
    value: T | _NoValue

    def __init__(
        self,
        asset_key: CoercibleToAssetKey | None = None,
        metadata: RawMetadataMapping | None = None,
        check_results: Sequence[AssetCheckResult] | None = None,
        data_version: DataVersion | None = None,
        tags: Mapping[str, str] | None = None,
        value: T | _NoValue = NO_VALUE,
    ) -> None:
        put = object.__setattr__
        put(self, "asset_key", None if asset_key is None else AssetKey.from_coercible(asset_key))
        put(self, "metadata", dict(metadata or {}))
        put(self, "check_results", _results(check_results))
        put(self, "data_version", _version(data_version))
        put(self, "tags", check_tags(tags, "of a materialization") if tags else {})
        put(self, "value", value)


@dataclass(frozen=True, init=False)
class Output(Generic[T]):
    """A value for the IO manager, with metadata (M-18).

    Args:
        value: The value.
        output_name: Which output of a `@multi_asset`; `result` is the only one of an `@asset`.
        metadata: Typed or plain values by name.
        data_version: Version of the data; derived when absent.
        tags: Tags of this materialization.
    """

    value: T
    output_name: str
    metadata: RawMetadataMapping
    data_version: DataVersion | None
    tags: Mapping[str, str]

    def __init__(
        self,
        value: T,
        output_name: str = "result",
        metadata: RawMetadataMapping | None = None,
        data_version: DataVersion | None = None,
        *,
        tags: Mapping[str, str] | None = None,
    ) -> None:
        put = object.__setattr__
        put(self, "value", value)
        put(self, "output_name", output_name)
        put(self, "metadata", dict(metadata or {}))
        put(self, "data_version", _version(data_version))
        put(self, "tags", check_tags(tags, "of a materialization") if tags else {})


@dataclass(frozen=True, init=False)
class AssetMaterialization:
    """An asset was made, said by `context.log_event` or seen in the result of `materialize`.

    Args:
        asset_key: The asset.
        description: For people.
        metadata: Typed or plain values by name.
        partition: Key of the partition; absent when unpartitioned.
        tags: Tags of this materialization.
    """

    asset_key: AssetKey
    description: str | None
    metadata: RawMetadataMapping
    partition: str | None
    tags: Mapping[str, str]

    def __init__(
        self,
        asset_key: CoercibleToAssetKey,
        description: str | None = None,
        metadata: RawMetadataMapping | None = None,
        partition: str | None = None,
        tags: Mapping[str, str] | None = None,
    ) -> None:
        put = object.__setattr__
        put(self, "asset_key", AssetKey.from_coercible(asset_key))
        put(self, "description", description)
        put(self, "metadata", dict(metadata or {}))
        put(self, "partition", partition)
        put(self, "tags", dict(tags or {}))


def _results(results: Iterable[AssetCheckResult] | None) -> tuple[AssetCheckResult, ...]:
    if isinstance(results, AssetCheckResult):
        return (results,)
    return tuple(results or ())


def _version(version: DataVersion | None) -> DataVersion | None:
    if version is None or isinstance(version, DataVersion):
        return version
    raise UsageError(f"data_version is a DataVersion; write DataVersion({version!r})")
