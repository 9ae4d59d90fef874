"""Assets that are made elsewhere and looked at here: observable sources, and what looking finds."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, AbstractSet, Any  # noqa: UP035

from arco_flow._internal import names
from arco_flow._internal.assets import AssetsDefinition, StepOptions
from arco_flow._internal.checks import AssetCheckResult, AssetCheckSpec
from arco_flow._internal.errors import DefinitionError, UsageError
from arco_flow._internal.keys import AssetKey, CoercibleToAssetKey
from arco_flow._internal.metadata import RawMetadataMapping
from arco_flow._internal.names import check_tags
from arco_flow._internal.partitions import PartitionsDefinition
from arco_flow._internal.results import DataVersion
from arco_flow._internal.signature import read_signature
from arco_flow._internal.specs import DEFAULT_IO_MANAGER, AssetSpec
from arco_flow._internal.unsupported import refuse, refuse_unknown

# Dagster says the version of the data by a tag.
DATA_VERSION_TAG = "dagster/data_version"

if TYPE_CHECKING:
    from typing import ParamSpec, TypeVar

    _P = ParamSpec("_P")
    _R = TypeVar("_R")


@dataclass(frozen=True, eq=False, kw_only=True)
class ObservableAssetsDefinition(AssetsDefinition["_P", "_R"]):
    """One or more assets that are made elsewhere, and the function that looks at them."""

    @property
    def partitions_def(self) -> PartitionsDefinition | None:
        """None: one look says the versions of all partitions it knows."""
        return None


@dataclass(frozen=True)
class DataVersionsByPartition:
    """Versions of the data by partition key.

    Args:
        data_versions_by_partition: Text or `DataVersion` by key.
    """

    data_versions_by_partition: Mapping[str, str | DataVersion]

    def __post_init__(self) -> None:
        found = {}
        for key, version in self.data_versions_by_partition.items():
            if not isinstance(key, str):
                raise UsageError(f"a partition key is text, not {key!r}")
            found[key] = version if isinstance(version, DataVersion) else DataVersion(version)
        object.__setattr__(self, "data_versions_by_partition", found)


@dataclass(frozen=True, init=False)
class ObserveResult:
    """An asset was looked at; what a function of an observable source returns or yields.

    Args:
        asset_key: The asset; may be left out when the function looks at one.
        metadata: Typed or plain values by name.
        check_results: Results of the checks in `check_specs`.
        data_version: Version of the data, when it is known.
        tags: Tags of this observation.
    """

    asset_key: AssetKey | None
    metadata: RawMetadataMapping
    check_results: tuple[AssetCheckResult, ...]
    data_version: DataVersion | None
    tags: Mapping[str, str]

    def __init__(
        self,
        asset_key: CoercibleToAssetKey | None = None,
        metadata: RawMetadataMapping | None = None,
        check_results: Sequence[AssetCheckResult] | None = None,
        data_version: DataVersion | None = None,
        tags: Mapping[str, str] | None = None,
    ) -> None:
        if data_version is not None and not isinstance(data_version, DataVersion):
            raise UsageError(f"data_version is a DataVersion; write DataVersion({data_version!r})")
        put = object.__setattr__
        put(self, "asset_key", None if asset_key is None else AssetKey.from_coercible(asset_key))
        put(self, "metadata", dict(metadata or {}))
        put(self, "check_results", tuple(check_results or ()))
        put(self, "data_version", data_version)
        put(self, "tags", check_tags(tags, "of an observation") if tags else {})


@dataclass(frozen=True, init=False)
class AssetObservation:
    """An asset was looked at: said by `context.log_event` in any task, or reported by `ArcoClient`.

    Args:
        asset_key: The asset.
        description: For people.
        metadata: Typed or plain values by name.
        partition: Key of the partition; absent for the asset as a whole.
        tags: Tags of this observation. `dagster/data_version` is the version of the data.
    """

    asset_key: AssetKey
    description: str | None
    metadata: RawMetadataMapping
    partition: str | None
    tags: Mapping[str, str]

    def __init__(
        self,
        asset_key: CoercibleToAssetKey,
        description: str | None = None,
        metadata: RawMetadataMapping | None = None,
        partition: str | None = None,
        tags: Mapping[str, str] | None = None,
    ) -> None:
        put = object.__setattr__
        put(self, "asset_key", AssetKey.from_coercible(asset_key))
        put(self, "description", description)
        put(self, "metadata", dict(metadata or {}))
        put(self, "partition", partition)
        put(self, "tags", dict(tags or {}))

    @property
    def label(self) -> str:
        """The key as text."""
        return self.asset_key.to_user_string()


def observable_source_asset(
    observe_fn: Callable[..., Any] | None = None,
    *,
    key: CoercibleToAssetKey | None = None,
    name: str | None = None,
    key_prefix: str | Sequence[str] | None = None,
    metadata: RawMetadataMapping | None = None,
    io_manager_key: str | None = None,
    io_manager_def: None = None,
    description: str | None = None,
    group_name: str | None = None,
    required_resource_keys: AbstractSet[str] | None = None,
    resource_defs: None = None,
    partitions_def: PartitionsDefinition | None = None,
    auto_observe_interval_minutes: None = None,
    legacy_freshness_policy: None = None,
    automation_condition: None = None,
    op_tags: Mapping[str, Any] | None = None,
    tags: Mapping[str, str] | None = None,
    **removed: Any,
) -> Any:
    """Declares an asset that is made elsewhere; the function looks at it.

    The function returns its `DataVersion`, `DataVersionsByPartition`, or an `ObserveResult`. A run of
    the asset observes it. It is external: `*` and groups do not select it, its key does.

    Args:
        observe_fn: The function, when there are no parentheses.
        key: The whole key, in place of name and prefix.
        name: Name, the function's when absent.
        key_prefix: Parts in front of the name.
        metadata: Typed or plain values by name.
        io_manager_key: Resource by which assets downstream load its value.
        description: For people; the docstring when absent.
        group_name: Group; `default` when absent.
        required_resource_keys: Resources used as `context.resources.x`.
        partitions_def: Its partitions.
        op_tags: Tags of the step.
        tags: Strict keys and values.

    Raises:
        DefinitionError: When a name or value breaks a rule; the message has the rule.
    """
    refuse(
        "@observable_source_asset", io_manager_def=io_manager_def, resource_defs=resource_defs,
        auto_observe_interval_minutes=auto_observe_interval_minutes,
        legacy_freshness_policy=legacy_freshness_policy, automation_condition=automation_condition,
    )  # fmt: skip
    refuse_unknown("@observable_source_asset", removed)

    def decorate(fn: Callable[_P, _R]) -> ObservableAssetsDefinition[_P, _R]:
        from arco_flow._internal.decorators import asset_key_of, description_of

        asset_key = asset_key_of(fn, name, key_prefix, key)
        spec = AssetSpec(
            asset_key,
            description=description_of(fn, description),
            metadata=metadata,
            group_name=group_name,
            tags=tags,
            partitions_def=partitions_def,
        )
        return _observable(
            fn,
            asset_key.to_python_identifier(),
            (spec,),
            ("result",),
            (io_manager_key or DEFAULT_IO_MANAGER,),
            (),
            required_resource_keys,
            op_tags,
        )

    return decorate if observe_fn is None else decorate(observe_fn)


def multi_observable_source_asset(
    *,
    specs: Sequence[AssetSpec],
    name: str | None = None,
    description: str | None = None,
    partitions_def: PartitionsDefinition | None = None,
    can_subset: bool = False,
    required_resource_keys: AbstractSet[str] | None = None,
    resource_defs: None = None,
    group_name: str | None = None,
    check_specs: Sequence[AssetCheckSpec] | None = None,
    **removed: Any,
) -> Callable[[Callable[_P, _R]], ObservableAssetsDefinition[_P, _R]]:
    """Declares several assets that are made elsewhere; the function yields `ObserveResult`s.

    Differs from Dagster: a run of one of them looks at all; results of the others count too.

    Args:
        specs: The assets.
        name: Name of the step, the function's when absent.
        description: For people, of assets that have none.
        partitions_def: Partitions of all of them.
        required_resource_keys: Resources used as `context.resources.x`.
        group_name: Group of those that have none.
        check_specs: Checks the function itself reports.
    """
    refuse("@multi_observable_source_asset", resource_defs=resource_defs)
    refuse_unknown("@multi_observable_source_asset", removed)
    del can_subset
    if not specs:
        raise DefinitionError("@multi_observable_source_asset takes specs that are not empty")

    def decorate(fn: Callable[_P, _R]) -> ObservableAssetsDefinition[_P, _R]:
        finished = tuple(
            spec.replace_attributes(
                group_name=spec.group_name or group_name,
                description=spec.description or description,
                partitions_def=spec.partitions_def or partitions_def,
            )
            for spec in specs
        )
        return _observable(
            fn,
            names.check_name(name or fn.__name__, "a multi-asset"),
            finished,
            tuple(spec.key.to_python_identifier() for spec in finished),
            (DEFAULT_IO_MANAGER,) * len(finished),
            check_specs or (),
            required_resource_keys,
            None,
        )

    return decorate


def _observable(
    fn: Callable[_P, _R],
    step: str,
    specs: tuple[AssetSpec, ...],
    output_names: tuple[str, ...],
    io_manager_keys: tuple[str, ...],
    check_specs: Sequence[AssetCheckSpec],
    required_resource_keys: AbstractSet[str] | None,
    op_tags: Mapping[str, Any] | None,
) -> ObservableAssetsDefinition[_P, _R]:
    from arco_flow._internal.decorators import loaded_inputs, own_checks

    signature = read_signature(fn, step)
    loaded = loaded_inputs(signature, None, step)
    if loaded:
        raise DefinitionError(
            f"`{step}` looks at a source, and its parameter `{loaded[0].param}` would load an asset; it may "
            "take the context, configuration and resources"
        )
    return ObservableAssetsDefinition(
        fn=fn,
        step_name=step,
        signature=signature,
        loaded=(),
        check_specs=own_checks(check_specs, specs) if check_specs else (),
        options=StepOptions(
            required_resource_keys=frozenset(required_resource_keys or ()),
            op_tags=dict(op_tags or {}),
        ),
        specs=specs,
        output_names=output_names,
        io_manager_keys=io_manager_keys,
    )


def is_observable(step: Any) -> bool:
    """Whether a step looks at assets that are made elsewhere."""
    return isinstance(step, ObservableAssetsDefinition)
