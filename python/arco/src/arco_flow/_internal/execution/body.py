"""Calling the function, whatever its kind, and handing on what it returns or yields."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from arco_flow._internal.execution.plan import StepPlan

if TYPE_CHECKING:
    from arco_flow._internal.execution.outputs import Outputs


def run_body(
    plan: StepPlan, args: tuple[Any, ...], kwargs: Mapping[str, Any], outputs: Outputs
) -> None:
    """Runs the function; each thing it yields, or the one it returns, goes to `outputs` at once."""
    if plan.kind == "plain":
        value = plan.fn(*args, **kwargs)
        if _is_generator(value):
            _drain(value, outputs)  # A plain function that returns a generator of results.
        else:
            outputs.returned(value)
    elif plan.kind == "generator":
        _drain(plan.fn(*args, **kwargs), outputs)
    else:
        import asyncio

        asyncio.run(_run_async(plan, args, kwargs, outputs))


def _is_generator(value: Any) -> bool:
    return type(value).__name__ == "generator"


def _drain(generator: Any, outputs: Outputs) -> None:
    last = None
    while True:
        try:
            item = next(generator)
        except StopIteration as stop:
            last = stop.value
            break
        outputs.yielded(item)
    if last is not None:
        outputs.yielded(last)


async def _run_async(
    plan: StepPlan, args: tuple[Any, ...], kwargs: Mapping[str, Any], outputs: Outputs
) -> None:
    if plan.kind == "async":
        outputs.returned(await plan.fn(*args, **kwargs))
        return
    async for item in plan.fn(*args, **kwargs):
        outputs.yielded(item)
