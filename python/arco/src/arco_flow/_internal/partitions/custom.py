"""Mappings that user code says, as lists of pairs.

They are asked where code is loaded. What they answer stands in the manifest, so the control plane asks no code
when it plans, and answers the same until other definitions are deployed.
"""

from __future__ import annotations

from arco_flow._internal.errors import DefinitionError
from arco_flow._internal.partitions.base import PartitionsDefinition, StaticPartitionsDefinition
from arco_flow._internal.partitions.mapping import (
    AllPartitionMapping,
    DimensionPartitionMapping,
    IdentityPartitionMapping,
    LastPartitionMapping,
    MultiPartitionMapping,
    MultiToSingleDimensionPartitionMapping,
    PartitionMapping,
    SpecificPartitionsPartitionMapping,
    StaticPartitionMapping,
    TimeWindowPartitionMapping,
)
from arco_flow._internal.partitions.multi import MultiPartitionsDefinition

BUILT_IN = (
    AllPartitionMapping,
    IdentityPartitionMapping,
    LastPartitionMapping,
    MultiPartitionMapping,
    MultiToSingleDimensionPartitionMapping,
    SpecificPartitionsPartitionMapping,
    StaticPartitionMapping,
    TimeWindowPartitionMapping,
)

Side = PartitionsDefinition | None


def listed(
    mapping: PartitionMapping, downstream: Side, upstream: Side, edge: str
) -> PartitionMapping:
    """The mapping with what is said in code as pairs; one without code as it is.

    Args:
        mapping: Of one edge of the graph, or of one dimension of it.
        downstream: Partitions of the asset that reads.
        upstream: Partitions of the asset that is read.
        edge: The two assets in words, for errors.

    Raises:
        DefinitionError: When partitions on a side are not static, or the code raises or answers something else
            than upstream keys.
    """
    if isinstance(mapping, MultiPartitionMapping):
        return _of_dimensions(mapping, downstream, upstream, edge)
    if isinstance(mapping, BUILT_IN):
        return mapping
    if not isinstance(downstream, StaticPartitionsDefinition) or not isinstance(
        upstream, StaticPartitionsDefinition
    ):
        raise DefinitionError(
            f"{type(mapping).__name__} ({edge}) is a mapping of your own, and needs static partitions on both "
            "sides: of others new ones come while no code is asked. Use TimeWindowPartitionMapping, "
            "AllPartitionMapping or another built-in one"
        )
    pairs: dict[str, list[str]] = {}
    for key in downstream.partition_keys:
        for up in _answer(mapping, key, downstream, upstream, edge):
            pairs.setdefault(up, []).append(key)
    return StaticPartitionMapping({up: pairs[up] for up in upstream.partition_keys if up in pairs})


def _answer(
    mapping: PartitionMapping,
    key: str,
    downstream: StaticPartitionsDefinition,
    upstream: StaticPartitionsDefinition,
    edge: str,
) -> set[str]:
    asked = f"{type(mapping).__name__}.get_upstream_partition_keys of `{key}` ({edge})"
    try:
        answer = mapping.get_upstream_partition_keys(key, downstream, upstream)
    except NotImplementedError as error:
        raise DefinitionError(
            f"{type(mapping).__name__} ({edge}) is a mapping of your own; say in its method "
            "get_upstream_partition_keys(self, downstream_partition_key, downstream_partitions_def, "
            "upstream_partitions_def) which upstream keys a downstream one needs"
        ) from error
    except Exception as error:
        raise DefinitionError(f"{asked} raised {type(error).__name__}: {error}") from error
    try:
        keys = {answer} if isinstance(answer, str) else set(answer)
    except TypeError as error:
        raise DefinitionError(f"{asked} gave {answer!r}; give a list of upstream keys") from error
    strange = sorted(map(str, keys - set(upstream.partition_keys)))
    if strange:
        raise DefinitionError(
            f"{asked} gave the key `{strange[0]}`, which the upstream asset does not have; "
            f"{upstream.keys_look_like()}"
        )
    return keys


def _of_dimensions(
    mapping: MultiPartitionMapping, downstream: Side, upstream: Side, edge: str
) -> PartitionMapping:
    ups = dict(upstream) if isinstance(upstream, MultiPartitionsDefinition) else {}
    downs = dict(downstream) if isinstance(downstream, MultiPartitionsDefinition) else {}
    dimensions = mapping.downstream_mappings_by_upstream_dimension
    if all(isinstance(each.partition_mapping, BUILT_IN) for each in dimensions.values()):
        return mapping
    return MultiPartitionMapping(
        {
            up: DimensionPartitionMapping(
                each.dimension_name,
                listed(
                    each.partition_mapping,
                    downs.get(each.dimension_name),
                    ups.get(up),
                    f"{edge}, dimension `{up}`",
                ),
            )
            for up, each in dimensions.items()
        }
    )
