"""Resources while a task runs: built, cached, torn down."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

from arco_flow._internal.definitions import Definitions
from arco_flow._internal.env import EnvVar
from arco_flow._internal.errors import ConfigError, UsageError
from arco_flow._internal.names import did_you_mean


@dataclass(frozen=True)
class InitResourceContext:
    """What a resource is told when it is set up."""

    resource_config: Any = None
    resources: Any = None
    run_id: str | None = None
    log: logging.Logger = field(default_factory=lambda: logging.getLogger("arco.resource"))


class Resources(SimpleNamespace):
    """Resources as attributes: `context.resources.warehouse`."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        known = vars(self)
        raise UsageError(
            f"resource `{name}` is not there"
            + (
                did_you_mean(name, known)
                or f'; ask for it: required_resource_keys={{"{name}"}}, or a parameter with its annotation'
            )
        )


def build(
    defs: Definitions,
    names: Iterable[str],
    run_config: Mapping[str, Any],
    run_id: str,
    stack: ExitStack,
) -> dict[str, Any]:
    """The resources a task needs, by name.

    One without setup and teardown is built once per process and configuration. `stack` tears down
    the others.

    Raises:
        ConfigError: When its configuration does not validate, or a variable is not set.
    """
    built: dict[str, Any] = {}
    given = run_config.get("resources") or {}
    for name in names:
        value = defs.resources[name]
        config = _config(given, name)
        maker = getattr(value, "_arco_build", None)
        if maker is None:
            built[name] = value.read() if isinstance(value, EnvVar) else value
        elif value._arco_lives_per_task():
            built[name] = maker(name, config, stack, InitResourceContext(config, None, run_id))
        else:
            cache = defs._cache.setdefault("resources", {})
            cache_key = (name, repr(sorted(config.items())))
            if cache_key not in cache:
                cache[cache_key] = maker(
                    name, config, ExitStack(), InitResourceContext(config, None, run_id)
                )
            built[name] = cache[cache_key]
    return built


def _config(given: Any, name: str) -> Mapping[str, Any]:
    if not isinstance(given, Mapping):
        raise ConfigError("resources: Input should be a mapping from resource names")
    one = given.get(name) or {}
    config = one.get("config") if isinstance(one, Mapping) else one
    if config is not None and not isinstance(config, Mapping):
        raise ConfigError(f"resources.{name}.config: Input should be a mapping of fields")
    return config or {}
