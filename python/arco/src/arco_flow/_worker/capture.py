"""Standard streams and ``logging`` of one task.

The host sends the write ends of two pipes with every task. They become descriptors 1 and 2 of
this process, so ``print``, C libraries and programs the task starts all end in the same place.
Between tasks both are ``/dev/null``, which closes our end of the pipes: the host sees their end.
"""

from __future__ import annotations

import io
import logging
import os
import sys
import traceback
from collections.abc import Callable
from contextlib import suppress

from arco_flow._worker import process
from arco_flow._worker.frames import Channel, Message


class Streams:
    """Descriptors 1 and 2 of this process."""

    def __init__(self) -> None:
        self._null = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
        os.dup2(self._null, 0)

    def attach(self, out: int, err: int) -> None:
        """From here on output belongs to the task."""
        os.dup2(out, 1)
        os.dup2(err, 2)
        os.close(out)
        os.close(err)
        for stream in (sys.stdout, sys.stderr):
            # User code may have put anything there; only a real text stream can be set.
            if isinstance(stream, io.TextIOWrapper):
                with suppress(Exception):
                    stream.reconfigure(
                        encoding="utf-8", errors="backslashreplace", line_buffering=True
                    )

    @staticmethod
    def flush() -> None:
        """Everything written so far is in the pipes."""
        for stream in (sys.stdout, sys.stderr):
            with suppress(Exception):
                stream.flush()
        process.flush_c_streams()

    def detach(self) -> None:
        """The task's output has ended."""
        os.dup2(self._null, 1)
        os.dup2(self._null, 2)


class RecordHandler(logging.Handler):
    """Sends records of ``logging`` to the host as data, not as text."""

    def __init__(self, send: Callable[[Message], None], owned: Callable[[], bool]) -> None:
        super().__init__()
        self._send = send
        self._owned = owned

    def emit(self, record: logging.LogRecord) -> None:
        """One record, one frame. In a process the task forked: one line on its stderr."""
        try:
            message = self._text(record)
            if not self._owned():
                print(f"{record.levelname} {record.name}: {message}", file=sys.stderr)
                return
            self._send(
                {
                    "type": "log",
                    "level": record.levelname,
                    "message": message,
                    "logger": record.name,
                    "t": int(record.created * 1000),
                }
            )
        except Exception:
            self.handleError(record)

    @staticmethod
    def _text(record: logging.LogRecord) -> str:
        message = record.getMessage()
        if record.exc_info and record.exc_info[0] is not None:
            lines = traceback.format_exception(*record.exc_info)
            message = f"{message}\n{''.join(lines)}".rstrip()
        return message


def install_record_handler(channel: Channel) -> None:
    """Every logger's records reach the host.

    The level of the root logger is the user's business once they have configured logging; left
    alone it would hide INFO, which is what people write for someone to read.
    """
    root = logging.getLogger()
    if not root.handlers and root.level == logging.WARNING:
        root.setLevel(logging.INFO)
    root.addHandler(RecordHandler(channel.send, channel.owned))
