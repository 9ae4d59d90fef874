"""Collecting definitions from modules."""

from __future__ import annotations

import importlib
import pkgutil
import sys
from collections.abc import Iterable, Mapping, Sequence
from types import ModuleType
from typing import Any

from arco_flow._internal.assets import AssetChecksDefinition, AssetsDefinition, StepDefinition
from arco_flow._internal.definitions import Definitions
from arco_flow._internal.errors import DefinitionError
from arco_flow._internal.keys import AssetKey
from arco_flow._internal.specs import AssetSpec
from arco_flow._internal.unsupported import refuse, refuse_unknown


def load_assets_from_modules(
    modules: Iterable[ModuleType],
    group_name: str | None = None,
    key_prefix: str | Sequence[str] | None = None,
    *,
    include_specs: bool = False,
    **removed: Any,
) -> list[Any]:
    """The assets that stand at the top of modules, in lists too, each once.

    Args:
        modules: Imported modules.
        group_name: Group for those that have none; one that has another is an error.
        key_prefix: Parts put in front of every key; references among the loaded assets follow.
        include_specs: Also take `AssetSpec`s; `SourceAsset`s are taken always.
    """
    refuse_unknown("load_assets_from_modules", removed)
    found = [
        d
        for d in definitions_in(modules)
        if isinstance(d, AssetsDefinition)
        or (isinstance(d, AssetSpec) and (include_specs or type(d) is not AssetSpec))
    ]
    return [_grouped(d, group_name) for d in _prefixed(found, key_prefix)]


def load_assets_from_current_module(
    group_name: str | None = None,
    key_prefix: str | Sequence[str] | None = None,
    *,
    include_specs: bool = False,
    **removed: Any,
) -> list[Any]:
    """The assets of the module that calls, as far as it has come."""
    module = _caller()
    return load_assets_from_modules(
        [module], group_name, key_prefix, include_specs=include_specs, **removed
    )


def load_assets_from_package_module(
    package_module: ModuleType,
    group_name: str | None = None,
    key_prefix: str | Sequence[str] | None = None,
    *,
    include_specs: bool = False,
    **removed: Any,
) -> list[Any]:
    """The assets of a package and all modules below it, which are imported."""
    modules = _package(package_module)
    return load_assets_from_modules(
        modules, group_name, key_prefix, include_specs=include_specs, **removed
    )


def load_assets_from_package_name(
    package_name: str,
    group_name: str | None = None,
    key_prefix: str | Sequence[str] | None = None,
    *,
    include_specs: bool = False,
    **removed: Any,
) -> list[Any]:
    """The assets of a package given by name."""
    package = importlib.import_module(package_name)
    return load_assets_from_package_module(
        package, group_name, key_prefix, include_specs=include_specs, **removed
    )


def load_asset_checks_from_modules(
    modules: Iterable[ModuleType], asset_key_prefix: str | Sequence[str] | None = None
) -> list[AssetChecksDefinition[..., Any]]:
    """The checks that stand at the top of modules, each once."""
    if asset_key_prefix is not None:
        raise DefinitionError(
            "asset_key_prefix is not supported; name the prefixed asset in the check: "
            '@asset_check(asset=AssetKey(["prefix", "name"]))'
        )
    return [d for d in definitions_in(modules) if isinstance(d, AssetChecksDefinition)]


def load_asset_checks_from_current_module(
    asset_key_prefix: str | Sequence[str] | None = None,
) -> list[AssetChecksDefinition[..., Any]]:
    """The checks of the module that calls, as far as it has come."""
    return load_asset_checks_from_modules([_caller()], asset_key_prefix)


def load_definitions_from_modules(
    modules: Iterable[ModuleType],
    resources: Mapping[str, Any] | None = None,
    loggers: None = None,
    executor: None = None,
) -> Definitions:
    """The definitions that stand at the top of modules: assets, specs, checks, jobs, schedules, sensors.

    Args:
        modules: Imported modules.
        resources: Values by name.
        loggers: Not supported.
        executor: Not supported.
    """
    refuse("load_definitions_from_modules", loggers=loggers, executor=executor)
    found = definitions_in(modules)
    automation = automation_in(modules)
    return Definitions(
        assets=[one for one in found if not isinstance(one, AssetChecksDefinition)],
        asset_checks=[one for one in found if isinstance(one, AssetChecksDefinition)],
        jobs=automation["job"],
        schedules=automation["schedule"],
        sensors=automation["sensor"],
        resources=resources,
    )


