"""Configuration of a run, as pydantic models. Imported only when a user imports `Config`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict, ValidationError

from arco_flow._internal.env import EnvVar
from arco_flow._internal.errors import ConfigError


class Config(BaseModel):
    """Configuration of an asset or check, checked by pydantic when a task begins (R-51).

    In run configuration it stands at `ops.<step>.config`; unknown fields are refused. A field may be
    `{"env": "NAME"}`, which is read from the environment of the task.

    Example:
        class FlightsConfig(Config):
            limit: int = 10

        @asset
        def flights(config: FlightsConfig): ...
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    _arco_kind: ClassVar[str] = "config"


class PermissiveConfig(Config):
    """A `Config` that keeps fields it does not know."""

    model_config = ConfigDict(extra="allow", frozen=True)


def validate(model: type[BaseModel], given: Any, path: str) -> Any:
    """An instance of `model` from plain data.

    Args:
        model: The class.
        given: A mapping, or None for an empty one.
        path: Where it stands in run configuration, for messages.

    Raises:
        ConfigError: With a line per wrong field, `<path>.<field>: <what pydantic says>`.
    """
    if given is not None and not isinstance(given, Mapping):
        raise ConfigError(
            f"{path}: Input should be a mapping of fields, not {type(given).__name__}"
        )
    try:
        return model.model_validate(resolve_env(model, given or {}))
    except ValidationError as error:
        raise config_error(error, path) from None


def config_error(error: ValidationError, path: str) -> ConfigError:
    """pydantic's findings with their paths, a line each."""
    lines = []
    for found in error.errors(include_url=False, include_context=False):
        where = ".".join([path, *map(str, found["loc"])])
        message = found["msg"]
        if found["type"] == "extra_forbidden":
            message = "this field is not known"
        lines.append(f"{where}: {message}")
    return ConfigError("\n".join(lines))


def resolve_env(model: type[BaseModel], given: Mapping[str, Any]) -> dict[str, Any]:
    """`given` with `EnvVar` and `{"env": NAME}` read from the environment, also in nested models."""
    resolved: dict[str, Any] = {}
    for name, value in given.items():
        field = model.model_fields.get(name)
        inner = field.annotation if field else None
        if isinstance(inner, type) and issubclass(inner, BaseModel) and isinstance(value, Mapping):
            resolved[name] = resolve_env(inner, value)
        else:
            resolved[name] = _env(value, takes_mapping=inner is dict or inner is Any)
    return resolved


def _env(value: Any, takes_mapping: bool = False) -> Any:
    if isinstance(value, EnvVar):
        return value.read()
    if (
        not takes_mapping
        and isinstance(value, Mapping)
        and len(value) == 1
        and isinstance(value.get("env"), str)
    ):
        return EnvVar(value["env"]).read()
    return value
