"""Carries backfills of assets out with an installed Dagster, and says what became a run when.

Beside `dagster_oracle`, whose vocabulary it shares; an asset of a graph may also have `"backfill_policy":
{"max": n or null}`. A backfill is asked for by `assets` and one of `keys` (of those assets that no other asked
one leads to; what lies downstream follows) and `target` ({asset: [key] or null}); without either it is of
everything that exists. `fail` lists (asset, key or null) that are tried and never made.
"""

from __future__ import annotations

import json
import logging
from functools import lru_cache
from typing import Any

import dagster as dg
from dagster._core.asset_graph_view.asset_graph_view import AssetGraphView, TemporalContext
from dagster._core.definitions.assets.graph.asset_graph_subset import AssetGraphSubset
from dagster._core.definitions.events import AssetKeyPartitionKey
from dagster._core.definitions.partitions.context import partition_loading_context
from dagster._core.events import (
    AssetMaterializationPlannedData,
    DagsterEvent,
    DagsterEventType,
    JobFailureData,
    StepMaterializationData,
)
from dagster._core.execution.asset_backfill import (
    AssetBackfillData,
    execute_asset_backfill_iteration_inner,
)
from dagster._core.storage.dagster_run import DagsterRun, DagsterRunStatus
from dagster._core.test_utils import freeze_time, mock_workspace_from_repos
from dagster._core.utils import make_new_run_id

from dagster_oracle import Spec, asset_key, instant, mapping_of, op, partitions

JOB = "__ASSET_JOB"
BACKFILL = "backfill"
Slot = tuple[str, str | None]


def made_alone(spec: Spec) -> Any:
    """An asset of a graph, with its policy."""
    deps = [d if isinstance(d, dict) else {"key": d} for d in spec.get("deps", [])]
    described = dg.AssetSpec(
        key=asset_key(spec["key"]),
        deps=[
            dg.AssetDep(asset_key(d["key"]), partition_mapping=mapping_of(d.get("mapping")))
            for d in deps
        ],
        partitions_def=partitions(spec.get("partitions")),
    )
    policy = spec.get("backfill_policy")
    match policy:
        case None:
            given = None
        case {"max": None}:
            given = dg.BackfillPolicy.single_run()
        case {"max": most}:
            given = dg.BackfillPolicy.multi_run(most)

    def make() -> None: ...

    name = "make_" + spec["key"]
    return dg.multi_asset(name=name, specs=[described], backfill_policy=given)(make)


@lru_cache(maxsize=4)
def loaded(graph: str) -> Any:
    """The assets of a graph as the daemon sees them; a few questions in a row are about one graph."""
    definitions = dg.Definitions(assets=[made_alone(spec) for spec in json.loads(graph)["assets"]])
    return mock_workspace_from_repos([definitions.get_repository_def()]).asset_graph


class World:
    """An instance without history, and the definitions of a graph."""

    def __init__(self, graph: Spec, now: str) -> None:
        self.now = instant(now)
        self.instance = dg.DagsterInstance.ephemeral()
        for spec in graph["assets"]:
            definition = spec.get("partitions") or {}
            for one in [definition, *(definition.get("dimensions") or {}).values()]:
                if one.get("type") == "dynamic":
                    self.instance.add_dynamic_partitions(one["name"], one["keys"])
        self.assets = loaded(json.dumps(graph))
        levels = self.assets.toposorted_asset_keys_by_level
        self.order = [key for level in levels for key in level]

    def view(self) -> AssetGraphView:
        time = TemporalContext(effective_dt=self.now, last_event_id=None)
        return AssetGraphView(temporal_context=time, instance=self.instance, asset_graph=self.assets)

    def loading(self) -> Any:
        return partition_loading_context(self.now, self.instance)

    def report(self, run: DagsterRun, kind: DagsterEventType, step: str | None, data: Any) -> None:
        event = DagsterEvent(kind.value, JOB, step_key=step, event_specific_data=data)
        self.instance.report_dagster_event(event, run_id=run.run_id, timestamp=self.now.timestamp())

    def run(self, names: list[str], keys: list[str | None], is_range: bool, fail: set[Slot]) -> None:
        """Makes partitions in order, and of each the assets in order; what reads something of the run that
        is not made is not made either."""
        tags = {"dagster/backfill": BACKFILL}
        if is_range:
            tags["dagster/asset_partition_range_start"] = str(keys[0])
            tags["dagster/asset_partition_range_end"] = str(keys[-1])
        elif keys[0] is not None:
            tags["dagster/partition"] = keys[0]
        run = DagsterRun(
            job_name=JOB,
            run_id=make_new_run_id(),
            asset_selection=frozenset(asset_key(name) for name in names),
            status=DagsterRunStatus.STARTED,
            tags=tags,
        )
        self.instance.run_storage.add_run(run)
        for name in names:
            for key in keys:
                planned = AssetMaterializationPlannedData(asset_key(name), partition=key)
                self.report(run, DagsterEventType.ASSET_MATERIALIZATION_PLANNED, name, planned)
        lost: set[Slot] = set()
        for key in keys:
            for name in names:
                parents = self.assets.get(asset_key(name)).parent_keys
                reads_lost = any(
                    (parent.to_user_string(), key) in lost
                    if parent != asset_key(name)
                    else any(lost_name == name for lost_name, _ in lost)
                    for parent in parents
                )
                if (name, key) in fail or reads_lost:
                    lost.add((name, key))
                    continue
                made = StepMaterializationData(dg.AssetMaterialization(asset_key(name), partition=key))
                self.report(run, DagsterEventType.ASSET_MATERIALIZATION, name, made)
        if lost:
            self.report(run, DagsterEventType.PIPELINE_FAILURE, None, JobFailureData(error=None))
        else:
            self.report(run, DagsterEventType.PIPELINE_SUCCESS, None, None)