def load_definitions_from_module(
    module: ModuleType,
    resources: Mapping[str, Any] | None = None,
    loggers: None = None,
    executor: None = None,
) -> Definitions:
    """The definitions that stand at the top of a module, as `load_definitions_from_modules`."""
    return load_definitions_from_modules([module], resources, loggers, executor)


def load_definitions_from_current_module(
    resources: Mapping[str, Any] | None = None, loggers: None = None, executor: None = None
) -> Definitions:
    """The definitions of the module that calls, as far as it has come."""
    return load_definitions_from_modules([_caller()], resources, loggers, executor)


def load_definitions_from_package_module(
    package_module: ModuleType,
    resources: Mapping[str, Any] | None = None,
    loggers: None = None,
    executor: None = None,
) -> Definitions:
    """The definitions of a package and all modules below it, which are imported."""
    return load_definitions_from_modules(_package(package_module), resources, loggers, executor)


def load_definitions_from_package_name(
    package_name: str,
    resources: Mapping[str, Any] | None = None,
    loggers: None = None,
    executor: None = None,
) -> Definitions:
    """The definitions of a package given by name."""
    package = importlib.import_module(package_name)
    return load_definitions_from_package_module(package, resources, loggers, executor)


def automation_in(modules: Iterable[ModuleType]) -> dict[str, list[Any]]:
    """Jobs, schedules and sensors at the top of modules, in lists too, each once, in order."""
    found: dict[str, dict[int, Any]] = {"job": {}, "schedule": {}, "sensor": {}}
    for module in modules:
        for value in list(vars(module).values()):
            for one in value if isinstance(value, (list, tuple)) else (value,):
                kind = None if isinstance(one, type) else getattr(one, "_arco_definition", None)
                if isinstance(kind, str) and kind in found:
                    found[kind].setdefault(id(one), one)
    return {kind: list(ones.values()) for kind, ones in found.items()}


def definitions_in(modules: Iterable[ModuleType]) -> list[Any]:
    """Assets, checks and specs at the top of modules, in lists too, each once, in order."""
    found: dict[int, Any] = {}
    for module in modules:
        if not isinstance(module, ModuleType):
            raise DefinitionError(
                f"modules holds {module!r}, which is no module; import it and give it"
            )
        for value in list(vars(module).values()):
            for one in value if isinstance(value, (list, tuple)) else (value,):
                if isinstance(one, (StepDefinition, AssetSpec)):
                    found.setdefault(id(one), one)
    return list(found.values())


def _caller() -> ModuleType:
    frame = sys._getframe(2)
    return sys.modules[frame.f_globals["__name__"]]


def _package(package: ModuleType) -> list[ModuleType]:
    modules = [package]
    for info in pkgutil.walk_packages(getattr(package, "__path__", []), package.__name__ + "."):
        modules.append(importlib.import_module(info.name))
    return modules


def _prefixed(found: list[Any], key_prefix: str | Sequence[str] | None) -> list[Any]:
    if key_prefix is None:
        return found
    moved: dict[AssetKey, AssetKey] = {}
    for one in found:
        if isinstance(one, AssetsDefinition):
            moved.update({key: key.with_prefix(key_prefix) for key in one.keys})
    return [
        one.with_attributes(asset_key_replacements=moved)
        if isinstance(one, AssetsDefinition)
        else one
        for one in found
    ]


def _grouped(one: Any, group_name: str | None) -> Any:
    if group_name is None:
        return one
    specs = one.specs if isinstance(one, AssetsDefinition) else (one,)
    for spec in specs:
        if spec.group_name not in (None, group_name):
            raise DefinitionError(
                f"asset `{spec.key.to_user_string()}` has group `{spec.group_name}` already; load it without "
                f"group_name, or drop the group it has"
            )
    if isinstance(one, AssetsDefinition):
        return one.map_asset_specs(lambda spec: spec.replace_attributes(group_name=group_name))
    return one.replace_attributes(group_name=group_name)
