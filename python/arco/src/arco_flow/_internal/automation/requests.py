"""What the function of a schedule or sensor asks for (S-37 to S-43, N-11, N-16)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from arco_flow._internal import canonical, names
from arco_flow._internal.automation.asset_events import ASSET_EVENTS, AssetEvent
from arco_flow._internal.errors import DefinitionError, UsageError
from arco_flow._internal.keys import AssetCheckKey, AssetKey, AssetLike, key_of
from arco_flow._internal.partitions.base import PartitionKeyRange
from arco_flow._internal.run_config import RunConfig, config_dict
from arco_flow._internal.selection.ast import AssetSelection, CoercibleToAssetSelection, texts
from arco_flow._internal.unsupported import refuse, refuse_unknown


@dataclass(frozen=True, init=False)
class RunRequest:
    """One run that a schedule or sensor asks for (S-40).

    Differs from Dagster: what a key holds is the sensor's `run_keys`, so a failed run need not burn its key.

    Args:
        run_key: Under one key there is one run: of a sensor for ever or as its `run_keys` says (N-12), of a
            schedule within its tick (S-39). The empty text is no key.
        run_config: Configuration of the run; the job's when absent.
        tags: Tags of the run. Values that are no text become JSON.
        job_name: The job, when it may run several.
        asset_selection: Assets to run, of those it may run; all of them when absent.
        stale_assets_only: Not there yet.
        partition_key: The partition to run.
        asset_check_keys: Checks to run, in place of all of the assets.

    Raises:
        UsageError: For values of another kind, naming the argument.
        UnsupportedError: For `stale_assets_only`.
    """

    run_key: str | None
    run_config: Mapping[str, Any]
    tags: Mapping[str, str]
    job_name: str | None
    asset_selection: Sequence[AssetKey] | None
    stale_assets_only: bool
    partition_key: str | None
    asset_check_keys: Sequence[AssetCheckKey] | None

    def __init__(
        self,
        run_key: str | None = None,
        run_config: RunConfig | Mapping[str, Any] | None = None,
        tags: Mapping[str, Any] | None = None,
        job_name: str | None = None,
        asset_selection: Sequence[AssetLike] | None = None,
        stale_assets_only: bool = False,
        partition_key: str | None = None,
        asset_check_keys: Sequence[AssetCheckKey] | None = None,
        **removed: Any,
    ) -> None:
        refuse("RunRequest", stale_assets_only=stale_assets_only)
        refuse_unknown("RunRequest", removed)
        for name, value in (
            ("run_key", run_key),
            ("job_name", job_name),
            ("partition_key", partition_key),
        ):
            _text("RunRequest", name, value)
        put = object.__setattr__
        put(self, "run_key", run_key or None)
        put(self, "run_config", _config(run_config))
        put(self, "tags", run_tags(tags, "a RunRequest"))
        put(self, "job_name", job_name)
        put(self, "asset_selection", _assets(asset_selection))
        put(self, "stale_assets_only", False)
        put(self, "partition_key", partition_key)
        put(self, "asset_check_keys", _checks(asset_check_keys))

    def with_replaced_attrs(self, **kwargs: Any) -> RunRequest:
        """The same request with these arguments in place of its own."""
        return RunRequest(
            **{**{one.name: getattr(self, one.name) for one in fields(self)}, **kwargs}
        )

    def to_json(self) -> dict[str, Any]:
        """As the control plane reads it; absent rather than null."""
        found: dict[str, Any] = {}
        if self.run_config:
            found["run_config"] = dict(self.run_config)
        if self.tags:
            found["tags"] = dict(self.tags)
        for name in ("run_key", "job_name", "partition_key"):
            if getattr(self, name) is not None:
                found[name] = getattr(self, name)
        if self.asset_selection is not None:
            found["asset_selection"] = [key.to_user_string() for key in self.asset_selection]
        if self.asset_check_keys is not None:
            found["asset_check_keys"] = [
                [key.asset_key.to_user_string(), key.name] for key in self.asset_check_keys
            ]
        return found


@dataclass(frozen=True)
class SkipReason:
    """Nothing is to run, and why; the reason stands in the row of the tick or evaluation.

    Args:
        skip_message: For people.
    """

    skip_message: str | None = None

    def __post_init__(self) -> None:
        _text("SkipReason", "skip_message", self.skip_message)


@dataclass(frozen=True, init=False)
class BackfillRequest:
    """A backfill that a sensor asks for: many partitions, made under one name. Arco's own.

    Args:
        selection: The assets.
        partitions: Partition keys, `PartitionKeyRange`s, or texts `FIRST...LAST`; all when absent.
        tags: Tags of its runs.
        run_key: Under one key there is one backfill, as with runs.

    Raises:
        UsageError: For values of another kind.
    """

    selection: tuple[str, ...]
    partitions: tuple[str, ...]
    tags: Mapping[str, str]
    run_key: str | None

    def __init__(
        self,
        selection: CoercibleToAssetSelection,
        partitions: Sequence[str | PartitionKeyRange] | None = None,
        tags: Mapping[str, Any] | None = None,
        run_key: str | None = None,
    ) -> None:
        if isinstance(partitions, (str, PartitionKeyRange)):
            raise UsageError(
                f"partitions of a BackfillRequest is a list; write partitions=[{partitions!r}]"
            )
        _text("BackfillRequest", "run_key", run_key)
        put = object.__setattr__
        put(self, "selection", tuple(texts(AssetSelection.from_coercible(selection))))
        put(self, "partitions", tuple(_partitions(one) for one in partitions or ()))
        put(self, "tags", run_tags(tags, "a BackfillRequest"))
        put(self, "run_key", run_key or None)

    def to_json(self) -> dict[str, Any]:
        """As the control plane reads it; absent rather than null."""
        found: dict[str, Any] = {"selection": list(self.selection)}
        if self.partitions:
            found["partitions"] = list(self.partitions)
        if self.tags:
            found["tags"] = dict(self.tags)
        if self.run_key is not None:
            found["run_key"] = self.run_key
        return found


@dataclass(frozen=True)
class AddDynamicPartitionsRequest:
    """Keys to add to dynamic partitions, before the runs of the same evaluation (N-16).

    Keys that exist are passed over. Made by `DynamicPartitionsDefinition.build_add_request`.
    """

    partitions_def_name: str
    partition_keys: Sequence[str]

    def __post_init__(self) -> None:
        _change(self, self.partitions_def_name, self.partition_keys)

    def to_json(self) -> dict[str, Any]:
        """As the control plane reads it."""
        return {"name": self.partitions_def_name, "add": list(self.partition_keys)}


@dataclass(frozen=True)
class DeleteDynamicPartitionsRequest:
    """Keys to remove from dynamic partitions, before the runs of the same evaluation (N-16).

    Keys that do not exist are passed over. Made by `DynamicPartitionsDefinition.build_delete_request`.
    """

    partitions_def_name: str
    partition_keys: Sequence[str]

    def __post_init__(self) -> None:
        _change(self, self.partitions_def_name, self.partition_keys)

    def to_json(self) -> dict[str, Any]:
        """As the control plane reads it."""
        return {"name": self.partitions_def_name, "remove": list(self.partition_keys)}


DynamicPartitionsRequest = AddDynamicPartitionsRequest | DeleteDynamicPartitionsRequest


@dataclass(frozen=True, init=False)
class SensorResult:
    """Everything one evaluation of a sensor asks for; the only thing it returns then (N-11).

    Args:
        run_requests: Runs, in order.
        skip_reason: Why there are none.
        cursor: What the next evaluation finds as `context.cursor`; absent keeps it, the empty text clears it
            (N-8). Not together with `context.update_cursor` (N-6).
        dynamic_partitions_requests: Changes of dynamic partitions, made before the runs (N-16).
        asset_events: AssetMaterializations, AssetObservations and AssetCheckEvaluations, recorded in one commit
            with the evaluation, after its requests (N-17). Their assets, partitions and checks are defined, else
            the evaluation fails.
        backfill_requests: Backfills, in order. Arco's own.

    Raises:
        UsageError: For a reason together with requests, and values of another kind.
    """

    run_requests: Sequence[RunRequest]
    skip_reason: SkipReason | None
    cursor: str | None
    dynamic_partitions_requests: Sequence[DynamicPartitionsRequest]
    asset_events: Sequence[AssetEvent]
    backfill_requests: Sequence[BackfillRequest]

    def __init__(
        self,
        run_requests: Sequence[RunRequest] | None = None,
        skip_reason: str | SkipReason | None = None,
        cursor: str | None = None,
        dynamic_partitions_requests: Sequence[DynamicPartitionsRequest] | None = None,
        asset_events: Sequence[AssetEvent] | None = None,
        *,
        backfill_requests: Sequence[BackfillRequest] | None = None,
        **removed: Any,
    ) -> None:
        refuse_unknown("SensorResult", removed)
        _text("SensorResult", "cursor", cursor)
        if isinstance(skip_reason, str):
            skip_reason = SkipReason(skip_reason)
        if skip_reason is not None and not isinstance(skip_reason, SkipReason):
            raise UsageError(f"skip_reason of a SensorResult is a text, not {skip_reason!r}")
        put = object.__setattr__
        for name, given, kinds in (
            ("run_requests", run_requests, (RunRequest,)),
            (
                "dynamic_partitions_requests",
                dynamic_partitions_requests,
                (AddDynamicPartitionsRequest, DeleteDynamicPartitionsRequest),
            ),
            ("asset_events", asset_events, ASSET_EVENTS),
            ("backfill_requests", backfill_requests, (BackfillRequest,)),
        ):
            put(self, name, _each("SensorResult", name, given, kinds))
        if skip_reason is not None and (self.run_requests or self.backfill_requests):
            raise UsageError(
                "a SensorResult has a skip_reason and requests; give the reason when there is nothing to run"
            )
        put(self, "skip_reason", skip_reason)
        put(self, "cursor", cursor)


def run_tags(tags: Mapping[str, Any] | None, of: str) -> dict[str, str]:
    """Tags of a run: values may be any text; those that are no text become JSON (R-49).

    Raises:
        UsageError: For another kind of value, and a key that cannot stand.
    """
    if tags is not None and not isinstance(tags, Mapping):
        raise UsageError(f"tags of {of} are a dictionary, not {type(tags).__name__}")
    found: dict[str, str] = {}
    for key, value in (tags or {}).items():
        try:
            names.check_run_tag_key(key, of)
        except DefinitionError as error:
            raise UsageError(str(error)) from error
        try:
            found[key] = value if isinstance(value, str) else canonical.dumps(value)
        except UsageError as error:
            raise UsageError(f"tag `{key}` of {of}: {error}") from error
    return found


def _text(of: str, name: str, value: object) -> None:
    if value is not None and not isinstance(value, str):
        raise UsageError(f"{name} of a {of} is a text, not {value!r}; write {name}=str(...)")


def _each(of: str, name: str, given: Any, kinds: tuple[type, ...]) -> tuple[Any, ...]:
    if given is None:
        return ()
    if isinstance(given, (str, Mapping, *kinds)):
        raise UsageError(f"{name} of a {of} is a list; write {name}=[...]")
    found = tuple(given)
    for one in found:
        if not isinstance(one, kinds):
            wanted = " or ".join(kind.__name__ for kind in kinds)
            raise UsageError(f"{name} of a {of} holds {one!r}, which is no {wanted}")
    return found


def _config(config: RunConfig | Mapping[str, Any] | None) -> dict[str, Any]:
    if config is not None and not isinstance(config, (RunConfig, Mapping)):
        raise UsageError(
            f"run_config of a RunRequest is a RunConfig or a dictionary, not {type(config).__name__}"
        )
    found = config_dict(config)
    try:
        canonical.dumps(found)
    except UsageError as error:
        raise UsageError(f"run_config of a RunRequest: {error}") from error
    return found


def _assets(given: Sequence[AssetLike] | None) -> tuple[AssetKey, ...] | None:
    if given is None:
        return None
    if isinstance(given, (str, AssetKey)):
        raise UsageError(
            f"asset_selection of a RunRequest is a list of keys; write asset_selection=[{given!r}]"
        )
    return tuple(key_of(one) for one in given)


def _checks(given: Sequence[AssetCheckKey] | None) -> tuple[AssetCheckKey, ...] | None:
    return (
        None if given is None else _each("RunRequest", "asset_check_keys", given, (AssetCheckKey,))
    )


def _partitions(one: str | PartitionKeyRange) -> str:
    if isinstance(one, PartitionKeyRange):
        return f"{one.start}...{one.end}"
    if not isinstance(one, str) or not one:
        raise UsageError(
            f"partitions of a BackfillRequest holds {one!r}; give keys, or ranges FIRST...LAST"
        )
    return one


def _change(request: object, name: object, keys: object) -> None:
    what = type(request).__name__
    if not isinstance(name, str) or not name:
        raise UsageError(f"{what}: {name!r} is no name of dynamic partitions; give its text")
    if isinstance(keys, str) or not isinstance(keys, Sequence):
        raise UsageError(f"{what}: the keys of `{name}` are a list; write [{keys!r}]")
    for key in keys:
        if not isinstance(key, str) or not key:
            raise UsageError(f"{what}: {key!r} is no key of `{name}`; keys are texts")
