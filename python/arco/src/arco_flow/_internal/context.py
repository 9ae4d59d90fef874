"""What a function is told about the task it carries out."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from arco_flow._internal.errors import UsageError
from arco_flow._internal.io.base import span
from arco_flow._internal.keys import AssetCheckKey, AssetKey, CoercibleToAssetKey
from arco_flow._internal.metadata import RawMetadataMapping
from arco_flow._internal.partitions import PartitionKeyRange, PartitionsDefinition, TimeWindow
from arco_flow._internal.results import AssetMaterialization, DataVersion
from arco_flow._internal.task_facts import InputInfo, RunInfo, TaskFacts, task_log

if TYPE_CHECKING:
    from arco_flow._internal.observations import AssetObservation


class AssetExecutionContext:
    """What the function of an asset is told about its task.

    Differs from Dagster: ops, jobs and the instance are not there; a task over several partitions has
    them in `partition_keys` also when they are not contiguous.
    """

    _arco_kind: ClassVar[str] = "context"
    __slots__ = ("_facts",)

    def __init__(self, facts: TaskFacts) -> None:
        self._facts = facts

    # The run.

    @property
    def run(self) -> RunInfo:
        """The run: `run_id`, `tags`, `run_config`."""
        return self._facts.run

    dagster_run = run

    @property
    def run_id(self) -> str:
        """Id of the run."""
        return self._facts.run.run_id

    @property
    def run_tags(self) -> Mapping[str, str]:
        """Tags of the run."""
        return self._facts.run.tags

    @property
    def run_config(self) -> Mapping[str, Any]:
        """Configuration of the run, whole."""
        return self._facts.run.run_config

    def has_tag(self, key: str) -> bool:
        """Whether the run has this tag."""
        return key in self._facts.run.tags

    def get_tag(self, key: str) -> str | None:
        """A tag of the run."""
        return self._facts.run.tags.get(key)

    @property
    def retry_number(self) -> int:
        """Tries that failed before this one: 0 on the first."""
        return self._facts.retry_number

    @property
    def log(self) -> logging.Logger:
        """A logger of Python's `logging`; its records are kept with the task."""
        if task_log.level == logging.NOTSET:
            task_log.setLevel(logging.DEBUG)
        return task_log

    @property
    def op_config(self) -> Any:
        """Configuration of the step as plain data."""
        return self._facts.op_config

    @property
    def resources(self) -> Any:
        """Resources as attributes."""
        return self._facts.resources

    # The assets.

    @property
    def asset_key(self) -> AssetKey:
        """The asset, when the step makes one."""
        keys = self._facts.outputs
        if len(keys) != 1:
            raise UsageError(
                f"the step makes {len(keys)} assets; use selected_asset_keys"
                if keys
                else "this context has no asset: it was built for a test by build_asset_context"
            )
        return keys[0]

    @property
    def selected_asset_keys(self) -> set[AssetKey]:
        """The assets the task makes: all of the step, or those selected of one with `can_subset`."""
        return set(self._facts.outputs)

    @property
    def selected_asset_check_keys(self) -> set[AssetCheckKey]:
        """The checks to judge within the task."""
        return set(self._facts.checks)

    @property
    def selected_output_names(self) -> set[str]:
        """Names of the outputs the task makes."""
        return set(self._facts.output_names)

    @property
    def assets_def(self) -> Any:
        """The decorated function."""
        if self._facts.definition is None:
            raise UsageError(
                "this context has no asset: it was built for a test by build_asset_context"
            )
        return self._facts.definition

    @property
    def has_assets_def(self) -> bool:
        """Whether there is a decorated function behind."""
        return self._facts.definition is not None

    def asset_key_for_output(self, output_name: str = "result") -> AssetKey:
        """The asset of an output."""
        names = list(self._facts.output_names)
        if output_name in names:
            return self._facts.outputs[names.index(output_name)]
        raise UsageError(
            f"the step has no output `{output_name}`; it has {', '.join(names) or 'none'}"
        )

    def asset_key_for_input(self, input_name: str) -> AssetKey:
        """The asset a parameter loads."""
        return self._input(input_name).key

    # Partitions of the task.

    @property
    def has_partition_key(self) -> bool:
        """Whether the task makes exactly one partition."""
        return self._facts.partitions is not None and len(self._facts.partitions) == 1

    @property
    def has_partition_key_range(self) -> bool:
        """Whether the task is partitioned."""
        return bool(self._facts.partitions)

    @property
    def partition_keys(self) -> Sequence[str]:
        """Keys of the partitions the task makes, in order."""
        if self._facts.partitions is None:
            raise UsageError("the task is not partitioned; look at has_partition_key first")
        return self._facts.partitions

    @property
    def partition_key(self) -> str:
        """The key, when the task makes one partition."""
        keys = self.partition_keys
        if len(keys) != 1:
            raise UsageError(f"the task makes {len(keys)} partitions; use partition_keys")
        return keys[0]

    @property
    def partition_key_range(self) -> PartitionKeyRange:
        """First and last key."""
        keys = self.partition_keys
        return PartitionKeyRange(keys[0], keys[-1])

    asset_partition_key_range = partition_key_range

    @property
    def partition_time_window(self) -> TimeWindow:
        """From the start of the first partition to the end of the last, aware datetimes."""
        return span(self.asset_partitions_def, self.partition_keys)

    @property
    def asset_partitions_def(self) -> PartitionsDefinition:
        """The partitions definition of the step."""
        if self._facts.partitions_def is None:
            raise UsageError("the step has no partitions_def")
        return self._facts.partitions_def

    def asset_partition_key_for_output(self, output_name: str = "result") -> str:
        """The key, when the task makes one partition."""
        del output_name
        return self.partition_key

    def asset_partition_keys_for_output(self, output_name: str = "result") -> Sequence[str]:
        """Keys of the partitions the task makes."""
        del output_name
        return self.partition_keys

    def asset_partition_key_range_for_output(
        self, output_name: str = "result"
    ) -> PartitionKeyRange:
        """First and last key."""
        del output_name
        return self.partition_key_range

    def asset_partitions_time_window_for_output(self, output_name: str = "result") -> TimeWindow:
        """The span of the partitions the task makes."""
        del output_name
        return self.partition_time_window

    def asset_partitions_def_for_output(self, output_name: str = "result") -> PartitionsDefinition:
        """The partitions definition of the step."""
        del output_name
        return self.asset_partitions_def

    # Partitions of inputs.

    def _input(self, input_name: str) -> InputInfo:
        found = self._facts.inputs.get(input_name)
        if found is None:
            known = ", ".join(sorted(self._facts.inputs)) or "none"
            raise UsageError(
                f"`{input_name}` is no loaded parameter of the step; there are: {known}"
            )
        return found

    def asset_partition_keys_for_input(self, input_name: str) -> Sequence[str]:
        """Keys of the upstream partitions a parameter loads, in order."""
        keys = self._input(input_name).partitions
        if keys is None:
            raise UsageError(f"the asset of `{input_name}` is not partitioned")
        return keys

    def asset_partition_key_for_input(self, input_name: str) -> str:
        """The key, when a parameter loads one partition."""
        keys = self.asset_partition_keys_for_input(input_name)
        if len(keys) != 1:
            raise UsageError(
                f"`{input_name}` loads {len(keys)} partitions; use asset_partition_keys_for_input"
            )
        return keys[0]

    def asset_partition_key_range_for_input(self, input_name: str) -> PartitionKeyRange:
        """First and last key of the upstream partitions."""
        keys = self.asset_partition_keys_for_input(input_name)
        if not keys:
            raise UsageError(f"`{input_name}` loads no partition")
        return PartitionKeyRange(keys[0], keys[-1])

    def asset_partitions_def_for_input(self, input_name: str) -> PartitionsDefinition:
        """The partitions definition of an upstream asset."""
        found = self._input(input_name).partitions_def
        if found is None:
            raise UsageError(f"the asset of `{input_name}` is not partitioned")
        return found

    def asset_partitions_time_window_for_input(self, input_name: str) -> TimeWindow:
        """The span of the upstream partitions a parameter loads."""
        keys = self.asset_partition_keys_for_input(input_name)
        return span(self.asset_partitions_def_for_input(input_name), keys)

    # What user code adds.

    def add_output_metadata(
        self,
        metadata: RawMetadataMapping,
        output_name: str | None = None,
        mapping_key: str | None = None,
    ) -> None:
        """Adds values to the materialization of an output."""
        del mapping_key
        self._facts.metadata.setdefault(self._output(output_name), {}).update(metadata)

    def add_asset_metadata(
        self,
        metadata: RawMetadataMapping,
        asset_key: CoercibleToAssetKey | None = None,
        partition_key: str | None = None,
    ) -> None:
        """Adds values to the materialization of an asset, or of one partition of it."""
        key = self.asset_key if asset_key is None else AssetKey.from_coercible(asset_key)
        if key not in self._facts.outputs:
            raise UsageError(f"the step does not make asset `{key.to_user_string()}`")
        if partition_key is None:
            self._facts.metadata.setdefault(key, {}).update(metadata)
        else:
            self._facts.partition_metadata.setdefault((key, partition_key), {}).update(metadata)

    def get_output_metadata(
        self, output_name: str, mapping_key: str | None = None
    ) -> Mapping[str, Any] | None:
        """Values added so far."""
        del mapping_key
        return self._facts.metadata.get(self._output(output_name))

    def _output(self, output_name: str | None) -> AssetKey:
        """The asset of an output; in a context built for a test, any output is there."""
        if self._facts.definition is None:
            return AssetKey(output_name or "result")
        return self.asset_key if output_name is None else self.asset_key_for_output(output_name)

    def set_data_version(self, asset_key: CoercibleToAssetKey, data_version: DataVersion) -> None:
        """Sets the data version of an asset the step makes."""
        self._facts.data_versions[AssetKey.from_coercible(asset_key)] = data_version

    def log_event(self, event: AssetMaterialization | AssetObservation) -> None:
        """Adds the metadata of an `AssetMaterialization` of an asset the step makes, or records an
        `AssetObservation` of any asset of the location.

        Differs from Dagster: materializations of assets of other steps cannot be reported here.
        """
        if isinstance(event, AssetMaterialization):
            self.add_asset_metadata(event.metadata, event.asset_key, event.partition)
        elif self._facts.observe is not None:
            self._facts.observe(event)

    def load_asset_value(
        self,
        asset_key: CoercibleToAssetKey,
        *,
        python_type: type | None = None,
        partition_key: str | None = None,
    ) -> Any:
        """The stored value of any asset of the location, by its IO manager."""
        if self._facts.load is None:
            raise UsageError(
                "values cannot be loaded in a context built for a test; pass them to the function"
            )
        return self._facts.load(
            AssetKey.from_coercible(asset_key), partition_key, python_type or Any
        )


class OpExecutionContext(AssetExecutionContext):
    """What the function of an op is told about its task."""

    __slots__ = ()

    def get_mapping_key(self) -> str | None:
        """The key of the value of a dynamic output that the op is carried out for; None for one task."""
        return self._facts.mapping_key


class AssetCheckExecutionContext(AssetExecutionContext):
    """What the function of a check is told about its task."""

    __slots__ = ()

    @property
    def check_specs(self) -> Sequence[Any]:
        """Specs of the checks to judge."""
        return [] if self._facts.definition is None else self._facts.definition.check_specs
