"""Cancellation: SIGTERM becomes an exception in the task's main thread.

The host asks with SIGTERM, waits for the grace time and then kills the process group. What the
signal means depends on what the child is doing:

========== =====================================================================================
idle        leave at once
running     raise ``TaskCancelled`` in the main thread
finishing   nothing: the result is on its way, and the host will not use this child again
========== =====================================================================================

An exception raised half-way through writing a frame would tear the control socket, so sections
that write hold the cancellation back, and it is raised when the outermost of them ends.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum
from types import FrameType


class Phase(Enum):
    """What the child is doing."""

    IDLE = "idle"
    RUNNING = "running"
    FINISHING = "finishing"


class Cancellation:
    """The SIGTERM handler and its state; one per process."""

    def __init__(self, raises: type[BaseException] = KeyboardInterrupt) -> None:
        self._raises = raises
        self._phase = Phase.IDLE
        self._holds = 0
        self._pending = False
        self.fired = False

    def install(self) -> None:
        """Takes SIGTERM over. Main thread only."""
        signal.signal(signal.SIGTERM, self._on_signal)

    @contextmanager
    def running(self) -> Iterator[None]:
        """A task body: the signal raises."""
        self.fired = False
        self._pending = False
        self._phase = Phase.RUNNING
        try:
            yield
        finally:
            self.finish()

    def finish(self) -> None:
        """The body is over: the signal does nothing any more."""
        self._phase = Phase.FINISHING

    def idle(self) -> None:
        """No task any more: the signal ends the process."""
        self._phase = Phase.IDLE

    @contextmanager
    def held(self) -> Iterator[None]:
        """A section that must not be torn. Only the main thread ever receives the exception."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        self._holds += 1
        try:
            yield
        finally:
            self._holds -= 1
            if self._pending and self._holds == 0:
                self._pending = False
                if self._phase is Phase.RUNNING:
                    raise self._raises

    def _on_signal(self, _signum: int, _frame: FrameType | None) -> None:
        if self._phase is Phase.IDLE:
            os._exit(0)
        if self._phase is Phase.FINISHING:
            return
        self.fired = True
        if self._holds:
            self._pending = True
            return
        raise self._raises
