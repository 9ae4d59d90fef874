"""`@op`: a function within a graph, whose values are no assets (M-3)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from typing import Any, Generic, TypeVar, overload

from arco_flow._internal import names
from arco_flow._internal.assets import StepOptions
from arco_flow._internal.decorators import Isolation
from arco_flow._internal.errors import DefinitionError, UsageError
from arco_flow._internal.metadata import RawMetadataMapping
from arco_flow._internal.retry import RetryPolicy
from arco_flow._internal.signature import Signature, read_signature
from arco_flow._internal.unsupported import refuse, refuse_unknown

T = TypeVar("T")

RESULT = "result"
_MAPPING_KEY = re.compile(r"[A-Za-z0-9_]+")


@dataclass(frozen=True)
class In:
    """One input of an op, for people: which value it takes is said where the op is called in a graph.

    Args:
        dagster_type: The Python type, for an op whose parameter has no annotation.
        description: For people.
        metadata: Told to the IO manager that loads the value.
    """

    dagster_type: Any = None
    description: str | None = None
    default_value: None = None
    metadata: RawMetadataMapping | None = None
    asset_key: None = None
    asset_partitions: None = None
    input_manager_key: None = None

    def __post_init__(self) -> None:
        words = ("default_value", "asset_key", "asset_partitions", "input_manager_key")
        refuse("In", **{word: getattr(self, word) for word in words})


@dataclass(frozen=True)
class Out:
    """One output of an op.

    Args:
        dagster_type: The Python type, for an op whose function has no annotation.
        description: For people.
        is_required: False when the op may leave it out; what reads it is skipped then (R-37).
        io_manager_key: Resource that keeps the value for the ops that read it; `io_manager` when absent.
        metadata: Told to that IO manager.
    """

    dagster_type: Any = None
    description: str | None = None
    is_required: bool = True
    io_manager_key: str | None = None
    metadata: RawMetadataMapping | None = None
    code_version: str | None = None

    is_dynamic = False


@dataclass(frozen=True)
class DynamicOut(Out):
    """An output of which an op yields any number of `DynamicOutput`s, each under a key of its own.

    In a graph it is not passed on directly, but by `.map(...)` and `.collect()` (R-43).
    """

    is_dynamic = True


@dataclass(frozen=True)
class DynamicOutput(Generic[T]):
    """One value of a dynamic output.

    Args:
        value: The value.
        mapping_key: Its name: letters, digits and underscores, once per output.
        output_name: The output, `result` when the op has one.
        metadata: Told to the IO manager.
    """

    value: T
    mapping_key: str
    output_name: str = RESULT
    metadata: RawMetadataMapping | None = None

    def __post_init__(self) -> None:
        key = self.mapping_key
        if not isinstance(key, str) or not _MAPPING_KEY.fullmatch(key):
            raise UsageError(
                f"the mapping key {key!r} is not letters, digits and underscores; make one of a name, for "
                're.sub(r"[^A-Za-z0-9_]", "_", name)'
            )


@dataclass(frozen=True, eq=False)
class OpDefinition:
    """A function within graphs: what `@op` gives. Called in a graph it becomes a task; elsewhere it is
    the function."""

    fn: Callable[..., Any]
    name: str
    signature: Signature
    outs: Mapping[str, Out]
    options: StepOptions
    description: str | None = None
    alias_of: str | None = None
    ins: Mapping[str, In] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "__name__", self.name)
        object.__setattr__(self, "__doc__", self.fn.__doc__)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """In a graph: a task of it. Elsewhere: calls the function."""
        from arco_flow._internal.composition import current

        graph = current()
        return self.fn(*args, **kwargs) if graph is None else graph.invoke(self, args, kwargs)

    def alias(self, name: str) -> OpDefinition:
        """The op under another name, for a graph that calls it twice."""
        return replace(self, name=names.check_name(name, "an op"), alias_of=self.name)

    def with_retry_policy(self, retry_policy: RetryPolicy) -> OpDefinition:
        """The op with another retry policy."""
        return replace(self, options=replace(self.options, retry_policy=retry_policy))

    @property
    def input_names(self) -> list[str]:
        """Names of its inputs, in order."""
        return [param.name for param in self.signature.inputs]


@overload
def op(compute_fn: Callable[..., Any]) -> OpDefinition: ...
@overload
def op(
    *,
    name: str | None = None,
    description: str | None = None,
    ins: Mapping[str, In] | None = None,
    out: Out | Mapping[str, Out] | None = None,
    config_schema: None = None,
    required_resource_keys: AbstractSet[str] | None = None,
    tags: Mapping[str, Any] | None = None,
    version: None = None,
    retry_policy: RetryPolicy | None = None,
    code_version: str | None = None,
    pool: str | None = None,
    isolation: Isolation = "reuse",
    timeout_seconds: float | None = None,
    **removed: Any,
) -> Callable[[Callable[..., Any]], OpDefinition]: ...
def op(
    compute_fn: Callable[..., Any] | None = None,
    *,
    name: str | None = None,
    description: str | None = None,
    ins: Mapping[str, In] | None = None,
    out: Out | Mapping[str, Out] | None = None,
    config_schema: None = None,
    required_resource_keys: AbstractSet[str] | None = None,
    tags: Mapping[str, Any] | None = None,
    version: None = None,
    retry_policy: RetryPolicy | None = None,
    code_version: str | None = None,
    pool: str | None = None,
    isolation: Isolation = "reuse",
    timeout_seconds: float | None = None,
    **removed: Any,
) -> Any:
    """Declares an op: a function that graphs are made of.

    Parameters are inputs, but for the context, configuration and resources, as those of an `@asset`.
    The function returns its output, or a tuple of them in the order of `out`, or yields `Output`s and
    `DynamicOutput`s. Each call in a graph is a task of its own, with its own tries and logs.

    Args:
        compute_fn: The function, when there are no parentheses.
        name: Name, the function's when absent.
        description: For people; the docstring when absent.
        ins: Descriptions of inputs by name.
        out: Its output, or outputs by name. One required output, `result`, when absent.
        required_resource_keys: Resources used as `context.resources.x`.
        tags: Tags of the step.
        retry_policy: Tries after the first (R-20).
        pool: Pool whose slots bound how many run at once.
        isolation: Arco's own; see `@asset`.
        timeout_seconds: Arco's own. Longest time of one attempt, in seconds.

    Raises:
        DefinitionError: When a name or value breaks a rule.
    """
    refuse("@op", config_schema=config_schema, version=version)
    refuse_unknown("@op", removed)
    del code_version  # The graph's asset has one.

    def decorate(fn: Callable[..., Any]) -> OpDefinition:
        op_name = names.check_name(name or fn.__name__, "an op")
        signature = read_signature(fn, op_name)
        unknown = [one for one in ins or () if one not in {p.name for p in signature.inputs}]
        if unknown:
            raise DefinitionError(
                f"ins of op `{op_name}` names `{unknown[0]}`, which is no parameter of the function"
                + names.did_you_mean(unknown[0], [p.name for p in signature.inputs])
            )
        return OpDefinition(
            fn=fn,
            name=op_name,
            signature=signature,
            outs=_outs(op_name, out),
            description=description or fn.__doc__,
            ins=dict(ins or {}),
            options=StepOptions(
                required_resource_keys=frozenset(required_resource_keys or ()),
                retry_policy=retry_policy,
                op_tags=dict(tags or {}),
                pool=pool,
                isolation=isolation,
                timeout_seconds=timeout_seconds,
            ),
        )

    return decorate if compute_fn is None else decorate(compute_fn)


def _outs(op_name: str, out: Out | Mapping[str, Out] | None) -> Mapping[str, Out]:
    outs = {RESULT: out or Out()} if out is None or isinstance(out, Out) else dict(out)
    for name, one in outs.items():
        names.check_name(name, "an output")
        if not isinstance(one, Out):
            raise DefinitionError(
                f"output `{name}` of op `{op_name}` is an Out or a DynamicOut, not {one!r}; write Out()"
            )
    return outs
