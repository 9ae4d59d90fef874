"""Prints two figures: `python tests/figures.py`. They are measured, not asserted: machines differ.

Targets on a quiet machine: the import under 50 ms, a task of a trivial asset under 0.3 ms.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

SOURCE = Path(__file__).resolve().parents[1] / "src"
sys.path.insert(0, str(SOURCE))

import arco_flow as dg  # noqa: E402
from arco_flow._internal.execution import execute_task  # noqa: E402


@dg.asset
def up() -> int:
    return 1


@dg.asset
def down(up: int) -> int:
    return up


def import_ms() -> float:
    code = "import time; t = time.process_time(); import arco_flow; print((time.process_time() - t) * 1000)"
    command = [sys.executable, "-c", code]
    runs = [
        subprocess.run(command, env={"PYTHONPATH": str(SOURCE)}, capture_output=True, check=True)
        for _ in range(10)
    ]
    return min(float(run.stdout) for run in runs)


def task_ms(step: str, inputs: list[dict[str, Any]], count: int = 2000) -> float:
    defs = dg.Definitions([up, down])
    with tempfile.TemporaryDirectory() as folder:
        execute_task(defs, {"step": "up"}, lambda _: None, folder)
        begin = time.perf_counter()
        for _ in range(count):
            execute_task(defs, {"step": step, "inputs": inputs}, lambda _: None, folder)
        return (time.perf_counter() - begin) * 1000 / count


if __name__ == "__main__":
    given = [{"asset": "up", "param": "up", "partitioned": False}]
    print(f"import        {import_ms():6.1f} ms of CPU")
    print(f"task          {task_ms('up', []):6.3f} ms, its value pickled to a file")
    print(f"task          {task_ms('down', given):6.3f} ms, one upstream value loaded too")
