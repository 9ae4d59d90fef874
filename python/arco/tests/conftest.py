"""What all tests share."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import arco_flow as dg
from arco_flow._internal.execution import execute_task

GOLDEN = Path(__file__).resolve().parents[3] / "golden"


@pytest.fixture
def golden() -> Callable[[str], Any]:
    """Reads a file of the vectors that Rust and Python share."""
    return lambda name: json.loads((GOLDEN / name).read_text(encoding="utf-8"))


class Worker:
    """Carries out tasks as a worker's child does, and keeps what they emit."""

    def __init__(self, storage: Path) -> None:
        self.storage = storage

    def __call__(self, defs: dg.Definitions, step: str, **lease: Any) -> list[dict[str, Any]]:
        """One task; inputs may be given as `{param: asset}` or `{param: (asset, [keys])}`."""
        inputs = []
        for param, given in lease.pop("inputs", {}).items():
            asset, keys = given if isinstance(given, tuple) else (given, None)
            one = {"asset": asset, "param": param, "partitioned": keys is not None}
            inputs.append(one if keys is None else {**one, "partitions": keys})
        messages: list[dict[str, Any]] = []
        lease = {"run": "run_1", "step": step, "inputs": inputs, **lease}
        execute_task(defs, lease, messages.append, str(self.storage))
        json.dumps(messages)
        assert messages[0] == {"type": "started"}
        return messages[1:]


@pytest.fixture
def worker(tmp_path: Path) -> Worker:
    """A worker with a storage of its own."""
    return Worker(tmp_path / "storage")
