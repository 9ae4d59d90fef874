"""Checks: statements about data, judged after it was made (M-19 to M-22)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from arco_flow._internal import names
from arco_flow._internal.deps import AssetDep, CoercibleToAssetDep, coerce_deps
from arco_flow._internal.errors import DefinitionError
from arco_flow._internal.keys import AssetCheckKey, AssetKey, AssetLike, CoercibleToAssetKey, key_of
from arco_flow._internal.metadata import MetadataValue, RawMetadataMapping, normalize
from arco_flow._internal.partitions import PartitionsDefinition
from arco_flow._internal.unsupported import refuse


class AssetCheckSeverity(Enum):
    """Weight of a failed check. A blocking check stops what is downstream only with ERROR (M-21)."""

    WARN = "WARN"
    ERROR = "ERROR"


@dataclass(frozen=True, init=False)
class AssetCheckSpec:
    """A check without the function that judges it.

    Args:
        name: Unique for the asset; letters, digits and underscores.
        asset: The asset it judges.
        description: For people.
        additional_deps: Other assets the check needs made before.
        blocking: A failure of severity ERROR stops what is downstream of the asset (M-21).
        metadata: Typed or plain values by name.
        partitions_def: Partitions, when judged per partition.
    """

    name: str
    asset_key: AssetKey
    description: str | None
    additional_deps: tuple[AssetDep, ...]
    blocking: bool
    metadata: Mapping[str, MetadataValue]
    partitions_def: PartitionsDefinition | None

    def __init__(
        self,
        name: str,
        *,
        asset: AssetLike,
        description: str | None = None,
        additional_deps: Iterable[CoercibleToAssetDep] | None = None,
        blocking: bool = False,
        metadata: RawMetadataMapping | None = None,
        automation_condition: None = None,
        partitions_def: PartitionsDefinition | None = None,
    ) -> None:
        refuse("AssetCheckSpec", automation_condition=automation_condition)
        key = key_of(asset)
        deps = coerce_deps(additional_deps, f"check {name}")
        if any(dep.asset_key == key for dep in deps):
            raise DefinitionError(
                f"check `{name}` has its own asset `{key.to_user_string()}` in additional_deps; leave it out"
            )
        put = object.__setattr__
        put(self, "name", names.check_name(name, "a check"))
        put(self, "asset_key", key)
        put(self, "description", description)
        put(self, "additional_deps", deps)
        put(self, "blocking", blocking)
        put(self, "metadata", normalize(metadata))
        put(self, "partitions_def", partitions_def)

    @property
    def key(self) -> AssetCheckKey:
        """Asset and name."""
        return AssetCheckKey(self.asset_key, self.name)

    def __hash__(self) -> int:
        return hash((self.asset_key, self.name))


@dataclass(frozen=True, init=False)
class AssetCheckResult:
    """What a check said.

    Args:
        passed: The verdict.
        asset_key: The asset; may be left out where only one check can be meant.
        check_name: The check; may be left out where only one check can be meant.
        metadata: Typed or plain values by name.
        severity: Weight of a failure.
        description: For people.
    """

    passed: bool
    asset_key: AssetKey | None
    check_name: str | None
    metadata: Mapping[str, MetadataValue]
    severity: AssetCheckSeverity
    description: str | None

    def __init__(
        self,
        *,
        passed: bool,
        asset_key: CoercibleToAssetKey | None = None,
        check_name: str | None = None,
        metadata: RawMetadataMapping | None = None,
        severity: AssetCheckSeverity = AssetCheckSeverity.ERROR,
        description: str | None = None,
    ) -> None:
        put = object.__setattr__
        put(self, "passed", _verdict(passed))
        put(self, "asset_key", None if asset_key is None else AssetKey.from_coercible(asset_key))
        put(self, "check_name", check_name)
        put(self, "metadata", normalize(metadata))
        put(self, "severity", AssetCheckSeverity(severity))
        put(self, "description", description)

    def with_metadata(self, metadata: RawMetadataMapping) -> AssetCheckResult:
        """A copy with other metadata."""
        return AssetCheckResult(
            passed=self.passed,
            asset_key=self.asset_key,
            check_name=self.check_name,
            metadata=metadata,
            severity=self.severity,
            description=self.description,
        )


@dataclass(frozen=True, init=False)
class AssetCheckEvaluation:
    """A check that was judged: seen in the result of `materialize`, reported by `ArcoClient`, or recorded by a
    sensor.

    Differs from Dagster: whether a check blocks is said by its definition.

    Args:
        asset_key: The asset.
        check_name: The check.
        passed: The verdict.
        metadata: Typed or plain values by name.
        severity: Weight of a failure.
        description: For people.
        partition: Key of the partition, of a check that is judged per partition.
    """

    asset_key: AssetKey
    check_name: str
    passed: bool
    metadata: Mapping[str, MetadataValue]
    severity: AssetCheckSeverity
    description: str | None
    partition: str | None

    def __init__(
        self,
        asset_key: CoercibleToAssetKey,
        check_name: str,
        passed: bool,
        metadata: RawMetadataMapping | None = None,
        severity: AssetCheckSeverity = AssetCheckSeverity.ERROR,
        description: str | None = None,
        partition: str | None = None,
    ) -> None:
        put = object.__setattr__
        put(self, "asset_key", AssetKey.from_coercible(asset_key))
        put(self, "check_name", check_name)
        put(self, "passed", _verdict(passed))
        put(self, "metadata", normalize(metadata))
        put(self, "severity", AssetCheckSeverity(severity))
        put(self, "description", description)
        put(self, "partition", partition)

    @property
    def asset_check_key(self) -> AssetCheckKey:
        """Asset and name."""
        return AssetCheckKey(self.asset_key, self.check_name)


def _verdict(passed: Any) -> bool:
    """A bool, also of numpy or alike."""
    if isinstance(passed, bool):
        return passed
    if type(passed).__name__ in {"bool", "bool_"} and getattr(passed, "shape", None) == ():
        return bool(passed)
    raise DefinitionError(
        f"passed is True or False, not {passed!r}; wrap it: AssetCheckResult(passed=bool(...))"
    )
