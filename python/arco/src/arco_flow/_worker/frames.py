"""Frames: a big-endian 32-bit length, then that many bytes of JSON.

Descriptors ride along by ``SCM_RIGHTS`` with the first byte of the frame that speaks of them. The
kernel may hand us the end of one frame and the whole next one in a single read, so descriptors go
to a queue and the code that handles a frame takes as many as that frame carries: both the stream
and the queue keep their order, so they cannot be mixed up.
"""

from __future__ import annotations

import array
import json
import os
import socket
import struct
import threading
from collections import deque
from typing import Any

from arco_flow._worker.cancellation import Cancellation

#: A frame of more bytes than this is a mistake of ours or an attack, never work.
FRAME_BYTES_MAX = 64 * 1024 * 1024
#: Descriptors one frame may carry; a task carries two.
DESCRIPTORS_MAX = 8

_LENGTH = struct.Struct("!I")
_READ_BYTES = 65_536
_CMSG_CLOEXEC = getattr(socket, "MSG_CMSG_CLOEXEC", 0)

Message = dict[str, Any]


class ProtocolError(Exception):
    """The other side sent something that is not a frame."""


class Channel:
    """One end of a Unix stream socket that carries frames both ways."""

    def __init__(self, sock: socket.socket, cancellation: Cancellation | None = None) -> None:
        self._socket = sock
        self._received = bytearray()
        self._descriptors: deque[int] = deque()
        self._lock = threading.RLock()
        self._owner = os.getpid()
        self._cancellation = cancellation or Cancellation()

    @classmethod
    def from_descriptor(cls, fd: int, cancellation: Cancellation | None = None) -> Channel:
        """Takes over an inherited descriptor; programs this process starts do not get it."""
        os.set_inheritable(fd, False)
        return cls(socket.socket(fileno=fd), cancellation)

    def fileno(self) -> int:
        """For ``poll``."""
        return self._socket.fileno()

    def owned(self) -> bool:
        """False in a process that user code forked: its frames would tear ours."""
        return os.getpid() == self._owner

    def send(self, message: Message) -> None:
        """Sends one frame whole: a cancellation that arrives meanwhile waits for its end."""
        if not self.owned():
            return
        text = json.dumps(message, separators=(",", ":"), allow_nan=False)
        body = text.encode("utf-8", "backslashreplace")
        if len(body) > FRAME_BYTES_MAX:
            raise ProtocolError(
                f"a `{message.get('type')}` frame of {len(body)} bytes is over the limit of "
                f"{FRAME_BYTES_MAX}; keep large values in storage and report where they are"
            )
        with self._lock, self._cancellation.held():
            self._socket.sendall(_LENGTH.pack(len(body)) + body)

    def receive(self) -> Message | None:
        """Waits for the next frame; ``None`` once the other side is gone."""
        while True:
            message = self.buffered()
            if message is not None:
                return message
            if not self.fill():
                return None

    def buffered(self) -> Message | None:
        """The next frame, when it has arrived whole."""
        if len(self._received) < _LENGTH.size:
            return None
        (length,) = _LENGTH.unpack_from(self._received)
        if length > FRAME_BYTES_MAX:
            raise ProtocolError(f"a frame of {length} bytes is over the limit")
        end = _LENGTH.size + length
        if len(self._received) < end:
            return None
        message = json.loads(bytes(self._received[_LENGTH.size : end]))
        del self._received[:end]
        if not isinstance(message, dict):
            raise ProtocolError("a frame that is not a JSON object")
        return message

    def fill(self) -> bool:
        """One read; false at the end of the stream."""
        space = socket.CMSG_SPACE(DESCRIPTORS_MAX * array.array("i").itemsize)
        try:
            data, ancillary, _, _ = self._socket.recvmsg(_READ_BYTES, space, _CMSG_CLOEXEC)
        except (ConnectionResetError, BrokenPipeError):
            return False
        for level, kind, payload in ancillary:
            if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
                numbers = array.array("i")
                numbers.frombytes(payload[: len(payload) - len(payload) % numbers.itemsize])
                self._descriptors.extend(numbers)
        self._received += data
        return bool(data)

    def take_descriptors(self, count: int) -> list[int]:
        """The descriptors of the frame just received."""
        if len(self._descriptors) < count:
            raise ProtocolError(f"a frame came with fewer than {count} descriptors")
        return [self._descriptors.popleft() for _ in range(count)]

    def close(self) -> None:
        """Closes our end and what nobody took."""
        self._socket.close()
        while self._descriptors:
            os.close(self._descriptors.popleft())
