"""What an IO manager is, and what it is told (M-23)."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from arco_flow._internal.errors import UsageError
from arco_flow._internal.keys import AssetKey
from arco_flow._internal.metadata import RawMetadataMapping
from arco_flow._internal.partitions import PartitionKeyRange, PartitionsDefinition, TimeWindow
from arco_flow._internal.partitions.multi import MultiPartitionsDefinition
from arco_flow._internal.partitions.time_window import TimeWindowPartitionsDefinition


class IOManager:
    """Stores and loads values of assets. Subclass it and write both methods (M-23).

    Both are called once per task and asset. A task over several partitions has them in
    `context.asset_partition_keys`.
    """

    def handle_output(self, context: OutputContext, obj: Any) -> None:
        """Stores `obj`, the value of `context.asset_key`."""
        raise NotImplementedError

    def load_input(self, context: InputContext) -> Any:
        """The value of `context.asset_key` for the partitions in the context."""
        raise NotImplementedError


class _AssetContext:
    """What contexts of inputs and outputs share: an asset and some of its partitions."""

    __slots__ = ("_identifier", "_key", "_keys", "_partitioned", "_partitions_def", "_storage",
                 "definition_metadata", "log", "name", "resource_config", "resources", "run_id", "step_key")  # fmt: skip

    def __init__(
        self,
        *,
        name: str,
        asset_key: AssetKey | None,
        partitions: Sequence[str] | None,
        partitions_def: PartitionsDefinition | None,
        log: logging.Logger,
        resources: Any = None,
        resource_config: Mapping[str, Any] | None = None,
        definition_metadata: Mapping[str, Any] | None = None,
        run_id: str = "",
        step_key: str = "",
        storage: str | None = None,
        identifier: Sequence[str] | None = None,
    ) -> None:
        self.name = name
        self._key = asset_key
        self._partitioned = partitions is not None
        self._keys: Sequence[str] = () if partitions is None else partitions
        self._partitions_def = partitions_def
        self.log = log
        self.resources = resources
        self.resource_config = resource_config
        self.definition_metadata = definition_metadata or {}
        self.run_id = run_id
        self.step_key = step_key
        self._storage = storage
        self._identifier = identifier

    @property
    def metadata(self) -> Mapping[str, Any]:
        """Metadata given where the asset, or the input, is defined."""
        return self.definition_metadata

    @property
    def has_asset_key(self) -> bool:
        """Whether this is about an asset, and not about a value between ops."""
        return self._key is not None

    @property
    def what(self) -> str:
        """What the value is, for messages: ``asset `a` ``, ``output `result` of `graph.op` ``."""
        if self._key is not None:
            return f"asset `{self._key.to_user_string()}`"
        return f"output `{self.name}` of `{self.step_key}`"

    @property
    def asset_key(self) -> AssetKey:
        """The asset."""
        if self._key is None:
            raise UsageError(
                f"this context is about {self.what}, which is no asset; use get_identifier()"
                if self._identifier is not None
                else "this context has no asset; give asset_key= where it is built"
            )
        return self._key

    @property
    def has_asset_partitions(self) -> bool:
        """Whether the asset is partitioned."""
        return self._partitioned

    @property
    def has_partition_key(self) -> bool:
        """Whether there is exactly one partition."""
        return len(self._keys) == 1

    @property
    def asset_partition_keys(self) -> Sequence[str]:
        """Keys of the partitions, in order."""
        if not self._partitioned:
            raise UsageError(f"asset `{self.asset_key.to_user_string()}` is not partitioned here")
        return self._keys

    @property
    def asset_partition_key(self) -> str:
        """The key, when there is one partition."""
        keys = self.asset_partition_keys
        if len(keys) != 1:
            raise UsageError(
                f"there are {len(keys)} partitions of `{self.asset_key.to_user_string()}` here; "
                "use asset_partition_keys"
            )
        return keys[0]

    partition_key = asset_partition_key

    @property
    def asset_partitions_def(self) -> PartitionsDefinition:
        """The partitions definition of the asset."""
        if self._partitions_def is None:
            raise UsageError(f"asset `{self.asset_key.to_user_string()}` has no partitions_def")
        return self._partitions_def

    @property
    def asset_partition_key_range(self) -> PartitionKeyRange:
        """First and last key."""
        keys = self.asset_partition_keys
        if not keys:
            raise UsageError(f"there is no partition of `{self.asset_key.to_user_string()}` here")
        return PartitionKeyRange(keys[0], keys[-1])

    @property
    def asset_partitions_time_window(self) -> TimeWindow:
        """From the start of the first window to the end of the last."""
        return span(self.asset_partitions_def, self.asset_partition_keys)

    def get_asset_identifier(self) -> Sequence[str]:
        """Parts of the key, and the partition when there is one."""
        return [*self.asset_key.path, *([self._keys[0]] if self.has_partition_key else [])]

    def get_identifier(self) -> Sequence[str]:
        """Names that no other value has: of an asset its key and partition; of a value between ops its
        run, step, partition, output and mapping key."""
        return self.get_asset_identifier() if self._identifier is None else self._identifier


class OutputContext(_AssetContext):
    """What `handle_output` is told."""

    __slots__ = ("_asset_spec", "_metadata", "annotation")

    def __init__(self, *, annotation: Any = Any, asset_spec: Any = None, **shared: Any) -> None:
        super().__init__(**shared)
        self.annotation = annotation
        self._asset_spec = asset_spec
        self._metadata: dict[str, Any] = {}

    @property
    def asset_spec(self) -> Any:
        """The spec of the asset."""
        return self._asset_spec

    @property
    def output_metadata(self) -> Mapping[str, Any]:
        """Metadata added so far."""
        return self._metadata

    def add_output_metadata(self, metadata: RawMetadataMapping) -> None:
        """Adds values to the materialization."""
        self._metadata.update(metadata)

    def get_logged_metadata(self) -> Mapping[str, Any]:
        """Metadata added so far."""
        return self._metadata


class InputContext(_AssetContext):
    """What `load_input` is told."""

    __slots__ = ("_metadata", "annotation", "upstream_output")

    def __init__(
        self, *, annotation: Any = Any, upstream_output: OutputContext | None = None, **shared: Any
    ) -> None:
        super().__init__(**shared)
        self.annotation = annotation
        self.upstream_output = upstream_output
        self._metadata: dict[str, Any] = {}

    def add_input_metadata(
        self, metadata: RawMetadataMapping, description: str | None = None
    ) -> None:
        """Keeps values about what was loaded. Nothing shows them yet."""
        del description
        self._metadata.update(metadata)


def span(partitions_def: PartitionsDefinition, keys: Sequence[str]) -> TimeWindow:
    """From the start of the first window to the end of the last.

    Raises:
        UsageError: When the partitions are not windows of time, or there is none.
    """
    if isinstance(partitions_def, MultiPartitionsDefinition):
        # The dimension of time, when there is one of them.
        timed = [
            (name, one)
            for name, one in partitions_def
            if isinstance(one, TimeWindowPartitionsDefinition)
        ]
        if len(timed) == 1:
            split = [partitions_def.get_partition_key_from_str(key) for key in keys]
            return span(timed[0][1], [key.keys_by_dimension[timed[0][0]] for key in split])
    if not isinstance(partitions_def, TimeWindowPartitionsDefinition):
        raise UsageError("partitions are not windows of time; use the partition keys")
    if not keys:
        raise UsageError("there is no partition here, so there is no time window")
    windows = [partitions_def.time_window_for_partition_key(key) for key in keys]
    starts: list[datetime] = [window.start for window in windows]
    return TimeWindow(min(starts), max(window.end for window in windows))
