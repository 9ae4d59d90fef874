"""The few Linux calls that Python's standard library does not wrap, by ``ctypes``.

**The dead-man switch.** A host that is cut off must have killed its children before the control
plane may give their tasks to someone else, *even when the host, the zygote and the children are
all stopped* (SIGSTOP, a frozen container, a debugger). Code that does not run cannot kill, so the
kernel does it: the zygote arms a POSIX timer on itself that delivers SIGKILL at the deadline, and
SIGKILL takes effect on a stopped process. Each child has ``PR_SET_PDEATHSIG = SIGKILL``, so it
goes down with the zygote. Every renewal moves the timer.

**Which clock.** ``CLOCK_BOOTTIME``: it runs on while the machine sleeps. With ``CLOCK_MONOTONIC``
a laptop that slept for an hour would wake up with its leases unexpired and run tasks that others
have long taken. The wall clock can be set back.

Python has neither ``timer_create`` nor ``prctl``; ``signal.setitimer`` knows only clocks that
stop or can be set, and only signals a process can handle.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import time
from contextlib import suppress

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
_CLOCK_BOOTTIME = 7
_SIGEV_SIGNAL = 0
_TIMER_ABSTIME = 1
_IOLBF = 1
_SIGEVENT_BYTES = 64

_libc = ctypes.CDLL(None, use_errno=True)


class _Sigevent(ctypes.Structure):
    _fields_ = [
        ("value", ctypes.c_void_p),
        ("signo", ctypes.c_int),
        ("notify", ctypes.c_int),
        ("padding", ctypes.c_char * (_SIGEVENT_BYTES - ctypes.sizeof(ctypes.c_void_p) - 8)),
    ]


class _Timespec(ctypes.Structure):
    _fields_ = [("sec", ctypes.c_long), ("nsec", ctypes.c_long)]


class _Itimerspec(ctypes.Structure):
    _fields_ = [("interval", _Timespec), ("value", _Timespec)]


def boottime_ns() -> int:
    """Nanoseconds since boot, sleep included."""
    return time.clock_gettime_ns(_CLOCK_BOOTTIME)


class DeadMan:
    """A kernel timer that kills this very process when nobody moves it."""

    def __init__(self) -> None:
        self._timer = ctypes.c_void_p()
        event = _Sigevent(value=None, signo=signal.SIGKILL, notify=_SIGEV_SIGNAL, padding=b"")
        create = _timer_function("timer_create")
        _check(
            create(_CLOCK_BOOTTIME, ctypes.byref(event), ctypes.byref(self._timer)),
            "create the timer of the dead-man switch",
        )
        self._settime = _timer_function("timer_settime")

    def arm(self, deadline_boottime_ns: int) -> None:
        """Moves the deadline; 0 disarms. A deadline in the past kills at once."""
        sec, nsec = divmod(deadline_boottime_ns, 1_000_000_000)
        spec = _Itimerspec(_Timespec(0, 0), _Timespec(sec, nsec))
        _check(
            self._settime(self._timer, _TIMER_ABSTIME, ctypes.byref(spec), None),
            "arm the timer of the dead-man switch",
        )


def die_with_parent(parent: int) -> None:
    """The kernel kills this process when its parent ends; leaves at once if it has already."""
    _check(_libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0), "set the parent death signal")
    if os.getppid() != parent:
        os._exit(0)


def outlive_parent() -> None:
    """The kernel leaves this process alone when its parent ends."""
    _check(_libc.prctl(_PR_SET_PDEATHSIG, 0, 0, 0, 0), "clear the parent death signal")


def adopt_orphans() -> None:
    """Orphaned grandchildren come to this process, which reaps them."""
    with suppress(OSError):
        _check(_libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0), "become a subreaper")


def flush_c_streams() -> None:
    """Writes out what C libraries have buffered."""
    _libc.fflush(None)


def line_buffer_c_stdout() -> None:
    """C libraries write whole lines, so that a live log is live. Children inherit it."""
    with suppress(ValueError):
        stdout = ctypes.c_void_p.in_dll(_libc, "stdout")
        _libc.setvbuf(stdout, None, _IOLBF, 0)


def kill_group(leader: int) -> None:
    """SIGKILL to a whole process group, if there is one."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, signal.SIGKILL)


def direct_children() -> list[int]:
    """Every process whose parent we are, adopted ones too; empty where the kernel cannot say."""
    pid = os.getpid()
    with suppress(OSError), open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
        return [int(word) for word in file.read().split()]
    return []


def native_threads() -> int:
    """Threads of this process, of any library."""
    with suppress(OSError):
        return len(os.listdir("/proc/self/task"))
    return 1


def _timer_function(name: str) -> ctypes._NamedFuncPointer:
    # In the C library itself since glibc 2.34 and in musl; in librt before.
    if hasattr(_libc, name):
        return getattr(_libc, name)  # type: ignore[no-any-return]
    return getattr(ctypes.CDLL("librt.so.1", use_errno=True), name)  # type: ignore[no-any-return]


def _check(result: int, what: str) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"cannot {what}: {os.strerror(number)}")


if sys.platform != "linux":  # pragma: no cover
    raise ImportError("the worker host needs Linux: its dead-man switch is a Linux kernel timer")
