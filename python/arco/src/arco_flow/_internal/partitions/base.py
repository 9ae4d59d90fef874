"""What all partitions definitions share, and static partitions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from arco_flow._internal.errors import DefinitionError, UnknownPartitionError


class PartitionKeyRange(NamedTuple):
    """Keys from `start` to `end`, both inclusive, in the order of the definition (P-18)."""

    start: str
    end: str


class TimeWindow(NamedTuple):
    """A half-open span of time, `[start, end)`, both aware datetimes (P-3)."""

    start: datetime
    end: datetime


class PartitionsDefinition:
    """The partitions an asset has. Made by one of its subclasses; hashable, compared by value."""

    def get_partition_keys(self, current_time: datetime | None = None) -> Sequence[str]:
        """All keys that exist at `current_time` (now when absent), in order."""
        raise NotImplementedError

    def has_partition_key(self, partition_key: str, current_time: datetime | None = None) -> bool:
        """Whether this exact key exists at `current_time` (P-17)."""
        return partition_key in self.get_partition_keys(current_time)

    def get_first_partition_key(self, current_time: datetime | None = None) -> str | None:
        """The first key, or None when there is none yet."""
        keys = self.get_partition_keys(current_time)
        return keys[0] if keys else None

    def get_last_partition_key(self, current_time: datetime | None = None) -> str | None:
        """The last key, or None when there is none yet."""
        keys = self.get_partition_keys(current_time)
        return keys[-1] if keys else None

    def get_num_partitions(self, current_time: datetime | None = None) -> int:
        """How many keys exist."""
        return len(self.get_partition_keys(current_time))

    def get_partition_keys_in_range(self, partition_key_range: PartitionKeyRange) -> Sequence[str]:
        """The keys of an inclusive range; none when it is reversed (P-18)."""
        raise NotImplementedError

    def validate_partition_key(self, partition_key: str, asset: str = "") -> None:
        """Raises `UnknownPartitionError` for a key that does not exist, and says what keys look like."""
        if not self.has_partition_key(partition_key):
            of = f" of `{asset}`" if asset else ""
            raise UnknownPartitionError(
                f"partition `{partition_key}`{of} does not exist; {self.keys_look_like()}"
            )

    def keys_look_like(self) -> str:
        """A sentence that shows a few keys."""
        raise NotImplementedError

    def to_json(self) -> dict[str, Any]:
        """The definition as it stands in a manifest."""
        raise NotImplementedError


@dataclass(frozen=True)
class StaticPartitionsDefinition(PartitionsDefinition):
    """A fixed list of keys, in the order given (P-16).

    Args:
        partition_keys: Different texts, without control characters and without `...`.
    """

    partition_keys: Sequence[str]

    def __post_init__(self) -> None:
        if isinstance(self.partition_keys, str):
            raise DefinitionError(
                f"partition_keys is a list of texts; write StaticPartitionsDefinition([{self.partition_keys!r}])"
            )
        keys = tuple(self.partition_keys)
        object.__setattr__(self, "partition_keys", keys)
        for key in keys:
            if not isinstance(key, str):
                raise DefinitionError(f"partition keys are texts, not {key!r}")
            if "..." in key or any(ord(c) < 32 or ord(c) == 127 for c in key):
                raise DefinitionError(
                    f"partition key {key!r} has `...` or a control character, which ranges and files cannot carry"
                )
        if len(set(keys)) != len(keys):
            twice = sorted({key for key in keys if keys.count(key) > 1})
            raise DefinitionError(f"partition keys are given twice: {', '.join(map(repr, twice))}")

    def get_partition_keys(self, current_time: datetime | None = None) -> Sequence[str]:
        """All keys, in the order given."""
        del current_time
        return self.partition_keys

    def get_partition_keys_in_range(self, partition_key_range: PartitionKeyRange) -> Sequence[str]:
        """The keys from start to end in the order given (P-19)."""
        for key in partition_key_range:
            self.validate_partition_key(key)
        keys = list(self.partition_keys)
        return keys[keys.index(partition_key_range.start) : keys.index(partition_key_range.end) + 1]

    def keys_look_like(self) -> str:
        """The first few keys."""
        shown = ", ".join(f"`{key}`" for key in self.partition_keys[:5])
        more = len(self.partition_keys) - 5
        return f"its keys are {shown}{f' and {more} more' if more > 0 else ''}"

    def to_json(self) -> dict[str, Any]:
        """The definition as it stands in a manifest."""
        return {"kind": "static", "keys": list(self.partition_keys)}
