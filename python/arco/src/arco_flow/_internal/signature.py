"""What the parameters of a decorated function mean (M-5).

The context is the first parameter when it is called `context` or annotated as one; configuration is
called `config` or annotated with a class of `Config`; a resource is annotated with a class of
`ConfigurableResource` or with `ResourceParam[...]`. Every other parameter names an upstream asset.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import FrameType
from typing import TYPE_CHECKING, Annotated, Any, TypeVar, get_args, get_origin

from arco_flow._internal.errors import DefinitionError

_T = TypeVar("_T")
_CONTEXT_NAMES = frozenset({"context", "_context", "_", "__"})
_RESOURCE = "arco_flow.resource"

if TYPE_CHECKING:
    ResourceParam = Annotated[_T, _RESOURCE]
else:

    class ResourceParam:
        """`db: ResourceParam[Database]`: the parameter is a resource, whatever its class (M-24)."""

        def __class_getitem__(cls, item: Any) -> Any:
            return Annotated[item, _RESOURCE]


@dataclass(frozen=True)
class Param:
    """One parameter: its name and its annotation, `Any` when there is none or it cannot be read."""

    name: str
    annotation: Any


@dataclass(frozen=True)
class Signature:
    """The parameters of a function by what they mean."""

    context: str | None
    config: Param | None
    resources: tuple[Param, ...]
    inputs: tuple[Param, ...]
    takes_any: bool
    returns: Any


def read_signature(fn: Callable[..., Any], step: str) -> Signature:
    """The meaning of each parameter of `fn`.

    Args:
        fn: The decorated function.
        step: Its name, for messages.

    Raises:
        DefinitionError: For a parameter that can mean nothing.
    """
    hints = _annotations(fn)
    context, config, takes_any = None, None, False
    resources: list[Param] = []
    inputs: list[Param] = []
    for at, parameter in enumerate(inspect.signature(fn).parameters.values()):
        param = Param(parameter.name, hints.get(parameter.name, Any))
        if parameter.kind is parameter.VAR_KEYWORD:
            takes_any = True
        elif parameter.kind is parameter.VAR_POSITIONAL:
            raise DefinitionError(
                f"`*{param.name}` of `{step}`: each parameter names an upstream asset; "
                "write the names, or `**kwargs` with `ins={...}`"
            )
        elif at == 0 and (param.name in _CONTEXT_NAMES or _kind(param.annotation) == "context"):
            context = param.name
        elif _kind(param.annotation) == "context":
            raise DefinitionError(
                f"`{param.name}` of `{step}` is the context; it must be the first parameter"
            )
        elif parameter.kind is parameter.KEYWORD_ONLY and parameter.default is not parameter.empty:
            continue  # As in Dagster, it names no asset and keeps its default.
        elif param.name == "config" or _kind(param.annotation) == "config":
            config = _config(param, step)
        elif _is_resource(param.annotation):
            resources.append(Param(param.name, _bare(param.annotation)))
        else:
            inputs.append(param)
    return Signature(
        context, config, tuple(resources), tuple(inputs), takes_any, hints.get("return", Any)
    )


def read_resources(fn: Callable[..., Any]) -> tuple[Param, ...]:
    """The parameters of the function of a schedule or sensor that are resources."""
    hints = _annotations(fn)
    return tuple(
        Param(name, _bare(hints[name]))
        for name in inspect.signature(fn).parameters
        if _is_resource(hints.get(name))
    )


def _kind(annotation: Any) -> str | None:
    return getattr(annotation, "_arco_kind", None) if isinstance(annotation, type) else None


def _is_resource(annotation: Any) -> bool:
    if get_origin(annotation) is Annotated:
        return _RESOURCE in get_args(annotation)[1:]
    return _kind(annotation) == "resource"


def _bare(annotation: Any) -> Any:
    return get_args(annotation)[0] if get_origin(annotation) is Annotated else annotation


def _config(param: Param, step: str) -> Param:
    annotation = _bare(param.annotation)
    if _kind(annotation) == "config" or annotation in (dict, Any) or get_origin(annotation) is dict:
        return Param(param.name, annotation)
    if isinstance(annotation, str):
        raise DefinitionError(
            f"the annotation `{annotation}` of `{param.name}` of `{step}` is not found where the function "
            "is defined; import the class outside of `if TYPE_CHECKING`"
        )
    raise DefinitionError(
        f"`{param.name}` of `{step}` is configuration; annotate it with a class of `Config`, as in\n"
        "    class MyConfig(Config):\n        limit: int = 10\n"
        f"    def {step}({param.name}: MyConfig): ..."
    )


def _annotations(fn: Callable[..., Any]) -> dict[str, Any]:
    fn = inspect.unwrap(fn)
    raw = _raw_annotations(fn)
    texts = {name: value for name, value in raw.items() if isinstance(value, str)}
    if not texts:
        return raw
    names: Mapping[str, Any] = {**_closure(fn), **_locals()}
    return {**raw, **{name: _evaluate(text, fn, names) for name, text in texts.items()}}


def _locals() -> Mapping[str, Any]:
    """Names where the function is decorated: annotations may use classes of the function around."""
    frame: FrameType | None = sys._getframe()
    while frame is not None and frame.f_globals.get("__name__", "").startswith(
        "arco_flow._internal"
    ):
        frame = frame.f_back
    return frame.f_locals if frame is not None else {}


def _raw_annotations(fn: Callable[..., Any]) -> dict[str, Any]:
    try:
        return dict(inspect.get_annotations(fn))
    except NameError:  # Python 3.14 evaluates late; take the names it cannot find as text.
        import annotationlib  # type: ignore[import-not-found]

        return dict(annotationlib.get_annotations(fn, format=annotationlib.Format.STRING))


def _closure(fn: Callable[..., Any]) -> Mapping[str, Any]:
    try:
        return inspect.getclosurevars(fn).nonlocals
    except (TypeError, ValueError):
        return {}


def _evaluate(text: str, fn: Callable[..., Any], names: Mapping[str, Any]) -> Any:
    """The annotation, or its text when a name in it is only known to type checkers."""
    value: Any = text
    for _ in range(2):  # Text within text, where a quoted annotation meets `from __future__`.
        if not isinstance(value, str):
            break
        try:
            value = eval(value, dict(getattr(fn, "__globals__", {})), dict(names))
        except Exception:  # An annotation is any expression.
            break
    return value
