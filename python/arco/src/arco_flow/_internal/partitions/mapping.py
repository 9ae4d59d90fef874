"""Which upstream partitions a partition needs (P-26 to P-36).

The control plane decides it for runs; the same rules stand here so that `materialize` in a test
loads what a run would load.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from arco_flow._internal.errors import DefinitionError, UnknownPartitionError
from arco_flow._internal.partitions.base import PartitionsDefinition
from arco_flow._internal.partitions.time_window import TimeWindowPartitionsDefinition


class PartitionMapping:
    """How partitions of a downstream asset need those of an upstream one."""

    def to_json(self) -> dict[str, Any]:
        """The mapping as it stands in a manifest."""
        raise NotImplementedError


@dataclass(frozen=True)
class IdentityPartitionMapping(PartitionMapping):
    """The same key (P-26)."""

    def to_json(self) -> dict[str, Any]:
        """The mapping as it stands in a manifest."""
        return {"kind": "identity"}


@dataclass(frozen=True)
class AllPartitionMapping(PartitionMapping):
    """Every upstream partition that exists when the run is planned (P-27)."""

    def to_json(self) -> dict[str, Any]:
        """The mapping as it stands in a manifest."""
        return {"kind": "all"}


@dataclass(frozen=True)
class LastPartitionMapping(PartitionMapping):
    """The last upstream partition that exists when the run is planned (P-27)."""

    def to_json(self) -> dict[str, Any]:
        """The mapping as it stands in a manifest."""
        return {"kind": "last"}


@dataclass(frozen=True)
class TimeWindowPartitionMapping(PartitionMapping):
    """Upstream windows that overlap the downstream window (P-30).

    Differs from Dagster: each key is mapped on its own, also when a task has several (P-33).

    Args:
        start_offset: Moves the start of the window by whole downstream windows.
        end_offset: Moves the end of the window by whole downstream windows.
        allow_nonexistent_upstream_partitions: Upstream windows that do not exist are left out
            instead of refused (P-34).
    """

    start_offset: int = 0
    end_offset: int = 0
    allow_nonexistent_upstream_partitions: bool = False

    def to_json(self) -> dict[str, Any]:
        """The mapping as it stands in a manifest."""
        return {
            "kind": "time_window",
            "start_offset": self.start_offset,
            "end_offset": self.end_offset,
            "allow_nonexistent_upstream_partitions": self.allow_nonexistent_upstream_partitions,
        }


def infer_mapping(
    downstream: PartitionsDefinition | None, upstream: PartitionsDefinition | None
) -> PartitionMapping:
    """The mapping when none is given: overlap, all, or identity."""
    if downstream is None or upstream is None:
        return AllPartitionMapping()
    if isinstance(downstream, TimeWindowPartitionsDefinition) and isinstance(
        upstream, TimeWindowPartitionsDefinition
    ):
        return TimeWindowPartitionMapping()
    return IdentityPartitionMapping()


def upstream_partition_keys(
    mapping: PartitionMapping | None,
    downstream: PartitionsDefinition | None,
    upstream: PartitionsDefinition,
    keys: Sequence[str],
    now: datetime | None = None,
) -> list[str]:
    """The upstream keys that the downstream `keys` need, in upstream order.

    Raises:
        UnknownPartitionError: When a needed upstream partition does not exist (P-41).
    """
    there, missing = needed_partition_keys(mapping, downstream, upstream, keys, now)
    if missing:
        raise UnknownPartitionError(
            f"partitions {', '.join(missing)} of the upstream asset are needed and do not exist; "
            "set allow_nonexistent_upstream_partitions=True in a TimeWindowPartitionMapping to leave them out"
        )
    return there


def needed_partition_keys(
    mapping: PartitionMapping | None,
    downstream: PartitionsDefinition | None,
    upstream: PartitionsDefinition,
    keys: Sequence[str],
    now: datetime | None = None,
) -> tuple[list[str], list[str]]:
    """The upstream keys that are needed: those that exist, and those that do not (P-34)."""
    mapping = mapping or infer_mapping(downstream, upstream)
    if isinstance(mapping, AllPartitionMapping):
        return list(upstream.get_partition_keys(now)), []
    if isinstance(mapping, LastPartitionMapping):
        last = upstream.get_last_partition_key(now)
        return ([] if last is None else [last]), []
    if isinstance(mapping, IdentityPartitionMapping):
        return _identity(downstream, upstream, keys, now)
    if isinstance(mapping, TimeWindowPartitionMapping):
        return _overlapping(mapping, downstream, upstream, keys, now)
    raise DefinitionError(f"{type(mapping).__name__} is no mapping Arco knows")


def _identity(
    downstream: PartitionsDefinition | None,
    upstream: PartitionsDefinition,
    keys: Sequence[str],
    now: datetime | None,
) -> tuple[list[str], list[str]]:
    if type(downstream) is not type(upstream):
        raise DefinitionError(
            "IdentityPartitionMapping needs partitions of one kind on both sides, static or of one cadence"
        )
    there = [key for key in keys if upstream.has_partition_key(key, now)]
    return there, [key for key in keys if key not in there]


def _overlapping(
    mapping: TimeWindowPartitionMapping,
    downstream: PartitionsDefinition | None,
    upstream: PartitionsDefinition,
    keys: Sequence[str],
    now: datetime | None,
) -> tuple[list[str], list[str]]:
    if not isinstance(downstream, TimeWindowPartitionsDefinition) or not isinstance(
        upstream, TimeWindowPartitionsDefinition
    ):
        raise DefinitionError("TimeWindowPartitionMapping needs windows of time on both sides")
    if downstream.timezone != upstream.timezone:
        raise DefinitionError(
            f"partitions in `{downstream.timezone}` cannot be mapped to partitions in "
            f"`{upstream.timezone}`; give both one time zone"
        )
    first, bound = upstream.first, upstream.bound(now)
    starts = sorted({s for key in keys for s in _needed(mapping, downstream, upstream, key, bound)})
    there = [s for s in starts if s >= first and upstream.ticks.after(s) <= bound]
    missing = (
        []
        if mapping.allow_nonexistent_upstream_partitions
        else [s for s in starts if s not in there]
    )
    return [upstream.key_of(s) for s in there], [upstream.key_of(s) for s in missing]


def _needed(
    mapping: TimeWindowPartitionMapping,
    downstream: TimeWindowPartitionsDefinition,
    upstream: TimeWindowPartitionsDefinition,
    key: str,
    bound: datetime,
) -> list[datetime]:
    """Starts of the upstream windows that overlap the shifted window of `key`."""
    ticks, parents = downstream.ticks, upstream.ticks
    window = downstream.time_window_for_partition_key(key)
    start = parents.at_or_before(ticks.step(window.start, mapping.start_offset))
    end = parents.at_or_after(ticks.step(window.end, mapping.end_offset))
    if bound > upstream.first:
        # A shift stops at the bounds of what the parent has, so that the first partition of an asset
        # that reads its own past needs nothing (P-32).
        start = _clamp(start, mapping.start_offset, upstream.first, bound)
        end = _clamp(end, mapping.end_offset, upstream.first, bound)
    found, tick = [], start
    while tick < end:
        found.append(tick)
        tick = parents.after(tick)
    return found


def _clamp(instant: datetime, offset: int, first: datetime, bound: datetime) -> datetime:
    if offset < 0:
        return max(instant, first)
    return min(instant, bound) if offset > 0 else instant
