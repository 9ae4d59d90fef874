"""Configuration of a run, as plain data or as models."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from arco_flow._internal.errors import ConfigError
from arco_flow._internal.unsupported import refuse


@dataclass(frozen=True)
class RunConfig:
    """Configuration of a run.

    Args:
        ops: Configuration by step: an instance of its `Config`, or plain data.
        resources: Configuration by resource.
    """

    ops: Mapping[str, Any] = field(default_factory=dict)
    resources: Mapping[str, Any] = field(default_factory=dict)
    loggers: None = None
    execution: None = None

    def __post_init__(self) -> None:
        refuse("RunConfig", loggers=self.loggers, execution=self.execution)

    def to_config_dict(self) -> dict[str, Any]:
        """`{"ops": {step: {"config": {...}}}, "resources": {...}}`."""
        found: dict[str, Any] = {}
        for name, given in (("ops", self.ops), ("resources", self.resources)):
            if given:
                found[name] = {one: {"config": _plain(config)} for one, config in given.items()}
        return found


def config_dict(run_config: RunConfig | Mapping[str, Any] | None) -> dict[str, Any]:
    """Run configuration as plain data.

    Raises:
        ConfigError: For sections that do not exist.
    """
    if isinstance(run_config, RunConfig):
        return run_config.to_config_dict()
    config = dict(run_config or {})
    unknown = [name for name in config if name not in ("ops", "resources")]
    if unknown:
        raise ConfigError(
            f"{unknown[0]}: this section is not known; there are `ops` and `resources`"
        )
    return config


def _plain(config: Any) -> Any:
    dump = getattr(config, "model_dump", None)
    if callable(dump):
        return dump()
    if isinstance(config, Mapping) and set(config) == {"config"}:
        return config["config"]
    return config
