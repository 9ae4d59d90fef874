"""The questions of the corpora: one module for each, with `ask(rng)` that never ends.

Each begins with what should be in any corpus and goes on at random. What Arco does otherwise on purpose
is asked too, but rarely: few answers to an operation may differ (see README.md).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from random import Random
from typing import Any

from . import (
    backfills, cron, evaluations, mapping_kinds, partition_keys, partition_kinds, partition_mappings, queue, schedules,
    selections,
)

Question = tuple[str, dict[str, Any]]

CORPORA: dict[str, Callable[[Random], Iterator[Question]]] = {
    "cron": cron.ask,
    "partition_keys": partition_keys.ask,
    "partition_mappings": partition_mappings.ask,
    "partition_kinds": partition_kinds.ask,
    "mapping_kinds": mapping_kinds.ask,
    "queue": queue.ask,
    "schedules": schedules.ask,
    "evaluations": evaluations.ask,
    "selections": selections.ask,
    "backfills": backfills.ask,
}
