"""How a task failed, in the words of the worker protocol."""

from __future__ import annotations

from typing import Any

from arco_flow._internal.errors import (
    AssetCheckFailed,
    ConfigError,
    Failure,
    RetryRequested,
    TaskCancelled,
)
from arco_flow._internal.failure import describe


class IOFailure(Exception):
    """Carries what an IO manager raised, so that the result can say where it was."""

    def __init__(self, error: Exception) -> None:
        super().__init__(str(error))
        self.error = error


def failed(error: BaseException) -> dict[str, Any]:
    """The `result` message of a task that raised."""
    where = "user_code"
    if isinstance(error, IOFailure):
        where, error = "io", error.error
        error.__cause__ = None if isinstance(error.__cause__, IOFailure) else error.__cause__
    message: dict[str, Any] = {"type": "result", "ok": False, "class": where, "allow_retries": True}
    if isinstance(error, (TaskCancelled, KeyboardInterrupt)):
        message.update({"class": "cancelled", "allow_retries": False})
    elif isinstance(error, RetryRequested):
        message.update({"class": "retry_requested", "max_retries": error.max_retries})
        if error.seconds_to_wait is not None:
            message["retry_after_ms"] = round(error.seconds_to_wait * 1000)
    elif isinstance(error, ConfigError):
        message.update({"class": "config", "allow_retries": False})
    elif isinstance(error, Failure):
        message["allow_retries"] = error.allow_retries
    elif isinstance(error, AssetCheckFailed):
        message.update({"class": "data_quality", "allow_retries": False})
    elif isinstance(error, MemoryError):
        # A limit of the address space, or the machine's own: the kernel did not need to kill.
        message["class"] = "out_of_memory"
    message["error"] = describe(error)
    if isinstance(error, SystemExit):
        message["error"]["message"] = f"the function called sys.exit({error.code!r})"
    if isinstance(error, Failure) and error.metadata:
        shown = "\n".join(f"  {name} = {value}" for name, value in error.metadata.items())
        message["error"]["traceback"] += f"metadata:\n{shown}\n"
    return message
