"""What the function of an op gave: values for other ops, and assets (M-3, R-43)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from arco_flow._internal.checks import AssetCheckResult
from arco_flow._internal.errors import UsageError
from arco_flow._internal.execution.outputs import Outputs
from arco_flow._internal.execution.result import IOFailure
from arco_flow._internal.graph_assets import OpStep
from arco_flow._internal.io.base import InputContext, OutputContext
from arco_flow._internal.names import did_you_mean
from arco_flow._internal.ops import DynamicOutput
from arco_flow._internal.results import AssetMaterialization, MaterializeResult, Output
from arco_flow._internal.specs import DEFAULT_IO_MANAGER
from arco_flow._internal.task_facts import TaskFacts, task_log


def identifier(
    run: str, step: str, partitions: Sequence[str] | None, output: str, key: str | None
) -> list[str]:
    """Names that a value between ops has and no other: what IO managers keep it under."""
    names = [run, step, *([",".join(partitions)] if partitions else []), output]
    return names if key is None else [*names, key]


class OpOutputs(Outputs):
    """Takes what an op returns or yields, keeps the values that other ops read, and says which there are."""

    def __init__(self, step: OpStep, step_key: str, *args: Any) -> None:
        super().__init__(*args)
        self.step = step
        self.step_key = step_key
        self.given: dict[str, list[str] | None] = {}

    def returned(self, value: Any) -> None:
        """The one thing a function returned."""
        outs = self.step.outs
        many = isinstance(value, (tuple, list)) and bool(value)
        if many and all(isinstance(one, _RESULTS) for one in value):
            named = [one for one in value if not isinstance(one, Output) or one.output_name in outs]
            if len(outs) == 1 or len(named) == len(value):
                for one in value:
                    self.yielded(one)
                return
        if isinstance(value, _RESULTS):
            self.yielded(value)
        elif not outs:
            if value is not None:
                raise UsageError(f"op `{self.plan.name}` has no output and returned {_kind(value)}")
        elif len(outs) == 1:
            (name,) = outs
            if outs[name].is_dynamic:
                if not isinstance(value, (tuple, list)) or value:
                    raise UsageError(
                        f"op `{self.plan.name}` has a dynamic output and returned {_kind(value)}; yield a "
                        "DynamicOutput(value, mapping_key=...) for each value"
                    )
                return
            self._give(name, value, None, {})
        elif isinstance(value, tuple) and len(value) == len(outs):
            for name, one in zip(outs, value, strict=True):
                if isinstance(one, Output):
                    self._give(name, one.value, None, one.metadata)
                else:
                    self._give(name, one, None, {})
        else:
            raise UsageError(
                f"op `{self.plan.name}` has {len(outs)} outputs and returned {_kind(value)}; return a tuple in the "
                f"order {', '.join(outs)}, or yield an Output for each"
            )

    def yielded(self, item: Any) -> None:
        """One thing a generator yielded."""
        if isinstance(item, DynamicOutput):
            name = self._name(item.output_name)
            if not self.step.outs[name].is_dynamic:
                raise UsageError(
                    f"output `{name}` of op `{self.plan.name}` is not dynamic; write out=DynamicOut(), or yield Output"
                )
            self._give(name, item.value, item.mapping_key, item.metadata or {})
        elif isinstance(item, Output):
            name = self._name(item.output_name)
            if self.step.outs[name].is_dynamic:
                raise UsageError(
                    f"output `{name}` of op `{self.plan.name}` is dynamic; yield DynamicOutput(value, mapping_key=...)"
                )
            self._give(name, item.value, None, item.metadata)
        elif isinstance(item, AssetMaterialization):
            self.facts.metadata.setdefault(item.asset_key, {}).update(item.metadata)
        elif isinstance(item, (MaterializeResult, AssetCheckResult)):
            raise UsageError(
                f"op `{self.plan.name}` gave a {type(item).__name__}; an op yields Output(value, metadata=...), and "
                "checks of a graph's asset are an @asset_check"
            )
        else:
            raise UsageError(
                f"op `{self.plan.name}` yielded {_kind(item)}; yield Output(value) or DynamicOutput(value, mapping_key)"
            )

    def finish(self) -> None:
        """Raises when a required output is missing, and says which outputs were given."""
        outs = self.step.outs
        missing = [
            name
            for name, out in outs.items()
            if out.is_required and not out.is_dynamic and name not in self.given
        ]
        if missing:
            raise UsageError(
                f"op `{self.plan.name}` ended without its output `{missing[0]}`; return or yield it, or declare "
                "Out(is_required=False)"
            )
        for name, out in outs.items():
            if out.is_dynamic:
                self.given.setdefault(name, [])
        said = [
            {"name": name} if keys is None else {"name": name, "keys": keys}
            for name, keys in self.given.items()
        ]
        self.emit({"type": "values", "outputs": said})

    def _name(self, name: str) -> str:
        outs = self.step.outs
        if name in outs:
            return name
        if len(outs) == 1 and name == "result":
            return next(iter(outs))
        raise UsageError(
            f"op `{self.plan.name}` has no output `{name}`"
            + (did_you_mean(name, outs) or f"; it has {', '.join(outs) or 'none'}")
        )

    def _give(self, name: str, value: Any, key: str | None, metadata: Mapping[str, Any]) -> None:
        keys = self.given.get(name)
        if name in self.given and (key is None or key in (keys or ())):
            what = f"`{name}`" if key is None else f"`{name}` with mapping key `{key}`"
            raise UsageError(f"op `{self.plan.name}` gave output {what} twice")
        if name in self.step.makes:
            self._make(self.plan.outputs_by_name[name], value, metadata, None, {})
        if name in self.step.read:
            self._keep(name, value, key)
        if key is None:
            self.given[name] = None
        else:
            self.given[name] = [*(keys or ()), key]

    def _keep(self, name: str, value: Any, key: str | None) -> None:
        facts, out = self.facts, self.step.outs[name]
        where = identifier(facts.run.run_id, self.step_key, facts.partitions, name, key)
        context = OutputContext(
            annotation=out.dagster_type or self.step.signature.returns,
            name=name,
            asset_key=None,
            partitions=None,
            partitions_def=None,
            log=task_log,
            resources=facts.resources,
            definition_metadata=out.metadata,
            run_id=facts.run.run_id,
            step_key=self.step_key,
            storage=self.storage,
            identifier=where,
        )
        manager = self.built.get(out.io_manager_key or DEFAULT_IO_MANAGER, self.default_io)
        try:
            manager.handle_output(context, value)
        except Exception as error:
            raise IOFailure(error) from error


def load_op_inputs(
    step: OpStep,
    lease: Mapping[str, Any],
    facts: TaskFacts,
    managers: Mapping[str, Any],
    default_io: Any,
    storage: str,
    steps: Mapping[str, Any],
) -> dict[str, Any]:
    """The values of the parameters that take what other ops gave."""
    annotations = {one.param: one.annotation for one in step.inputs}

    def load(param: str, at: Mapping[str, Any]) -> Any:
        source, out_name, key = at["step"].partition("[")[0], at["output"], at.get("mapping_key")
        out = steps[source].outs[out_name]
        context = InputContext(
            annotation=annotations.get(param, Any),
            name=out_name,
            asset_key=None,
            partitions=None,
            partitions_def=None,
            log=task_log,
            resources=facts.resources,
            definition_metadata=out.metadata,
            run_id=at["run"],
            step_key=at["step"],
            storage=storage,
            identifier=identifier(at["run"], at["step"], facts.partitions, out_name, key),
        )
        try:
            return managers.get(out.io_manager_key or DEFAULT_IO_MANAGER, default_io).load_input(
                context
            )
        except Exception as error:
            raise IOFailure(error) from error

    values: dict[str, Any] = {}
    for given in lease.get("op_inputs", ()):
        loaded = [load(given["param"], at) for at in given["values"]]
        if not given.get("list") and not loaded:
            raise UsageError(f"the lease of `{step.step_name}` has no value for `{given['param']}`")
        values[given["param"]] = loaded if given.get("list") else loaded[0]
    return values


_RESULTS = (Output, DynamicOutput, MaterializeResult, AssetCheckResult)


def _kind(value: Any) -> str:
    return "None" if value is None else f"a {type(value).__name__}"
