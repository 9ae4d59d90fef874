"""Mappings that user code says: as lists of pairs between static partitions, and to be asked between others.

Between static partitions they are asked where code is loaded. What they answer stands in the manifest, so the
control plane asks no code when it plans, and answers the same until other definitions are deployed.
"""

from __future__ import annotations

from arco_flow._internal.errors import DefinitionError
from arco_flow._internal.partitions.asked import AskedPartitionMapping
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


def is_built_in(mapping: PartitionMapping) -> bool:
    """Whether the control plane knows the rule. A subclass of a built-in one that says in code which keys are
    needed is a mapping of your own."""
    own = type(mapping).get_upstream_partition_keys
    return isinstance(mapping, BUILT_IN) and own is PartitionMapping.get_upstream_partition_keys


def listed(
    mapping: PartitionMapping, downstream: Side, upstream: Side, edge: str
) -> PartitionMapping:
    """The mapping with what is said in code as pairs, or to be asked; one without code as it is.

    Args:
        mapping: Of one edge of the graph, or of one dimension of it.
        downstream: Partitions of the asset that reads.
        upstream: Partitions of the asset that is read.
        edge: The two assets in words, for errors.

    Raises:
        DefinitionError: When a side has no partitions, or those of a dimension are not static; or when the code
            is asked here, and raises or answers something else than upstream keys.
    """
    if is_built_in(mapping):
        if isinstance(mapping, MultiPartitionMapping):
            return _of_dimensions(mapping, downstream, upstream, edge)
        return mapping
    if downstream is None or upstream is None:
        raise DefinitionError(
            f"{type(mapping).__name__} ({edge}) is a mapping of your own, and needs partitions on both sides; use "
            "AllPartitionMapping or another built-in one"
        )
    if type(mapping).get_upstream_partition_keys is PartitionMapping.get_upstream_partition_keys:
        raise DefinitionError(_lacks_method(mapping, edge))
    if not isinstance(downstream, StaticPartitionsDefinition) or not isinstance(
        upstream, StaticPartitionsDefinition
    ):
        return AskedPartitionMapping(mapping, downstream, upstream, edge)
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


def _lacks_method(mapping: PartitionMapping, edge: str) -> str:
    return (
        f"{type(mapping).__name__} ({edge}) is a mapping of your own; say in its method "
        "get_upstream_partition_keys(self, downstream_partition_key, downstream_partitions_def, "
        "upstream_partitions_def) which upstream keys a downstream one needs"
    )


def _of_dimensions(
    mapping: MultiPartitionMapping, downstream: Side, upstream: Side, edge: str
) -> PartitionMapping:
    ups = dict(upstream) if isinstance(upstream, MultiPartitionsDefinition) else {}
    downs = dict(downstream) if isinstance(downstream, MultiPartitionsDefinition) else {}
    dimensions = mapping.downstream_mappings_by_upstream_dimension
    if all(is_built_in(each.partition_mapping) for each in dimensions.values()):
        return mapping
    return MultiPartitionMapping(
        {
            up: DimensionPartitionMapping(
                each.dimension_name,
                _of_dimension(
                    each.partition_mapping,
                    downs.get(each.dimension_name),
                    ups.get(up),
                    f"{edge}, dimension `{up}`",
                ),
            )
            for up, each in dimensions.items()
        }
    )


def _of_dimension(
    mapping: PartitionMapping, downstream: Side, upstream: Side, edge: str
) -> PartitionMapping:
    found = listed(mapping, downstream, upstream, edge)
    if isinstance(found, AskedPartitionMapping):
        raise DefinitionError(
            f"{type(mapping).__name__} ({edge}) is a mapping of your own, and maps a dimension between static "
            "partitions only; map whole partitions with it, or use TimeWindowPartitionMapping, AllPartitionMapping or "
            "another built-in one for the dimension"
        )
    return found
