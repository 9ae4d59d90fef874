"""What a function gave: values to IO managers, facts to the control plane (M-18, M-21, M-25)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from arco_flow._internal.assets import AssetsDefinition
from arco_flow._internal.checks import AssetCheckResult, AssetCheckSeverity
from arco_flow._internal.errors import UsageError
from arco_flow._internal.execution.plan import OutputPlan, StepPlan
from arco_flow._internal.execution.result import IOFailure
from arco_flow._internal.io.base import IOManager, OutputContext
from arco_flow._internal.keys import AssetKey
from arco_flow._internal.metadata import metadata_json
from arco_flow._internal.names import did_you_mean
from arco_flow._internal.results import NO_VALUE, AssetMaterialization, MaterializeResult, Output
from arco_flow._internal.task_facts import TaskFacts, task_log


class Outputs:
    """Takes what the function returns or yields, in order, and emits what it means."""

    def __init__(
        self,
        plan: StepPlan,
        facts: TaskFacts,
        lease: Mapping[str, Any],
        emit: Callable[[dict[str, Any]], None],
        built: Mapping[str, Any],
        storage: str,
        default_io: IOManager,
        on_value: Callable[[AssetKey, Any], None] | None,
    ) -> None:
        self.plan = plan
        self.facts = facts
        self.emit = emit
        self.built = built
        self.storage = storage
        self.default_io = default_io
        self.made: set[str] = set()
        selected = lease.get("outputs")
        self.outputs = selected_outputs(plan, selected)
        self.blocked: list[tuple[str, str]] = []
        chosen = lease.get("checks")
        self.checks = set(plan.checks if chosen is None else (tuple(c) for c in chosen))
        self.on_value = on_value

    def returned(self, value: Any) -> None:
        """The one thing a function returned."""
        plan = self.plan
        if not isinstance(plan.step, AssetsDefinition):
            self._returned_by_check(value)
        elif len(plan.outputs) == 1:
            self._returned_by_one(plan.outputs[0], value)
        else:
            self._returned_by_many(value)

    def yielded(self, item: Any) -> None:
        """One thing a generator yielded."""
        if isinstance(item, MaterializeResult):
            self._result(item)
        elif isinstance(item, Output):
            self._output(item)
        elif isinstance(item, AssetCheckResult):
            self._check(item)
        elif isinstance(item, AssetMaterialization):
            self.facts.metadata.setdefault(item.asset_key, {}).update(item.metadata)
        elif type(item).__name__ == "AssetObservation" and self.facts.observe is not None:
            self.facts.observe(item)
        else:
            raise UsageError(
                f"step `{self.plan.name}` yielded {_kind(item)}; yield MaterializeResult(...), Output(value) or "
                "AssetCheckResult(...), or return the plain value"
            )

    def finish(self) -> None:
        """Raises when something required was not made (M-2, M-25)."""
        missing = [o.text for o in self.outputs if o.text not in self.made and not o.spec.skippable]
        if missing:
            raise UsageError(
                f"step `{self.plan.name}` ended without making {', '.join(f'`{m}`' for m in missing)}; return or "
                "yield it, or declare output_required=False (AssetSpec: skippable=True)"
            )

    def _returned_by_one(self, output: OutputPlan, value: Any) -> None:
        if isinstance(value, (MaterializeResult, Output, AssetCheckResult)):
            self.yielded(value)
        elif isinstance(value, (tuple, list)) and any(isinstance(v, _RESULTS) for v in value):
            # A value beside the results of its checks, or a list of results.
            for item in value:
                if isinstance(item, _RESULTS):
                    self.yielded(item)
                else:
                    self._make(output, item, {}, None, {})
        elif value is None and self.plan.returns_nothing:
            self._make(output, NO_VALUE, {}, None, {})
        else:
            self._make(output, value, {}, None, {})

    def _returned_by_many(self, value: Any) -> None:
        outputs = self.outputs
        if value is None:
            for output in outputs:
                self._make(output, NO_VALUE, {}, None, {})
            return
        items = list(value) if isinstance(value, (tuple, list)) else [value]
        if items and all(isinstance(item, _RESULTS) for item in items) and not _positional(items):
            for item in items:
                self.yielded(item)
            return
        if len(outputs) < len(self.plan.outputs):
            raise UsageError(
                f"step `{self.plan.name}` returned {_kind(value)}, and only {', '.join(o.name for o in outputs)} of "
                "its outputs are selected; yield an Output or a MaterializeResult for each of "
                "context.selected_output_names"
            )
        if len(items) != len(outputs):
            raise UsageError(
                f"step `{self.plan.name}` makes {len(outputs)} assets and returned {_kind(value)} of {len(items)}; "
                f"return a tuple in the order {', '.join(o.name for o in outputs)}"
            )
        for output, item in zip(outputs, items, strict=True):
            if isinstance(item, Output):
                version = item.data_version.value if item.data_version else None
                self._make(output, item.value, item.metadata, version, item.tags)
            elif isinstance(item, MaterializeResult):
                self.yielded(item)
            else:
                self._make(output, item, {}, None, {})

    def _returned_by_check(self, value: Any) -> None:
        items = list(value) if isinstance(value, (tuple, list)) else [value]
        for item in items:
            if isinstance(item, bool) and len(self.plan.checks) == 1:
                item = AssetCheckResult(passed=item)
            if not isinstance(item, AssetCheckResult):
                raise UsageError(
                    f"check `{self.plan.name}` returned {_kind(item)}; return AssetCheckResult(passed=...)"
                )
            self._check(item)

    def _result(self, result: MaterializeResult[Any]) -> None:
        output = self._output_of(result.asset_key)
        version = result.data_version.value if result.data_version else None
        self._make(output, result.value, result.metadata, version, result.tags)
        for check in result.check_results:
            self._check(check)

    def _output(self, item: Output[Any]) -> None:
        outputs = self.plan.outputs
        output = (
            outputs[0] if len(outputs) == 1 else self.plan.outputs_by_name.get(item.output_name)
        )
        if output is None:
            names = self.plan.output_names
            raise UsageError(
                f"step `{self.plan.name}` has no output `{item.output_name}`"
                + (
                    did_you_mean(item.output_name, names)
                    or f"; it has {', '.join(names) or 'none'}"
                )
            )
        self._check_selected(output)
        version = item.data_version.value if item.data_version else None
        self._make(output, item.value, item.metadata, version, item.tags)

    def _check_selected(self, output: OutputPlan) -> None:
        if output not in self.outputs:
            names = ", ".join(f"`{one.text}`" for one in self.outputs)
            raise UsageError(
                f"step `{self.plan.name}` made asset `{output.text}`, which is not selected in this run; make "
                f"only what context.selected_asset_keys has: {names}"
            )

    def _output_of(self, key: AssetKey | None) -> OutputPlan:
        outputs = self.plan.outputs
        if key is None:
            if len(outputs) == 1:
                return outputs[0]
            raise UsageError(
                f"step `{self.plan.name}` makes {len(outputs)} assets; say which: MaterializeResult(asset_key=...)"
            )
        output = self.plan.outputs_by_key.get(key)
        if output is None:
            raise UsageError(
                f"step `{self.plan.name}` does not make asset `{key.to_user_string()}`"
                + did_you_mean(key.to_user_string(), [o.text for o in outputs])
            )
        self._check_selected(output)
        return output

    def _make(
        self,
        output: OutputPlan,
        value: Any,
        metadata: Mapping[str, Any],
        version: str | None,
        tags: Any,
    ) -> None:
        if output.text in self.made:
            raise UsageError(f"step `{self.plan.name}` made asset `{output.text}` twice")
        added: Mapping[str, Any] = {}
        if value is not NO_VALUE and not (value is None and self.plan.returns_nothing):
            added = self._store(output, value)
        if self.on_value is not None:
            self.on_value(output.key, value)
        facts = self.facts
        own = facts.metadata.get(output.key)
        if metadata or own:
            added = {**added, **(own or {}), **metadata}
        if version is None and output.key in facts.data_versions:
            version = facts.data_versions[output.key].value
        for partition in (None,) if facts.partitions is None else facts.partitions:
            values = added
            if partition is not None and (output.key, partition) in facts.partition_metadata:
                values = {**added, **facts.partition_metadata[output.key, partition]}
            fact: dict[str, Any] = {
                "type": "materialized",
                "asset": output.text,
                "metadata": metadata_json(values),
                "tags": dict(tags),
            }
            if partition is not None:
                fact["partition"] = partition
            if version is not None:
                fact["data_version"] = version
            self.emit(fact)
        self.made.add(output.text)

    def _store(self, output: OutputPlan, value: Any) -> Mapping[str, Any]:
        """Hands the value to the IO manager; gives the metadata it added."""
        facts = self.facts
        context = OutputContext(
            annotation=self.plan.step.signature.returns,
            asset_spec=output.spec,
            name=output.name,
            asset_key=output.key,
            partitions=facts.partitions,
            partitions_def=output.spec.partitions_def,
            log=task_log,
            resources=facts.resources,
            definition_metadata=output.spec.metadata,
            run_id=facts.run.run_id,
            step_key=self.plan.name,
            storage=self.storage,
        )
        try:
            self.built.get(output.io_manager, self.default_io).handle_output(context, value)
        except Exception as error:
            raise IOFailure(error) from error
        return context.output_metadata

    def _check(self, result: AssetCheckResult) -> None:
        asset, name = self._check_key(result)
        if (asset, name) not in self.checks:
            return  # Not planned in this run; then it does not gate either (M-22).
        spec = self.plan.checks[asset, name]
        fact: dict[str, Any] = {
            "type": "check",
            "asset": asset,
            "check": name,
            "passed": result.passed,
            "severity": result.severity.value,
            "metadata": metadata_json(result.metadata),
        }
        if result.description:
            fact["description"] = result.description
        for partition in self.facts.partitions or (None,):
            self.emit(fact if partition is None else {**fact, "partition": partition})
        if spec.blocking and not result.passed and result.severity is AssetCheckSeverity.ERROR:
            self.blocked.append((asset, name))

    def _check_key(self, result: AssetCheckResult) -> tuple[str, str]:
        """The one check the result can mean.

        Raises:
            UsageError: When it can mean none, or several.
        """
        asset = result.asset_key.to_user_string() if result.asset_key else None
        found = [
            key
            for key in self.plan.checks
            if (asset is None or key[0] == asset) and result.check_name in (None, key[1])
        ]
        if len(found) == 1:
            return found[0]
        known = ", ".join(f"`{name}` of `{of}`" for of, name in self.plan.checks) or "none"
        what = "several checks" if found else "no check"
        raise UsageError(
            f"an AssetCheckResult of step `{self.plan.name}` can mean {what}; give asset_key and check_name "
            f"(declared: {known}; add others with check_specs=[AssetCheckSpec(...)])"
        )


def selected_outputs(plan: StepPlan, selected: Iterable[str] | None) -> tuple[OutputPlan, ...]:
    """The outputs a task makes: those a lease names, all when it names none."""
    if selected is None:
        return plan.outputs
    texts = set(selected)
    return tuple(output for output in plan.outputs if output.text in texts)


_RESULTS = (MaterializeResult, AssetCheckResult, Output)


def _positional(items: Iterable[Any]) -> bool:
    """Whether all are `Output`s without a name, which go by position."""
    return all(isinstance(item, Output) and item.output_name == "result" for item in items)


def _kind(value: Any) -> str:
    return "None" if value is None else f"a {type(value).__name__}"
