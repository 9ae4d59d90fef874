"""The examples of the README run."""

from __future__ import annotations

import re
from pathlib import Path


def test_the_examples_of_the_readme_run() -> None:
    text = (Path(__file__).resolve().parents[1] / "README.md").read_text()
    names: dict[str, object] = {}
    blocks = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    assert len(blocks) == 2
    for block in blocks:
        exec(block, names)
