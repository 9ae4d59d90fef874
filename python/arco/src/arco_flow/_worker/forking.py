"""Making, watching and killing children of the zygote."""

from __future__ import annotations

import os
import signal
import sys
from contextlib import suppress
from typing import Any, NoReturn

from arco_flow._worker import child, process
from arco_flow._worker.canary import fork_quietly
from arco_flow._worker.frames import Channel
from arco_flow._worker.usercode import Target


class Children:
    """The children that have not been reaped, each the leader of its own process group."""

    def __init__(
        self, host: Channel, target: Target, definitions: Any, environment: dict[str, str]
    ) -> None:
        self._host = host
        self._target = target
        self._definitions = definitions
        self._environment = environment
        self._number_by_pid: dict[int, int] = {}
        self._close: list[int] = []

    def close_in_child(self, *fds: int) -> None:
        """Descriptors a forked child must not keep."""
        self._close.extend(fds)

    def start(self, number: int, mode: str, control: int) -> None:
        """Makes one child and tells the host. ``control`` is the child's end of its socket."""
        zygote = os.getpid()
        pid = fork_quietly()
        if pid == 0:
            self._become_child(zygote, mode, control)
        os.close(control)
        with suppress(OSError):
            # Both sides do it, so that neither can be too late.
            os.setpgid(pid, pid)
        self._number_by_pid[pid] = number
        self._host.send({"type": "forked", "child": number, "pid": pid})

    def reap(self) -> None:
        """Tells the host of every child that has ended.

        The group is killed while its dead leader is not reaped yet: until then nobody else can
        get its number, so the signal cannot hit a stranger.
        """
        while True:
            try:
                ended = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
            except ChildProcessError:
                return
            if ended is None:
                return
            number = self._number_by_pid.pop(ended.si_pid, None)
            if number is not None:
                process.kill_group(ended.si_pid)
            _, status, usage = os.wait4(ended.si_pid, 0)
            if number is None:
                continue
            message = {
                "type": "exited",
                "child": number,
                "pid": ended.si_pid,
                "maxrss_kb": usage.ru_maxrss,
            }
            if os.WIFSIGNALED(status):
                message["signal"] = os.WTERMSIG(status)
            else:
                message["code"] = os.WEXITSTATUS(status)
            self._host.send(message)

    def kill(self) -> None:
        """SIGKILL to every group."""
        for pid in self._number_by_pid:
            process.kill_group(pid)

    def _become_child(self, zygote: int, mode: str, control: int) -> NoReturn:
        try:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            os.setpgid(0, 0)
            process.die_with_parent(zygote)
            if mode == "spawn":
                self._execute(control, zygote)
            self._host.close()
            for fd in self._close:
                os.close(fd)
            _reseed()
            child.serve(control, self._definitions)
        except BaseException:
            sys.excepthook(*sys.exc_info())
        finally:
            os._exit(child.EXIT_PROTOCOL)

    def _execute(self, control: int, zygote: int) -> NoReturn:
        """A fresh interpreter with the environment the zygote was started with.

        ``PR_SET_PDEATHSIG`` outlives exec. Our own signal dispositions would too.
        """
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        os.set_inheritable(control, True)
        environment = {
            **self._environment,
            "ARCO_CHILD_FD": str(control),
            "ARCO_PARENT_PID": str(zygote),
        }
        program = [sys.executable, "-m", "arco_flow._worker.child", *self._target.arguments()]
        os.execve(sys.executable, program, environment)


def _reseed() -> None:
    """``random`` reseeds itself after a fork; the old NumPy generator does not, and every child
    would draw the same numbers."""
    numpy_random = sys.modules.get("numpy.random")
    if numpy_random is not None:
        with suppress(Exception):
            numpy_random.seed()
