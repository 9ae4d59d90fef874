"""Memory limits of steps."""

from __future__ import annotations

import re

from arco_flow._internal.errors import DefinitionError

_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([A-Za-z]*)\Z")
_UNITS = {
    "b": 1,
    "kb": 10**3, "mb": 10**6, "gb": 10**9, "tb": 10**12,
    "kib": 2**10, "mib": 2**20, "gib": 2**30, "tib": 2**40,
}  # fmt: skip
_LEAST = 16 * 2**20
"""An interpreter alone has more than this; a smaller limit is a slip of the unit."""


def memory_bytes(limit: int | str | None) -> int | None:
    """A memory limit in bytes: a number of bytes, or text with a unit: `"512MiB"`, `"2GiB"`, `"1.5GB"`.

    What counts is the resident memory of the task's process, its imports included, and of the
    processes it started. The worker host looks several times a second and kills the task when it is
    over its limit; the attempt fails with class `out_of_memory` and says how much it used. A task
    with a limit runs in a process of its own (`isolation="fork"` at least).

    Raises:
        DefinitionError: For what is no size, or one of less than 16 MiB.
    """
    if limit is None:
        return None
    if isinstance(limit, bool) or not isinstance(limit, (int, str)):
        raise DefinitionError(
            f'memory_limit is a number of bytes or text like "2GiB", not {limit!r}'
        )
    if isinstance(limit, int):
        found = limit
    else:
        match = _SIZE.match(limit.strip())
        unit = _UNITS.get(match.group(2).lower()) if match and match.group(2) else None
        if match is None or unit is None:
            raise DefinitionError(
                f'memory_limit {limit!r} has no unit that is known; write "512MiB", "2GiB" or "1.5GB"'
            )
        found = round(float(match.group(1)) * unit)
    if found < _LEAST:
        raise DefinitionError(
            f"memory_limit {limit!r} is less than a Python process takes; the least is 16 MiB"
        )
    return found
