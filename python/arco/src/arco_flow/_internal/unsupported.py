"""Words of Dagster that Arco does not have, and what comes instead.

Parameters are checked where they are given; names answer an import with the way to go.
"""

from __future__ import annotations

import sys
from typing import Any

from arco_flow._internal.errors import UnsupportedError
from arco_flow._internal.names import did_you_mean

PARAMETERS = {
    "asset_graph_subset": "ask for a backfill: BackfillRequest(selection, partitions=[...])",
    "asset_key": "the asset of an input is said where the graph is made: ins={...}",
    "asset_partitions": "upstream partitions are those of the graph's partition mappings",
    "auto_materialize_policy": "automation is not there yet; drop it",
    "auto_observe_interval_minutes": "automation is not there yet; drop it",
    "automation_condition": "automation is not there yet; drop it, and start runs with `arco run` or the API",
    "backfill_policy": "write it on the @asset, or ask for it: `arco backfill create --partitions-per-run N`",
    "can_subset": "the checks of one function are judged together; write one `@asset_check` for each",
    "component_tree": "components are not supported; give assets and resources",
    "compute_kind": "write kinds={...}",
    "config_schema": "write a class of `arco_flow.Config` and a parameter `config: ThatClass`",
    "config": "configure ops one by one, under their names: ops: {\"graph.op\": {\"config\": {...}}}",
    "check_specs": "write an `@asset_check` of the graph's asset",
    "dagster_type": "annotate the function with the Python type; IO managers see it",
    "default_value": "give the parameter of the function a default",
    "environment_vars": "set them where the worker host is started",
    "execution": "worker hosts execute; choose `isolation=` per asset instead",
    "executor_def": "worker hosts execute; choose `isolation=` per asset instead",
    "executor": "worker hosts execute; choose `isolation=` per asset instead",
    "freshness_policy": "freshness is not there yet; drop it",
    "hooks": "hooks are not supported; look at the result of the run instead",
    "input_defs": "the parameters of the function are the inputs",
    "output_defs": "write out={...}",
    "input_manager_key": "inputs are read by the IO manager of the upstream asset",
    "instance": "there is no instance in a test; values stay in memory and in a temporary folder",
    "io_manager_def": "name it: io_manager_key=\"x\" and Definitions(resources={\"x\": ...})",
    "is_virtual": "virtual assets are not there yet; drop it",
    "tags": "give tags to the ops, or to the asset",
    "version": "write code_version= of the asset",
    "legacy_freshness_policy": "freshness is not there yet; drop it",
    "loggers": "configure Python's `logging`; its records are kept with the task",
    "non_argument_deps": "write deps=[...]",
    "observe_fn": "write @observable_source_asset above the function",
    "resource_defs": "give them to Definitions(resources={...})",
    "source_key_prefix": "give the spec its whole key",
    "stale_assets_only": "staleness is not there yet; name the assets, or drop it",
    "skippable": "write output_required=False, and yield nothing when there is nothing to make",
}  # fmt: skip

NAMES = {
    "job": "write define_asset_job(\"name\", selection=...)",
    "repository": "write `defs = Definitions(assets=[...])`",
    "AutomationConditionSensorDefinition": "automation is not there yet; write @sensor above a function",
    "FreshnessPolicySensorContext": "freshness is not there yet; write @sensor above a function",
    "freshness_policy_sensor": "freshness is not there yet; write @sensor above a function",
    "DagsterRunReaction": "return nothing: that the function was called is on the record",
    "AutomationCondition": "automation is not there yet; start runs with `arco run` or the API",
    "AutoMaterializePolicy": "automation is not there yet; start runs with `arco run` or the API",
    "FreshnessPolicy": "freshness is not there yet",
    "DagsterInstance": "write ArcoClient() to report events; ask the API or `arco` for all else",
    "Field": "write a class of `arco_flow.Config`",
    "DagsterType": "annotate the function with the Python type",
    "in_process_executor": "worker hosts execute; drop `executor=`",
    "multiprocess_executor": "worker hosts execute; drop `executor=`",
    "with_resources": "give resources to Definitions(resources={...})",
    "PipesSubprocessClient": "Pipes is not there yet; use subprocess in the asset",
    "load_from_defs_folder": "components are not supported; write `defs = Definitions(assets=[...])`",
    "Component": "components are not supported; write functions that return assets",
    "ResourceDefinition": "write a class of `arco_flow.ConfigurableResource`",
    "fs_io_manager": "write FilesystemIOManager()",
    "mem_io_manager": "write InMemoryIOManager()",
}  # fmt: skip


def refuse(where: str, **given: Any) -> None:
    """Raises for the first parameter that was given and is not supported."""
    for name, value in given.items():
        if value is None or value is False or (value == [] or value == () or value == {}):
            continue
        raise UnsupportedError(f"{where}: `{name}` is not supported: {PARAMETERS[name]}")


def refuse_unknown(where: str, given: dict[str, Any]) -> None:
    """Raises for keywords the signature does not have."""
    for name in given:
        if name in PARAMETERS:
            raise UnsupportedError(f"{where}: `{name}` is not supported: {PARAMETERS[name]}")
        # The function that took the keyword knows the others.
        code = sys._getframe(1).f_code
        known = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
        close = did_you_mean(name, [one for one in known if one not in PARAMETERS])
        raise TypeError(f"{where} got an unexpected keyword argument '{name}'{close}")
