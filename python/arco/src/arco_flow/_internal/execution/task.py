"""One task from lease to result.

    lease ─► resources ─► config ─► inputs ─► function ─► outputs, checks ─► result
                 │                                │             │
              torn down                       started      materialized, check

Nothing but the emitted messages leaves this module: whatever user code raises becomes a `result`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from typing import Any, TypeAlias

from arco_flow._internal import resource_runtime
from arco_flow._internal.assets import AssetChecksDefinition
from arco_flow._internal.definitions import Definitions
from arco_flow._internal.errors import AssetCheckFailed, ConfigError, StorageError, UsageError
from arco_flow._internal.execution.body import run_body
from arco_flow._internal.execution.observing import Observed, emit_observation
from arco_flow._internal.execution.op_outputs import OpOutputs, load_op_inputs
from arco_flow._internal.execution.outputs import Outputs, selected_outputs
from arco_flow._internal.execution.plan import InputPlan, StepPlan, step_plan
from arco_flow._internal.execution.result import IOFailure, failed
from arco_flow._internal.graph_assets import OpStep
from arco_flow._internal.io.base import InputContext
from arco_flow._internal.io.filesystem import FilesystemIOManager
from arco_flow._internal.keys import AssetCheckKey, AssetKey
from arco_flow._internal.observations import is_observable
from arco_flow._internal.partitions.multi import keys_for_people
from arco_flow._internal.task_facts import InputInfo, RunInfo, TaskFacts, task_log

Emit: TypeAlias = Callable[[dict[str, Any]], None]

_DEFAULT_IO = FilesystemIOManager()
_WHOLE_CHECK = (
    "Check step `{0}` is not partitioned, so it reads all partitions of `{1}`; to judge each partition "
    "on its own, give it partitions_def= of the asset"
)


def execute_task(defs: Definitions, lease: Mapping[str, Any], emit: Emit, storage: str) -> None:
    """Carries out one task and says how it went.

    Emits `started`, then a `materialized` per output and partition and a `check` per check as they
    happen, and last one `result`. Never raises for what user code does.

    Args:
        defs: The definitions of the location.
        lease: The task, as the worker protocol has it.
        emit: Called with each message, in order.
        storage: Root of the default IO manager: a path or URL.
    """
    try:
        emit({"type": "started"})
        carry_out(defs, lease, emit, storage)
    except BaseException as error:
        emit(failed(error))
    else:
        emit({"type": "result", "ok": True})


def carry_out(
    defs: Definitions,
    lease: Mapping[str, Any],
    emit: Emit,
    storage: str,
    on_value: Callable[[AssetKey, Any], None] | None = None,
) -> None:
    """The task itself: what it raises is not yet a result. `on_value` sees each value made."""
    plan = step_plan(defs, lease["step"])
    run_config = lease.get("config") or {}
    run_id = lease.get("run", "")
    with ExitStack() as stack:
        built = (
            resource_runtime.build(defs, plan.resources, run_config, run_id, stack)
            if plan.resources
            else {}
        )
        facts = _facts(plan, lease, run_config, built)
        loader = _Loader(defs, plan, facts, built, storage)
        facts.load = loader.load_any
        kwargs = loader.arguments(lease)
        _add_config(plan, facts, run_config, kwargs)
        for param in plan.step.signature.resources:
            kwargs[param.name] = built[param.name]
        if isinstance(plan.step, OpStep):
            steps = defs.graph().steps
            kwargs |= load_op_inputs(plan.step, lease, facts, built, _DEFAULT_IO, storage, steps)
        args = () if plan.step.signature.context is None else (plan.context_type(facts),)
        facts.observe = lambda event: emit_observation(event, emit)
        outputs = _outputs(plan, lease, (facts, lease, emit, built, storage, _DEFAULT_IO, on_value))
        run_body(plan, args, kwargs, outputs)
        outputs.finish()
        if outputs.blocked:
            names = ", ".join(f"`{name}` of asset `{asset}`" for asset, name in outputs.blocked)
            raise AssetCheckFailed(
                f"blocking check {names} failed; what is downstream does not start"
            )


def _outputs(plan: StepPlan, lease: Mapping[str, Any], given: tuple[Any, ...]) -> Outputs:
    if is_observable(plan.step):
        return Observed(plan, *given)
    if not isinstance(plan.step, OpStep):
        return Outputs(plan, *given)
    key = lease.get("mapping_key")
    name = plan.name if key is None else f"{plan.name}[{key}]"
    return OpOutputs(plan.step, name, plan, *given)


def _facts(
    plan: StepPlan, lease: Mapping[str, Any], run_config: Any, built: Mapping[str, Any]
) -> TaskFacts:
    inputs = {one["param"]: one for one in lease.get("inputs", ()) if one.get("param")}
    infos = {}
    for one in plan.inputs:
        leased = inputs.get(one.param) or {}
        infos[one.param] = InputInfo(
            one.key,
            keys_for_people(one.partitions_def, leased.get("partitions")),
            one.partitions_def,
        )
    chosen = lease.get("checks")
    checks = (
        plan.checks if chosen is None else [tuple(c) for c in chosen if tuple(c) in plan.checks]
    )
    outputs = selected_outputs(plan, lease.get("outputs"))
    return TaskFacts(
        run=RunInfo(lease.get("run", ""), lease.get("tags") or {}, run_config),
        step_name=plan.name,
        retry_number=lease.get("retry_number", 0),
        outputs=[output.key for output in outputs],
        output_names=[output.name for output in outputs],
        checks=[AssetCheckKey(plan.checks[c].asset_key, c[1]) for c in checks],
        partitions=keys_for_people(plan.partitions_def, lease.get("partitions")),
        partitions_def=plan.partitions_def,
        inputs=infos,
        resources=resource_runtime.Resources(**{name: built[name] for name in plan.own_resources}),
        definition=plan.step.graph if isinstance(plan.step, OpStep) else plan.step,
        mapping_key=lease.get("mapping_key"),
    )


def _add_config(plan: StepPlan, facts: TaskFacts, run_config: Any, kwargs: dict[str, Any]) -> None:
    config = plan.step.signature.config
    path = f"ops.{plan.name}.config"
    ops = run_config.get("ops") or {} if isinstance(run_config, Mapping) else None
    if not isinstance(ops, Mapping):
        raise ConfigError("ops: Input should be a mapping from step names")
    one = ops.get(plan.name) or {}
    given = one.get("config") if isinstance(one, Mapping) else one
    if config is None:
        if given:
            raise ConfigError(
                f"{path}: `{plan.name}` takes no configuration; add a parameter `config: MyConfig`, or drop it"
            )
        return
    facts.op_config = given or {}
    if getattr(config.annotation, "_arco_kind", None) == "config":
        from arco_flow._internal.config import validate

        kwargs[config.name] = validate(config.annotation, given, path)
    else:
        kwargs[config.name] = dict(given or {})


class _Loader:
    """Loads values of upstream assets through their IO managers."""

    def __init__(
        self,
        defs: Definitions,
        plan: StepPlan,
        facts: TaskFacts,
        built: Mapping[str, Any],
        storage: str,
    ) -> None:
        self.defs = defs
        self.plan = plan
        self.facts = facts
        self.built = built
        self.storage = storage

    def arguments(self, lease: Mapping[str, Any]) -> dict[str, Any]:
        """The values of all loaded parameters."""
        if not self.plan.inputs:
            return {}
        leased = {one["param"]: one for one in lease.get("inputs", ()) if one.get("param")}
        values = {}
        for one in self.plan.inputs:
            given = leased.get(one.param)
            if given is None:
                raise UsageError(
                    f"the lease of step `{self.plan.name}` has no input for parameter `{one.param}`"
                )
            partitions = given.get("partitions")
            if partitions is None and given.get("partitioned"):
                partitions = []
            manager = self.built.get(one.io_manager, _DEFAULT_IO)
            try:
                values[one.param] = self._load(manager, self._context(one, partitions))
            except IOFailure as failure:
                error = failure.error
                if (
                    partitions is not None
                    and isinstance(error, StorageError)
                    and self._is_whole_check()
                ):
                    error.args = (f"{error}. {_WHOLE_CHECK.format(self.plan.name, one.text)}",)
                raise
        return values

    def _is_whole_check(self) -> bool:
        judges = isinstance(self.plan.step, AssetChecksDefinition)
        return judges and self.plan.partitions_def is None

    def load_any(self, key: AssetKey, partition: str | None, annotation: Any) -> Any:
        """The value of any asset of the location, for `context.load_asset_value`."""
        node = self.defs.graph().assets.get(key)
        if node is None:
            raise UsageError(f"asset `{key.to_user_string()}` is not defined in this location")
        io = node.io_manager
        one = InputPlan(io, key, key.to_user_string(), io, node.spec.partitions_def, {}, annotation)
        with ExitStack() as stack:
            managers: Mapping[str, Any] = self.built
            if io not in managers and io in self.defs.resources:
                run = self.facts.run
                managers = resource_runtime.build(
                    self.defs, [io], run.run_config, run.run_id, stack
                )
            manager = managers.get(io, _DEFAULT_IO)
            return self._load(
                manager, self._context(one, None if partition is None else [partition])
            )

    def _context(self, one: InputPlan, partitions: Any) -> InputContext:
        return InputContext(
            annotation=one.annotation,
            name=one.param,
            asset_key=one.key,
            partitions=keys_for_people(one.partitions_def, partitions),
            partitions_def=one.partitions_def,
            log=task_log,
            resources=self.facts.resources,
            definition_metadata=one.metadata,
            run_id=self.facts.run.run_id,
            step_key=self.plan.name,
            storage=self.storage,
        )

    def _load(self, manager: Any, context: InputContext) -> Any:
        try:
            return manager.load_input(context)
        except Exception as error:
            raise IOFailure(error) from error
