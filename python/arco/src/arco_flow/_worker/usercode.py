"""User code, loaded once: what the zygote and a spawned child share."""

from __future__ import annotations

import argparse
import os
import sys
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from arco_flow._worker.frames import Message

#: A traceback longer than this helps nobody; its end is the part that matters.
TRACEBACK_CHARS_MAX = 64 * 1024
STORAGE_DEFAULT = ".arco/storage"


@dataclass(frozen=True)
class Target:
    """What to load and what to call it."""

    target: str
    location: str

    @classmethod
    def from_arguments(cls, arguments: Sequence[str]) -> Target:
        """Reads ``--target`` and ``--location``."""
        parser = argparse.ArgumentParser(prog="arco_flow._worker")
        parser.add_argument("--target", required=True)
        parser.add_argument("--location", required=True)
        read = parser.parse_args(arguments)
        return cls(target=read.target, location=read.location)

    def arguments(self) -> list[str]:
        """The reverse of :meth:`from_arguments`."""
        return ["--target", self.target, "--location", self.location]

    def load(self) -> Any:
        """The ``Definitions`` of the location. Whatever user code raises comes through."""
        # What a task needs is imported here, once, and not again in every forked child.
        import arco_flow._internal.execution  # noqa: F401  imported for its effect
        from arco_flow._internal.load import load_definitions

        return load_definitions(self.target)


def storage_root() -> str:
    """Where the default IO manager keeps values."""
    return os.environ.get("ARCO_STORAGE", STORAGE_DEFAULT)


def sources() -> list[str]:
    """Files of user code that are loaded: those under the working directory.

    The host watches them when it was asked to reload on change.
    """
    root = os.path.join(os.path.realpath(os.getcwd()), "")
    skip = tuple(
        os.path.join(os.path.realpath(prefix), "") for prefix in {sys.prefix, sys.base_prefix}
    )
    found = set()
    for module in list(sys.modules.values()):
        path = getattr(module, "__file__", None)
        if not isinstance(path, str):
            continue
        real = os.path.realpath(path)
        inside_venv = any(real.startswith(prefix) for prefix in skip if prefix != root)
        if real.startswith(root) and not inside_venv and "site-packages" not in real:
            found.add(real)
    return sorted(found)


def describe_error(error: BaseException) -> Message:
    """An exception as the wire says it; the SDK has told of it already if it could not load."""
    told = getattr(error, "error", None)
    if isinstance(told, dict) and {"type", "message", "traceback"} <= told.keys():
        return told
    text = "".join(traceback.format_exception(type(error), error, error.__traceback__))
    if len(text) > TRACEBACK_CHARS_MAX:
        text = "…" + text[-TRACEBACK_CHARS_MAX:]
    return {"type": type(error).__name__, "message": str(error), "traceback": text}
