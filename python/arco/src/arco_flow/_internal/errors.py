"""Errors of the SDK, named by what the reader should do.

`ArcoError` is the base of all of them. Users who move from Dagster catch its names; those that have
a counterpart are aliases at the end of the file. `Failure`, `RetryRequested` and `TaskCancelled` are
not errors *of* the SDK but words user code and the SDK say to each other, so they stand apart.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class ArcoError(Exception):
    """Base of every error the SDK raises."""


class DefinitionError(ArcoError):
    """The definitions do not stand: change the code that declares them."""


class UnsupportedError(DefinitionError):
    """A Dagster name or parameter that Arco does not have: the message says what comes instead."""


class LoadError(DefinitionError):
    """A file or module with definitions could not be loaded.

    `error` holds `type`, `message` and `traceback` (text, user frames only) of what went wrong.
    """

    def __init__(self, message: str, error: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.error: dict[str, str] = dict(
            error or {"type": "LoadError", "message": message, "traceback": ""}
        )


class ConfigError(ArcoError):
    """Run configuration does not validate: change the configuration.

    The message has the path of each wrong field, for example
    `ops.flights.config.limit: Input should be a valid integer`.
    """


class UsageError(ArcoError):
    """A call that cannot be answered here: change the call."""


class UnknownPartitionError(UsageError):
    """A partition key that its definition does not have."""


class StorageError(ArcoError):
    """A value could not be read or written: look at the storage, or at what was to be stored."""


class AssetCheckFailed(ArcoError):
    """A blocking check said no with severity ERROR; what is downstream does not start (M-21)."""


class Failure(Exception):
    """Raised by user code to fail with a description and metadata (R-23).

    Args:
        description: What went wrong, for people.
        metadata: Values shown with the failure.
        allow_retries: `False` stops retries at once, whatever the retry policy says.
    """

    def __init__(
        self,
        description: str | None = None,
        metadata: Mapping[str, Any] | None = None,
        allow_retries: bool | None = None,
    ) -> None:
        super().__init__(description or "failure raised by user code")
        self.description = description
        self.metadata: dict[str, Any] = dict(metadata or {})
        self.allow_retries = True if allow_retries is None else allow_retries


class RetryRequested(Exception):
    """Raised by user code to ask for another try, also without a retry policy (R-23).

    Args:
        max_retries: Tries after the first, at most.
        seconds_to_wait: Seconds before the next try; none means at once.
    """

    def __init__(self, max_retries: int | None = 1, seconds_to_wait: float | None = None) -> None:
        super().__init__("retry requested by user code")
        self.max_retries = 1 if max_retries is None else max_retries
        self.seconds_to_wait = seconds_to_wait
        if self.max_retries < 0:
            raise UsageError(f"max_retries must be 0 or more, not {max_retries}")
        if seconds_to_wait is not None and seconds_to_wait < 0:
            raise UsageError(f"seconds_to_wait must be 0 or more, not {seconds_to_wait}")


class TaskCancelled(BaseException):
    """The task was asked to stop.

    Raised in the main thread, wherever user code is. It is no `Exception`, so that an `except
    Exception` around a loop does not swallow it; clean up in `finally` and let it pass.
    """


# Tracebacks show them by the name under which users import them.
for _error in [
    ArcoError,
    *ArcoError.__subclasses__(),
    *DefinitionError.__subclasses__(),
    UnknownPartitionError,
]:
    _error.__module__ = "arco_flow"
for _word in (Failure, RetryRequested, TaskCancelled):
    _word.__module__ = "arco_flow"

# What Dagster calls them, for code that catches them.
DagsterError = ArcoError
DagsterInvalidDefinitionError = DefinitionError
DagsterInvalidConfigDefinitionError = DefinitionError
DagsterInvalidSubsetError = DefinitionError
DagsterInvalidConfigError = ConfigError
DagsterInvalidInvocationError = UsageError
DagsterInvariantViolationError = UsageError
DagsterUnknownPartitionError = UnknownPartitionError
DagsterExecutionInterruptedError = TaskCancelled
