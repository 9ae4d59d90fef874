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
    from arco_flow._internal.automation.context import (
        MultiAssetSensorEvaluationContext,
        RunFailureSensorContext,
        RunStatusSensorContext,
        ScheduleEvaluationContext,
        SensorEvaluationContext,
        build_run_status_sensor_context,
        build_schedule_context,
        build_sensor_context,
    )
    from arco_flow._internal.automation.event_sensors import (
        AssetSensorDefinition,
        PushSensorDefinition,
        RunStatusSensorDefinition,
    )
    from arco_flow._internal.automation.events import (
        DagsterEvent,
        DagsterRun,
        DagsterRunStatus,
        EventLogEntry,
        Message,
    )
    from arco_flow._internal.automation.multi_asset_sensor import (
        MultiAssetSensorDefinition,
    )
    from arco_flow._internal.automation.requests import (
        AddDynamicPartitionsRequest,
        BackfillRequest,
        DeleteDynamicPartitionsRequest,
        RunRequest,
        SensorResult,
        SkipReason,
    )
    from arco_flow._internal.automation.results import (
        ScheduleExecutionData,
        SensorExecutionData,
    )
    from arco_flow._internal.automation.sensor_definition import (
        DefaultSensorStatus,
        SensorDefinition,
    )
    from arco_flow._internal.automation.sensors import (
        asset_sensor,
        build_multi_asset_sensor_context,
        multi_asset_sensor,
        push_sensor,
        run_failure_sensor,
        run_status_sensor,
        sensor,
    )
    from arco_flow._internal.client import ArcoApiError, ArcoClient
    from arco_flow._internal.config import Config, PermissiveConfig
    from arco_flow._internal.graph_decorators import graph_asset, graph_multi_asset
    from arco_flow._internal.graphs import GraphDefinition, GraphIn, GraphOut, graph
    from arco_flow._internal.in_process import ExecuteInProcessResult
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
        load_definitions_from_current_module,
        load_definitions_from_module,
        load_definitions_from_modules,
        load_definitions_from_package_module,
        load_definitions_from_package_name,
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
        schedule,
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
    "AddDynamicPartitionsRequest",
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
    "AssetSensorDefinition",
    "AssetSpec",
    "AssetsDefinition",
    "BackfillPolicy",
    "BackfillRequest",
    "Backoff",
    "CatchUp",
    "Config",
    "ConfigError",
    "ConfigurableIOManager",
    "ConfigurableIOManagerFactory",
    "ConfigurableResource",
    "ConfigurableResourceFactory",
    "DagsterError",
    "DagsterEvent",
    "DagsterExecutionInterruptedError",
    "DagsterInvalidConfigDefinitionError",
    "DagsterInvalidConfigError",
    "DagsterInvalidDefinitionError",
    "DagsterInvalidInvocationError",
    "DagsterInvalidSubsetError",
    "DagsterInvariantViolationError",
    "DagsterRun",
    "DagsterRunStatus",
    "DagsterUnknownPartitionError",
    "DailyPartitionsDefinition",
    "DataVersion",
    "DataVersionsByPartition",
    "DefaultScheduleStatus",
    "DefaultSensorStatus",
    "DefinitionError",
    "Definitions",
    "DeleteDynamicPartitionsRequest",
    "DimensionPartitionMapping",
    "DynamicOut",
    "DynamicOutput",
    "DynamicPartitionsDefinition",
    "EnvVar",
    "EventLogEntry",
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
    "Message",
    "MetadataValue",
    "MonthlyPartitionsDefinition",
    "MultiAssetSensorDefinition",
    "MultiAssetSensorEvaluationContext",
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
    "PushSensorDefinition",
    "ResourceParam",
    "RetryPolicy",
    "RetryRequested",
    "RunConfig",
    "RunFailureSensorContext",
    "RunRequest",
    "RunStatusSensorContext",
    "RunStatusSensorDefinition",
    "ScheduleDefinition",
    "ScheduleEvaluationContext",
    "ScheduleExecutionData",
    "SensorDefinition",
    "SensorEvaluationContext",
    "SensorExecutionData",
    "SensorResult",
    "SkipReason",
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
    "asset_sensor",
    "build_asset_check_context",
    "build_asset_context",
    "build_input_context",
    "build_multi_asset_sensor_context",
    "build_output_context",
    "build_run_status_sensor_context",
    "build_schedule_context",
    "build_schedule_from_partitioned_job",
    "build_sensor_context",
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
    "load_definitions_from_current_module",
    "load_definitions_from_module",
    "load_definitions_from_modules",
    "load_definitions_from_package_module",
    "load_definitions_from_package_name",
    "materialize",
    "materialize_to_memory",
    "multi_asset",
    "multi_asset_check",
    "multi_asset_sensor",
    "multi_observable_source_asset",
    "observable_source_asset",
    "observe",
    "op",
    "push_sensor",
    "resource",
    "run_failure_sensor",
    "run_status_sensor",
    "schedule",
    "sensor",
]

# Loaded when they are first asked for: what a module of definitions seldom needs, and pydantic.
_LATE = {
    "MultiAssetSensorEvaluationContext": "automation.context",
    "RunFailureSensorContext": "automation.context",
    "RunStatusSensorContext": "automation.context",
    "ScheduleEvaluationContext": "automation.context",
    "SensorEvaluationContext": "automation.context",
    "build_run_status_sensor_context": "automation.context",
    "build_schedule_context": "automation.context",
    "build_sensor_context": "automation.context",
    "AssetSensorDefinition": "automation.event_sensors",
    "PushSensorDefinition": "automation.event_sensors",
    "RunStatusSensorDefinition": "automation.event_sensors",
    "DagsterEvent": "automation.events",
    "DagsterRun": "automation.events",
    "DagsterRunStatus": "automation.events",
    "EventLogEntry": "automation.events",
    "Message": "automation.events",
    "MultiAssetSensorDefinition": "automation.multi_asset_sensor",
    "AddDynamicPartitionsRequest": "automation.requests",
    "BackfillRequest": "automation.requests",
    "DeleteDynamicPartitionsRequest": "automation.requests",
    "RunRequest": "automation.requests",
    "SensorResult": "automation.requests",
    "SkipReason": "automation.requests",
    "ScheduleExecutionData": "automation.results",
    "SensorExecutionData": "automation.results",
    "DefaultSensorStatus": "automation.sensor_definition",
    "SensorDefinition": "automation.sensor_definition",
    "asset_sensor": "automation.sensors",
    "build_multi_asset_sensor_context": "automation.sensors",
    "multi_asset_sensor": "automation.sensors",
    "push_sensor": "automation.sensors",
    "run_failure_sensor": "automation.sensors",
    "run_status_sensor": "automation.sensors",
    "sensor": "automation.sensors",
    "schedule": "schedules",
    "load_definitions_from_current_module": "load_from",
    "load_definitions_from_module": "load_from",
    "load_definitions_from_modules": "load_from",
    "load_definitions_from_package_module": "load_from",
    "load_definitions_from_package_name": "load_from",
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
    "AssetCheckEvaluation": "checks",
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
