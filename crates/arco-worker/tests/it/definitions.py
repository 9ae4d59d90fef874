"""Bodies for the tests of the worker host. What they did stands in files beside this one."""

import ctypes
import logging
import os
import signal
import subprocess
import sys
import time

import arco_flow as dg


def write(name, text):
    # One write with O_APPEND: lines of several processes do not mix.
    fd = os.open(name, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(fd, (str(text) + "\n").encode())
    os.close(fd)


@dg.asset
def one():
    return 1


@dg.asset
def pid(context):
    write("pids", os.getpid())
    return os.getpid()


@dg.asset
def count(context):
    """One line for each time a body runs."""
    write("ran", context.run.run_id)
    time.sleep(0.05)
    return 1


@dg.asset
def slow(context):
    """Runs until it is stopped; its stamps say when it was last alive."""
    write("slow_pid", os.getpid())
    grandchild = subprocess.Popen(["sleep", "600"])
    write("grandchild_pid", grandchild.pid)
    while True:
        write("stamps", time.clock_gettime_ns(7))
        time.sleep(0.01)


@dg.asset
def tidy():
    """Cleans up when it is cancelled."""
    write("tidy_pid", os.getpid())
    try:
        time.sleep(600)
    finally:
        print("cleaned up")


@dg.asset
def stubborn():
    """Does not let itself be cancelled."""
    write("stubborn_pid", os.getpid())
    while True:
        try:
            time.sleep(600)
        except BaseException:
            write("refused", "x")


@dg.asset
def swallows():
    """Catches the cancellation and returns as if nothing had been."""
    write("swallows_pid", os.getpid())
    try:
        time.sleep(600)
    except BaseException:
        pass
    return 1


def grow(name):
    """Takes 16 MB at a time, touched, and never more than a machine can bear."""
    write(name, os.getpid())
    held = []
    while len(held) < 100:
        held.append(bytearray(16 * 1024 * 1024))
        time.sleep(0.01)
    time.sleep(600)


@dg.asset(isolation="fork")
def outgrows():
    """Grows and does not let itself be cancelled."""
    while True:
        try:
            grow("grows_pid")
        except BaseException:
            write("refused", "x")


@dg.asset(isolation="fork")
def grows_below():
    """A process it started grows."""
    write("below_pid", os.getpid())
    code = "import time; held = bytearray(400 * 1024 * 1024); time.sleep(600)"
    subprocess.run([sys.executable, "-c", code])


@dg.asset
def memory_error():
    raise MemoryError("no room")


@dg.asset
def raises():
    raise ValueError("seven is not a prime of nine")


@dg.asset
def sys_exit():
    sys.exit(3)


@dg.asset
def os_exit():
    os._exit(3)


@dg.asset
def segfault():
    sys.stderr.write("last words\n")
    ctypes.string_at(0)


@dg.asset
def kills_itself():
    os.kill(os.getpid(), signal.SIGKILL)


@dg.asset
def speaks_nonsense():
    """Writes to the control socket, as a library gone wild might."""
    for fd in range(3, 50):
        try:
            if os.readlink(f"/proc/self/fd/{fd}").startswith("socket:"):
                os.write(fd, b"\x00\x00\x00\x05hello")
        except OSError:
            pass
    time.sleep(600)


@dg.asset
def talks():
    """Says something in every way there is."""
    print("from print")
    print("from print to stderr", file=sys.stderr)
    os.write(1, b"from os.write\n")
    ctypes.CDLL(None).puts(b"from puts")
    subprocess.run(["sh", "-c", "echo from a grandchild; echo and its stderr >&2"], check=True)
    logging.getLogger("my.library").warning("from logging %d", 7)
    return 1


@dg.asset
def tail():
    """Says something and goes on."""
    print("early")
    write("tail_pid", os.getpid())
    time.sleep(600)


@dg.asset
def floods():
    for _ in range(4_000):
        print("x" * 1_000)
    return 1


@dg.asset
def daemon():
    """Leaves a process behind that keeps the output open."""
    child = subprocess.Popen(["sh", "-c", "echo daemon is here; sleep 600"])
    write("daemon_pid", child.pid)
    time.sleep(0.1)
    return 1


@dg.asset
def environment():
    for name, value in sorted(os.environ.items()):
        print(f"{name}={value}")
    with open(f"/proc/{os.getppid()}/environ") as file:
        print(file.read().replace("\0", "\n"))
    return 1


@dg.asset
def metadata():
    return dg.MaterializeResult(value=1, metadata={"rows": 7}, data_version=dg.DataVersion("v7"))


@dg.asset
def grows():
    """Takes memory and keeps it."""
    write("grows_pids", os.getpid())
    hoard.append(bytearray(64 * 1024 * 1024))
    return 1


hoard = []
