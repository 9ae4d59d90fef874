"""The zygote: imports libraries and user code once and never runs a task.

    host ── Unix socket ──► zygote ── fork ──► child ◄── Unix socket ── host
                            (imports)          (tasks)

It is single-threaded and waits on two descriptors: the host's socket, and a pipe that wakes it
when a child has ended. It holds no task's descriptors and knows no task; if the host is gone, so
is every child.
"""

from __future__ import annotations

import gc
import os
import select
import signal
import sys
import time
from contextlib import suppress
from typing import Any, NoReturn

from arco_flow._worker import canary, process, usercode
from arco_flow._worker.forking import Children
from arco_flow._worker.frames import Channel, Message
from arco_flow._worker.usercode import Target

PROTOCOL = 1
#: The zygote kills its children this long before the kernel would kill it, so that their process
#: groups (grandchildren too) go and not only they. A quarter of the time left when that is short.
EARLY_NS = 500_000_000


class Zygote:
    """One loaded location and its children."""

    def __init__(self, host: Channel, children: Children) -> None:
        self._host = host
        self._children = children
        self._dead_man = process.DeadMan()
        self._kill_at_ns: int | None = None
        self._woken, waker = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self._children.close_in_child(self._woken, waker)
        # A handler must exist for the wake-up descriptor to be written; it has nothing to do.
        signal.signal(signal.SIGCHLD, lambda _signum, _frame: None)
        signal.set_wakeup_fd(waker, warn_on_full_buffer=False)

    def serve(self) -> NoReturn:
        """Until the host says shutdown or is gone. However that shows, no child is left."""
        try:
            self._listen()
        except (BrokenPipeError, ConnectionResetError):
            pass  # The host died while we were telling it something.
        except BaseException:
            sys.excepthook(*sys.exc_info())
        finally:
            self._stop()

    def _listen(self) -> None:
        poll = select.poll()
        poll.register(self._host.fileno(), select.POLLIN)
        poll.register(self._woken, select.POLLIN)
        while True:
            ready = {fd for fd, _ in poll.poll(self._patience_ms())}
            self._kill_when_due()
            if self._woken in ready:
                with suppress(BlockingIOError):
                    os.read(self._woken, 4096)
            self._children.reap()
            if self._host.fileno() in ready and not self._hear():
                return

    def _hear(self) -> bool:
        """Handles every frame that has arrived; false when the host is gone or wants us gone."""
        if not self._host.fill():
            return False
        while (message := self._host.buffered()) is not None:
            if message["type"] == "fork":
                (control,) = self._host.take_descriptors(1)
                self._children.start(message["child"], message["mode"], control)
            elif message["type"] == "renew":
                self._renew(message["deadline_boottime_ns"])
            elif message["type"] == "shutdown":
                return False
        return True

    def _renew(self, deadline_ns: int) -> None:
        self._dead_man.arm(deadline_ns)
        if deadline_ns == 0:
            self._kill_at_ns = None
        else:
            left = max(0, deadline_ns - process.boottime_ns())
            self._kill_at_ns = deadline_ns - min(EARLY_NS, left // 4)
        self._host.send({"type": "renewed", "deadline_boottime_ns": deadline_ns})

    def _patience_ms(self) -> int | None:
        if self._kill_at_ns is None:
            return None
        left = self._kill_at_ns - process.boottime_ns()
        # The wait itself runs on a clock that stops in sleep, so it is cut in pieces of a second.
        return max(0, min(1_000, left // 1_000_000 + 1))

    def _kill_when_due(self) -> None:
        if self._kill_at_ns is not None and process.boottime_ns() >= self._kill_at_ns:
            self._children.kill()

    def _stop(self) -> NoReturn:
        self._children.kill()
        for pid in process.direct_children():
            with suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        os._exit(0)


def main() -> NoReturn:
    """``python -m arco_flow._worker.zygote``, started by the host with ``ARCO_ZYGOTE_FD``."""
    # User code may hang while it is imported, and then nobody listens to the host's end.
    process.die_with_parent(os.getppid())
    process.adopt_orphans()
    process.line_buffer_c_stdout()
    # The terminal's Ctrl-C is for the host, which ends us in its own way.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    host = _take_host_socket(int(os.environ.pop("ARCO_ZYGOTE_FD")))
    host.send({"type": "hello", "protocol": PROTOCOL, "pid": os.getpid()})
    target = Target.from_arguments(sys.argv[1:])
    environment = dict(os.environ)
    definitions, report = _load(target)
    # From here on we listen: when the host dies, there is time to kill what tasks have started.
    process.outlive_parent()
    host.send(report)
    if definitions is None:
        _wait_for_shutdown(host)
    Zygote(host, Children(host, target, definitions, environment)).serve()


def _take_host_socket(fd: int) -> Channel:
    """The socket may have come as descriptor 0: user code shall not find it there."""
    mine = os.dup(fd)
    if fd == 0:
        null = os.open(os.devnull, os.O_RDONLY)
        os.dup2(null, 0)
        os.close(null)
    else:
        os.close(fd)
    return Channel.from_descriptor(mine)


def _load(target: Target) -> tuple[Any, Message]:
    began = time.monotonic()
    try:
        definitions = target.load()
        manifest = definitions.to_manifest(target.location)
        verdict = canary.judge()
    except BaseException as error:
        if isinstance(error, MemoryError):
            raise
        failed = usercode.describe_error(error)
        return None, {"type": "load_failed", "error": failed, "sources": usercode.sources()}
    # What is alive now lives for ever: out of the collector's sight, its pages stay shared.
    gc.collect()
    gc.freeze()
    return definitions, {
        "type": "loaded",
        "manifest": manifest,
        "fork_safe": verdict.fork_safe,
        "fork_note": verdict.note,
        "load_ms": int((time.monotonic() - began) * 1000),
        "sources": usercode.sources(),
    }


def _wait_for_shutdown(host: Channel) -> NoReturn:
    while (message := host.receive()) is not None:
        if message["type"] == "shutdown":
            break
    os._exit(0)


if __name__ == "__main__":
    main()
