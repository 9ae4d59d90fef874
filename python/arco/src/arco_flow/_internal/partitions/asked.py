"""Mappings that user code says between partitions that come while Arco runs (ADR 0021).

The control plane asks the code in a worker, about each downstream partition once for each version of the
definitions, and plans by what was answered.
"""

from __future__ import annotations

import hashlib
import inspect
import json
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from arco_flow._internal.errors import DefinitionError
from arco_flow._internal.failure import describe
from arco_flow._internal.partitions.base import PartitionsDefinition
from arco_flow._internal.partitions.mapping import PartitionMapping


@dataclass(frozen=True)
class AskedPartitionMapping(PartitionMapping):
    """A mapping of one's own, with the edge it is of.

    Args:
        mapping: What user code says.
        downstream: Partitions of the asset that reads.
        upstream: Partitions of the asset that is read.
        edge: The two assets in words, for errors.
    """

    mapping: PartitionMapping
    downstream: PartitionsDefinition
    upstream: PartitionsDefinition
    edge: str

    @cached_property
    def code(self) -> str:
        """Digest of what the answers follow from: the modules of the class, and the fields of the mapping.

        What the code reads from elsewhere is not in it.
        """
        modules = {cls.__module__ for cls in type(self.mapping).__mro__}
        own = sorted(
            name for name in modules if name.split(".")[0] not in ("arco_flow", "builtins")
        )
        said = [type(self.mapping).__qualname__, *map(_source, own), _plain(_fields(self.mapping))]
        return hashlib.sha256(json.dumps(said).encode()).hexdigest()

    def to_json(self) -> dict[str, Any]:
        """The mapping as it stands in a manifest."""
        return {"kind": "custom", "name": type(self.mapping).__name__, "code": self.code}

    def ask(self, key: str) -> list[str]:
        """The upstream keys that a downstream key needs, each once, in the order of the answer.

        Raises:
            DefinitionError: When the answer is no list of texts. And whatever the code raises.
        """
        answer = self.mapping.get_upstream_partition_keys(key, self.downstream, self.upstream)
        keys = [answer] if isinstance(answer, str) else answer
        found: list[Any] = [None]
        with suppress(TypeError):
            found = list(dict.fromkeys(keys))
        if not all(isinstance(one, str) for one in found):
            raise DefinitionError(
                f"{type(self.mapping).__name__}.get_upstream_partition_keys of `{key}` ({self.edge}) gave {answer!r}; "
                "give a list of upstream keys"
            )
        return found

    def needed(
        self, keys: Sequence[str], now: datetime | None = None
    ) -> tuple[list[str], list[str]]:
        """The upstream keys that are needed: those that exist, and those that do not."""
        every = list(dict.fromkeys(up for key in keys for up in self.ask(key)))
        there = [up for up in every if self.upstream.has_partition_key(up, now)]
        return there, [up for up in every if up not in there]


def answers(
    mapping: AskedPartitionMapping, question: Mapping[str, Any], began: float
) -> dict[str, Any]:
    """What the code says to a question of the worker protocol, for as many keys as there is time and room.

    Args:
        mapping: Of the edge that is asked about.
        question: `keys`, `upstream_keys_max` and `timeout_ms`.
        began: When the question was taken up, by `time.monotonic`.
    """
    found: dict[str, list[str]] = {}
    failed: list[str] = []
    said: dict[str, Any] = {"said": "mapped", "answers": found}
    patience = question["timeout_ms"] / 1000 / 2
    room = question["upstream_keys_max"]
    for key in question["keys"]:
        if (found or failed) and (time.monotonic() - began > patience or room <= 0):
            break
        try:
            found[key] = mapping.ask(key)
        except Exception as error:
            failed.append(key)
            said.setdefault("error", describe(error))
        else:
            room -= len(found[key])
    if failed:
        said["failed"] = failed
    return said


def _source(module: str) -> str:
    try:
        return inspect.getsource(sys.modules[module])
    except (OSError, TypeError, KeyError):
        # Typed in, or made by other code: the class alone is told by its name.
        return module


def _fields(mapping: PartitionMapping) -> dict[str, Any]:
    slots = [name for cls in type(mapping).__mro__ for name in getattr(cls, "__slots__", ())]
    own = {name: getattr(mapping, name) for name in slots if hasattr(mapping, name)}
    return own | getattr(mapping, "__dict__", {})


def _plain(value: Any) -> Any:
    """What is the same in each process: of other things than texts, numbers and collections the type."""
    if value is None or isinstance(value, (str, int, float, bool)):
        return value
    if isinstance(value, Mapping):
        return sorted([str(key), _plain(one)] for key, one in value.items() if isinstance(key, str))
    if isinstance(value, (set, frozenset)):
        return sorted(json.dumps(_plain(one)) for one in value)
    if isinstance(value, (list, tuple)):
        return [_plain(one) for one in value]
    return f"{type(value).__module__}.{type(value).__qualname__}"
