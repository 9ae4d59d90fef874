"""Which upstream partitions a partition needs (P-26 to P-40).

The control plane decides it for runs; the same rules stand here so that `materialize` in a test
loads what a run would load.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import product
from typing import Any

from arco_flow._internal.errors import DefinitionError, UnknownPartitionError
from arco_flow._internal.partitions.base import PartitionsDefinition, StaticPartitionsDefinition
from arco_flow._internal.partitions.multi import MultiPartitionsDefinition
from arco_flow._internal.partitions.time_window import TimeWindowPartitionsDefinition


class PartitionMapping:
    """How partitions of a downstream asset need those of an upstream one.

    A subclass of your own says it in code, with `get_upstream_partition_keys`. Between static partitions it is
    asked for each downstream key when its code location is loaded, and is a list of pairs from then on, as a
    `StaticPartitionMapping` is (P-29). Between others it is asked in a worker: about each downstream partition
    once, as it comes, and about all again when other definitions are deployed (ADR 0021). So its answer follows
    from the key and from code; the time of day and databases are not looked at again. Dagster's method of sets of
    partitions is not called.
    """

    def get_upstream_partition_keys(
        self,
        downstream_partition_key: str,
        downstream_partitions_def: Any,
        upstream_partitions_def: Any,
    ) -> Collection[str]:
        """The upstream keys that a downstream partition needs; of a mapping of your own.

        Args:
            downstream_partition_key: One key of the downstream asset; of several dimensions `a|b`.
            downstream_partitions_def: Its definition. Of dynamic partitions it does not know the keys.
            upstream_partitions_def: Whose keys may be answered. A key that does not exist is missed when the
                partition is planned together with what it reads; others than keys of it are an error.
        """
        raise NotImplementedError

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


@dataclass(frozen=True)
class SpecificPartitionsPartitionMapping(PartitionMapping):
    """These upstream partitions, whichever the downstream one (P-28).

    Differs from Dagster: the keys are checked, except those of dynamic partitions.

    Args:
        partition_keys: Keys of the upstream asset.
    """

    partition_keys: Sequence[str]

    def __post_init__(self) -> None:
        object.__setattr__(self, "partition_keys", tuple(self.partition_keys))

    def to_json(self) -> dict[str, Any]:
        """The mapping as it stands in a manifest."""
        return {"kind": "specific", "keys": list(self.partition_keys)}


@dataclass(frozen=True)
class StaticPartitionMapping(PartitionMapping):
    """Which static upstream key feeds which downstream keys (P-29). A key that is not listed needs nothing.

    Args:
        downstream_partition_keys_by_upstream_partition_key: One key or several for each upstream key.
    """

    downstream_partition_keys_by_upstream_partition_key: Mapping[str, str | Collection[str]]

    def __hash__(self) -> int:
        return hash(str(self.to_json()))

    @property
    def pairs(self) -> dict[str, list[str]]:
        """The listed keys, each as a list."""
        return {
            up: [down] if isinstance(down, str) else sorted(down)
            for up, down in self.downstream_partition_keys_by_upstream_partition_key.items()
        }

    def to_json(self) -> dict[str, Any]:
        """The mapping as it stands in a manifest."""
        return {"kind": "static", "downstream_keys_by_upstream_key": self.pairs}


@dataclass(frozen=True)
class MultiToSingleDimensionPartitionMapping(PartitionMapping):
    """Between one dimension and several: the same key in that dimension, every key in the others (P-38).

    Differs from Dagster: the name that is given counts, also when several dimensions fit.

    Args:
        partition_dimension_name: Which of the several; the one that fits when absent.
    """

    partition_dimension_name: str | None = None

    def to_json(self) -> dict[str, Any]:
        """The mapping as it stands in a manifest."""
        name = self.partition_dimension_name
        return {"kind": "multi_to_single"} | ({} if name is None else {"dimension": name})


@dataclass(frozen=True)
class DimensionPartitionMapping:
    """How one upstream dimension is read by a downstream one.

    Args:
        dimension_name: The downstream dimension.
        partition_mapping: The rule between the two.
    """

    dimension_name: str
    partition_mapping: PartitionMapping


@dataclass(frozen=True)
class MultiPartitionMapping(PartitionMapping):
    """Between several dimensions and several, each by a rule of its own (P-39). Upstream dimensions that are
    not named are needed whole.

    Args:
        downstream_mappings_by_upstream_dimension: For upstream dimensions, each at most once, the
            downstream one and the rule.
    """

    downstream_mappings_by_upstream_dimension: Mapping[str, DimensionPartitionMapping]

    def __hash__(self) -> int:
        return hash(str(self.to_json()))

    def to_json(self) -> dict[str, Any]:
        """The mapping as it stands in a manifest."""
        return {
            "kind": "multi",
            "dimensions": [
                {
                    "upstream": up,
                    "downstream": each.dimension_name,
                    "mapping": each.partition_mapping.to_json(),
                }
                for up, each in self.downstream_mappings_by_upstream_dimension.items()
            ],
        }


def infer_mapping(
    downstream: PartitionsDefinition | None, upstream: PartitionsDefinition | None
) -> PartitionMapping:
    """The mapping when none is given: overlap, all, the dimension that fits, or identity."""
    if downstream is None or upstream is None:
        return AllPartitionMapping()
    if isinstance(downstream, TimeWindowPartitionsDefinition) and isinstance(
        upstream, TimeWindowPartitionsDefinition
    ):
        return TimeWindowPartitionMapping()
    try:
        _single(None, downstream, upstream)
    except DefinitionError:
        return IdentityPartitionMapping()
    return MultiToSingleDimensionPartitionMapping()


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
    if isinstance(mapping, SpecificPartitionsPartitionMapping):
        return _specific(mapping, upstream, now)
    if isinstance(mapping, StaticPartitionMapping):
        return _listed(mapping, downstream, upstream, keys)
    if isinstance(mapping, (MultiToSingleDimensionPartitionMapping, MultiPartitionMapping)):
        return _by_dimension(mapping, downstream, upstream, keys, now)
    from arco_flow._internal.partitions.asked import AskedPartitionMapping

    if isinstance(mapping, AskedPartitionMapping):
        return mapping.needed(keys, now)
    raise DefinitionError(f"{type(mapping).__name__} is no mapping Arco knows")


def _specific(
    mapping: SpecificPartitionsPartitionMapping,
    upstream: PartitionsDefinition,
    now: datetime | None,
) -> tuple[list[str], list[str]]:
    for key in mapping.partition_keys:
        if not _can_be(upstream, key):
            raise DefinitionError(
                f"SpecificPartitionsPartitionMapping names the key `{key}`, which the upstream asset does "
                f"not have; {upstream.keys_look_like()}"
            )
    there = [key for key in mapping.partition_keys if upstream.has_partition_key(key, now)]
    return there, [key for key in mapping.partition_keys if key not in there]


def _can_be(definition: PartitionsDefinition, key: str) -> bool:
    """Whether a text is a key of a definition, be it that its partition does not exist yet."""
    if isinstance(definition, MultiPartitionsDefinition):
        values = key.split("|")
        dimensions = [one for _, one in definition]
        return len(values) == len(dimensions) and all(map(_can_be, dimensions, values))
    if isinstance(definition, TimeWindowPartitionsDefinition):
        try:
            definition.time_window_for_partition_key(key)
        except UnknownPartitionError:
            return False
        return True
    return definition.has_partition_key(key)


def _listed(
    mapping: StaticPartitionMapping,
    downstream: PartitionsDefinition | None,
    upstream: PartitionsDefinition,
    keys: Sequence[str],
) -> tuple[list[str], list[str]]:
    if not isinstance(downstream, StaticPartitionsDefinition) or not isinstance(
        upstream, StaticPartitionsDefinition
    ):
        raise DefinitionError("StaticPartitionMapping needs static partitions on both sides")
    for up, downs in mapping.pairs.items():
        strange = [key for key in downs if key not in downstream.partition_keys]
        strange += [] if up in upstream.partition_keys else [up]
        if strange:
            raise DefinitionError(
                f"StaticPartitionMapping names the key `{strange[0]}`, which its asset does not have"
            )
    return [up for up, downs in mapping.pairs.items() if set(downs) & set(keys)], []


Dimensions = list[tuple[str | None, str | None, PartitionMapping]]


def _single(
    name: str | None, downstream: PartitionsDefinition, upstream: PartitionsDefinition
) -> Dimensions:
    """Which dimension goes with the single one: upstream name, downstream name, rule (P-38)."""
    many, one = (
        (upstream, downstream)
        if isinstance(upstream, MultiPartitionsDefinition)
        else (downstream, upstream)
    )
    if not isinstance(many, MultiPartitionsDefinition) or isinstance(
        one, MultiPartitionsDefinition
    ):
        raise DefinitionError(
            "MultiToSingleDimensionPartitionMapping needs several dimensions on one side and one on the other"
        )
    asked = {n: d for n, d in many if name is None or n == name}
    same = [n for n, d in asked.items() if d == one]
    timed = [n for n, d in asked.items() if isinstance(d, TimeWindowPartitionsDefinition)]
    mapping: PartitionMapping = IdentityPartitionMapping()
    if not same and len(timed) == 1 and isinstance(one, TimeWindowPartitionsDefinition):
        same, mapping = timed, TimeWindowPartitionMapping()
    if len(same) != 1:
        raise DefinitionError(
            "no dimension, or more than one, fits the other side; say which with partition_dimension_name="
        )
    return [(same[0], None, mapping) if many is upstream else (None, same[0], mapping)]


def _by_dimension(
    mapping: MultiToSingleDimensionPartitionMapping | MultiPartitionMapping,
    downstream: PartitionsDefinition | None,
    upstream: PartitionsDefinition,
    keys: Sequence[str],
    now: datetime | None,
) -> tuple[list[str], list[str]]:
    if downstream is None:
        raise DefinitionError("a mapping of dimensions needs a partitioned downstream asset")
    dimensions: Dimensions
    if isinstance(mapping, MultiToSingleDimensionPartitionMapping):
        dimensions = _single(mapping.partition_dimension_name, downstream, upstream)
    else:
        dimensions = [
            (up, each.dimension_name, each.partition_mapping)
            for up, each in mapping.downstream_mappings_by_upstream_dimension.items()
        ]
    ups, downs = _dimensions(upstream), _dimensions(downstream)
    for up, down, _ in dimensions:
        if up not in ups or down not in downs:
            raise DefinitionError(f"there is no dimension `{up if up not in ups else down}`")
    there: dict[str, None] = {}
    missing: dict[str, None] = {}
    for key in keys:
        at = dict(zip(downs, key.split("|") if None not in downs else [key], strict=True))
        found: list[tuple[list[str], list[str]]] = []
        for name, one in ups.items():
            rule = next((d for d in dimensions if d[0] == name), None)
            if rule is None:
                found.append((list(one.get_partition_keys(now)), []))
            else:
                of = downs[rule[1]]
                found.append(needed_partition_keys(rule[2], of, one, [at[rule[1]]], now))
        exist = {"|".join(each) for each in product(*(have for have, _ in found))}
        every = product(*(have + lack for have, lack in found))
        for combination in ("|".join(each) for each in every):
            (there if combination in exist else missing)[combination] = None
    return list(there), list(missing)


def _dimensions(definition: PartitionsDefinition) -> dict[str | None, PartitionsDefinition]:
    """The definitions of the dimensions; the only one has no name."""
    if isinstance(definition, MultiPartitionsDefinition):
        return dict(definition)
    return {None: definition}


def _identity(
    downstream: PartitionsDefinition | None,
    upstream: PartitionsDefinition,
    keys: Sequence[str],
    now: datetime | None,
) -> tuple[list[str], list[str]]:
    names = [list(_dimensions(one)) for one in (downstream, upstream) if one is not None]
    if type(downstream) is not type(upstream) or names[0] != names[1]:
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
    parents = upstream.ticks
    window = downstream.time_window_for_partition_key(key)
    start = parents.at_or_before(downstream.shifted(window.start, mapping.start_offset))
    end = parents.at_or_after(downstream.shifted(window.end, mapping.end_offset))
    if bound > upstream.first:
        # A shift stops at the bounds of what the parent has, so that the first partition of an asset
        # that reads its own past needs nothing (P-32).
        start = _clamp(start, mapping.start_offset, upstream.first, bound)
        end = _clamp(end, mapping.end_offset, upstream.first, bound)
    found, tick = [], start
    while tick < end:
        # A window that is left out is not needed (P-35).
        if not upstream.is_excluded(tick):
            found.append(tick)
        tick = parents.after(tick)
    return found


def _clamp(instant: datetime, offset: int, first: datetime, bound: datetime) -> datetime:
    if offset < 0:
        return max(instant, first)
    return min(instant, bound) if offset > 0 else instant