def asked(world: World, assets: list[str], keys: list[str] | None, target: Spec | None) -> AssetBackfillData:
    selected = [asset_key(name) for name in assets]
    if target is not None:
        slots = {
            AssetKeyPartitionKey(asset_key(name), key)
            for name, own in target.items()
            for key in ([None] if own is None else own)
        }
        wanted = AssetGraphSubset.from_asset_partition_set(slots, world.assets)
        return AssetBackfillData.from_asset_graph_subset(wanted, world.instance, world.now.timestamp())
    return AssetBackfillData.from_asset_partitions(
        asset_graph=world.assets,
        partition_names=keys,
        asset_selection=selected,
        dynamic_partitions_store=world.instance,
        backfill_start_timestamp=world.now.timestamp(),
        all_partitions=keys is None,
    )


def slots(subset: AssetGraphSubset) -> list[list[Any]]:
    found = [[each.asset_key.to_user_string(), each.partition_key] for each in subset.iterate_asset_partitions()]
    return sorted(found, key=lambda slot: (slot[0], slot[1] or ""))


@op
def backfill(
    graph: Spec,
    assets: list[str],
    now: str,
    keys: list[str] | None = None,
    target: Spec | None = None,
    fail: list[list[Any]] | None = None,
) -> Spec:
    """The runs of a backfill, by the look of the daemon that asked for them, each of which ends before the
    next look; and what was made and what was not."""
    world = World(graph, now)
    with world.loading():
        data = asked(world, assets, keys, target)
    failing = {(name, key) for name, key in fail or []}
    rounds: list[list[Spec]] = []
    idle = 0
    while idle < 2:
        with freeze_time(world.now), world.loading():
            view = world.view()
            result = execute_asset_backfill_iteration_inner(
                backfill_id=BACKFILL,
                asset_backfill_data=data,
                asset_graph_view=view,
                backfill_start_timestamp=world.now.timestamp(),
                logger=logging.getLogger("oracle"),
                run_config=None,
            )
            data = result.backfill_data.with_run_requests_submitted(result.run_requests, view)
            begun = []
            for request in result.run_requests:
                chosen = sorted(request.asset_selection, key=world.order.index)
                names = [key.to_user_string() for key in chosen]
                span = request.partition_key_range
                if span:
                    definition = world.assets.get(chosen[0]).partitions_def
                    own = list(definition.get_partition_keys_in_range(span))
                else:
                    own = [request.partition_key]
                begun.append({"assets": sorted(names), "keys": own})
                world.run(names, own, span is not None, failing)
            idle = 0 if begun else idle + 1
            if begun:
                rounds.append(sorted(begun, key=lambda run: (run["assets"], [str(key) for key in run["keys"]])))
            if data.get_targeted_partitions_without_materialization_status().is_empty:
                break
    with world.loading():
        made, lost = slots(data.materialized_subset), slots(data.failed_and_downstream_subset)
        left = slots(data.get_targeted_partitions_without_materialization_status())
    return {"rounds": rounds, "made": made, "failed": lost, "left": left}


@op
def backfill_target(graph: Spec, assets: list[str], now: str, keys: list[str] | None = None, target: Spec | None = None) -> Spec:
    """What of each asset is targeted, and what of that can be made: what needs no partition that does not
    exist, nor one that is targeted and cannot be made."""
    world = World(graph, now)
    with world.loading():
        wanted = asked(world, assets, keys, target).target_subset
        view = world.view()
        all_, makeable = {}, {}
        for key in world.order:
            if key not in wanted.asset_keys:
                continue
            own = {slot.partition_key for slot in wanted.iterate_asset_partitions() if slot.asset_key == key}
            name = key.to_user_string()
            all_[name] = None if None in own else sorted(own)
            makeable[name] = []
            # An asset reads nothing but its own past of itself, and dates are in order as texts.
            for one in sorted(own, key=str):
                if can_be_made(world, view, name, one, makeable, all_):
                    makeable[name] = None if one is None else [*makeable[name], one]
    return {"targeted": all_, "makeable": makeable}


def can_be_made(world: World, view: AssetGraphView, name: str, key: str | None, makeable: Spec, targeted: Spec) -> bool:
    one = AssetGraphSubset.from_asset_partition_set({AssetKeyPartitionKey(asset_key(name), key)}, world.assets)
    subset = view.get_entity_subset_from_asset_graph_subset(one, asset_key(name))
    for parent in world.assets.get(asset_key(name)).parent_keys:
        read, missing = view.compute_parent_subset_and_required_but_nonexistent_subset(parent, subset)
        if not missing.is_empty:
            return False
        above = parent.to_user_string()
        if above not in targeted:
            continue
        read_keys = {slot.partition_key for slot in read.expensively_compute_asset_partitions()}
        asked_for = {None} if targeted[above] is None else set(targeted[above])
        there = {None} if makeable[above] is None else set(makeable[above])
        if (read_keys & asked_for) - there:
            return False
    return True
