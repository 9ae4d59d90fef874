"""Partitions of several dimensions (P-20 to P-22)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from itertools import product
from typing import Any

from arco_flow._internal.errors import DefinitionError, UnknownPartitionError, UsageError
from arco_flow._internal.partitions.base import (
    PartitionKeyRange,
    PartitionsDefinition,
    StaticPartitionsDefinition,
)

_NAME = re.compile(r"[A-Za-z0-9_]+\Z")


class MultiPartitionKey(str):
    """The key of a partition of several dimensions: the values, in the order of the names of their
    dimensions, joined by `|`.

    Args:
        keys_by_dimension: The value of each dimension.
    """

    keys_by_dimension: dict[str, str]

    def __new__(cls, keys_by_dimension: Mapping[str, str]) -> MultiPartitionKey:
        in_order = dict(sorted(keys_by_dimension.items()))
        made = super().__new__(cls, "|".join(in_order.values()))
        made.keys_by_dimension = in_order
        return made

    def __getnewargs__(self) -> tuple[dict[str, str]]:  # type: ignore[override]
        return (self.keys_by_dimension,)


class MultiPartitionsDefinition(PartitionsDefinition):
    """All combinations of the partitions of several dimensions.

    Differs from Dagster: there may be any number of dimensions, and their names are letters, digits and
    underscores.

    Args:
        partitions_defs: For the name of each dimension its definition, which has one dimension.
    """

    def __init__(self, partitions_defs: Mapping[str, PartitionsDefinition]) -> None:
        if not isinstance(partitions_defs, Mapping) or not partitions_defs:
            raise DefinitionError(
                'several dimensions are a dict; write MultiPartitionsDefinition({"date": ..., "region": ...})'
            )
        for name, one in partitions_defs.items():
            _check(name, one)
        self._defs = dict(sorted(partitions_defs.items()))

    @property
    def partition_dimension_names(self) -> list[str]:
        """Names of the dimensions, in the order of the values in a key."""
        return list(self._defs)

    def get_partitions_def_for_dimension(self, dimension_name: str) -> PartitionsDefinition:
        """The definition of one dimension."""
        if dimension_name not in self._defs:
            raise UsageError(
                f"there is no dimension `{dimension_name}`; there are {', '.join(self._defs)}"
            )
        return self._defs[dimension_name]

    def get_partition_key_from_str(self, partition_key_str: str) -> MultiPartitionKey:
        """A key with its dimensions. Says nothing on whether it exists.

        Raises:
            UnknownPartitionError: When the text does not have a value for each dimension.
        """
        values = partition_key_str.split("|")
        if len(values) != len(self._defs):
            raise UnknownPartitionError(
                f"`{partition_key_str}` does not have the dimensions {'|'.join(self._defs)}; "
                f"{self.keys_look_like()}"
            )
        return MultiPartitionKey(dict(zip(self._defs, values, strict=True)))

    def get_partition_keys(self, current_time: datetime | None = None) -> Sequence[str]:
        """All combinations of what exists, the first dimension outermost."""
        return self._combined([one.get_partition_keys(current_time) for one in self._defs.values()])

    def get_num_partitions(self, current_time: datetime | None = None) -> int:
        """How many keys exist."""
        count = 1
        for one in self._defs.values():
            count *= one.get_num_partitions(current_time)
        return count

    def has_partition_key(self, partition_key: str, current_time: datetime | None = None) -> bool:
        """Whether each value exists in its dimension."""
        try:
            key = self.get_partition_key_from_str(partition_key)
        except UnknownPartitionError:
            return False
        return all(
            self._defs[name].has_partition_key(value, current_time)
            for name, value in key.keys_by_dimension.items()
        )

    def get_partition_keys_in_range(self, partition_key_range: PartitionKeyRange) -> Sequence[str]:
        """The combinations of the ranges of each dimension (P-22)."""
        start, end = (self.get_partition_key_from_str(key) for key in partition_key_range)
        return self._combined(
            [
                one.get_partition_keys_in_range(
                    PartitionKeyRange(start.keys_by_dimension[name], end.keys_by_dimension[name])
                )
                for name, one in self._defs.items()
            ]
        )

    def _combined(self, values: list[Sequence[str]]) -> list[str]:
        return [
            MultiPartitionKey(dict(zip(self._defs, combination, strict=True)))
            for combination in product(*values)
        ]

    def keys_look_like(self) -> str:
        """The names in order, and what each dimension's keys look like."""
        each = "; ".join(f"`{name}`: {one.keys_look_like()}" for name, one in self._defs.items())
        return f"keys are {'|'.join(self._defs)} ({each})"

    def to_json(self) -> dict[str, Any]:
        """The definition as it stands in a manifest."""
        dimensions = {name: one.to_json() for name, one in self._defs.items()}
        return {"kind": "multi", "dimensions": dimensions}

    def __iter__(self) -> Iterator[tuple[str, PartitionsDefinition]]:
        return iter(self._defs.items())

    def __eq__(self, other: object) -> bool:
        return isinstance(other, MultiPartitionsDefinition) and self._defs == other._defs

    def __hash__(self) -> int:
        return hash(tuple(self._defs.items()))

    def __repr__(self) -> str:
        return f"MultiPartitionsDefinition({self._defs!r})"


def keys_for_people(
    partitions_def: PartitionsDefinition | None, keys: Sequence[str] | None
) -> Sequence[str] | None:
    """Keys as user code sees them: those of several dimensions with their dimensions."""
    if not isinstance(partitions_def, MultiPartitionsDefinition) or keys is None:
        return keys
    return [partitions_def.get_partition_key_from_str(key) for key in keys]


def _check(name: object, one: object) -> None:
    if not isinstance(name, str) or not _NAME.match(name) or name == "_":
        raise DefinitionError(
            f"a dimension cannot be called {name!r}; use letters, digits and underscores"
        )
    if not isinstance(one, PartitionsDefinition) or isinstance(one, MultiPartitionsDefinition):
        raise DefinitionError(
            f"dimension `{name}` needs a partitions definition of one dimension, not {one!r}"
        )
    if isinstance(one, StaticPartitionsDefinition):
        for key in one.partition_keys:
            if set(key) & set("|,[]"):
                raise DefinitionError(
                    f"dimension `{name}` has the key `{key}`, and keys of several dimensions cannot "
                    "contain `|`, `,`, `[` or `]`; rename it"
                )
