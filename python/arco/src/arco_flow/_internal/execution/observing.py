"""What a function that looks at sources gave: observations, in the words of the worker protocol."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from arco_flow._internal.checks import AssetCheckResult
from arco_flow._internal.errors import UsageError
from arco_flow._internal.execution.outputs import Outputs
from arco_flow._internal.execution.plan import OutputPlan
from arco_flow._internal.metadata import metadata_json
from arco_flow._internal.names import did_you_mean
from arco_flow._internal.observations import (
    DATA_VERSION_TAG,
    AssetObservation,
    DataVersionsByPartition,
    ObserveResult,
)
from arco_flow._internal.results import DataVersion


class Observed(Outputs):
    """Takes what the function returns or yields, in order, and emits what it saw."""

    def returned(self, value: Any) -> None:
        """The one thing a function returned."""
        items = value if isinstance(value, (tuple, list)) else [value]
        for item in items:
            self.yielded(item)

    def yielded(self, item: Any) -> None:
        """One thing a generator yielded."""
        if isinstance(item, ObserveResult):
            version = None if item.data_version is None else item.data_version.value
            output = self._observed_of(item.asset_key)
            self._say(output, item.metadata, version, None, item.tags)
            for check in item.check_results:
                self._check(check)
        elif isinstance(item, DataVersion):
            self._say(self._observed_of(None), {}, item.value, None, {})
        elif isinstance(item, DataVersionsByPartition):
            output = self._observed_of(None)
            if output.spec.partitions_def is None:
                raise UsageError(
                    f"asset `{output.text}` is not partitioned; return DataVersion(...) of it"
                )
            for key, one in item.data_versions_by_partition.items():
                assert isinstance(one, DataVersion)  # Made so by its constructor.
                self._say(output, {}, one.value, key, {})
        elif isinstance(item, AssetCheckResult):
            self._check(item)
        elif isinstance(item, AssetObservation):
            emit_observation(item, self.emit)
        elif item is not None:
            raise UsageError(
                f"step `{self.plan.name}` gave a {type(item).__name__}; an observable source returns DataVersion(...), "
                "DataVersionsByPartition({...}) or ObserveResult(...)"
            )

    def finish(self) -> None:
        """Nothing is owed: a source may have nothing to show."""

    def _observed_of(self, key: Any) -> OutputPlan:
        outputs = self.plan.outputs
        if key is None and len(outputs) == 1:
            return outputs[0]
        found = None if key is None else self.plan.outputs_by_key.get(key)
        if found is None:
            texts = [output.text for output in outputs]
            said = "" if key is None else did_you_mean(key.to_user_string(), texts)
            raise UsageError(
                f"step `{self.plan.name}` looks at {', '.join(f'`{text}`' for text in texts)}; say which: "
                f"ObserveResult(asset_key=...){said}"
            )
        return found

    def _say(
        self,
        output: OutputPlan,
        metadata: Mapping[str, Any],
        version: str | None,
        partition: str | None,
        tags: Mapping[str, str],
    ) -> None:
        own = self.facts.metadata.get(output.key) or {}
        if version is None and output.key in self.facts.data_versions:
            version = self.facts.data_versions[output.key].value
        fact: dict[str, Any] = {
            "type": "observed",
            "asset": output.text,
            "metadata": metadata_json({**own, **metadata}),
            "tags": dict(tags),
        }
        if version is not None:
            fact["data_version"] = version
        if partition is not None:
            fact["partition"] = partition
        self.emit(fact)


def emit_observation(event: AssetObservation, emit: Callable[[dict[str, Any]], None]) -> None:
    """Says an observation of any asset of the location."""
    tags = dict(event.tags)
    version = tags.pop(DATA_VERSION_TAG, None)
    fact: dict[str, Any] = {
        "type": "observed",
        "asset": event.asset_key.to_user_string(),
        "metadata": metadata_json(event.metadata),
        "tags": tags,
    }
    if version is not None:
        fact["data_version"] = version
    if event.partition is not None:
        fact["partition"] = event.partition
    if event.description is not None:
        fact["description"] = event.description
    emit(fact)
