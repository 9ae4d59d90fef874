"""When and how a task is tried again (R-20 to R-22)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any

from arco_flow._internal.errors import DefinitionError


class Backoff(Enum):
    """How the delay grows: before retry n, n times the delay or (2ⁿ − 1) times (R-21)."""

    LINEAR = "LINEAR"
    EXPONENTIAL = "EXPONENTIAL"


class Jitter(Enum):
    """How the delay is spread: anything up to it, or it ± the base delay (R-22)."""

    FULL = "FULL"
    PLUS_MINUS = "PLUS_MINUS"


@dataclass(frozen=True)
class RetryPolicy:
    """Tries after the first.

    Differs from Dagster: jitter is derived from the attempt's id, so that a replay decides the same.

    Args:
        max_retries: Tries after the first, at most.
        delay: Seconds before a retry; none means at once.
        backoff: How the delay grows; needs a delay.
        jitter: How the delay is spread; needs a delay.

    Raises:
        DefinitionError: For negative numbers, or backoff or jitter without a delay (R-20).
    """

    max_retries: int = 1
    delay: float | None = None
    backoff: Backoff | None = None
    jitter: Jitter | None = None

    def __post_init__(self) -> None:
        if self.max_retries < 0:
            raise DefinitionError(f"max_retries must be 0 or more, not {self.max_retries}")
        if self.delay is not None and self.delay < 0:
            raise DefinitionError(f"delay must be 0 seconds or more, not {self.delay}")
        if self.delay is None and (self.backoff or self.jitter):
            word = "backoff" if self.backoff else "jitter"
            raise DefinitionError(f"{word} without a delay does nothing; add delay=1 (seconds)")

    def delay_seconds(self, retry: int) -> float:
        """Seconds before retry number `retry` (from 1), before jitter (R-21)."""
        base = self.delay or 0.0
        if self.backoff is Backoff.LINEAR:
            return base * retry
        if self.backoff is Backoff.EXPONENTIAL:
            return base * float(2**retry - 1)
        return base

    def to_json(self) -> dict[str, Any]:
        """The policy as it stands in a manifest; absent rather than null."""
        policy: dict[str, Any] = {"max_retries": self.max_retries}
        if self.delay is not None:
            policy["delay_ms"] = round(self.delay * 1000)
        if self.backoff:
            policy["backoff"] = self.backoff.value.lower()
        if self.jitter:
            policy["jitter"] = self.jitter.value.lower()
        return policy
