"""Importing the SDK touches nothing and loads the standard library alone."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

HEAVY = {
    "annotationlib", "asyncio", "fsspec", "http", "multiprocessing", "numpy", "pandas", "polars",
    "pydantic", "pydantic_core", "random", "requests", "socket", "ssl", "subprocess", "tempfile",
    "typing_extensions", "upath", "urllib", "uuid", "zoneinfo",
}  # fmt: skip
MODULES_MAX = 110
"""What the import may load, 50 of them our own; each costs about 0.3 ms (`figures.py`)."""


def python(code: str) -> str:
    source = str(Path(__file__).resolve().parents[1] / "src")
    env = {**os.environ, "PYTHONPATH": source}
    return subprocess.run(
        [sys.executable, "-c", code], env=env, check=True, capture_output=True, text=True
    ).stdout


def loaded_by(code: str) -> list[str]:
    return json.loads(
        python(
            f"import sys, json; before = set(sys.modules)\n{code}\nprint(json.dumps(sorted(set(sys.modules) - before)))"
        )
    )


def test_import_loads_little() -> None:
    modules = loaded_by("import arco_flow")
    assert not {name.partition(".")[0] for name in modules} & HEAVY
    assert len(modules) < MODULES_MAX


def test_definitions_without_config_need_no_pydantic() -> None:
    modules = loaded_by(
        "import arco_flow as dg\n"
        "@dg.asset(partitions_def=dg.DailyPartitionsDefinition('2024-01-01'))\n"
        "def a(context: dg.AssetExecutionContext): ...\n"
        "dg.Definitions([a]).to_manifest('x')"
    )
    assert not {"pydantic", "polars", "fsspec", "upath"} & set(modules)


def test_config_brings_pydantic_when_asked_for() -> None:
    assert "pydantic" in loaded_by("import arco_flow\narco_flow.Config")


def test_import_does_nothing_to_logging_signals_or_the_environment() -> None:
    code = (
        "import logging, os, signal, random\n"
        "before = (dict(os.environ), logging.root.handlers[:], signal.getsignal(15), random.getstate())\n"
        "import arco_flow\n"
        "assert before == (dict(os.environ), logging.root.handlers[:], signal.getsignal(15), random.getstate())"
    )
    assert python(code) == ""
