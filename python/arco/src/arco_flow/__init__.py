"""Data assets in Python, orchestrated by Arco.

Names, keywords and signatures are those of Dagster's public API, so that most projects move by
changing `import dagster as dg` to `import arco_flow as dg`. Where Arco differs, the docstring says so.

    import arco_flow as dg

    @dg.asset
    def flights(): ...

    defs = dg.Definitions(assets=[flights])

Importing this package loads the standard library alone, and little of it. Classes built on pydantic
(`Config`, `ConfigurableResource` and theirs) and what tests use are loaded when first asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from arco_flow._internal.assets import AssetChecksDefinition, AssetsDefinition
from arco_flow._internal.backfills import BackfillPolicy
from arco_flow._internal.check_decorators import asset_check, multi_asset_check
from arco_flow._internal.checks import AssetCheckResult, AssetCheckSeverity, AssetCheckSpec
from arco_flow._internal.context import (
    AssetCheckExecutionContext,
    AssetExecutionContext,
    OpExecutionContext,
)
from arco_flow._internal.context_build import build_asset_check_context, build_asset_context
from arco_flow._internal.decorators import asset
from arco_flow._internal.definitions import Definitions
from arco_flow._internal.deps import AssetDep, AssetIn
from arco_flow._internal.env import EnvVar
from arco_flow._internal.errors import (
    ArcoError,
    AssetCheckFailed,
    ConfigError,
    DagsterError,
    DagsterExecutionInterruptedError,
    DagsterInvalidConfigDefinitionError,
    DagsterInvalidConfigError,
    DagsterInvalidDefinitionError,
    DagsterInvalidInvocationError,
    DagsterInvalidSubsetError,
    DagsterInvariantViolationError,
    DagsterUnknownPartitionError,
    DefinitionError,
    Failure,
    LoadError,
    RetryRequested,
    StorageError,
    TaskCancelled,
    UnknownPartitionError,
    UnsupportedError,
    UsageError,
)
from arco_flow._internal.io.base import InputContext, IOManager, OutputContext
from arco_flow._internal.keys import AssetCheckKey, AssetKey
from arco_flow._internal.metadata import MetadataValue
from arco_flow._internal.multi_asset import AssetOut, multi_asset
from arco_flow._internal.partitions import (
    AllPartitionMapping,
    DailyPartitionsDefinition,
    DimensionPartitionMapping,
    DynamicPartitionsDefinition,
    HourlyPartitionsDefinition,
    IdentityPartitionMapping,
    LastPartitionMapping,
    MonthlyPartitionsDefinition,
    MultiPartitionKey,
    MultiPartitionMapping,
    MultiPartitionsDefinition,
    MultiToSingleDimensionPartitionMapping,
    PartitionKeyRange,
    PartitionMapping,
    PartitionsDefinition,
    SpecificPartitionsPartitionMapping,
    StaticPartitionMapping,
    StaticPartitionsDefinition,
    TimeWindow,
    TimeWindowPartitionMapping,
    TimeWindowPartitionsDefinition,
    WeeklyPartitionsDefinition,
)
from arco_flow._internal.results import AssetMaterialization, DataVersion, MaterializeResult, Output
from arco_flow._internal.retry import Backoff, Jitter, RetryPolicy
from arco_flow._internal.signature import ResourceParam
from arco_flow._internal.specs import AssetSpec, SourceAsset
from arco_flow._internal.task_facts import get_logger
from arco_flow._internal.version import __version__

if TYPE_CHECKING:
    from arco_flow._internal.client import ArcoApiError, ArcoClient
    from arco_flow._internal.config import Config, PermissiveConfig
    from arco_flow._internal.graph_decorators import graph_asset, graph_multi_asset
    from arco_flow._internal.graphs import GraphDefinition, GraphIn, GraphOut, graph
    from arco_flow._internal.in_process import AssetCheckEvaluation, ExecuteInProcessResult
    from arco_flow._internal.io.build import build_input_context, build_output_context
    from arco_flow._internal.io.filesystem import FilesystemIOManager
    from arco_flow._internal.io.json import JsonIOManager
    from arco_flow._internal.io.memory import InMemoryIOManager
    from arco_flow._internal.io.parquet import ParquetIOManager
    from arco_flow._internal.jobs import UnresolvedAssetJobDefinition, define_asset_job
    from arco_flow._internal.load_from import (
        load_asset_checks_from_current_module,
        load_asset_checks_from_modules,
        load_assets_from_current_module,
        load_assets_from_modules,
        load_assets_from_package_module,
        load_assets_from_package_name,
    )
    from arco_flow._internal.materialize import materialize, materialize_to_memory, observe
    from arco_flow._internal.observations import (
        AssetObservation,
        DataVersionsByPartition,
        ObserveResult,
        multi_observable_source_asset,
        observable_source_asset,
    )
    from arco_flow._internal.ops import DynamicOut, DynamicOutput, In, OpDefinition, Out, op
    from arco_flow._internal.resource_functions import io_manager, resource
    from arco_flow._internal.resource_runtime import InitResourceContext
    from arco_flow._internal.resources import (
        ConfigurableIOManager,
        ConfigurableIOManagerFactory,
        ConfigurableResource,
        ConfigurableResourceFactory,
    )
    from arco_flow._internal.run_config import RunConfig
    from arco_flow._internal.schedules import (
        CatchUp,
        DefaultScheduleStatus,
        ScheduleDefinition,
        UnresolvedPartitionedAssetScheduleDefinition,
        build_schedule_from_partitioned_job,
    )
    from arco_flow._internal.selection import AssetSelection
    from arco_flow._internal.tables import (
        TableColumn,
        TableColumnConstraints,
        TableColumnDep,
        TableColumnLineage,
        TableConstraints,
        TableRecord,
        TableSchema,
    )

get_dagster_logger = get_logger

__all__ = [
    "AllPartitionMapping",
    "ArcoApiError",
    "ArcoClient",
    "ArcoError",
    "AssetCheckEvaluation",
    "AssetCheckExecutionContext",
    "AssetCheckFailed",
    "AssetCheckKey",
    "AssetCheckResult",
    "AssetCheckSeverity",
    "AssetCheckSpec",
    "AssetChecksDefinition",
    "AssetDep",
    "AssetExecutionContext",
    "AssetIn",
    "AssetKey",
    "AssetMaterialization",
    "AssetObservation",
    "AssetOut",
    "AssetSelection",
    "AssetSpec",
    "AssetsDefinition",
    "BackfillPolicy",
    "Backoff",
    "CatchUp",
    "Config",
    "ConfigError",
    "ConfigurableIOManager",
    "ConfigurableIOManagerFactory",
    "ConfigurableResource",
    "ConfigurableResourceFactory",
    "DagsterError",
    "DagsterExecutionInterruptedError",
    "DagsterInvalidConfigDefinitionError",
    "DagsterInvalidConfigError",
    "DagsterInvalidDefinitionError",
    "DagsterInvalidInvocationError",
    "DagsterInvalidSubsetError",
    "DagsterInvariantViolationError",
    "DagsterUnknownPartitionError",
    "DailyPartitionsDefinition",
    "DataVersion",
    "DataVersionsByPartition",
    "DefaultScheduleStatus",
    "DefinitionError",
    "Definitions",
    "DimensionPartitionMapping",
    "DynamicOut",
    "DynamicOutput",
    "DynamicPartitionsDefinition",
    "EnvVar",
    "ExecuteInProcessResult",
    "Failure",
    "FilesystemIOManager",
    "GraphDefinition",
    "GraphIn",
    "GraphOut",
    "HourlyPartitionsDefinition",
    "IOManager",
    "IdentityPartitionMapping",
    "In",
    "InMemoryIOManager",
    "InitResourceContext",
    "InputContext",
    "Jitter",
    "JsonIOManager",
    "LastPartitionMapping",
    "LoadError",
    "MaterializeResult",
    "MetadataValue",
    "MonthlyPartitionsDefinition",
    "MultiPartitionKey",
    "MultiPartitionMapping",
    "MultiPartitionsDefinition",
    "MultiToSingleDimensionPartitionMapping",
    "ObserveResult",
    "OpDefinition",
    "OpExecutionContext",
    "Out",
    "Output",
    "OutputContext",
    "ParquetIOManager",
    "PartitionKeyRange",
    "PartitionMapping",
    "PartitionsDefinition",
    "PermissiveConfig",
    "ResourceParam",
    "RetryPolicy",
    "RetryRequested",
    "RunConfig",
    "ScheduleDefinition",
    "SourceAsset",
    "SpecificPartitionsPartitionMapping",
    "StaticPartitionMapping",
    "StaticPartitionsDefinition",
    "StorageError",
    "TableColumn",
    "TableColumnConstraints",
    "TableColumnDep",
    "TableColumnLineage",
    "TableConstraints",
    "TableRecord",
    "TableSchema",
    "TaskCancelled",
    "TimeWindow",
    "TimeWindowPartitionMapping",
    "TimeWindowPartitionsDefinition",
    "UnknownPartitionError",
    "UnresolvedAssetJobDefinition",
    "UnresolvedPartitionedAssetScheduleDefinition",
    "UnsupportedError",
    "UsageError",
    "WeeklyPartitionsDefinition",
    "__version__",
    "asset",
    "asset_check",
    "build_asset_check_context",
    "build_asset_context",
    "build_input_context",
    "build_output_context",
    "build_schedule_from_partitioned_job",
    "define_asset_job",
    "get_dagster_logger",
    "get_logger",
    "graph",
    "graph_asset",
    "graph_multi_asset",
    "io_manager",
    "load_asset_checks_from_current_module",
    "load_asset_checks_from_modules",
    "load_assets_from_current_module",
    "load_assets_from_modules",
    "load_assets_from_package_module",
    "load_assets_from_package_name",
    "materialize",
    "materialize_to_memory",
    "multi_asset",
    "multi_asset_check",
    "multi_observable_source_asset",
    "observable_source_asset",
    "observe",
    "op",
    "resource",
]

# Loaded when they are first asked for: what a module of definitions seldom needs, and pydantic.
_LATE = {
    "ArcoApiError": "client",
    "ArcoClient": "client",
    "GraphDefinition": "graphs",
    "GraphIn": "graphs",
    "GraphOut": "graphs",
    "graph": "graphs",
    "graph_asset": "graph_decorators",
    "graph_multi_asset": "graph_decorators",
    "DynamicOut": "ops",
    "DynamicOutput": "ops",
    "In": "ops",
    "OpDefinition": "ops",
    "Out": "ops",
    "op": "ops",
    "Config": "config",
    "PermissiveConfig": "config",
    "AssetCheckEvaluation": "in_process",
    "ExecuteInProcessResult": "in_process",
    "build_input_context": "io.build",
    "build_output_context": "io.build",
    "FilesystemIOManager": "io.filesystem",
    "InMemoryIOManager": "io.memory",
    "JsonIOManager": "io.json",
    "ParquetIOManager": "io.parquet",
    "UnresolvedAssetJobDefinition": "jobs",
    "define_asset_job": "jobs",
    "CatchUp": "schedules",
    "DefaultScheduleStatus": "schedules",
    "ScheduleDefinition": "schedules",
    "UnresolvedPartitionedAssetScheduleDefinition": "schedules",
    "build_schedule_from_partitioned_job": "schedules",
    "load_asset_checks_from_current_module": "load_from",
    "load_asset_checks_from_modules": "load_from",
    "load_assets_from_current_module": "load_from",
    "load_assets_from_modules": "load_from",
    "load_assets_from_package_module": "load_from",
    "load_assets_from_package_name": "load_from",
    "AssetObservation": "observations",
    "DataVersionsByPartition": "observations",
    "ObserveResult": "observations",
    "multi_observable_source_asset": "observations",
    "observable_source_asset": "observations",
    "observe": "materialize",
    "materialize": "materialize",
    "materialize_to_memory": "materialize",
    "io_manager": "resource_functions",
    "resource": "resource_functions",
    "InitResourceContext": "resource_runtime",
    "ConfigurableIOManager": "resources",
    "ConfigurableIOManagerFactory": "resources",
    "ConfigurableResource": "resources",
    "ConfigurableResourceFactory": "resources",
    "RunConfig": "run_config",
    "AssetSelection": "selection",
    "TableColumn": "tables",
    "TableColumnConstraints": "tables",
    "TableConstraints": "tables",
    "TableColumnDep": "tables",
    "TableColumnLineage": "tables",
    "TableRecord": "tables",
    "TableSchema": "tables",
}


def __getattr__(name: str) -> Any:
    module = _LATE.get(name)
    if module is not None:
        from importlib import import_module

        value = getattr(import_module(f"arco_flow._internal.{module}"), name)
        globals()[name] = value
        return value
    from arco_flow._internal.unsupported import NAMES

    if name in NAMES:
        # An AttributeError would be swallowed by `from arco_flow import x`, and the message with it.
        raise UnsupportedError(f"arco_flow has no `{name}`: {NAMES[name]}")
    raise AttributeError(f"module 'arco_flow' has no attribute '{name}'")


def __dir__() -> list[str]:
    return sorted({*globals(), *_LATE})
