"""Partitions whose keys come and go while Arco runs (P-23)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from arco_flow._internal.errors import DefinitionError, UsageError
from arco_flow._internal.partitions.base import PartitionKeyRange, PartitionsDefinition

if TYPE_CHECKING:
    from arco_flow._internal.automation.requests import (
        AddDynamicPartitionsRequest,
        DeleteDynamicPartitionsRequest,
    )


@dataclass(frozen=True, init=False)
class DynamicPartitionsDefinition(PartitionsDefinition):
    """The keys of a set that the workspace keeps under a name, in the order in which they were added.

    `arco partitions add NAME KEY` adds a key, `arco partitions remove NAME KEY` removes one, and the API
    does both, and a sensor with `build_add_request`. User code does not know the keys: in a unit test any key may be given.

    Differs from Dagster: there is no `partition_fn`, and no instance to ask.

    Args:
        partition_fn: Not supported; name a set.
        name: The name of the set; several assets may share one.
    """

    name: str

    def __init__(self, partition_fn: object = None, name: str | None = None) -> None:
        if partition_fn is not None:
            raise DefinitionError(
                'partition_fn is not supported; write DynamicPartitionsDefinition(name="customers"), and add '
                "keys with `arco partitions add`"
            )
        if not isinstance(name, str) or not name:
            raise DefinitionError(
                'dynamic partitions have a name; write DynamicPartitionsDefinition(name="customers")'
            )
        object.__setattr__(self, "name", name)

    def build_add_request(self, partition_keys: Sequence[str]) -> AddDynamicPartitionsRequest:
        """What a sensor gives to add keys, in `SensorResult(dynamic_partitions_requests=[...])` (N-16)."""
        from arco_flow._internal.automation.requests import AddDynamicPartitionsRequest

        return AddDynamicPartitionsRequest(self.name, partition_keys)

    def build_delete_request(self, partition_keys: Sequence[str]) -> DeleteDynamicPartitionsRequest:
        """What a sensor gives to remove keys, in `SensorResult(dynamic_partitions_requests=[...])` (N-16)."""
        from arco_flow._internal.automation.requests import DeleteDynamicPartitionsRequest

        return DeleteDynamicPartitionsRequest(self.name, partition_keys)

    def get_partition_keys(self, current_time: datetime | None = None) -> Sequence[str]:
        """The keys are not known here.

        Raises:
            UsageError: Always; says where they are.
        """
        del current_time
        raise UsageError(
            f"the keys of `{self.name}` are kept by the workspace; `arco partitions show {self.name}` lists them"
        )

    def has_partition_key(self, partition_key: str, current_time: datetime | None = None) -> bool:
        """Whether the text can be a key: the workspace knows which there are."""
        del current_time
        control = any(ord(c) < 32 or ord(c) == 127 for c in partition_key)
        return bool(partition_key) and "..." not in partition_key and not control

    def get_partition_keys_in_range(self, partition_key_range: PartitionKeyRange) -> Sequence[str]:
        """The keys are not known here."""
        del partition_key_range
        return self.get_partition_keys()

    def keys_look_like(self) -> str:
        """Where the keys are."""
        return f"`arco partitions show {self.name}` lists its keys"

    def to_json(self) -> dict[str, Any]:
        """The definition as it stands in a manifest."""
        return {"kind": "dynamic", "name": self.name}
