"""Keys of windows by cron, of windows with some left out, of dynamic sets and of several dimensions
(P-9, P-11, P-20..P-23)."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Any

from dagster_oracle import partition_keys

from .shapes import a_time, any_def


def ask(rng: Random) -> Iterator[tuple[str, dict[str, Any]]]:
    """For a random definition its keys, then whether some texts are keys, and a range."""
    while True:
        spec = any_def(rng)
        now = a_time(rng, spec)
        yield "partition_keys", {"definition": spec, "now": now}
        try:
            keys = partition_keys(spec, now)
        except Exception:
            continue
        if not keys:
            continue
        texts = [rng.choice(keys), keys[-1], "zzz", keys[0] + " ", keys[0].split("|")[0]]
        yield "partition_has", {"definition": spec, "now": now, "keys": texts}
        first, last = sorted(rng.choices(range(len(keys)), k=2))
        yield "partition_range", {"definition": spec, "now": now, "start": keys[first], "end": keys[last]}
