"""Does what user code imported survive a fork?

Some libraries own thread pools, and a fork copies their locks but not their threads: Polars or
DuckDB *used* in the zygote deadlock in every child, while merely *imported* they are fine. Nobody
can tell from outside, so we try: a forked child runs one trivial query with each of them and has
two seconds. If it fails, the location's children are made by ``spawn`` and people are told why.
"""

from __future__ import annotations

import os
import select
import signal
import sys
import threading
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType

from arco_flow._worker import process

#: A trivial query takes milliseconds; a deadlock takes for ever.
CANARY_SECONDS = 2.0


def _polars(module: ModuleType) -> None:
    frame = module.DataFrame({"a": [1, 2, 3], "b": ["x", "y", "x"]})
    frame.lazy().group_by("b").agg(module.col("a").sum()).collect()


def _duckdb(module: ModuleType) -> None:
    module.connect().execute("select sum(range) from range(10000)").fetchall()


def _pyarrow(module: ModuleType) -> None:
    module.table({"a": [1, 2, 3]}).to_pydict()


def _numpy(module: ModuleType) -> None:
    # Large enough that a threaded BLAS wakes its pool.
    square = module.ones((256, 256))
    square @ square


QUERIES: dict[str, Callable[[ModuleType], None]] = {
    "numpy": _numpy,
    "polars": _polars,
    "pyarrow": _pyarrow,
    "duckdb": _duckdb,
}


@dataclass(frozen=True)
class Verdict:
    """Whether children may be forked, and the reason in words."""

    fork_safe: bool
    note: str


def judge(queries: dict[str, Callable[[ModuleType], None]] | None = None) -> Verdict:
    """Judges this process as it is now. Call after user code is loaded."""
    threads = [thread.name for thread in threading.enumerate() if thread.is_alive()]
    if len(threads) > 1:
        names = ", ".join(sorted(threads[1:]))
        return Verdict(
            False,
            f"user code started {len(threads) - 1} thread(s) while it was loaded ({names}); they "
            "would not exist in a forked child; start them inside a resource or a task",
        )
    table = QUERIES if queries is None else queries
    present = [name for name in table if name in sys.modules]
    native = process.native_threads()
    failure = _try_in_child(present, table)
    if failure is not None:
        return Verdict(False, failure)
    tried = ", ".join(present) or "no library with threads of its own is imported"
    return Verdict(True, f"a forked child works: {tried}; {native} native thread(s) at load")


def fork_quietly() -> int:
    """``os.fork`` without the warning about threads: the canary is the better judge."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        return os.fork()


def _try_in_child(present: list[str], table: dict[str, Callable[[ModuleType], None]]) -> str | None:
    reader, writer = os.pipe()
    pid = fork_quietly()
    if pid == 0:
        _canary(reader, writer, present, table)
    os.close(writer)
    said = _read_until(reader, time.monotonic() + CANARY_SECONDS)
    os.close(reader)
    finished = said.endswith("\n.")
    if not finished:
        os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    if finished:
        return None
    lines = said.split("\n")
    if len(lines) > 1 and lines[-1].startswith("!"):
        return f"{lines[-2]} fails in a forked child: {lines[-1][1:]}"
    subject = lines[-1] or "the interpreter"
    return (
        f"{subject} does not work in a forked child (no answer within {CANARY_SECONDS:g} s, or it "
        f"died); it was probably used, not only imported, while user code was loaded"
    )


def _canary(
    reader: int,
    writer: int,
    present: list[str],
    table: dict[str, Callable[[ModuleType], None]],
) -> None:
    """Writes the name of each library before it tries it, a lone dot at the end."""
    try:
        os.close(reader)
        null = os.open(os.devnull, os.O_RDWR)
        os.dup2(null, 1)
        os.dup2(null, 2)
        for name in present:
            os.write(writer, f"\n{name}".encode())
            try:
                table[name](sys.modules[name])
            except Exception as error:
                text = f"{type(error).__name__}: {error}".replace("\n", " ")
                os.write(writer, f"\n!{text[:500]}".encode())
                os._exit(1)
        os.write(writer, b"\n.")
    finally:
        os._exit(0)


def _read_until(reader: int, deadline: float) -> str:
    said = b""
    while True:
        left = deadline - time.monotonic()
        if left <= 0 or not select.select([reader], [], [], left)[0]:
            break
        data = os.read(reader, 4096)
        if not data:
            break
        said += data
    return said.decode("utf-8", "replace")
