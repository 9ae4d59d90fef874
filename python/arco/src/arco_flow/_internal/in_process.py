"""What `materialize` gives back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from arco_flow._internal.assets import AssetsDefinition, StepDefinition
from arco_flow._internal.checks import AssetCheckEvaluation, AssetCheckSeverity
from arco_flow._internal.errors import UsageError
from arco_flow._internal.keys import AssetKey, CoercibleToAssetKey
from arco_flow._internal.metadata import MetadataValue
from arco_flow._internal.names import did_you_mean
from arco_flow._internal.observations import AssetObservation
from arco_flow._internal.results import NO_VALUE, AssetMaterialization


@dataclass
class StepOutcome:
    """What became of one step: `status` is pending, succeeded, failed, skipped because of a failure, or
    left_out because what it reads was not made, which is no failure (R-37, R-39)."""

    step: StepDefinition[..., Any]
    outputs: Sequence[AssetKey] = ()
    status: str = "pending"
    retries: int = 0
    error: Mapping[str, str] | None = None
    messages: Sequence[Mapping[str, Any]] = field(default_factory=list)

    @property
    def made(self) -> set[AssetKey]:
        """The assets that were made."""
        made = (m["asset"] for m in self.messages if m["type"] == "materialized")
        return {AssetKey.from_user_string(asset) for asset in made}


class ExecuteInProcessResult:
    """The result of `materialize`: what was made, what was judged, what failed."""

    def __init__(
        self, run_id: str, outcomes: Mapping[str, StepOutcome], values: Mapping[AssetKey, Any]
    ) -> None:
        self._run_id = run_id
        self._outcomes = outcomes
        self._values = values

    @property
    def run_id(self) -> str:
        """Id of the run."""
        return self._run_id

    @property
    def success(self) -> bool:
        """Whether every step succeeded, or was left out because what it reads was not made."""
        good = ("succeeded", "left_out")
        return all(outcome.status in good for outcome in self._outcomes.values())

    def asset_value(self, asset_key: CoercibleToAssetKey) -> Any:
        """The value the function gave for an asset; None when it stored the data itself."""
        key = AssetKey.from_coercible(asset_key)
        if key not in self._values:
            known = [k.to_user_string() for k in self._values]
            raise UsageError(
                f"asset `{key.to_user_string()}` was not made{did_you_mean(key.to_user_string(), known)}"
            )
        value = self._values[key]
        return None if value is NO_VALUE else value

    def output_for_node(self, node_str: str, output_name: str = "result") -> Any:
        """The value of an output of a step."""
        step = self._outcome(node_str).step
        if not isinstance(step, AssetsDefinition):
            raise UsageError(f"step `{node_str}` makes no asset")
        names = list(step.output_names)
        if output_name not in names:
            raise UsageError(
                f"step `{node_str}` has no output `{output_name}`; it has {', '.join(names)}"
            )
        return self.asset_value(step.keys[names.index(output_name)])

    def asset_materializations_for_node(self, node_name: str) -> Sequence[AssetMaterialization]:
        """What a step made, in order."""
        return [
            AssetMaterialization(
                AssetKey.from_user_string(message["asset"]),
                metadata=_metadata(message),
                partition=message.get("partition"),
                tags=message["tags"],
            )
            for message in self._outcome(node_name).messages
            if message["type"] == "materialized"
        ]

    def asset_observations_for_node(self, node_name: str) -> Sequence[AssetObservation]:
        """What a step observed, in order."""
        return [
            AssetObservation(
                AssetKey.from_user_string(message["asset"]),
                description=message.get("description"),
                metadata=_metadata(message),
                partition=message.get("partition"),
                tags={
                    **message["tags"],
                    **(
                        {"dagster/data_version": message["data_version"]}
                        if "data_version" in message
                        else {}
                    ),
                },
            )
            for message in self._outcome(node_name).messages
            if message["type"] == "observed"
        ]

    def get_asset_check_evaluations(self) -> Sequence[AssetCheckEvaluation]:
        """The checks that were judged, in order."""
        return [
            AssetCheckEvaluation(
                asset_key=AssetKey.from_user_string(message["asset"]),
                check_name=message["check"],
                passed=message["passed"],
                metadata=_metadata(message),
                severity=AssetCheckSeverity(message["severity"]),
                description=message.get("description"),
                partition=message.get("partition"),
            )
            for outcome in self._outcomes.values()
            for message in outcome.messages
            if message["type"] == "check"
        ]

    def get_failed_step_keys(self) -> set[str]:
        """Names of the steps that failed."""
        return {name for name, outcome in self._outcomes.items() if outcome.status == "failed"}

    def error_for_node(self, node_name: str) -> Mapping[str, str] | None:
        """`type`, `message` and `traceback` of the error of a step. Arco's own."""
        return self._outcome(node_name).error

    def retry_attempts_for_node(self, node_str: str) -> int:
        """How often a step was tried again."""
        return self._outcome(node_str).retries

    def is_node_success(self, node_str: str) -> bool:
        """Whether a step succeeded."""
        return self._outcome(node_str).status == "succeeded"

    def is_node_failed(self, node_str: str) -> bool:
        """Whether a step failed."""
        return self._outcome(node_str).status == "failed"

    def is_node_skipped(self, node_str: str) -> bool:
        """Whether a step was left out: something upstream failed, or what it reads was not made."""
        return self._outcome(node_str).status in ("skipped", "left_out")

    def _outcome(self, node_str: str) -> StepOutcome:
        outcome = self._outcomes.get(node_str)
        if outcome is None:
            raise UsageError(
                f"there was no step `{node_str}`{did_you_mean(node_str, self._outcomes)}"
            )
        return outcome


def _metadata(message: Mapping[str, Any]) -> dict[str, MetadataValue]:
    return {k: MetadataValue(v["type"], v["value"]) for k, v in message["metadata"].items()}
