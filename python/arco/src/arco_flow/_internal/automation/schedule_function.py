"""The functions of a schedule: whether a tick runs, what it runs, with which configuration and tags."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Any

from arco_flow._internal.automation.context import (
    ScheduleEvaluationContext,
    build_schedule_context,
)
from arco_flow._internal.automation.function import (
    TIMEOUT_SECONDS_MAX,
    UserFunction,
    resource_keys,
    whole,
)
from arco_flow._internal.automation.requests import RunRequest, run_tags
from arco_flow._internal.automation.results import ScheduleExecutionData, read_schedule
from arco_flow._internal.automation.target import Target
from arco_flow._internal.errors import DefinitionError, UsageError
from arco_flow._internal.run_config import RunConfig, config_dict

_TAKES = ("the context",)


@dataclass(frozen=True)
class Decorated:
    """A function below `@schedule`, with the functions that were given to the decorator."""

    fn: Callable[..., Any]
    tags_fn: Callable[..., Any] | None
    should_execute: Callable[..., Any] | None


@dataclass(frozen=True)
class ScheduleFunction:
    """The functions of one schedule; those that are absent say what is declared."""

    of: str
    execution: UserFunction | None
    run_config: UserFunction | None
    tags: UserFunction | None
    should_execute: UserFunction | None
    keys: frozenset[str]

    @property
    def resource_keys(self) -> frozenset[str]:
        """Names of the resources they use."""
        used = (self.execution, self.run_config, self.tags, self.should_execute)
        return self.keys.union(*(one.resource_names for one in used if one is not None))

    def dress(self, schedule: Any) -> None:
        """Gives a schedule the name and the docstring of its function."""
        if self.execution is None:
            return
        fn = self.execution.fn
        for one in ("__doc__", "__name__", "__qualname__", "__module__"):
            if hasattr(fn, one):
                setattr(schedule, one, getattr(fn, one))
        schedule.__wrapped__ = fn
        if schedule.description is None and inspect.isfunction(fn):
            schedule.description = inspect.getdoc(fn)

    def call_directly(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
        """A call of user code, in a unit test."""
        if self.execution is None:
            raise UsageError(
                f"{self.of} has no function that says what to run; evaluate it: "
                "evaluate_tick(build_schedule_context(...))"
            )
        return self.execution.call_directly(args, kwargs, build_schedule_context)

    def evaluate(
        self,
        context: ScheduleEvaluationContext,
        target: Target,
        run_config: Mapping[str, Any] | None,
        tags: Mapping[str, str],
    ) -> ScheduleExecutionData:
        """Asks the functions what one tick runs."""
        if self.should_execute is not None and not self._ask(self.should_execute, context):
            name = self.of.split("`")[1]
            return ScheduleExecutionData((), f"should_execute function for {name} returned false.")
        if self.tags is not None:
            tags = {**tags, **self._tags(context)}
        if self.execution is not None:
            result = self._ask(self.execution, context)
        else:
            config = run_config if self.run_config is None else self._config(context)
            result = RunRequest(run_config=config)
        return read_schedule(result, self.of, target, tags)

    def _tags(self, context: ScheduleEvaluationContext) -> dict[str, str]:
        assert self.tags is not None
        return run_tags(self._ask(self.tags, context), f"tags_fn of {self.of}")

    def _config(self, context: ScheduleEvaluationContext) -> dict[str, Any]:
        assert self.run_config is not None
        found = self._ask(self.run_config, context)
        if not isinstance(found, (Mapping, RunConfig)):
            raise UsageError(
                f"run_config_fn of {self.of} gave {type(found).__name__}; it gives a RunConfig or a dictionary"
            )
        return config_dict(found)

    @staticmethod
    def _ask(function: UserFunction, context: ScheduleEvaluationContext) -> Any:
        return function.call((context,), context.resources)


def read_function(
    name: str,
    *,
    run_config: object,
    run_config_fn: Callable[..., Any] | None,
    tags: object,
    tags_fn: Callable[..., Any] | None,
    should_execute: Callable[..., Any] | None,
    execution_fn: Callable[..., Any] | Decorated | None,
    required_resource_keys: AbstractSet[str] | None,
    timeout_seconds: int,
    max_retries: int,
) -> ScheduleFunction | None:
    """The functions of a schedule; None when everything is declared.

    Raises:
        DefinitionError: For functions that contradict what else is given.
    """
    of = f"schedule `{name}`"
    if isinstance(execution_fn, Decorated):
        tags_fn, should_execute = execution_fn.tags_fn, execution_fn.should_execute
        execution_fn = execution_fn.fn
    elif execution_fn is not None:
        for word, given in (
            ("run_config_fn", run_config_fn),
            ("tags_fn", tags_fn),
            ("should_execute", should_execute),
            ("run_config", run_config),
        ):
            if given:
                raise DefinitionError(
                    f"{of} is given execution_fn= and {word}=; say it in the requests of execution_fn"
                )
    for declared, function, one, other in (
        (run_config, run_config_fn, "run_config", "run_config_fn"),
        (tags, tags_fn, "tags", "tags_fn"),
    ):
        if declared and function:
            raise DefinitionError(f"{of} is given {one}= and {other}=; give one of them")
    whole("timeout_seconds", timeout_seconds, of, 1, TIMEOUT_SECONDS_MAX)
    whole("max_retries", max_retries, of, 0, 100)
    keys = resource_keys(required_resource_keys, of)
    functions = {
        "execution": execution_fn,
        "run_config": run_config_fn,
        "tags": tags_fn,
        "should_execute": should_execute,
    }
    if not any(functions.values()):
        if max_retries:
            raise DefinitionError(
                f"{of} has no function that could be tried again; drop max_retries, or give its job retries"
            )
        if keys:
            raise DefinitionError(
                f"{of} has no function that uses resources; drop required_resource_keys"
            )
        return None
    read = {
        word: None if fn is None else UserFunction(fn, of, _TAKES) for word, fn in functions.items()
    }
    return ScheduleFunction(of=of, keys=keys, **read)


def decorated(
    fn: Callable[..., Any],
    tags: object,
    tags_fn: Callable[..., Any] | None,
    should_execute: Callable[..., Any] | None,
) -> Any:
    """What `@schedule` gives as the function of its schedule.

    Raises:
        DefinitionError: For tags that are given twice.
    """
    if tags and tags_fn:
        raise DefinitionError(
            f"schedule `{getattr(fn, '__name__', '?')}` is given tags= and tags_fn=; give one of them"
        )
    return Decorated(fn, tags_fn, should_execute)
