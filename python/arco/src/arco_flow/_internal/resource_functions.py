"""Resources and IO managers made by functions: `@resource` and `@io_manager`."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any, overload

from arco_flow._internal.errors import ConfigError, DefinitionError
from arco_flow._internal.unsupported import refuse


@dataclass(frozen=True, eq=False)
class ResourceFunction:
    """A function that makes a resource; a generator makes it, yields it and tears it down."""

    fn: Callable[..., Any]

    _arco_kind = "resource"

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Calls the function."""
        return self.fn(*args, **kwargs)

    def _arco_lives_per_task(self) -> bool:
        return inspect.isgeneratorfunction(self.fn)

    def _arco_build(
        self, name: str, config: Mapping[str, Any], stack: ExitStack, context: Any
    ) -> Any:
        if config:
            raise ConfigError(f"resources.{name}.config: `{name}` takes no configuration")
        args = (context,) if inspect.signature(self.fn).parameters else ()
        if inspect.isgeneratorfunction(self.fn):
            return stack.enter_context(contextmanager(self.fn)(*args))
        return self.fn(*args)


@overload
def resource(config_schema: Callable[..., Any], /) -> ResourceFunction: ...


@overload
def resource(
    *, description: str | None = ...
) -> Callable[[Callable[..., Any]], ResourceFunction]: ...


def resource(
    config_schema: Callable[..., Any] | None = None,
    description: str | None = None,
    required_resource_keys: None = None,
    version: None = None,
) -> Any:
    """Makes a resource of a function that may take an `InitResourceContext` (M-24).

    Differs from Dagster: configuration is written as a class of `ConfigurableResource`, which is the
    better way for new code.
    """
    return _decorate("@resource", config_schema, description, required_resource_keys, version)


@overload
def io_manager(config_schema: Callable[..., Any], /) -> ResourceFunction: ...


@overload
def io_manager(
    *, description: str | None = ...
) -> Callable[[Callable[..., Any]], ResourceFunction]: ...


def io_manager(
    config_schema: Callable[..., Any] | None = None,
    description: str | None = None,
    output_config_schema: None = None,
    input_config_schema: None = None,
    required_resource_keys: None = None,
    version: None = None,
) -> Any:
    """Makes an IO manager of a function that returns one; differs as `resource` does."""
    refuse("@io_manager", config_schema=output_config_schema or input_config_schema)
    return _decorate("@io_manager", config_schema, description, required_resource_keys, version)


def _decorate(what: str, fn: Any, description: Any, required: Any, version: Any) -> Any:
    del description, version
    if required:
        raise DefinitionError(
            f"{what}: required_resource_keys is not supported; nest a ConfigurableResource in another"
        )
    if fn is None:
        return ResourceFunction
    if not inspect.isfunction(fn):
        refuse(what, config_schema=fn)
    return ResourceFunction(fn)
