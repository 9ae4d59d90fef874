"""Contexts for unit tests that call decorated functions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from arco_flow._internal.context import AssetCheckExecutionContext, AssetExecutionContext
from arco_flow._internal.errors import UsageError
from arco_flow._internal.partitions import PartitionKeyRange, PartitionsDefinition
from arco_flow._internal.task_facts import RunInfo, TaskFacts


def build_asset_context(
    resources: Mapping[str, Any] | None = None,
    resources_config: None = None,
    asset_config: Mapping[str, Any] | None = None,
    instance: None = None,
    partition_key: str | None = None,
    partition_key_range: PartitionKeyRange | None = None,
    run_tags: Mapping[str, str] | None = None,
    event_loop: None = None,
    *,
    partition_keys: Sequence[str] | None = None,
    partitions_def: PartitionsDefinition | None = None,
) -> AssetExecutionContext:
    """A context for a unit test that calls a decorated function.

    Differs from Dagster: a range is given as `partition_keys`, or as `partition_key_range` together
    with `partitions_def`; time windows need `partitions_def` too.

    Args:
        resources: Values by name.
        asset_config: Configuration as plain data.
        partition_key: The one partition.
        partition_key_range: First and last partition.
        run_tags: Tags of the run.
        partition_keys: Several partitions.
        partitions_def: The partitions definition of the asset.
    """
    del resources_config, instance, event_loop
    from arco_flow._internal.resource_runtime import Resources

    keys: Sequence[str] | None = partition_keys
    if partition_key is not None:
        keys = [partition_key]
    if partition_key_range is not None:
        if partitions_def is None:
            raise UsageError(
                "a partition_key_range needs partitions_def= too, which knows the keys between"
            )
        keys = partitions_def.get_partition_keys_in_range(partition_key_range)
    return AssetExecutionContext(
        TaskFacts(
            run=RunInfo("test", dict(run_tags or {})),
            partitions=keys,
            partitions_def=partitions_def,
            op_config=asset_config,
            resources=Resources(**(resources or {})),
        )
    )


def build_asset_check_context(
    resources: Mapping[str, Any] | None = None,
    resources_config: None = None,
    asset_config: Mapping[str, Any] | None = None,
    instance: None = None,
) -> AssetCheckExecutionContext:
    """A context for a unit test that calls a decorated check."""
    return AssetCheckExecutionContext(
        build_asset_context(resources, resources_config, asset_config, instance)._facts
    )
