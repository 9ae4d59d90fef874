"""The function behind a schedule or sensor: what its parameters mean, and how it is called."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from typing import Any

from arco_flow._internal.errors import DefinitionError, UsageError
from arco_flow._internal.signature import Param, read_resources


class UserFunction:
    """A function that takes up to so many things by position, and resources by name.

    The first parameter that is no resource is the context, whatever its name; the second, if there may be
    one, is what lies before the sensor.

    Raises:
        DefinitionError: For a parameter that can mean nothing.
    """

    def __init__(self, fn: Callable[..., Any], of: str, given: tuple[str, ...]) -> None:
        if not callable(fn):
            raise DefinitionError(f"{of}: {fn!r} is no function")
        self.fn = fn
        self.of = of
        self.resources: tuple[Param, ...] = read_resources(fn)
        taken = {param.name for param in self.resources}
        self.positional: list[str] = []
        for parameter in inspect.signature(fn).parameters.values():
            if parameter.name in taken or parameter.kind in (
                parameter.VAR_KEYWORD,
                parameter.VAR_POSITIONAL,
            ):
                continue
            if len(self.positional) < len(given) and parameter.kind is not parameter.KEYWORD_ONLY:
                self.positional.append(parameter.name)
            elif parameter.default is parameter.empty:
                raise DefinitionError(
                    f"parameter `{parameter.name}` of {of}: its function takes {' and '.join(given)}; for a "
                    f"resource write `{parameter.name}: ResourceParam[...]` or the class of a ConfigurableResource"
                )

    @property
    def resource_names(self) -> frozenset[str]:
        """Resources it takes as parameters."""
        return frozenset(param.name for param in self.resources)

    def call(self, given: tuple[Any, ...], resources: Any) -> Any:
        """Calls it with what it takes of `given`, and its resources."""
        kwargs = {param.name: getattr(resources, param.name) for param in self.resources}
        kwargs |= dict(zip(self.positional, given, strict=False))
        return self.fn(**kwargs)

    def call_directly(
        self, args: tuple[Any, ...], kwargs: Mapping[str, Any], context: Callable[[], Any]
    ) -> Any:
        """A call of user code, in a unit test: as the function itself, with resources from the context.

        Args:
            args: By position: the context, and what lies before the sensor.
            kwargs: The same by name, and resources.
            context: Makes a context when none is given.

        Raises:
            UsageError: For too many arguments, and a resource that is nowhere.
        """
        if len(args) > len(self.positional):
            takes = " and ".join(f"`{name}`" for name in self.positional) or "nothing"
            raise UsageError(
                f"{self.of} was called with {len(args)} arguments and takes {takes}; give resources by name, or in "
                "the context"
            )
        bound = {**dict(zip(self.positional, args, strict=False)), **kwargs}
        if self.positional and self.positional[0] not in bound:
            bound[self.positional[0]] = context()
        holder = bound.get(self.positional[0]) if self.positional else None
        for param in self.resources:
            if param.name not in bound:
                if holder is None:
                    raise UsageError(
                        f"{self.of} needs the resource `{param.name}`; give {param.name}=..."
                    )
                bound[param.name] = getattr(holder.resources, param.name)
        return self.fn(**bound)


def check_resources(of: str, wanted: AbstractSet[str], defined: Mapping[str, Any]) -> None:
    """Raises `DefinitionError` for a resource that the location does not define."""
    from arco_flow._internal.names import did_you_mean

    for name in sorted(wanted):
        if name not in defined:
            hint = did_you_mean(name, defined) or f'; add Definitions(resources={{"{name}": ...}})'
            raise DefinitionError(f"resource `{name}` of {of} is not defined{hint}")


def resource_keys(given: AbstractSet[str] | None, of: str) -> frozenset[str]:
    """`required_resource_keys` as given."""
    if isinstance(given, str):
        raise DefinitionError(
            f"required_resource_keys of {of} is a set; write required_resource_keys={{{given!r}}}"
        )
    return frozenset(given or ())


def whole(name: str, value: object, of: str, least: int, most: int) -> int:
    """A whole number within bounds, which are those of the control plane.

    Raises:
        DefinitionError: For any other value.
    """
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise DefinitionError(
            f"{name} of {of} is a whole number from {least} to {most}, not {value!r}"
        )
    return value


TIMEOUT_SECONDS_MAX = 3600
"""What takes longer than an hour belongs in an asset."""
