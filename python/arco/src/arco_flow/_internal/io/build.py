"""Contexts for unit tests of IO managers."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from arco_flow._internal.errors import UsageError
from arco_flow._internal.io.base import InputContext, OutputContext
from arco_flow._internal.keys import AssetKey, CoercibleToAssetKey
from arco_flow._internal.partitions import PartitionKeyRange, PartitionsDefinition


def build_input_context(
    name: str | None = None,
    config: None = None,
    definition_metadata: Mapping[str, Any] | None = None,
    upstream_output: OutputContext | None = None,
    dagster_type: Any = None,
    resource_config: Mapping[str, Any] | None = None,
    resources: Mapping[str, Any] | None = None,
    op_def: None = None,
    step_context: None = None,
    asset_key: CoercibleToAssetKey | None = None,
    partition_key: str | None = None,
    asset_partition_key_range: PartitionKeyRange | None = None,
    asset_partitions_def: PartitionsDefinition | None = None,
    instance: None = None,
    metadata: Mapping[str, Any] | None = None,
    *,
    asset_partition_keys: Sequence[str] | None = None,
) -> InputContext:
    """A context for a unit test that calls `load_input`.

    Differs from Dagster: `dagster_type` is the annotation of the parameter, a Python type, and several
    partitions can be given as `asset_partition_keys`.
    """
    del config, op_def, step_context, instance
    return InputContext(
        annotation=Any if dagster_type is None else dagster_type,
        upstream_output=upstream_output,
        name=name or "value",
        **_shared(
            asset_key, partition_key, asset_partition_key_range, asset_partitions_def, asset_partition_keys,
            resources, resource_config, definition_metadata or metadata,
        ),
    )  # fmt: skip


def build_output_context(
    step_key: str | None = None,
    name: str | None = None,
    definition_metadata: Mapping[str, Any] | None = None,
    run_id: str | None = None,
    mapping_key: None = None,
    config: None = None,
    dagster_type: Any = None,
    version: None = None,
    resource_config: Mapping[str, Any] | None = None,
    resources: Mapping[str, Any] | None = None,
    op_def: None = None,
    asset_key: CoercibleToAssetKey | None = None,
    partition_key: str | None = None,
    asset_partitions_def: PartitionsDefinition | None = None,
    asset_partition_key_range: PartitionKeyRange | None = None,
    instance: None = None,
    asset_spec: Any = None,
    metadata: Mapping[str, Any] | None = None,
    output_metadata: Mapping[str, Any] | None = None,
    *,
    asset_partition_keys: Sequence[str] | None = None,
) -> OutputContext:
    """A context for a unit test that calls `handle_output`; differs as `build_input_context` does."""
    del mapping_key, config, version, op_def, instance
    context = OutputContext(
        annotation=Any if dagster_type is None else dagster_type,
        asset_spec=asset_spec,
        name=name or "result",
        run_id=run_id or "test",
        step_key=step_key or "",
        **_shared(
            asset_key, partition_key, asset_partition_key_range, asset_partitions_def, asset_partition_keys,
            resources, resource_config, definition_metadata or metadata,
        ),
    )  # fmt: skip
    context.add_output_metadata(output_metadata or {})
    return context


def _shared(
    asset_key: CoercibleToAssetKey | None,
    partition_key: str | None,
    key_range: PartitionKeyRange | None,
    partitions_def: PartitionsDefinition | None,
    partition_keys: Sequence[str] | None,
    resources: Mapping[str, Any] | None,
    resource_config: Mapping[str, Any] | None,
    metadata: Mapping[str, Any] | None,
) -> dict[str, Any]:
    from arco_flow._internal.resource_runtime import Resources

    keys = partition_keys if partition_key is None else [partition_key]
    if key_range is not None:
        if partitions_def is None:
            raise UsageError(
                "a partition key range needs asset_partitions_def= too, which knows the keys between"
            )
        keys = partitions_def.get_partition_keys_in_range(key_range)
    return {
        "asset_key": None if asset_key is None else AssetKey.from_coercible(asset_key),
        "partitions": keys,
        "partitions_def": partitions_def,
        "log": logging.getLogger("arco.task"),
        "resources": Resources(**(resources or {})),
        "resource_config": resource_config,
        "definition_metadata": metadata,
    }
